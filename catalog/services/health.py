"""Whether the engines answer."""

from __future__ import annotations

import math
from collections.abc import Callable

from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from catalog.db import db
from catalog.errors import CatalogError
from catalog.files import file_store
from catalog.queue import job_queue
from catalog.search import SearchQuery, search_engine
from catalog.services.sql import sandbox
from catalog.tabular.sandbox import MEANS
from catalog.tabular.store import table_journal

DISPENSABLE = frozenset({"search", "queue"})
"""Engines without which pages are served, and writes kept, all the same."""


def troubles() -> dict[str, str]:
    """Engine → sentence, for each engine that does not answer; empty when all is well."""
    found: dict[str, str] = {}
    for name, ask in _QUESTIONS.items():
        try:
            ask()
        except (CatalogError, SQLAlchemyError, OSError) as error:
            found[name] = f"{type(error).__name__}: {error}".splitlines()[0]
    return found


def search_answers() -> bool:
    """Whether the search engine answers."""
    try:
        _search()
    except CatalogError:
        return False
    return True


def jobs_waiting() -> float:
    """Number of jobs that wait for the worker; NaN where the queue does not answer."""
    try:
        return _queue()
    except CatalogError:
        return math.nan


def statements_shut_in() -> dict[str, bool]:
    """Means of the kernel → whether it shut in the last SQL statement of this process; empty before the first."""
    rights = sandbox().rights
    return {means: means in rights for means in MEANS} if rights else {}


def _database() -> None:
    db.session.execute(text("SELECT version_num FROM alembic_version"))


def _search() -> None:
    search_engine().search(SearchQuery(limit=1, facets=False))


def _queue() -> int:
    return job_queue().waiting()


def _files() -> None:
    file_store().check()


def _tables() -> None:
    table_journal().check()


def _statements() -> None:
    """Starts a child only where one must have given up more than any can."""
    if sandbox().limits.needs:
        sandbox().check()


_QUESTIONS: dict[str, Callable[[], object]] = {
    "database": _database,
    "search": _search,
    "files": _files,
    "tables": _tables,
    "sql": _statements,
    "queue": _queue,
}
