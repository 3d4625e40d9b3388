"""Resources: `resource_show`, `resource_create`, `resource_delete`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from flask import g
from marshmallow import ValidationError

from api.ckan import dictized
from api.ckan.errors import Refused
from api.ckan.registry import action, signed_in
from catalog.errors import Conflict, Gone, NotFound
from catalog.permissions import Identity
from catalog.schemas.dataset import ResourceSchema
from catalog.schemas.drafts import ResourceDraft
from catalog.services import resources

MISSING = "Resource was not found."
_OURS = ("name", "description", "format", "mimetype", "url", "size", "package_id", "id", "upload")
_MADE = (
    "created",
    "position",
    "state",
    "datastore_active",
    "datastore_tables",
    "metadata_modified",
)
_MOST_BYTES = 50_000


@action(safe=True)
def resource_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the metadata of a resource.

    :param id: the id of the resource
    """
    row = shown(who, data.get("id"))
    return dictized.resource(row, row.dataset)


@action()
def resource_create(who: Identity, data: dict[str, Any]) -> Any:
    """Append a new resource to a dataset's list of resources.

    :param package_id: id or name of the dataset that the resource is added to
    :param url: address of the resource
    :param name, description, format, mimetype, size, hash, url_type and others: as in CKAN
    """
    signed_in(who, "resource_create")
    return dictized_of(who, create(who, data))


@action()
def resource_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete a resource from a dataset, with its table.

    :param id: the id of the resource
    """
    signed_in(who, "resource_delete")
    row = shown(who, data.get("id"))
    resources.remove(who, row.id)


def create(who: Identity, data: Mapping[str, Any]) -> str:
    """Add the resource that CKAN's dictionary describes; its id."""
    package_id = data.get("package_id")
    if not isinstance(package_id, str) or not package_id:
        raise Refused({"package_id": ["Missing value"]})
    if data.get("upload"):
        raise Refused({"upload": ["Files cannot be uploaded by this action"]})
    draft, extras = draft_of(data)
    try:
        return resources.add(who, package_id, draft, extras=extras)
    except NotFound as error:
        raise NotFound("Package was not found.") from error
    except Conflict as error:
        raise Refused({"package_id": [str(error)]}) from error


def shown(who: Identity, resource_id: Any) -> Any:
    """The resource with its dataset and tables; raises NotFound in CKAN's words."""
    if not isinstance(resource_id, str) or not resource_id:
        raise Refused({"id": ["Missing value"]})
    try:
        return resources.show(who, resource_id)
    except (NotFound, Gone) as error:
        raise NotFound(MISSING) from error


def dictized_of(who: Identity, resource_id: str) -> dict[str, Any]:
    """The resource as `resource_show` gives it."""
    row = resources.show(who, resource_id)
    return dictized.resource(row, row.dataset)


def draft_of(data: Any) -> tuple[ResourceDraft, dict[str, Any]]:
    """The draft of a resource that CKAN's dictionary describes, and what only CKAN's clients know of it."""
    if not isinstance(data, Mapping):
        raise Refused({"resources": ["Not a dict"]})
    name = str(data.get("name") or data.get("url") or "data")
    described = {
        "key": name[:480],
        "title": {g.lang: name} if data.get("name") else {},
        "description": {g.lang: data["description"]} if data.get("description") else {},
        "format": data.get("format") or "",
        "media_type": data.get("mimetype") or "",
        "url": data.get("url") or "",
        "size": _size(data.get("size")),
    }
    try:
        draft: ResourceDraft = ResourceSchema().load(described)
    except ValidationError as error:
        raise Refused(error.messages_dict) from error
    extras = {
        str(key): value
        for key, value in data.items()
        if key not in _OURS and key not in _MADE and value is not None
    }
    if len(orjson.dumps(extras, default=str)) > _MOST_BYTES:
        raise Refused({"__extras": [f"larger than {_MOST_BYTES} bytes"]})
    return draft, extras


def _size(value: Any) -> int | None:
    text = str(value if value is not None else "")
    return int(text) if text.isascii() and text.isdigit() else None
