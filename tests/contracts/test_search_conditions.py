"""What every search engine narrows by: conditions, places, visibility, counts; and what was just written."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from catalog.errors import BadQuery
from catalog.search import EVERYTHING, PUBLIC, Bucket, Count, SearchEngine, SearchQuery
from catalog.search.conditions import (
    And,
    Condition,
    Exists,
    Like,
    Not,
    Or,
    Range,
    Term,
    Within,
    Words,
)
from tests.contracts.test_search_engine import counts, engine, found
from tests.make_document import make_document

__all__ = ["engine"]


def day(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@pytest.fixture
def catalogue(engine: SearchEngine) -> SearchEngine:
    engine.put(
        [
            make_document(
                "a",
                zh="空气质量",
                description="PM2.5 by hour",
                tags=("air", "Open Data"),
                organization="ecology",
                facts={"extras.author": ("Li Lei",), "state": ("published",)},
                dates={"updated": day("2024-05-01"), "covers_from": day("2020-01-01")},
                numbers={"score": 80, "resources": 2},
                box=(121.0, 31.0, 122.0, 31.9),
                place="上海市 浦东新区",
                tag=("air", "Open Data"),
                modified=day("2024-01-01"),
                region=("310000", "310115"),
            ),
            make_document(
                "b",
                en="Bus stops",
                organization="transport",
                facts={"extras.author": ("Han: 'Mei'*",), "extras.year": ("2021",)},
                dates={"updated": day("2025-01-01")},
                numbers={"score": 20, "resources": 0},
                box=(-1.0, 50.0, 1.0, 52.0),
                uses=7,
                modified=None,
            ),
            make_document("c", en="Nothing more", organization="transport", modified=None),
        ]
    )
    return engine


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        (Term("id", "a"), "a"),
        (Term("slug", "slug-b"), "b"),
        (Term("organization", "transport"), "bc"),
        (Term("tag", "Open Data"), "a"),
        (Term("region", "310115"), "a"),
        (Term("state", "published"), "a"),
        (Term("extras.author", "Li Lei"), "a"),
        (Term("extras.author", "Han: 'Mei'*"), "b"),
        (Term("extras.author", "Li"), ""),
        (Term("no such field", "x"), ""),
        (Term("uses", "7"), "b"),
        (Term("uses", "many"), ""),
        (Term("title", "bus"), "b"),
        (Words("title", "质量"), "a"),
        (Words("description", "hour PM2.5"), "a"),
        (Words("description", "bus"), ""),
        (Words("place", "浦东"), "a"),
        (Words("text", '"bus stops"'), "b"),
        (Words("text", "!!"), ""),
        (Words("state", "published"), "a"),
        (Like("slug", "slug-?"), "abc"),
        (Like("slug", "*-b"), "b"),
        (Like("slug", "*.*"), ""),
        (Like("extras.author", "Li*"), "a"),
        (Like("extras.author", "*'*"), "b"),
        (Like("title", "sto*"), "b"),
        (Like("uses", "*"), "abc"),
        (Like("uses", "1*"), ""),
        (Exists("extras.author"), "ab"),
        (Exists("covers_from"), "a"),
        (Exists("modified"), "a"),
        (Exists("tag"), "a"),
        (Exists("description"), "a"),
        (Exists("score"), "abc"),
        (Not(Exists("extras.author")), "c"),
        (Range("updated", day("2024-05-01"), day("2025-01-01")), "ab"),
        (Range("updated", day("2024-05-01"), None, with_low=False), "b"),
        (Range("updated", None, day("2025-01-01"), with_high=False), "a"),
        (Range("updated", "2024-06-01", None), "b"),
        (Range("updated", "yesterday", None), ""),
        (Range("modified", None, None), "a"),
        (Range("score", 20, 80, with_low=False), "a"),
        (Range("score", 80, 20), ""),
        (Range("uses", 1, None), "b"),
        (Range("extras.year", "2020", "2022"), "b"),
        (Range("extras.year", "2021", None, with_low=False), ""),
        (Range("organization", "f", None), "bc"),
        (Range("title", "a", "z"), ""),
        (Within((121.5, 31.5, 130.0, 40.0)), "a"),
        (Within((-180.0, -90.0, 180.0, 90.0)), "ab"),
        (Within((10.0, 10.0, 11.0, 11.0)), ""),
        (And(()), "abc"),
        (Or(()), ""),
        (And((Term("organization", "transport"), Not(Term("id", "c")))), "b"),
        (Or((Term("id", "a"), Term("id", "c"))), "ac"),
        (Not(Or((Term("id", "a"), Term("id", "c")))), "b"),
    ],
)
def test_a_condition_narrows(catalogue: SearchEngine, condition: Condition, expected: str) -> None:
    assert sorted(found(catalogue, where=condition)) == list(expected)


def test_a_condition_counts_in_facets_and_not_in_the_score(catalogue: SearchEngine) -> None:
    condition = Term("organization", "transport")
    assert counts(catalogue, "organization", where=condition) == {"transport": 2}
    with_it = catalogue.search(SearchQuery("bus", where=condition)).hits[0].score
    assert with_it == pytest.approx(catalogue.search(SearchQuery("bus")).hits[0].score)


@pytest.mark.parametrize(
    "condition",
    [
        And(tuple(Term("id", str(n)) for n in range(300))),
        Within((10.0, 10.0, 5.0, 11.0)),
        Within((0.0, 0.0, 999.0, 1.0)),
    ],
)
def test_a_condition_that_is_too_large_or_no_place_is_refused(
    engine: SearchEngine, condition: Condition
) -> None:
    with pytest.raises(BadQuery):
        engine.search(SearchQuery(where=condition))


def test_a_condition_as_deep_as_can_be_is_refused(engine: SearchEngine) -> None:
    deep: Condition = Term("id", "a")
    for _ in range(5000):
        deep = Not(deep)
    with pytest.raises(BadQuery):
        engine.search(SearchQuery(where=deep))


def test_fields_are_counted_on_demand(catalogue: SearchEngine) -> None:
    asked = (
        Count("organization"),
        Count("tag", limit=1),
        Count("extras.author", limit=-1),
        Count("extras.author", limit=-1),  # asked twice, counted once
        Count("publisher", least=5),
        Count("nothing"),
    )
    page = catalogue.search(SearchQuery(counts=asked, facets=False))
    assert page.counts["organization"] == (Bucket("transport", 2), Bucket("ecology", 1))
    assert page.counts["tag"] == (Bucket("Open Data", 1),)
    assert page.counts["extras.author"] == (Bucket("Han: 'Mei'*", 1), Bucket("Li Lei", 1))
    assert page.counts["publisher"] == page.counts["nothing"] == ()
    narrow = SearchQuery(counts=asked, filters={"organization": ("ecology",)})
    assert catalogue.search(narrow).counts["organization"] == (Bucket("ecology", 1),)


def test_an_organization_finds_what_those_below_it_have(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("1", organization="city"),
            make_document("2", organization="city"),
        ]
    )
    office = make_document("3")
    object.__setattr__(
        office, "keywords", {**office.keywords, "organization": ("office", "department", "city")}
    )
    engine.put([office])
    assert len(found(engine, filters={"organization": ("city",)})) == 3
    assert found(engine, filters={"organization": ("department",)}) == ["3"]
    assert counts(engine, "organization") == {"city": 3, "department": 1, "office": 1}


def test_only_what_somebody_may_see_is_found_and_counted(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document("public", en="Plan"),
            make_document("private", en="Plan", visibility=("org",), organization="o"),
            make_document("draft", en="Plan", visibility=("me",)),
        ]
    )
    assert found(engine, "plan") == ["public"]
    assert counts(engine, "organization") == {"transport": 1}
    assert set(found(engine, visible=(PUBLIC, "org"))) == {"public", "private"}
    assert set(found(engine, visible=(PUBLIC, "org", "me"))) == {"public", "private", "draft"}
    assert set(found(engine, visible=(PUBLIC, "other"))) == {"public"}
    assert len(found(engine, visible=(EVERYTHING,))) == 3
    assert counts(engine, "organization", visible=(EVERYTHING,)) == {"transport": 2, "o": 1}


def test_orders_of_machines_and_their_reverse(engine: SearchEngine) -> None:
    engine.put(
        [
            make_document(n, en=n, dates={"updated": day(f"2024-01-0{n}")}, numbers={"score": s})
            for n, s in (("1", 30.0), ("2", 90.0), ("3", 60.0))
        ]
    )
    assert found(engine, sort="updated") == ["3", "2", "1"]
    assert found(engine, sort="updated", reverse=True) == ["1", "2", "3"]
    assert found(engine, sort="score") == ["2", "3", "1"]
    assert found(engine, sort="slug") == ["1", "2", "3"]
    assert found(engine, sort="id") == ["1", "2", "3"]
    assert found(engine, sort="id", reverse=True) == ["3", "2", "1"]
    assert found(engine, sort="title", reverse=True, language="en") == ["3", "2", "1"]


def test_stamps_say_which_content_is_indexed(engine: SearchEngine) -> None:
    assert engine.stamps() == {}
    engine.put([make_document("1", stamp="one"), make_document("2", stamp="two")])
    engine.put([make_document("2", stamp="three")])
    assert dict(engine.stamps()) == {"1": "one", "2": "three"}


def test_what_is_shown_is_found_and_counted_at_once(engine: SearchEngine) -> None:
    engine.show([make_document("first", en="Bridges")])
    assert found(engine, "bridges") == ["first"]
    engine.put([make_document(str(n), en=f"Bridges {n}", uses=n, version=1) for n in range(9)])
    engine.show(
        [
            make_document("new", en="Bridges of wood", organization="new", uses=4, version=5),
            make_document("3", en="Tunnels", organization="new", version=5),
        ],
        gone=["8", "unknown"],
    )
    page = engine.search(SearchQuery("bridges", sort="uses"))
    assert [hit.id for hit in page.hits][:3] == ["7", "6", "5"]
    assert page.total == 9
    assert "new" in [hit.id for hit in page.hits]
    assert counts(engine, "organization") == {"transport": 8, "new": 2}
    assert found(engine, "tunnels") == ["3"]
    assert found(engine, "bridges 8")[:1] != ["8"]
    assert len(found(engine, filters={"organization": ("new",)})) == 2
    pages = [found(engine, sort="uses", limit=3, offset=at) for at in (0, 3, 6, 9)]
    assert sorted(id_ for one in pages for id_ in one) == sorted(found(engine, limit=20))
    assert "Bridges of wood" in [one.text for one in engine.suggest("bridges of")]


def test_what_is_shown_gives_way_to_what_is_put_later(engine: SearchEngine) -> None:
    engine.put([make_document("1", en="Old", version=1)])
    engine.show([make_document("1", en="New", version=2)], gone=["2"])
    assert found(engine, "new") == ["1"]
    engine.put([make_document("1", en="New", version=2)])
    assert found(engine, "new") == ["1"]
    engine.put([make_document("1", en="Latest", version=3)])
    assert (found(engine, "latest"), found(engine, "new")) == (["1"], [])
    engine.show([make_document("1", en="Old", version=1)])
    assert found(engine, "latest") == ["1"]
    engine.show([], gone=["1"])
    assert found(engine) == []
    engine.show([make_document("1", en="Back", version=9)])
    assert found(engine) == ["1"]


def test_what_is_equal_in_one_order_stands_in_the_next(engine: SearchEngine) -> None:
    rows = [
        ("a", 1, "B", 5),
        ("b", 1, "A", 5),
        ("c", 0, "B", 5),
        ("d", 2, "C", 1),
        ("e", 1, "B", 9),
    ]
    engine.put(
        [
            make_document(id_, en=title, uses=uses, numbers={"score": score})
            for id_, uses, title, score in rows
        ]
    )
    engine.show([make_document("f", en="B", uses=1, numbers={"score": 7})])

    def order(sort: str, *then: tuple[str, bool], **more: bool) -> str:
        asked = {"sort": sort, "then": then, "language": "en", **more}
        whole = found(engine, **asked)
        for start in range(len(whole)):
            for rows_ in (1, 2, 4):
                part = found(engine, **asked, offset=start, limit=rows_)
                assert part == whole[start : start + rows_], (start, rows_)
        return "".join(whole)

    assert order("uses", ("title", False), ("score", False)) == "dbefac"
    assert order("uses", ("title", True), ("score", True)) == "dafebc"
    assert order("title", ("uses", True), ("score", False)) == "bcefad"
    assert order("title", ("id", True), reverse=True) == "dfecab"
    with pytest.raises(BadQuery):
        found(engine, sort="uses", then=(("colour", False),))


def test_documents_of_one_score_come_in_the_further_orders(engine: SearchEngine) -> None:
    rows = [
        ("a", "2024"),
        ("b", "2026"),
        ("c", "2021"),
        ("d", "2025"),
        ("e", "2024"),
        ("f", "2023"),
    ]
    dates = {id_: {"updated": datetime(int(year), 1, 1, tzinfo=UTC)} for id_, year in rows}
    engine.put(
        [
            *(make_document(id_, en="Old bridges", dates=dates[id_]) for id_ in "abcef"),
            make_document("x", en="Bridges", uses=9),
            make_document("d", en="Old bridges and ferries", dates=dates["d"]),
        ]
    )

    def order(*then: tuple[str, bool], text: str = "bridges", sort: str = "relevance") -> str:
        asked: dict[str, Any] = {"text": text, "sort": sort, "then": then, "language": "en"}
        whole = found(engine, **asked)
        for start in range(len(whole)):
            for rows_ in (1, 3):
                part = found(engine, **asked, offset=start, limit=rows_)
                assert part == whole[start : start + rows_], (start, rows_)
        return "".join(whole)

    assert order(("updated", False), ("id", False)) == "xbaefcd"
    assert order(("updated", False), ("id", True)) == "xbeafcd"
    assert order(("updated", True), ("slug", False)) == "xcfaebd"
    assert order(("title", False), ("id", True)) == "xfecbad"
    assert order(("id", False)) == "xabcefd"
    assert order(("relevance", False), ("id", True), sort="uses") == "xfecbad"
    assert found(engine, text="bridges", then=(("id", False),), limit=0) == []
