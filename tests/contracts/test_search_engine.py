"""What every search engine does."""

from __future__ import annotations

import multiprocessing
import threading
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from catalog.errors import BadQuery
from catalog.search import Document, SearchEngine, SearchQuery
from catalog.search.elastic_engine import ElasticEngine
from catalog.search.tantivy_engine import TantivyEngine
from catalog.settings import Settings
from tests.make_document import TODAY, make_document
from tests.make_elastic import ElasticServer


def tantivy(request: pytest.FixtureRequest) -> SearchEngine:
    folders: pytest.TempPathFactory = request.getfixturevalue("tmp_path_factory")
    return TantivyEngine(folders.mktemp("search") / "index", today=lambda: TODAY.date())


def elastic(request: pytest.FixtureRequest) -> SearchEngine:
    """An index without documents: making one for each test would take most of its time."""
    server: ElasticServer = request.getfixturevalue("elastic")
    engine = ElasticEngine(server.shared_url, Settings(), today=lambda: TODAY.date())
    engine.delete(engine.ids())
    return engine


ENGINES = {"tantivy": tantivy, "elastic": elastic}


@pytest.fixture(params=ENGINES)
def engine(request: pytest.FixtureRequest) -> SearchEngine:
    return ENGINES[request.param](request)


def found(engine: SearchEngine, text: str = "", **options: object) -> list[str]:
    return [hit.id for hit in engine.search(SearchQuery(text, **options)).hits]  # type: ignore[arg-type] # options of the test


def counts(engine: SearchEngine, facet: str, **options: object) -> dict[str, int]:
    page = engine.search(SearchQuery(**options))  # type: ignore[arg-type] # options of the test
    return {bucket.value: bucket.count for bucket in page.facets[facet]}


def test_an_engine_that_was_never_written_finds_nothing(engine: SearchEngine) -> None:
    page = engine.search(SearchQuery("bridge"))
    assert (page.total, page.hits) == (0, ())
    assert page.facets["organization"] == ()
    assert engine.ids() == frozenset()
    engine.delete(["unknown"])
    engine.put([])


def test_a_document_is_found_once_put_returns(engine: SearchEngine) -> None:
    engine.put([make_document(en="Bridges of the city")])
    page = engine.search(SearchQuery("bridge"))
    assert page.total == 1
    assert page.hits[0].card["title"] == {"en": "Bridges of the city"}
    assert page.hits[0].score > 0


def test_putting_again_replaces(engine: SearchEngine) -> None:
    engine.put([make_document(en="Bridges"), make_document(en="Tunnels")])
    assert found(engine) == ["1"]
    assert found(engine, "bridges") == []
    engine.put([make_document(en="Canals")])
    assert found(engine, "tunnels") == []
    assert found(engine, "canals") == ["1"]


def test_a_deleted_document_is_not_found(engine: SearchEngine) -> None:
    engine.put([make_document("1"), make_document("2")])
    engine.delete(["1", "unknown"])
    assert found(engine) == ["2"]
    assert engine.ids() == {"2"}
    assert counts(engine, "organization") == {"transport": 1}


@pytest.mark.parametrize(
    "text",
    [
        "空气质量",
        "空气",
        "质",
        "ＰＭ2.5",
        "pm2.5",
        "pm25",
        "PM2",
        "station name",
        "stationName",
        "houses",
        "House",
        "ecole",
        "ÉCOLES",
        "110105",
        "gb/t-2260",
        "环境 局",
        "ozone",
        "PM2.5 空气",
    ],
)
def test_it_is_found_by(engine: SearchEngine, text: str) -> None:
    engine.put(
        [
            make_document(
                zh="空气质量监测",
                en="Écoles near a house",
                description="PM2.5 by district 110105, see GB/T-2260",
                words="stationName\n生态环境局\nhour",
                tags=("Ozone",),
            ),
            make_document("2", zh="公交线路", en="Bus lines"),
        ]
    )
    assert found(engine, text) == ["1"]


