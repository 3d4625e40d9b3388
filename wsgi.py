"""Composition root: `create_app(settings)` and the `weft` command. It imports everything; nobody imports it."""

from __future__ import annotations

import gc
import json
import os
import signal
import sys
import threading
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import click
from flask import Flask, current_app, request
from flask.typing import ResponseReturnValue
from sqlalchemy.exc import DataError
from werkzeug.exceptions import HTTPException
from werkzeug.middleware.proxy_fix import ProxyFix

import api
import api.ckan.envelope
import api.errors
import api.identity
import api.operations
import catalog.db
import catalog.engines
import catalog.log
import harvesters.commands
import harvesters.plan
import harvesters.service_checks
import portal
import portal.errors
from api.broken_answers import BrokenAnswers
from catalog.errors import BadQuery, CatalogError
from catalog.permissions import ANYONE, SCHEDULER
from catalog.queue import job_queue
from catalog.services import accounts, log, moving, search, table_manifest, tables
from catalog.settings import Settings
from portal.escaping import PageEnvironment

ROOT = Path(__file__).parent
FRUGAL = {
    "MALLOC_ARENA_MAX": "2",
    "MALLOC_TRIM_THRESHOLD_": "131072",
    "ARROW_DEFAULT_MEMORY_POOL": "system",
}
"""Memory that exports have used goes back to the machine: some 40 MB less in a web process."""
MACHINES = ("/api/", "/datastore/", "/healthz", "/readyz", "/metrics")


class Portal(Flask):
    """Flask without the question whether a function is a coroutine, which a call asks some thirty times: none is."""

    jinja_environment = PageEnvironment

    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """The function as it is."""
        return func


def create_app(settings: Settings | None = None) -> Flask:
    """The whole portal with the engines that `settings` (default: the environment) name."""
    settings = (settings or Settings.from_env()).resolved()
    Path(settings.data_dir).mkdir(mode=0o700, parents=True, exist_ok=True)  # accounts are in it
    settings = replace(settings, secret_key=catalog.engines.secret_key(settings))
    catalog.log.configure(settings.log_level)
    app = Portal("portal", root_path=str(ROOT / "portal"), static_folder=str(ROOT / "static"))
    app.config.update(flask_config(settings))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign] # Flask's documented way
    catalog.db.init_app(app)
    catalog.engines.init_app(app, settings)
    for part in (api.operations, portal, api):
        part.init_app(app)
    app.register_error_handler(CatalogError, show_error)
    app.register_error_handler(HTTPException, show_error)
    app.register_error_handler(DataError, show_unfit)
    app.wsgi_app = BrokenAnswers(app.wsgi_app)  # type: ignore[method-assign] # Flask's documented way
    return app


def create_serving_app() -> Flask:
    """The portal of a web process: the first callers wait for nothing that could be done before them.

    All that is there by now stays: the search for garbage need not look at it again and again, which takes a
    fifth of a second each time.
    """
    app = create_app()
    search.warm_up()
    portal.warm_up(app)
    gc.collect()
    gc.freeze()
    return app


def create_migrating_app(settings: Settings | None = None) -> Flask:
    """The portal with Flask-Migrate, which only commands need: Alembic takes 28 MB of memory."""
    from flask_migrate import Migrate

    app = create_app(settings)
    Migrate(app, catalog.db.db, directory=str(ROOT / "migrations"), render_as_batch=True)
    return app


def upgrade_database(settings: Settings | None = None) -> None:
    """Bring the database that the settings name to the newest schema."""
    from flask_migrate import upgrade

    with create_migrating_app(settings).app_context(), catalog.db.closing():
        upgrade()


def flask_config(settings: Settings) -> dict[str, object]:
    """What Flask and its extensions read from `app.config`."""
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": {
            "json_serializer": catalog.db.packed,
            "json_deserializer": catalog.db.unpacked,
        },
        "MAX_CONTENT_LENGTH": settings.max_body_bytes,
        "MAX_FORM_MEMORY_SIZE": settings.max_body_bytes,
        "SESSION_COOKIE_NAME": "weft",
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_SECURE": settings.secure_cookies,
        "SEND_FILE_MAX_AGE_DEFAULT": 3600,
        "RATELIMIT_STORAGE_URI": settings.limits_url,
    }


def show_error(error: CatalogError | HTTPException) -> ResponseReturnValue:
    """Machines get problem+json, clients of CKAN its envelope, people a page."""
    if api.identity.is_ckan():
        return api.ckan.envelope.failure(error)
    machine = request.path.startswith(MACHINES) or request.blueprint == "feeds"
    return api.errors.problem(error) if machine else portal.errors.page(error)


def show_unfit(error: DataError) -> ResponseReturnValue:  # noqa: ARG001 # what it says names statements and columns
    """A value that the database cannot hold, such as a text with NUL on PostgreSQL, makes a bad request."""
    catalog.db.db.session.rollback()
    return show_error(
        BadQuery("a text holds characters that cannot be kept, or a number is too large")
    )


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def weft() -> None:
    """Run and operate the Weft open data portal. Settings come from WEFT_* variables."""


