"""Downloads: exact values, safe cells, constant memory."""

from __future__ import annotations

import csv
import io
import math
import tracemalloc
from collections.abc import Iterator, Sequence
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.export import csv_stream, json_stream, jsonl_stream, parquet_stream
from tests.make_table import ARROW, STATION_ROWS, STATIONS, Row, make_columns

S = make_columns(s=ColumnType.STRING)


def batch_of(columns: Sequence[Column], rows: Sequence[Row]) -> pa.RecordBatch:
    arrays = [
        pa.array([row[column.name] for row in rows], ARROW[column.type]) for column in columns
    ]
    return pa.RecordBatch.from_arrays(arrays, names=[column.name for column in columns])


def written(columns: Sequence[Column], rows: Sequence[Row], **options: Any) -> str:
    return b"".join(csv_stream([batch_of(columns, rows)], columns, **options)).decode()


def texts(*values: str | None) -> list[Row]:
    return [{"s": value} for value in values]


# CSV


def test_csv_has_exact_values() -> None:
    assert written(STATIONS, STATION_ROWS).split("\r\n") == [
        '站点,No,PM2.5,"open`""now",day,seen at',
        "东四,1,9.5,true,2013-03-01,2013-03-01T00:00:00",
        "顺义,2,,false,2013-03-02,2013-03-01T01:00:00",
        ",3,-4,,,",
        "it's 100%_,4611686018427387905,1e+300,true,1899-12-31,1969-12-31T23:59:59.000005",
        "东四十条,-9223372036854775808,0.1,false,9999-12-31,2017-02-28T23:00:00",
        '"",,9.5,true,2013-03-01,2013-03-01T00:00:00',
        "007,9223372036854775807,2,,2013-03-03,",
        "",
    ]


@given(
    st.lists(
        st.tuples(st.none() | st.text(max_size=12), st.none() | st.floats(allow_nan=False)),
        max_size=8,
    )
)
def test_csv_is_read_back_as_it_was(cells: list[tuple[str | None, float | None]]) -> None:
    columns = make_columns(s=ColumnType.STRING, n=ColumnType.NUMBER)
    rows: list[Row] = [{"s": text, "n": number} for text, number in cells]
    read = list(csv.reader(io.StringIO(written(columns, rows), newline="")))
    assert read[0] == ["s", "n"]
    assert [row[0] for row in read[1:]] == [text or "" for text, _ in cells]
    assert [float(row[1]) if row[1] else None for row in read[1:]] == [
        number for _, number in cells
    ]


def test_null_and_the_empty_text_differ() -> None:
    assert written(S, texts(None, "")) == 's\r\n\r\n""\r\n'


FORMULAS = ["=1+1", "+b", "-A1", "+1+A1", "-1\n=2", "@SUM(A1)", "\tx", "\rx", "＝1", "＋8613"]
HARMLESS = ["+8613800000000", "-12", "-1.5", "+1", "+86 (21) 6279-1000", "2024-05-31", "12=x"]


@pytest.mark.parametrize("value", FORMULAS)
def test_the_variant_for_excel_defuses_formulas_in_texts(value: str) -> None:
    plain = written(S, texts(value))
    safe = written(S, texts(value), for_spreadsheets=True)
    assert list(csv.reader(io.StringIO(plain, newline="")))[1] == [value]
    assert safe.startswith("\ufeff")
    assert list(csv.reader(io.StringIO(safe, newline="")))[1] == ["'" + value]


@pytest.mark.parametrize("value", HARMLESS)
def test_the_variant_for_excel_leaves_numbers_and_telephone_numbers_in_texts(value: str) -> None:
    columns = (Column(value, "c0", ColumnType.STRING),)
    safe = written(columns, [{value: value}], for_spreadsheets=True)
    assert list(csv.reader(io.StringIO(safe.removeprefix("\ufeff"), newline=""))) == [[value]] * 2


@given(st.text(max_size=12))
def test_plain_csv_changes_no_text(text: str) -> None:
    read = list(csv.reader(io.StringIO(written(S, texts(text)), newline="")))
    assert read[1:] == [[text]]


