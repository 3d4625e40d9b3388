"""Putting, retiring and showing datasets."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask import Flask
from hypothesis import HealthCheck, given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from sqlalchemy import event, func, select, update

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, Gone, Invalid, NotFound, Unauthenticated
from catalog.models.address import FormerAddress
from catalog.models.base import now
from catalog.models.dataset import Dataset, Resource, dataset_tag
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.series import DatasetSeries
from catalog.models.table import DataTable
from catalog.models.tag import Tag, Vocabulary
from catalog.models.vocabulary import Frequency, MemberRole, State
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.dataset import dataset_draft, dataset_json
from catalog.schemas.drafts import Origin
from catalog.search import SearchQuery
from catalog.services import datasets, log, revisions, search
from catalog.services.datasets import Freshness, Kept, Outcome
from tests.make_dataset import (
    make_draft,
    make_organization,
    make_table,
    make_theme,
    put,
    retire_unseen,
)

pytestmark = pytest.mark.usefixtures("departments")


@pytest.fixture
def departments(app: Flask) -> None:
    make_organization("ecology")
    make_organization("transport")
    make_theme("environment")


def editor_of(slug: str, role: MemberRole = MemberRole.EDITOR) -> Identity:
    from catalog.services import organizations

    return Identity("a1", organizations={organizations.show(ANYONE, slug).id: role})


def slugs() -> list[str]:
    return sorted(db.session.scalars(select(Dataset.slug)))


# What a draft must be


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("title", "only text"),
        ("title", {}),
        ("title", {"zh": " "}),
        ("title", {"Chinese!": "x"}),
        ("title", {"zh": 3}),
        ("title", {"zh": "长" * 501}),
        ("description", {f"x{chr(97 + n // 26)}{chr(97 + n % 26)}": "x" for n in range(41)}),
        ("organization", ""),
        ("organization", "Größe"),
        ("slug", "With Blanks"),
        ("slug", "x" * 101),
        ("license", "MIT-ish"),
        ("frequency", "sometimes"),
        ("access", "secret"),
        ("tags", "a, b"),
        ("tags", ["x" * 101]),
        ("tags", ["x"] * 201),
        ("landing_page", "javascript:alert(1)"),
        ("landing_page", "http://[::1"),
        ("temporal_start", "2024-13"),
        ("temporal_start", "May 2024"),
        ("modified", "yesterday"),
        ("modified", 20240101),
        ("extras", ["a"]),
        ("extras", {"a": "x" * 200_001}),
        ("extras", {"a": {1, 2}}),
        ("resources", [{"title": {"en": "without a key"}}]),
        ("resources", [{"key": " "}]),
        ("resources", [{"key": "a"}, {"key": "a"}]),
        ("resources", [{"key": "a", "size": -1}]),
        ("resources", [{"key": "a", "url": "data:text/html,x"}]),
        ("resources", [{"key": "a", "colour": "red"}]),
        ("colour", "red"),
    ],
)
def test_a_draft_is_refused_with_the_name_of_the_field(field: str, value: Any) -> None:
    with pytest.raises(Invalid) as refusal:
        make_draft(**{field: value})
    assert field in refusal.value.problems


def test_a_period_must_not_end_before_it_starts() -> None:
    assert make_draft(temporal_start="2024", temporal_end="2024-05").temporal_end == "2024-05"
    with pytest.raises(Invalid):
        make_draft(temporal_start="2024-06", temporal_end="2024-05-31")


def test_a_draft_is_cleaned() -> None:
    draft = dataset_draft(
        {
            "title": {"zh": " 空\x00气 ", "en": "", "fr-t-en": "Cafe\u0301"},
            "organization": "ecology",
            "tags": ["a", " a", "", "b"],
            "modified": datetime(2024, 5, 1),  # without a time zone it is UTC
            "issued": "2024-05-01T08:00:00+08:00",
            "temporal_start": " ",
            "resources": [
                {"key": "k", "format": "csv", "url": "", "load": {"part": "a", "n": [1]}}
            ],
        }
    )
    assert draft.title == {"zh": "空气", "fr-t-en": "Café"}
    assert draft.tags == ("a", "b")
    assert draft.modified == datetime(2024, 5, 1, tzinfo=UTC)
    assert draft.issued == datetime(2024, 5, 1, tzinfo=UTC)
    assert draft.temporal_start == ""
    assert draft.resources[0].format == "CSV"
    assert draft.resources[0].load == {"part": "a", "n": [1]}


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.datetimes(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
_names = st.sampled_from(
    ["title", "organization", "slug", "tags", "modified", "extras", "resources", "size"]
)


@given(st.dictionaries(_names | st.text(max_size=5), _json, max_size=6))
@hypothesis_settings(max_examples=200, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_is_sent_gives_a_draft_or_a_sentence(described: dict[str, Any]) -> None:
    try:
        draft = dataset_draft(described)
    except Invalid:
        return
    assert revisions.fingerprint_of(draft)


# Putting


def test_a_dataset_is_created_once_and_found() -> None:
    first = put(key="r1", themes=["environment"], tags=["ozone"])
    assert first.outcome is Outcome.CREATED
    assert put(key="r1", themes=["environment"], tags=["ozone"]).outcome is Outcome.SAME
    page = search.find(ANYONE, SearchQuery("ozone"))
    assert [hit.id for hit in page.hits] == [first.dataset_id]
    assert page.hits[0].card["themes"][0]["slug"] == "environment"


def test_a_change_keeps_id_and_slug() -> None:
    first = put("Air quality", key="r1")
    second = put("Air pollution", key="r1", slug="another")
    assert (second.outcome, second.dataset_id) == (Outcome.CHANGED, first.dataset_id)
    dataset = datasets.show(ANYONE, "air-quality")
    assert dataset.title == {"en": "Air pollution"}
    assert search.find(ANYONE, SearchQuery("quality")).total == 1
    assert search.find(ANYONE, SearchQuery("pollution")).total == 1


def test_a_slug_that_is_taken_gets_a_number() -> None:
    for key in ("r1", "r2", "r3"):
        put(key=key)
    assert slugs() == ["air-quality", "air-quality-2", "air-quality-3"]
    put("A_b", key="r4", slug="a_b")
    put("Axb", key="r5", slug="axb-2")
    put("A_b", key="r6", slug="a_b")
    assert {"a_b", "a_b-2"} <= set(slugs())


def test_a_chinese_title_is_spelled_in_the_address() -> None:
    result = datasets.put(
        SCHEDULER, dataset_draft({"title": {"zh": "上海 空气"}, "organization": "ecology"})
    )
    assert datasets.show(ANYONE, result.dataset_id).slug == "shang-hai-kong-qi"


def test_a_dataset_of_our_own_is_found_by_its_slug() -> None:
    first = put(slug="air")
    assert put("Other", slug="air").dataset_id == first.dataset_id
    assert put("Other").outcome is Outcome.CREATED
    put(key="r1", slug="harvested")
    with pytest.raises(Conflict):
        put(slug="harvested")


def test_resources_keep_their_ids_and_tables_by_key() -> None:
    result = put(
        key="r1",
        resources=[
            {"key": "a", "load": {"version": 1}},
            {"key": "b", "load": {"version": 1}},
            {"key": "c"},
        ],
    )
    before = {r.key: r.id for r in datasets.show(ANYONE, result.dataset_id).resources}
    assert result.to_load == (before["a"], before["b"])
    make_table(before["a"])
    make_table(before["b"])
    result = put(
        key="r1",
        resources=[
            {"key": "d"},
            {"key": "a", "load": {"version": 2}, "title": {"en": "New"}},
            {"key": "c"},
        ],
    )
    dataset = datasets.show(ANYONE, result.dataset_id)
    assert result.to_load == (before["a"],)
    assert [r.key for r in dataset.resources] == ["d", "a", "c"]
    assert dataset.resources[1].id == before["a"]
    assert dataset.resources[2].id == before["c"]
    assert [t.key for t in dataset.resources[1].tables] == ["data"]
    assert db.session.scalar(select(func.count()).select_from(DataTable)) == 1


@pytest.mark.parametrize("field", [{"organization": "nobody"}, {"themes": ["nothing"]}])
def test_an_unknown_organization_or_theme_is_refused_and_nothing_is_left(
    field: dict[str, Any],
) -> None:
    with pytest.raises(Invalid) as refusal:
        put(**field)
    assert list(refusal.value.problems) == list(field)
    assert slugs() == []


def test_only_those_of_the_organization_may_put() -> None:
    with pytest.raises(Unauthenticated):
        put(who=ANYONE)
    with pytest.raises(Denied):
        put(who=editor_of("transport"))
    assert put(who=editor_of("ecology"), slug="air").outcome is Outcome.CREATED
    make_organization("health")
    with pytest.raises(Denied):  # nobody may take a dataset away from another organization
        put(who=editor_of("transport"), slug="air", organization="transport")
    assert put(slug="air", organization="transport").outcome is Outcome.CHANGED


def test_a_failing_put_leaves_everything_as_it_was() -> None:
    put(key="r1", resources=[{"key": "a"}])
    with pytest.raises(Invalid):
        put("New", key="r1", resources=[{"key": "b"}], themes=["nothing"])
    dataset = datasets.show(ANYONE, "air-quality")
    assert (dataset.title["en"], dataset.resources[0].key) == ("Air quality", "a")


# Retiring


def test_records_that_were_not_seen_are_withdrawn_and_come_back() -> None:
    kept, lost = put("Kept", key="r1"), put("Lost", key="r2")
    put("Ours", slug="ours")
    assert retire_unseen(SCHEDULER, "s1", ["r1"]) == 1
    assert retire_unseen(SCHEDULER, "s1", ["r1"]) == 0
    assert search.find(ANYONE, SearchQuery("lost")).total == 0
    with pytest.raises(Gone):
        datasets.show(ANYONE, "lost")
    assert datasets.show(SCHEDULER, "lost").state == State.WITHDRAWN
    assert datasets.show(editor_of("ecology"), lost.dataset_id).slug == "lost"
    assert datasets.show(ANYONE, kept.dataset_id).slug == "kept"

    back = put("Lost", key="r2")
    assert (back.outcome, back.dataset_id) == (Outcome.CHANGED, lost.dataset_id)
    assert datasets.show(ANYONE, "lost").state == State.PUBLISHED
    assert search.find(ANYONE, SearchQuery("lost")).total == 1


def test_an_editor_may_not_retire_but_a_publisher_may() -> None:
    put(key="r1")
    with pytest.raises(Denied):
        retire_unseen(editor_of("ecology"), "s1", [])
    assert retire_unseen(editor_of("ecology", MemberRole.PUBLISHER), "s1", []) == 1


# Showing


def test_what_is_not_there_is_not_found() -> None:
    with pytest.raises(NotFound) as refusal:
        datasets.show(ANYONE, "no-such-thing")
    assert "no-such-thing" in str(refusal.value)


def test_a_dataset_is_shown_with_the_same_number_of_queries_however_large_it_is() -> None:
    def queries(slug: str) -> int:
        db.session.rollback()
        db.session.expunge_all()
        seen: list[str] = []

        def note(*arguments: Any) -> None:
            seen.append(arguments[2])

        event.listen(db.engine, "before_cursor_execute", note)
        dataset = datasets.show(ANYONE, slug)
        dataset_json(dataset, "zh", readable=True)
        event.remove(db.engine, "before_cursor_execute", note)
        return len(seen)

    put("Small", key="r1", themes=["environment"], resources=[{"key": "a"}])
    put("Large", key="r2", themes=["environment"], resources=[{"key": f"k{n}"} for n in range(20)])
    for resource in db.session.scalars(select(Resource)).all():
        make_table(resource.id)
    assert queries("small") == queries("large") <= 6


def test_the_json_of_a_dataset_speaks_one_language_and_all() -> None:
    result = datasets.put(
        SCHEDULER,
        dataset_draft(
            {
                "title": {"zh": "空气", "en": "Air"},
                "description": {"zh": "说明"},
                "organization": "ecology",
                "themes": ["environment"],
                "modified": "2024-05-01",
                "resources": [{"key": "a", "title": {"nl": "Lucht"}, "load": {"password": "x"}}],
            }
        ),
    )
    resource = datasets.show(ANYONE, result.dataset_id).resources[0]
    make_table(resource.id)
    dataset = datasets.show(ANYONE, result.dataset_id)
    english = dataset_json(dataset, "en", readable=True, kept={"status": "kept"})
    assert (english["title"], english["description"]) == ("Air", "说明")
    assert dataset_json(dataset, "zh", readable=True)["title"] == "空气"
    assert english["texts"]["title"] == {"zh": "空气", "en": "Air"}
    assert english["organization"]["title"] == "Bureau of ecology"
    assert english["themes"][0]["title"] == "Environment"
    assert english["modified"] == "2024-05-01T00:00:00+00:00"
    assert english["freshness"] == {"status": "kept"}
    assert english["resources"][0]["title"] == "Lucht"
    assert [c["name"] for c in english["resources"][0]["tables"][0]["columns"]] == [
        "station",
        "value",
    ]
    assert "load" not in english["resources"][0]
    assert english["license"]["title"] == "Not specified"
    assert dataset_json(dataset, "zh", readable=True)["license"]["title"] == "未说明"


def test_tables_lists_those_of_open_published_datasets() -> None:
    for key, access in (("r1", "open"), ("r2", "closed"), ("r3", "open")):
        result = put(key=key, access=access, resources=[{"key": "a"}])
        make_table(datasets.show(ANYONE, result.dataset_id).resources[0].id)
    retire_unseen(SCHEDULER, "s1", ["r1", "r2"])
    assert len(datasets.tables(ANYONE)) == 1


# Freshness


@pytest.mark.parametrize(
    ("frequency", "today", "expected"),
    [
        ("never", date(2030, 1, 1), Freshness(Kept.STATIC, None, date(2024, 5, 1))),
        ("unknown", date(2024, 5, 2), Freshness(Kept.UNKNOWN, None, date(2024, 5, 1))),
        ("irregular", date(2024, 5, 2), Freshness(Kept.UNKNOWN, None, date(2024, 5, 1))),
        ("daily", date(2024, 5, 3), Freshness(Kept.KEPT, date(2024, 5, 2), date(2024, 5, 1))),
        ("daily", date(2024, 5, 4), Freshness(Kept.LATE, date(2024, 5, 2), date(2024, 5, 1))),
        ("monthly", date(2024, 6, 8), Freshness(Kept.KEPT, date(2024, 6, 1), date(2024, 5, 1))),
        ("monthly", date(2024, 6, 9), Freshness(Kept.LATE, date(2024, 6, 1), date(2024, 5, 1))),
    ],
)
def test_freshness_follows_the_promised_frequency(
    frequency: str, today: date, expected: Freshness
) -> None:
    result = put(frequency=frequency, modified="2024-05-01")
    dataset = datasets.show(ANYONE, result.dataset_id)
    assert dataset.frequency == Frequency(frequency)
    assert datasets.freshness(dataset, today) == expected


def test_the_first_load_says_nothing_about_age_but_a_later_release_does() -> None:
    result = put(modified="2024-05-01", frequency="annual", resources=[{"key": "a"}])
    resource = datasets.show(ANYONE, result.dataset_id).resources[0]
    table = make_table(resource.id, loaded_at=datetime(2026, 1, 1, tzinfo=UTC))

    def last() -> date | None:
        return datasets.freshness(datasets.show(ANYONE, result.dataset_id), date(2026, 2, 1)).last

    assert last() == date(2024, 5, 1)
    with transaction():
        found = db.session.get(DataTable, table)
        assert found is not None
        found.release = 2
    assert last() == date(2026, 1, 1)


def test_without_a_date_of_the_source_the_load_counts() -> None:
    result = put(resources=[{"key": "a"}])
    resource = datasets.show(ANYONE, result.dataset_id).resources[0]
    made = datasets.show(ANYONE, result.dataset_id)
    assert datasets.freshness(made, date(2026, 2, 1)) == datasets.Freshness(
        Kept.UNKNOWN, None, None
    )
    make_table(resource.id, loaded_at=datetime(2020, 1, 1, tzinfo=UTC))
    shown = datasets.show(ANYONE, result.dataset_id)
    assert datasets.freshness(shown, date(2026, 2, 1)).last == date(2020, 1, 1)


def test_nobody_keeps_a_promise_on_the_day_of_a_harvest() -> None:
    made = datasets.show(ANYONE, put(frequency="daily").dataset_id)
    today = datetime.now(UTC).date()
    assert datasets.freshness(made, today) == datasets.Freshness(Kept.UNKNOWN, None, None)
    assert dataset_json(made, "en", readable=True)["modified"] is None
    (hit,) = search.find(ANYONE, SearchQuery(sort="modified")).hits
    assert hit.card["modified"] is None


def test_a_time_without_a_zone_is_one_of_the_clock_of_its_source() -> None:
    stated = {"title": {"en": "Air"}, "organization": "ecology", "issued": "2023-08-04T16:03:32"}
    draft = dataset_draft({**stated, "modified": "2024-05-01"}, zone=ZoneInfo("Asia/Shanghai"))
    assert draft.issued == datetime(2023, 8, 4, 8, 3, 32, tzinfo=UTC)
    assert draft.modified == datetime(2024, 5, 1, tzinfo=UTC)
    stated["issued"] = "2023-08-04T16:03:32Z"
    assert dataset_draft(stated, zone=ZoneInfo("Asia/Shanghai")).issued == datetime(
        2023, 8, 4, 16, 3, 32, tzinfo=UTC
    )
    with pytest.raises(Invalid):
        dataset_draft({**stated, "issued": "soon"}, zone=ZoneInfo("Asia/Shanghai"))


def test_touch_indexes_again() -> None:
    result = put(key="r1", resources=[{"key": "a"}])
    resource = datasets.show(ANYONE, result.dataset_id).resources[0]
    before = datasets.show(ANYONE, result.dataset_id).updated_at
    make_table(resource.id, columns=("ozone_maximum",), rows=7)
    assert search.find(ANYONE, SearchQuery("ozone")).total == 0
    datasets.touch(result.dataset_id)
    hit = search.find(ANYONE, SearchQuery("ozone maximum")).hits[0]
    assert (hit.card["rows"], hit.card["tables"]) == (7, 1)
    assert datasets.show(ANYONE, result.dataset_id).updated_at > before


def test_equal_drafts_have_equal_fingerprints_in_any_order_of_languages() -> None:
    one = make_draft(description={"zh": "a", "en": "b"})
    other = make_draft(description={"en": "b", "zh": "a"})
    assert revisions.fingerprint_of(one) == revisions.fingerprint_of(other)
    assert revisions.fingerprint_of(one) != revisions.fingerprint_of(make_draft())


def test_origin_is_what_a_harvest_finds_a_dataset_by() -> None:
    first = datasets.put(SCHEDULER, make_draft(), origin=Origin("s1", "r1"))
    other = datasets.put(SCHEDULER, make_draft(), origin=Origin("s2", "r1"))
    assert first.dataset_id != other.dataset_id


# What the standards add


def test_tags_and_details_are_kept_and_linked() -> None:
    made = put(
        tags=["air", "hourly", "air"],
        identifier="310000/0001",
        spatial_code="310000",
        spatial_box=[120.8, 30.6, 122.2, 31.9],
        details={"share_type": "conditional", "conforms_to": ["https://example.org/s"]},
        custom={"level": "A"},
        private=True,
    )
    dataset = db.session.get(Dataset, made.dataset_id)
    assert dataset is not None
    assert dataset.tags == ["air", "hourly"]
    assert dataset.spatial_box == [120.8, 30.6, 122.2, 31.9]
    assert dataset.details["share_type"] == "conditional"
    assert linked_tags() == {"air", "hourly"}
    put(slug=dataset.slug, tags=["air", "daily"])
    assert linked_tags() == {"air", "daily"}


def linked_tags() -> set[str]:
    linked = select(Tag.name).join(dataset_tag, dataset_tag.c.tag_id == Tag.id)
    return set(db.session.scalars(linked))


def test_tags_of_a_vocabulary_must_be_in_it() -> None:
    with transaction():
        db.session.add(Vocabulary(name="colours", tags=[Tag(name="green")]))
    put(vocabulary_tags={"colours": ["green"]}, tags=["green"])
    assert linked_tags() == {"green"}
    with pytest.raises(Invalid, match="red"):
        put("Other", vocabulary_tags={"colours": ["red"]})


def test_a_series_must_exist() -> None:
    with pytest.raises(Invalid, match="no series"):
        put(series="yearbooks")
    organization = db.session.scalars(select(Organization).filter_by(slug="ecology")).one()
    series = DatasetSeries(slug="yearbooks", organization_id=organization.id, title={"en": "Y"})
    with transaction():
        db.session.add(series)
    made = put(series="yearbooks", series_position=3)
    dataset = db.session.get(Dataset, made.dataset_id)
    assert dataset is not None
    assert (dataset.series_id, dataset.series_position) == (series.id, 3)


def test_a_text_is_stale_when_the_other_language_changes() -> None:
    def origins(**fields: Any) -> dict[str, Any]:
        made = put(slug="air", **fields)
        dataset = db.session.get(Dataset, made.dataset_id, populate_existing=True)
        assert dataset is not None
        return {tag: (o["origin"], o["stale"]) for tag, o in dataset.text_origins["title"].items()}

    first = {"zh": "空气", "en": "Air"}
    machine = {"title": ["en"]}
    assert origins(title=first, machine=machine) == {
        "zh": ("written", False),
        "en": ("machine", False),
    }
    assert origins(title=first, tags=["x"]) == {"zh": ("written", False), "en": ("machine", False)}
    changed = {"zh": "空气质量", "en": "Air"}
    assert origins(title=changed) == {"zh": ("written", False), "en": ("machine", True)}
    assert origins(title=changed, tags=["x"])["en"] == ("machine", True)
    caught_up = {"zh": "空气质量", "en": "Air quality"}
    assert origins(title=caught_up) == {"zh": ("written", True), "en": ("written", False)}


def test_a_former_address_leads_to_the_dataset_and_is_not_given_away() -> None:
    made = put(slug="air")
    with transaction():
        db.session.add(FormerAddress(kind="dataset", slug="old-air", object_id=made.dataset_id))
    assert datasets.show(ANYONE, "old-air").id == made.dataset_id
    other = datasets.show(ANYONE, put("Other", slug="old-air").dataset_id)
    assert other.slug == "old-air-2"


def test_a_merged_dataset_gives_the_one_that_took_its_place() -> None:
    kept, merged = put(slug="air").dataset_id, put("Old", slug="old").dataset_id
    with transaction():
        db.session.execute(
            update(Dataset)
            .where(Dataset.id == merged)
            .values(merged_into=kept, state=State.WITHDRAWN)
        )
    assert datasets.show(ANYONE, "old").id == kept


def test_of_drafts_and_private_datasets_nobody_hears() -> None:
    private = put(private=True).dataset_id
    draft = put("Draft").dataset_id
    with transaction():
        db.session.execute(
            update(Dataset)
            .where(Dataset.id == draft)
            .values(state=State.DRAFT, published_at=None, updated_at=now(), index_due=now())
        )
    for id_ in (private, draft):
        with pytest.raises(NotFound) as caught:
            datasets.show(ANYONE, id_)
        assert not isinstance(caught.value, Gone)
        assert datasets.show(editor_of("ecology"), id_).id == id_
    search.repair_index()
    assert search.find(ANYONE, SearchQuery("")).total == 0


def test_a_revision_holds_the_whole_content() -> None:
    fields = {
        "title": {"zh": "空气", "en": "Air"},
        "tags": ["air"],
        "details": {"share_type": "conditional", "publisher": {"name": "Bureau"}},
        "spatial_box": [1, 2, 3, 4],
        "modified": "2026-01-02T03:04:05Z",
        "resources": [{"key": "a", "size": 3, "load": {"part": "p"}}],
    }
    made = put(slug="air", **fields)
    put(slug="air", **fields, notice={"en": "Changed"})
    kept = db.session.scalars(
        select(DatasetRevision)
        .filter_by(dataset_id=made.dataset_id)
        .order_by(DatasetRevision.number)
    ).all()
    assert [(one.number, one.state) for one in kept] == [(1, "superseded"), (2, "published")]
    assert dataset_draft(kept[0].content) == make_draft(slug="air", **fields)


def test_many_records_are_put_together_in_their_order(app: Flask) -> None:
    make_organization()
    make_theme("air")
    drafts = [make_draft("Air", tags=["air", f"n{at}"], themes=["air"]) for at in range(5)]
    records = [(draft, Origin("s1", str(at))) for at, draft in enumerate(drafts)]
    first = datasets.put_all(SCHEDULER, records[:4])
    assert [one.outcome for one in first] == [Outcome.CREATED] * 4
    slugs = [datasets.show(ANYONE, one.dataset_id).slug for one in first]
    assert slugs == ["air", "air-2", "air-3", "air-4"]
    other = (make_draft("Water"), Origin("s1", "1"))
    again = datasets.put_all(SCHEDULER, [records[0], records[4], other])
    assert [one.outcome for one in again] == [Outcome.SAME, Outcome.CREATED, Outcome.CHANGED]
    assert [again[0].dataset_id, again[2].dataset_id] == [one.dataset_id for one in first[:2]]
    made = datasets.show(ANYONE, again[1].dataset_id)
    assert (made.slug, made.revision, [theme.slug for theme in made.themes]) == (
        "air-5",
        1,
        ["air"],
    )
    assert search.find(ANYONE, SearchQuery("", {"tag": ("air",)})).total == 4
    assert log.verify()[1] is None


def test_nothing_is_left_of_records_put_together_when_one_cannot_be(app: Flask) -> None:
    make_organization()
    good, bad = make_draft("Air"), make_draft("Water", themes=["unknown"])
    with pytest.raises(Invalid):
        datasets.put_all(SCHEDULER, [(good, Origin("s1", "a")), (bad, Origin("s1", "b"))])
    assert datasets.slugs(ANYONE, limit=10, offset=0) == []
