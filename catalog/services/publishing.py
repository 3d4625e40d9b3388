"""The way of a dataset to the public: proposed, submitted, approved or returned, published, withdrawn.

Every step is a line of the log. Who approves is never who made the proposal.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from sqlalchemy import select

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, CatalogError, Conflict, Denied, Invalid, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import RevisionState, State
from catalog.permissions import SCHEDULER, Action, Identity, require
from catalog.queue import job
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft
from catalog.schemas.texts import RESERVED, SLUG, TAKEN_BY_PAGES
from catalog.services import (
    addresses,
    completeness,
    dataset_content,
    dataset_visibility,
    datasets,
    log,
    publication_dates,
    revisions,
    uploads,
)
from catalog.services.indexing import changed
from catalog.services.revisions import EDITABLE, OPEN, open_proposal

MOST_AT_ONCE = 200
PORTAL = Identity(scheduler=True)
"""Who returns what cannot become public at its moment."""
WITHDRAWN_MEANWHILE = "数据集已撤回。The dataset was withdrawn."
"""What its author reads in either language: remarks are words of people, which nothing translates."""


def propose(
    who: Identity,
    draft: DatasetDraft,
    *,
    dataset_id: str = "",
    reason: str = "",
    wanted_id: str = "",
    seen: str | None = None,
) -> DatasetRevision:
    """Keep a draft of a new dataset, or of a change to one; the draft that is there already is changed.

    A new dataset gets `wanted_id`, if given. Raises Conflict while a proposal is submitted or approved, for a harvested
    dataset, for a change that changes nothing, and where `seen`, the stamp of what the draft was made from, is not that of what is there.
    """
    with transaction() as tx:
        organization = datasets.organization_named(draft.organization)
        there = _editable(who, dataset_id) if dataset_id else None
        datasets.require_place(who, there, organization)
        draft = dataset_content.fitted(draft, organization.fields, complete=False)
        dataset = there or _begun(who, draft, organization.id, wanted_id)
        revision = open_proposal(dataset.id)
        if revision is not None and revision.state not in EDITABLE:
            raise Conflict("a change to this dataset waits for its approval: decide on it first")
        _must_be_seen(dataset, revision, seen)
        if revision is None and there is not None and completeness.is_same(there, draft):
            raise Conflict("nothing has changed: the dataset says all this already")
        revision = revision or revisions.begin(who, dataset.id, draft)
        revision.content = revisions.content_of(draft)
        revision.state, revision.reason, revision.made_at = RevisionState.DRAFT, reason[:500], now()
        revision.made_by, revision.made_by_name = who.account_id, who.name[:200]
        if dataset.state == State.DRAFT:  # members look at it as it will be
            dataset_content.fill(dataset, draft)
            dataset.organization_id = organization.id
            dataset.updated_at = dataset.index_due = now()
            tx.after_commit(changed, dataset.id)  # they find it, too
        _line(who, "revision.saved", dataset, revision)
    return revision


def put(who: Identity, draft: DatasetDraft, *, wanted_id: str = "") -> datasets.Put:
    """What the API writes: public at once, or submitted where the organization wants every change approved."""
    if not revisions.reviewed(who, draft):
        return datasets.put(who, draft, wanted_id=wanted_id)
    with transaction():
        known = select(Dataset).where(Dataset.slug == draft.slug)
        dataset = db.session.scalar(known) if draft.slug else None
        if dataset is not None and _nothing_new(who, dataset, draft):
            return datasets.Put(datasets.Outcome.SAME, dataset.id)
        known_id = dataset.id if dataset else ""
        revision = propose(who, draft, dataset_id=known_id, wanted_id=wanted_id)
        submit(who, revision.id)
    return datasets.Put(datasets.Outcome.SUBMITTED, revision.dataset_id)


def _nothing_new(who: Identity, dataset: Dataset, draft: DatasetDraft) -> bool:
    """Whether `who` sends what is public already, and nobody has begun a change."""
    require(who, Action.DATASET_WRITE, dataset)
    begun = revisions.open_proposal(dataset.id)
    return begun is None and completeness.is_same(dataset, draft)


def hand_in(who: Identity, draft: DatasetDraft, **options: Any) -> DatasetRevision:
    """Propose, with the options of that, and submit in one step: where something is missing nothing is kept."""
    with transaction():
        return submit(who, propose(who, draft, **options).id)


def submit(who: Identity, revision_id: str) -> DatasetRevision:
    """Hand a draft in for approval; raises Invalid with what it lacks, by field."""
    with transaction():
        revision, dataset = _found(who, revision_id)
        require(who, Action.DATASET_WRITE, dataset)
        _must_be(revision, *EDITABLE)
        completeness.require_complete(dataset_draft(revision.content))
        revision.state, revision.submitted_at = RevisionState.SUBMITTED, now()
        revision.remarks = ""
        _line(who, "revision.submitted", dataset, revision)
    return revision


def approve(
    who: Identity,
    revision_id: str,
    *,
    publish_at: datetime | None = None,
    seen: str | None = None,
) -> DatasetRevision:
    """Approve a submitted revision: it is public at once, or from `publish_at` on; `seen` as in `propose`."""
    publication_dates.require_not_over(publish_at)
    with transaction() as tx:
        revision, dataset = _found(who, revision_id)
        _may_decide(who, dataset, revision)
        _must_be(revision, RevisionState.SUBMITTED)
        completeness.require_complete(
            dataset_draft(revision.content)
        )  # its organization may ask for more by now
        _must_be_seen(dataset, revision, seen)
        wanted = datasets.organization_named(revision.content["organization"])
        require(who, Action.DATASET_APPROVE, wanted)
        _decide(who, revision)
        if publish_at is not None and publish_at > now():
            revision.state, revision.publish_at = RevisionState.APPROVED, publish_at
            _line(who, "revision.approved", dataset, revision)
        else:
            _line(who, "revision.approved", dataset, revision)
            _publish(tx, who, dataset, revision)
    return revision


def send_back(who: Identity, revision_id: str, remarks: str) -> DatasetRevision:
    """Return a submitted or scheduled revision to its author, with what is to be corrected."""
    with transaction():
        revision, dataset = _found(who, revision_id)
        _may_decide(who, dataset, revision)
        _must_be(revision, RevisionState.SUBMITTED, RevisionState.APPROVED)
        if not remarks.strip():
            raise Invalid(
                "say what is to be corrected",
                problems={"remarks": [N_("Say what is to be corrected.")]},
            )
        _return(who, dataset, revision, remarks)
    return revision


def call_off(who: Identity, dataset: Dataset, remarks: str = WITHDRAWN_MEANWHILE) -> None:
    """Return what waits to become public to its author, inside the caller's transaction."""
    revision = open_proposal(dataset.id)
    if revision is not None and revision.state not in EDITABLE:
        _return(who, dataset, revision, remarks)