def test_the_variant_for_excel_leaves_numbers_and_defuses_headings() -> None:
    columns = (Column("=x", "c0", ColumnType.NUMBER),)
    assert written(columns, [{"=x": -1.5}], for_spreadsheets=True) == "\ufeff'=x\r\n-1.5\r\n"


def test_csv_of_a_table_without_rows_has_its_heading() -> None:
    assert written(S, []) == "s\r\n"


def test_outlines_are_text_in_csv() -> None:
    columns = make_columns(g=ColumnType.GEOMETRY)
    assert written(columns, [{"g": '{"type": "Point"}'}]) == 'g\r\n"{""type"": ""Point""}"\r\n'


# JSON


def both(columns: Sequence[Column], rows: Sequence[Row]) -> list[Any]:
    batches = [batch_of(columns, rows[:2]), batch_of(columns, []), batch_of(columns, rows[2:])]
    array = b"".join(json_stream(batches, columns))
    lines = b"".join(jsonl_stream(batches, columns))
    found: list[Any] = orjson.loads(array)
    assert [orjson.loads(line) for line in lines.splitlines()] == found
    return found


def test_json_has_exact_values() -> None:
    found = both(STATIONS, STATION_ROWS)
    assert found[3] == {
        "站点": "it's 100%_",
        "No": 2**62 + 1,
        "PM2.5": 1e300,
        'open`"now': True,
        "day": "1899-12-31",
        "seen at": "1969-12-31T23:59:59.000005",
    }
    assert found[2]["站点"] is None


def test_json_is_utf8_and_knows_no_nan() -> None:
    columns = make_columns(s=ColumnType.STRING, n=ColumnType.NUMBER)
    rows: list[Row] = [{"s": "中\u2028", "n": number} for number in (math.nan, math.inf, -math.inf)]
    text = b"".join(jsonl_stream([batch_of(columns, rows)], columns)).decode()
    assert text == '{"s":"中\u2028","n":null}\n' * 3


def test_json_without_rows_is_an_empty_array() -> None:
    assert both(S, []) == []
    assert b"".join(jsonl_stream([], S)) == b""


def test_outlines_are_objects_in_json_if_they_can_be() -> None:
    columns = make_columns(g=ColumnType.GEOMETRY)
    rows: list[Row] = [{"g": '{"type":"Point"}'}, {"g": "POINT(1 2)"}, {"g": None}]
    assert both(columns, rows) == [{"g": {"type": "Point"}}, {"g": "POINT(1 2)"}, {"g": None}]


# Parquet


def test_parquet_has_published_names_and_types() -> None:
    batches = [batch_of(STATIONS, STATION_ROWS)]
    named = pa.schema([(column.stored, ARROW[column.type]) for column in STATIONS])
    content = b"".join(parquet_stream(batches, STATIONS, named))
    read = pq.read_table(io.BytesIO(content))
    assert read.to_pylist() == list(STATION_ROWS)
    assert [field.type for field in read.schema] == [ARROW[column.type] for column in STATIONS]


def test_parquet_comes_in_row_groups() -> None:
    columns = make_columns(i=ColumnType.INTEGER)
    rows: list[Row] = [{"i": at} for at in range(60_000)]
    batch = batch_of(columns, rows)
    content = b"".join(parquet_stream([batch] * 4, columns, batch.schema))
    assert pq.ParquetFile(io.BytesIO(content)).metadata.num_row_groups == 2
    empty = b"".join(parquet_stream([], columns, batch.schema))
    assert pq.read_table(io.BytesIO(empty)).num_rows == 0


def test_streams_keep_no_more_than_a_batch() -> None:
    columns = make_columns(s=ColumnType.STRING, i=ColumnType.INTEGER)
    batch = batch_of(columns, [{"s": "东四" * 20, "i": at} for at in range(5_000)])

    def many() -> Iterator[pa.RecordBatch]:
        for _ in range(60):
            yield batch

    for stream in (csv_stream(many(), columns), jsonl_stream(many(), columns)):
        tracemalloc.start()
        size = sum(len(chunk) for chunk in stream)
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert size > 30_000_000
        assert peak < 12_000_000
