"""Views of resources: `resource_view_list`, `resource_view_create` and their kin."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from api.ckan import dictized
from api.ckan.errors import Refused
from api.ckan.given import MISSING, flag, objects, one, required, text, texts, uuid_of
from api.ckan.registry import action, signed_in
from api.ckan.resource_checks import fault_of_settings
from api.ckan.resources import shown
from catalog.errors import NotFound
from catalog.permissions import Identity
from catalog.services import catalogue, views
from catalog.services.views import ViewDraft

if TYPE_CHECKING:
    from catalog.models.dataset import Resource
    from catalog.models.view import ResourceView

TYPES = {
    "datatables_view": "Table",
    "image_view": "Image",
    "text_view": "Text",
    "webpage_view": "Website",
    "video_view": "Video",
    "audio_view": "Audio",
    "recline_view": "Data Explorer",
    "recline_grid_view": "Grid",
    "recline_graph_view": "Graph",
    "recline_map_view": "Map",
    "pdf_view": "PDF",
    "geo_view": "Map viewer",
    "geojson_view": "Map",
    "shp_view": "Map",
}
"""Kinds of views that may be stored, with the title of one that is made by itself."""
IMAGES = ("PNG", "JPG", "JPEG", "GIF", "SVG", "WEBP")
OWN = ("id", "resource_id", "title", "description", "view_type", "package_id")


def view(who: Identity, row: ResourceView, resource: Resource) -> dict[str, Any]:
    """The view as CKAN's dictionary: its settings stand beside its own fields."""
    readable = catalogue.is_readable(who, resource.dataset)
    return {
        **dictized.with_addresses(row.config, readable=readable),
        "id": row.id,
        "resource_id": row.resource_id,
        "package_id": resource.dataset_id,
        "view_type": row.view_type,
        "title": row.title,
        "description": row.description,
    }


@action(safe=True)
def resource_view_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the metadata of a resource view.

    :param id: the id of the resource view
    """
    row, resource = _found(who, one(data))
    return view(who, row, resource)


@action(safe=True)
def resource_view_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return the list of the views of a resource, in their order.

    :param id: the id of the resource
    """
    resource = shown(who, one(data))
    return [view(who, row, resource) for row in views.of(resource.id)]


@action()
def resource_view_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new resource view. For those who may edit the dataset.

    :param resource_id: the id of the resource
    :param title: the title of the view
    :param view_type: its kind, such as datatables_view or image_view
    :param description: a description (optional)
    :param filters and others: settings of the kind of view, kept as they are (optional)
    """
    signed_in(who, "resource_view_create")
    resource_id, view_type = required(data, "resource_id", "view_type")
    if view_type not in TYPES:
        raise Refused({"view_type": f"No plugin found for view_type {view_type[:100]}"})
    try:
        resource = shown(who, resource_id)
    except NotFound as error:
        raise Refused({"resource_id": [f"Resource not found: {resource_id[:120]}"]}) from error
    draft = _draft(data, ViewDraft("", view_type=view_type))
    row = views.add(who, resource, draft, own_id=_own_id(who, data))
    return view(who, row, resource)


@action()
def resource_view_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update a resource view: its title and description stay where they are not given, its settings do not.

    For those who may edit the dataset.

    :param id: the id of the resource view
    :param title, description, filters and others: see resource_view_create
    """
    signed_in(who, "resource_view_update")
    row, resource = _found(who, one(data))
    before = ViewDraft(row.title, row.description, row.view_type)
    views.change(who, resource, row, _draft(data, before))
    return view(who, row, resource)


@action()
def resource_view_delete(who: Identity, data: dict[str, Any]) -> Any:
    """Delete a resource view.

    :param id: the id of the resource view
    """
    signed_in(who, "resource_view_delete")
    row, resource = _found(who, one(data))
    views.remove(who, resource, row)
    return {"resource_id": resource.id}


@action()
def resource_view_reorder(who: Identity, data: dict[str, Any]) -> Any:
    """Reorder the views of a resource; those that are not named follow the others.

    :param id: the id of the resource
    :param order: list of ids of views
    """
    signed_in(who, "resource_view_reorder")
    problems = {name: [MISSING] for name in ("id", "order") if data.get(name) in (None, "", [])}
    if problems:
        raise Refused(problems)
    order = data["order"]
    if not isinstance(order, list):
        raise Refused({"order": "Must supply order as a list"})
    named = [str(view_id) for view_id in order]
    if len(named) != len(set(named)):
        raise Refused({"order": "No duplicates allowed in order"})
    resource = shown(who, one(data))
    there = [row.id for row in views.of(resource.id)]
    for view_id in named:
        if view_id not in there:
            raise Refused({"order": f"View {view_id[:100]} does not exist"})
    whole = [*named, *(view_id for view_id in there if view_id not in named)]
    views.reorder(who, resource, whole)
    return {"id": resource.id, "order": whole}


