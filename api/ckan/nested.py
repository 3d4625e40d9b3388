"""Parts of nested dictionaries and lists: compared, removed by patterns, put in, found by paths.

Paths are names with two underscores between them; an item of a list is named by its index or by the beginning
of its id, five characters at least.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, cast

Path = tuple[Any, ...]
LEAST_ID = 5


class WrongPath(ValueError):
    """A path that leads nowhere, or to something of another kind."""


def unmatched(whole: Any, wanted: Any, path: Path = ()) -> list[Path]:
    """Paths at which `whole` has not what is wanted; more than is wanted is no difference."""
    if isinstance(wanted, Mapping):
        if not isinstance(whole, dict):
            return [path]
        pairs = sorted(wanted.items())
        return [
            one
            for key, value in pairs
            for one in (
                unmatched(whole[key], value, (*path, key)) if key in whole else [(*path, key)]
            )
        ]
    if isinstance(wanted, list):
        if not isinstance(whole, list):
            return [path]
        return [
            one
            for at, value in enumerate(wanted)
            for one in (
                unmatched(whole[at], value, (*path, at)) if at < len(whole) else [(*path, at)]
            )
        ]
    return [] if whole == wanted else [path]


def unmatched_at(whole: Any, key: str, wanted: Any) -> list[Path]:
    """The same for what stands at a path; raises WrongPath."""
    found, path = _found(whole, key)
    return unmatched(found, wanted, path)


def merge(whole: Any, change: Any, path: Path = ()) -> None:
    """Put the changes into `whole`; raises WrongPath where their kinds differ."""
    kind = dict if isinstance(whole, dict) else list
    if not isinstance(change, kind):
        raise WrongPath(f"Expected {kind.__name__} for {_written(path)}")
    pairs = change.items() if isinstance(change, dict) else enumerate(change)
    for at, value in pairs:
        if isinstance(whole, list) and at >= len(whole):
            whole.append(value)
        elif isinstance(whole, dict) and at not in whole:
            whole[at] = value
        elif isinstance(whole[at], dict | list):
            merge(whole[at], value, (*path, at))
        else:
            whole[at] = value


def merge_at(whole: Any, key: str, value: Any) -> None:
    """Put a value in at a path; `extend` at its end makes a list longer. Raises WrongPath."""
    start, _, last = key.rpartition("__")
    current, path = _found(whole, start) if start else (whole, ())
    if isinstance(current, dict):
        merge(current, {last: value}, path)
    elif not isinstance(current, list):
        raise WrongPath(f"Expected list or dict for {start}")
    elif last == "extend":
        if not isinstance(value, list):
            raise WrongPath(f"Expected list for {start}")
        current.extend(value)
    else:
        child, (at,) = _found(current, last)
        if isinstance(child, dict | list):
            merge(child, value, (*path, at))
        else:
            current[at] = value


def filtered(whole: Any, patterns: Sequence[str]) -> None:
    """Remove what the patterns name; a plus before one protects from those after it, `*` is all of a level."""
    _filter(whole, [(one.startswith("+"), one.lstrip("-+").split("__")) for one in patterns])


Glob = tuple[bool, list[str]]
"""Whether it protects, and its path."""


def _filter(whole: Any, globs: list[Glob]) -> None:
    if not isinstance(whole, dict | list):
        return
    gone, inside = _named(whole, globs)
    for at, further in inside.items():
        if at not in gone:
            _filter(whole[at], further)
    for at in sorted(gone, reverse=True):
        del whole[at]


def _named(whole: Any, globs: list[Glob]) -> tuple[set[Any], dict[Any, list[Glob]]]:
    """What goes of this level, the first pattern that names it decides; and the patterns for what is inside."""
    kept: set[Any] = set()
    gone: set[Any] = set()
    inside: dict[Any, list[Glob]] = {}
    for keep, (head, *rest) in globs:
        for at in _at(whole, head):
            if rest and head != "*":
                inside.setdefault(at, []).append((keep, rest))
            elif at not in (gone if keep else kept):
                (kept if keep else gone).add(at)
    return gone, inside


def _at(whole: Any, head: str) -> list[Any]:
    """Names or indexes that the beginning of a pattern means."""
    if head == "*":
        return list(whole) if isinstance(whole, dict) else list(range(len(whole)))
    try:
        (at,) = _found(whole, head)[1]
        return [at if isinstance(whole, dict) or at >= 0 else at + len(whole)]
    except WrongPath:
        return []


def _found(whole: Any, key: str) -> tuple[Any, Path]:
    current, path = whole, cast("Path", ())
    for part in key.split("__"):
        at = _step(current, part)
        path = (*path, part if at is None else at)
        if at is None:
            raise WrongPath(f"Unmatched key {_written(path)}")
        current = current[at]
    return current, path


def _step(current: Any, part: str) -> Any:
    """The name or index that a part of a path means; None for nothing."""
    if isinstance(current, dict):
        return part if part in current else None
    if not isinstance(current, list):
        return None
    if len(part) >= LEAST_ID:
        ids = [str(one.get("id", "")) if isinstance(one, dict) else "" for one in current]
        return next((at for at, id_ in enumerate(ids) if id_.startswith(part)), None)
    try:
        at = int(part)
    except ValueError:
        return None
    return at if -len(current) <= at < len(current) else None


def _written(path: Path) -> str:
    return "__".join(map(str, path))
