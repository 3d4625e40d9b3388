"""Resources: `resource_show`, `resource_create`, `…_update`, `…_patch`, `…_delete`, `…_search`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.ckan import dictized
from api.ckan.errors import Refused
from api.ckan.given import one, text_of
from api.ckan.package_writes import afresh, write
from api.ckan.packages import found
from api.ckan.registry import action, signed_in
from api.ckan.resource_checks import resource_problems
from api.ckan.resource_drafts import resource_draft
from api.ckan.validators import ActionSchema, Whole, checked
from catalog.errors import Conflict, Denied, Gone, NotFound
from catalog.permissions import Action, Identity, allowed
from catalog.services import dataset_changes, resources
from catalog.services.dataset_changes import Overtaken

MISSING = "Resource was not found."
MOST_FOUND = 1_000


class _SearchSchema(ActionSchema):
    offset = Whole(natural=True, load_default=0)
    limit = Whole(natural=True, load_default=MOST_FOUND)


@action(safe=True)
def resource_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the metadata of a resource.

    :param id: the id of the resource
    """
    row = shown(who, one(data))
    return dictized.resource(who, row)


@action(safe=True)
def resource_search(who: Identity, data: dict[str, Any]) -> Any:
    """Searches for resources in public datasets satisfying the search criteria.

    Matches ignore case; a term matches as a part of the field's value, one of hash as its beginning.

    :param query: the search criteria: a string of the form {field}:{term}, or a list of such
    :param order_by: a field of resources that orders the results
    :param offset: apply an offset to the query
    :param limit: apply a limit to the query (most: 1000)
    """
    given = checked(_SearchSchema(), data)
    query = data.get("query")
    if query is None:
        raise Refused({"query": "Missing value"})
    pairs = [query] if isinstance(query, str) else query
    if not isinstance(pairs, list) or not all(":" in str(pair) for pair in pairs):
        raise Refused({"query": "Must be <field>:<value> pair(s)"})
    terms = dict(str(pair).split(":", 1) for pair in pairs)
    unknown = next((name for name in terms if name not in resources.SEARCHED), None)
    if unknown is not None:
        raise Refused({"query": f'Field "{unknown}" not recognised in resource_search.'})
    rows, count = resources.find(
        who,
        terms,
        order_by=text_of(data.get("order_by")),
        limit=min(given["limit"], MOST_FOUND),
        offset=given["offset"],
    )
    return {"count": count, "results": [dictized.resource(who, row) for row in rows]}


@action()
@afresh
def resource_create(who: Identity, data: dict[str, Any]) -> Any:
    """Append a new resource to a dataset's list of resources.

    :param package_id: id or name of the dataset that the resource is added to
    :param url: address of the resource
    :param name, description, format, mimetype, size, hash, url_type and others: as in CKAN
    :param upload: a file (multipart/form-data) that is kept here, and loaded as a table where it holds any
    """
    signed_in(who, "resource_create")
    name = one(data, "package_id")
    dataset = found(who, name)
    if not allowed(who, Action.DATASET_WRITE, dataset):
        raise Denied(
            "User %(name)s not authorized to create resources on dataset %(id)s",
            name=who.name,
            id=name,
        )
    package = dictized.package(dataset, readable=True)
    before = {one["id"] for one in package["resources"]}
    changed = {**package, "resources": [*package["resources"], {"url": "", **data}]}
    _write(who, dataset, changed, len(before))
    after = dictized.package(found(who, dataset.id), readable=True)["resources"]
    return next(one for one in after if one["id"] not in before)  # others may follow it by now


@action()
@afresh
def resource_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update a resource. What is not given is removed; to change some fields only use resource_patch.

    :param id: the id of the resource to update
    :param upload: a file in the place of the present one
    :param clear_upload: forget the file; the resource is a link
    """
    signed_in(who, "resource_update")
    return _update(who, data, patch=False)


@action()
@afresh
def resource_patch(who: Identity, data: dict[str, Any]) -> Any:
    """Patch a resource: change what is given, and leave the rest as it is.

    :param id: the id of the resource
    """
    signed_in(who, "resource_patch")
    return _update(who, data, patch=True)


@action()
def resource_delete(who: Identity, data: dict[str, Any]) -> None:
    """Delete a resource from a dataset, with its table.

    :param id: the id of the resource
    """
    signed_in(who, "resource_delete")
    row = _own(who, data, "delete", said="")
    dataset_changes.remove_resource(who, row)


def create(who: Identity, data: Mapping[str, Any]) -> str:
    """Add the resource of a table that a client makes; its id. It is no change of what is described."""
    problems = resource_problems(data)
    if problems:
        raise Refused(problems)
    draft = resource_draft(data, None, ())
    try:
        return resources.add(who, one(data, "package_id"), draft, extras=draft.extras)
    except NotFound as error:
        raise NotFound("Package was not found.") from error
    except Conflict as error:
        raise Refused({"package_id": [str(error)]}) from error


def shown(who: Identity, resource_id: Any, *, said: str = "") -> Any:
    """The resource with its dataset and tables; raises NotFound or Denied in CKAN's words."""
    if not isinstance(resource_id, str) or not resource_id:
        raise Refused({"id": ["Missing value"]})
    try:
        return resources.show(who, resource_id)
    except (NotFound, Gone) as error:
        if resources.exists(resource_id):
            raise Denied(
                "User %(name)s not authorized to read resource %(id)s",
                name=who.name,
                id=resource_id,
            ) from error
        raise NotFound(said) from error


def _update(who: Identity, data: dict[str, Any], *, patch: bool) -> Any:
    row = _own(who, data, "edit", said=MISSING)
    dataset = dataset_changes.find(who, row.dataset_id)
    package = dictized.package(dataset, readable=True)
    at = next(at for at, one in enumerate(package["resources"]) if one["id"] == row.id)
    before = package["resources"][at] if patch else {}
    before.pop("metadata_modified", None)
    package["resources"][at] = {"url": "", **before, **data, "id": row.id}
    _write(who, dataset, package, at)
    return dictized.package(found(who, dataset.id), readable=True)["resources"][at]


def _own(who: Identity, data: Mapping[str, Any], doing: str, *, said: str) -> Any:
    """The resource that shall be changed; CKAN's words for who may not."""
    row = shown(who, one(data), said=said)
    if not allowed(who, Action.DATASET_WRITE, row.dataset):
        raise Denied(
            "User %(name)s not authorized to %(doing)s resource %(id)s",
            name=who.name,
            doing=doing,
            id=row.id,
        )
    return row


def _write(who: Identity, dataset: Any, package: dict[str, Any], at: int) -> None:
    """Write the dataset with its changed resource; problems of that one are those of the call."""
    try:
        write(who, dataset, package)
    except Refused as error:
        listed = error.problems.get("resources")
        own = listed[at] if isinstance(listed, list) and len(listed) > at else None
        raise Refused(own) if own else error from error
    except Overtaken:
        raise
    except Conflict as error:
        raise Refused({"message": [str(error)]}) from error