def discard(who: Identity, revision_id: str) -> None:
    """Give a proposal up; a dataset that was never public goes with it."""
    with transaction() as tx:
        revision, dataset = _found(who, revision_id)
        require(who, Action.DATASET_WRITE, dataset)
        _must_be(revision, *OPEN)
        revision.state, revision.publish_at = RevisionState.DISCARDED, None
        _line(who, "revision.discarded", dataset, revision)
        if dataset.state == State.DRAFT:
            db.session.delete(dataset)
            tx.after_commit(changed, dataset.id)


def restore(who: Identity, dataset_id: str, number: int) -> DatasetRevision:
    """A new draft with the content of an earlier revision; it takes the usual way to the public."""
    with transaction():
        dataset = _editable(who, dataset_id)
        revision = revisions.numbered(dataset.id, number)
        draft = dataset_draft({**revision.content, "slug": dataset.slug, "modified": None})
        return propose(who, draft, dataset_id=dataset.id, reason=f"#{number}")


@job(every_minutes=1)
def publish_due() -> None:
    """Publish the approved revisions whose moment has come."""
    due = select(DatasetRevision.id).where(
        DatasetRevision.state == RevisionState.APPROVED, DatasetRevision.publish_at <= now()
    )
    ordered = due.order_by(DatasetRevision.publish_at).limit(MOST_AT_ONCE)
    for revision_id in list(db.session.scalars(ordered)):
        try:
            with transaction() as tx:
                _publish_approved(tx, revision_id)
        except CatalogError as error:  # such as a theme that is gone: the others are public in time
            with suppress(NotFound), transaction():
                call_off(PORTAL, _found(SCHEDULER, revision_id)[1], str(error))


