"""The readable documentation of the API: its examples work here, and it is there when engines are not."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.errors import Unavailable
from portal.pages.developers import Example, _example_of, quoted
from tests.make_portal import make_served

ENCODED = re.compile(r"--data-urlencode '(\w+)=([^']*)'")


@pytest.mark.parametrize(
    ("name", "written"),
    [
        ("station", "station"),
        ("PM2.5", '"PM2.5"'),
        ("站点", '"站点"'),
        ('a"b', '"a""b"'),
        ("1st", '"1st"'),
    ],
)
def test_names_are_quoted_where_conditions_need_it(name: str, written: str) -> None:
    assert quoted(name) == written


def test_every_example_with_rows_works(app: Flask, client: FlaskClient, tmp_path: Path) -> None:
    served = make_served(tmp_path)
    page = unescape(client.get("/en/developers").get_data(as_text=True))
    commands = page.split("curl --get ")[1:]
    assert len(commands) == 2
    for command in commands:
        path = command.split('"')[1].removeprefix("http://localhost")
        asked = dict(ENCODED.findall(command.split("</code>")[0]))
        assert served.table in path
        assert client.get(f"{path}?{urlencode(asked)}").status_code == 200, asked


def test_the_page_is_readable_while_the_search_is_down(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise Unavailable("the index is down")

    monkeypatch.setattr("portal.pages.developers.search.find", down)
    page = client.get("/zh/developers")
    assert page.status_code == 200
    assert "TABLE_ID" in page.get_data(as_text=True)


def test_a_table_without_columns_is_no_example_of_columns() -> None:
    class Table:
        id, rows, columns = "t1", 0, ()

    assert _example_of([Table()]) == Example("t1")  # type: ignore[list-item] # has what is read of a table
