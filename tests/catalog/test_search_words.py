"""The small tables of search: pinyin, synonyms, divisions, slips of the pen, points of quality."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import SettingsError
from catalog.models.dataset import Dataset, Resource
from catalog.models.group import Group
from catalog.models.table import DataTable
from catalog.models.vocabulary import Access, Frequency
from catalog.search import pinyin, regions, spelling, synonyms
from catalog.search.analysis import spelled, spelled_ways, units_of, use_synonyms
from catalog.search.quality import level_of, score_of

TODAY = datetime(2026, 11, 27, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("重庆银行", "chong qing yin hang"),
        ("长江流域", "chang jiang liu yu"),
        ("厦门", "xia men"),
        ("绿色", "lv se"),
        ("臺灣", "tai wan"),
        ("PM2.5 监测", "PM2.5 jian ce"),
        ("ひ", "ひ"),
    ],
)
def test_chinese_is_read_aloud(text: str, expected: str) -> None:
    assert spelled(text) == expected


@pytest.mark.parametrize(
    ("word", "expected"),
    [
        ("kongqi", ("kong", "qi")),
        ("xian", ("xian",)),
        ("shanghai", ("shang", "hai")),
        ("bridge", ()),
        ("kq2", ()),
        ("v" * 61, ()),
        ("ü", ()),
    ],
)
def test_latin_words_may_be_pinyin(word: str, expected: tuple[str, ...]) -> None:
    assert pinyin.split(word) == expected


def test_titles_are_spelled_as_one_word_and_as_initials() -> None:
    assert spelled_ways("空气质量2024") == ("kongqizhiliang2024", "kqzl2024")
    assert spelled_ways("Air") == ()


def test_groups_of_synonyms_add_up_and_may_be_of_several_words(tmp_path: Path) -> None:
    file = tmp_path / "own.txt"
    file.write_text("# ours\n海绵城市, sponge city\nlonely\n 公交 ，电车\n", "utf-8")
    known = synonyms.read(file)
    assert known.others["sponge city"] == ("海绵城市",)
    assert {"巴士", "电车", "bus"} <= set(known.others["公交"])
    assert "lonely" not in known.others
    use_synonyms(known)
    try:
        one, two = units_of("Sponge  City 规划")
        assert one.others == (("海绵", "绵城", "城市"),)
        assert two.ways == (("规划",),)
        assert [unit.ways[0] for unit in units_of("看海绵城市图")] == [
            ("看",),
            ("海绵", "绵城", "城市"),
            ("图",),
        ]
    finally:
        use_synonyms(synonyms.Synonyms())
    with pytest.raises(SettingsError, match="WEFT_SEARCH_SYNONYMS"):
        synonyms.read(tmp_path / "missing.txt")


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("310115", ("310000", "310115")),
        ("320505001", ("320000", "320500", "320505")),
        ("3205", ("320000", "320500")),
        ("31", ("310000",)),
        ("999999", ()),
        ("", ()),
        ("上海", ()),
        ("000000", ()),
    ],
)
def test_a_division_lies_in_larger_ones(code: str, expected: tuple[str, ...]) -> None:
    assert regions.line_of(code) == expected


def test_divisions_have_names_and_names_have_codes() -> None:
    assert regions.name_of("310115") == "浦东新区"
    assert regions.name_of("999999") == "999999"
    assert regions.codes_of("上海") == regions.codes_of("上海市") == ("310000",)
    assert len(regions.codes_of("朝阳区")) > 1
    assert regions.codes_of("320505001") == ("320505",)
    assert regions.codes_of("999999") == ("999999",)
    assert regions.codes_of("nowhere") == ()


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [("abcd", "abdc", 1), ("abcd", "abcd", 0), ("abcd", "abc", 1), ("abcd", "wxyz", 3)],
)
def test_letters_that_differ_are_counted(one: str, other: str, expected: int) -> None:
    assert spelling.distance(one, other, 2) == expected


def test_the_nearest_of_several_words_is_the_most_frequent() -> None:
    texts = ["the water of waters", "water and wafer", "水"]
    assert spelling.nearest("watre", texts, 1) == "water"
    assert spelling.nearest("watre", ["unlike"], 1) == ""
    assert spelling.distance_of("abc") == spelling.distance_of("2024") == 0


def test_sound_finds_other_characters() -> None:
    assert spelling.same_sound("公交展", ["上海公交站点", "公交站"]) == "公交站"
    assert spelling.same_sound("公交站", ["公交站"]) == ""


def make(**fields: Any) -> Dataset:
    given: dict[str, Any] = {
        "description": {},
        "tags": [],
        "themes": [],
        "license_id": "notspecified",
        "frequency": Frequency.UNKNOWN,
        "access": Access.CLOSED,
        "resources": [],
    }
    return Dataset(**{**given, **fields})


def test_points_of_quality_add_up() -> None:
    assert score_of(make(), None, TODAY) == 10
    best = make(
        description={"en": "long enough " * 10},
        tags=["a"],
        themes=[Group(slug="t")],
        license_id="CC0-1.0",
        contact="somebody",
        spatial="here",
        temporal_start="2020",
        frequency=Frequency.DAILY,
        access=Access.OPEN,
        resources=[Resource(format="CSV", tables=[DataTable()])],
    )
    assert score_of(best, TODAY, TODAY) == 100
    assert score_of(best, TODAY - timedelta(days=2), TODAY) == 90
    assert score_of(best, TODAY - timedelta(days=9), TODAY) == 80
    assert score_of(best, None, TODAY) == 80


@pytest.mark.parametrize(("format_", "points"), [("CSV", 15), ("XLSX", 10), ("PDF", 5), ("", 5)])
def test_files_of_rows_are_worth_more(format_: str, points: int) -> None:
    dataset = make(resources=[Resource(format=format_, tables=[])])
    assert score_of(dataset, None, TODAY) == 10 + points


def test_levels_have_their_least_points() -> None:
    assert [level_of(score) for score in (100, 75, 74, 55, 35, 34, 0)] == [
        *("high", "high", "good", "good", "fair", "low", "low")
    ]
