"""The way of a dataset to the public, and back."""

from __future__ import annotations

import io
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import func, select, text, update

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, Invalid, NotFound, Unauthenticated
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import MemberRole, RevisionState, State
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.bodies import BodyDraft
from catalog.schemas.drafts import DatasetDraft, ResourceDraft
from catalog.search import SearchQuery, search_engine
from catalog.services import (
    activities,
    bodies,
    dataset_changes,
    datasets,
    groups,
    log,
    organizations,
    proposals,
    publishing,
    revisions,
    search,
    uploads,
)
from catalog.services.dataset_visibility import Withdrawn
from catalog.settings import Settings
from tests.make_dataset import make_draft, make_organization, make_theme, put
from wsgi import create_app

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


def scheduled(author: Identity, approver: Identity, draft: DatasetDraft) -> DatasetRevision:
    """A change that is approved and due."""
    known = db.session.scalar(select(Dataset.id).where(Dataset.slug == draft.slug)) or ""
    revision = publishing.hand_in(author, draft, dataset_id=known)
    publishing.approve(approver, revision.id, publish_at=now() + timedelta(hours=1))
    due(revision)
    return revision


def test_what_is_withdrawn_or_merged_meanwhile_does_not_come_back_by_itself(
    author: Identity, approver: Identity
) -> None:
    for slug in ("air", "air-2", "air-3"):
        put("Air", slug=slug)
    first = scheduled(author, approver, whole("Air quality", slug="air"))
    second = scheduled(author, approver, whole("Air quality", slug="air-2"))
    begun = publishing.propose(author, whole("Other", slug="air-3"), dataset_id=id_of("air-3"))
    publishing.withdraw(approver, "air", {"en": "wrong"})
    publishing.merge(approver, "air-2", "air-3")
    publishing.publish_due()
    assert found() == 1
    assert (first.state, second.state, begun.state) == ("returned", "returned", "draft")
    assert "withdrawn" in first.remarks
    with pytest.raises(Conflict, match="merged"):
        publishing.propose(author, whole("Again", slug="air-2"), dataset_id=id_of("air-2"))
    with pytest.raises(Conflict, match="merged"):
        datasets.put(SCHEDULER, whole("Again", slug="air-2"))
    publishing.submit(author, first.id)
    publishing.approve(approver, first.id)
    assert found() == 2, "who approves it again wants it to be public again"


def test_a_merged_dataset_stays_merged_whatever_its_source_says(approver: Identity) -> None:
    put("Air", slug="air")
    put("Air from elsewhere", key="k1", slug="elsewhere")
    publishing.merge(approver, "elsewhere", "air")
    assert put("Air from elsewhere, changed", key="k1", slug="elsewhere").outcome == "same"
    assert (found(), datasets.show(ANYONE, "elsewhere").slug) == (1, "air")


def test_what_cannot_be_published_stops_nothing_else(author: Identity, approver: Identity) -> None:
    make_theme("environment")
    bound = scheduled(author, approver, whole("Air", slug="air", themes=["environment"]))
    other = scheduled(author, approver, whole("Water", slug="water"))
    theme = groups.show(ANYONE, "environment")
    with transaction():
        db.session.delete(theme)
    publishing.publish_due()
    assert (bound.state, other.state) == (RevisionState.RETURNED, RevisionState.PUBLISHED)
    assert "there is no theme" in bound.remarks


