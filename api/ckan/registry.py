"""The actions by name: what runs, and whether it changes nothing, so that GET may call it."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from catalog.errors import Unauthenticated
from catalog.permissions import Identity

Run = Callable[[Identity, dict[str, Any]], Any]


@dataclass(frozen=True)
class Action:
    """An action of CKAN's API; `safe` means that it changes nothing."""

    name: str
    run: Run
    safe: bool
    help: str
    """What `help_show` tells."""


@dataclass(frozen=True)
class Changed:
    """What an action gave, and the ids of what it has changed by kind, as `changed_entities` tells them."""

    result: Any
    entities: dict[str, list[str]]


ACTIONS: dict[str, Action] = {}


def action(*, safe: bool = False) -> Callable[[Run], Run]:
    """Registers a function `(who, parameters) -> result` as the action of its name."""

    def register(run: Run) -> Run:
        register_as(getattr(run, "__name__", ""), inspect.getdoc(run) or "", run, safe=safe)
        return run

    return register


def register_as(name: str, explained: str, run: Run, *, safe: bool) -> None:
    """Registers an action under a name: one that differs from its kin only by what it is about."""
    ACTIONS[name] = Action(name, run, safe, explained)


def signed_in(who: Identity, name: str) -> None:
    """Refuse anyone without an account, in CKAN's words."""
    if who.account_id is None and not who.scheduler:
        raise Unauthenticated(f"Action {name} requires an authenticated user")
