"""What the address of a table's page says: view, filters, order, place; never an error, always an answer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import zip_longest
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load, pre_load, validate

from catalog.errors import BadQuery
from catalog.tabular.column import Column
from catalog.tabular.filters import (
    WITHOUT_VALUE,
    Comparison,
    Filter,
    all_of,
    condition_of,
    one_of,
    words_condition,
)
from catalog.tabular.query import Condition, Order, TableQuery

SIZES = (25, 50, 100, 250, 500)
USUAL_SIZE = 100
MOST_FILTERS = 40
MOST_ORDERS = 4
LONGEST_VALUE = 1000
LONGEST_WORDS = 200
LONGEST_NAME = 500
LONGEST_MOMENT = 40
PANELS = ("column", "columns")
MOST_COLUMNS = 60
"""Columns of one grid; wider tables are turned like pages."""
COMPARISONS = frozenset(comparison.value for comparison in Comparison)
VIEWS = ("rows", "columns", "chart", "map", "versions", "downloads", "api")
LISTS = frozenset({"column", "op", "value", "sort", "desc", "hide", "show", "pick"})
"""Parameters that may be there more than once."""
ALTERNATIVES = frozenset({Comparison.IS, Comparison.EMPTY})
"""Several of these on one column mean one of them: no row could satisfy all."""


@dataclass(frozen=True)
class Grid:
    """What the reader looks at."""

    view: str = "rows"
    filters: tuple[Filter, ...] = ()
    words: str = ""
    """What is searched for in all columns of text."""
    orders: tuple[Order, ...] = ()
    page: int = 1
    size: int = USUAL_SIZE
    row: int = 0
    """A row to go to, from 1; it wins over the page."""
    first_column: int = 0
    hidden: tuple[str, ...] = ()
    """Columns that the reader has put away."""
    shown: tuple[str, ...] = ()
    """Columns that a form has just chosen; the page turns them into `hidden`."""
    panel: str = ""
    """What is open above the rows: `column` (of the name in `on`) or `columns`."""
    on: str = ""
    day: str = ""
    """Day of the map."""
    box: str = ""
    """The part of the map of points that is shown."""
    as_of: str = ""
    """The release that is looked at, by its number or a time; nothing for the newest one."""

    @property
    def offset(self) -> int:
        """Rows before the page."""
        at = self.row - 1 if self.row else (self.page - 1) * self.size
        return at // self.size * self.size

    def on_page(self, number: int) -> Grid:
        """The same at another page."""
        return replace(self, page=number, row=0)

    @property
    def narrowed(self) -> bool:
        """Whether filters or words leave rows out."""
        return bool(self.filters or self.words)

    def order_by(self, columns: Mapping[str, Column]) -> tuple[Order, ...]:
        """What the rows can be sorted by; unknown and masked columns are passed over."""
        return tuple(o for o in self.orders if o.column in columns and not columns[o.column].masked)

    def columns_left(self, columns: Mapping[str, Column]) -> tuple[str, ...]:
        """Names of the columns that the reader has not put away; all of them rather than none."""
        return tuple(name for name in columns if name not in self.hidden) or tuple(columns)

    def query(self, columns: Mapping[str, Column], where: Condition | None) -> TableQuery:
        """The query for the page of rows."""
        names = self.columns_left(columns)
        shown = names[self.first_column : self.first_column + MOST_COLUMNS]
        select = () if len(columns) <= MOST_COLUMNS and names == tuple(columns) else shown
        select = select or (() if len(names) <= MOST_COLUMNS else names[:MOST_COLUMNS])
        order = self.order_by(columns)
        return TableQuery(select, where, order, limit=self.size, offset=self.offset)


@dataclass(frozen=True)
class Conditions:
    """The filters that make sense, as one condition, and what is wrong with the others."""

    where: Condition | None
    accepted: tuple[Filter, ...]
    refused: tuple[tuple[Filter, BadQuery], ...]


def conditions(
    filters: tuple[Filter, ...], columns: Mapping[str, Column], words: str = ""
) -> Conditions:
    """Read the filters and the words; one that cannot be meant does not take the others with it."""
    meant: dict[object, list[Condition]] = {}
    accepted: list[Filter] = []
    refused: list[tuple[Filter, BadQuery]] = []
    for given in filters:
        try:
            condition = condition_of(given, columns)
        except BadQuery as error:
            refused.append((given, error))
            continue
        key = given.column if given.comparison in ALTERNATIVES else given
        meant.setdefault(key, []).append(condition)
        accepted.append(given)
    parts = [one_of(alternatives) for alternatives in meant.values()]
    found = words_condition(words, columns)
    where = all_of([*([found] if found else []), *parts])
    return Conditions(where, tuple(accepted), tuple(refused))


class GridSchema(Schema):
    """Parameters of the address; `column`, `op` and `value` come in threes, one three for each filter."""

    class Meta:
        """Other parameters (of the chart, of the map, of trackers) are not ours."""

        unknown = EXCLUDE

    view = fields.String(validate=validate.OneOf(VIEWS))
    columns = fields.List(fields.String(), data_key="column")
    ops = fields.List(fields.String(), data_key="op")
    values = fields.List(fields.String(), data_key="value")
    q = fields.String(validate=validate.Length(max=LONGEST_WORDS))
    sort = fields.List(fields.String())
    desc = fields.List(fields.String())
    page = fields.Integer(validate=validate.Range(1, 10**12))
    size = fields.Integer(validate=validate.OneOf(SIZES))
    row = fields.Integer(validate=validate.Range(1, 10**12))
    first = fields.Integer(validate=validate.Range(0, 10**6))
    hide = fields.List(fields.String())
    show = fields.List(fields.String())
    panel = fields.String(validate=validate.OneOf(PANELS))
    on = fields.String(validate=validate.Length(max=500))
    of = fields.String(validate=validate.Length(max=500))
    has = fields.String()
    low = fields.String(data_key="from")
    high = fields.String(data_key="to")
    pick = fields.List(fields.String())
    none = fields.String(validate=validate.OneOf(("empty", "filled")))
    day = fields.String(validate=validate.Length(max=40))
    box = fields.String(validate=validate.Length(max=200))
    as_of = fields.String(validate=validate.Length(max=LONGEST_MOMENT))

    @pre_load
    def take(self, data: Mapping[str, Any], **_: Any) -> dict[str, Any]:
        """A werkzeug MultiDict as a plain one; lists for the threes, the last value for the others."""
        taken = {name: data.getlist(name) for name in LISTS}  # type: ignore[attr-defined] # request.args
        return taken | {name: data[name] for name in data if name not in LISTS and data[name] != ""}

    @post_load
    def make(self, data: dict[str, Any], **_: Any) -> Grid:
        """The grid."""
        return Grid(
            view=data.get("view", "rows"),
            filters=_filters(data),
            words=" ".join(data.get("q", "").split()),
            orders=_orders(data),
            page=data.get("page", 1),
            size=data.get("size", USUAL_SIZE),
            row=data.get("row", 0),
            first_column=data.get("first", 0) // MOST_COLUMNS * MOST_COLUMNS,
            hidden=tuple(dict.fromkeys(data.get("hide", ()))),
            shown=tuple(dict.fromkeys(data.get("show", ()))),
            panel=data.get("panel", ""),
            on=data.get("on", ""),
            day=data.get("day", ""),
            box=data.get("box", ""),
            as_of=data.get("as_of", "").strip(),
        )


def _orders(data: Mapping[str, list[str]]) -> tuple[Order, ...]:
    """`sort` and `desc` in pairs; a column counts once."""
    columns = data.get("sort", [])
    found: dict[str, Order] = {}
    for column, falls in zip_longest(columns, data.get("desc", [])[: len(columns)], fillvalue=""):
        if column and len(column) <= LONGEST_NAME:
            found.setdefault(column, Order(column, descending=falls == "1"))
    return tuple(found.values())[:MOST_ORDERS]


def _filters(data: Mapping[str, Any]) -> tuple[Filter, ...]:
    """The threes; those of the column that a form is `of` give way to what the form says."""
    filters = _threes(data)
    column = data.get("of", "")
    if column:
        filters = [*(f for f in filters if f.column != column), *_of_form(column, data)]
    return tuple(dict.fromkeys(filters))[:MOST_FILTERS]


def _of_form(column: str, data: Mapping[str, Any]) -> list[Filter]:
    """The filters of one column as its form gives them: a part, a range, values picked, empty or not."""
    texts = {
        Comparison.CONTAINS: data.get("has", ""),
        Comparison.AT_LEAST: data.get("low", ""),
        Comparison.AT_MOST: data.get("high", ""),
    }
    found = [Filter(column, comparison, value) for comparison, value in texts.items()]
    found += [Filter(column, Comparison.IS, value) for value in data.get("pick", ())]
    found = [f for f in found if f.value.strip() and len(f.value) <= LONGEST_VALUE]
    none = data.get("none")
    return [*found, *([Filter(column, Comparison(none))] if none else [])]


def _threes(data: Mapping[str, list[str]]) -> list[Filter]:
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
    return filters


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
