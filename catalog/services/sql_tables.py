"""The tables that an SQL statement names: found by id, alias or dataset, and made ready for the child that reads them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from sqlalchemy import select

from catalog.db import db
from catalog.errors import BadQuery, CatalogError
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable, TableAlias
from catalog.permissions import Identity
from catalog.services.table_lookup import Version, show, state_of, version_as_of
from catalog.tabular.sandbox import Asked, Given, GivenColumn
from catalog.tabular.sql import ROW_NUMBER
from catalog.tabular.state import State

COUNTED = "row_from_1"
"""The number of a row as clients of CKAN count them, in the relation."""
MOST_NAMED = 20
"""Tables of a dataset that a sentence lists."""


@dataclass(frozen=True)
class Found:
    """A table of the statement, in the release that was asked for."""

    table: DataTable
    version: Version
    state: State
    name: str
    """As the statement has it."""

    @property
    def rows(self) -> int:
        """Rows that reading the table takes."""
        return self.state.base.rows + sum(delta.rows for delta in self.state.deltas)


def find(who: Identity, asked: Asked, as_of: str | None) -> Found:
    """The table that `who` may read; raises what is wrong with its name, its release or the permission."""
    name = ".".join(asked.parts)
    try:
        table = show(who, _table_id(who, asked.parts, name))
        version = version_as_of(table, as_of)
        return Found(table, version, state_of(version), name)
    except CatalogError as error:
        error.context.update(line=asked.line, column=asked.column)
        raise


def given(found: Found, *, number: str = "") -> Given:
    """What the child gets of the table: its files, and the columns that may be seen.

    With `number` the first of these tells the number of each row, from 1.

    It is covered where the files hold more than that: masked or hidden columns, and those that were dropped.
    """
    state, columns = found.state, found.version.columns
    names = sql_names([*([number] if number else []), *(column.name for column in columns)])
    told = [GivenColumn(name, COUNTED) for name in names[: bool(number)]]
    names = names[len(told) :]
    relation = state.relation()
    if told:
        relation = f"(SELECT *, {ROW_NUMBER} + 1 AS {COUNTED} FROM {relation})"
    parts = (state.base, *state.deltas)
    held = frozenset[str]().union(*(part.stored for part in parts))
    return Given(
        relation,
        tuple(part.path for part in parts),
        (
            *told,
            *(
                GivenColumn(name, column.stored, column.left if column.masked else None)
                for name, column in zip(names, columns, strict=True)
            ),
        ),
        covered=any(column.masked for column in columns)
        or not held <= {column.stored for column in columns},
    )


def sql_names(names: Sequence[str]) -> tuple[str, ...]:
    """The names of columns in SQL: as published, but never empty, and no two that differ by case only."""
    taken: set[str] = set()
    return tuple(_free(name or f"column_{at}", taken) for at, name in enumerate(names, start=1))


def _free(name: str, taken: set[str]) -> str:
    found, count = name, 1
    while found.lower() in taken:
        count += 1
        found = f"{name}_{count}"
    taken.add(found.lower())
    return found


def _table_id(who: Identity, parts: Sequence[str], name: str) -> str:
    """The id of the table of this name; raises BadQuery. The schema `public` is that of all tables."""
    if len(parts) == 2 and parts[0].lower() == "public":
        parts = parts[1:]
    if len(parts) == 1:
        aliased = db.session.scalar(select(TableAlias.table_id).filter_by(alias=parts[0]))
        if aliased or db.session.get(DataTable, parts[0]):
            return aliased or parts[0]
    candidates = list(_candidates(*parts)) if len(parts) <= 2 else []
    if len(candidates) == 1:
        return candidates[0].id
    if candidates:
        show(who, candidates[0].id)  # before they are listed: of what is withdrawn nothing is told
    if not candidates:
        raise BadQuery(
            "there is no table “%(table)s”: write the id or the alias of a table, the address of a dataset, or "
            "both the dataset and the table as dataset.table",
            table=name[:200],
        )
    raise BadQuery(
        "“%(table)s” has several tables; write the id of one: %(known)s",
        table=name[:200],
        known=", ".join(f"{table.id} ({table.key[:60]})" for table in candidates[:MOST_NAMED]),
    )


def _candidates(first: str, key: str = "") -> Iterator[DataTable]:
    """Loaded tables of the dataset or of the resource; with a key those whose own or whose resource's key it is."""
    wanted = (
        select(DataTable, Resource.key)
        .join(Resource, DataTable.resource_id == Resource.id)
        .join(Dataset, Resource.dataset_id == Dataset.id)
        .where((Dataset.slug == first.lower()) | (Resource.id == first))
        .order_by(Resource.position, DataTable.position)
        .limit(1_000)
    )
    found = db.session.execute(wanted).all()
    loaded = [(table, name) for table, name in found if table.head] or found
    for table, resource_key in loaded:
        if not key or key in (table.key, resource_key):
            yield table
