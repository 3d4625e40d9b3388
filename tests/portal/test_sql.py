"""The page for SQL: it asks, answers, says what is wrong and hands out files."""

from __future__ import annotations

import io
from html import unescape
from pathlib import Path
from urllib.parse import parse_qs, urlencode, urlsplit

import pyarrow.parquet as pq
import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from catalog.errors import Unavailable
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import search, table_columns
from catalog.services.table_columns import (
    AddColumn,
    ColumnChange,
    DropColumn,
    RenameColumn,
    RetypeColumn,
)
from tests.make_page import words
from tests.make_portal import Served, make_served
from tests.make_table import STATIONS


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    made = make_served(tmp_path)
    search.reindex(SCHEDULER)
    return made


def page_of(client: FlaskClient, sql: str = "", lang: str = "en") -> BeautifulSoup:
    answer = client.get(f"/{lang}/sql?{urlencode({'q': sql})}" if sql else f"/{lang}/sql")
    assert answer.status_code in (200, 400)
    return BeautifulSoup(answer.text, "html.parser")


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_form_is_there_and_its_examples_work(
    client: FlaskClient, served: Served, lang: str
) -> None:
    page = page_of(client, lang=lang)
    assert page.select_one("textarea[name=q]").text == ""
    links = [link["href"] for link in page.select(".weft-statements a")]
    assert len(links) == 3
    for link in links:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ([AddColumn("more", ColumnType.STRING)], '"站点", "No", "PM2.5", "open`""now", "day", "seen at"'),
        ([DropColumn("No"), RenameColumn("day", "No")], '"站点", "PM2.5", "open`""now", "seen at"'),
        ([RetypeColumn("No", ColumnType.STRING)], '"站点", "PM2.5", "open`""now", "day", "seen at"'),
    ],
)  # fmt: skip
def test_the_example_of_versions_works_when_columns_are_others(
    client: FlaskClient, served: Served, changes: list[ColumnChange], said: str
) -> None:
    table_columns.change_columns(SCHEDULER, served.table, changes)
    statement = words(page_of(client), ".weft-statements code")[2]
    asked = f'SELECT {said} FROM "{served.table}"'
    assert statement == f"{asked} EXCEPT {asked} AT (VERSION => 1)"
    answer = page_of(client, statement)
    assert not answer.select("#statement-error")
    assert answer.select_one(".weft-count").text.strip().startswith("0 rows")


def test_the_example_of_versions_reads_a_release_that_shares_no_column(
    client: FlaskClient, served: Served
) -> None:
    names = [column.name for column in STATIONS]
    changes = [AddColumn("more", ColumnType.STRING), *map(DropColumn, names)]
    table_columns.change_columns(SCHEDULER, served.table, changes)
    page = page_of(client)
    assert words(page, ".weft-statements code")[2].endswith("AT (VERSION => 1) LIMIT 10")
    assert "The first rows of release 1" in words(page, ".weft-statements a")
    link = page.select(".weft-statements a")[2]["href"]
    assert (
        len(page_of(client, parse_qs(urlsplit(link).query)["q"][0]).select(".weft-grid tbody tr"))
        == 7
    )


def test_the_example_of_versions_leaves_out_what_is_masked(
    client: FlaskClient, served: Served
) -> None:
    table_columns.set_access(SCHEDULER, served.table, "day", ColumnAccess.MASKED)
    table_columns.change_columns(SCHEDULER, served.table, [DropColumn("PM2.5")])
    statement = words(page_of(client), ".weft-statements code")[2]
    assert statement.startswith('SELECT "站点", "No", "open`""now", "seen at" FROM')
    assert not page_of(client, statement).select("#statement-error")


def test_an_answer_is_a_table_with_files_and_the_call(client: FlaskClient, served: Served) -> None:
    sql = 'SELECT 站点 AS "<b>", No FROM "air-quality" WHERE No < 3 ORDER BY No DESC LIMIT 2'
    page = page_of(client, sql)
    heads = [cell.text.strip() for cell in page.select(".weft-grid thead th")]
    assert heads == ["Row", "<b>", "No"]
    cells = [[cell.text for cell in row.select("td")] for row in page.select(".weft-grid tbody tr")]
    assert cells == [["顺义", "2"], ["东四", "1"]]
    assert page.select_one("textarea").text == sql
    assert "7 rows read" in page.select_one(".weft-count").text
    assert page.select_one("meta[name=robots]")["content"] == "noindex"
    files = {link.text: link["href"] for link in page.select(".weft-chips a[download]")}
    assert client.get(files["CSV"]).text == "<b>,No\r\n顺义,2\r\n东四,1\r\n"
    table = pq.read_table(io.BytesIO(client.get(files["Parquet"]).data))
    assert table["No"].to_pylist() == [2, 1]
    assert len(client.get(files["JSON lines"]).text.splitlines()) == 2
    assert "/api/v1/sql" in unescape(page.select_one("pre.weft-code").text)


def test_more_rows_than_the_page_shows_are_said(client: FlaskClient, served: Served) -> None:
    page = page_of(client, "SELECT * FROM range(500)")
    assert "first 200 rows" in page.select_one(".weft-count").text
    assert len(page.select(".weft-grid tbody tr")) == 200
    files = [link["href"] for link in page.select(".weft-chips a[download]")]
    assert len(client.get(files[0]).text.splitlines()) == 501


def test_an_answer_without_rows_is_said(client: FlaskClient, served: Served) -> None:
    page = page_of(client, 'SELECT * FROM "air-quality" WHERE false')
    assert page.select_one(".weft-count").text.strip().startswith("0 rows")
    assert not page.select(".weft-grid")


def test_what_is_wrong_is_said_beside_the_statement(client: FlaskClient, served: Served) -> None:
    page = page_of(client, "SELECT 1,\n  getenv('HOME')")
    words = page.select_one("#statement-error").text
    assert "Line 2, character 3" in words
    assert "getenv" in words
    assert page.select_one("textarea")["aria-describedby"] == "statement-error"
    assert "getenv" in page.select_one("textarea").text
    too_long = page_of(client, "SELECT 1 --" + "x" * 10_000)
    assert "10000 characters" in too_long.select_one("#statement-error").text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("answer.xlsx?q=SELECT+1", 404),
        ("answer.csv?q=", 400),
        ("answer.csv?q=SELECT+getenv(1)", 400),
        ("?q=%00", 400),
    ],
)
def test_files_that_cannot_be_made_are_refused(
    client: FlaskClient, app: Flask, path: str, status: int
) -> None:
    assert (
        client.get(f"/en/sql/{path}" if path[0] == "a" else f"/en/sql{path}").status_code == status
    )


def test_the_page_is_there_while_the_search_is_down(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    def down(*_: object) -> None:
        raise Unavailable("the index is down")

    monkeypatch.setattr("portal.sql_page.search.find", down)
    assert not page_of(client).select(".weft-statements")


def test_a_table_leads_to_its_statement(client: FlaskClient, served: Served) -> None:
    page = BeautifulSoup(client.get(f"/en/tables/{served.table}?view=api").text, "html.parser")
    (link,) = [link["href"] for link in page.select("a") if "/en/sql?q=" in link.get("href", "")]
    assert len(page_of(client, "").select("textarea")) == 1
    assert "东四" in client.get(link).text
    developers = BeautifulSoup(client.get("/en/developers").text, "html.parser")
    assert developers.select('a[href="/en/sql"]')
