"""What the pages of versions read: releases in words, changes row by row, texts of citations."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from functools import cached_property
from urllib.parse import urlencode

from flask import g, request, url_for

from catalog.services import release_changes, releases, tables
from catalog.services.releases import ChangePage, ReleaseInfo, ReleasePage, SchemaChange
from catalog.tabular.changes import Kind, RowChange
from catalog.tabular.query import TableQuery
from portal.filters import number
from portal.languages import gettext, lazy_gettext, ngettext
from portal.paging import Pages, address_with, asked_page
from portal.table_page.cells import number_text
from portal.table_page.citing import citation_of, permanent
from portal.table_page.page import TablePage
from portal.table_page.words import TYPES

PER_PAGE = 25
MOST_CHOICES = 100
MOST_SENTENCES = 5
"""Differences of columns that are told of a release in a list; all are on the page of its changes."""
MOST_VALUES = 24
"""Values of one row that are shown at once; the rest opens."""
LONG = 400
SIGNS = {"added": "+", "changed": "~", "removed": "−"}
KINDS = {
    "added": lazy_gettext("Added"),
    "changed": lazy_gettext("Changed"),
    "removed": lazy_gettext("Removed"),
}
COUNTED = {"added": "inserted", "changed": "updated", "removed": "deleted"}


@dataclass(frozen=True)
class ReleaseCard:
    """A release in a list or on its own page."""

    info: ReleaseInfo
    table_id: str
    newest: bool
    schema: tuple[str, ...] = ()
    """How its columns differ from those of the release before, in sentences; at most MOST_SENTENCES."""
    more: int = 0
    """How many other differences of columns there are."""

    @property
    def address(self) -> str:
        """Its page."""
        return url_for("releases.show", table_id=self.table_id, number=self.info.number)

    @property
    def api(self) -> str:
        """Its address in the API, without the host."""
        return f"/api/v1/tables/{self.table_id}/releases/{self.info.number}"

    @property
    def changes(self) -> str:
        """The page of what it changed; empty for the first release."""
        if self.info.number == 1:
            return ""
        pair = urlencode({"from": self.info.number - 1, "to": self.info.number})
        return f"{url_for('releases.changes', table_id=self.table_id)}?{pair}"

    @property
    def only_columns(self) -> bool:
        """Whether it changed columns and no row."""
        counts = [getattr(self.info, name) for name in COUNTED.values()]
        return bool(self.schema) and not any(counts) and None not in counts

    @property
    def tally(self) -> list[tuple[str, str, str, str]]:
        """Kind, sign, number and word of the rows that it changed; empty where that is not known."""
        found = [(kind, getattr(self.info, name)) for kind, name in COUNTED.items()]
        return [
            (kind, SIGNS[kind], number(count), str(KINDS[kind]))
            for kind, count in found
            if count is not None
        ]


class VersionsView:
    """The releases of a table, a page of them."""

    def __init__(self, page: TablePage) -> None:
        asked = asked_page()
        found = self._found(page, asked)
        self.pages = Pages.of(found.total, asked, PER_PAGE)
        self.total = found.total
        before_each = [*found.releases[1:], None]
        pairs = list(zip(found.releases, before_each, strict=True))[:PER_PAGE]
        self.cards = [card_of(page, info, before) for info, before in pairs]
        self.table = found.table
        self.choices = releases.listed(g.identity, page.table.id, limit=MOST_CHOICES).releases

    @staticmethod
    def _found(page: TablePage, asked: int) -> ReleasePage:
        """The releases of the page, and the one before them, whose columns are compared."""
        offset = (asked - 1) * PER_PAGE
        return releases.listed(g.identity, page.table.id, limit=PER_PAGE + 1, offset=offset)

    @property
    def retention(self) -> str:
        """Which releases are kept, in words."""
        policy = self.table.retention or {}
        keep, days = policy.get("keep", 0), policy.get("days", 0)
        if not keep and not days:
            return str(gettext("All releases are kept."))
        parts = []
        if keep:
            parts.append(
                ngettext("the newest %(count)s", "the newest %(count)s", keep, count=number(keep))
            )
        if days:
            parts.append(
                ngettext(
                    "those younger than %(count)s day",
                    "those younger than %(count)s days",
                    days,
                    count=number(days),
                )
            )
        kept = gettext(" and ").join(parts)
        return str(
            gettext(
                "Kept are %(releases)s, and all that are pinned or cited. The rows of the others are given up within "
                "the hour; what is said of them stays.",
                releases=kept,
            )
        )


def card_of(page: TablePage, info: ReleaseInfo, before: ReleaseInfo | None = None) -> ReleaseCard:
    """A release of the table of the page; with the one before it also how the columns differ."""
    changed = releases.schema_changes(before.columns, info.columns) if before else ()
    return ReleaseCard(
        info,
        page.table.id,
        newest=info.number == page.table.release,
        schema=tuple(map(schema_sentence, changed[:MOST_SENTENCES])),
        more=max(0, len(changed) - MOST_SENTENCES),
    )


@dataclass(frozen=True)
class ChangedValue:
    """A value before and after."""

    label: str
    before: str | None
    after: str | None
    differs: bool


@dataclass(frozen=True)
class ChangedRow:
    """A row that differs: what became of it, what names it, and its values."""

    kind: str
    number: int | None
    name: str
    values: tuple[ChangedValue, ...]
    others: tuple[ChangedValue, ...]

    @property
    def sign(self) -> str:
        """The sign of what became of it."""
        return SIGNS[self.kind]

    @property
    def word(self) -> str:
        """What became of it."""
        return str(KINDS[self.kind])


class ChangesView:
    """What changed between two releases, a page of it."""

    def __init__(self, page: TablePage) -> None:
        self.page = page
        args = request.args
        newer = args.get("to", "")[:40] or None
        older = args.get("from", "")[:40] or release_changes.before(
            g.identity, page.table.id, newer
        )
        kind = args.get("kind", "")
        self.kind = Kind(kind) if kind in SIGNS else None
        asked = asked_page()
        self.found = self._found(older, newer, asked)
        self.pages = Pages.of(self.total, asked, PER_PAGE)

    def _found(self, older: str, newer: str | None, asked: int) -> ChangePage:
        return releases.changes(
            g.identity,
            self.page.table.id,
            older,
            newer,
            kind=self.kind,
            limit=PER_PAGE,
            offset=(asked - 1) * PER_PAGE,
        )

    @property
    def total(self) -> int:
        """Number of changes of the chosen kind."""
        tally = self.found.tally
        return int(getattr(tally, self.kind.value)) if self.kind else tally.total

    @property
    def older(self) -> ReleaseCard:
        """The release before."""
        return card_of(self.page, self.found.older)

    @property
    def newer(self) -> ReleaseCard:
        """The release after."""
        return card_of(self.page, self.found.newer)

    @cached_property
    def choices(self) -> Sequence[ReleaseInfo]:
        """Releases to choose from."""
        return releases.listed(g.identity, self.page.table.id, limit=MOST_CHOICES).releases

    @property
    def kinds(self) -> list[tuple[str, str, str, str, bool]]:
        """Sign, word, number, address of each kind, and whether it is chosen."""
        tally = self.found.tally
        everything = (
            "",
            gettext("All"),
            number(tally.total),
            address_with(kind=None, page=None),
            self.kind is None,
        )
        return [
            everything,
            *(
                (
                    SIGNS[kind],
                    str(words),
                    number(getattr(tally, kind)),
                    address_with(kind=kind, page=None),
                    self.kind == kind,
                )
                for kind, words in KINDS.items()
            ),
        ]

    @property
    def schema(self) -> list[str]:
        """How the columns differ, in sentences."""
        return [schema_sentence(change) for change in self.found.schema]

    @property
    def rows(self) -> list[ChangedRow]:
        """The rows that differ."""
        names = [column.name for column in self.found.columns]
        labels = {name: self.page.label(name) for name in names}
        key = list(self.found.newer.primary_key) or names[:1]
        return [_row(change, labels, key) for change in self.found.rows]

    def file(self, ending: str) -> str:
        """The address of all changes as a file."""
        return f"/api/v1/tables/{self.page.table.id}/changes.{ending}?{urlencode(self._asked)}"

    @property
    def call(self) -> str:
        """The call of the API that gives this page."""
        return f"/api/v1/tables/{self.page.table.id}/changes?{urlencode(self._asked)}"

    @property
    def _asked(self) -> dict[str, object]:
        asked: dict[str, object] = {
            "from": self.found.older.number,
            "to": self.found.newer.number,
        }
        return asked | ({"kind": self.kind.value} if self.kind else {})


def schema_sentence(change: SchemaChange) -> str:
    """How a column differs, as a sentence."""
    context = {"name": change.name, "before": change.before, "after": change.after}
    match change.kind:
        case "added":
            return str(gettext("The column “%(name)s” is new.", **context))
        case "dropped":
            return str(gettext("The column “%(name)s” is gone.", **context))
        case "renamed":
            return str(gettext("The column “%(before)s” is called “%(after)s” now.", **context))
    types = {end: str(TYPES.get(context[end], context[end])) for end in ("before", "after")}
    return str(
        gettext(
            "The column “%(name)s” has another type: “%(before)s” became “%(after)s”.",
            name=change.name,
            **types,
        )
    )


def shown(value: object) -> str | None:
    """A value as the grid shows it; None for no value."""
    if value is None:
        return None
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float):
        return number_text(value)
    if isinstance(value, datetime):
        return value.isoformat(sep=" ")
    words = value.isoformat() if isinstance(value, date) else str(value)
    return words if len(words) <= LONG else f"{words[:LONG]}…"


def _row(change: RowChange, labels: Mapping[str, str], key: Sequence[str]) -> ChangedRow:
    old, new = change.old or {}, change.new or {}
    values = [
        ChangedValue(label, shown(old.get(name)), shown(new.get(name)), name in change.columns)
        for name, label in labels.items()
        if name in old or name in new
    ]
    first = [value for value in values if value.differs] if change.columns else values
    first = first[:MOST_VALUES]
    there = new or old
    name = " · ".join(shown(there[part]) or "–" for part in key if part in there)
    return ChangedRow(
        change.kind.value,
        None if change.number is None else change.number + 1,
        name[:200],
        tuple(first),
        tuple(value for value in values if value not in first),
    )


class ReleaseView:
    """One release: facts, files, how to cite it, and its first rows."""

    MOST_ROWS = 20

    def __init__(self, page: TablePage, number: int) -> None:
        self.page = page
        info = releases.show(g.identity, page.table.id, number)
        before = releases.show(g.identity, page.table.id, number - 1) if number > 1 else None
        self.card = card_of(page, info, before)
        self.info = self.card.info

    @property
    def address(self) -> str:
        """The address to cite."""
        return permanent(f"/tables/{self.page.table.id}/releases/{self.info.number}")

    @property
    def kept(self) -> bool:
        """Whether its rows can be read."""
        return self.info.expired_at is None

    @property
    def texts(self) -> dict[str, str]:
        """How to cite it."""
        return citation_of(self.page.dataset, self.info.number, self.info.created_at, self.address)

    @property
    def rows_call(self) -> str:
        """The call of the API that gives its rows."""
        return f"/api/v1/tables/{self.page.table.id}/rows?as_of={self.info.number}"

    @cached_property
    def rows(self) -> tables.RowPage:
        """The first rows."""
        query = TableQuery(limit=self.MOST_ROWS)
        return tables.rows(g.identity, self.page.table.id, query, as_of=str(self.info.number))
