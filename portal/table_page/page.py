"""What the templates of a table's page read."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import g, url_for

from catalog.errors import BadQuery, CatalogError
from catalog.schemas.grid import MOST_COLUMNS, SIZES, Conditions, Grid, conditions
from catalog.services import charts, maps, tables
from catalog.tabular.filters import SUITED, WITHOUT_VALUE
from portal.filters import sentence, text
from portal.table_page.addresses import Addresses
from portal.table_page.cells import body
from portal.table_page.words import COMPARISON_SIGNS, COMPARISONS, TYPES, VIEWS

if TYPE_CHECKING:
    from markupsafe import Markup

    from catalog.models.table import DataTable
    from catalog.tabular.column import Column


MOST_DIGITS = 12


@dataclass(frozen=True)
class Heading:
    """A column as people see it."""

    name: str
    label: str
    type: str
    unit: str

    @property
    def number(self) -> bool:
        """Whether it stands to the right."""
        return self.type in ("integer", "number")

    @property
    def type_words(self) -> str:
        """The type in words."""
        return str(TYPES[self.type])

    @property
    def suited(self) -> str:
        """Comparisons that suit the type, for the script of the filter form."""
        return " ".join(SUITED[self.type])  # type: ignore[index] # types are compared as text


class TablePage:
    """One table and what the reader has chosen of it."""

    def __init__(self, table: DataTable, grid: Grid) -> None:
        self.table = table
        self.grid = grid
        self.at = Addresses.of(table.id, grid)

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Published name → column."""
        return charts.columns_by_name(self.table)

    @cached_property
    def headings(self) -> list[Heading]:
        """All columns, in order."""
        return [
            Heading(c.name, text(c.label), str(c.type), c.unit or "") for c in self.table.columns
        ]

    @cached_property
    def conditions(self) -> Conditions:
        """The filters, read."""
        return conditions(self.grid.filters, self.columns)

    @property
    def title(self) -> str:
        """The table's own title, else its resource's, else its dataset's."""
        resource = self.table.resource
        return text(self.table.title) or text(resource.title) or text(resource.dataset.title)

    @property
    def dataset(self) -> Any:
        """The dataset that the table belongs to."""
        return self.table.resource.dataset

    @property
    def dataset_address(self) -> str:
        """The dataset's page."""
        return url_for("datasets.show", slug=self.dataset.slug)

    @property
    def loaded(self) -> bool:
        """Whether there are rows to show."""
        return self.table.release > 0

    @cached_property
    def planned(self) -> bool:
        """Whether there is a map of values by day."""
        return maps.plan_of(self.table) is not None

    def row_to_go_to(self, asked: str) -> int:
        """The number of a row that a reader typed, at most that of the last one; 0 for what is none."""
        digits = asked.strip().replace(",", "").replace(" ", "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS:
            return 0
        where = self.conditions.where
        total = tables.count(g.identity, self.table.id, where) if where else self.table.rows
        return min(int(digits), total)

    @property
    def views(self) -> list[tuple[str, str, str]]:
        """Names, words and addresses of the views that this table has."""
        has_map = self.planned or maps.has_outlines(self.table)
        return [
            (name, str(words), self.at.view(name))
            for name, words in VIEWS.items()
            if name != "map" or has_map
        ]

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """The filters in words, with the address without each of them, and what is wrong with it."""
        wrong = dict(self.conditions.refused)
        return [
            (
                self._in_words(given),
                self.at.without(at),
                in_words(wrong[given]) if given in wrong else "",
            )
            for at, given in enumerate(self.grid.filters)
        ]

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """What is wrong with filters and with the order, as sentences; each with the field that mends it."""
        found = [("filter-value", in_words(error)) for _, error in self.conditions.refused]
        return [*found, *([("sort-column", self.sort_problem)] if self.sort_problem else [])]

    @property
    def sort_problem(self) -> str:
        """Why the rows are not sorted as asked for."""
        if not self.grid.sort or self.grid.sort in self.columns:
            return ""
        unknown = BadQuery("there is no column “%(column)s” to sort by", column=self.grid.sort)
        return in_words(unknown)

    def _in_words(self, given: Any) -> str:
        label = next((h.label for h in self.headings if h.name == given.column), "") or given.column
        sign = COMPARISON_SIGNS.get(given.comparison) or str(COMPARISONS[given.comparison])
        value = "" if given.comparison in WITHOUT_VALUE else f" {given.value}"
        return f"{label} {sign}{value}"


def in_words(error: CatalogError) -> str:
    """What went wrong, as a sentence."""
    return sentence({"message": error.message, "context": error.context})


class RowsView:
    """One page of rows with its neighbours."""

    sizes = SIZES

    def __init__(self, page: TablePage) -> None:
        self.page = page
        grid, where = page.grid, page.conditions.where
        found = tables.rows(g.identity, page.table.id, grid.query(page.columns, where), total=True)
        self.total = found.total or 0
        if found.data.num_rows == 0 and self.total and grid.offset >= self.total:
            grid = grid.on_page(self.last)
            found = tables.rows(g.identity, page.table.id, grid.query(page.columns, where))
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

    @property
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
        return self.page.at.columns_from(after) if after < len(self.page.columns) else ""

    @property
    def body(self) -> Markup:
        """The rows as HTML."""
        return body(
            self.found.data,
            [str(column.type) for column in self.found.columns],
            offset=self.offset,
            marked=self.page.grid.row,
            whole=f"/api/v1/tables/{self.page.table.id}/rows?offset=OFFSET&limit=1",
        )

    def sorted(self, name: str) -> str:
        """The value of `aria-sort` for a column."""
        if self.page.grid.sort != name:
            return "none"
        return "descending" if self.page.grid.descending else "ascending"