@weft.command()
@click.option("--host", default="127.0.0.1", show_default=True, help="Address to listen on.")
@click.option("--port", default=8000, show_default=True, help="Port to listen on.")
@click.option("--threads", default=4, show_default=True, help="Requests served at the same time.")
def web(host: str, port: int, threads: int) -> None:
    """Serve pages and API."""
    workers = str(Settings.from_env().web_processes)
    options = {"--host": host, "--port": str(port), "--workers": workers}
    options |= {"--blocking-threads": str(threads), "--interface": "wsgi", "--log-level": "warning"}
    command = [sys.executable, "-m", "granian", "--factory", "--no-ws", "--respawn-failed-workers"]
    command += [part for pair in options.items() for part in pair]
    os.chdir(ROOT)
    environment = {**FRUGAL, **os.environ}  # noqa: TID251 # handed on to the program that takes our place
    os.execve(sys.executable, [*command, "wsgi:create_serving_app"], environment)  # noqa: S606 # granian's parent then holds nothing of ours


@weft.command()
@click.option("--threads", default=2, show_default=True, help="Jobs run at the same time.")
def worker(threads: int) -> None:
    """Run jobs: harvests, loads of tables, the search index."""
    with create_app().app_context():
        job_queue().work(threads)


@weft.command()
def copies() -> None:
    """Keep up this machine's copies of tables whose journal is on S3; one on each machine that serves pages or the API."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    tables.keep_copies(create_app(), stop)


@weft.command()
@click.option("--everything", is_flag=True, help="Also what the public may not read.")
def tables_manifest(*, everything: bool) -> None:
    """Print as JSON which files of the journal the newest release of each table is made of: for Spark and others."""
    with create_app().app_context():
        who = SCHEDULER if everything else ANYONE
        settings: Settings = current_app.extensions["weft"]["settings"]
        listed = {"journal": settings.journal_url, "tables": list(table_manifest.files(who))}
        click.echo(json.dumps(listed, ensure_ascii=False, indent=1))


@weft.command()
def migrate() -> None:
    """Bring the database to the newest schema."""
    upgrade_database()


@weft.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path))
def move_from(folder: Path) -> None:
    """Copy the embedded portal of FOLDER, its WEFT_DATA_DIR, to the engines of the settings, whose database must be empty.

    Stop the web process and the worker of that portal first. Files that are where the settings want them stay.
    """
    settings = Settings.from_env()
    try:
        catalog.engines.take_key(folder, settings)
        with catalog.db.held_still(folder / "catalog.sqlite") as rows:
            upgrade_database(settings)
            with create_app(settings).app_context(), catalog.db.closing():
                old = moving.Old(rows, folder / "tables" / "journal", folder / "files")
                moving.move(SCHEDULER, old, lambda what, count: click.echo(f"{count:>10} {what}"))
    except CatalogError as error:
        raise click.ClickException(f"{error}. Nothing was moved; it can be tried again.") from error
    with create_app(settings).app_context(), catalog.db.closing():
        say_whether_log_holds()
        try:
            click.echo(f"{search.rebuild(SCHEDULER):>10} items in the search index")
        except CatalogError as error:
            click.echo(f"The search index is not there yet ({error}): the worker makes it.")


@weft.command()
@click.argument("email")
def administrator(email: str) -> None:
    """Make EMAIL an administrator and print a one-time password."""
    with create_app().app_context():
        click.echo(accounts.create_administrator(email))


@weft.command()
@click.argument("email")
def reset_password(email: str) -> None:
    """Print another one-time password for EMAIL and end its sessions."""
    with create_app().app_context():
        click.echo(accounts.reset_password(email))


@weft.command()
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def register(file: Path) -> None:
    """Register the themes, organizations and harvest sources that FILE (YAML) names; demo/sources.yaml is one."""
    with create_app().app_context():
        try:
            for source in harvesters.plan.register(SCHEDULER, file):
                click.echo(source.slug)
        except CatalogError as error:
            raise click.ClickException(f"{error} {getattr(error, 'problems', '') or ''}") from error


@weft.group()
@click.pass_context
def harvest(context: click.Context) -> None:
    """Run harvest sources, try them out, and look into their records."""
    context.with_resource(create_app().app_context())


for harvest_command in harvesters.commands.COMMANDS:
    harvest.add_command(harvest_command)


@weft.command()
@click.argument("slug")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
def organization_fields(slug: str, file: Path) -> None:
    """Set the custom fields of the datasets of the organization SLUG from FILE (a list in YAML or JSON)."""
    with create_app().app_context():
        try:
            count = harvesters.plan.set_fields(SCHEDULER, slug, file)
        except CatalogError as error:
            raise click.ClickException(f"{error} {getattr(error, 'problems', '') or ''}") from error
    click.echo(f"{count} fields")


@weft.command()
def verify() -> None:
    """Compare every file of the tables' journal with its hash; names what is damaged and fails then."""
    with create_app().app_context():
        damaged = tables.damaged_files(SCHEDULER)
    for path in damaged:
        click.echo(path)
    if damaged:
        raise click.ClickException(f"{len(damaged)} files of the journal are damaged or missing.")
    click.echo("Every file of the journal is as it was written.")


@weft.command()
def verify_log() -> None:
    """Prove that no line of the log of changes was altered or removed; prints its last number and hash, to be kept elsewhere."""
    with create_app().app_context():
        say_whether_log_holds()


def say_whether_log_holds() -> None:
    """Print the last line of the log; raises ClickException at the first that does not follow."""
    count, broken = log.verify()
    number, hash_, at = log.newest()
    if broken:
        raise click.ClickException(
            f"Line {broken.number} of the log does not follow from the {count} lines before it ({broken.reason})."
        )
    click.echo(f"{count} lines hold. The last is {number} of {at or '–'}: {hash_}")


@weft.command()
def reindex() -> None:
    """Build the search index anew; readers keep the old one until it is complete."""
    with create_app().app_context():
        search.reindex(SCHEDULER)
    click.echo("The worker builds the index anew.")


if __name__ == "__main__":
    weft()