@pytest.mark.parametrize(
    "text",
    [
        "气空",
        "pm10",
        "!!!",
        "“”",
        "a AND b",
        "title:bus",
        "*",
        "ab~2",
        '"',
        "(",
        "\\",
        "🚲",
    ],
)
def test_it_is_not_found_by(engine: SearchEngine, text: str) -> None:
    engine.put([make_document(zh="空气质量监测", en="Air")])
    assert found(engine, text) == []


def test_all_words_come_before_some_words(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document(
                "some", en="lamps lamps of streets", description="lamps lamps streets streets"
            ),
            make_document("all", en="other", description="street lamps by energy"),
            make_document("few", en="lamps"),
        ]
    )
    assert found(engine, "street lamps energy") == ["all", "some"]


def test_without_enough_words_those_with_most_of_them_are_found(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("one", en="Lamps", description="the lamps of the city"),
            make_document("two", en="Street lamps"),
            make_document("none", en="The rest of it"),
            make_document("zh", zh="空气质量"),
        ]
    )
    page = engine.search(SearchQuery("the street lamps elephant giraffe zebra"))
    assert [hit.id for hit in page.hits] == ["two", "one"]
    assert page.partial
    assert sum(bucket.count for bucket in page.facets["organization"]) == 2
    chinese = engine.search(SearchQuery("空气动力学研究所报告"))
    assert ([hit.id for hit in chinese.hits], chinese.partial) == (["zh"], True)


def test_enough_words_somewhere_are_no_reason_to_look_for_some(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("both", en="Street lamps"),
            make_document("one", en="Lamps", organization="energy"),
        ]
    )
    assert not engine.search(SearchQuery("street lamps")).partial
    page = engine.search(SearchQuery("street lamps", filters={"organization": ("energy",)}))
    assert (page.total, page.partial) == (0, False)
    nothing = engine.search(SearchQuery("elephant giraffe"))
    assert (nothing.total, nothing.partial) == (0, False)
    assert not engine.search(SearchQuery("elephant")).partial


def test_documents_without_a_date_come_last_and_are_in_no_range(engine: SearchEngine) -> None:
    old = datetime(1500, 1, 1, tzinfo=UTC)
    engine.put(
        [
            make_document("undated", modified=None),
            make_document("old", modified=old),
            make_document("new"),
        ]
    )
    assert found(engine, sort="modified") == ["new", "old", "undated"]
    assert counts(engine, "updated") == {"week": 1, "month": 1, "year": 1, "older": 1, "unknown": 1}
    assert found(engine, filters={"updated": ("unknown",)}) == ["undated"]
    assert found(engine, filters={"updated": ("older",)}) == ["old"]
    assert found(engine, filters={"updated": ("year",)}) == ["new"]
    either = found(engine, filters={"updated": ("older", "unknown")}, sort="modified")
    assert either == ["old", "undated"]


def test_sixty_percent_of_chinese_pairs_are_enough(engine: SearchEngine) -> None:
    engine.put([make_document(zh="空气质量日报"), make_document("2", zh="水质日报")])
    assert found(engine, "空气质量监测") == ["1"]


def test_a_whole_title_comes_first_then_its_beginning(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document(
                "word", en="The air, the air, the air quality", tags=("air quality",), uses=9999
            ),
            make_document("start", en="Air quality by hour"),
            make_document("whole", en="Air Quality"),
            make_document("text", en="Other", description="air quality"),
        ]
    )
    assert found(engine, "air quality") == ["whole", "start", "word", "text"]


def test_the_beginning_of_a_title_finds_in_the_middle_of_a_word(engine: SearchEngine) -> None:
    engine.put([make_document(en="Neighbourhoods"), make_document("2", zh="上海市公共厕所")])
    assert found(engine, "neighb") == ["1"]
    assert found(engine, "上海市公") == ["2"]


def test_facets_count_exactly(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document(str(n), organization=f"o{n % 3}", formats=("CSV", "XLSX"))
            for n in range(30)
        ]
    )
    page = engine.search(SearchQuery(limit=1))
    assert page.total == 30
    assert [(b.value, b.count) for b in page.facets["organization"]] == [
        ("o0", 10),
        ("o1", 10),
        ("o2", 10),
    ]
    assert counts(engine, "format") == {"CSV": 30, "XLSX": 30}
    assert counts(engine, "theme") == {}


