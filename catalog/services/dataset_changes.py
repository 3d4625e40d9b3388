"""Whole datasets for machines that read one, change it and write it back, as CKAN's clients do."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cache
from typing import Any

from sqlalchemy import String, bindparam, delete, or_, select
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from catalog.db import change_mark, db, transaction
from catalog.errors import Conflict, Denied, NotFound
from catalog.models.address import FormerAddress
from catalog.models.dataset import Dataset, Resource, dataset_theme, public
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.table import DataTable
from catalog.models.tag import Vocabulary
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.drafts import DatasetDraft
from catalog.services import (
    dataset_content,
    datasets,
    log,
    publication_dates,
    publishing,
    revisions,
)
from catalog.services.indexing import changed
from catalog.services.tables import serve_table

ORDERS = {
    "id": Dataset.id,
    "slug": Dataset.slug,
    "created": Dataset.created_at,
    "updated": Dataset.updated_at,
}
"""Orders in which all datasets can be paged through to their end."""
_WITHDRAWN = {"zh": "提供部门已将其删除。", "en": "Its department has deleted it."}


class Unseen(Denied):
    """A dataset that is there, but not for this reader; `id` names it."""


class Overtaken(Conflict):
    """Somebody else has written the dataset since the caller read it; reading it again helps."""


def find(who: Identity, name_or_id: str) -> Dataset:
    """The dataset in any state with what describes it; raises NotFound, or Unseen for who may not read it."""
    dataset = _named(name_or_id)
    while dataset is not None and dataset.merged_into:
        dataset = _named(dataset.merged_into)
    if dataset is None:
        raise NotFound("there is no dataset “%(slug)s”", slug=name_or_id[:120])
    if not allowed(who, Action.DATASET_READ, dataset):
        raise Unseen("your account may not read %(id)s", id=dataset.id)
    return dataset


def of_ids(ids: Iterable[str]) -> list[Dataset]:
    """These datasets with what describes them, in no order; the caller has checked who may read them."""
    return list(db.session.scalars(_of_ids(), {"ids": list(ids)}))


def page_of_ids(order: str, *, reverse: bool, limit: int, offset: int) -> list[str]:
    """Ids of public datasets in the order of a column (ORDERS), however far down the list."""
    column = ORDERS[order]
    ordered = (column.desc(), Dataset.id.desc()) if reverse else (column, Dataset.id)
    statement = select(Dataset.id).where(public()).order_by(*ordered)
    return list(db.session.scalars(statement.limit(limit).offset(offset)))


def write(
    who: Identity,
    draft: DatasetDraft,
    dataset: Dataset | None = None,
    *,
    state: State = State.PUBLISHED,
    wanted_id: str = "",
    seen: str | None = None,
) -> str:
    """Create a dataset, or make this one what the draft says, under another address if it says so; its id.

    Where its organization wants every change approved, a change waits for that. Raises Conflict if somebody
    else created one of that address since the caller looked, and Overtaken if `seen`, the stamp of what the
    draft was made from, is not that of the dataset any more.
    """
    if dataset is None:
        with transaction():
            if draft.slug and datasets.has_address(draft.slug):
                raise Conflict("the address “%(slug)s” is in use", slug=draft.slug)
            if state == State.DRAFT:
                return _proposed(who, draft, wanted_id=wanted_id)
            return publishing.put(who, draft, wanted_id=wanted_id).dataset_id
    with transaction():
        _must_be_seen(dataset, seen)
        if draft.slug != dataset.slug:
            publishing.rename(who, dataset.id, draft.slug, right=ending(dataset))
        if state == State.DRAFT:
            _proposed(who, draft, dataset_id=dataset.id)
        elif state == State.WITHDRAWN:
            withdraw(who, dataset)
        elif dataset.state == State.DRAFT and not revisions.reviewed(who, draft):
            _publish(who, dataset, draft)
        else:
            publishing.put(who, draft)
    return dataset.id


def stamp(dataset: Dataset) -> str:
    """Another one whenever somebody has written what the dataset says, or a proposal of it."""
    return f"{dataset.revision} {revisions.stamp(dataset, revisions.open_proposal(dataset.id))}"


def keep_plugin_data(who: Identity, dataset_id: str, data: Mapping[str, Any]) -> None:
    """Keep what plugins of CKAN want to know of a dataset; it is no part of what is said of it."""
    require(who, Action.PORTAL_OPERATE)
    with transaction():
        db.session.get_one(Dataset, dataset_id).plugin_data = dict(data)


def withdraw(who: Identity, dataset: Dataset) -> None:
    """Take the dataset from the public; one that never was public, or is withdrawn already, goes no further."""
    require(who, ending(dataset), dataset)
    if dataset.state == State.PUBLISHED:
        publishing.withdraw(who, dataset.id, _WITHDRAWN, right=ending(dataset))
    elif dataset.state == State.DRAFT:
        with transaction():
            dataset.state = State.WITHDRAWN
            publishing.call_off(who, dataset)
            log.about(who, "dataset.withdrawn", dataset)


def remove_resource(who: Identity, resource: Resource) -> None:
    """Take a resource and its tables from its dataset; where every change is approved, once that is."""
    dataset = find(who, resource.dataset_id)
    draft = publication_dates.undated(dataset_content.draft_of(dataset), dataset)
    kept = [one for one in draft.resources if one.key != resource.key]
    state = State.PUBLISHED if dataset.state == State.PUBLISHED else State.DRAFT
    write(who, replace(draft, resources=tuple(kept)), dataset, state=state)


def purge(who: Identity, name_or_id: str) -> None:
    """Remove a dataset with its tables, revisions and addresses for good; only the log knows of it."""
    with transaction() as tx:
        dataset = find(who, name_or_id)
        require(who, Action.DATASET_PURGE, dataset)
        tables = select(DataTable.id).join(Resource).where(Resource.dataset_id == dataset.id)
        for table_id in db.session.scalars(tables):
            tx.after_commit(serve_table.later, table_id)  # its copy goes too
        log.about(who, "dataset.purged", dataset)
        for statement in (
            delete(FormerAddress).where(FormerAddress.object_id == dataset.id),
            delete(DatasetRevision).where(DatasetRevision.dataset_id == dataset.id),
            delete(dataset_theme).where(dataset_theme.c.dataset_id == dataset.id),
            delete(Dataset).where(Dataset.id == dataset.id),
        ):
            db.session.execute(statement, execution_options={"synchronize_session": False})
        db.session.expunge(dataset)
        tx.after_commit(changed, dataset.id)


def ending(dataset: Dataset) -> Action:
    """What it takes to withdraw or rename through the API: what it takes to publish there."""
    return Action.DATASET_RETIRE if dataset.organization.review else Action.DATASET_WRITE


def mark() -> int | None:
    """Equal to the one before only if nothing was committed meanwhile; None where that costs a query."""
    return change_mark()


def holder_of(slug: str) -> str | None:
    """Id of the dataset that has this address, or had it before."""
    found: str | None = db.session.scalar(_holder(), {"slug": slug})
    return found


@cache
def _holder() -> Any:
    slug: Any = bindparam("slug")
    own, former = Dataset.__table__.c, FormerAddress.__table__.c
    before = select(former.object_id).where(former.kind == "dataset", former.slug == slug)
    return select(own.id).where(own.slug == slug).union_all(before)


def vocabularies() -> dict[str, str]:
    """Id of each vocabulary → its name."""
    return dict(db.session.execute(select(Vocabulary.id, Vocabulary.name)).all())


def groups_named(names: Iterable[str]) -> dict[str, str]:
    """Id or slug of those themes that there are → slug."""
    found = db.session.execute(_groups(), {"names": list(names)})
    return {name: slug for id_, slug in found for name in (id_, slug)}


@cache
def _groups() -> Any:
    names: Any = bindparam("names", expanding=True)
    known = Group.__table__.c
    return select(known.id, known.slug).where(or_(known.id.in_(names), known.slug.in_(names)))


def organization_called(name_or_id: str) -> Organization | None:
    """The organization with this slug or id."""
    found: Organization | None = db.session.scalar(_organization(), {"name": name_or_id})
    return found


@cache
def _organization() -> Any:
    name: Any = bindparam("name")
    return select(Organization).where(or_(Organization.slug == name, Organization.id == name))


def _must_be_seen(dataset: Dataset, seen: str | None) -> None:
    db.session.refresh(dataset, ["revision"])
    if seen is not None and seen != stamp(dataset):
        raise Overtaken(
            "somebody has changed this since you opened it: look at it before you go on"
        )


def _proposed(who: Identity, draft: DatasetDraft, **options: str) -> str:
    """Keep it as a draft that its creator finds."""
    return publishing.propose(who, draft, **options).dataset_id


def _publish(who: Identity, dataset: Dataset, draft: DatasetDraft) -> None:
    """A draft that was never public becomes it; what was proposed is what it says."""
    with transaction() as tx:
        organization = datasets.organization_named(draft.organization)
        datasets.require_place(who, dataset, organization)
        revision = revisions.open_proposal(dataset.id)
        if revision is not None:
            revision.content = revisions.content_of(draft)
        datasets.apply(tx, who, dataset, draft, revision=revision)


def _named(name_or_id: str) -> Dataset | None:
    found = db.session.scalars(_called(), {"name": name_or_id}).first()
    if found is None and (former := db.session.get(FormerAddress, ("dataset", name_or_id))):
        return _named(former.object_id)
    return found


@cache
def _of_ids() -> Any:
    """Made once, as those below: putting a statement together costs as much as running it."""
    ids: Any = bindparam("ids", expanding=True)
    statement: Any = select(Dataset).where(Dataset.id.in_(ids)).options(*_described())
    return statement.execution_options(populate_existing=True)


@cache
def _called() -> Any:
    named = bindparam("name", type_=String)
    same = or_(Dataset.slug == named, Dataset.id == named)
    statement: Any = select(Dataset).where(same).options(*_described())
    return statement.execution_options(populate_existing=True)


def _described() -> tuple[ORMOption, ...]:
    """What CKAN's dictionary shows: no columns of tables."""
    return (
        joinedload(Dataset.organization, innerjoin=True),
        selectinload(Dataset.themes),
        selectinload(Dataset.tag_rows),
        selectinload(Dataset.resources).selectinload(Resource.tables),
    )