def _publish_approved(tx: Transaction, revision_id: str) -> None:
    """Publish it unless it was returned, or put off, meanwhile."""
    revision, dataset = _found(SCHEDULER, revision_id)
    moment = revision.publish_at
    if revision.state == RevisionState.APPROVED and moment is not None and moment <= now():
        who = Identity(revision.decided_by, revision.decided_by_name)
        _publish(tx, who, dataset, revision)


def withdraw(
    who: Identity,
    dataset_id: str,
    reason: Mapping[str, str],
    *,
    right: Action = Action.DATASET_RETIRE,
) -> Dataset:
    """Take a dataset from the public; its page says since when and why."""
    with transaction() as tx:
        dataset = _editable(who, dataset_id)
        require(who, right, dataset)
        said = {tag: text.strip()[:2000] for tag, text in reason.items() if text.strip()}
        if not said:
            raise Invalid(
                "a reason is needed", problems={"reason": [N_("Say why it is withdrawn.")]}
            )
        if dataset.state != State.PUBLISHED:
            raise Conflict("this dataset is not public")
        dataset.state, dataset.withdrawn_at = State.WITHDRAWN, now()
        dataset.withdrawn_reason = said
        call_off(who, dataset)
        _changed(tx, who, "dataset.withdrawn", dataset)
    return dataset


def publish_again(who: Identity, dataset_id: str) -> Dataset:
    """Bring a withdrawn dataset back as it was."""
    with transaction() as tx:
        dataset = _editable(who, dataset_id)
        require(who, Action.DATASET_RETIRE, dataset)
        if dataset.state != State.WITHDRAWN or dataset.merged_into:
            raise Conflict("this dataset is not withdrawn")
        dataset.state, dataset.withdrawn_at = State.PUBLISHED, None
        dataset.withdrawn_reason = {}
        _changed(tx, who, "dataset.published", dataset)
    return dataset


def merge(who: Identity, dataset_id: str, into_id: str) -> Dataset:
    """Let a duplicate lead to the dataset that stays; that one is given back."""
    with transaction() as tx:
        duplicate, kept = _any(who, dataset_id), _any(who, into_id)
        for dataset in (duplicate, kept):
            require(who, Action.DATASET_RETIRE, dataset)
        if duplicate.id == kept.id or kept.merged_into or kept.state != State.PUBLISHED:
            raise Conflict("the dataset that stays must be public, and another one")
        duplicate.state, duplicate.withdrawn_at = State.WITHDRAWN, now()
        duplicate.merged_into = kept.id
        call_off(who, duplicate)
        _changed(tx, who, "dataset.merged", duplicate, into=kept.slug)
    return kept


def rename(
    who: Identity, dataset_id: str, slug: str, *, right: Action = Action.DATASET_RETIRE
) -> Dataset:
    """Give a dataset another address; the present one leads there for ever."""
    with transaction() as tx:
        dataset = _any(who, dataset_id)
        require(who, right, dataset)
        if not SLUG.fullmatch(slug) or len(slug) > 100:
            raise Invalid(
                "this address cannot be used",
                problems={"slug": [N_("Use lower-case letters a to z, digits, - and _.")]},
            )
        if slug in RESERVED:
            raise Invalid("this address cannot be used", problems={"slug": [TAKEN_BY_PAGES]})
        if addresses.move("dataset", dataset, slug):
            dataset.fingerprint = ""
            _changed(tx, who, "dataset.renamed", dataset)
    return dataset