def test_counts_of_a_facet_ignore_what_was_chosen_in_it(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("1", organization="a", formats=("CSV",)),
            make_document("2", organization="a", formats=("XLSX",)),
            make_document("3", organization="b", formats=("CSV",)),
        ]
    )
    filters = {"organization": ("a",), "format": ("CSV",)}
    assert found(engine, filters=filters) == ["1"]
    assert counts(engine, "organization", filters=filters) == {"a": 1, "b": 1}
    assert counts(engine, "format", filters=filters) == {"CSV": 1, "XLSX": 1}
    assert counts(engine, "access", filters=filters) == {"open": 1}


def test_values_of_one_facet_add_up(engine: SearchEngine) -> None:
    engine.put([make_document(n, organization=n) for n in "abc"])
    page = engine.search(SearchQuery(filters={"organization": ("a", "b"), "format": ()}))
    assert page.total == 2


def test_a_chosen_value_without_datasets_is_listed_with_zero(engine: SearchEngine) -> None:
    engine.put([make_document()])
    assert counts(engine, "organization", filters={"organization": ("none",)}) == {
        "transport": 1,
        "none": 0,
    }
    assert counts(engine, "updated", filters={"updated": ("older",)})["older"] == 0


def test_many_values_are_cut_but_never_the_chosen_one(engine: SearchEngine) -> None:
    engine.put([make_document(str(n), organization=f"o{n:04}") for n in range(1100)])
    page = engine.search(SearchQuery(filters={"organization": ("o1099", "o0500")}))
    buckets = {bucket.value: bucket.count for bucket in page.facets["organization"]}
    assert len(buckets) == 202
    assert (buckets["o1099"], buckets["o0500"]) == (1, 1)


def test_updated_counts_from_today(engine: SearchEngine) -> None:
    ages = {"now": 0, "six days": 6, "eight days": 8, "half a year": 180, "two years": 730}
    engine.put([make_document(id_, modified=TODAY - timedelta(days=d)) for id_, d in ages.items()])
    assert counts(engine, "updated") == {"week": 2, "month": 3, "year": 4, "older": 1}
    assert set(found(engine, filters={"updated": ("week",)})) == {"now", "six days"}
    assert found(engine, filters={"updated": ("older",)}) == ["two years"]
    assert len(found(engine, filters={"updated": ("older", "week")})) == 3


def test_sorting(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("1", zh="北京", en="Beijing", uses=1, modified=TODAY - timedelta(days=2)),
            make_document("2", zh="安徽", en="anhui", uses=3, modified=TODAY - timedelta(days=3)),
            make_document("3", zh="重庆", en="Élan", uses=2, modified=TODAY - timedelta(days=1)),
        ]
    )
    assert found(engine, sort="uses") == ["2", "3", "1"]
    assert found(engine, sort="modified") == ["3", "1", "2"]
    assert found(engine, sort="title", language="zh") == ["2", "1", "3"]
    assert found(engine, sort="title", language="en") == ["2", "1", "3"]
    assert found(engine) == ["3", "1", "2"]


@pytest.mark.parametrize("sort", ["title", "modified", "uses"])
def test_equal_documents_keep_their_order_however_they_were_written(
    engine: SearchEngine, sort: str
) -> None:
    ids = [f"id{n}" for n in range(50)]
    engine.put([make_document(id_, en="Same") for id_ in ids])
    before = found(engine, sort=sort, limit=50)
    engine.put([make_document(id_, en="Same") for id_ in reversed(ids[:20])])
    assert found(engine, sort=sort, limit=50) == before
    pages = [found(engine, sort=sort, limit=7, offset=at) for at in range(0, 50, 7)]
    assert [id_ for page in pages for id_ in page] == before


def test_pages_of_a_text_search_hold_each_hit_once(engine: SearchEngine) -> None:
    engine.put([make_document(f"id{n}", en="Same words") for n in range(50)])
    pages = [found(engine, "same words", limit=7, offset=at) for at in range(0, 50, 7)]
    assert sorted(id_ for page in pages for id_ in page) == sorted(f"id{n}" for n in range(50))


