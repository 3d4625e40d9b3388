"""Sources: how runs ended, what could not be taken and why, and asking for a run."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.account import Account
from catalog.models.base import new_id, now
from catalog.services import accounts
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource, RunState
from tests.make_page import HOSTILE, LANGUAGES, checked, href, one, page, words
from tests.make_source import make_source

ADDRESS = "https://example.org/catalog.ttl"


def make_run(source: HarvestSource, *, days: int = 0, **fields: Any) -> HarvestRun:
    """A run of the source that ended some days ago; the newest is the last that is made."""
    fields.setdefault("state", RunState.DONE)
    moment = now() - timedelta(days=days)
    run = HarvestRun(id=new_id(), source_id=source.id, created_at=moment, ended_at=moment, **fields)
    with transaction():
        db.session.add(run)
        db.session.get_one(HarvestSource, source.id).last_run_id = run.id
    return run


def make_problem(run: HarvestRun, key: str = "record-1", **fields: Any) -> None:
    """A record of the run that could not be taken."""
    fields.setdefault("error", {"message": "row %(row)s is odd", "context": {"row": 3}})
    with transaction():
        db.session.add(HarvestRecord(run_id=run.id, key=key, **fields))


@pytest.mark.parametrize(
    ("fields", "badge"),
    [
        ({}, "Done"),
        ({"refused": 1}, "Done, with problems"),
        ({"load_failed": 1}, "Done, with problems"),
        ({"notes": [{"message": "6 of 10 datasets vanished"}]}, "Done, with problems"),
        ({"state": RunState.FAILED}, "Failed"),
        ({"state": RunState.RUNNING}, "Running"),
        ({"state": RunState.WAITING}, "Waiting"),
    ],
)
def test_the_list_says_how_the_last_run_ended(
    client: FlaskClient, fields: dict[str, Any], badge: str
) -> None:
    make_run(make_source("dcat", ADDRESS), **fields)
    soup = page(client, "/en/sources")
    assert words(soup, ".weft-badge") == [badge]
    assert href(soup, ".weft-department__title") == "/en/sources/source"
    assert "DCAT catalogue" in soup.get_text()


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_source_that_was_not_read_yet_has_a_page(client: FlaskClient, lang: str) -> None:
    make_source("files", "/srv/data")
    page(client, f"/{lang}/sources")
    soup = page(client, f"/{lang}/sources/source")
    assert "/srv/data" not in soup.get_text()


def test_an_empty_portal_has_a_list(client: FlaskClient) -> None:
    assert "There are none yet." in page(client, "/en/sources").get_text()


def test_counts_of_runs_are_shown_and_what_is_nothing_is_left_out(client: FlaskClient) -> None:
    make_run(
        make_source("dcat", ADDRESS),
        seen=1200,
        created=3,
        retired=2,
        to_load=9,
        loaded=8,
        load_failed=1,
    )
    soup = page(client, "/en/sources/source")
    assert words(one(soup, ".weft-tally"), "div") == [
        "Records seen 1,200", "created 3", "withdrawn 2", "files loaded 8 of 9", "not readable 1",
    ]  # fmt: skip


def test_a_run_that_failed_says_why(client: FlaskClient) -> None:
    problem = {"message": "the source answered %(status)s", "context": {"status": 500}}
    make_run(
        make_source("dcat", ADDRESS),
        state=RunState.FAILED,
        problem=problem,
        notes=[{"message": "noted"}],
    )
    soup = page(client, "/en/sources/source")
    assert "The source answered 500." in words(soup, ".weft-notice")[0]
    assert words(soup, ".weft-run__words") == ["The source answered 500.", "Noted."]


def test_problems_are_shown_by_record(client: FlaskClient) -> None:
    run = make_run(make_source("dcat", ADDRESS), refused=2)
    make_problem(run, raw='{"title": "<script>"}')
    make_problem(
        run,
        "record-2",
        step="load",
        dataset_id="d1",
        error={
            "message": "bad",
            "problems": {"title": ["missing"], "x": {"0": ["odd"], "_schema": ["no"]}},
        },
    )
    address = href(page(client, "/en/sources/source"), ".weft-run a")
    assert address == f"/en/sources/source/runs/{run.id}"
    soup = page(client, address)
    assert words(soup, ".weft-run__head") == ["Record record-1", "File record-2"]
    assert words(soup, "p.weft-run__words")[:2] == ["Row 3 is odd.", "Bad."]
    assert words(soup, "ul.weft-run__words li") == ["title : Missing.", "x.0 : Odd.", "x : No."]
    assert one(soup, "pre").get_text() == '{"title": "<script>"}'
    assert href(soup, ".weft-run a") == "/en/datasets/d1"


def test_problems_are_paged(client: FlaskClient) -> None:
    run = make_run(make_source("dcat", ADDRESS), refused=51)
    for number in range(51):
        make_problem(run, f"record-{number:02}")
    address = f"/en/sources/source/runs/{run.id}"
    assert href(page(client, address), "a[rel=next]") == f"{address}?page=2"
    assert len(page(client, f"{address}?page=2").select(".weft-run")) == 1
    assert "Everything was taken." in page(client, f"{address}?page=3").get_text()


def test_runs_are_paged(client: FlaskClient) -> None:
    source = make_source("dcat", ADDRESS)
    for number in range(11):
        make_run(source, days=20 - number)
    assert len(page(client, "/en/sources/source").select(".weft-run")) == 10
    assert len(page(client, "/en/sources/source?page=2").select(".weft-run")) == 1


def test_a_run_of_another_source_is_not_found(client: FlaskClient) -> None:
    run = make_run(make_source("dcat", ADDRESS))
    make_source("dcat", ADDRESS, slug="other")
    page(client, f"/en/sources/other/runs/{run.id}", 404)
    page(client, "/en/sources/nothing", 404)


def test_hostile_texts_are_shown_as_text(client: FlaskClient) -> None:
    source = make_source("dcat", ADDRESS)
    with transaction():
        db.session.get_one(HarvestSource, source.id).title = {"en": HOSTILE}
    run = make_run(source, refused=1)
    make_problem(run, HOSTILE, error={"message": HOSTILE}, raw=HOSTILE)
    page(client, "/en/sources")
    page(client, f"/en/sources/source/runs/{run.id}")
    assert one(page(client, "/en/sources/source"), "h1").get_text() == HOSTILE


def administrator() -> Account:
    """An administrator whose password needs no change."""
    accounts.create_administrator("root@example.org")
    account = db.session.scalars(select(Account)).one()
    with transaction():
        account.must_change_password = False
    return account


def test_only_who_may_run_is_offered_a_button(client: FlaskClient) -> None:
    make_source("files", "/srv/nothing")
    assert not page(client, "/en/sources/source").select("form[method=post]")
    token = one(page(client, "/en/account/sign-in"), "input[name=csrf_token]")["value"]
    response = client.post("/en/sources/source/runs", data={"csrf_token": token})
    assert response.status_code == 401
    checked(response)


def test_a_form_without_its_token_is_refused(client: FlaskClient) -> None:
    make_source("files", "/srv/nothing")
    response = client.post("/en/sources/source/runs")
    assert response.status_code == 400
    checked(response)


def test_an_administrator_can_ask_for_a_run(client: FlaskClient) -> None:
    make_source("files", "/srv/nothing")
    account = administrator()
    with client.session_transaction() as session:
        session["_user_id"] = accounts.open_session(account)
    form = one(page(client, "/en/sources/source"), "form[action$=runs]")
    token = one(form, "input[name=csrf_token]")["value"]
    response = client.post(form["action"], data={"csrf_token": token})
    assert (response.status_code, response.headers["Location"]) == (303, "/en/sources/source")
    soup = page(client, "/en/sources/source")
    assert words(soup, ".govuk-notification-banner__title") == ["Done"]
    assert len(soup.select(".weft-run")) == 1


def test_a_run_says_that_tables_of_before_are_kept(client: FlaskClient) -> None:
    run = make_run(make_source("dcat", ADDRESS), load_failed=1, notes=[{"message": "noted"}])
    for address in ("/en/sources/source", f"/en/sources/source/runs/{run.id}"):
        text = page(client, address).get_text()
        assert "its table of before is kept" in text
        assert "Noted." in text


def sign_in(client: FlaskClient) -> str:
    """Sign an administrator in; the token of the forms."""
    account = administrator()
    with client.session_transaction() as session:
        session["_user_id"] = accounts.open_session(account)
    token = page(client, "/en/sources/source").select("input[name=csrf_token]")[0]["value"]
    assert isinstance(token, str)
    return token


@pytest.mark.parametrize("decision", ["withdraw", "keep"])
def test_what_a_run_holds_back_is_decided_on_the_page_of_its_source(
    client: FlaskClient, decision: str
) -> None:
    source = make_source("dcat", ADDRESS)
    run = make_run(source, held=2)
    assert not page(client, "/en/sources/source").select("form[action$=decision]")
    sent = {"decision": decision, "csrf_token": sign_in(client)}
    soup = page(client, "/en/sources/source")
    buttons = words(soup, "form[action$=decision] button")
    assert buttons == ["Withdraw the 2 datasets", "Keep them"]
    path = f"/en/sources/source/runs/{run.id}/decision"
    assert client.post(path, data=sent).status_code == 303
    assert not page(client, "/en/sources/source").select("form[action$=decision]")
    assert client.post(path, data=sent).status_code == 409


def test_a_trial_is_asked_for_and_shown_to_those_who_may_run_the_source(
    client: FlaskClient,
) -> None:
    source = make_source("files", "/nowhere")
    run = make_run(source, is_trial=True, created=1, changed=1)
    make_problem(run, "a", step="created", error={"changes": []})
    make_problem(run, "b", step="changed", error={"changes": [["title", "Old", "New"]]})
    address = f"/en/sources/source/runs/{run.id}"
    assert client.get(address).status_code == 404
    sent = {"csrf_token": sign_in(client)}
    soup = page(client, address)
    assert "title: Old → New" in soup.get_text()
    assert words(soup, ".weft-run .weft-badge") == ["Would be created", "Would be changed"]
    assert "This was a trial" in page(client, "/en/sources/source").get_text()
    assert client.post("/en/sources/source/trials", data=sent).status_code == 303
