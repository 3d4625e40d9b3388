"""Names of columns: never empty, never twice."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from catalog.tabular.reading.cells import unicode
from catalog.tabular.reading.notes import note

LONGEST = 500


def names_of(cells: Sequence[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """The published names of these header cells, and notes about what was changed."""
    names = []
    for at, cell in enumerate(cells, 1):
        name = " ".join(cell.replace("\ufeff", "").split())
        names.append(name or f"column_{at}")
    return distinct(names)


def distinct(names: Sequence[str]) -> tuple[list[str], list[dict[str, Any]]]:
    """The names with a number after those that were there already."""
    taken = set(names)
    seen: set[str] = set()
    found: list[str] = []
    notes: list[dict[str, Any]] = []
    again: list[str] = []
    for name in map(unicode, names):
        chosen, number = name[:LONGEST], 1
        while chosen in seen or (chosen != name and chosen in taken):
            number += 1
            chosen = f"{name[: LONGEST - 10]}_{number}"
        if number > 1:
            again.append(chosen)
        elif chosen != name:
            notes.append(
                note("The name of a column was cut after %(limit)s characters.", limit=LONGEST)
            )
        seen.add(chosen)
        found.append(chosen)
    if again:
        notes.append(
            note("Names that were there already got a number: %(names)s", names=", ".join(again))
        )
    return found, notes