def test_a_page_of_no_hits_still_counts(engine: SearchEngine) -> None:
    engine.put([make_document()])
    page = engine.search(SearchQuery(limit=0))
    assert (page.total, page.hits) == (1, ())
    assert engine.search(SearchQuery(offset=500)).total == 1
    assert engine.search(SearchQuery(facets=False)).facets == {}


@pytest.mark.parametrize(
    "query",
    [
        SearchQuery("x" * 301),
        SearchQuery(offset=10_001),
        SearchQuery(offset=-1),
        SearchQuery(limit=1001),
        SearchQuery(sort="size"),
        SearchQuery(filters={"colour": ("red",)}),
        SearchQuery(filters={"updated": ("tomorrow",)}),
        SearchQuery(filters={"format": ("CSV",) * 51}),
    ],
)
def test_what_cannot_be_asked_is_refused_with_a_sentence(
    engine: SearchEngine, query: SearchQuery
) -> None:
    with pytest.raises(BadQuery) as refusal:
        engine.search(query)
    assert len(str(refusal.value)) > 20


def test_a_rebuild_replaces_everything(engine: SearchEngine) -> None:
    engine.put([make_document("old")])
    engine.rebuild([make_document("new"), make_document("newer")])
    assert engine.ids() == {"new", "newer"}
    engine.put([make_document("newest")])
    assert engine.ids() == {"new", "newer", "newest"}
    engine.rebuild([])
    assert found(engine) == []


def test_readers_see_the_old_index_while_it_is_rebuilt(engine: SearchEngine) -> None:
    engine.put([make_document("old")])
    seen: list[list[str]] = []

    def documents() -> Iterator[Document]:
        for n in range(3):
            yield make_document(f"new{n}")
            seen.append(found(engine))

    engine.rebuild(documents())
    assert seen == [["old"]] * 3
    assert len(found(engine)) == 3


def test_a_rebuild_that_fails_changes_nothing(engine: SearchEngine) -> None:
    engine.put([make_document("old")])

    def documents() -> Iterator[Document]:
        yield make_document("new")
        raise RuntimeError("lost the database")

    with pytest.raises(RuntimeError):
        engine.rebuild(documents())
    assert engine.ids() == {"old"}
    engine.put([make_document("later")])
    assert engine.ids() == {"old", "later"}


def write_many(folder: str, name: str) -> None:
    engine = TantivyEngine(Path(folder))
    for n in range(10):
        engine.put([make_document(f"{name}{n}")])


def test_two_processes_and_a_reader_get_along(tmp_path: Path) -> None:
    folder = str(tmp_path / "index")
    reader = TantivyEngine(tmp_path / "index")
    spawn = multiprocessing.get_context("spawn")
    writers = [spawn.Process(target=write_many, args=(folder, name)) for name in "ab"]
    for writer in writers:
        writer.start()
    totals = []
    while any(writer.is_alive() for writer in writers):
        totals.append(reader.search(SearchQuery()).total)
        writers[0].join(0.01)
        writers[1].join(0.01)
    assert [writer.exitcode for writer in writers] == [0, 0]
    assert totals == sorted(totals)
    assert len(reader.ids()) == 20


def test_threads_search_while_one_writes_and_rebuilds(engine: SearchEngine) -> None:
    engine.put([make_document("first", en="Bridge")])
    end = threading.Event()
    failures: list[BaseException] = []

    def search() -> None:
        while not end.is_set():
            try:
                assert "first" in found(engine, "bridge")
            except BaseException as error:  # noqa: BLE001 # any failure of a thread must fail the test
                failures.append(error)
                return

    threads = [threading.Thread(target=search) for _ in range(3)]
    for thread in threads:
        thread.start()
    for n in range(5):
        engine.put([make_document(f"n{n}")])
        engine.rebuild([make_document("first", en="Bridge")])
    end.set()
    for thread in threads:
        thread.join()
    assert failures == []
