"""Finding datasets, and an index that equals the database."""

from __future__ import annotations

from pathlib import Path

import orjson
import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import Unauthenticated, Unavailable
from catalog.models.dataset import Dataset
from catalog.permissions import ANYONE, SCHEDULER
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
