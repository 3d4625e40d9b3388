"""The query builder beyond one table and its newest rows: older releases, and a table beside it."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import table_columns, table_writes
from catalog.services.table_columns import AddColumn, DropColumn
from tests.make_page import LANGUAGES, one, page, words
from tests.make_table_page import make_loaded_table

ROWS = [{"code": f"c{at}", "district": f"d{at % 4}", "n": at} for at in range(12)]
DISTRICTS = [{"district": f"d{at}", "name": f"第{at}区", "people": 1000 * at} for at in range(3)]


@pytest.fixture
def table_id(app: Flask) -> str:
    return make_loaded_table(ROWS, slug="places")


@pytest.fixture
def districts(app: Flask) -> str:
    """A table with a key."""
    made = make_loaded_table(
        DISTRICTS, slug="districts", title={"zh": "各区", "en": "Districts of the city"}
    )
    table_columns.set_key(SCHEDULER, made, ["district"])
    return made


def built(client: FlaskClient, table_id: str, *pairs: tuple[str, str]) -> BeautifulSoup:
    """The page of the builder for these fields."""
    return page(client, f"/en/tables/{table_id}?{urlencode([('view', 'api'), *pairs])}")


def call_of(soup: BeautifulSoup) -> str:
    """The first piece of code: the address, or the body that is sent."""
    return soup.select(".weft-code code")[0].get_text()


def sent(client: FlaskClient, table_id: str, soup: BeautifulSoup) -> dict[str, Any]:
    """What the API answers to the body that the page shows."""
    response = client.post(f"/api/v1/tables/{table_id}/query", json=json.loads(call_of(soup)))
    assert response.status_code == 200, response.text
    answer: dict[str, Any] = response.json  # type: ignore[assignment] # the answer is JSON
    return answer


def test_an_older_release_is_asked(client: FlaskClient, table_id: str) -> None:
    table_columns.change_columns(
        SCHEDULER, table_id, [DropColumn("n"), AddColumn("note", ColumnType.STRING)]
    )
    table_writes.insert(SCHEDULER, table_id, [{"code": "new", "district": "d0"}])
    soup = built(client, table_id)
    offered = [str(option["value"]) for option in soup.select("#build-as-of option")]
    assert offered == ["", "3", "2", "1"]
    old = built(client, table_id, ("as_of", "1"), ("ac", "n"), ("ao", "at_least"), ("av", "6"))
    answer = client.get(call_of(old)).json
    assert answer is not None
    assert [row["n"] for row in answer["rows"]] == list(range(6, 12))
    assert answer["release"] == 1
    assert words(old, "#api .weft-count") == ["6 rows in all"]
    assert one(old, "#build-as-of [selected]")["value"] == "1"
    assert "note" not in words(old, "#build-sc1 option")
    grouped = built(
        client, table_id, ("as_of", "1"), ("by", "district"), ("mf", "sum"), ("mc", "n")
    )
    groups = client.get(call_of(grouped)).json
    assert groups is not None
    assert sum(row["sum_n"] for row in groups["rows"]) == sum(range(12))
    file = built(client, table_id, ("as_of", "1"), ("format", "csv"))
    assert client.get(call_of(file)).text.startswith("code,district,n\r\n")


@pytest.mark.parametrize(
    ("as_of", "said"),
    [("9", "no release 9"), ("soon", "names no release"), ("1999-01-01", "no release of this")],
)
def test_a_release_that_is_not_there_is_named(
    client: FlaskClient, table_id: str, as_of: str, said: str
) -> None:
    soup = built(client, table_id, ("as_of", as_of))
    assert said in one(soup, '.govuk-error-summary a[href="#build-as-of"]').get_text()
    assert not soup.select(".weft-grid--preview")
    assert one(soup, "#build-as-of [selected]")["value"] == as_of


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_table_with_a_key_stands_beside_the_rows(
    client: FlaskClient, table_id: str, districts: str, lang: str
) -> None:
    soup = page(client, f"/{lang}/tables/{table_id}?view=api")
    assert [str(option["value"]) for option in soup.select("#build-other option")] == [
        "",
        districts,
    ]
    asked = {"view": "api", "jt": districts, "col": "code", "ac": "other.people", "ao": "more"}
    soup = page(client, f"/{lang}/tables/{table_id}?{urlencode({**asked, 'av': '500'})}")
    assert one(soup, "#build-jm1 [selected]")["value"] == "district"
    answer = sent(client, table_id, soup)
    assert [row["code"] for row in answer["rows"]] == [f"c{at}" for at in (1, 2, 5, 6, 9, 10)]
    assert len(soup.select(".weft-grid--preview tbody tr")) == 6
    title = {"zh": "各区", "en": "Districts of the city"}[lang]
    assert f"{title}: people" in words(soup, "#build-sc1 option")
    assert not soup.select("#build-format option[value=csv]")
    code = [block.get_text() for block in soup.select(".weft-example code")]
    assert all("/query" in text and "other.people" in text for text in code)
    compile(code[1], "example", "exec")


def test_rows_without_a_match_are_kept_when_asked(
    client: FlaskClient, table_id: str, districts: str
) -> None:
    given = (("jt", districts), ("jm", "district"), ("format", "arrays"))
    assert len(sent(client, table_id, built(client, table_id, *given))["rows"]) == 9
    kept = built(client, table_id, *given, ("jk", "left"), ("sc", "other.name"))
    answer = sent(client, table_id, kept)
    assert len(answer["rows"]) == 12
    assert answer["rows"][-1][-3:] == [None, None, None]
    assert words(kept, "#api .weft-count") == ["12 rows in all"]
    assert one(kept, "#build-jk [selected]")["value"] == "left"


def test_groups_of_two_tables_are_counted(
    client: FlaskClient, table_id: str, districts: str
) -> None:
    soup = built(
        client, table_id, ("jt", districts), ("by", "other.name"), ("mf", "sum"), ("mc", "n")
    )
    answer = sent(client, table_id, soup)
    assert [field["name"] for field in answer["fields"]] == ["other.name", "sum_n"]
    assert len(soup.select(".weft-grid--preview tbody tr")) == 3
    assert "cursor" not in soup.select(".weft-example code")[1].get_text()


def test_a_join_that_cannot_be_made_says_why_at_its_field(
    client: FlaskClient, table_id: str, districts: str
) -> None:
    other_type = built(client, table_id, ("jt", districts), ("jm", "n"))
    anchor = '.govuk-error-summary a[href="#build-other"]'
    assert "different types" in one(other_type, anchor).get_text()
    assert "no such table" in one(built(client, table_id, ("jt", "gone")), anchor).get_text()
    strangers = make_loaded_table([{"x": 1}], slug="strangers")
    missing = built(client, strangers, ("jt", districts))
    assert "declared key of the other table: district" in one(missing, anchor).get_text()
    assert one(missing, "#build-jm1")
    assert not missing.select("#build-jm1 [selected]")


def test_a_table_that_is_not_open_is_not_offered(
    client: FlaskClient, table_id: str, districts: str
) -> None:
    table_columns.set_access(SCHEDULER, districts, "district", ColumnAccess.HIDDEN)
    soup = built(client, table_id, ("jt", districts))
    assert "declares no key" in one(soup, ".govuk-error-summary").get_text()
    assert "第0区" not in soup.get_text()


def test_where_no_table_has_a_key_the_form_says_so(client: FlaskClient, table_id: str) -> None:
    soup = built(client, table_id)
    assert not soup.select("#build-other")
    assert words(soup, ".weft-build__note")
