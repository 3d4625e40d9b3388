"""Our own catalogue, harvested by our own harvester over real HTTP, is the same catalogue."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from rdflib import Graph
from sqlalchemy import func, select
from sqlalchemy.orm import selectinload
from werkzeug.serving import make_server

from catalog.db import db, transaction
from catalog.models.dataset import Dataset, Resource
from catalog.models.log import LogEntry
from catalog.models.series import DatasetSeries
from catalog.models.tag import Tag, Vocabulary
from catalog.models.vocabulary import Access
from catalog.permissions import SCHEDULER
from catalog.schemas.series import series_draft
from catalog.search.documents import last_change
from catalog.services import catalogue, series
from catalog.settings import Settings
from harvesters import services
from harvesters.formats.dcat import DCAT, WEFT
from harvesters.http import Http
from harvesters.models import HarvestRun
from harvesters.terms import MEDIA_TYPES
from tests.make_dataset import make_theme, put
from tests.make_feeds import DETAILS, FULL, make_catalogue
from tests.make_server import Served, plain
from tests.make_source import drafts, make_source
from wsgi import create_app

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own
SAME = (
    "slug", "title", "description", "notice", "license_id", "license_text", "frequency", "access", "access_reason",
    "landing_page", "contact", "spatial", "temporal_start", "temporal_end", "identifier", "spatial_code",
    "spatial_box", "spatial_geometry", "details", "custom", "text_origins", "extras", "issued", "series_position",
)  # fmt: skip

SERIES: dict[str, Any] = {
    "parts": {
        "title": {"en": "Parts", "zh": "分册"},
        "description": {"en": "All parts"},
        "frequency": "annual",
        "machine": {"title": ["zh"]},
    },
    "empty": {"title": {"zh": "空"}},
}
COUNTED = ("created", "changed", "same", "refused", "retired")


@pytest.fixture
def elsewhere(tmp_path: Path, empty_database: Path) -> Iterator[str]:
    """The address of another portal, with the small catalogue, on a real server."""
    there = tmp_path / "elsewhere"
    settings = Settings(data_dir=str(there), queue_url="immediate:", secret_key="only for tests")
    app = create_app(settings.resolved())
    shutil.copyfile(empty_database, there / "catalog.sqlite")
    with app.app_context():
        make_catalogue(tmp_path)
        with transaction():
            db.session.add(Vocabulary(name="colours", tags=[Tag(name="green")]))
        for slug, said in SERIES.items():
            draft = series_draft({"slug": slug, "organization": "ecology", **said})
            series.put(SCHEDULER, draft)
        put("Tagged", tags=["grass"], vocabulary_tags={"colours": ["green"]})
        for place, title in ((3, "Part A"), (1, "Part B"), (2, "Part C")):
            put(title, series="parts", series_position=place)
        db.session.remove()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def settings(settings: Settings, elsewhere: str) -> Settings:
    """A portal that may fetch from the other one."""
    host = elsewhere.removeprefix("http://")
    return Settings(**{**vars(settings), "fetch_private_hosts": host})


def links(dataset: Dataset, base: str) -> list[tuple[Any, ...]]:
    """The files with everything that may be said of them; what has no address of its own leads to its page there."""
    told = dataset.access == Access.OPEN
    page = f"{base}/datasets/{dataset.slug}"
    return [
        (
            *(r.key, r.title, r.description, r.format, r.size),
            r.media_type or MEDIA_TYPES.get(r.format, ""),
            (told and r.url) or page,
        )
        for r in dataset.resources
    ]


def series_there() -> dict[str, tuple[Any, ...]]:
    """Slug → everything that both portals should say of a series."""
    return {
        one.slug: (one.title, one.description, one.frequency, one.text_origins, one.state)
        for one in db.session.scalars(select(DatasetSeries))
    }


def lines_of_series() -> int | None:
    """Lines of the log about series."""
    return db.session.scalar(select(func.count()).where(LogEntry.kind == "series"))


def described(base: str) -> dict[str, dict[str, Any]]:
    """Slug → everything that both portals should say of a dataset."""
    names: dict[str, str] = dict(
        db.session.execute(select(DatasetSeries.id, DatasetSeries.slug)).all()
    )
    statement = select(Dataset).options(
        selectinload(Dataset.resources).selectinload(Resource.tables),
        selectinload(Dataset.themes),
    )
    return {
        one.slug: {
            **{name: getattr(one, name) for name in SAME},
            "themes": [theme.slug for theme in one.themes],
            "series": names.get(one.series_id or ""),
            "keywords": {*one.tags, *(t for some in one.vocabulary_tags.values() for t in some)},
            "last change": last_change(one),
            "resources": links(one, base),
        }
        for one in db.session.scalars(statement)
    }


@pytest.mark.parametrize("ending", ["ttl", "jsonld", "rdf"])
def test_a_harvest_of_our_own_feed_gives_the_same_catalogue_and_a_second_one_changes_nothing(
    app: Flask, elsewhere: str, ending: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue, "PAGE", 2)
    monkeypatch.setitem(catalogue.page.__kwdefaults__, "limit", 2)  # so that there are two pages
    make_theme()
    source = make_source("dcat", f"{elsewhere}/catalog.{ending}")
    for expected in ({"created": 7}, {"same": 7}):
        run_id = services.run_now(SCHEDULER, source.id).id
        run = db.session.get(HarvestRun, run_id, populate_existing=True)
        assert run is not None
        counts = {name: getattr(run, name) for name in COUNTED if getattr(run, name)}
        assert counts == expected, (run.problem, services.records(SCHEDULER, run_id))
        assert lines_of_series() == 2  # those that say that both were made
    here, here_series = described(elsewhere), series_there()
    there = create_app(
        Settings(data_dir=app.extensions["weft"]["settings"].data_dir + "/../elsewhere").resolved()
    )
    with there.app_context():
        assert here == described(elsewhere)
        assert here_series == series_there()


def test_what_dcat_has_words_for_needs_no_words_of_ours(
    elsewhere: str, settings: Settings, server: Served, http: Http
) -> None:
    graph = Graph()
    with Http(settings) as reader:
        feed = reader.get(f"{elsewhere}/catalog.ttl", headers={}, most=1_000_000)
    graph.parse(data=feed.content, format="turtle")
    for triple in list(graph):
        if str(triple[1]).startswith(str(WEFT)):
            graph.remove(triple)
    written = graph.serialize(format="turtle").encode()
    server.behaviours["/c.ttl"] = plain(written, media_type="text/turtle")
    found = drafts(DCAT(), f"{server.url}/c.ttl", http)
    air = next(one for one in found.values() if one.identifier == FULL["identifier"])
    of_china = ("share_type", "share_condition", "resource_class")
    said = {name: value for name, value in DETAILS.items() if name not in of_china}
    pages = [*said.pop("documentation"), f"{elsewhere}/datasets/air"]
    details = dict(air.details)
    assert sorted(details.pop("documentation")) == sorted(pages)
    assert sorted(details.pop("languages")) == sorted(said.pop("languages"))
    assert details.pop("publisher")["name"] == "Bureau of ecology"
    assert details.pop("contact_point") == {**said.pop("contact_point"), "phone": "+86211234"}
    assert details == said
    assert list(air.spatial_box) == FULL["spatial_box"]
    same = ("spatial_code", "spatial_geometry", "license", "frequency")
    assert {name: getattr(air, name) for name in same} == {name: FULL[name] for name in same}


def shared_with_ckan(base: str) -> dict[str, tuple[Any, ...]]:
    """Slug → what CKAN's API has words for."""
    return {
        slug: (one["license_id"], one["keywords"], one["title"].get("en"), len(one["resources"]))
        for slug, one in described(base).items()
    }