@action()
def resource_view_clear(who: Identity, data: dict[str, Any]) -> Any:
    """Delete all resource views, or all of these kinds. For administrators.

    :param view_types: list of kinds of views (optional)
    """
    signed_in(who, "resource_view_clear")
    views.clear(who, texts(data, "view_types"))


@action()
def resource_create_default_resource_views(who: Identity, data: dict[str, Any]) -> Any:
    """Create the views that a resource has by default, if it has none of their kind yet.

    :param resource: dictionary of the resource, with its id
    :param create_datastore_views: the table of a resource with data, instead of the picture of a file
    """
    signed_in(who, "resource_create_default_resource_views")
    resource = data.get("resource")
    if not isinstance(resource, Mapping):
        raise Refused({"resource": [MISSING]})
    return _made(who, resource, tables=flag(data, "create_datastore_views"))


@action()
def package_create_default_resource_views(who: Identity, data: dict[str, Any]) -> Any:
    """Create the views that the resources of a dataset have by default.

    :param package: dictionary of the dataset, with its resources
    :param create_datastore_views: the tables of resources with data, instead of the pictures of files
    """
    signed_in(who, "package_create_default_resource_views")
    package = data.get("package")
    if not isinstance(package, Mapping):
        raise Refused({"package": [MISSING]})
    tables = flag(data, "create_datastore_views")
    return [
        made
        for resource in objects(package, "resources")
        for made in _made(who, resource, tables=tables)
    ]


def _made(who: Identity, given: Mapping[str, Any], *, tables: bool) -> list[dict[str, Any]]:
    resource = shown(who, one(given))
    kind = ""
    if tables and any(table.head for table in resource.tables):
        kind = "datatables_view"
    elif not tables and resource.format.upper() in IMAGES:
        kind = "image_view"
    if not kind or any(row.view_type == kind for row in views.of(resource.id)):
        return []
    row = views.add(who, resource, ViewDraft(TYPES[kind], view_type=kind))
    return [view(who, row, resource)]


def _found(who: Identity, view_id: str) -> tuple[ResourceView, Resource]:
    row = views.find(view_id)
    if row is None:
        raise NotFound("Resource view was not found.")
    return row, shown(who, row.resource_id)


def _draft(data: Mapping[str, Any], before: ViewDraft) -> ViewDraft:
    problems: dict[str, Any] = {}
    title = text(data, "title", before.title).strip()
    if not title:
        problems["title"] = [MISSING]
    elif len(title) > 500:
        problems["title"] = ["Must be a maximum of 500 characters long"]
    config = {name: value for name, value in data.items() if name not in OWN}
    if fault := fault_of_settings(config):
        problems["__extras"] = [fault]
    fields, values = data.get("filter_fields"), data.get("filter_values")
    if fields or values:
        config |= _filters(fields, values, problems)
    if problems:
        raise Refused(problems)
    description = text(data, "description", before.description)[:10_000]
    return ViewDraft(title, description, before.view_type, config)


def _filters(fields: Any, values: Any, problems: dict[str, Any]) -> dict[str, Any]:
    """Filters as CKAN's form sends them: a list of columns beside a list of values."""
    names = fields if isinstance(fields, list) else [fields] if fields else []
    wanted = values if isinstance(values, list) else [values] if values else []
    if len(names) != len(wanted):
        said = '"filter_fields" and "filter_values" should have the same length'
        problems |= {"filter_fields": [said], "filter_values": [said]}
        return {}
    filters: dict[str, list[Any]] = {}
    for name, value in zip(names, wanted, strict=True):
        filters.setdefault(str(name), []).append(value)
    return {"filters": filters}


def _own_id(who: Identity, data: Mapping[str, Any]) -> str:
    wanted = text(data, "id")
    if not wanted:
        return ""
    if not who.administrator:
        raise Refused({"id": ["The input field id was not expected."]})
    own_id = uuid_of(wanted)
    if not own_id:
        raise Refused({"id": ["Invalid id provided"]})
    if views.find(own_id) is not None:
        raise Refused({"id": ["ResourceView id already exists"]})
    return own_id
