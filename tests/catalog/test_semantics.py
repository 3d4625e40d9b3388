"""Semantic types: the checks of their standards, and when a column is taken for one."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from catalog.tabular.coordinates import Datum, convert
from catalog.tabular.semantics import (
    IDENTITY_LETTERS,
    PROVINCES,
    USCC_LETTERS,
    check_character,
    identity_check,
    valid,
)
from tests.make_reading import kept_in, read_text, said_by, types_of


def is_valid(semantic: str, text: str) -> bool:
    return bool(valid(semantic, pa.array([text]))[0].as_py())


@pytest.mark.parametrize(
    ("semantic", "text", "wanted"),
    [
        ("uscc", "91350100M000100Y43", True),
        ("uscc", "91110000802100433B", True),
        ("uscc", "91350100M000100Y34", False),
        ("uscc", "91350100M000100Y4", False),
        ("uscc", "91350100M000100Y4３", False),
        ("uscc", "91350100I000100Y43", False),
        ("resident_id", "11010519491231002X", True),
        ("resident_id", "11010519491231002x", True),
        ("resident_id", "440524188001010014", True),
        ("resident_id", "110105194912310021", False),
        ("resident_id", "990105194912310023", False),
        ("resident_id", "110105491231002", False),
        ("division", "110000", True),
        ("division", "110105", True),
        ("division", "429004", True),
        ("division", "110105001", True),
        ("division", "110105001002", True),
        ("division", "110001", False),
        ("division", "990000", False),
        ("division", "11010", False),
        ("division", "1101050", False),
        ("phone", "13800138000", True),
        ("phone", "+86 13800138000", True),
        ("phone", "010-62345678", True),
        ("phone", "(0571)88888888-123", True),
        ("phone", "0571－88888888", False),
        ("phone", "400-800-8888", True),
        ("phone", "+44 20 7946 0958", True),
        ("phone", "88888888", True),
        ("phone", "12345", True),
        ("phone", "999", False),
        ("phone", "1380013800", False),
        ("phone", "23800138000", False),
        ("email", "a.b+c@example.gov.cn", True),
        ("email", "a@b", False),
        ("email", "a b@example.cn", False),
        ("longitude", "-180", True),
        ("longitude", "180.1", False),
        ("latitude", "90", True),
        ("latitude", "91", False),
        ("latitude", "x", False),
    ],
)
def test_a_standard_accepts_its_values_and_no_others(
    semantic: str, text: str, wanted: bool
) -> None:
    assert is_valid(semantic, text) is wanted


def test_null_is_neither_valid_nor_wrong() -> None:
    for semantic in ("uscc", "resident_id", "division", "latitude"):
        assert valid(semantic, pa.array([None, "x"], pa.string())).to_pylist() == [None, False]


codes = st.tuples(
    st.sampled_from("19Y"),
    st.sampled_from("123"),
    st.from_regex(r"[0-9]{6}", fullmatch=True),
    st.text(USCC_LETTERS, min_size=9, max_size=9),
).map("".join)


@settings(deadline=None, max_examples=300)
@given(codes, st.integers(2, 16), st.sampled_from(USCC_LETTERS))
def test_one_wrong_character_of_a_credit_code_is_found(code: str, at: int, other: str) -> None:
    whole = code + check_character(code)
    assert is_valid("uscc", whole)
    changed = whole[:at] + other + whole[at + 1 :]
    assert is_valid("uscc", changed) is (other == whole[at])


@settings(deadline=None, max_examples=300)
@given(
    st.sampled_from(PROVINCES),
    st.integers(0, 9999),
    st.dates(date(1900, 1, 1), date(2020, 12, 31)),
    st.integers(0, 999),
    st.sampled_from(IDENTITY_LETTERS),
)
def test_the_last_character_of_an_identity_number_follows_from_the_others(
    province: str, place: int, born: date, serial: int, last: str
) -> None:
    number = f"{province}{place:04}{born:%Y%m%d}{serial:03}"
    assert is_valid("resident_id", number + last) is (last == identity_check(number))


@pytest.mark.parametrize("born", ["20210229", "20211301", "29990101", "17991231"])
def test_an_identity_number_needs_a_day_of_birth(born: str) -> None:
    number = f"110105{born}002"
    assert not is_valid("resident_id", number + identity_check(number))


china = st.tuples(st.floats(73.5, 134.5), st.floats(18.5, 53.5))


@settings(deadline=None, max_examples=500)
@given(china, st.sampled_from(Datum), st.sampled_from(Datum))
def test_coordinates_come_back_to_within_a_millimetre(
    point: tuple[float, float], source: Datum, target: Datum
) -> None:
    back = convert(convert(point, source, target), target, source)
    assert back == pytest.approx(point, abs=1e-8)


@settings(deadline=None, max_examples=200)
@given(china)
def test_the_datums_differ_by_metres_not_by_kilometres(point: tuple[float, float]) -> None:
    for target in (Datum.GCJ02, Datum.BD09):
        moved = convert(point, Datum.WGS84, target)
        assert moved != point
        assert moved == pytest.approx(point, abs=0.03)


@pytest.mark.parametrize("point", [(2.35, 48.85), (-71.0, 42.3), (139.7, 35.7)])
def test_abroad_all_datums_are_one(point: tuple[float, float]) -> None:
    for source in Datum:
        for target in Datum:
            assert convert(point, source, target) == point


def test_known_points() -> None:
    place = (116.404, 39.915)
    assert convert(place, Datum.WGS84, Datum.GCJ02) == pytest.approx(
        (116.410244, 39.916404), abs=1e-6
    )
    assert convert(place, Datum.GCJ02, Datum.BD09) == pytest.approx(
        (116.410369, 39.921337), abs=1e-6
    )


CODES = ["91350100M000100Y43", "91110000802100433B"] * 10


def column(folder: Path, name: str, values: list[str]) -> tuple[str, str, list[str | None], str]:
    """The meaning of a CSV column, its type, the texts that are listed, and the notes."""
    text = f"{name},k\n" + "".join(f"{value},x\n" for value in values)
    table = read_text(folder, text)
    found = table.dictionary.get(name)
    broken = [value for _, _, value, _ in kept_in(table)]
    return found.semantic if found else "", types_of(table)[name], broken, said_by(table)


def test_a_column_of_nearly_only_valid_codes_is_one_and_the_others_are_listed(
    tmp_path: Path,
) -> None:
    semantic, type_, broken, _ = column(tmp_path, "a", [*CODES, "91350100M000100Y44", ""])
    assert (semantic, type_, broken) == ("uscc", "string", ["91350100M000100Y44"])


def test_a_column_of_some_valid_codes_is_none(tmp_path: Path) -> None:
    assert column(tmp_path, "a", [*CODES, *["x"] * 5])[0] == ""


def test_identity_numbers_and_telephones_are_told_to_the_publisher(tmp_path: Path) -> None:
    semantic, type_, _, said = column(tmp_path, "a", ["440524188001010014"] * 3)
    assert (semantic, type_) == ("resident_id", "string")
    assert "holds resident identity numbers, which are personal data" in said
    semantic, type_, _, said = column(tmp_path, "b", ["13800138000", "13912345678"])
    assert (semantic, type_) == ("phone", "string")
    assert "holds telephone numbers" in said


def test_division_codes_are_taken_for_such_by_their_column_only(tmp_path: Path) -> None:
    values = ["110000", "110105", "310000"]
    assert column(tmp_path, "行政区划代码", values)[0] == "division"
    assert column(tmp_path, "postcode", values)[0] == ""
    assert column(tmp_path, "n", values)[:2] == ("", "integer")


@pytest.mark.parametrize(
    ("name", "semantic", "crs"),
    [
        ("经度", "longitude", None),
        ("百度经度", "longitude", "bd09"),
        ("gcj02_lng", "longitude", "gcj02"),
        ("WGS84 longitude", "longitude", "wgs84"),
        ("n", "", None),
    ],
)
def test_coordinates_are_known_by_the_name_and_the_range(
    tmp_path: Path, name: str, semantic: str, crs: str | None
) -> None:
    table = read_text(tmp_path, f"{name},k\n116.4,x\n121.5,x\n")
    found = table.dictionary.get(name)
    assert (found.semantic if found else "") == semantic
    assert (found.info.get("crs") if found else None) == crs
    assert not read_text(tmp_path, f"{name},k\n781862.5,x\n781863.5,x\n").dictionary.get(name)
