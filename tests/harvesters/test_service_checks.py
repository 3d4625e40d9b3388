"""Data services and whether they answer, asked over real HTTP."""

from __future__ import annotations

from datetime import timedelta

import pytest
from flask import Flask

from catalog.db import db, transaction
from catalog.errors import Conflict, Denied, Gone, Invalid, NotFound
from catalog.models.base import now
from catalog.models.service import ServiceCheck
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.queue import REGISTRY
from catalog.schemas.data_service import data_service_draft
from catalog.search import SearchQuery
from catalog.services import data_services, log, search, uptime
from harvesters import service_checks
from harvesters.http import Http
from tests.make_dataset import make_organization, put
from tests.make_server import Served

pytestmark = pytest.mark.usefixtures("app")


def make_service(slug: str = "air", **fields: object) -> str:
    make_organization()
    said = {
        "slug": slug,
        "organization": "ecology",
        "title": {"en": "Air interface", "zh": "空气接口"},
        "endpoint_url": "https://air.example.org/api",
        **fields,
    }
    return data_services.put(SCHEDULER, data_service_draft(said)).id


def test_a_service_is_shown_with_its_datasets_and_found() -> None:
    make_organization()
    put("Readings")
    id_ = make_service(datasets=["readings"], tags=["air"])
    make_service(datasets=["readings"], tags=["air"])
    shown = data_services.show(ANYONE, "air")
    assert [one.slug for one in shown.datasets] == ["readings"]
    assert [one.slug for one in data_services.of_dataset(ANYONE, shown.datasets[0].id)] == ["air"]
    make_service(datasets=[], tags=["air"])
    assert data_services.show(ANYONE, "air").datasets == []
    lines = log.of(log.Subject("service", id_), limit=9)
    assert [line.action for line in lines] == ["service.changed", "service.created"]
    assert search.find(ANYONE, SearchQuery("air interface")).total == 1
    assert data_services.listed(ANYONE)[1] == 1
    with pytest.raises(Invalid):
        make_service(datasets=["nothing"])
    with pytest.raises(Invalid):
        make_service(endpoint_url="javascript:alert(1)")
    with pytest.raises(Denied):
        data_services.withdraw(Identity("a1"), "air", {"en": "No"})


def test_a_withdrawn_service_says_why_and_old_addresses_lead_on() -> None:
    make_service()
    make_service("water")
    data_services.rename(SCHEDULER, "air", "air-quality")
    data_services.rename(SCHEDULER, "air-quality", "air-quality")
    assert data_services.show(ANYONE, "air").slug == "air-quality"
    with pytest.raises(Conflict):
        data_services.rename(SCHEDULER, "water", "air-quality")
    with pytest.raises(Conflict):
        make_service("air")
    with pytest.raises(Invalid):
        data_services.withdraw(SCHEDULER, "air", {})
    data_services.withdraw(SCHEDULER, "air", {"en": "Replaced"})
    with pytest.raises(Gone) as gone:
        data_services.show(ANYONE, "air")
    assert isinstance(gone.value, data_services.ServiceWithdrawn)
    assert gone.value.reason == {"en": "Replaced"}
    assert search.find(ANYONE, SearchQuery("air interface")).total == 1  # water
    with pytest.raises(NotFound):
        data_services.show(ANYONE, "earth")


def test_services_are_asked_and_a_host_is_given_a_pause(http: Http, server: Served) -> None:
    server.behaviours["/fine"] = lambda asked: asked.answer(b"{}")
    server.behaviours["/key"] = lambda asked: asked.answer(b"", status=401)
    server.behaviours["/broken"] = lambda asked: asked.answer(b"", status=500)
    paths = ("fine", "key", "broken", "missing")
    ids = {path: make_service(path, endpoint_url=f"{server.url}/{path}") for path in paths}
    pauses: list[float] = []
    service_checks.look(http, uptime.due(now()), pauses.append)
    found = {path: uptime.of(ANYONE, id_) for path, id_ in ids.items()}
    assert {path: one.last.status for path, one in found.items() if one.last} == {
        "fine": 200,
        "key": 401,
        "broken": 500,
        "missing": 404,
    }
    assert {path: one.shares["day"] for path, one in found.items()} == {
        "fine": 1.0,
        "key": 1.0,
        "broken": 0.0,
        "missing": 0.0,
    }
    assert pauses == [service_checks.PAUSE] * 3
    assert uptime.due(now()) == []
    assert len(uptime.due(now() + uptime.EVERY)) == 4


def test_a_service_is_asked_as_soon_as_it_has_another_address(
    app: Flask, server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    waiting: list[tuple[str, tuple[str, ...]]] = []

    class Queue:
        """One that keeps what it is asked for until the test runs it."""

        def put(self, name: str, args: tuple[str, ...], *, retries: int) -> bool:
            if name == uptime.LOOK:
                assert retries == 0
                waiting.append((name, args))
            return True

    id_ = make_service(check_url=f"{server.url}/old")
    assert uptime.of(ANYONE, id_).last is None  # without a worker nobody looks
    monkeypatch.setitem(app.extensions["weft"], "queue", Queue())
    make_service(check_url=f"{server.url}/old", title={"en": "Other"})
    assert waiting == []
    make_service(check_url=f"{server.url}/missing")
    make_service(check_url=f"{server.url}/missing")
    assert waiting == [(uptime.LOOK, (id_,))]
    REGISTRY[waiting[0][0]](*waiting[0][1])
    assert uptime.of(ANYONE, id_).last is not None


def test_nothing_inside_is_reached(app: Flask) -> None:
    id_ = make_service(check_url="http://127.0.0.1:9/")
    service_checks.check_services()
    last = uptime.of(ANYONE, id_).last
    assert last is not None
    assert (last.ok, last.status) == (False, 0)
    assert last.problem


def test_shares_median_and_days_of_ninety_days() -> None:
    id_ = make_service()
    assert uptime.of(ANYONE, id_).shares == {"day": None, "month": None, "quarter": None}
    with transaction():
        for days, ok, took in (
            (0, True, 10),
            (2, False, 0),
            (3, True, 30),
            (40, True, 90),
            (91, True, 1),
        ):
            at = now() - timedelta(days=days, minutes=1)
            db.session.add(
                ServiceCheck(service_id=id_, at=at, ok=ok, milliseconds=took, status=200)
            )
    uptime.forget_old()
    found = uptime.of(ANYONE, id_)
    assert found.shares == {"day": 1.0, "month": 2 / 3, "quarter": 3 / 4}
    assert found.median == 10
    assert (len(found.days), sum(day.checks for day in found.days)) == (90, 4)
