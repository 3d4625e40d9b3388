"""Datasets, resources and organizations as CKAN's dictionaries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import g

from api.answers import address
from api.ckan import formats, licenses
from api.ckan.names import ROOT
from catalog.models.text import pick
from catalog.models.vocabulary import State
from catalog.services import catalogue, dataset_changes

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset, Resource
    from catalog.models.organization import Organization
    from catalog.permissions import Identity
    from catalog.services.dataset_rows import DatasetRow, OrganizationRow, ResourceRow

DATASTORE_ONLY = "datastore"
"""`url_type` of a resource that clients made for a table and may write without force."""
OWN = ("author", "author_email", "maintainer", "maintainer_email", "version")
"""Fields of a CKAN dataset that ours has no place for: kept among its extras, shown where CKAN has them."""
_ELSEWHERE = frozenset((*OWN, "type", "url", "license_id"))
_INSIDE = ("upload", "file", "nameless")
"""What stands among a resource's extras for ourselves only."""
STATES = {State.PUBLISHED: "active", State.DRAFT: "draft", State.WITHDRAWN: "deleted"}


def package(dataset: Dataset | DatasetRow, *, readable: bool) -> dict[str, Any]:
    """The dataset with its resources, as `package_show` gives it.

    `readable` says whether the reader may have the data (`catalogue.is_readable`), and so its addresses.
    """
    language = g.lang
    extras = dataset.extras or {}
    resources = [_resource(one, language, readable=readable) for one in dataset.resources]
    tags = sorted((_tag(row) for row in dataset.tag_rows), key=_name)
    return {
        **{name: extras.get(name) for name in OWN},
        "creator_user_id": dataset.creator_id,
        "id": dataset.id,
        **_license(dataset),
        "maintainer": extras.get("maintainer") or dataset.contact or None,
        "metadata_created": moment(dataset.created_at),
        "metadata_modified": moment(dataset.updated_at),
        "name": dataset.slug,
        "notes": _text(dataset.description, language) or None,
        "num_resources": len(resources),
        "num_tags": len(tags),
        "organization": _organization(dataset.organization, language),
        "owner_org": dataset.organization_id,
        "private": dataset.private,
        "state": STATES[State(dataset.state)],
        "title": _text(dataset.title, language),
        "type": extras.get("type") or "dataset",
        "url": dataset.landing_page or extras.get("url"),
        "extras": extras_list({**extras, **(dataset.custom or {})}),
        "groups": [_group(theme, language) for theme in dataset.themes],
        "resources": resources,
        "tags": tags,
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def extras_list(extras: Mapping[str, Any]) -> list[dict[str, str]]:
    """What stands among the extras and has no field of CKAN's, sorted.

    A source's word that is a field's name in CKAN has another name: clients must be able to send back what they read.
    """
    return [
        {"key": f"source_{name}" if name in ROOT else name, "value": as_text(value)}
        for name, value in sorted(extras.items())
        if name not in _ELSEWHERE
    ]


def packages(who: Identity, datasets: Iterable[Dataset]) -> list[dict[str, Any]]:
    """Datasets that may be read, in their order, each with all that its dictionary shows."""
    ids = [dataset.id for dataset in datasets]
    found = {dataset.id: dataset for dataset in dataset_changes.of_ids(ids)}
    return [
        package(found[id_], readable=catalogue.is_readable(who, found[id_]))
        for id_ in ids
        if id_ in found
    ]


def license_id(extras: Mapping[str, Any], ours: str) -> str | None:
    """The id that a client gave the licence, or ours; None where none was ever chosen."""
    given = licenses.stated("", extras)
    return given or (None if ours == "notspecified" else ours)


def resource(who: Identity, row: Resource) -> dict[str, Any]:
    """The resource, whose dataset is loaded, as `resource_show` gives it."""
    return _resource(row, g.lang, readable=catalogue.is_readable(who, row.dataset))


def _resource(row: Resource | ResourceRow, language: str, *, readable: bool) -> dict[str, Any]:
    ready = [table for table in row.tables if table.head] if row.tables else []
    extras = row.extras or {}
    told = {
        "cache_last_updated": None,
        "cache_url": None,
        "created": moment(row.created_at),
        "datastore_active": len(ready) == 1,
        "datastore_tables": [table.id for table in ready],
        "description": _text(row.description, language) or None,
        "format": formats.spelled(row.format),
        "hash": "",
        "id": row.id,
        "last_modified": loaded_at(row),
        "metadata_modified": moment(row.updated_at),
        "mimetype": row.media_type or None,
        "mimetype_inner": None,
        "name": _text(row.title, language) or (None if "nameless" in extras else row.key),
        "package_id": row.dataset_id,
        "position": row.position,
        "resource_type": None,
        "size": row.size,
        "state": "active",
        "url": _url(row, [table.id for table in ready]) if readable else "",
        "url_type": None,
    }
    if extras:
        further = with_addresses(extras, readable=readable)
        told.update((name, value) for name, value in further.items() if name not in _INSIDE)
    return told


def with_addresses(values: Mapping[str, Any], *, readable: bool) -> Mapping[str, Any]:
    """The values; for who may not have the data, without those that hold an address."""
    if readable:
        return values
    return {name: value for name, value in values.items() if "://" not in as_text(value)}


def loaded_at(row: Resource | ResourceRow) -> str | None:
    """When its tables last changed."""
    if not row.tables:
        return None
    loaded = [table.loaded_at for table in row.tables if table.head and table.loaded_at]
    return moment(max(loaded)) if loaded else None


def _organization(row: Organization | OrganizationRow, language: str) -> dict[str, Any]:
    """The department, as it stands in a dataset."""
    return {
        "id": row.id,
        "name": row.slug,
        "title": _text(row.title, language),
        "type": "organization",
        "description": _text(row.description, language),
        "image_url": row.image_url or "",
        "created": moment(row.created_at),
        "is_organization": True,
        "approval_status": "approved",
        "state": "active" if row.deleted_at is None else "deleted",
    }


def text_of(texts: Mapping[str, str]) -> str:
    """The text in the caller's language, or the best there is."""
    return _text(texts, g.lang)


def _text(texts: Mapping[str, str], language: str) -> str:
    return pick(texts or {}, language)[0]


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds and without a zone, as CKAN writes moments."""
    if value is None:
        return None
    written = orjson.dumps(value.astimezone(UTC))[1:27].decode()  # five times as fast as isoformat
    return written if value.microsecond else f"{written[:19]}.000000"


def as_text(value: Any) -> str:
    """Extras of CKAN are texts; what is none is written as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _url(row: Resource | ResourceRow, tables: list[str]) -> str:
    """The address of the link, the file, or of the table as a file."""
    if row.extras and row.file_path:
        return address(row.file_path)
    if row.url or not tables:
        return row.url
    return address(f"/datastore/dump/{row.id if len(tables) == 1 else tables[0]}")


def _license(dataset: Dataset | DatasetRow) -> dict[str, Any]:
    id_ = license_id(dataset.extras or {}, dataset.license_id)
    known = licenses.known(id_) if id_ else None
    told = {
        "isopen": bool(known and known.is_open),
        "license_id": id_,
        "license_title": dataset.license_text or (known.title_en if known else id_),
    }
    return {**told, "license_url": known.url} if known and known.url else told


def _group(theme: Any, language: str) -> dict[str, Any]:
    title = _text(theme.title, language)
    return {
        "description": _text(theme.description, language),
        "display_name": title,
        "id": theme.id,
        "image_display_url": theme.image_url or "",
        "name": theme.slug,
        "title": title,
    }


def _name(tag: Mapping[str, Any]) -> str:
    return str(tag["name"])


def _tag(row: Any) -> dict[str, Any]:
    return {
        "display_name": row.name,
        "id": row.id,
        "name": row.name,
        "state": "active",
        "vocabulary_id": row.vocabulary_id,
    }
