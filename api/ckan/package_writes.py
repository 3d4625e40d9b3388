"""Writing datasets: create, update, patch, delete, purge, move, order of resources, many at once."""

from __future__ import annotations

from collections.abc import Mapping
from functools import wraps
from typing import TYPE_CHECKING, Any

from api.ckan import dictized, prepared, uploads
from api.ckan.errors import Refused, problems_by_field
from api.ckan.given import one, text_of
from api.ckan.package_checks import check, is_name_taken
from api.ckan.package_drafts import NAMES, changed_draft, new_draft
from api.ckan.packages import found
from api.ckan.registry import Changed, Run, action, signed_in
from catalog.errors import Conflict, Denied, Invalid, NotFound
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, allowed
from catalog.services import dataset_changes
from catalog.services.dataset_changes import Overtaken

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

STATES = {shown: state for state, shown in dictized.STATES.items()}
MOST_AT_ONCE = 1_000
TRIES = 20
"""How often a call reads, changes and writes; each time another call has been faster, so some get through."""


def afresh(run: Run) -> Run:
    """Makes an action begin again where somebody else wrote the dataset between its reading and its writing."""

    @wraps(run)
    def again(who: Identity, data: dict[str, Any]) -> Any:
        for left in reversed(range(TRIES)):
            try:
                return run(who, data)
            except Overtaken:
                if not left:
                    raise
        return None

    return again


