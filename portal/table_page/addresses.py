"""Addresses of a table's page that keep what the reader has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from flask import url_for

from catalog.schemas.grid import MOST_COLUMNS, USUAL_SIZE, Grid

Pairs = list[tuple[str, str]]


@dataclass(frozen=True)
class Addresses:
    """Links from one state of the page to its neighbours."""

    path: str
    grid: Grid

    @classmethod
    def of(cls, table_id: str, grid: Grid) -> Addresses:
        """The addresses of a table's page."""
        return cls(url_for("tables.show", table_id=table_id), grid)

    def view(self, name: str) -> str:
        """Another view, with all that is chosen in this one."""
        return self._at(replace(self.grid, view=name))

    def day(self, day: str) -> str:
        """The map at another day."""
        return self._at(replace(self.grid, day=day))

    def row(self, number: int) -> str:
        """The page that holds a row, with the row's place on it."""
        return f"{self._at(replace(self.grid, row=number, page=1))}#row-{number}"

    def page(self, number: int) -> str:
        """Another page."""
        return self._at(self.grid.on_page(number))

    def sort(self, column: str) -> str:
        """Sorted by a column: first upwards, then downwards, then as published."""
        now = self.grid
        if now.sort != column:
            return self._at(replace(now, sort=column, descending=False, page=1, row=0))
        if not now.descending:
            return self._at(replace(now, descending=True, page=1, row=0))
        return self._at(replace(now, sort="", descending=False, page=1, row=0))

    def without(self, position: int) -> str:
        """One filter less."""
        left = tuple(f for at, f in enumerate(self.grid.filters) if at != position)
        return self._at(replace(self.grid, filters=left, page=1, row=0))

    def all_rows(self) -> str:
        """No filters."""
        return self._at(replace(self.grid, filters=(), page=1, row=0))

    def columns_from(self, first: int) -> str:
        """The columns before or after those that are shown."""
        return self._at(replace(self.grid, first_column=max(0, first)))

    def kept(self, *without: str) -> Pairs:
        """What a form must carry along: all but the parameters that it sets itself."""
        return [(name, value) for name, value in pairs_of(self.grid) if name not in without]

    def part(self, name: str, extra: Sequence[tuple[str, str]] = ()) -> str:
        """The address of a file of the page, such as `chart.svg`, for the same rows."""
        query = urlencode([*extra, *filter_pairs(self.grid)])
        return f"{self.path}/{name}?{query}" if query else f"{self.path}/{name}"

    def _at(self, grid: Grid) -> str:
        query = urlencode(pairs_of(grid))
        return f"{self.path}?{query}" if query else self.path


def filter_pairs(grid: Grid) -> Pairs:
    """The filters as parameters, in threes."""
    return [
        pair
        for f in grid.filters
        for pair in (("column", f.column), ("op", f.comparison.value), ("value", f.value))
    ]


def pairs_of(grid: Grid) -> Pairs:
    """All parameters; what is usual is left out, so that addresses stay short."""
    pairs: Pairs = [] if grid.view == "rows" else [("view", grid.view)]
    pairs += filter_pairs(grid)
    if grid.sort:
        pairs += [("sort", grid.sort), *([("desc", "1")] if grid.descending else [])]
    if grid.size != USUAL_SIZE:
        pairs.append(("size", str(grid.size)))
    if grid.first_column:
        pairs.append(("first", str(grid.first_column // MOST_COLUMNS * MOST_COLUMNS)))
    if grid.page > 1 and not grid.row:
        pairs.append(("page", str(grid.page)))
    if grid.row:
        pairs.append(("row", str(grid.row)))
    if grid.day:
        pairs.append(("day", grid.day))
    return pairs