def test_a_harvest_of_our_own_ckan_api_gives_the_same_datasets(app: Flask, elsewhere: str) -> None:
    make_theme()
    source = make_source("ckan", f"{elsewhere}/api/3/action/", page_size=2)
    run_id = services.run_now(SCHEDULER, source.id).id
    run = db.session.get(HarvestRun, run_id, populate_existing=True)
    assert run is not None
    assert (run.created, run.refused) == (7, 0), run.problem
    here = shared_with_ckan(elsewhere)
    there = create_app(
        Settings(data_dir=app.extensions["weft"]["settings"].data_dir + "/../elsewhere").resolved()
    )
    with there.app_context():
        assert here == shared_with_ckan(elsewhere)
    run_id = services.run_now(SCHEDULER, source.id).id
    run = db.session.get(HarvestRun, run_id, populate_existing=True)
    assert run is not None
    assert (run.created, run.changed, run.refused, run.retired) == (0, 0, 0, 0)


def test_a_harvest_of_our_own_copy_gives_the_same_catalogue(app: Flask, elsewhere: str) -> None:
    make_theme()
    source = make_source("weft", elsewhere)
    for created in (7, 0):
        run_id = services.run_now(SCHEDULER, source.id).id
        run = db.session.get(HarvestRun, run_id, populate_existing=True)
        assert run is not None
        found = (run.created, run.changed, run.refused, run.retired)
        assert found == (created, 0, 0, 0), (run.problem, services.records(SCHEDULER, run_id))
    here = described(elsewhere)
    there = create_app(
        Settings(data_dir=app.extensions["weft"]["settings"].data_dir + "/../elsewhere").resolved()
    )
    with there.app_context():
        known = described(elsewhere)
    for one in (*here.values(), *known.values()):
        del one["series"], one["series_position"]  # these travel in the DCAT feed only
    assert here == known
