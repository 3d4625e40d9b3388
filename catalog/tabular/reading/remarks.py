"""What a table's columns call for saying when it is read: broken cells, personal data, other notations."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

from catalog.errors import N_
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.kept import KeptCells
from catalog.tabular.reading.notes import note
from catalog.tabular.reading.types import Guess
from catalog.tabular.reasons import SENTENCES
from catalog.tabular.semantics import IDENTITY, PHONE
from catalog.tabular.table_schema import Field

PERSONAL = {
    IDENTITY: N_(
        "The column %(column)s holds resident identity numbers, which are personal data: mask or hide it unless "
        "they may be published."
    ),
    PHONE: N_(
        "The column %(column)s holds telephone numbers: mask or hide it if they are those of persons."
    ),
}


def broken_notes(columns: Sequence[Column], cells: KeptCells) -> Iterator[dict[str, Any]]:
    """A note for each column with cells that break what is declared, or what nearly all others are."""
    for column in columns:
        example = cells.examples.get(column.stored)
        if example:
            yield note(
                "The column %(column)s: %(count)s cells are listed as they were, the first in row %(row)s: "
                "%(value)s %(problem)s.",
                column=column.name,
                count=cells.broken[column.stored],
                row=example.row + 1,
                value=f"“{example.value}”",
                problem=note(SENTENCES[example.reason]),
            )


def personal_notes(fields: Sequence[Field]) -> Iterator[dict[str, Any]]:
    """A note for each column of personal data."""
    for field in fields:
        if field.semantic in PERSONAL:
            yield note(PERSONAL[field.semantic], column=field.name)


def notations(columns: Sequence[Column], guesses: Sequence[Guess]) -> Iterator[dict[str, Any]]:
    """What happened to numbers that were written otherwise than they come back."""
    rewritten = [
        (column, guess)
        for column, guess in zip(columns, guesses, strict=True)
        if column.type is ColumnType.NUMBER and guess.rewritten
    ]
    if rewritten:
        first, guess = rewritten[0]
        yield note(
            "%(count)s values were written with other zeros (for example %(value)s in the column "
            "%(column)s); the number is the same.",
            count=sum(guess.rewritten for _, guess in rewritten),
            value=guess.example,
            column=first.name,
        )
    for column, guess in zip(columns, guesses, strict=True):
        if column.type is ColumnType.STRING and guess.power:
            yield note(
                "The column %(column)s stays text: %(value)s may be a code or a number. Declare its type "
                "if it holds numbers.",
                column=column.name,
                value=guess.power,
            )
