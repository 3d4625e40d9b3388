"""The form that builds a query: what it asks for, read from an address; what makes no sense is passed over."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from catalog.errors import BadQuery
from catalog.schemas.grid import COMPARISONS, LONGEST_NAME, LONGEST_VALUE
from catalog.tabular.column import Column
from catalog.tabular.filters import WITHOUT_VALUE, Comparison, Filter, all_of, condition_of
from catalog.tabular.query import (
    Aggregate,
    And,
    Condition,
    JoinKind,
    Measure,
    Or,
    Order,
    TableQuery,
)

ALL, ANY = "all", "any"
MOST_LINES, MOST_GROUPINGS, MOST_MEASURES, MOST_ORDERS = 8, 4, 6, 4
MOST_HAVING = 2
MOST_PAIRS = 10
LONGEST_RELEASE, LONGEST_TABLE = 40, 100
USUAL_LIMIT, GREATEST_LIMIT = 100, 10_000
FORMATS = ("objects", "arrays", "csv", "jsonl", "parquet", "xlsx")
DOWNLOADS = frozenset({"csv", "jsonl", "parquet", "xlsx"})
"""Formats that come as files, of all rows."""


Lists = Mapping[str, Sequence[str]]
"""Parameters of an address, which may be there more than once."""


@dataclass(frozen=True)
class Conditions:
    """Lines of conditions, of which all or any must hold."""

    join: str = ALL
    lines: tuple[Filter, ...] = ()


@dataclass(frozen=True)
class OtherTable:
    """Another table beside this one: its id, and the columns of this one that its key stands in."""

    id: str
    columns: tuple[str, ...] = ()
    """In the order of the other table's key; an empty name leaves it to names that are the same."""
    kind: JoinKind = JoinKind.INNER


@dataclass(frozen=True)
class QueryForm:
    """What the form says; two groups of conditions, joined by `join`."""

    select: tuple[str, ...] = ()
    first: Conditions = Conditions()
    second: Conditions = Conditions()
    join: str = ALL
    group_by: tuple[str, ...] = ()
    measures: tuple[tuple[Aggregate, str], ...] = ()
    having: tuple[Filter, ...] = ()
    """What groups must satisfy; names are those of the result."""
    orders: tuple[Order, ...] = ()
    limit: int = USUAL_LIMIT
    format: str = "objects"
    as_of: str = ""
    """The release, by number or by day; empty for the newest one."""
    other: OtherTable | None = None

    @property
    def groups(self) -> bool:
        """Whether groups are asked for, not rows."""
        return bool(self.group_by or self.measures)

    def groups_kept(
        self, columns: Mapping[str, Column]
    ) -> tuple[Condition | None, tuple[BadQuery, ...]]:
        """What groups must satisfy, read with the columns of the result, and what is wrong with it."""
        wrong: list[BadQuery] = []
        return _joined(Conditions(ALL, self.having), columns, wrong), tuple(wrong)

    def where(self, columns: Mapping[str, Column]) -> tuple[Condition | None, tuple[BadQuery, ...]]:
        """The conditions as one, and what is wrong with those that cannot be meant."""
        wrong: list[BadQuery] = []
        parts = [
            joined
            for conditions in (self.first, self.second)
            if (joined := _joined(conditions, columns, wrong)) is not None
        ]
        if len(parts) == 2 and self.join == ANY:
            return Or(tuple(parts)), tuple(wrong)
        return all_of(parts), tuple(wrong)

    def query(self, columns: Mapping[str, Column], where: Condition | None) -> TableQuery:
        """The query; names of columns that there are not, or that cannot be used so, are passed over."""
        open_ = {name for name, column in columns.items() if not column.masked}
        if not self.groups:
            return TableQuery(
                select=tuple(name for name in self.select if name in columns),
                where=where,
                order_by=tuple(order for order in self.orders if order.column in open_),
                limit=self.limit,
            )
        measures = tuple(
            Measure(aggregate, column or "*", measure_name(aggregate, column))
            for aggregate, column in self.measures or ((Aggregate.COUNT, ""),)
            if column in open_ or (not column and aggregate is Aggregate.COUNT)
        )
        by = tuple(name for name in self.group_by if name in open_)
        results = {*by, *(measure.name for measure in measures)}
        return TableQuery(
            where=where,
            group_by=by,
            measures=measures,
            order_by=tuple(order for order in self.orders if order.column in results),
            limit=self.limit,
        )


def measure_name(aggregate: Aggregate, column: str) -> str:
    """What the API calls a measure that was given no name."""
    return f"{aggregate.value}_{column}" if column else aggregate.value


