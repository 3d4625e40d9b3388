"""Sources: registered with sealed secrets, listed, run by those who may."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask

from catalog.db import db, transaction
from catalog.errors import Invalid, NotFound, Unauthenticated, Unreadable
from catalog.permissions import ANYONE, SCHEDULER
from harvesters import services
from harvesters.models import HarvestSource, Schedule
from harvesters.registry import FORMATS, harvester_of
from harvesters.sealing import seal, source_of
from harvesters.services import SourceDraft
from tests.make_source import make_source

ENDPOINT = {"slug": "rows", "title": {"en": "Rows"}, "path": "rows"}


def test_a_source_keeps_its_id_and_changes(app: Flask) -> None:
    first = make_source("files", "/a")
    again = make_source("files", "/b", undeclared=False)
    assert first.id == again.id
    found = services.source(ANYONE, "source")
    assert (found.url, found.options, found.public_url) == ("/b", {"undeclared": False}, "")
    assert found.organization.slug == "bureau"
    assert found.last_run is None
    assert services.runs(ANYONE, found.id) == []
    assert [source.slug for source in services.sources(ANYONE)] == ["source"]


def test_secrets_are_sealed_and_opened_only_for_formats(app: Flask) -> None:
    source = make_source(
        "rest", "http://u:@x.example/a?t=1", key="open sesame", datasets=[ENDPOINT]
    )
    sealed = source.options["key"]
    assert "sesame" not in str(source.options)
    opened = source_of(FORMATS["rest"], source.url, source.options, "only for tests")
    assert opened.options["key"] == "open sesame"
    assert (
        make_source("rest", "http://x.example", key="open sesame", datasets=[ENDPOINT]).options[
            "key"
        ]
        == sealed
    )
    assert make_source("rest", "http://x.example", datasets=[ENDPOINT]).options["key"] == sealed
    assert (
        make_source("rest", "http://x.example", key="other", datasets=[ENDPOINT]).options["key"]
        != sealed
    )
    assert make_source("rest", "http://x.example", key="", datasets=[ENDPOINT]).options["key"] == ""
    assert services.source(ANYONE, "source").public_url == "http://x.example"


def test_a_secret_of_another_key_must_be_entered_again() -> None:
    rest = FORMATS["rest"]
    sealed = seal(rest, {"key": "k"}, {}, "one")
    with pytest.raises(Unreadable, match="enter it again"):
        source_of(rest, "http://x.example", {**sealed, "datasets": [ENDPOINT]}, "two")
    assert source_of(
        rest, "x", {**seal(rest, {"key": "k"}, sealed, "two"), "datasets": [ENDPOINT]}, "two"
    )


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"slug": "No Slug"}, "slug"),
        ({"title": {"en": ""}}, "title"),
        ({"url": ""}, "url"),
        ({"url": "postgresql://u:secret@h/x"}, "url"),
        ({"options": {"undeclared": "perhaps"}}, "undeclared"),
    ],
)
def test_sources_that_cannot_be_used(app: Flask, change: dict[str, Any], field: str) -> None:
    make_source("files", "/a")
    draft: dict[str, Any] = {
        "slug": "s",
        "title": {"en": "S"},
        "kind": "files",
        "url": "/a",
        "organization": "bureau",
    }
    with pytest.raises(Invalid) as caught:
        services.register(SCHEDULER, SourceDraft(**{**draft, **change}))
    assert field in caught.value.problems


def test_unknown_kinds_and_organizations(app: Flask) -> None:
    with pytest.raises(Invalid, match="no harvest format nonsense"):
        make_source("nonsense", "/a")
    with pytest.raises(Invalid, match="no organization “none”"):
        services.register(SCHEDULER, SourceDraft("s", {"en": "S"}, "files", "/a", "none"))


def test_not_everybody_may_register_or_run(app: Flask) -> None:
    source = make_source("files", "/a")
    with pytest.raises(Unauthenticated):
        services.register(ANYONE, SourceDraft("s", {"en": "S"}, "files", "/a", "bureau"))
    with pytest.raises(Unauthenticated):
        services.run_now(ANYONE, source.id)


def test_an_unknown_source(app: Flask) -> None:
    with pytest.raises(NotFound, match="no source “none”"):
        services.source(ANYONE, "none")


def test_a_schedule_sets_the_next_run(app: Flask) -> None:
    source = make_source("files", "/a")
    assert source.next_run_at is None
    draft = SourceDraft("source", {"en": "S"}, "files", "/a", "bureau", schedule=Schedule.WEEKLY)
    assert services.register(SCHEDULER, draft).next_run_at is not None


def test_every_format_is_registered_under_its_kind() -> None:
    assert [harvester.kind for harvester in FORMATS.values()] == list(FORMATS)
    assert harvester_of("sql") is FORMATS["sql"]
    for harvester in FORMATS.values():
        assert all(
            field.metadata.get("description") for field in harvester.options().fields.values()
        )


def test_removing_a_source_removes_its_runs(app: Flask) -> None:
    source = make_source("files", "/none")
    services.run_now(SCHEDULER, source.id)
    with transaction():
        db.session.delete(db.session.get_one(HarvestSource, source.id))
    assert services.runs(SCHEDULER, source.id) == []


def test_one_run_of_a_source(app: Flask) -> None:
    source = make_source("files", "/none")
    run = services.run_now(SCHEDULER, source.id)
    assert services.run(ANYONE, source.id, run.id).problem["code"] == "denied"
    with pytest.raises(NotFound, match="no such run"):
        services.run(ANYONE, "other", run.id)
