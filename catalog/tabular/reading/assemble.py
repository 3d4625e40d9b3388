"""Parts become one table: columns aligned by name, types found, rows counted, Parquet written."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import Any
from uuid import uuid4

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import N_, TooLarge, Unreadable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column, columns_of
from catalog.tabular.kept import KeptCells
from catalog.tabular.reading.chunk import Chunk, Kind, Part
from catalog.tabular.reading.convert import Conversion
from catalog.tabular.reading.header import distinct
from catalog.tabular.reading.notes import note, shortened
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.remarks import broken_notes, notations, personal_notes
from catalog.tabular.reading.spool import Spool
from catalog.tabular.reading.table import ReadTable
from catalog.tabular.reading.types import Guess, is_code, is_version
from catalog.tabular.reading.write import write
from catalog.tabular.semantics import LATITUDE, LONGITUDE, datum_in
from catalog.tabular.table_schema import Field

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
        meanings = [
            self._meaning(sources[at], at, column) for at, column in zip(kept, columns, strict=True)
        ]
        batches = (batch.select(kept) for batch in self._spool.batches(len(sources)))
        cells = KeptCells(self._into / f"{self._name}-cells.parquet")
        conversions = [
            Conversion(
                column,
                field,
                self._options.marks(field, column.type),
                kinds=guess.kinds,
                rewritten=guess.rewritten > 0,
            )
            for column, field, guess in zip(columns, meanings, guesses, strict=True)
        ]
        content = write(batches, conversions, file, cells)
        notes = (
            *self._notes,
            *self._note_unnamed([sources[at] for at in kept]),
            *renamed,
            *broken_notes(columns, cells),
            *personal_notes(meanings),
            *notations(columns, guesses),
        )
        return ReadTable(
            key, title, columns, file, self._rows, content, notes,
            kept=cells.file if cells.rows else None,
            kept_rows=cells.rows,
            kept_cells=cells.broken.total(),
            dictionary={field.name: field for field in meanings if field != Field(field.name)},
            primary_key=tuple(name for name in self._options.schema.primary_key if name in names),
        )  # fmt: skip

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
        field = self._options.field(name)
        guess = Guess(name, self._options.marks(field), field.type if field else None)
        guess.rows = self._rows
        return guess

    def _meaning(self, name: str, at: int, column: Column) -> Field:
        """What is declared of the column, and what its values say that they are."""
        field = replace(self._options.field(name) or Field(name), name=column.name)
        semantic = field.semantic or self._guesses[at].likely.found(column.type)
        if not semantic:
            return field
        datum = datum_in(name) if semantic in (LONGITUDE, LATITUDE) else ""
        info = {"crs": datum, **field.info} if datum else field.info
        return replace(field, semantic=semantic, info=info)

    def _guess(self, name: str) -> Guess:
        return self._guesses[self._columns[name]]

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

    def _check_width(self, part: Part, width: int) -> None:
        if width > self._options.limits.columns:
            raise TooLarge(
                "%(file)s has more than %(limit)s columns.",
                file=part.source, limit=self._options.limits.columns,
            )  # fmt: skip

    def _check_cells(self, part: Part, name: str, array: pa.Array, kinds: Kind) -> None:
        limit = self._options.limits.cell
        if kinds & Kind.GEOMETRY or self._guess(name).declared is ColumnType.GEOMETRY:
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
