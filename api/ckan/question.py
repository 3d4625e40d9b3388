"""What a search or a dump asks of a table, in CKAN's words, made into our query and answered."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from api.ckan.errors import Refused, message_of
from api.ckan.filters import condition_of
from api.ckan.fulltext import Search, rank, searches
from api.ckan.schemas import MOST_ROWS
from api.ckan.tables import ID, ID_FIELD, Field, Fields, Table
from api.ckan.types import PgType
from catalog.errors import BadQuery
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import tables
from catalog.tabular.query import And, Condition, Order, TableQuery

MOST_RANKED = 20_000
"""So many matches are put in the order of their rank; more of them come in the order of rows."""
RANK_TYPE = PgType("float", "double precision", ColumnType.NUMBER)
CLAUSE = re.compile(r"(.+?)(?: +(asc|desc))?(?: nulls +(first|last) *)?", re.IGNORECASE)


@dataclass(frozen=True)
class Question:
    """A question that the table can answer."""

    fields: tuple[Field, ...]
    """What is wanted, ranks among them."""
    where: Condition | None
    searches: tuple[Search, ...]
    order: tuple[Order, ...]
    limit: int
    offset: int
    distinct: bool

    @classmethod
    def of(cls, given: Mapping[str, Any], known: Fields, *, extra: Sequence[str] = ()) -> Question:
        """What `given` asks; raises Refused with what is wrong. `extra` are parameters nobody knows."""
        found = searches(
            given.get("q"),
            given.get("full_text"),
            known,
            plain=given.get("plain", True),
            language=given.get("language") or "english",
        )
        filtered = condition_of(given.get("filters"), known)
        parts = [part for part in (filtered, *(one.condition for one in found)) if part]
        if given["offset"] < 0:
            raise _invalid("offset", given["offset"])
        if extra:
            raise _invalid("__extras", extra[0])
        fields = _wanted(given.get("fields"), known, found)
        return cls(
            fields,
            And(tuple(parts)) if len(parts) > 1 else parts[0] if parts else None,
            found,
            tuple(_order(clause, known) for clause in given.get("sort") or ()),
            given["limit"],
            given["offset"],
            bool(given.get("distinct")) and ID_FIELD not in fields,
        )

    @property
    def by_rank(self) -> bool:
        """Whether the best matches come first."""
        return bool(self.searches) and not self.order and not self.distinct

    @property
    def by_number(self) -> str:
        """`gt` or `lt` where rows come in the order of their numbers, up or down; else nothing."""
        if self.distinct or self.by_rank:
            return ""
        if not self.order:
            return "gt"
        if [order.column for order in self.order] != [ID_FIELD.name]:
            return ""
        return "lt" if self.order[0].descending else "gt"


@dataclass(frozen=True)
class Reply:
    """The rows that were asked for: a column for each field, in order."""

    data: pa.Table
    fields: list[Field]
    total: int | None
    next_page: dict[str, Any] | None


def ask(who: Identity, table: Table, question: Question, *, total: bool) -> Reply:
    """The answer of the table; raises Refused for what its engine refuses."""
    try:
        if question.distinct:
            return _distinct(who, table, question, total=total)
        return _rows(who, table, question, total=total)
    except BadQuery as error:
        raise _unanswerable(error) from error


def batches(
    who: Identity, table: Table, question: Question
) -> tuple[list[Field], Iterator[pa.Table]]:
    """The fields, and all rows in parts with a column for each field; raises Refused."""
    try:
        if question.distinct:
            query = _groups(question)
            fields = [field for field in question.fields if field.type is not RANK_TYPE]
            return fields, _as_tables(tables.batches(who, table.table.id, query, as_of=table.as_of))
        needed = _needed(question)
        query = replace(_query(question, needed), limit=0, offset=0)
        parts = _as_tables(tables.batches(who, table.table.id, query, as_of=table.as_of))
        arranged = (_arranged(part, question, needed) for part in parts)
        return list(question.fields), arranged
    except BadQuery as error:
        raise _unanswerable(error) from error


def _rows(who: Identity, table: Table, question: Question, *, total: bool) -> Reply:
    needed = _needed(question)
    query = _query(question, needed)
    if question.by_rank:
        data, found = _best(who, table, question, query, total=total)
    else:
        page = tables.rows(who, table.table.id, query, total=total, as_of=table.as_of)
        data, found = page.data, page.total
    return Reply(
        _arranged(data, question, needed),
        list(question.fields),
        found if total else None,
        _next_page(question, data, _places(needed)),
    )


def _best(
    who: Identity, table: Table, question: Question, query: TableQuery, *, total: bool
) -> tuple[pa.Table, int | None]:
    """The page of the best matches and how many there are; too many to compare come in the order of rows."""
    end = question.offset + question.limit
    first = replace(query, limit=max(MOST_RANKED + 1, min(end, MOST_ROWS)), offset=0)
    found = tables.rows(who, table.table.id, first, total=total, as_of=table.as_of)
    data = found.data
    if data.num_rows > MOST_RANKED:
        if end > first.limit:
            later = tables.rows(who, table.table.id, query, as_of=table.as_of)
            return later.data, found.total
        return data.slice(question.offset, question.limit), found.total
    places = {name: at for at, name in enumerate(query.select)}
    ranks = [_ranks(data, search, places).to_numpy() for search in question.searches]
    best = np.lexsort([-one for one in reversed(ranks)])
    page = best[question.offset : end]
    return data.take(pa.array(page)), data.num_rows


def _distinct(who: Identity, table: Table, question: Question, *, total: bool) -> Reply:
    query = _groups(question)
    page = tables.group(who, table.table.id, query, as_of=table.as_of)
    fields = [field for field in question.fields if field.type is not RANK_TYPE]
    found = None
    if total:
        found = tables.count_groups(who, table.table.id, query, as_of=table.as_of)
    return Reply(page.data, fields, found, None)


def _query(question: Question, needed: Sequence[Field]) -> TableQuery:
    return TableQuery(
        select=tuple(field.name for field in needed),
        where=question.where,
        order_by=_plain_order(question.order),
        limit=question.limit,
        offset=question.offset,
    )


def _groups(question: Question) -> TableQuery:
    """Distinct rows are groups of which nothing is computed."""
    names = tuple(field.name for field in question.fields if field.type is not RANK_TYPE)
    return TableQuery(
        where=question.where,
        order_by=question.order,
        limit=question.limit,
        offset=question.offset,
        group_by=names,
    )


def _arranged(data: pa.Table, question: Question, needed: Sequence[Field]) -> pa.Table:
    """A column for each wanted field, in their order, ranks among them."""
    places = _places(needed)
    columns = []
    for field in question.fields:
        search = _search_of(field, question.searches)
        column = _ranks(data, search, places) if search else data.column(places[field.name])
        columns.append(column)
    return pa.table(columns, names=[str(at) for at in range(len(columns))])


def _places(needed: Sequence[Field]) -> dict[str, int]:
    return {field.name: at for at, field in enumerate(needed)}


def _as_tables(parts: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    return (pa.Table.from_batches([part]) for part in parts)


def _needed(question: Question) -> list[Field]:
    """The columns to read: those wanted, the row's number, and what ranks are made of."""
    ranked = [field for search in _ranked(question) for field in search.fields]
    wanted = [field for field in question.fields if field.type is not RANK_TYPE]
    numbered = [ID_FIELD] if question.by_number else []
    return list({field.name: field for field in (*wanted, *numbered, *ranked)}.values())