@action()
def package_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new dataset (package).

    :param name: the name of the new dataset, between 2 and 100 characters long, of lower-case letters,
        digits, - and _
    :param title: the title (default: the name)
    :param private: if True creates a private dataset
    :param author, author_email, maintainer, maintainer_email, license_id, notes, url, version: (optional)
    :param state: active (default), draft or deleted; ignored unless a sysadmin asks
    :param type: the type of the dataset (optional)
    :param resources: the dataset's resources, see resource_create
    :param tags: the dataset's tags: dictionaries with name and, for a tag of a vocabulary, vocabulary_id
    :param tag_string: names of tags, separated by commas
    :param extras: dictionaries with key and value
    :param groups: dictionaries with id or name of existing groups
    :param owner_org: the id or name of the dataset's owning organization
    """
    _may_create(who, data)
    revived = _withdrawn(who, data)
    with uploads.of(data.get("resources")) as sent:
        check(who, data, revived)
        state = STATES.get(str(data.get("state"))) if who.administrator else None
        given = text_of(data.get("id")) if revived is None else ""
        sent.store()
        draft = changed_draft(revived, data) if revived else new_draft(data)
        id_ = _write(who, draft, revived, state=state or State.PUBLISHED, wanted_id=given)
    sent.keep(id_)
    _keep_plugin_data(who, id_, data)
    return shown(who, id_)


@action()
@afresh
def package_update(who: Identity, data: dict[str, Any]) -> Any:
    """Update a dataset (package).

    What is not given is emptied, but for the resources, the groups, the organization, `private` and `state`.
    To change some fields only use package_patch. For further parameters see package_create.

    :param id: the name or id of the dataset to update
    """
    name = data.get("id") or data.get("name")
    if name is None:
        raise Refused({"id": "Missing value"})
    dataset = there(who, text_of(name))
    before = dataset_changes.stamp(dataset)
    updated = update(who, dataset, data)
    after = dataset_changes.stamp(there(who, dataset.id))
    return updated if after == before else Changed(updated, {"packages": [dataset.id]})


@action()
@afresh
def package_patch(who: Identity, data: dict[str, Any]) -> Any:
    """Patch a dataset (package): change what is given, and leave the rest as it is.

    :param id: the id or name of the dataset
    """
    dataset = found(who, one(data))
    before = dictized.package(dataset, readable=True)
    del before["metadata_modified"]
    return update(who, dataset, {**before, **data, "id": dataset.id})


@action()
def package_delete(who: Identity, data: dict[str, Any]) -> None:
    """Delete a dataset (package): it is withdrawn, its page says so.

    :param id: the id or name of the dataset to delete
    """
    dataset = there(who, one(data), said="")
    may_edit(who, dataset)
    dataset_changes.withdraw(who, dataset)


@action()
def dataset_purge(who: Identity, data: dict[str, Any]) -> None:
    """Purge a dataset: remove it for good, which cannot be undone. Sysadmins only.

    :param id: the name or id of the dataset to be purged
    """
    signed_in(who, "dataset_purge")
    dataset = there(who, one(data), said="Dataset was not found")
    if not allowed(who, Action.DATASET_PURGE, dataset):
        raise Denied("")
    dataset_changes.purge(who, dataset.id)


@action()
@afresh
def package_owner_org_update(who: Identity, data: dict[str, Any]) -> None:
    """Update the owning organization of a dataset. Sysadmins only.

    :param id: the name or id of the dataset to update
    :param organization_id: the name or id of the owning organization
    """
    signed_in(who, "package_owner_org_update")
    if not who.administrator:
        raise Denied("")
    dataset = there(who, text_of(data.get("id")))
    wanted = text_of(data.get("organization_id"))
    organization = dataset_changes.organization_called(wanted) if wanted else None
    if organization is None:
        raise NotFound("Organization was not found.")
    update(who, dataset, {**dictized.package(dataset, readable=True), "owner_org": organization.id})


@action()
@afresh
def package_resource_reorder(who: Identity, data: dict[str, Any]) -> Any:
    """Reorder the resources of a dataset; those that are not named follow in the order that they had.

    :param id: the id or name of the package to update
    :param order: a list of resource ids in the order needed
    """
    name, order = one(data), data.get("order")
    if not order:
        raise Refused({"order": ["Missing value"]})
    if not isinstance(order, list):
        raise Refused({"order": "Must be a list of resource"})
    if len({text_of(one) for one in order}) != len(order):
        raise Refused({"order": "Must supply unique resource_ids"})
    dataset = found(who, name)
    before = dictized.package(dataset, readable=True)
    rows = {row["id"]: row for row in before["resources"]}
    unknown = [one for one in order if text_of(one) not in rows]
    if unknown:
        raise Refused({"order": f"resource_id {unknown[0]} can not be found"})
    ids = [*order, *(id_ for id_ in rows if id_ not in order)]
    update(who, dataset, {**before, "resources": [rows[id_] for id_ in ids]})
    return {"id": name, "order": ids}


@action()
def bulk_update_private(who: Identity, data: dict[str, Any]) -> None:
    """Make a list of datasets private.

    :param datasets: list of ids of the datasets to update
    :param org_id: id of the owning organization
    """
    _each(who, data, "bulk_update_private", {"private": True})


@action()
def bulk_update_public(who: Identity, data: dict[str, Any]) -> None:
    """Make a list of datasets public.

    :param datasets: list of ids of the datasets to update
    :param org_id: id of the owning organization
    """
    _each(who, data, "bulk_update_public", {"private": False})


@action()
def bulk_update_delete(who: Identity, data: dict[str, Any]) -> None:
    """Make a list of datasets deleted.

    :param datasets: list of ids of the datasets to update
    :param org_id: id of the owning organization
    """
    _each(who, data, "bulk_update_delete", {"state": "deleted"})


def update(who: Identity, dataset: Dataset, data: Mapping[str, Any]) -> Any:
    """Make the dataset what the dictionary says; what it is then."""
    return shown(who, write(who, dataset, data))


def write(who: Identity, dataset: Dataset, data: Mapping[str, Any]) -> str:
    """Make the dataset what the dictionary says; its id. Raises Refused with the problems of each field."""
    seen = dataset_changes.stamp(dataset)
    may_edit(who, dataset)
    with uploads.of(data.get("resources")) as sent:
        if data.get("id") not in (None, dataset.id, dataset.slug):
            raise Refused({"id": [_read_only(dataset, data["id"])]})
        check(who, data, dataset)
        sent.store()
        state = STATES.get(str(data.get("state")), State(dataset.state))
        id_ = _write(who, changed_draft(dataset, data), dataset, state=state, seen=seen)
    sent.keep(id_)
    _keep_plugin_data(who, id_, data)
    return id_


def shown(who: Identity, id_: str) -> Any:
    """The dataset as `package_show` gives it."""
    kept = prepared.packages(who, [id_])
    return kept[id_] if id_ in kept else dictized.package(found(who, id_), readable=True)


def there(who: Identity, name: str, *, said: str = "Package was not found.") -> Dataset:
    """The dataset that shall be changed, in CKAN's words for one that cannot."""
    try:
        return dataset_changes.find(who, name)
    except dataset_changes.Unseen as error:
        raise _no_editor(who, str(error.context["id"])) from error
    except NotFound as error:
        raise NotFound(said) from error


