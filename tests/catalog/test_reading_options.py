"""Options of reading, as sources give them; what files are, by their first bytes."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from catalog.errors import Invalid, Unreadable
from catalog.models.vocabulary import ColumnType
from catalog.tabular.reading import ReadOptions
from catalog.tabular.reading.title import stem_of
from tests.make_reading import make_file, read, read_text, rows_of


def test_options_of_a_source() -> None:
    options = ReadOptions.from_json(
        {
            "format": "CSV", "delimiter": ";", "one_table": True, "carry": ["year"], "missing": ["-"],
            "types": {"a": "integer"}, "names": {"a": "b"}, "header_rows": 2, "records": "days",
        }
    )  # fmt: skip
    assert (options.format, options.delimiter, options.one_table, options.carry) == (
        "csv",
        ";",
        True,
        ("year",),
    )
    assert (options.types, options.names) == ({"a": ColumnType.INTEGER}, {"a": "b"})


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"limits": {}}, "Unknown reading options: limits."),
        ({"format": "pdf"}, "Files of the format pdf cannot be read."),
        ({"delimiter": ",,"}, "delimiter must be one character"),
        ({"encoding": 5}, "encoding must be a text"),
        ({"one_table": "yes"}, "one_table must be true or false"),
        ({"header_rows": True}, "header_rows must be a number"),
        ({"header_rows": 11}, "header_rows must be a number"),
        ({"missing": "NA"}, "missing must be a list"),
        ({"names": []}, "names must map names to texts"),
        ({"types": {"a": "int"}}, "column a has the unknown type int"),
    ],
)
def test_options_that_cannot_be_used(options: dict[str, Any], said: str) -> None:
    with pytest.raises(Invalid, match=re.escape(said)):
        ReadOptions.from_json(options)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"", "is empty"),
        (b"\n", "is empty"),
        (b"\xef\xbb\xbf \r\n", "is empty"),
        (b"\0" * 50, "is empty"),
        (b" " * 9000 + b"a,b\n", "nothing but white space"),
        (b",,\n,,\n", "is empty"),
        (b"%PDF-1.7\n", "is a PDF file"),
        (b"\x89PNG\r\n", "is a PNG file"),
        (b"\xff\xd8\xff\xe0", "is a JPEG file"),
        (b"PAR1....", "is cut off or damaged: it is no whole Parquet file"),
        (b"SQLite format 3\0", "is a SQLite file"),
        (b"<!DOCTYPE html><html>", "is a web page"),
        (b"\xef\xbb\xbf\n<html><body>", "is a web page"),
        ("<html><table><tr>".encode("utf-16"), "is a web page"),
        (b"<!-- made by x --><table><tr>", "is a web page"),
        (b'<?xml version="1.0"?><a/>', "is an XML or HTML document"),
        (b"<rdf:RDF xmlns=''>", "is an XML or HTML document"),
        (b"a,b\n\x00\x01\x02\x00\x00\x07", "binary file of an unknown kind"),
    ],
)
def test_what_is_no_table_gets_one_sentence_though_it_is_called_csv(
    tmp_path: Path, content: bytes, said: str
) -> None:
    with pytest.raises(Unreadable, match=said):
        read_text(tmp_path, content)


def test_the_content_decides_before_the_name(tmp_path: Path) -> None:
    assert rows_of(read_text(tmp_path, '[{"a": 1}]', "t.txt")) == [(1,)]
    assert rows_of(read_text(tmp_path, "a,b\n1,2\n", "t")) == [(1, 2)]
    assert rows_of(read_text(tmp_path, "{a},b\n1,2\n")) == [(1, 2)]
    assert rows_of(read_text(tmp_path, "[a],b\n1,2\n", "t.json", format="csv")) == [(1, 2)]
    with pytest.raises(Unreadable, match="not valid JSON"):
        read_text(tmp_path, "a,b\n1,2\n", "t.json")


@pytest.mark.parametrize("name", ["README.md", "notes", "t.txt"])
def test_prose_is_no_table(tmp_path: Path, name: str) -> None:
    prose = "This is a text.\nIt goes on: here, there, everywhere.\n\nAnd ends\n"
    if name == "t.txt":
        prose = "One line.\nAnother one.\n"
    with pytest.raises(Unreadable, match="holds text, but no table"):
        read_text(tmp_path, prose, name)


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="is not there"):
        read(tmp_path / "nothing.csv", tmp_path / "out")


def test_keys_are_told_apart(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    paths = [make_file(tmp_path, "t.csv", "a\n1\n"), make_file(tmp_path / "x", "t.csv", "a\n2\n")]
    assert [table.key for table in read(paths, tmp_path / "out")] == ["t", "t (2)"]


def test_the_stem_of_a_name() -> None:
    assert [stem_of(name) for name in ("a/b.csv.gz", "2020", ".csv", "v1.2 of all data")] == [
        "b", "2020", ".csv", "v1.2 of all data"
    ]  # fmt: skip
