"""One page of rows of a table, with its headings and neighbours."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import g
from markupsafe import Markup

from catalog.schemas.grid import MOST_COLUMNS, SIZES
from catalog.services import tables
from catalog.tabular.where_text import order_text, where_text
from portal.table_page.cells import body
from portal.table_page.headings import heading_cells

if TYPE_CHECKING:
    from portal.table_page.page import Heading, TablePage


class RowsView:
    """One page of rows with its neighbours."""

    sizes = SIZES

    def __init__(self, page: TablePage) -> None:
        self.page = page
        grid, where = page.grid, page.conditions.where
        query = grid.query(page.columns, where)
        found = tables.rows(g.identity, page.table.id, query, total=True, as_of=page.as_of)
        self.total = found.total or 0
        if found.data.num_rows == 0 and self.total and grid.offset >= self.total:
            grid = grid.on_page(self.last)
            query = grid.query(page.columns, where)
            found = tables.rows(g.identity, page.table.id, query, as_of=page.as_of)
        self.offset = grid.offset
        self.grid = grid
        self.found = found

    @property
    def last(self) -> int:
        """Number of the last page."""
        return max(1, -(-self.total // self.page.grid.size))

    @property
    def number(self) -> int:
        """Number of this page."""
        return self.offset // self.page.grid.size + 1

    @property
    def first_row(self) -> int:
        """Number of the first row, from 1."""
        return self.offset + 1 if self.found.data.num_rows else 0

    @property
    def last_row(self) -> int:
        """Number of the last row."""
        return self.offset + int(self.found.data.num_rows)

    @property
    def marked(self) -> int:
        """Number of the row that was asked for, when it is here."""
        row = self.page.grid.row
        return row if self.first_row <= row <= self.last_row else 0

    @cached_property
    def headings(self) -> list[Heading]:
        """The columns that are shown."""
        shown = {column.name for column in self.found.columns}
        return [heading for heading in self.page.headings if heading.name in shown]

    @property
    def columns_before(self) -> str:
        """The address of the columns before these, if there are any."""
        first = self.page.grid.first_column
        return self.page.at.columns_from(first - MOST_COLUMNS) if first else ""

    @property
    def columns_after(self) -> str:
        """The address of the columns after these, if there are any."""
        after = self.page.grid.first_column + MOST_COLUMNS
        left = len(self.page.grid.columns_left(self.page.columns))
        return self.page.at.columns_from(after) if after < left else ""

    @property
    def heading_cells(self) -> Markup:
        """The headings as HTML."""
        return heading_cells(self, self.headings)

    @property
    def body(self) -> Markup:
        """The rows as HTML."""
        return body(
            self.found.data,
            ["string" if column.masked else str(column.type) for column in self.found.columns],
            offset=self.offset,
            marked=self.page.grid.row,
            whole=self._whole,
        )

    @property
    def _whole(self) -> str:
        """The address of one row with all of its texts, in the same order and under the same filters."""
        where, order = self.page.conditions.where, self.page.grid.order_by(self.page.columns)
        asked = {
            "where": where_text(where) if where else "",
            "order_by": order_text(order),
            "limit": "1",
            "as_of": self.page.grid.as_of,
        }
        query = urlencode({name: value for name, value in asked.items() if value})
        return f"/api/v1/tables/{self.page.table.id}/rows?offset=OFFSET&{query}"

    @cached_property
    def _places(self) -> dict[str, tuple[int, bool]]:
        """Column → place in the order, and whether it falls."""
        orders = self.page.grid.order_by(self.page.columns)
        return {order.column: (at, order.descending) for at, order in enumerate(orders)}

    def sorted(self, name: str) -> tuple[int, bool] | None:
        """Which key of the order a column is, from 0, and whether it falls."""
        return self._places.get(name)

    @property
    def keys(self) -> int:
        """Number of columns that the rows are sorted by."""
        return len(self._places)