def read_form(args: Lists) -> QueryForm:
    """The form of an address."""
    limit, format_ = _first(args, "limit"), _first(args, "format")
    return QueryForm(
        select=_names(args.get("col", ()), 500),
        first=_conditions(args, "a"),
        second=_conditions(args, "b"),
        join=ANY if _first(args, "j") == ANY else ALL,
        group_by=_names(args.get("by", ()), MOST_GROUPINGS),
        measures=_measures(args.get("mf", ()), args.get("mc", ())),
        having=_conditions(args, "h").lines[:MOST_HAVING],
        orders=tuple(
            Order(name, descending=falls == "1")
            for name, falls in zip_longest(args.get("sc", ()), args.get("sd", ()), fillvalue="")
            if 0 < len(name) <= LONGEST_NAME
        )[:MOST_ORDERS],
        limit=min(int(limit), GREATEST_LIMIT) if _is_limit(limit) else USUAL_LIMIT,
        format=format_ if format_ in FORMATS else FORMATS[0],
        as_of=_first(args, "as_of").strip()[:LONGEST_RELEASE],
        other=_other(args),
    )


def form_pairs(form: QueryForm) -> list[tuple[str, str]]:
    """The parameters that ask for this form."""
    pairs = [("col", name) for name in form.select]
    for letter, conditions in (("a", form.first), ("b", form.second)):
        pairs += [(f"j{letter}", ANY)] if conditions.join == ANY else []
        for line in conditions.lines:
            texts = (("c", line.column), ("o", line.comparison.value), ("v", line.value))
            pairs += [(f"{letter}{part}", text) for part, text in texts]
    pairs += [("j", ANY)] if form.join == ANY else []
    pairs += [("by", name) for name in form.group_by]
    for aggregate, column in form.measures:
        pairs += [("mf", aggregate.value), ("mc", column)]
    for line in form.having:
        pairs += [("hc", line.column), ("ho", line.comparison.value), ("hv", line.value)]
    for order in form.orders:
        pairs += [("sc", order.column), ("sd", "1" if order.descending else "0")]
    pairs += [("as_of", form.as_of)] if form.as_of else []
    if form.other:
        pairs += [("jt", form.other.id), *(("jm", name) for name in form.other.columns)]
        pairs += [("jk", JoinKind.LEFT.value)] if form.other.kind is JoinKind.LEFT else []
    pairs += [("limit", str(form.limit))] if form.limit != USUAL_LIMIT else []
    return [*pairs, *([("format", form.format)] if form.format != FORMATS[0] else [])]


def _other(args: Lists) -> OtherTable | None:
    table = _first(args, "jt").strip()
    if not 0 < len(table) <= LONGEST_TABLE:
        return None
    columns = [name if len(name) <= LONGEST_NAME else "" for name in args.get("jm", ())]
    left = _first(args, "jk") == JoinKind.LEFT.value
    return OtherTable(table, tuple(columns[:MOST_PAIRS]), JoinKind.LEFT if left else JoinKind.INNER)


def _first(args: Lists, name: str) -> str:
    return next(iter(args.get(name, ())), "")


def _is_limit(text: str) -> bool:
    return text.isascii() and text.isdigit() and len(text) < 10 and int(text) > 0


def _names(names: Sequence[str], most: int) -> tuple[str, ...]:
    return tuple(dict.fromkeys(n for n in names if 0 < len(n) <= LONGEST_NAME))[:most]


def _conditions(args: Lists, letter: str) -> Conditions:
    threes = zip_longest(*(args.get(letter + part, ()) for part in "cov"), fillvalue="")
    lines = [
        Filter(column, Comparison(op), "" if Comparison(op) in WITHOUT_VALUE else value)
        for column, op, value in threes
        if column and op in COMPARISONS and len(value) <= LONGEST_VALUE
    ]
    kept = [line for line in lines if line.value.strip() or line.comparison in WITHOUT_VALUE]
    return Conditions(ANY if _first(args, f"j{letter}") == ANY else ALL, tuple(kept[:MOST_LINES]))


def _measures(
    functions: Sequence[str], columns: Sequence[str]
) -> tuple[tuple[Aggregate, str], ...]:
    known = {aggregate.value for aggregate in Aggregate}
    pairs = zip_longest(functions, columns[: len(functions)], fillvalue="")
    found = [(Aggregate(function), column) for function, column in pairs if function in known]
    return tuple(dict.fromkeys(found))[:MOST_MEASURES]


def _joined(
    conditions: Conditions, columns: Mapping[str, Column], wrong: list[BadQuery]
) -> Condition | None:
    parts: list[Condition] = []
    for line in conditions.lines:
        try:
            parts.append(condition_of(line, columns))
        except BadQuery as error:
            wrong.append(error)
    if len(parts) < 2:
        return parts[0] if parts else None
    return Or(tuple(parts)) if conditions.join == ANY else And(tuple(parts))


def says_nothing(args: Lists) -> bool:
    """Whether an address says nothing of the form."""
    names = {"col", "ac", "bc", "by", "mf", "sc", "limit", "format", "as_of", "jt"}
    return not any(any(args.get(name, ())) for name in names)
