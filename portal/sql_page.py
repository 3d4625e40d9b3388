"""What the page for SQL shows: the statement, its answer or what is wrong with it, and examples that work."""

from __future__ import annotations

import json
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import current_app, g, request, url_for
from markupsafe import Markup

from catalog.errors import BadQuery, CatalogError
from catalog.search import SearchQuery
from catalog.services import datasets, search, sql, sql_examples
from catalog.services.attempts import address_block
from portal.languages import gettext
from portal.site import Site
from portal.table_page.cells import body

if TYPE_CHECKING:
    from catalog.models.table import DataTable

SHOWN = 200
"""Rows in the page; the others are in the file."""
LONGEST = 10_000
"""Characters of a statement that an address can carry in any script."""


@dataclass(frozen=True)
class Example:
    """A statement that works, and what it is about."""

    title: str
    statement: str


@dataclass(frozen=True)
class SqlPage:
    """A statement with its answer, or with what is wrong with it."""

    statement: str
    answer: sql.SqlAnswer | None = None
    problem: str = ""
    place: str = ""
    """Where in the statement it is wrong."""
    status: int = 200
    longest: int = LONGEST

    @classmethod
    def of(cls, statement: str) -> SqlPage:
        """The page for a statement; without one it is the empty form."""
        if not statement.strip():
            return cls("")
        try:
            return cls(statement, cls.ask(statement, limit=SHOWN))
        except CatalogError as error:
            words = gettext(error.message, **error.context)
            return cls(statement, None, words, _place(error), error.status)

    @staticmethod
    def ask(statement: str, *, limit: int | None) -> sql.SqlAnswer:
        """The answer for who reads the page."""
        if len(statement) > LONGEST:
            raise BadQuery("the statement is longer than %(most)s characters", most=LONGEST)
        caller = address_block(request.remote_addr)
        return sql.run(g.identity, statement, limit=limit, caller=caller)

    @property
    def body(self) -> Markup:
        """The rows of the answer."""
        if self.answer is None:
            return Markup()
        types = [column.type for column in self.answer.columns]
        return body(self.answer.data, types, offset=0, marked=0, whole=self.file("csv"))

    def file(self, format: str) -> str:  # noqa: A002 # the word that people use
        """Address of the answer as a file."""
        return url_for("sql.download", format_=format, q=self.statement)

    @property
    def call(self) -> str:
        """The same as a call of the API."""
        sent = json.dumps({"sql": self.statement}, ensure_ascii=False)
        return (
            f"curl '{Site().origin()}{request.script_root}/api/v1/sql' \\\n"
            f"  -H 'Content-Type: application/json' \\\n  -d {shlex.quote(sent)}"
        )

    @property
    def examples(self) -> list[Example]:
        """Statements about one of the most used tables; none on an empty portal or while the search is down."""
        table = _table(_scanned(g.identity.plan) // 2)
        if table is None:
            return []
        versions = sql_examples.of_versions(g.identity, table)
        title = gettext("The first rows of release %(number)s", number=versions.release)
        if versions.compares:
            title = gettext("Rows that were not in release %(number)s", number=versions.release)
        return [
            Example(gettext("The first rows of a table"), f'SELECT * FROM "{table.id}" LIMIT 10'),
            Example(gettext("How often each value occurs"), sql.example(table)),
            Example(title, versions.statement),
        ]

    @property
    def limits(self) -> dict[str, str]:
        """What a statement may take, for a sentence."""
        settings = current_app.extensions["weft"]["settings"]
        return {
            "seconds": f"{settings.sql_timeout_seconds:g}",
            "memory": str(settings.sql_memory_mb),
            "rows": f"{_scanned(g.identity.plan):,}",
            "answer": f"{settings.sql_rows:,}",
        }


def _place(error: CatalogError) -> str:
    if "line" not in error.context:
        return ""
    line, column = error.context["line"], error.context["column"]
    return str(gettext("Line %(line)s, character %(column)s", line=line, column=column))


def _scanned(plan: str) -> int:
    """How many rows the tables of a statement may have together."""
    known = plan if plan in sql.PLANS else "basic"
    return int(getattr(current_app.extensions["weft"]["settings"], f"sql_scan_{known}"))


def _table(most: int) -> DataTable | None:
    """The largest table of one of the most used datasets, of at most so many rows."""
    try:
        page = search.find(g.identity, SearchQuery(sort="uses", limit=10, facets=False))
        for hit in page.hits:
            if hit.card["tables"] and hit.card["access"] == "open":
                dataset = datasets.show(g.identity, hit.id)
                tables = [table for part in dataset.resources for table in part.tables]
                small = [table for table in tables if table.release and table.rows <= most]
                if small:
                    return max(small, key=lambda table: table.rows)
    except CatalogError:
        return None
    return None
