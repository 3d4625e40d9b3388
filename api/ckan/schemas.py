"""What each action of the DataStore takes."""

from __future__ import annotations

from typing import Any

from marshmallow import post_load

from api.ckan.validators import (
    REQUIRED,
    ActionSchema,
    Flag,
    FlagOr,
    JSONValue,
    Listed,
    Moment,
    Name,
    Objects,
    OneOf,
    TextOrObject,
    Whole,
)

DEFAULT_ROWS = 100
MOST_ROWS = 32_000
FORMATS = ("objects", "lists", "csv", "tsv")
METHODS = ("upsert", "insert", "update")
FILES = ("csv", "tsv", "json", "xml")


class _Question(ActionSchema):
    """What narrows rows, for searches and dumps."""

    q = TextOrObject()
    plain = Flag()
    filters = JSONValue()
    language = TextOrObject()
    offset = Whole(load_default=0)
    fields_ = Listed(data_key="fields", attribute="fields")
    sort = Listed(stripped=False)
    distinct = Flag(load_default=False)
    as_of = Moment()


class SearchSchema(_Question):
    """`datastore_search`."""

    resource_id = Name()
    limit = Whole(natural=True, load_default=DEFAULT_ROWS)
    include_total = Flag(load_default=True)
    records_format = OneOf(FORMATS, load_default="objects")
    include_next_page = Flag(load_default=False)
    full_text = TextOrObject()

    @post_load
    def limited(self, data: dict[str, Any], **_: Any) -> dict[str, Any]:
        """No page is longer than the longest."""
        data["limit"] = min(data["limit"], MOST_ROWS)
        return data


class DumpSchema(_Question):
    """`/datastore/dump/…`."""

    limit = Whole()
    format = OneOf(FILES, load_default="csv")
    bom = Flag(load_default=False)


class InfoSchema(ActionSchema):
    """`datastore_info`."""

    resource_id = Name()
    include_meta = Flag(load_default=True)
    include_fields_schema = Flag(load_default=True)


class _Writing(ActionSchema):
    force = Flag(load_default=False)
    calculate_record_count = FlagOr(("background",), load_default="background")


class CreateSchema(_Writing):
    """`datastore_create`, but for its fields, records and resource."""

    resource_id = TextOrObject()
    aliases = Listed()
    primary_key = Listed()
    indexes = Listed()
    delete_fields = Flag(load_default=False)
    include_records = Flag(load_default=False)


class UpsertSchema(_Writing):
    """`datastore_upsert`, but for its records."""

    resource_id = Name()
    method = OneOf(METHODS, load_default="upsert")
    include_records = Flag(load_default=False)
    dry_run = Flag(load_default=False)


class DeleteSchema(_Writing):
    """`datastore_delete`, but for its filters."""

    resource_id = Name()
    include_deleted_records = Flag(load_default=False)


class RecordsDeleteSchema(DeleteSchema):
    """`datastore_records_delete`."""

    filters = Objects(required=True, error_messages=REQUIRED)