def may_edit(who: Identity, dataset: Dataset) -> None:
    """Raise Denied in CKAN's words."""
    if not allowed(who, Action.DATASET_WRITE, dataset):
        raise _no_editor(who, dataset.id)


def _no_editor(who: Identity, id_: str) -> Denied:
    return Denied("User %(name)s not authorized to edit package %(id)s", name=who.name, id=id_)


def _write(who: Identity, *args: Any, **options: Any) -> str:
    """What the service says of a dataset as a whole, as CKAN's validation says it."""
    try:
        return dataset_changes.write(who, *args, **options)
    except (Refused, Overtaken):
        raise
    except Invalid as error:
        said = problems_by_field(error)
        problems = {NAMES.get(name, name): problem for name, problem in said.items()}
        raise Refused(problems or {"message": [str(error)]}) from error
    except Conflict as error:
        raise Refused({"message": [str(error)]}) from error


def _keep_plugin_data(who: Identity, id_: str, data: Mapping[str, Any]) -> None:
    """Only administrators send any; it is passed over from others."""
    if data.get("plugin_data") and who.administrator:
        dataset_changes.keep_plugin_data(who, id_, data["plugin_data"])


def _may_create(who: Identity, data: Mapping[str, Any]) -> None:
    if who.administrator or who.scheduler:
        return
    if not any(allowed(who, Action.DATASET_WRITE, id_) for id_ in who.organizations):
        raise Denied("User %(name)s not authorized to create packages", name=who.name)
    owner = data.get("owner_org")
    if not owner:
        return
    organization = dataset_changes.organization_called(text_of(owner))
    if organization is None or not allowed(who, Action.DATASET_WRITE, organization):
        raise Denied(
            "User %(name)s not authorized to add dataset to this organization", name=who.name
        )


def _withdrawn(who: Identity, data: Mapping[str, Any]) -> Dataset | None:
    """The withdrawn dataset of this name and owner: its address is no other's, so that it comes back."""
    name, owner = data.get("name"), data.get("owner_org")
    if not isinstance(name, str) or not owner or data.get("id") or not is_name_taken(name, None):
        return None
    try:
        dataset = dataset_changes.find(who, name)
    except (NotFound, Denied):
        return None
    same = text_of(owner) in (dataset.organization_id, dataset.organization.slug)
    gone = dataset.state == State.WITHDRAWN and dataset.slug == name and not dataset.source_id
    return dataset if same and gone and allowed(who, Action.DATASET_WRITE, dataset) else None


def _read_only(dataset: Dataset, given: Any) -> str:
    return f"Cannot change value of key from {dataset.id} to {given}. This key is read-only"


def _each(who: Identity, data: Mapping[str, Any], name: str, change: Mapping[str, Any]) -> None:
    """Change all datasets of the list that the organization owns."""
    signed_in(who, name)
    wanted = text_of(data.get("org_id"))
    organization = dataset_changes.organization_called(wanted) if wanted else None
    if organization is None or not allowed(who, Action.ORGANIZATION_WRITE, organization):
        raise Denied("")
    ids = data.get("datasets") or []
    if not isinstance(ids, list) or len(ids) > MOST_AT_ONCE:
        raise Refused({"datasets": [f"Must be a list of at most {MOST_AT_ONCE} ids"]})
    for dataset in dataset_changes.of_ids(map(text_of, ids)):
        if dataset.organization_id == organization.id:
            write(who, dataset, {**dictized.package(dataset, readable=True), **change})
