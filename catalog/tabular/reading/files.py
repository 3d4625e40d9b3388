"""Files, archives and workbooks become tables, one after the other."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from catalog.errors import TooLarge, Unreadable
from catalog.tabular.reading.archive import Unpacking, without_parts
from catalog.tabular.reading.assemble import Assembly
from catalog.tabular.reading.chunk import Part
from catalog.tabular.reading.delimited import delimited
from catalog.tabular.reading.detect import Content, content_of
from catalog.tabular.reading.json_files import json_file
from catalog.tabular.reading.notes import note
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.parquet import parquet
from catalog.tabular.reading.source import Source
from catalog.tabular.reading.spatial import spatial
from catalog.tabular.reading.table import ReadTable
from catalog.tabular.reading.title import stem_of, title_of
from catalog.tabular.reading.workbook import workbook

ONLY = "data"
"""Key of the only table of a resource."""
LONGEST_KEY = 280
TABLES = {
    ".csv", ".tsv", ".tab", ".json", ".jsonl", ".geojson", ".xlsx", ".xls", ".ods", ".shp", ".gpkg", ".parquet",
}  # fmt: skip
"""Where several files become one table, a file of such a name must not be left out."""


def read_files(paths: Sequence[Path], options: ReadOptions, into: Path) -> Iterator[ReadTable]:
    """The tables of these files, written under `into`; Unreadable says what is wrong with a file.

    Tables come as they are read, so an error in a later file follows the tables of earlier ones.
    """
    into.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(dir=into, prefix=".unpacked-") as folder:
        finder = Finder(options, Path(folder))
        paths = without_parts(paths)
        several = len(paths) > 1
        sources = [
            Source(path, path.name, stem_of(path.name) if several else ONLY) for path in paths
        ]
        parts = (part for source in sources for part in finder.parts(source, 0))
        if options.one_table:
            tables = iter([_together(parts, options, into)])
        else:
            tables = _separate(parts, options, into)
        yield from _noted(tables, finder, paths)


class Finder:
    """Finds the parts of a file by its content; `notes` says what was left out since they were last taken."""

    def __init__(self, options: ReadOptions, folder: Path) -> None:
        self._options = options
        self._unpacking = Unpacking(folder, options.limits)
        self.notes: list[dict[str, Any]] = []

    def parts(self, source: Source, depth: int) -> Iterator[Part]:
        """The tables in the file; unpacked files live until the next part is asked for."""
        content = content_of(source, self._options)
        match content:
            case Content.GZIP:
                yield from self._unpacked(source, depth)
            case Content.ZIP:
                yield from self._members(source, depth)
            case Content.WORKBOOK:
                yield from self._below(source, workbook(source, self._options, self.notes))
            case Content.SPATIAL:
                yield from self._below(source, spatial(source, self._options))
            case Content.PARQUET:
                yield parquet(source)
            case Content.JSON:
                yield json_file(source, self._options)
            case Content.DELIMITED:
                yield delimited(source, self._options)

    def _unpacked(self, source: Source, depth: int) -> Iterator[Part]:
        self._check_depth(source, depth)
        inner = self._unpacking.gunzip(source)
        yield from self.parts(inner, depth + 1)
        inner.remove()

    def _members(self, source: Source, depth: int) -> Iterator[Part]:
        self._check_depth(source, depth)
        found, last = 0, None
        for inner in self._unpacking.unzip(source):
            try:
                for part in self.parts(inner, depth + 1):
                    found += 1
                    yield part
            except Unreadable as error:
                if self._options.one_table and inner.suffix in TABLES:
                    raise
                last = error
                problem = note(error.message, **error.context)
                self.notes.append(note("Left out: %(problem)s", problem=problem))
            inner.remove()
        if not found and last:
            raise last

    @staticmethod
    def _below(source: Source, parts: Iterator[Part]) -> Iterator[Part]:
        """Sheets or layers, under the name of their file where it is one of several."""
        for part in parts:
            if source.key not in (ONLY, part.key):
                part.key = f"{source.key}/{part.key}"
            yield part

    def _check_depth(self, source: Source, depth: int) -> None:
        if depth >= self._options.limits.nesting:
            raise TooLarge(
                "%(file)s: archives are nested more than %(limit)s deep.",
                file=source.name, limit=self._options.limits.nesting,
            )  # fmt: skip


def _together(parts: Iterator[Part], options: ReadOptions, into: Path) -> ReadTable:
    with Assembly(options, into) as assembly:
        for part in parts:
            assembly.add(part)
        return assembly.finish(ONLY, {})


def _separate(parts: Iterator[Part], options: ReadOptions, into: Path) -> Iterator[ReadTable]:
    taken: set[str] = set()
    for part in parts:
        with Assembly(options, into) as assembly:
            assembly.add(part)
            if not assembly.width:
                raise Unreadable("%(file)s holds no rows.", file=part.source)
            yield assembly.finish(_key(part.key, taken), part.title or _title(part.key))


def _key(wanted: str, taken: set[str]) -> str:
    key, number = wanted[:LONGEST_KEY], 1
    while key in taken:
        number += 1
        key = f"{wanted[:LONGEST_KEY]} ({number})"
    taken.add(key)
    return key


def _title(key: str) -> dict[str, str]:
    return {} if key == ONLY else title_of(stem_of(key))


def _noted(
    tables: Iterator[ReadTable], finder: Finder, paths: Sequence[Path]
) -> Iterator[ReadTable]:
    """The tables; what was left out before or behind one is noted at it."""
    last: ReadTable | None = None
    for table in tables:
        if last:
            yield last
        last = _with_notes(table, finder)
    if last is None or not last.columns:
        raise Unreadable(
            "%(file)s holds no table.", file=", ".join(path.name for path in paths[:3])
        )
    yield _with_notes(last, finder)


def _with_notes(table: ReadTable, finder: Finder) -> ReadTable:
    notes = tuple(finder.notes)
    finder.notes.clear()
    return replace(table, notes=(*table.notes, *notes)) if notes else table
