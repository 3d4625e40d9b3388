"""What the templates of a table's page read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import g, url_for
from markupsafe import Markup, escape

from catalog.errors import BadQuery, CatalogError
from catalog.schemas.grid import (
    ALTERNATIVES,
    MOST_ORDERS,
    Conditions,
    Grid,
    conditions,
)
from catalog.services import charts, maps, points, tables
from catalog.tabular.filters import SUITED, WITHOUT_VALUE
from catalog.tabular.values import usable
from portal.filters import sentence, text
from portal.languages import gettext
from portal.table_page.addresses import Addresses
from portal.table_page.names import with_part
from portal.table_page.words import COMPARISON_SIGNS, COMPARISONS, TYPES, VIEWS

if TYPE_CHECKING:
    from catalog.models.table import DataTable
    from catalog.tabular.column import Column
    from catalog.tabular.filters import Filter
    from catalog.tabular.query import Condition


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
        self.as_of = (grid.as_of or None) if grid.view != "api" else None  # its form has its own
        self.version = tables.version(g.identity, table.id, self.as_of) if self.as_of else None
        self.grid = self._settled(grid)
        self.at = Addresses.of(table.id, self.grid)

    def _settled(self, grid: Grid) -> Grid:
        """The columns that a form has chosen become those that it has put away."""
        known = list(self.columns)
        kept = set(grid.shown) & set(known)
        hidden = grid.hidden
        if kept:
            hidden = tuple(name for name in known if name not in kept)
        hidden = tuple(name for name in hidden if name in known)
        hidden = () if len(hidden) >= len(known) else hidden
        return replace(grid, hidden=hidden, shown=())

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """Published name → column, as of the release that is looked at."""
        if self.version is not None:
            return {column.name: column for column in self.version.columns}
        return charts.columns_by_name(self.table)

    @property
    def release(self) -> int:
        """Number of the release that is looked at."""
        return self.version.release if self.version else self.table.release

    @cached_property
    def rows(self) -> int:
        """Number of its rows."""
        if self.version is None:
            return self.table.rows
        return self.count(None)

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
        said = {column.stored: column for column in self.table.columns}
        return [
            Heading(
                column.name,
                text(said[column.stored].label) if column.stored in said else "",
                str(column.type),
                (said[column.stored].unit or "") if column.stored in said else "",
                column.masked,
            )
            for column in self.columns.values()
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
        return self.as_of is None and maps.plan_of(self.table) is not None

    def row_to_go_to(self, asked: str) -> int:
        """The number of a row that a reader typed, at most that of the last one; 0 for what is none."""
        digits = asked.strip().replace(",", "").replace(" ", "")
        if not (digits.isascii() and digits.isdigit()) or len(digits) > MOST_DIGITS:
            return 0
        where = self.conditions.where
        total = self.count(where) if where else self.rows
        return min(int(digits), total)

    def place_of(self, asked: str) -> int:
        """The place of the row of a number, from 1; 0 for what is none."""
        if not (asked.isascii() and asked.isdigit()) or len(asked) > MOST_DIGITS:
            return 0
        where, number = self.conditions.where, int(asked)
        place = tables.place_of(g.identity, self.table.id, number, where, as_of=self.as_of)
        return min(place, self.rows) if number else 0

    def count(self, where: Condition | None) -> int:
        """Number of the rows that satisfy a condition."""
        return tables.count(g.identity, self.table.id, where, as_of=self.as_of)

    @cached_property
    def views(self) -> list[tuple[str, str, str]]:
        """Names, words and addresses of the views that this table has."""
        return [
            (name, str(words), self.at.view(name))
            for name, words in VIEWS.items()
            if (name != "map" or self.has_map) and (name != "columns" or not self.as_of)
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
