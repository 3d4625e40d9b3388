"""Questions to departments and the list of what is not open, as people see them."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.models.vocabulary import Access, ColumnAccess, MemberRole
from catalog.permissions import SCHEDULER
from catalog.schemas.data_service import data_service_draft
from catalog.services import data_services, table_columns
from catalog.settings import Settings
from tests.make_dataset import make_organization, put
from tests.make_office import make_person, send, signed_in
from tests.make_page import HOSTILE, checked, page, words
from tests.make_portal import make_served
from wsgi import create_app

FORM = {
    "dataset": "air",
    "kind": "error",
    "title": "A value is wrong",
    "text": HOSTILE,
    "contact": "reader@example.org",
    "public": "1",
}
NEW = "/en/inquiries/new?dataset=air"


@pytest.fixture
def editor(app: Flask) -> FlaskClient:
    office = make_organization("ecology").id
    put("Air", slug="air", access="on_application", access_reason={"en": "Law 5", "zh": "=法"})
    make_person("li", office, MemberRole.EDITOR)
    return signed_in(app, "li")


def asked(client: FlaskClient, **fields: str) -> str:
    answer = send(client, "/en/inquiries/new", {**FORM, **fields}, form_at=NEW)
    assert answer.status_code == 303, answer.text
    return str(answer.location)


def test_a_question_is_asked_answered_and_shown_on_the_page_of_the_dataset(
    editor: FlaskClient, client: FlaskClient
) -> None:
    address = asked(client)
    assert "It is not answered yet." in page(client, address).get_text()
    assert "reader@example.org" not in page(client, address).get_text()
    assert words(page(editor, "/en/publish?list=asked"), ".weft-hit__title") == [FORM["title"]]
    assert "reader@example.org" in page(editor, address).get_text()
    assert send(editor, address, {"answer": " "}).status_code == 422
    send(editor, address, {"answer": "It is **right** now.", "public": "1"})
    shown = page(client, "/zh/datasets/air")
    assert HOSTILE in shown.get_text()
    assert words(shown, ".weft-question__answer strong") == ["right"]
    assert words(page(client, "/en/datasets/air/questions"), "article h3") == [FORM["title"]]
    assert words(page(editor, "/en/publish?list=asked"), ".weft-hit__title") == []


def test_what_was_not_asked_in_public_stays_with_its_address(
    editor: FlaskClient, client: FlaskClient
) -> None:
    answer = send(
        client,
        "/en/inquiries/new",
        {key: value for key, value in FORM.items() if key != "public"},
        form_at=NEW,
    )
    send(editor, answer.location, {"answer": "Yes", "public": "1"})
    assert not page(client, "/en/datasets/air").select(".weft-question")
    assert "Yes" in page(client, answer.location).get_text()


def test_access_is_applied_for_and_never_public(editor: FlaskClient, client: FlaskClient) -> None:
    assert page(client, "/en/datasets/air").select('a[href*="kind=access"]')
    address = asked(client, kind="access", purpose="A study", body="University")
    assert "A study" in page(editor, address).get_text()
    send(editor, address, {"do": "close"})
    assert "closed without an answer" in page(client, address).get_text()
    assert send(editor, address, {"answer": "Yes, come", "public": "1"}).status_code == 303
    assert not page(client, "/en/datasets/air").select(".weft-question")
    put("Open", slug="open")
    refused = send(
        client, "/en/inquiries/new", {**FORM, "dataset": "open", "kind": "access"}, form_at=NEW
    )
    assert refused.status_code == 422


def test_what_is_missing_is_said_and_nobody_else_answers(
    app: Flask, editor: FlaskClient, client: FlaskClient
) -> None:
    answer = send(
        client, "/en/inquiries/new", {"dataset": "air", "title": "", "contact": "x"}, form_at=NEW
    )
    assert answer.status_code == 422
    links = [one["href"] for one in checked(answer).select(".govuk-error-summary a")]
    assert set(links) >= {"#text", "#contact"}
    empty = send(client, "/en/inquiries/new", {**FORM, "contact": ""}, form_at=NEW)
    assert [one["href"] for one in checked(empty).select(".govuk-error-summary a")] == ["#contact"]
    address = asked(client)
    assert send(client, address, {"answer": "mine"}, form_at=NEW).status_code == 401
    assert page(client, "/en/inquiries/none", 404)
    general = asked(editor, dataset="", organization="ecology", contact="")
    assert "Bureau of ecology" in page(client, general).get_text()


def test_an_address_that_asks_often_waits(settings: Settings, editor: FlaskClient) -> None:
    app = create_app(replace(settings, limit_sign_in="2/hour"))
    with app.app_context():
        reader = app.test_client()
        for status in (303, 303, 429):
            answer = send(reader, "/en/inquiries/new", FORM, form_at=NEW)
            assert answer.status_code == status
        assert checked(answer).select(".govuk-error-summary")


CLOSED_SERVICE = {
    "slug": "water",
    "organization": "ecology",
    "title": {"en": "Water"},
    "endpoint_url": "https://example.org/water",
    "access": "on_application",
    "access_reason": {"en": "Order 12"},
}


def test_what_is_not_open_is_listed_with_its_reason(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    served = make_served(tmp_path)
    put("Secret", slug="secret", access="closed", access_reason={"en": "=Law", "zh": "法"})
    table_columns.set_access(
        SCHEDULER,
        served.table,
        "No",
        ColumnAccess.MASKED,
        withheld_as=Access.ON_APPLICATION,
        reason={"en": "Privacy"},
    )
    data_services.put(SCHEDULER, data_service_draft(CLOSED_SERVICE))
    soup = page(client, "/en/not-open")
    assert soup.select('tbody a[href="/en/services/water"]')
    assert words(soup, "tbody tr") == [
        "Air quality No Bureau of ecology On application shown in part Privacy",
        "Secret all of it Bureau of ecology Closed =Law",
        "Water Data service all of it Bureau of ecology On application Order 12",
    ]
    page(client, "/zh/not-open")
    lines = list(
        csv.reader(io.StringIO(client.get("/en/not-open.csv").text.removeprefix("\ufeff")))
    )
    assert [line[3:] for line in lines[1:]] == [
        ["No", "On application", "Privacy", "Dataset"],
        ["", "Closed", "'=Law", "Dataset"],
        ["", "On application", "Order 12", "Data service"],
    ]
    whole = client.get("/api/v1/not-open?limit=1").json
    assert (whole["total"], whole["entries"][0]["column"]) == (3, "No")
    assert client.get(whole["next"]).json["entries"][0]["slug"] == "secret"
    table_columns.set_access(SCHEDULER, served.table, "No", ColumnAccess.OPEN)
    assert client.get("/api/v1/not-open").json["total"] == 2
    last = client.get("/api/v1/not-open").json["entries"][-1]
    assert (last["slug"], last["dataset"], bool(last["service"])) == ("water", None, True)


def test_an_empty_list_says_so(app: Flask, client: FlaskClient) -> None:
    assert words(page(client, "/en/not-open"), ".weft-empty")


def test_a_column_is_withheld_by_a_form_with_its_reason(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    served = make_served(tmp_path)
    make_person("root")
    root = signed_in(app, "root")
    path = f"/en/tables/{served.table}/dictionary/access?column=No"
    assert send(root, path, {"access": "hidden"}).status_code == 422
    fields = {
        "access": "masked",
        "withheld_as": "on_application",
        "reason_en": "Privacy",
        "last": "2",
    }
    assert send(root, path, fields).status_code == 303
    entry = client.get("/api/v1/not-open").json["entries"][0]
    assert (entry["column"], entry["access"], entry["reason"]) == (
        "No",
        "on_application",
        {"en": "Privacy"},
    )
    assert client.get(path).status_code == 302
