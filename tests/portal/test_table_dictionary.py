"""The forms of the data dictionary: for publishers, without JavaScript, with errors at their fields."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlencode

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from catalog.db import db, transaction
from catalog.models.account import Account, Role
from catalog.models.table import TableColumn
from catalog.permissions import ANYONE, SCHEDULER
from catalog.schemas.account import RegisterDraft
from catalog.services import accounts, table_files, tables
from tests.make_page import LANGUAGES, checked, href, one, page, words
from tests.make_reading import make_file
from tests.make_table_page import make_loaded_table, make_table_of_files

PASSWORD = "correct horse battery"
COLUMN = "面积"
ROWS = [
    {"code": f"{at:03}", COLUMN: at * 10, "note": None if at % 4 else f"n{at}", "day": "2020-01-02"}
    for at in range(20)
]


@pytest.fixture
def table_id(app: Flask) -> str:
    return make_loaded_table(ROWS, load={"columns": {COLUMN: {"label": {"zh": "占地"}}}})


@pytest.fixture
def publisher(client: FlaskClient, app: Flask) -> FlaskClient:
    """Somebody who may change every table, signed in."""
    app.config["WTF_CSRF_ENABLED"] = False
    draft = RegisterDraft("wang@example.org", "王小明", PASSWORD)
    accounts.register(ANYONE, draft, address="192.0.2.7")
    with transaction():
        db.session.scalars(select(Account)).one().role = Role.ADMINISTRATOR
    fields = {"email": "wang@example.org", "password": PASSWORD}
    assert client.post("/en/account/sign-in", data=fields).status_code == 302
    return client


def address(table_id: str, column: str = COLUMN, lang: str = "en") -> str:
    return f"/{lang}/tables/{table_id}/dictionary/column?{urlencode({'column': column})}"


def filled(soup: BeautifulSoup) -> dict[str, str]:
    """What the form holds, as a browser would send it."""
    form = one(soup, ".weft-declare[novalidate]")
    found = {str(f["name"]): str(f.get("value", "")) for f in form.select("input.govuk-input")}
    found |= {str(f["name"]): f.get_text() for f in form.select("textarea")}
    found |= {str(f["name"]): str(one(f, "[selected]")["value"]) for f in form.select("select")}
    return found | {str(f["name"]): "1" for f in form.select("[type=checkbox][checked]")}


def send(
    client: FlaskClient, table_id: str, given: Mapping[str, str], *, column: str = COLUMN, do: str = "save"
) -> TestResponse:  # fmt: skip
    """Open the form, change some fields and send it."""
    fields = filled(page(client, address(table_id, column)))
    return client.post(address(table_id, column), data={**fields, **given, "do": do})


def column_of(table_id: str, name: str = COLUMN) -> TableColumn:
    """The row of the column as it is now."""
    db.session.rollback()  # ends the snapshot of earlier reads
    named = select(TableColumn).filter_by(table_id=table_id, name=name)
    return db.session.scalars(named.execution_options(populate_existing=True)).one()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_publishers_are_led_to_the_form_of_each_column(
    publisher: FlaskClient, table_id: str, lang: str
) -> None:
    columns = page(publisher, f"/{lang}/tables/{table_id}?view=columns")
    overview = page(publisher, href(columns, "a.govuk-button--secondary"))
    assert len(overview.select(".weft-said__column")) == 4
    links = [str(a["href"]) for a in overview.select(".weft-said__name a")]
    assert links[1] == address(table_id, lang=lang)
    form = filled(page(publisher, links[1]))
    assert form["title_zh"] == "占地"
    assert form["type"] == "integer"


def test_readers_see_no_form(client: FlaskClient, table_id: str) -> None:
    assert "dictionary" not in str(one(page(client, f"/en/tables/{table_id}?view=columns"), "main"))
    for path in (f"/en/tables/{table_id}/dictionary", address(table_id)):
        assert client.get(path).status_code in (302, 401)
    assert client.get("/en/tables/gone/dictionary").status_code == 404


def test_everything_that_is_said_is_kept_and_shown(publisher: FlaskClient, table_id: str) -> None:
    given = {
        "title_zh": "建筑面积", "title_en": "Floor area", "description_en": "Of all floors",
        "unit": "m²", "missing": "-\n暂无\n", "required": "1", "unique": "1",
        "minimum": "0", "maximum": "500", "enum": "",
    }  # fmt: skip
    sent = send(publisher, table_id, given)
    assert (sent.status_code, sent.headers["Location"]) == (
        303,
        f"/en/tables/{table_id}/dictionary",
    )
    overview = page(publisher, sent.headers["Location"])
    assert "is saved" in one(overview, "main").get_text()
    card = " ".join(overview.select(".weft-said__column")[1].get_text(" ").split())
    for told in ("Floor area", "Of all floors", "m²", "-, 暂无", "required; unique; least value 0"):
        assert told in card
    schema = publisher.get(f"/api/v1/tables/{table_id}/schema?lang=en").json
    assert schema is not None
    field = schema["fields"][1]
    assert field["title"] == "Floor area"
    assert field["constraints"] == {
        "required": True,
        "unique": True,
        "minimum": "0",
        "maximum": "500",
    }
    assert field["source"] == {"missingValues": ["-", "暂无"]}
    assert "written" not in field
    again = filled(page(publisher, address(table_id)))
    assert again["missing"] == "-\n暂无"
    assert (again["maximum"], again["required"]) == ("500", "1")
    assert "Floor area" in words(page(publisher, f"/en/tables/{table_id}"), "thead th")[2]
    cleared = send(publisher, table_id, {"title_zh": "", "title_en": "", "maximum": ""})
    assert cleared.status_code == 303
    assert column_of(table_id).label == {}
    assert "maximum" not in column_of(table_id).info["constraints"]


@pytest.mark.parametrize(
    ("given", "field"),
    [
        ({"minimum": "much"}, "minimum"),
        ({"minimum": "9", "maximum": "1"}, "maximum"),
        ({"enum": "1\ntwo"}, "enum"),
        ({"min_length": "-1"}, "min_length"),
        ({"min_length": "5", "max_length": "2"}, "max_length"),
        ({"pattern": "(?<=a)b"}, "pattern"),
        ({"format": "%Y"}, "format"),
        ({"semantic": "soul"}, "semantic"),
        ({"type": "colour"}, "type"),
        ({"unit": "x" * 61}, "unit"),
        ({"title_zh": "长" * 501}, "title_zh"),
        ({"missing": "\n".join(map(str, range(501)))}, "missing"),
    ],
)
def test_what_cannot_be_is_said_at_its_field(
    publisher: FlaskClient, table_id: str, given: dict[str, str], field: str
) -> None:
    refused = send(publisher, table_id, given)
    assert refused.status_code == 422
    soup = checked(refused)
    assert [str(a["href"]) for a in soup.select(".govuk-error-summary a")] == [f"#{field}"]
    assert soup.select(f"#{field}")
    if field != "semantic":
        assert one(soup, f"#{field}-error").get_text(strip=True)
    typed = next(iter(given.items()))
    if typed[0] not in ("semantic", "type"):
        assert filled_of(soup, typed[0]) == typed[1]
    assert column_of(table_id).label == {"zh": "占地"}


def filled_of(soup: BeautifulSoup, name: str) -> str:
    box = one(soup, f"#{name}")
    return str(box.get("value", "")) if box.name == "input" else box.get_text()


def test_values_that_break_a_rule_are_shown_before_it_is_saved(
    publisher: FlaskClient, table_id: str
) -> None:
    given = {"minimum": "50", "maximum": "120", "enum": "50\n60", "pattern": "[0-9]{2}"}
    shown = checked(send(publisher, table_id, given))
    told = words(shown, ".weft-declare__broken li")
    assert told[0] == "5 rows: is less than the declared minimum ( 0 , 10 , 20 )" or told[
        0
    ].startswith("5 rows")
    assert [line.split(":")[0] for line in told] == ["5 rows", "7 rows", "11 rows", "18 rows"]
    assert column_of(table_id).info == {}
    saved = send(publisher, table_id, given, do="sure")
    assert saved.status_code == 303
    assert column_of(table_id).info["constraints"]["minimum"] == "50"
    agreed = checked(
        send(
            publisher,
            table_id,
            {"minimum": "0", "maximum": "", "enum": "", "pattern": ""},
            do="check",
        )
    )
    assert "agree with this" in one(agreed, ".weft-declare__broken").get_text()
    assert column_of(table_id).info["constraints"]["minimum"] == "50"


def test_empty_and_doubled_values_are_counted_in_rows(
    publisher: FlaskClient, table_id: str
) -> None:
    shown = checked(send(publisher, table_id, {"required": "1"}, column="note", do="check"))
    assert words(shown, ".weft-declare__broken li") == [
        "15 rows: is empty, but a value is required"
    ]
    shown = checked(send(publisher, table_id, {"unique": "1"}, column="day", do="check"))
    assert words(shown, ".weft-declare__broken li")[0].startswith(
        "20 rows: is there more than once"
    )
    shown = checked(send(publisher, table_id, {"semantic": "email"}, column="code", do="check"))
    assert words(shown, ".weft-declare__broken li")[0].startswith("20 rows: is not an e-mail")


def test_another_type_is_a_release_unless_values_do_not_have_it(
    publisher: FlaskClient, table_id: str
) -> None:
    assert send(publisher, table_id, {"type": "number"}).status_code == 303
    assert column_of(table_id).type == "number"
    assert tables.show(SCHEDULER, table_id).release == 2
    shown = checked(send(publisher, table_id, {"type": "integer"}, column="code"))
    assert words(shown, ".weft-declare__broken li")[0].startswith("20 rows: is not a whole number")
    refused = send(publisher, table_id, {"type": "integer"}, column="code", do="sure")
    assert refused.status_code == 422
    assert "would lose their zeros" in one(checked(refused), "#type-error").get_text()
    texts = checked(send(publisher, table_id, {"type": "boolean"}, column="note"))
    assert words(texts, ".weft-declare__broken li")[0].startswith(
        "5 rows: is neither true nor false"
    )
    assert send(publisher, table_id, {"type": "year"}, column=COLUMN, do="check").status_code == 200


def test_the_key_is_declared_where_it_tells_rows_apart(
    publisher: FlaskClient, table_id: str
) -> None:
    path = f"/en/tables/{table_id}/dictionary"
    refused = publisher.post(path, data={"key": "day"})
    assert refused.status_code == 422
    soup = checked(refused)
    assert href(soup, ".govuk-error-summary a") == "#key"
    assert [str(box["value"]) for box in soup.select("[name=key][checked]")] == ["day"]
    assert publisher.post(path, data={"key": ["code", "day"]}).status_code == 303
    kept = page(publisher, path).select("[name=key][checked]")
    assert [str(box["value"]) for box in kept] == ["code", "day"]


def test_a_column_that_is_not_there_has_no_form(publisher: FlaskClient, table_id: str) -> None:
    assert publisher.get(address(table_id, "gone")).status_code == 404
    assert publisher.post(address(table_id, "gone"), data={"type": "string"}).status_code == 404


def test_what_people_say_outlives_the_next_load(
    publisher: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    file = make_file(tmp_path, "t.csv", "n,m\n1,1\n2,2\n")
    load = {"columns": {"n": {"label": {"en": "of the source"}, "unit": "t"}}}
    table_id = make_table_of_files([file], load=load)
    given = {"title_en": "of people", "missing": "-", "maximum": "5"}
    assert send(publisher, table_id, given, column="n").status_code == 303
    content = b"n,m\n1,1\n-,2\n9,3\n"
    table_files.replace(SCHEDULER, table_id, "t.csv", content, reason="", other_columns=True)
    column = column_of(table_id, "n")
    assert column.label == {"en": "of people"}
    assert column.unit == "t"
    assert column.type == "integer"
    assert tables.show(SCHEDULER, table_id).kept_cells == 1
    told = words(page(publisher, f"/en/tables/{table_id}/cells"), "tbody tr")
    assert told == [
        "of people is greater than the declared maximum 1",
        "3 of people 9 is greater than the declared maximum",
    ]