def _publish(tx: Transaction, who: Identity, dataset: Dataset, revision: DatasetRevision) -> None:
    draft = uploads.with_extras(dataset, dataset_draft(revision.content))
    revision.publish_at = None
    known = set() if dataset.state == State.DRAFT else uploads.keys_of(dataset.id)
    datasets.apply(tx, who, dataset, draft, revision=revision)
    tx.after_commit(uploads.load_new, dataset.id, uploads.keys_of(dataset.id) - known)


def _begun(who: Identity, draft: DatasetDraft, organization_id: str, wanted_id: str) -> Dataset:
    dataset = Dataset(
        id=wanted_id or new_id(),
        slug=dataset_content.free_slug(draft),
        organization_id=organization_id,
        creator_id=who.account_id,
        title=dict(draft.title),
        state=State.DRAFT,
        index_due=None,
    )
    db.session.add(dataset)
    db.session.flush()
    return dataset


def _any(who: Identity, id_or_slug: str) -> Dataset:
    dataset = db.session.scalar(
        select(Dataset)
        .where((Dataset.id == id_or_slug) | (Dataset.slug == id_or_slug))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    known = dataset_visibility.seen(who, dataset, id_or_slug)
    require(who, Action.DATASET_WRITE, known)
    return known


def _editable(who: Identity, id_or_slug: str) -> Dataset:
    dataset = _any(who, id_or_slug)
    if dataset.source_id is not None:
        raise Conflict(
            "the dataset “%(slug)s” is harvested: change it at its source", slug=dataset.slug
        )
    if dataset.merged_into:
        raise Conflict("the dataset “%(slug)s” was merged into another one", slug=dataset.slug)
    return dataset


def _found(who: Identity, revision_id: str) -> tuple[DatasetRevision, Dataset]:
    owner = select(DatasetRevision.dataset_id).where(DatasetRevision.id == revision_id)
    dataset = db.session.scalar(
        select(Dataset)
        .where(Dataset.id.in_(owner))
        .with_for_update()
        .execution_options(populate_existing=True)
    )
    if dataset is None:
        raise NotFound("there is no such revision")
    require(who, Action.DATASET_READ, dataset)
    return db.session.get_one(DatasetRevision, revision_id, populate_existing=True), dataset


def _must_be(revision: DatasetRevision, *states: RevisionState) -> None:
    if revision.state not in states:
        raise Conflict(
            "this proposal has been dealt with already: it is %(state)s", state=revision.state
        )


def _must_be_seen(dataset: Dataset, proposal: DatasetRevision | None, seen: str | None) -> None:
    if seen is not None and seen != revisions.stamp(dataset, proposal):
        raise Conflict("somebody has changed this since you opened it: look at it before you go on")


def _may_decide(who: Identity, dataset: Dataset, revision: DatasetRevision) -> None:
    require(who, Action.DATASET_APPROVE, dataset)
    if who.account_id == revision.made_by:
        raise Denied("somebody else has to decide on what you have written yourself")


def _decide(who: Identity, revision: DatasetRevision) -> None:
    revision.decided_by, revision.decided_by_name = who.account_id, who.name[:200]
    revision.decided_at = now()


def _return(who: Identity, dataset: Dataset, revision: DatasetRevision, remarks: str) -> None:
    revision.state, revision.remarks = RevisionState.RETURNED, remarks.strip()[:10_000]
    revision.publish_at = None
    _decide(who, revision)
    _line(who, "revision.returned", dataset, revision, remarks=revision.remarks[:500])


def _changed(tx: Transaction, who: Identity, action: str, dataset: Dataset, **more: object) -> None:
    dataset.updated_at = dataset.index_due = now()
    log.about(who, action, dataset, **more)
    tx.after_commit(changed, dataset.id)


def _line(
    who: Identity, action: str, dataset: Dataset, revision: DatasetRevision, **more: object
) -> None:
    log.about(who, action, dataset, revision=revision.number, **more)
