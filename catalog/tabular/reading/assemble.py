"""Parts become one table: columns aligned by name, types found, rows counted, Parquet written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import N_, TooLarge, Unreadable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column, columns_of
from catalog.tabular.reading.chunk import Chunk, Kind, Part
from catalog.tabular.reading.header import distinct
from catalog.tabular.reading.notes import note, shortened
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.spool import Spool
from catalog.tabular.reading.table import ReadTable
from catalog.tabular.reading.types import Guess, is_code, is_version
from catalog.tabular.reading.write import write

GEOMETRY_FACTOR = 32


class Assembly:
    """Takes parts one after the other, then gives the table; use it as a context manager."""

    def __init__(self, options: ReadOptions, into: Path) -> None:
        into.mkdir(parents=True, exist_ok=True)
        self._options, self._into = options, into
        self._name = uuid4().hex
        self._spool = Spool(into, self._name)
        self._columns: dict[str, int] = {}
        self._guesses: list[Guess] = []
        self._rows = 0
        self._first: tuple[str, frozenset[str]] | None = None
        self._notes: list[dict[str, Any]] = []
        self._unnamed: set[str] = set()

    def __enter__(self) -> Assembly:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._spool.__exit__(kind, error, trace)

    def add(self, part: Part) -> None:
        """All rows of a part; a second part must have the columns of the first."""
        seen: dict[str, None] = {}
        for chunk in part.chunks:
            seen.update(dict.fromkeys(chunk.names))
            self._check_width(part, len(seen))
            if self._first and not seen.keys() <= self._first[1]:
                self._refuse(part, frozenset(seen))
            self._take(part, chunk)
        if seen:
            if self._first is None:
                self._first = (part.source, frozenset(seen))
            elif seen.keys() != self._first[1]:
                self._refuse(part, frozenset(seen))
        self._notes += part.notes
        self._unnamed |= part.unnamed

    def finish(self, key: str, title: Mapping[str, str]) -> ReadTable:
        """The table of all parts."""
        kept = [at for name, at in self._columns.items() if self._is_kept(name, at)]
        sources = [*self._columns]
        names, renamed = distinct([self._published(sources[at]) for at in kept])
        types = [self._type(sources[at], at) for at in kept]
        columns = columns_of(names, types)
        file = self._into / f"{self._name}.parquet"
        guesses = [self._guesses[at] for at in kept]
        batches = (batch.select(kept) for batch in self._spool.batches(len(sources)))
        content = write(batches, columns, [guess.missing for guess in guesses], file)
        broken = [self._broken(name, guess) for name, guess in zip(names, guesses, strict=True)]
        notes = (
            *self._notes,
            *self._note_unnamed([sources[at] for at in kept]),
            *renamed,
            *(item for item in broken if item),
            *_notations(columns, guesses),
        )
        return ReadTable(key, title, columns, file, self._rows, content, notes)

    @property
    def width(self) -> int:
        """How many columns were seen."""
        return len(self._columns)

    def _take(self, part: Part, chunk: Chunk) -> None:
        for name in chunk.names:
            if name not in self._columns:
                self._columns[name] = len(self._columns)
                self._guesses.append(self._new_guess(name))
        if not chunk.rows:
            return
        nothing = (pa.nulls(chunk.rows, pa.string()), Kind.NONE)
        found = dict(zip(chunk.names, zip(chunk.arrays, chunk.kinds, strict=True), strict=True))
        arrays = []
        for name, guess in zip(self._columns, self._guesses, strict=True):
            array, kinds = found.get(name, nothing)
            self._check_cells(part, name, array, kinds)
            guess.feed(array, kinds)
            arrays.append(array)
        self._spool.add(arrays)
        self._rows += chunk.rows

    def _new_guess(self, name: str) -> Guess:
        guess = Guess(self._options.missing, self._declared(name))
        guess.rows = self._rows
        return guess

    def _declared(self, name: str) -> ColumnType | None:
        types = self._options.types
        return types.get(self._published(name)) or types.get(name)

    def _published(self, name: str) -> str:
        return self._options.names.get(name, name)

    def _is_kept(self, name: str, at: int) -> bool:
        """A column without a name and without any value is nothing."""
        return name not in self._unnamed or self._guesses[at].valued

    def _type(self, name: str, at: int) -> ColumnType:
        names = (name, self._published(name))
        code, version = any(map(is_code, names)), any(map(is_version, names))
        return self._guesses[at].type(code=code, version=version)

    def _note_unnamed(self, names: list[str]) -> list[dict[str, Any]]:
        count = len(self._unnamed.intersection(names))
        message = N_("Columns without a name, called column_… after their place: %(count)s.")
        return [note(message, count=count)] if count else []

    def _broken(self, name: str, guess: Guess) -> dict[str, Any] | None:
        if guess.broken is None or guess.declared is None:
            return None
        row, value = guess.broken
        return note(
            "The column %(column)s stays text: its value %(value)s in row %(row)s is not of the type %(type)s.",
            column=name, value=value, row=row, type=guess.declared.value,
        )  # fmt: skip

    def _check_width(self, part: Part, width: int) -> None:
        if width > self._options.limits.columns:
            raise TooLarge(
                "%(file)s has more than %(limit)s columns.",
                file=part.source, limit=self._options.limits.columns,
            )  # fmt: skip

    def _check_cells(self, part: Part, name: str, array: pa.Array, kinds: Kind) -> None:
        limit = self._options.limits.cell
        if kinds & Kind.GEOMETRY or self._declared(name) is ColumnType.GEOMETRY:
            limit *= GEOMETRY_FACTOR
        sizes = pc.binary_length(array)
        if (pc.max(sizes).as_py() or 0) > limit:
            at = pc.index(pc.greater(sizes, limit), pa.scalar(True)).as_py()  # noqa: FBT003 # a value to look for
            raise TooLarge(
                "%(file)s: the value in row %(row)s, column %(column)s is larger than %(limit)s bytes.",
                file=part.source, row=self._rows + at + 1, column=shortened(name), limit=limit,
            )  # fmt: skip

    def _refuse(self, part: Part, found: frozenset[str]) -> None:
        first, wanted = self._first or ("", frozenset())
        raise Unreadable(
            "%(file)s has other columns than %(first)s (missing: %(missing)s; only here: %(extra)s).",
            file=part.source,
            first=first,
            missing=shortened(", ".join(sorted(wanted - found)) or "–"),
            extra=shortened(", ".join(sorted(found - wanted)) or "–"),
        )


def _notations(columns: Sequence[Column], guesses: Sequence[Guess]) -> Iterator[dict[str, Any]]:
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
