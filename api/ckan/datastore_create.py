"""`datastore_create`: a table of a resource, or more of one that is there: fields, records, key, aliases."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from api.ckan.datastore_writes import TAKEN, bring, rows_of
from api.ckan.dictized import DATASTORE_ONLY
from api.ckan.errors import Refused
from api.ckan.fields import GivenField, checked_fields, is_alias, wanted_fields
from api.ckan.given_records import checked_records, for_insert
from api.ckan.registry import action, signed_in
from api.ckan.resources import create as create_resource
from api.ckan.schemas import CreateSchema
from api.ckan.tables import OURS, Table, found
from api.ckan.target import Target, known, target
from api.ckan.texts import language_of
from api.ckan.validators import checked
from catalog.errors import Conflict
from catalog.permissions import Identity
from catalog.services import resources, table_aliases, table_columns, table_dictionary
from catalog.services.table_columns import AddColumn, DropColumn
from catalog.services.table_dictionary import Said

UNIQUE = "Cannot insert records or create index because of uniqueness constraint"
Undo = Callable[[], None]


@action()
def datastore_create(who: Identity, data: dict[str, Any]) -> Any:
    """Adds a new table to the DataStore, or alters one and adds records to it.

    :param resource_id: resource id that the data is going to be stored against
    :param resource: resource dictionary that is passed to resource_create, instead of resource_id
    :param force: set to True to edit a read-only table
    :param fields: fields and their extra metadata: [{"id": "year", "type": "int", "info": {…}}]
    :param delete_fields: set to True to remove existing fields not passed
    :param records: the data, e.g. [{"dob": "2005", "some_stuff": ["a", "b"]}]
    :param include_records: return the full values of inserted records (default: False)
    :param primary_key: fields that represent a unique key; replaces the one before
    :param aliases: names for read only aliases of the resource; they replace those before
    :param indexes: accepted and told by datastore_info; every field is indexed anyway
    """
    records, resource = data.pop("records", None), data.pop("resource", None)
    fields = checked_fields(data.get("fields"))
    given = checked(CreateSchema(), data)
    _check(who, data, given, resource)
    signed_in(who, "datastore_create")
    with _all_or_nothing() as undo:
        about = _target(who, given, resource, undo)
        made = _Making(who, about, given, checked_records(records), undo)
        return made.result(fields)


def _check(who: Identity, data: Mapping[str, Any], given: Mapping[str, Any], resource: Any) -> None:
    """Refuse what can be refused without knowing who calls, in CKAN's order."""
    resource_id = given.get("resource_id")
    if resource_id and known(who, str(resource_id)) is None:
        raise Refused({"resource_id": [f"Resource not found: {resource_id}"]})
    if data.get("triggers"):
        raise Refused({"triggers": ["functions in the database are not offered here"]})
    if resource and resource_id:
        raise Refused({"resource": ["resource cannot be used with resource_id"]})
    if not resource and not resource_id:
        raise Refused({"resource_id": ["resource_id or resource required"]})
    if resource:
        _check_resource(resource)
    for alias in given.get("aliases") or ():
        if not isinstance(alias, str) or not is_alias(alias):
            raise Refused({"alias": [f'"{alias}" is not a valid alias name']})


def _check_resource(resource: Any) -> None:
    if not isinstance(resource, dict):
        raise Refused({"resource": ["Must be a dict"]})
    if "url" in resource:
        raise Refused({"resource": ["The datapusher has to be enabled."]})


def _target(who: Identity, given: Mapping[str, Any], resource: Any, undo: list[Undo]) -> Target:
    if not resource:
        name = str(given["resource_id"])
        return target(who, name, "datastore_create", force=given["force"])
    resource_id = create_resource(who, {**resource, "url_type": DATASTORE_ONLY})
    undo.append(lambda: resources.remove(who, resource_id))
    return Target(resource_id, resources.show(who, resource_id), None)


@contextmanager
def _all_or_nothing() -> Iterator[list[Undo]]:
    """Take back what was done, the latest first, when something later fails."""
    undo: list[Undo] = []
    try:
        yield undo
    except BaseException:
        for back in reversed(undo):
            back()
        raise


