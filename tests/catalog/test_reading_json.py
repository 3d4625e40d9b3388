"""JSON documents, JSON lines and GeoJSON."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import Unreadable
from catalog.tabular.reading import Limits, json_stream
from catalog.tabular.reading.json_stream import Walker
from tests.make_reading import make_file, names_of, read, read_text, rows_of, said_by, types_of


def read_json(folder: Path, document: Any, **options: Any) -> Any:
    """The only table of a JSON document."""
    text = document if isinstance(document, str) else json.dumps(document, ensure_ascii=False)
    return read_text(folder, text, "table.json", **options)


def test_types_are_those_of_json(tmp_path: Path) -> None:
    rows = [
        {
            "n": 1,
            "x": 1.5,
            "mixed": 1,
            "code": "007",
            "b": True,
            "d": "2020-01-02",
            "o": {"a": [1, 2.50]},
        },
        {
            "n": 2,
            "x": 2,
            "mixed": "two",
            "code": "110101",
            "b": False,
            "d": "2020-01-03",
            "o": None,
        },
    ]
    table = read_json(tmp_path, rows)
    assert types_of(table) == {
        "n": "integer", "x": "number", "mixed": "string", "code": "string", "b": "boolean", "d": "date",
        "o": "string",
    }  # fmt: skip
    assert rows_of(table)[0][2] == "1"
    assert rows_of(table)[0][-1] == '{"a":[1,2.5]}'
    assert rows_of(table)[1][-1] is None


def test_ids_that_are_numbers_stay_numbers(tmp_path: Path) -> None:
    assert types_of(read_json(tmp_path, [{"id": 5}])) == {"id": "integer"}


def test_numbers_are_kept_to_the_last_digit(tmp_path: Path) -> None:
    text = '[{"big": 123456789012345678901234567890, "long": 0.1234567890123456789, "o": [1.10, 1e2, 0.12345678901234567890]}]'
    table = read_json(tmp_path, text)
    assert rows_of(table) == [
        (
            "123456789012345678901234567890",
            "0.1234567890123456789",
            "[1.10,1e2,0.12345678901234567890]",
        )
    ]


def test_a_missing_mark_in_a_column_of_numbers_is_nothing(tmp_path: Path) -> None:
    assert rows_of(read_json(tmp_path, [{"a": 1}, {"a": "NA"}, {"a": ""}])) == [
        (1,),
        (None,),
        (None,),
    ]
    assert rows_of(read_json(tmp_path, [{"a": 1}, {"a": "5"}])) == [("1",), ("5",)]


def test_names_that_turn_up_later_become_columns(tmp_path: Path) -> None:
    rows = [{"a": at} for at in range(12_000)] + [{"b": 1}]
    table = read_json(tmp_path, rows)
    assert names_of(table) == ["a", "b"]
    assert rows_of(table)[-1] == (None, 1)
    assert rows_of(table)[0] == (0, None)


def test_the_array_of_records_is_found_or_named(tmp_path: Path) -> None:
    document = {
        "meta": {"tags": ["x"], "year": 2020},
        "data": {"rows": [{"a": 1}, {"a": 2}]},
        "links": [],
    }
    table = read_json(tmp_path, document)
    assert rows_of(table) == [(1,), (2,)]
    assert "records are in data.rows; also there: links, meta.tags" in said_by(table)
    table = read_json(tmp_path, document, records="meta.tags", carry=("meta.year",))
    assert (names_of(table), rows_of(table)) == (["year", "value"], [(2020, "x")])


def test_a_carried_value_does_not_hide_one_of_the_record(tmp_path: Path) -> None:
    document = {"rows": [{"year": 1}], "year": 2020}
    table = read_json(tmp_path, document, carry=("year",))
    assert (names_of(table), rows_of(table)) == (["year", "year_2"], [(2020, 1)])


def test_a_name_with_a_dot_can_be_named(tmp_path: Path) -> None:
    assert rows_of(read_json(tmp_path, {"a.b": {"c": [{"x": 1}]}}, records="a.b.c")) == [(1,)]


def test_a_name_that_is_there_twice_loses_nothing(tmp_path: Path) -> None:
    table = read_json(tmp_path, '[{"a": 1, "a": 2, "a_2": 3}]')
    assert rows_of(table) == [(1, 2, 3)]


def test_json_lines(tmp_path: Path) -> None:
    lines = '{"a": 1}\n\n{"a": 2, "b": "x"}\n'
    for name, options in [("t.jsonl", {}), ("t", {}), ("t.txt", {"format": "jsonl"})]:
        table = read_text(tmp_path, lines, name, **options)
        assert rows_of(table) == [(1, None), (2, "x")]


def test_a_single_object_with_a_record_array_is_no_json_line(tmp_path: Path) -> None:
    assert rows_of(read_json(tmp_path, {"rows": [{"a": 1}]})) == [(1,)]


def test_geojson(tmp_path: Path) -> None:
    feature = {
        "type": "Feature",
        "id": "310101",
        "properties": {"id": 7, "name": "黄浦区", "cp": [1.5, 2]},
        "geometry": {"type": "Point", "coordinates": [121.48, 31.23]},
    }
    bare = {"type": "Feature", "properties": None, "geometry": None}
    table = read_json(tmp_path, {"type": "FeatureCollection", "features": [feature, bare]})
    assert types_of(table) == {
        "id": "string", "id_2": "integer", "name": "string", "cp": "string", "geometry": "geojson"
    }  # fmt: skip
    assert rows_of(table) == [
        ("310101", 7, "黄浦区", "[1.5,2]", '{"type":"Point","coordinates":[121.48,31.23]}'),
        (None,) * 5,
    ]
    assert rows_of(read_json(tmp_path, feature)) == rows_of(table)[:1]
    lines = json.dumps(feature) + "\n" + json.dumps(feature)
    assert len(rows_of(read_text(tmp_path, lines, "t.jsonl"))) == 2


def test_packed_maps_of_echarts_are_refused(tmp_path: Path) -> None:
    document = {"type": "FeatureCollection", "features": [], "UTF8Encoding": True}
    with pytest.raises(Unreadable, match="packed coordinates"):
        read_json(tmp_path, document)


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('[{"a": 1}, {"a": ', "is cut off"),
        ('[{"a": 1}, {"a": "x', "is cut off"),
        ('[{"a": 1}', "is cut off"),
        ('{"rows": [{"a": 1}]', "is cut off"),
        ('{"rows": [{"a": 1}], ', "is cut off"),
        ('[{"a": 1} {"a": 2}]', "not valid JSON from character 10"),
        ("[{'a': 1}, {'a': 2}, {'a': 3}, {'a': 4}]", "not valid JSON"),
        ('{"rows": [{"a": 1}], b: 1}', "not valid JSON"),
        ('[{"a": 1}] x', "not valid JSON"),
        ('{"a": 1}', "without an array"),
        ("[]", "holds no rows"),
        ('{"rows": []}', "holds no rows"),
        ("[" * 100_000, "not valid JSON"),
        ("[" + "[" * 700 + "]" * 700 + "]", "nested too deeply"),
    ],
)
def test_broken_json_gets_one_sentence(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(Unreadable, match=said):
        read_json(tmp_path, text)


def test_wrong_options_get_one_sentence(tmp_path: Path) -> None:
    document = {"rows": [{"a": 1}]}
    with pytest.raises(Unreadable, match="no array at data; there are: rows"):
        read_json(tmp_path, document, records="data")
    with pytest.raises(Unreadable, match="no single value at year"):
        read_json(tmp_path, document, carry=("year",))


def test_an_invalid_value_is_not_read_to_the_end(tmp_path: Path) -> None:
    text = '[{"a": 1, ' + "x" * 3_000_000
    with pytest.raises(Unreadable, match="not valid JSON from character"):
        read_json(tmp_path, text, limits=Limits(row=1_000))


def test_half_characters_are_kept_as_escapes(tmp_path: Path) -> None:
    table = read_json(tmp_path, '[{"a\\ud800": "x\\udc00", "b": ["\\ud800"]}]')
    assert names_of(table) == ["a\\ud800", "b"]
    assert rows_of(table) == [("x\\udc00", '["\\ud800"]')]


def test_not_a_number_is_nothing_and_infinity_a_text(tmp_path: Path) -> None:
    table = read_json(tmp_path, '[{"a": NaN, "b": 1}, {"a": 1.5, "b": Infinity}]')
    assert rows_of(table) == [(None, "1"), (1.5, "Infinity")]


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=8,
)


@given(values=st.lists(JSON, max_size=5), block=st.integers(1, 7))
def test_a_walk_in_small_blocks_gives_what_json_gives(values: list[Any], block: int) -> None:
    text = json.dumps(values, indent=1)
    walker = Walker(io.StringIO(text), 1 << 20)
    before, json_stream.BLOCK = json_stream.BLOCK, block
    try:
        found = [walker.value() for _ in walker.items()]
    finally:
        json_stream.BLOCK = before
    assert found == values
    assert walker.peek() == ""


def test_a_year_without_days_joins_the_others(tmp_path: Path) -> None:
    full = make_file(tmp_path, "2026.json", '{"days": [{"name": "元旦", "off": true}]}')
    empty = make_file(tmp_path, "2027.json", '{"days": []}')
    for paths in ([full, empty], [empty, full]):
        (table,) = read(paths, tmp_path / "out", one_table=True)
        assert rows_of(table) == [("元旦", True)]
