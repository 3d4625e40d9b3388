"""Finding datasets, and an index that equals the database."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import orjson
import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import Unauthenticated, Unavailable
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.service import DataService
from catalog.models.vocabulary import MemberRole, State
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.search import card_json, page_json
from catalog.search import SearchQuery, search_engine
from catalog.search.documents import shortened
from catalog.services import datasets, indexing, search
from catalog.settings import Settings
from tests.make_dataset import make_organization, make_table, make_theme, put


class LostQueue:
    """A queue that loses every job."""

    def put(self, name: str, args: tuple[str, ...], *, retries: int) -> None:
        """Forget it."""


@pytest.fixture(autouse=True)
def departments(app: Flask) -> None:
    make_organization("ecology", title={"zh": "生态环境局", "en": "Ecology"})
    make_theme("environment", title={"zh": "资源环境"})


def total(text: str = "") -> int:
    return search.find(ANYONE, SearchQuery(text)).total


@pytest.mark.parametrize(
    "text",
    [
        "air",
        "监测",
        "生态环境局",
        "资源环境",
        "ozone",
        "hourly workbook",
        "station",
        "stations",
        "Minhang",
        "air-q",
    ],
)
def test_a_dataset_is_found_by_all_that_is_said_of_it(text: str) -> None:
    result = put(
        "Air",
        slug="air-q",
        description={"zh": "监测"},
        tags=["Ozone"],
        themes=["environment"],
        spatial="Minhang",
        resources=[{"key": "a", "title": {"en": "Hourly workbook"}, "format": "XLSX"}],
    )
    make_table(datasets.show(ANYONE, result.dataset_id).resources[0].id)
    datasets.touch(result.dataset_id)
    put("Something else")
    page = search.find(ANYONE, SearchQuery(text))
    assert result.dataset_id in {hit.id for hit in page.hits}


def test_a_card_says_what_lists_show() -> None:
    put(
        "Air",
        description={"en": "long " * 100},
        themes=["environment"],
        modified="2024-05-01",
        frequency="daily",
        license="MIT",
        tags=["a"],
        resources=[{"key": "a", "format": "csv"}, {"key": "b", "format": "CSV"}, {"key": "c"}],
    )
    page = search.find(ANYONE, SearchQuery("air", language="zh"))
    card = page.hits[0].card
    assert len(card["description"]["en"]) <= 300
    assert card["description"]["en"].endswith("long…")
    assert (card["formats"], card["tables"], card["rows"]) == (["CSV"], 0, None)
    assert (card["modified"], card["license"]) == ("2024-05-01T00:00:00+00:00", "MIT")
    shown = card_json(card, "en")
    assert shown["organization"] == {"slug": "ecology", "title": "Ecology"}
    assert shown["themes"] == [{"slug": "environment", "title": "资源环境"}]
    assert shown["texts"]["title"] == {"en": "Air"}
    answer = page_json(page, SearchQuery("air"))
    assert (answer["total"], answer["datasets"][0]["title"]) == (1, "Air")
    assert {"value": "CSV", "count": 1} in answer["facets"]["format"]
    orjson.dumps(answer)


def test_texts_are_shortened_between_words() -> None:
    assert shortened("one\ntwo", 10) == "one two"
    assert shortened("one two three four", 15) == "one two three…"
    assert shortened("上海市空气质量监测数据", 5) == "上海市空…"


def test_a_lost_job_is_repaired(app: Flask) -> None:
    queue = app.extensions["weft"]["queue"]
    app.extensions["weft"]["queue"] = LostQueue()
    put("Air")
    app.extensions["weft"]["queue"] = queue
    assert total() == 0
    search.repair_index()
    assert total("air") == 1
    assert db.session.scalars(select(Dataset.index_due)).all() == [None]


def test_one_job_indexes_all_that_wait(app: Flask) -> None:
    queue = app.extensions["weft"]["queue"]
    app.extensions["weft"]["queue"] = LostQueue()
    ids = [put(f"Air {n}").dataset_id for n in range(5)]
    app.extensions["weft"]["queue"] = queue
    search.index_dataset(ids[0])
    assert total() == 5
    search.index_dataset(ids[1])
    assert total() == 5


def test_an_index_that_differs_from_the_database_is_repaired() -> None:
    put("Kept")
    lost = put("Lost").dataset_id
    engine = search_engine()
    document = next(iter(indexing._documents([lost])))
    engine.delete([lost])
    with transaction():
        gone = db.session.get(Dataset, put("Gone").dataset_id)
        db.session.delete(gone)
    search.repair_index()
    assert total() == 2
    assert engine.ids() == set(db.session.scalars(select(Dataset.id)))
    assert document.id == lost


def test_a_dataset_that_is_not_there_any_more_leaves_the_index() -> None:
    id_ = put("Gone").dataset_id
    with transaction():
        db.session.delete(db.session.get(Dataset, id_))
    search.index_dataset(id_)
    assert total() == 0


def test_an_index_of_another_version_or_in_ruins_is_rebuilt(settings: Settings) -> None:
    put("Air")
    folder = Path(settings.search_url.removeprefix("tantivy:"))
    for ruin in (
        b'{"index": "index-x", "version": "0"}',
        b'{"index": "index-x", "version": "1"}',
        b"{",
    ):
        (folder / "current").write_bytes(ruin)
        with pytest.raises(Unavailable):
            total()
        search.repair_index()
        assert total("air") == 1


def test_the_whole_index_is_made_anew_on_demand() -> None:
    put("Air")
    search_engine().rebuild([])
    assert total() == 0
    with pytest.raises(Unauthenticated):
        search.reindex(ANYONE)
    search.reindex(SCHEDULER)
    assert total() == 1


@pytest.fixture
def lost(app: Flask) -> Iterator[None]:
    """The worker does nothing: what is found is what requests show."""
    queue = app.extensions["weft"]["queue"]
    app.extensions["weft"]["queue"] = LostQueue()
    yield
    app.extensions["weft"]["queue"] = queue


def test_the_very_next_search_finds_what_a_request_wrote(app: Flask, lost: None) -> None:
    with app.test_request_context():
        first = put("Air", slug="one").dataset_id
    assert total("air") == 1
    with app.test_request_context():
        put("Water", slug="one")
        put("Soil", slug="soil")
    assert (total("air"), total("water"), total()) == (0, 1, 2)
    page = search.find(ANYONE, SearchQuery())
    assert page.facets["organization"][0].count == 2
    with app.test_request_context(), transaction() as tx:
        db.session.delete(db.session.get(Dataset, first))
        tx.after_commit(indexing.changed, first)
    assert total("water") == 0
    assert total() == 1


def test_many_writes_cost_the_next_search_only_what_still_waits(
    app: Flask, lost: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(indexing, "BATCH", 2)
    with app.test_request_context():
        for number in range(5):
            put(f"Air {number}")
    indexing.index_due_datasets()
    with app.test_request_context():
        put("Air five")
    assert total("air") == 6


def test_several_web_processes_write_the_index_themselves(app: Flask, lost: None) -> None:
    weft = app.extensions["weft"]
    weft["settings"] = replace(weft["settings"], web_processes=2, limits_url="redis://127.0.0.1:1/")
    with app.test_request_context():
        id_ = put("Air").dataset_id
    assert search_engine().ids() == {id_}


def test_private_datasets_and_drafts_are_found_by_few(app: Flask) -> None:
    put("Plan of all", slug="all")
    ids = {name: put(f"Plan {name}", slug=name).dataset_id for name in ("private", "draft")}
    with transaction():
        private = db.session.get(Dataset, ids["private"])
        draft = db.session.get(Dataset, ids["draft"])
        assert private is not None
        assert draft is not None
        private.private = True
        draft.state, draft.creator_id = State.DRAFT, "me"
        organization = private.organization_id
    for id_ in ids.values():
        datasets.touch(id_)
    member = Identity(account_id="you", organizations={organization: MemberRole.MEMBER})
    creator = Identity(account_id="me")
    admin = Identity(account_id="root", administrator=True)

    def slugs(who: Identity, **options: bool) -> set[str]:
        page = search.find(who, SearchQuery("plan", visible=("*",)), **options)
        return {hit.card["slug"] for hit in page.hits}

    assert slugs(ANYONE) == slugs(member) == slugs(admin) == {"all"}
    assert slugs(ANYONE, private=True, drafts=True) == {"all"}
    assert slugs(member, private=True, drafts=True) == {"all", "private"}
    assert slugs(creator, private=True, drafts=True) == {"all", "draft"}
    assert slugs(admin, private=True) == {"all", "private", "draft"}


def test_documents_older_than_the_database_are_found_and_repaired() -> None:
    id_ = put("Air").dataset_id
    with transaction():
        dataset = db.session.get(Dataset, id_)
        assert dataset is not None
        dataset.title, dataset.updated_at = {"en": "Soil"}, now()
    assert total("soil") == 0
    search.repair_index()
    assert total("soil") == 1


def test_series_and_services_are_found_beside_datasets() -> None:
    organization = db.session.scalar(select(Organization))
    assert organization is not None
    with transaction():
        series = DatasetSeries(
            id="series", slug="years", organization_id=organization.id, title={"zh": "统计年鉴"}
        )
        service = DataService(
            id="service",
            slug="maps",
            organization_id=organization.id,
            title={"en": "Map service"},
            endpoint_url="https://example.org/wms",
            protocol="WMS",
            tags=["maps"],
            parameters=[{"name": "bbox", "description": {"en": "the extent"}}, {"name": "x"}],
        )
        db.session.add_all([series, service])
    for id_ in ("series", "service", "unknown"):
        indexing.changed(id_)
    page = search.find(ANYONE, SearchQuery(facets=True))
    assert {b.value: b.count for b in page.facets["type"]} == {"series": 1, "service": 1}
    assert search.find(ANYONE, SearchQuery("extent")).hits[0].card["type"] == "service"
    assert search.find(ANYONE, SearchQuery("nianjian")).hits[0].id == "series"
    search.repair_index()
    search.rebuild_index()
    assert total() == 2


def test_names_of_departments_and_themes_are_suggested() -> None:
    put("Ecology of parks", slug="parks")
    search.forget_labels()
    kinds = {one.kind: one.text for one in search.suggest(ANYONE, "eco", "zh")}
    assert kinds == {"title": "Ecology of parks", "organization": "生态环境局"}
    assert [one.value for one in search.suggest(ANYONE, "sthj", "zh")] == ["ecology"]
    assert search.suggest(ANYONE, " !", "zh") == []


def test_a_department_finds_what_its_offices_have() -> None:
    make_organization("office", title={"en": "Office"})
    with transaction():
        found = {one.slug: one for one in db.session.scalars(select(Organization))}
        found["office"].parent_id = found["ecology"].id
    put("Air", organization="office")
    search.forget_labels()
    assert search.parents() == {"office": "ecology"}
    page = search.find(ANYONE, SearchQuery(filters={"organization": ("ecology",)}))
    assert page.total == 1


def test_the_worker_gathers_what_comes_within_a_moment(
    app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    slept: list[float] = []
    monkeypatch.setattr(indexing.time, "sleep", slept.append)
    queue = app.extensions["weft"]["queue"]
    app.extensions["weft"]["queue"] = LostQueue()
    indexing.index_dataset(put("Air").dataset_id)
    indexing.index_dataset(put("Water").dataset_id)
    app.extensions["weft"]["queue"] = queue
    assert len(slept) == 1
    assert 0 < slept[0] <= indexing.GATHER_SECONDS
