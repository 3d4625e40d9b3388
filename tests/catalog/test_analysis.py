"""Cutting texts into terms."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.search.analysis import (
    normal_title,
    singles_of,
    sort_key,
    spelled,
    term_of,
    terms_of,
    units_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("空气质量", ["空气", "气质", "质量"]),
        ("水", []),
        ("PM2.5浓度", ["pm2", "pm", "2", "5", "pm25", "浓度"]),
        ("stationName", ["stationnam", "station", "name"]),
        ("station_name", ["station", "name", "stationnam"]),
        ("GB/T-2260", ["gb", "t", "2260", "gbt2260"]),
        ("Ａｉｒ　１", ["air", "1"]),
        ("Größe Łódź", ["gross", "lodz"]),
        ("— … !", []),
        ("上海Shanghai", ["上海", "shanghai"]),
    ],
)
def test_terms(text: str, expected: list[str]) -> None:
    assert list(terms_of(text)) == expected


@pytest.mark.parametrize(
    ("one", "other"),
    [("house", "houses"), ("city", "Cities"), ("box", "boxes"), ("virus", "viruses"), ("cause", "causes"),
     ("beach", "beaches"), ("price", "prices"), ("école", "ECOLES")],
)  # fmt: skip
def test_singular_and_plural_meet(one: str, other: str) -> None:
    assert term_of(one) == term_of(other)


@pytest.mark.parametrize(
    ("one", "other"),
    [("car", "care"), ("bus", "bu"), ("air", "airs-"), ("status", "statu"), ("a1s", "a1")],
)
def test_other_words_stay_apart(one: str, other: str) -> None:
    assert term_of(one) != term_of(other)


@given(st.text(max_size=100))
def test_every_text_is_found_by_itself(text: str) -> None:
    terms, singles = set(terms_of(text)), singles_of(text)
    for unit in units_of(text):
        known = singles if unit.single else terms
        assert any(all(term in known for term in way) for way in unit.ways), unit


@given(st.text(max_size=100))
def test_terms_hold_no_blank_so_that_they_can_be_joined(text: str) -> None:
    for term in terms_of(text):
        assert term
        assert len(term.split()) == 1


def test_a_unit_is_asked_for_once() -> None:
    assert len(units_of("air air AIR 空气空气")) == 3


def test_titles_are_compared_without_signs() -> None:
    assert normal_title("Air  Quality: 空气-质量") == "air quality 空气 质量"


def test_chinese_is_spelled_for_sorting() -> None:
    assert spelled("Air") == "Air"
    assert spelled("上海 2024") == "shang hai 2024"
    assert sort_key("《北京》 ÉCOLE") == "bei jing ecole"
    assert sorted(["重庆", "北京", "安徽"], key=sort_key) == ["安徽", "北京", "重庆"]
