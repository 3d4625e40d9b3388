"""Our own catalogue, harvested by our own harvester over real HTTP, is the same catalogue."""

from __future__ import annotations

import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select
from sqlalchemy.orm import selectinload
from werkzeug.serving import make_server

from catalog.db import db
from catalog.models.dataset import Dataset
from catalog.permissions import SCHEDULER
from catalog.services import catalogue
from catalog.settings import Settings
from harvesters import services
from harvesters.models import HarvestRun
from tests.make_dataset import make_theme
from tests.make_feeds import make_catalogue
from tests.make_source import make_source
from wsgi import create_app

pytestmark = pytest.mark.filterwarnings("ignore:ConjunctiveGraph is deprecated")  # rdflib's own
SAME = (
    "slug", "title", "description", "notice", "license_id", "license_text", "frequency", "access", "access_reason",
    "tags", "landing_page", "contact", "spatial", "temporal_start", "temporal_end", "identifier", "spatial_code",
    "spatial_box", "spatial_geometry", "details", "custom", "text_origins", "extras", "issued",
)  # fmt: skip

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


def described() -> dict[str, dict[str, Any]]:
    """Slug → everything that both portals should say of a dataset."""
    statement = select(Dataset).options(
        selectinload(Dataset.resources), selectinload(Dataset.themes)
    )
    return {
        one.slug: {
            **{name: getattr(one, name) for name in SAME},
            "themes": [theme.slug for theme in one.themes],
            "resources": [(r.key, r.title, r.format, r.size) for r in one.resources],
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
    for expected in ({"created": 3}, {"same": 3}):
        run_id = services.run_now(SCHEDULER, source.id).id
        run = db.session.get(HarvestRun, run_id, populate_existing=True)
        assert run is not None
        counts = {name: getattr(run, name) for name in COUNTED if getattr(run, name)}
        assert counts == expected, (run.problem, services.records(SCHEDULER, run_id))
    here = described()
    there = create_app(
        Settings(data_dir=app.extensions["weft"]["settings"].data_dir + "/../elsewhere").resolved()
    )
    with there.app_context():
        assert here == described()
