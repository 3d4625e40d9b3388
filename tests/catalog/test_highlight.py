"""Marking what was found."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.highlight import highlight, snippet


def marked(text: str, query: str) -> list[str]:
    return [fragment for fragment, found in highlight(text, query) if found]


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("上海市空气质量日报", "空气质量", ["空气质量"]),
        ("空气与质量", "空气质量", ["空气", "质量"]),
        ("水质与水量", "水", ["水", "水"]),
        ("Bridges and a bridge", "bridge", ["Bridges", "bridge"]),
        ("Cities, a city, citing", "city", ["Cities", "city"]),
        ("Écoles ÉCOLE", "ecole", ["Écoles", "ÉCOLE"]),
        ("PM2.5, PM25 and pm-2.5", "pm2.5", ["PM2.5", "PM25", "pm-2.5"]),
        ("PM2.5", "pm25", ["PM2.5"]),
        ("covid19 cases", "covid", ["covid"]),
        ("ＡＢＣ stations", "abc", ["ＡＢＣ"]),
        ("rate of the city", "the rate of", ["rate"]),
        ("of the", "of", ["of"]),
        ("x<b>空气</b>", "空气", ["空气"]),
        ("Data", "!!!", []),
        ("Data", "", []),
        ("", "data", []),
        ("nothing here", "air", []),
        ("Straße İ 空", "空", ["空"]),
        ("10:00 and 2024-05", "2024", ["2024"]),
    ],
)
def test_marks(text: str, query: str, expected: list[str]) -> None:
    assert marked(text, query) == expected


@given(st.text(max_size=200), st.text(max_size=60))
def test_fragments_are_the_text(text: str, query: str) -> None:
    fragments = highlight(text, query)
    assert "".join(fragment for fragment, _ in fragments) == text
    assert all(fragment for fragment, _ in fragments)


@given(st.text(alphabet="空气质量 abc.", max_size=600), st.text(alphabet="空气质a b.", max_size=20))
def test_a_snippet_is_short_and_part_of_the_line(text: str, query: str) -> None:
    whole = "".join(fragment for fragment, _ in snippet(text, query, 50))
    line = " ".join(text.split())
    assert len(whole) <= 52
    assert whole.strip("…") in line


def test_a_snippet_stands_around_what_was_found() -> None:
    text = "lorem ipsum " * 50 + "空气质量 " + "dolor sit " * 50
    fragments = snippet(text, "空气质量", 80)
    assert fragments[0] == ("…", False)
    assert fragments[-1] == ("…", False)
    assert ("空气质量", True) in fragments
    assert fragments[1][0].startswith(("lorem", "ipsum"))


def test_a_snippet_without_a_find_is_the_beginning() -> None:
    assert snippet("word " * 50, "air", 20) == [("word word word word", False), ("…", False)]
    assert snippet("short\ntext", "air") == [("short text", False)]
    assert snippet("长" * 100, "", 10) == [("长" * 10, False), ("…", False)]


def test_a_long_text_of_one_letter_costs_little() -> None:
    start = time.process_time()
    highlight("a" * 100_000, "a " * 100 + "aa-a")
    highlight("a-" * 50_000, "a-a-a-a")
    assert time.process_time() - start < 2  # seconds: a guard against expressions that explode


def test_a_word_is_never_marked_inside_of_another_one() -> None:
    text = "Stations Huairou and 怀柔Huairou: fair air, airs, stAir, éair"
    assert [part for part, found in highlight(text, "air quality") if found] == ["air", "airs"]