def test_a_dataset_moves_only_by_the_will_of_both_departments(
    office: str, author: Identity, approver: Identity
) -> None:
    put("Air", slug="air")
    water = make_organization("water").id
    review(office)
    helper = Identity(
        "h",
        organizations={water: MemberRole.PUBLISHER},
        collaborations={id_of("air"): "admin"},
    )
    both = Identity("b", organizations={office: MemberRole.EDITOR, water: MemberRole.EDITOR})
    away = whole("Air", slug="air", organization="water")
    for take in (
        publishing.put,
        lambda who, draft: publishing.propose(who, draft, dataset_id="air"),
        lambda who, draft: dataset_changes.write(who, draft, dataset_changes.find(who, "air")),
    ):
        with pytest.raises((Denied, Conflict)):
            take(helper, away)
    assert publishing.put(both, away).outcome == "submitted", "its department reviews all"
    assert datasets.show(ANYONE, "air").organization_id == office
    moving = db.session.scalars(
        select(DatasetRevision.id).where(DatasetRevision.state == "submitted")
    )
    revision_id = moving.one()
    with pytest.raises(Denied):
        publishing.approve(approver, revision_id)
    publishing.approve(ADMINISTRATOR, revision_id)
    assert datasets.show(ANYONE, "air").organization_id == water
    draft = publishing.propose(author, whole("Noise", slug="noise"))
    taken = whole("Noise", slug="noise", organization="water")
    with pytest.raises(Denied):
        dataset_changes.write(author, taken, dataset_changes.find(author, draft.dataset_id))


def test_what_was_private_then_is_not_shown_to_everybody_later(author: Identity) -> None:
    datasets.put(SCHEDULER, whole("Secret", slug="air", private=True))
    datasets.put(
        SCHEDULER, whole("Air", slug="air", resources=[{"key": "a", "load": {"part": {"p": "/1"}}}])
    )
    datasets.put(
        SCHEDULER, whole("Air", slug="air", resources=[{"key": "a", "load": {"part": {"p": "/2"}}}])
    )
    dataset = datasets.show(ANYONE, "air")
    assert [one.number for one in revisions.listed(ANYONE, dataset, limit=9)] == [3, 2]
    assert [one.number for one in revisions.listed(author, dataset, limit=9)] == [3, 2, 1]
    with pytest.raises(NotFound):
        revisions.between(ANYONE, dataset, 1, 2)
    assert revisions.between(ANYONE, dataset, 2, 3) == []
    assert [one.field for one in revisions.between(author, dataset, 2, 3)] == [
        "resources.a.load.part.p"
    ]
    first = log.of(log.Subject("dataset", dataset.id), limit=9)[-1]
    assert activities.revision_of(ANYONE, first) is None
    seen = activities.revision_of(author, first)
    assert seen is not None
    assert seen.content["private"] is True


def test_whoever_edits_with_the_department_sees_what_it_proposes_and_nobody_hears_of_drafts(
    office: str, author: Identity
) -> None:
    revision = publishing.propose(author, whole("Plans", slug="plans"))
    helper = Identity("h", collaborations={revision.dataset_id: "editor"})
    assert proposals.editable(helper, "plans").content["title"] == {"en": "Plans"}
    assert proposals.show(helper, revision.id).edits
    stranger = Identity("x", organizations={"other": MemberRole.PUBLISHER})
    for ask in (
        lambda who, name: proposals.member_dataset(who, name),
        lambda who, name: publishing.withdraw(who, name, {"en": "x"}),
        lambda who, name: publishing.rename(who, name, "other"),
    ):
        for name in ("plans", "nothing"):
            with pytest.raises(NotFound):
                ask(stranger, name)
            with pytest.raises(Unauthenticated):
                ask(ANYONE, name)


def test_a_department_is_meant_by_its_address_of_before_too(office: str, author: Identity) -> None:
    review(office)
    organization = organizations.show(ANYONE, "ecology")
    bodies.change(SCHEDULER, organization, BodyDraft(slug="environment"))
    assert publishing.put(author, whole("Air", slug="air")).outcome == "submitted"
    assert put("Water", slug="water").outcome == "created"
    organizations.put(SCHEDULER, "ecology", title={"en": "Bureau of all that lives"})
    kept = organizations.show(ANYONE, "ecology")
    assert (kept.id, kept.slug, kept.title) == (
        office,
        "environment",
        {"en": "Bureau of all that lives"},
    )


def test_a_file_that_waited_for_approval_is_read_once_it_is_public(
    app: Flask, office: str, author: Identity, approver: Identity
) -> None:
    put("Air", slug="air")
    kept = uploads.keep("air.csv", io.BytesIO(b"station,value\nA,1\nB,2\n"))
    draft = whole("Air", slug="air")
    file = ResourceDraft("a", {"en": "a"}, extras={uploads.NAME: "air.csv", uploads.KEY: kept.key})
    revision = publishing.hand_in(author, replace(draft, resources=(file,)), dataset_id="air")
    publishing.approve(approver, revision.id)
    tables = datasets.show(ANYONE, "air").resources[0].tables
    assert [table.rows for table in tables] == [2]