class _Making:
    """One call: the table is made or altered, then filled."""

    def __init__(
        self,
        who: Identity,
        about: Target,
        given: Mapping[str, Any],
        records: list[Mapping[str, Any]],
        undo: list[Undo],
    ) -> None:
        self.who, self.about, self.given = who, about, given
        self.records, self.undo = records, undo
        self.key: list[Any] | None = given.get("primary_key")

    def result(self, fields: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
        """What the call answers."""
        before = found(self.who, self.about.table_id) if self.about.table_id else None
        wanted = wanted_fields(fields, self.records, before.fields if before else None)
        if before is None and not wanted:
            return self._nothing_yet()
        names = self._names(before, wanted, fields)
        self._check_keys(names)
        types = {field.id: field.type for field in before.fields} if before else {}
        for_insert(self.records, types | {field.id: field.type for field in wanted})
        table = self._altered(before, wanted, names) if before else self._made(wanted)
        numbers = bring_all(self, table)
        if self.given.get("aliases") is not None:
            self._set_aliases(table)
        return self._told(table, wanted, numbers)

    def _nothing_yet(self) -> dict[str, Any]:
        """A table is made with its first field; until then there is only the resource."""
        if self.key or self.given.get("aliases") or self.given.get("indexes"):
            raise Refused({"fields": ["a table needs at least one field"]})
        return {"resource_id": self.about.name, "fields": []}

    def _names(
        self,
        before: Table | None,
        wanted: Sequence[GivenField],
        fields: Sequence[Mapping[str, Any]],
    ) -> list[str]:
        """The fields that the table has in the end."""
        there = [field.id for field in before.fields] if before else []
        added = [field.id for field in wanted if field.id not in there]
        if self.given["delete_fields"] and fields:
            kept = {field.id for field in wanted}
            there = [name for name in there if name in kept]
        return there + added

    def _check_keys(self, names: Sequence[str]) -> None:
        indexes = self.given.get("indexes") or []
        for index in [*indexes, *([self.key] if self.key else [])]:
            for name in index if isinstance(index, list) else [index]:
                if name not in names:
                    said = f'The field "{index}" is not a valid column name.'
                    raise Refused({"index": [said]})

    def _made(self, wanted: Sequence[GivenField]) -> Table:
        resource_id = self.about.resource.id
        columns = [(field.id, field.type.column) for field in wanted]
        made = table_columns.create(
            self.who, resource_id, columns, primary_key=self.key or (), reason="datastore_create"
        )
        self.undo.append(lambda: table_columns.drop(self.who, made.id))
        self._describe(made.id, wanted)
        return found(self.who, made.id)

    def _altered(self, before: Table, wanted: Sequence[GivenField], names: Sequence[str]) -> Table:
        table_id = before.table.id
        there = {field.id: field.name for field in before.fields}
        added = [field for field in wanted if field.id not in there]
        dropped = [name for name in there if name not in names]
        if added:
            adding = [AddColumn(field.id, field.type.column) for field in added]
            table_columns.change_columns(self.who, table_id, adding, reason="datastore_create")
            back = [DropColumn(field.id) for field in added]
            self.undo.append(lambda: _drop_again(self.who, table_id, back))
        self._describe(table_id, wanted, added)
        self._set_key(before)
        if dropped:
            dropping = [DropColumn(there[name]) for name in dropped]
            table_columns.change_columns(self.who, table_id, dropping, reason="datastore_create")
        return found(self.who, table_id)

    def _set_key(self, before: Table) -> None:
        old = list(before.table.primary_key or [])
        if self.key is None or sorted(self.key) == sorted(old):
            return
        try:
            table_columns.set_key(self.who, before.table.id, self.key)
        except Conflict as error:
            raise not_unique(before) from error
        self.undo.append(lambda: table_columns.set_key(self.who, before.table.id, old))

    def _describe(
        self, table_id: str, wanted: Sequence[GivenField], new: Sequence[GivenField] | None = None
    ) -> None:
        """Keep what the client said of types, labels and indexes."""
        indexed = {
            name
            for index in self.given.get("indexes") or ()
            for name in (index if isinstance(index, list) else [index])
        }
        fresh = {field.id for field in (wanted if new is None else new)}
        said = {field.id: _said(field, indexed, fresh) for field in wanted}
        table_dictionary.describe(self.who, table_id, said)

    def _set_aliases(self, table: Table) -> None:
        try:
            table_aliases.set_aliases(self.who, table.table.id, self.given["aliases"])
        except Conflict as error:
            name = error.context.get("alias")
            raise Refused({"alias": [f'The alias "{name}" already exists.']}) from error

    def _told(
        self, table: Table, wanted: Sequence[GivenField], numbers: Sequence[int]
    ) -> dict[str, Any]:
        told = {
            name: self.given[name]
            for name in ("aliases", "primary_key", "indexes")
            if self.given.get(name) is not None
        }
        result = {
            "resource_id": self.about.name,
            "fields": [field.told() for field in wanted]
            or [{"id": field.id, "type": field.type.name} for field in table.fields],
            **told,
        }
        if self.given["include_records"]:
            result["records"] = rows_of(self.who, table, numbers)
        return result


def bring_all(making: _Making, table: Table) -> list[int]:
    """Insert the records; a key that was given with them makes its violation one of the constraint."""
    try:
        return bring(making.who, table, making.records, "insert")
    except Refused as error:
        if making.key and error.problems.get("records") == [TAKEN.format(table.id)]:
            raise not_unique(table) from error
        raise


def not_unique(table: Table) -> Refused:
    """The refusal of a key that does not tell rows apart."""
    info = {"orig": f'could not create unique index "{table.id}_key"', "pgcode": "23505"}
    return Refused({"constraints": [UNIQUE], "info": info})


def _drop_again(who: Identity, table_id: str, changes: Sequence[DropColumn]) -> None:
    table_columns.change_columns(who, table_id, changes, reason="datastore_create taken back")


def _said(field: GivenField, indexed: set[str], fresh: set[str]) -> Said:
    kept: dict[str, Any] = {"type": field.type.name, "index": field.id in indexed}
    if field.info is None:
        return Said(info={OURS: kept} if field.id in fresh else {})
    label, notes = field.info.get("label"), field.info.get("notes")
    return Said(
        label={language_of(str(label), {}): str(label)} if label else None,
        description={language_of(str(notes), {}): str(notes)} if notes else None,
        info={OURS: {**kept, "info": dict(field.info)}},
    )
