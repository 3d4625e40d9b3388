"""What the address of a table's page says: view, filters, order, place; never an error, always an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate

from catalog.errors import BadQuery
from catalog.tabular.column import Column
from catalog.tabular.filters import WITHOUT_VALUE, Comparison, Filter, all_of, condition_of
from catalog.tabular.query import Condition, Order, TableQuery

SIZES = (25, 50, 100, 250, 500)
USUAL_SIZE = 100
MOST_FILTERS = 12
LONGEST_VALUE = 1000
MOST_COLUMNS = 60
"""Columns of one grid; wider tables are turned like pages."""
COMPARISONS = frozenset(comparison.value for comparison in Comparison)
VIEWS = ("rows", "columns", "chart", "map", "downloads", "api")


@dataclass(frozen=True)
class Grid:
    """What the reader looks at."""

    view: str = "rows"
    filters: tuple[Filter, ...] = ()
    sort: str = ""
    descending: bool = False
    page: int = 1
    size: int = USUAL_SIZE
    row: int = 0
    """A row to go to, from 1; it wins over the page."""
    first_column: int = 0
    filter_column: str = ""
    """Column that the form for a new filter starts with."""
    day: str = ""
    """Day of the map."""

    @property
    def offset(self) -> int:
        """Rows before the page."""
        at = self.row - 1 if self.row else (self.page - 1) * self.size
        return at // self.size * self.size

    def on_page(self, number: int) -> Grid:
        """The same at another page."""
        return replace(self, page=number, row=0)

    def query(self, columns: Mapping[str, Column], where: Condition | None) -> TableQuery:
        """The query for the page of rows; an unknown column to sort by is passed over."""
        order = (Order(self.sort, descending=self.descending),) if self.sort in columns else ()
        names = tuple(columns)
        shown = names[self.first_column : self.first_column + MOST_COLUMNS]
        select = () if len(names) <= MOST_COLUMNS else shown or names[:MOST_COLUMNS]
        return TableQuery(select, where, order, limit=self.size, offset=self.offset)


@dataclass(frozen=True)
class Conditions:
    """The filters that make sense, as one condition, and what is wrong with the others."""

    where: Condition | None
    accepted: tuple[Filter, ...]
    refused: tuple[tuple[Filter, BadQuery], ...]


def conditions(filters: tuple[Filter, ...], columns: Mapping[str, Column]) -> Conditions:
    """Read the filters; one that cannot be meant does not take the others with it."""
    meant: list[Condition] = []
    accepted: list[Filter] = []
    refused: list[tuple[Filter, BadQuery]] = []
    for given in filters:
        try:
            meant.append(condition_of(given, columns))
            accepted.append(given)
        except BadQuery as error:
            refused.append((given, error))
    return Conditions(all_of(meant), tuple(accepted), tuple(refused))


class GridSchema(Schema):
    """Parameters of the address; `column`, `op` and `value` come in threes, one three for each filter."""

    class Meta:
        """Other parameters (of the chart, of the map, of trackers) are not ours."""

        unknown = EXCLUDE

    view = fields.String(validate=validate.OneOf(VIEWS))
    columns = fields.List(fields.String(), data_key="column")
    ops = fields.List(fields.String(), data_key="op")
    values = fields.List(fields.String(), data_key="value")
    sort = fields.String(validate=validate.Length(max=500))
    desc = fields.String()
    page = fields.Integer(validate=validate.Range(1, 10**12))
    size = fields.Integer(validate=validate.OneOf(SIZES))
    row = fields.Integer(validate=validate.Range(1, 10**12))
    first = fields.Integer(validate=validate.Range(0, 10**6))
    on = fields.String(validate=validate.Length(max=500))
    day = fields.String(validate=validate.Length(max=40))

    @pre_load
    def take(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """A werkzeug MultiDict as a plain one; lists for the threes, the last value for the others."""
        lists = {"column", "op", "value"}
        taken = {name: data.getlist(name) for name in lists}  # type: ignore[attr-defined] # request.args
        return taken | {name: data[name] for name in data if name not in lists and data[name] != ""}

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Grid:
        """The grid."""
        return Grid(
            view=data.get("view", "rows"),
            filters=_threes(data),
            sort=data.get("sort", ""),
            descending=data.get("desc") == "1",
            page=data.get("page", 1),
            size=data.get("size", USUAL_SIZE),
            row=data.get("row", 0),
            first_column=data.get("first", 0) // MOST_COLUMNS * MOST_COLUMNS,
            filter_column=data.get("on", ""),
            day=data.get("day", ""),
        )


def _threes(data: Mapping[str, list[str]]) -> tuple[Filter, ...]:
    lists = (data.get("columns", []), data.get("ops", []), data.get("values", []))
    filters: list[Filter] = []
    for column, op, value in zip_longest(*lists, fillvalue=""):
        if op not in COMPARISONS or not column or len(value) > LONGEST_VALUE:
            continue
        comparison = Comparison(op)
        if comparison in WITHOUT_VALUE:
            filters.append(Filter(column, comparison))
        elif value.strip():
            filters.append(Filter(column, comparison, value))
    return tuple(dict.fromkeys(filters))[:MOST_FILTERS]


def read_grid(args: Mapping[str, Any]) -> Grid:
    """The grid that an address asks for; parameters that make no sense are passed over."""
    try:
        grid = SCHEMA.load(args)
    except ValidationError as error:
        wrong = [
            name
            for name, field in SCHEMA.fields.items()
            if (field.data_key or name) in error.messages
        ]
        grid = GridSchema(exclude=wrong).load(args)
    return grid if isinstance(grid, Grid) else Grid()


SCHEMA = GridSchema()