def id_of(slug: str) -> str:
    return str(db.session.scalar(select(Dataset.id).where(Dataset.slug == slug)))


def review(organization_id: str) -> None:
    with transaction():
        db.session.execute(
            update(Organization).where(Organization.id == organization_id).values(review=True)
        )


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


def test_a_draft_that_is_given_up_is_found_by_nobody(author: Identity) -> None:
    dataset_id = dataset_changes.write(author, whole(slug="air"), state=State.DRAFT)
    assert dataset_id in search_engine().stamps()
    publishing.discard(author, db.session.scalars(select(DatasetRevision.id)).one())
    assert dataset_id not in search_engine().stamps()


@pytest.mark.parametrize("state", [State.PUBLISHED, State.DRAFT])
def test_who_creates_a_dataset_never_changes_one_that_came_in_between(
    author: Identity, state: State
) -> None:
    put("Air", slug="air")
    with pytest.raises(Conflict, match="is in use"):
        dataset_changes.write(author, whole("Other", slug="air"), state=state)
    assert datasets.show(ANYONE, "air").title["en"] == "Air"


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
    review(office)
    assert publishing.put(author, whole("Air quality", slug="air")).outcome == "submitted"
    assert datasets.show(ANYONE, "air").title == {"en": "Air"}
    wells = publishing.put(author, whole("Wells", slug="wells"), wanted_id="w-1")
    assert (wells.outcome, wells.dataset_id) == ("submitted", "w-1")
    assert publishing.put(ADMINISTRATOR, whole("Noise", slug="noise")).outcome == "created"
    with pytest.raises(NotFound):
        datasets.show(ANYONE, "wells")


def test_of_two_who_decide_at_once_the_second_is_told(settings: Settings, postgres: str) -> None:
    app = create_app(replace(settings, database_url=postgres))

    def decide(who: Identity) -> str:
        with app.app_context():
            try:
                publishing.approve(who, revision_id)
            except Conflict as error:
                return error.message
            return "approved"

    with app.app_context(), ThreadPoolExecutor(1) as other:
        db.create_all()
        office = make_organization("ecology").id
        first, second, author = (
            Identity(name, name, organizations={office: MemberRole.PUBLISHER})
            for name in ("first", "second", "author")
        )
        revision_id = publishing.hand_in(author, whole(slug="air")).id
        with transaction():
            publishing.approve(first, revision_id)
            late = other.submit(decide, second)
            assert any(late.done() or has_waiter() for _ in range(5_000))
        assert "dealt with already" in late.result()
        assert lines(id_of("air")).count("revision.approved") == 1
        db.session.remove()
        db.engine.dispose()


def has_waiter() -> bool:
    """Whether a session of PostgreSQL waits for what another one holds."""
    waiting = text("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'")
    with db.engine.connect() as connection:
        return bool(connection.scalar(waiting))


def test_due_revisions_are_looked_for_every_minute() -> None:
    assert publishing.publish_due.every_minutes == 1


def test_drafts_are_found_by_their_author_at_once_and_after_a_rebuild(author: Identity) -> None:
    mine = search.visible_to(author, private=True, drafts=True)

    def found(visible: tuple[str, ...] = mine) -> list[str]:
        page = search.search_engine().search(SearchQuery("gauges", visible=visible))
        return [hit.card["title"]["en"] for hit in page.hits]

    revision = publishing.propose(author, make_draft("Rain gauges"))
    assert (found(), found(search.visible_to(ANYONE))) == (["Rain gauges"], [])
    search.rebuild_index()
    assert (found(), found(search.visible_to(ANYONE))) == (["Rain gauges"], [])
    publishing.propose(author, make_draft("River gauges"), dataset_id=revision.dataset_id)
    assert found() == ["River gauges"]
    publishing.discard(author, revision.id)
    assert found() == []
