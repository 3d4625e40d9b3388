"""Tables as CKAN's clients see them: found by three kinds of names, with fields in PostgreSQL's types."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from api.ckan.types import PgType, pg_type, type_of
from catalog.errors import Denied, Gone, NotFound, Unauthenticated
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import table_aliases, tables
from catalog.tabular.column import NUMBER, Column

if TYPE_CHECKING:
    from catalog.models.table import DataTable, TableColumn

ID = "_id"
OURS = "ckan"
"""Where `TableColumn.info` keeps what only CKAN's clients say: `{"type", "info", "index"}`."""


@dataclass(frozen=True)
class Field:
    """A field: `id` is what clients call it, `name` what is published (or the row's number)."""

    id: str
    name: str
    type: PgType
    info: dict[str, Any]
    masked: bool = False
    indexed: bool = False

    def shown(self) -> dict[str, Any]:
        """What a search says of it."""
        told = {"id": self.id, "type": "int" if self.id == ID else self.type.name}
        return {**told, "info": self.info} if self.info else told


_ID_TYPE = pg_type("int8")
assert _ID_TYPE is not None  # noqa: S101 # tells the type checker
ID_FIELD = Field(ID, NUMBER.name, _ID_TYPE, {})


class Fields(tuple[Field, ...]):
    """The fields of a table without the row's number, and a way to find one by its name."""

    def __init__(self, fields: Iterable[Field]) -> None:  # noqa: ARG002 # taken by __new__
        self._by_id = {field.id: field for field in (ID_FIELD, *self)}

    def get(self, name: object) -> Field | None:
        """The field of this name, the row's number among them."""
        return self._by_id.get(name) if isinstance(name, str) else None


@dataclass(frozen=True, eq=False)
class Table:
    """A table that the caller may read."""

    id: str
    """The name that clients know it by."""
    table: DataTable
    fields: Fields
    as_of: str | None = None
    """The release that is asked for, see `tables.version`; the fields are those of then."""


def found(
    who: Identity,
    name: str,
    *,
    sentence: str = 'Resource "{0}" was not found.',
    as_of: str | None = None,
) -> Table:
    """The table of this name; raises NotFound, or Denied as CKAN says it."""
    known = table_aliases.resolve(name)
    missing = NotFound(sentence.format(name[:200]))
    if known is None:
        raise missing
    try:
        table = tables.show(who, known.table_id)
    except (Denied, Unauthenticated) as error:
        raise not_allowed(who, "resource_show", name) from error
    except Gone as error:
        raise missing from error
    except NotFound as error:  # it is there, in a private dataset
        raise not_allowed(who, "resource_show", name) from error
    if as_of is None:
        return Table(known.name, table, fields_of(table, tables.columns_of(table)))
    columns = tables.version(who, table.id, as_of).columns
    return Table(known.name, table, fields_of(table, columns), as_of)


def not_allowed(who: Identity, what: str, name: str) -> Denied:
    """The refusal in CKAN's words."""
    return Denied(f"User {who.name} not authorized to perform {what} on resource {name[:200]}")


@lru_cache(maxsize=256)
def fields_of(table: DataTable, columns: tuple[Column, ...]) -> Fields:
    """The fields of the columns that the caller may see, kept: a table that was changed is another object."""
    said = {column.stored: column for column in table.columns}
    taken = {ID}
    fields = []
    for column in columns:
        name = column.name
        while name in taken:  # a column of the source may be called _id, too
            name += "_"
        taken.add(name)
        fields.append(_field(name, column, said.get(column.stored)))
    return Fields(fields)


def _field(name: str, column: Column, said: TableColumn | None) -> Field:
    """The field; nothing is said of a column that an earlier release had and the newest one has not."""
    kept = (said.info or {}).get(OURS) or {} if said else {}
    kind = ColumnType.STRING if column.masked else column.type
    return Field(
        name,
        column.name,
        type_of(kept.get("type"), kind),
        kept.get("info") or (_dictionary(said) if said else {}),
        masked=column.masked,
        indexed=bool(kept.get("index")),
    )


def _dictionary(said: TableColumn) -> dict[str, Any]:
    """CKAN's data dictionary of a column that was described elsewhere."""
    texts = {"label": said.label, "notes": said.description}
    info: dict[str, Any] = {
        name: next((by_tag[tag] for tag in ("zh", "en") if by_tag.get(tag)), "")
        for name, by_tag in texts.items()
    }
    return {name: text for name, text in info.items() if text}
