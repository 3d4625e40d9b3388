"""SQL from strangers: checked as the engine has parsed it, run in a child process that has no rights."""

from catalog.tabular.sandbox.sandbox import (
    MEANS,
    Answer,
    Asked,
    Call,
    Given,
    GivenColumn,
    Limits,
    Sandbox,
    sandbox_of,
)

__all__ = [
    "MEANS",
    "Answer",
    "Asked",
    "Call",
    "Given",
    "GivenColumn",
    "Limits",
    "Sandbox",
    "sandbox_of",
]
