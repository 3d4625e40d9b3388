"""Addresses of a table's page that keep what the reader has chosen."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any
from urllib.parse import quote_plus, urlencode

from flask import url_for

from catalog.schemas.grid import MOST_COLUMNS, USUAL_SIZE, Grid
from catalog.tabular.filters import Comparison, Filter
from catalog.tabular.query import Order

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
        return self._at(replace(self.grid, view=name, panel="", on=""))

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
        """Sorted by a column alone: first upwards, then downwards, then as published."""
        order = next((o for o in self.grid.orders[:1] if o.column == column), None)
        if order is None:
            return self.sorted(Order(column))
        return self.sorted() if order.descending else self.sorted(Order(column, descending=True))

    def then(self, order: Order) -> str:
        """Sorted by what it is sorted by now, and by one column more, or by that one the other way."""
        others = tuple(o for o in self.grid.orders if o.column != order.column)
        return self.sorted(*others, order)

    def sorted(self, *orders: Order) -> str:
        """Sorted by these, or as published."""
        return self._fresh(orders=orders)

    def without(self, position: int) -> str:
        """One filter less."""
        left = tuple(f for at, f in enumerate(self.grid.filters) if at != position)
        return self._fresh(filters=left)

    def without_words(self) -> str:
        """The same filters without the search."""
        return self._fresh(words="")

    def all_rows(self) -> str:
        """No filters, no search."""
        return self._fresh(filters=(), words="")

    def filtered(self, *filters: Filter, view: str = "rows") -> str:
        """The filters of these columns replaced by these, in the view of rows."""
        columns = {f.column for f in filters}
        others = tuple(f for f in self.grid.filters if f.column not in columns)
        return self._fresh(filters=(*others, *filters), view=view)

    def value(self, column: str, value: str) -> str:
        """The rows that have this value in a column."""
        return self.filtered(Filter(column, Comparison.IS, value))

    def empty(self, column: str) -> str:
        """The rows that have no value in a column."""
        return self.filtered(Filter(column, Comparison.EMPTY))

    def chart(self, column: str, kind: str) -> str:
        """A chart of one column."""
        return self.part("", [("view", "chart"), ("kind", kind), ("x", column)])

    def panel(self, name: str, on: str = "") -> str:
        """With a panel open above the rows; without a name they are closed."""
        return self._at(replace(self.grid, panel=name, on=on))

    @cached_property
    def _column_panel(self) -> str:
        return self._at(replace(self.grid, panel="column", on="", view="rows"))

    def column(self, name: str) -> str:
        """With what can be done with a column open above the rows; cheap, for each heading has one."""
        return f"{self._column_panel}&on={quote_plus(name)}#panel"

    def hide(self, column: str) -> str:
        """Without a column."""
        return self._at(replace(self.grid, hidden=(*self.grid.hidden, column), panel="", on=""))

    def box(self, box: str) -> str:
        """Another part of the map."""
        return self._at(replace(self.grid, box=box))

    def show_all(self) -> str:
        """With all columns."""
        return self._at(replace(self.grid, hidden=(), panel="", on=""))

    def newest(self) -> str:
        """The same of the newest release."""
        return self._at(replace(self.grid, as_of=""))

    def columns_from(self, first: int) -> str:
        """The columns before or after those that are shown."""
        return self._at(replace(self.grid, first_column=max(0, first)))

    def kept(self, *without: str) -> Pairs:
        """What a form must carry along: all but the parameters that it sets itself."""
        return [(name, value) for name, value in pairs_of(self.grid) if name not in without]

    def part(self, name: str, extra: Sequence[tuple[str, str]] = ()) -> str:
        """The address of a file of the page, such as `chart.svg`, or of the page, for the same rows."""
        query = urlencode([*extra, *narrowing_pairs(self.grid)])
        path = f"{self.path}/{name}" if name else self.path
        return f"{path}?{query}" if query else path

    def _fresh(self, **changes: Any) -> str:
        """Other rows: what is open is closed, and the page is the first again."""
        return self._at(replace(self.grid, page=1, row=0, panel="", on="", **changes))

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


def narrowing_pairs(grid: Grid) -> Pairs:
    """What chooses the rows: the release, the search and the filters."""
    alone = {"as_of": grid.as_of, "q": grid.words}
    return [*((name, text) for name, text in alone.items() if text), *filter_pairs(grid)]


def order_pairs(grid: Grid) -> Pairs:
    """The order; `sort` and `desc` pair up by their places, so one that rises says so before one that falls."""
    last = max((at for at, order in enumerate(grid.orders) if order.descending), default=-1)
    return [
        pair
        for at, order in enumerate(grid.orders)
        for pair in (
            ("sort", order.column),
            *([("desc", "1" if order.descending else "0")] if at <= last else []),
        )
    ]


def pairs_of(grid: Grid) -> Pairs:
    """All parameters; what is usual is left out, so that addresses stay short."""
    pairs: Pairs = [] if grid.view == "rows" else [("view", grid.view)]
    pairs += [*narrowing_pairs(grid), *order_pairs(grid)]
    pairs += [("hide", name) for name in grid.hidden]
    if grid.size != USUAL_SIZE:
        pairs.append(("size", str(grid.size)))
    if grid.first_column:
        pairs.append(("first", str(grid.first_column // MOST_COLUMNS * MOST_COLUMNS)))
    if grid.page > 1 and not grid.row:
        pairs.append(("page", str(grid.page)))
    if grid.row:
        pairs.append(("row", str(grid.row)))
    texts = {"day": grid.day, "box": grid.box, "panel": grid.panel, "on": grid.on}
    return [*pairs, *((name, text) for name, text in texts.items() if text)]