def _ranked(question: Question) -> tuple[Search, ...]:
    if question.by_rank:
        return question.searches
    wanted = {field.id for field in question.fields}
    return tuple(search for search in question.searches if search.rank in wanted)


def _search_of(field: Field, found: Sequence[Search]) -> Search | None:
    if field.type is not RANK_TYPE:
        return None
    return next(search for search in found if search.rank == field.id)


def _ranks(data: pa.Table, search: Search, places: Mapping[str, int]) -> pa.Array:
    """The rank of each row; texts are joined before Python sees them, which takes a tenth of the time."""
    columns = [data.column(places[field.name]).cast(pa.string()) for field in search.fields]
    texts = pc.binary_join_element_wise(*columns, "\n", null_handling="skip")
    return pa.array([rank(search, text) for text in pc.utf8_lower(texts).to_pylist()], pa.float64())


def _next_page(
    question: Question, data: pa.Table, places: Mapping[str, int]
) -> dict[str, Any] | None:
    if not question.by_number or not data.num_rows:
        return None
    last = data.column(places[ID_FIELD.name])[-1].as_py()
    return {ID: {question.by_number: last + 1}}


def _plain_order(order: tuple[Order, ...]) -> tuple[Order, ...]:
    """The order, but nothing where rows come in their own order anyway: that is read fastest."""
    if [(one.column, one.descending) for one in order] == [(ID_FIELD.name, False)]:
        return ()
    return order


def _wanted(names: Any, known: Fields, found: Sequence[Search]) -> tuple[Field, ...]:
    ranks = {search.rank: Field(search.rank, f"\0{search.rank}", RANK_TYPE, {}) for search in found}
    if not names:
        return (ID_FIELD, *known, *ranks.values())
    wanted: dict[str, Field] = {}
    for name in names:
        field = known.get(name) or (ranks.get(name) if isinstance(name, str) else None)
        if field is None:
            raise _invalid("fields", name)
        wanted[field.id] = field
    return tuple(wanted.values())


def _order(clause: Any, known: Fields) -> Order:
    match = CLAUSE.fullmatch(clause) if isinstance(clause, str) else None
    if match is None:
        raise _invalid("sort", clause)
    name = match[1]
    if len(name) > 1 and name[0] == name[-1] == '"':
        name = name[1:-1]
    field = known.get(name)
    if field is None or field.masked:
        raise _invalid("sort", clause)
    descending = (match[2] or "").lower() == "desc"
    nulls = (match[3] or ("first" if descending else "last")).lower()
    return Order(field.name, descending, nulls_first=nulls == "first")


def _unanswerable(error: BadQuery) -> Refused:
    return Refused({"query": ["Invalid query"], "info": {"orig": [message_of(error)]}})


def _invalid(name: str, value: object) -> Refused:
    return Refused({name: [f'invalid value "{value}"']})
