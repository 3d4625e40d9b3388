"""What the templates of a table's page read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any
from urllib.parse import urlencode

from flask import g, url_for
from flask_babel import gettext
from markupsafe import Markup, escape

from catalog.errors import BadQuery, CatalogError
from catalog.schemas.grid import (
    ALTERNATIVES,
    MOST_COLUMNS,
    MOST_ORDERS,
    SIZES,
    Conditions,
    Grid,
    conditions,
)
from catalog.services import charts, maps, points, tables
from catalog.tabular.filters import SUITED, WITHOUT_VALUE
from catalog.tabular.values import usable
from catalog.tabular.where_text import order_text, where_text
from portal.filters import sentence, text
from portal.table_page.addresses import Addresses
from portal.table_page.cells import body
from portal.table_page.headings import heading_cells
from portal.table_page.names import with_part
from portal.table_page.words import COMPARISON_SIGNS, COMPARISONS, TYPES, VIEWS

if TYPE_CHECKING:
    from catalog.models.table import DataTable
    from catalog.tabular.column import Column
    from catalog.tabular.filters import Filter


MOST_DIGITS = 12


@dataclass(frozen=True)
class Heading:
    """A column as people see it."""

    name: str
    label: str
    type: str
    unit: str
    masked: bool = False
    """Whether the reader sees masked values, which can be neither filtered nor sorted."""

    @property
    def called(self) -> str:
        """The label, else the name."""
        return self.label or self.name

    @property
    def sortable(self) -> bool:
        """Whether rows can be put in the order of its values."""
        return not self.masked and self.type != "geojson"

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
        self.grid = self._settled(grid)
        self.at = Addresses.of(table.id, self.grid)

    def _settled(self, grid: Grid) -> Grid:
        """The columns that a form has chosen become those that it has put away."""
        known = [column.name for column in self.table.columns]
        kept = set(grid.shown) & set(known)
        hidden = grid.hidden
        if kept:
            hidden = tuple(name for name in known if name not in kept)
        hidden = tuple(name for name in hidden if name in known)
        hidden = () if len(hidden) >= len(known) else hidden
        return replace(grid, hidden=hidden, shown=())

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Published name → column."""
        return charts.columns_by_name(self.table)

    @property
    def notes(self) -> list[Any]:
        """What the reader of the source did or saw, but nothing of columns that are withheld."""
        if not self.table.narrowed:
            return list(self.table.notes)
        shown = {column.name for column in self.columns.values() if not column.masked}
        return [
            note
            for note in self.table.notes
            if "names" not in note["context"] and note["context"].get("column") in {None, *shown}
        ]

    @cached_property
    def headings(self) -> list[Heading]:
        """All columns, in order."""
        columns = self.columns
        return [
            Heading(c.name, text(c.label), str(c.type), c.unit or "", columns[c.name].masked)
            for c in self.table.columns
            if c.name in columns
        ]

    def heading(self, name: str) -> Heading | None:
        """The column of this name."""
        return next((heading for heading in self.headings if heading.name == name), None)

    def label(self, name: str) -> str:
        """A column's label with its unit, else its name."""
        heading = self.heading(name)
        if heading is None:
            return name
        return f"{heading.called} ({heading.unit})" if heading.unit else heading.called

    @cached_property
    def conditions(self) -> Conditions:
        """The filters and the search, read."""
        return conditions(self.grid.filters, self.columns, self.grid.words)

    @cached_property
    def filtered_columns(self) -> frozenset[str]:
        """Columns that have a filter."""
        return frozenset(given.column for given in self.grid.filters)

    @cached_property
    def _options(self) -> dict[str, str]:
        return {
            heading.name: f'<option value="{escape(heading.name)}">{escape(heading.called)}</option>'
            for heading in self.headings
            if heading.sortable
        }

    def options(self, selected: str = "") -> Markup:
        """The columns that can be sorted or grouped by, as choices of a form; made once a page."""
        chosen = self._options.get(selected, "")
        found = "".join(self._options.values())
        if chosen:
            found = found.replace(chosen, chosen.replace("<option ", "<option selected ", 1), 1)
        return Markup(found)  # noqa: S704 # names and labels are escaped

    @property
    def sort_rows(self) -> list[tuple[str, bool]]:
        """Columns and directions of the form for the order: those that are set, and one more, at least two."""
        now = [(order.column, order.descending) for order in self.grid.orders]
        missing = max(1 if len(now) < MOST_ORDERS else 0, 2 - len(now))
        return [*now, *[("", False)] * missing]

    @cached_property
    def title(self) -> str:
        """The table's own title, else its resource's or dataset's; with its part where others are called so."""
        resource = self.table.resource
        title = text(self.table.title) or text(resource.title) or text(resource.dataset.title)
        return with_part(title, self.table.key) if tables.has_namesakes(self.table) else title

    @property
    def breadcrumbs(self) -> list[tuple[str, str]]:
        """Where the table belongs: the dataset, and the file where that has a title of its own."""
        found = [(text(self.dataset.title), self.dataset_address)]
        resource = self.table.resource
        file = text(resource.title)
        if file and file not in (found[0][0], self.title):
            found.append((file, f"{self.dataset_address}#resource-{resource.id}"))
        return found

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

    @cached_property
    def views(self) -> list[tuple[str, str, str]]:
        """Names, words and addresses of the views that this table has."""
        return [
            (name, str(words), self.at.view(name))
            for name, words in VIEWS.items()
            if name != "map" or self.has_map
        ]

    @cached_property
    def has_map(self) -> bool:
        """Whether there are areas or points to draw."""
        return self.planned or self.has_outlines or self.has_places

    @property
    def has_outlines(self) -> bool:
        """Whether a column of shapes may be drawn."""
        return any(heading.type == "geojson" and not heading.masked for heading in self.headings)

    @property
    def has_places(self) -> bool:
        """Whether two columns say where the rows lie."""
        return points.places_of(self.table, self.columns) is not None

    def chart_address(self, pairs: Sequence[tuple[str, str]]) -> str:
        """The page of a chart."""
        return self.at.part("", [("view", "chart"), *pairs])

    @property
    def chips(self) -> list[tuple[str, str, str]]:
        """The filters in words, with the address without each of them, and what is wrong with it."""
        wrong = dict(self.conditions.refused)
        words = self.grid.words
        search = gettext("contains “%(words)s”", words=words) if words else ""
        seen: set[str] = set()
        found = [(str(search), self.at.without_words(), "")] if words else []
        for at, given in enumerate(self.grid.filters):
            said = self._in_words(given)
            if given.comparison in ALTERNATIVES and given not in wrong:
                said = str(gettext("or %(filter)s", filter=said)) if given.column in seen else said
                seen.add(given.column)
            mistake = in_words(wrong[given]) if given in wrong else ""
            found.append((said, self.at.without(at), mistake))
        return found

    @property
    def refusals(self) -> list[tuple[str, str]]:
        """What is wrong with filters and with the order, as sentences; each with the field that mends it."""
        found = [("filter-value", in_words(error)) for _, error in self.conditions.refused]
        return [*found, *([("sort-column", self.sort_problem)] if self.sort_problem else [])]

    @property
    def sort_problem(self) -> str:
        """Why the rows are not sorted as asked for."""
        for order in self.grid.orders:
            if order.column not in self.columns:
                unknown = "there is no column “%(column)s” to sort by"
                return in_words(BadQuery(unknown, column=order.column))
            try:
                usable(tuple(self.columns.values()), order.column)
            except BadQuery as error:
                return in_words(error)
        return ""

    def _in_words(self, given: Filter) -> str:
        heading = self.heading(given.column)
        label = heading.called if heading else given.column
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
