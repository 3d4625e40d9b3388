"""Writing the DataStore: `datastore_upsert`, `datastore_delete`, `datastore_records_delete`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from api.ckan.datastore import written
from api.ckan.errors import Refused
from api.ckan.filters import condition_of
from api.ckan.given_records import checked_records, for_change, for_insert
from api.ckan.registry import action
from api.ckan.schemas import MOST_ROWS, DeleteSchema, RecordsDeleteSchema, UpsertSchema
from api.ckan.tables import ID_FIELD, Table
from api.ckan.target import Target, target
from api.ckan.validators import checked
from catalog.permissions import Identity
from catalog.services import table_columns, table_records, table_writes, tables
from catalog.services.table_records import Numbered, TakenKey, UnknownRow
from catalog.tabular.query import Condition, In, TableQuery

TAKEN = 'duplicate key value violates unique constraint "{0}_key"'
_PARAMETERS = frozenset(
    {"id", "resource_id", "force", "calculate_record_count", "include_deleted_records", "filters"}
)


@action()
def datastore_upsert(who: Identity, data: dict[str, Any]) -> Any:
    """Updates or inserts into a table in the DataStore.

    :param resource_id: resource id that the data is going to be stored under
    :param force: set to True to edit a read-only table
    :param records: the data, e.g. [{"dob": "2005", "some_stuff": ["a", "b"]}]
    :param include_records: return the full values of the records (default: False)
    :param method: upsert (default), insert or update; upsert and update need a unique key or _id
    :param dry_run: set to True to find out what would go wrong, without keeping anything
    """
    given = checked(UpsertSchema(), data)
    about = target(who, given["resource_id"], "datastore_upsert", force=given.pop("force"))
    table = about.table(who)
    method = given["method"] or "upsert"
    records = checked_records(data.get("records"))
    numbers = bring(who, table, records, method, keep=not given["dry_run"])
    result = {"resource_id": about.name, "method": method}
    if given["dry_run"]:
        result["dry_run"] = True
    if given.pop("include_records"):
        result["records"] = [] if given["dry_run"] else rows_of(who, about.table(who), numbers)
    return result


@action()
def datastore_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Deletes a table or a set of records from the DataStore.

    :param resource_id: resource id that the data will be deleted from
    :param force: set to True to edit a read-only resource
    :param filters: which records to delete, e.g. {"name": "fred"}; {} deletes all records. If it is
        missing, the whole table is deleted, with its data dictionary and its aliases
    :param include_deleted_records: return the full values of deleted records (default: False)
    """
    given = checked(DeleteSchema(), data)
    filters = data.get("filters")
    if filters is not None and not isinstance(filters, dict):
        raise Refused({"filters": ["filters must be either a dict or null."]})
    return _delete(who, "datastore_delete", data, given, filters)


@action()
def datastore_records_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Deletes records from a DataStore table but will never remove the table itself.

    :param resource_id: resource id that the data will be deleted from
    :param force: set to True to edit a read-only resource
    :param filters: which records to delete, e.g. {"name": "fred"}; {} deletes all records
    :param include_deleted_records: return the full values of deleted records (default: False)
    """
    given = checked(RecordsDeleteSchema(), data)
    return _delete(who, "datastore_records_delete", data, given, given["filters"])


def bring(
    who: Identity,
    table: Table,
    records: Sequence[Mapping[str, Any]],
    method: str,
    *,
    keep: bool = True,
) -> list[int]:
    """Write the records; the numbers of the rows that they became. Raises Refused in CKAN's words."""
    if not records:
        return []
    if method == "insert":
        types = {field.id: field.type for field in table.fields}
        made = [Numbered(None, values) for values in for_insert(records, types)]
    else:
        made = for_change(records, table.fields, table.table.primary_key)
    named = [_published(one, table) for one in made]
    try:
        return table_records.write(who, table.table.id, named, method, keep=keep).numbers
    except TakenKey as error:
        said = [TAKEN.format(table.id)]
        raise Refused({"records": said, "records_row": error.at}) from error
    except UnknownRow as error:
        raise Refused({"key": [f'key "{error.key}" not found']}) from error


def rows_of(who: Identity, table: Table, numbers: Sequence[int]) -> Any:
    """The rows of these numbers, as records."""
    fields = [ID_FIELD, *table.fields]
    found: list[Any] = []
    for start in range(0, min(len(numbers), MOST_ROWS), 1_000):
        part = tuple(numbers[start : start + 1_000])
        where = In(ID_FIELD.name, part)
        found += _read(who, table, fields, where, limit=len(part))
    places = {number + 1: at for at, number in enumerate(numbers)}
    return sorted(found, key=lambda record: places[record["_id"]])


def _read(
    who: Identity, table: Table, fields: list[Any], where: Condition | None, *, limit: int
) -> list[Any]:
    select = tuple(field.name for field in fields)
    query = TableQuery(select=select, where=where, limit=limit)
    page = tables.rows(who, table.table.id, query)
    records: list[Any] = written(page.data, fields, "objects")
    return records


def _published(record: Numbered, table: Table) -> Numbered:
    """The record under the names that the table's columns are published by."""
    names = {field.id: field.name for field in table.fields}
    values = {names[name]: value for name, value in record.values.items()}
    return Numbered(record.number, values)


def _delete(
    who: Identity,
    action_name: str,
    data: Mapping[str, Any],
    given: Mapping[str, Any],
    filters: dict[str, Any] | None,
) -> dict[str, Any]:
    about = target(who, given["resource_id"], action_name, force=given["force"])
    table = about.table(who)
    result: dict[str, Any] = {"resource_id": about.name}
    if filters is None:
        _drop(who, about)
        return result
    unknown = [name for name in data if name not in _PARAMETERS]
    if unknown:
        raise Refused({"__extras": [f'invalid value "{unknown[0]}"']})
    where = condition_of(filters, table.fields)
    result["filters"] = filters
    if given["include_deleted_records"]:
        fields = [ID_FIELD, *table.fields]
        result["deleted_records"] = _read(who, table, fields, where, limit=MOST_ROWS)
    table_writes.delete(who, table.table.id, where=where)
    return result


def _drop(who: Identity, about: Target) -> None:
    if about.table_id is not None:
        table_columns.drop(who, about.table_id)
