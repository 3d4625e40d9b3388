"""Notes: what the reader did or saw, in words that pages translate."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

LONGEST = 300


def note(message: str, /, **context: object) -> dict[str, Any]:
    """A note as it is kept: an English msgid and what fills its places, which may be notes themselves."""
    return {"message": message, "context": {name: _plain(value) for name, value in context.items()}}


def shortened(text: str, longest: int = LONGEST) -> str:
    """The beginning of a text, with an ellipsis where it was cut."""
    return text if len(text) <= longest else text[: longest - 1] + "…"


def _plain(value: object) -> object:
    if isinstance(value, Mapping):
        return dict(value)
    return value if isinstance(value, int | float) else shortened(str(value))
