"""Datasets, resources and organizations as CKAN's dictionaries."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import g

from api.answers import address
from catalog.models.license import LICENSES
from catalog.models.text import pick
from catalog.models.vocabulary import Access

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset, Resource
    from catalog.models.organization import Organization

DATASTORE_ONLY = "datastore"
"""`url_type` of a resource that clients made for a table and may write without force."""
OWN = ("author", "author_email", "maintainer", "maintainer_email", "version")
"""Fields of a CKAN dataset that ours has no place for: kept among its extras, shown where CKAN has them."""


def package(dataset: Dataset) -> dict[str, Any]:
    """The dataset with its resources, as `package_show` gives it."""
    license_ = LICENSES.get(dataset.license_id, LICENSES["other"])
    extras = dict(dataset.extras or {})
    own = {name: extras.pop(name, None) for name in OWN}
    resources = [resource(one, dataset) for one in dataset.resources]
    return {
        "id": dataset.id,
        "name": dataset.slug,
        "title": text_of(dataset.title),
        "notes": text_of(dataset.description),
        "type": "dataset",
        "state": "active",
        "private": dataset.access != Access.OPEN,
        "url": dataset.landing_page or None,
        **own,
        "maintainer": own["maintainer"] or dataset.contact or None,
        "license_id": dataset.license_id,
        "license_title": dataset.license_text or license_.title_en,
        "license_url": license_.url or None,
        "isopen": license_.is_open,
        "metadata_created": moment(dataset.created_at),
        "metadata_modified": moment(dataset.updated_at),
        "creator_user_id": None,
        "owner_org": dataset.organization_id,
        "organization": organization(dataset.organization),
        "groups": [_group(theme) for theme in dataset.themes],
        "tags": [_tag(name) for name in dataset.tags],
        "num_tags": len(dataset.tags),
        "extras": [
            {"key": name, "value": _as_text(value)} for name, value in sorted(extras.items())
        ],
        "resources": resources,
        "num_resources": len(resources),
        "relationships_as_subject": [],
        "relationships_as_object": [],
    }


def resource(row: Resource, dataset: Dataset) -> dict[str, Any]:
    """The resource, as `resource_show` gives it."""
    ready = [table for table in row.tables if table.head]
    loaded = [table.loaded_at for table in ready if table.loaded_at]
    dump = ready[0].id if len(ready) > 1 else row.id
    return {
        "cache_last_updated": None,
        "cache_url": None,
        "hash": "",
        "mimetype_inner": None,
        "resource_type": None,
        "url_type": None,
        **(row.extras or {}),
        "id": row.id,
        "package_id": dataset.id,
        "name": text_of(row.title) or row.key,
        "description": text_of(row.description),
        "format": row.format,
        "mimetype": row.media_type or None,
        "url": row.url or address(f"/datastore/dump/{dump}"),
        "size": row.size,
        "position": row.position,
        "state": "active",
        "created": moment(row.created_at),
        "metadata_modified": moment(row.updated_at),
        "last_modified": moment(max(loaded)) if loaded else None,
        "datastore_active": len(ready) == 1,
        "datastore_tables": [table.id for table in ready],
    }


def organization(row: Organization) -> dict[str, Any]:
    """The department, as it stands in a dataset."""
    return {
        "id": row.id,
        "name": row.slug,
        "title": text_of(row.title),
        "type": "organization",
        "description": text_of(row.description),
        "image_url": "",
        "is_organization": True,
        "approval_status": "approved",
        "state": "active",
    }


def text_of(texts: dict[str, str]) -> str:
    """The text in the caller's language, or the best there is."""
    return pick(texts or {}, g.lang)[0]


def moment(value: datetime | None) -> str | None:
    """ISO 8601 in UTC with microseconds and without a zone, as CKAN writes moments."""
    if value is None:
        return None
    return value.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")


def _as_text(value: Any) -> str:
    """Extras of CKAN are texts; what is none is written as JSON."""
    return value if isinstance(value, str) else orjson.dumps(value).decode()


def _group(theme: Any) -> dict[str, Any]:
    title = text_of(theme.title)
    return {
        "id": theme.id,
        "name": theme.slug,
        "title": title,
        "display_name": title,
        "description": "",
        "image_display_url": "",
    }


def _tag(name: str) -> dict[str, Any]:
    return {
        "id": name,
        "name": name,
        "display_name": name,
        "state": "active",
        "vocabulary_id": None,
    }
