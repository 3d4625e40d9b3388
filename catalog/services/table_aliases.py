"""Other names of tables: CKAN's clients find a table by its resource, by its id, or by an alias."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Select, bindparam, case, delete, func, literal, select, union_all

from catalog.db import db, transaction
from catalog.errors import Conflict
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.table import DataTable, TableAlias
from catalog.models.vocabulary import Access
from catalog.permissions import Action, Identity, require
from catalog.services.table_lookup import show

_TABLES = DataTable.__table__
_NAMED = (
    select(_TABLES.c.id)
    .where((_TABLES.c.id == bindparam("name")) | (_TABLES.c.resource_id == bindparam("name")))
    .limit(2)
)
"""Made once: each call of CKAN's API begins with it."""


@dataclass(frozen=True)
class NamedTable:
    """A table, or an alias of one, in a list of all: `alias_of` is None for a table itself."""

    name: str
    alias_of: str | None


@dataclass(frozen=True)
class Resolved:
    """A table that was found by a name; `name` is the one that is no alias."""

    table_id: str
    name: str


def resolve(name: str) -> Resolved | None:
    """The table that goes by this name: a resource's only table, a table's id, or an alias."""
    found = db.session.execute(_NAMED, {"name": name}).all()
    if len(found) == 1:
        return Resolved(found[0][0], name)
    if found:
        return None  # one of several tables must be named itself
    table_id = db.session.scalar(select(TableAlias.table_id).where(TableAlias.alias == name))
    return Resolved(table_id, name_of(table_id)) if table_id else None


def name_of(table_id: str) -> str:
    """The name that CKAN's clients know a table by: its resource where it is the only table of it."""
    resource_id = select(DataTable.resource_id).filter_by(id=table_id).scalar_subquery()
    beside = db.session.execute(
        select(DataTable.resource_id, func.count())
        .where(DataTable.resource_id == resource_id)
        .group_by(DataTable.resource_id)
    ).one()
    return beside[0] if beside[1] == 1 else table_id


def resource_of(table_id: str) -> str:
    """The id of the resource that a table belongs to."""
    return db.session.scalars(select(DataTable.resource_id).filter_by(id=table_id)).one()


def aliases_of(table_id: str) -> list[str]:
    """The aliases of a table, in order of the alphabet."""
    listed = select(TableAlias.alias).filter_by(table_id=table_id).order_by(TableAlias.alias)
    return list(db.session.scalars(listed))


def set_aliases(who: Identity, table_id: str, aliases: Sequence[str]) -> None:
    """Give the table these aliases in the place of those it has; raises Conflict for one that is taken."""
    require(who, Action.TABLE_WRITE, show(who, table_id).resource.dataset)
    wanted = list(dict.fromkeys(aliases))
    with transaction():
        db.session.execute(delete(TableAlias).where(TableAlias.table_id == table_id))
        for alias in wanted:
            if _is_taken(alias):
                raise Conflict("the name “%(alias)s” is taken by another table", alias=alias)
        db.session.add_all(TableAlias(alias=alias, table_id=table_id) for alias in wanted)


def listed(
    who: Identity,  # noqa: ARG001 # only what everybody may read is listed
    *,
    limit: int,
    offset: int,
    name: str | None = None,
    alias_of: str | None = None,
) -> tuple[list[NamedTable], int]:
    """Some of the tables that everybody may read with their aliases, by name; and how many there are.

    With `name` or `alias_of` only those that have them.
    """
    names = _names().subquery()
    wanted = select(names)
    if name is not None:
        wanted = wanted.where(names.c.name == name)
    if alias_of is not None:
        wanted = wanted.where(names.c.alias_of == alias_of)
    page = wanted.order_by(names.c.name, names.c.alias_of).limit(limit).offset(offset)
    rows = [NamedTable(*row) for row in db.session.execute(page)]
    return rows, db.session.scalar(select(func.count()).select_from(wanted.subquery())) or 0


def _names() -> Select[tuple[str, str | None]]:
    """Names of open tables with rows: of their resource where they are its only table."""
    beside = (
        select(DataTable.resource_id, func.count().label("tables"))
        .group_by(DataTable.resource_id)
        .subquery()
    )
    named = (
        select(
            DataTable.id.label("id"),
            case((beside.c.tables == 1, DataTable.resource_id), else_=DataTable.id).label("name"),
        )
        .join(beside, beside.c.resource_id == DataTable.resource_id)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(
            DataTable.head > 0,
            public(),
            Dataset.access == Access.OPEN,
        )
        .subquery()
    )
    tables = select(named.c.name, literal(None).label("alias_of"))
    aliases = select(TableAlias.alias, named.c.name).join(named, named.c.id == TableAlias.table_id)
    both = union_all(tables, aliases).subquery()
    return select(both.c.name, both.c.alias_of)


def _is_taken(name: str) -> bool:
    held = union_all(
        select(TableAlias.alias).where(TableAlias.alias == name),
        select(DataTable.id).where(DataTable.id == name),
        select(Resource.id).where(Resource.id == name),
    )
    return db.session.execute(held.limit(1)).first() is not None
