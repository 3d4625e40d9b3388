"""The way of a dataset to the public, and back."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, update

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, Invalid, NotFound
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import MemberRole, RevisionState
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.drafts import DatasetDraft
from catalog.search import SearchQuery
from catalog.services import datasets, log, publishing, revisions, search
from catalog.services.dataset_visibility import Withdrawn
from tests.make_dataset import make_draft, make_organization, put

ADMINISTRATOR = Identity("root", "Root", administrator=True)


@pytest.fixture
def office(app: Flask) -> str:  # needs the database
    return make_organization("ecology").id


@pytest.fixture
def author(office: str) -> Identity:
    return Identity("a1", "李明", organizations={office: MemberRole.EDITOR})


@pytest.fixture
def approver(office: str) -> Identity:
    return Identity("a2", "王芳", organizations={office: MemberRole.PUBLISHER})


def whole(name: str = "Air", **fields: Any) -> DatasetDraft:
    return make_draft(name, description={"en": "Hourly"}, license="CC-BY-4.0", **fields)


def found() -> int:
    return search.find(ANYONE, SearchQuery("")).total


def lines(dataset_id: str) -> list[str]:
    said = log.of(log.Subject("dataset", dataset_id), limit=50)
    return [line.action for line in reversed(said)]


def test_a_dataset_is_proposed_submitted_approved_and_public(
    author: Identity, approver: Identity
) -> None:
    revision = publishing.propose(author, whole(slug="air", tags=["air"]), reason="first")
    with pytest.raises(NotFound):
        datasets.show(ANYONE, "air")
    assert datasets.show(author, "air").tags == ["air"]
    publishing.submit(author, revision.id)
    assert found() == 0
    publishing.approve(approver, revision.id)
    dataset = datasets.show(ANYONE, "air")
    assert (dataset.revision, dataset.creator_id, found()) == (1, "a1", 1)
    assert revision.state == RevisionState.PUBLISHED
    assert lines(dataset.id) == [
        "revision.saved",
        "revision.submitted",
        "revision.approved",
        "dataset.published",
    ]
    assert log.verify() == (5, None), "the organization's line comes first"


def test_nobody_approves_what_he_has_written_himself(approver: Identity, author: Identity) -> None:
    own = publishing.submit(approver, publishing.propose(approver, whole()).id)
    with pytest.raises(Denied, match="somebody else"):
        publishing.approve(approver, own.id)
    with pytest.raises(Denied):
        publishing.approve(author, own.id)
    with pytest.raises(Denied):
        publishing.send_back(approver, own.id, "no")
    publishing.approve(ADMINISTRATOR, own.id)
    assert found() == 1


def test_what_is_not_complete_is_not_submitted(author: Identity) -> None:
    bare = publishing.propose(author, make_draft("Air"))
    with pytest.raises(Invalid) as caught:
        publishing.submit(author, bare.id)
    assert set(caught.value.problems) == {"description", "license"}
    closed = publishing.propose(author, whole("Wells", access="closed"), dataset_id=bare.dataset_id)
    assert closed.id == bare.id
    with pytest.raises(Invalid) as caught:
        publishing.submit(author, closed.id)
    assert set(caught.value.problems) == {"access_reason"}


def test_a_change_is_returned_with_remarks_corrected_and_approved(
    author: Identity, approver: Identity
) -> None:
    put("Air", slug="air")
    id_ = datasets.show(ANYONE, "air").id
    revision = publishing.propose(author, whole("Air quality", slug="air"), dataset_id=id_)
    publishing.submit(author, revision.id)
    with pytest.raises(Conflict, match="waits for its approval"):
        publishing.propose(author, whole("Other", slug="air"), dataset_id=id_)
    with pytest.raises(Invalid):
        publishing.send_back(approver, revision.id, " ")
    publishing.send_back(approver, revision.id, "which stations?")
    assert datasets.show(ANYONE, "air").title == {"en": "Air"}
    assert (revision.state, revision.remarks) == ("returned", "which stations?")
    again = publishing.propose(author, whole("Air, 12 stations", slug="air"), dataset_id=id_)
    assert again.id == revision.id
    publishing.submit(author, again.id)
    publishing.approve(approver, again.id)
    dataset = datasets.show(ANYONE, "air")
    assert (dataset.title, dataset.revision) == ({"en": "Air, 12 stations"}, 2)
    states = select(DatasetRevision.state).order_by(DatasetRevision.number)
    assert list(db.session.scalars(states)) == ["superseded", "published"]


def test_an_approved_revision_is_published_at_its_moment(
    author: Identity, approver: Identity
) -> None:
    revision = publishing.submit(author, publishing.propose(author, whole()).id)
    publishing.approve(approver, revision.id, publish_at=now() + timedelta(hours=1))
    publishing.publish_due()
    assert (found(), revision.state) == (0, RevisionState.APPROVED)
    due(revision)
    publishing.publish_due()
    publishing.publish_due()
    assert found() == 1
    assert lines(revision.dataset_id).count("dataset.published") == 1


def test_a_scheduled_revision_can_be_returned(author: Identity, approver: Identity) -> None:
    revision = publishing.submit(author, publishing.propose(author, whole()).id)
    publishing.approve(approver, revision.id, publish_at=now() + timedelta(hours=1))
    publishing.send_back(approver, revision.id, "not yet")
    due(revision)
    publishing.publish_due()
    assert found() == 0


def due(revision: DatasetRevision) -> None:
    with transaction():
        db.session.execute(
            update(DatasetRevision)
            .where(DatasetRevision.id == revision.id)
            .values(publish_at=now() - timedelta(minutes=1))
        )


def test_a_discarded_draft_goes_with_the_dataset_that_never_was_public(author: Identity) -> None:
    revision = publishing.propose(author, whole())
    publishing.discard(author, revision.id)
    assert db.session.scalar(select(func.count()).select_from(Dataset)) == 0
    with pytest.raises(NotFound):
        publishing.submit(author, revision.id)


def test_a_discarded_change_leaves_the_dataset(author: Identity) -> None:
    put("Air", slug="air")
    id_ = datasets.show(ANYONE, "air").id
    revision = publishing.propose(author, whole("Other", slug="air"), dataset_id=id_)
    publishing.discard(author, revision.id)
    with pytest.raises(Conflict):
        publishing.discard(author, revision.id)
    assert datasets.show(ANYONE, "air").title == {"en": "Air"}
    assert publishing.propose(author, whole("New", slug="air"), dataset_id=id_).number == 3


def test_strangers_and_members_may_not_propose(office: str) -> None:
    for who in (
        Identity("x", organizations={"other": MemberRole.PUBLISHER}),
        Identity("m", organizations={office: MemberRole.MEMBER}),
    ):
        with pytest.raises(Denied):
            publishing.propose(who, whole())


def test_a_withdrawn_dataset_says_why_and_can_come_back(
    author: Identity, approver: Identity
) -> None:
    put("Air", slug="air")
    with pytest.raises(Denied):
        publishing.withdraw(author, "air", {"en": "wrong"})
    with pytest.raises(Invalid):
        publishing.withdraw(approver, "air", {"en": " "})
    publishing.withdraw(approver, "air", {"en": "The sensors were wrong."})
    with pytest.raises(Withdrawn) as caught:
        datasets.show(ANYONE, "air")
    assert caught.value.reason == {"en": "The sensors were wrong."}
    assert found() == 0
    with pytest.raises(Conflict):
        publishing.withdraw(approver, "air", {"en": "again"})
    publishing.publish_again(approver, "air")
    assert found() == 1
    with pytest.raises(Conflict):
        publishing.publish_again(approver, "air")


def test_a_merged_dataset_leads_to_the_other(approver: Identity) -> None:
    put("Air", slug="air")
    put("Air 2", slug="air-2")
    with pytest.raises(Conflict):
        publishing.merge(approver, "air", "air")
    publishing.merge(approver, "air-2", "air")
    assert datasets.show(ANYONE, "air-2").slug == "air"
    assert found() == 1
    with pytest.raises(Conflict):
        publishing.publish_again(approver, "air-2")


def test_a_renamed_dataset_is_found_by_its_old_address(approver: Identity) -> None:
    put("Air", slug="air")
    put("Water", slug="water")
    publishing.rename(approver, "air", "air-quality")
    assert datasets.show(ANYONE, "air").slug == "air-quality"
    for slug, error in (("water", Conflict), ("A b", Invalid)):
        with pytest.raises(error):
            publishing.rename(approver, "air-quality", slug)
    with pytest.raises(Conflict):
        publishing.rename(approver, "water", "air")
    publishing.rename(approver, "air-quality", "air")
    assert datasets.show(ANYONE, "air-quality").slug == "air"
    assert publishing.rename(approver, "air", "air").slug == "air"


def test_harvested_datasets_change_at_their_source(approver: Identity) -> None:
    put("Air", key="k1")
    dataset = db.session.scalars(select(Dataset)).one()
    with pytest.raises(Conflict, match="harvested"):
        publishing.propose(approver, whole(), dataset_id=dataset.id)
    with pytest.raises(Conflict, match="harvested"):
        publishing.withdraw(approver, dataset.id, {"en": "no"})


def test_an_earlier_content_is_restored_as_a_draft(author: Identity, approver: Identity) -> None:
    datasets.put(SCHEDULER, whole("One", slug="air"))
    datasets.put(SCHEDULER, whole("Two", slug="air", tags=["x"]))
    dataset = datasets.show(ANYONE, "air")
    shown = revisions.listed(ANYONE, dataset, limit=10)
    assert [one.number for one in shown] == [2, 1]
    assert [
        (change.field, change.old, change.new)
        for change in revisions.differences(shown[1].content, shown[0].content)
    ] == [("tags", None, ["x"]), ("title.en", "One", "Two")]
    draft = publishing.restore(author, dataset.id, 1)
    assert [one.number for one in revisions.listed(ANYONE, dataset, limit=10)] == [2, 1]
    assert [one.number for one in revisions.listed(author, dataset, limit=10)] == [3, 2, 1]
    publishing.approve(approver, publishing.submit(author, draft.id).id)
    again = datasets.show(ANYONE, "air")
    assert (again.title, again.tags) == ({"en": "One"}, [])
    with pytest.raises(NotFound):
        publishing.restore(author, dataset.id, 99)


def test_resources_are_compared_by_their_key() -> None:
    old = {"resources": [{"key": "a", "url": "https://x/1"}, {"key": "b", "url": "https://x/b"}]}
    new = {"resources": [{"key": "b", "url": "https://x/b"}, {"key": "a", "url": "https://x/2"}]}
    assert revisions.differences(old, new) == [
        revisions.Change("resources.a.url", "https://x/1", "https://x/2")
    ]


def test_where_everything_is_reviewed_the_api_submits(office: str, author: Identity) -> None:
    assert publishing.put(author, whole("Air", slug="air")).outcome == "created"
    with transaction():
        db.session.execute(
            update(Organization).where(Organization.id == office).values(review=True)
        )
    assert publishing.put(author, whole("Air quality", slug="air")).outcome == "submitted"
    assert datasets.show(ANYONE, "air").title == {"en": "Air"}
    assert publishing.put(author, whole("Wells", slug="wells")).outcome == "submitted"
    assert publishing.put(ADMINISTRATOR, whole("Noise", slug="noise")).outcome == "created"
    with pytest.raises(NotFound):
        datasets.show(ANYONE, "wells")


def test_due_revisions_are_looked_for_every_minute() -> None:
    assert publishing.publish_due.every_minutes == 1
