"""What happened, for those who may know: lines of the log about datasets, groups, organizations and accounts."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, and_, or_, select

from catalog.db import db
from catalog.models.dataset import Dataset, dataset_theme
from catalog.models.log import LogEntry
from catalog.models.revision import DatasetRevision
from catalog.permissions import Identity
from catalog.services import dataset_lists, follows, revisions

ACTIONS = {
    "dataset.created": "new package",
    "dataset.changed": "changed package",
    "dataset.published": "changed package",
    "dataset.withdrawn": "deleted package",
    "organization.created": "new organization",
    "organization.changed": "changed organization",
    "organization.deleted": "deleted organization",
    "theme.created": "new group",
    "theme.changed": "changed group",
    "theme.deleted": "deleted group",
    "account.created": "new user",
    "account.changed": "changed user",
    "view.created": "new resource view",
    "view.changed": "changed resource view",
    "view.deleted": "deleted resource view",
}
"""Actions of the log that everybody who sees the thing may know of, as CKAN calls them."""


@dataclass(frozen=True)
class Seen:
    """What a dataset was, and whether the reader may know where its data were."""

    content: Mapping[str, Any]
    reachable: bool


@dataclass(frozen=True)
class Span:
    """Which page of lines, and between which moments."""

    limit: int
    offset: int = 0
    after: datetime | None = None
    before: datetime | None = None
    kinds: tuple[str, ...] = ()
    """Only these of CKAN's kinds of activities."""
    without: tuple[str, ...] = ()


def of_dataset(who: Identity, dataset_id: str, span: Span) -> list[LogEntry]:
    """Lines about a dataset."""
    return _page(who, span, _about("dataset", [dataset_id]))


def of_account(who: Identity, account_id: str, span: Span) -> list[LogEntry]:
    """Lines about what an account did, and about itself."""
    return _page(who, span, or_(LogEntry.actor_id == account_id, _about("account", [account_id])))


def of_organization(who: Identity, organization_id: str, span: Span) -> list[LogEntry]:
    """Lines about an organization and its datasets."""
    return _page(who, span, LogEntry.organization_id == organization_id)


def of_group(who: Identity, group_id: str, span: Span) -> list[LogEntry]:
    """Lines about a group and the datasets that it holds."""
    held = select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id == group_id)
    inside = and_(LogEntry.kind == "dataset", LogEntry.object_id.in_(held))
    return _page(who, span, or_(_about("theme", [group_id]), inside))


def of_datasets(who: Identity, span: Span) -> list[LogEntry]:
    """Lines about all datasets."""
    return _page(who, span, LogEntry.kind == "dataset")


def of_dashboard(who: Identity, span: Span) -> list[LogEntry]:
    """Lines about what the caller did and what they follow."""
    mine = who.account_id or ""
    conditions: list[ColumnElement[bool]] = [LogEntry.actor_id == mine]
    for kind in follows.KINDS:
        ids = [object_id for _, object_id in follows.followed(mine, [kind])]
        if not ids:
            continue
        conditions.append(_about(kind, ids))
        if kind == "account":
            conditions.append(LogEntry.actor_id.in_(ids))
        elif kind == "organization":
            conditions.append(LogEntry.organization_id.in_(ids))
        elif kind == "theme":
            held = select(dataset_theme.c.dataset_id).where(dataset_theme.c.theme_id.in_(ids))
            conditions.append(and_(LogEntry.kind == "dataset", LogEntry.object_id.in_(held)))
    return _page(who, span, or_(*conditions))


def show(who: Identity, number: int) -> LogEntry | None:
    """The line, if it is an activity and `who` may know of it."""
    found = select(LogEntry).where(LogEntry.number == number, *_known_to(who))
    return db.session.scalar(found)


def before(who: Identity, entry: LogEntry) -> LogEntry | None:
    """The line before about the same thing."""
    same = (LogEntry.kind == entry.kind, LogEntry.object_id == entry.object_id)
    older = select(LogEntry).where(LogEntry.number < entry.number, *same, *_known_to(who))
    return db.session.scalars(older.order_by(LogEntry.number.desc()).limit(1)).first()


def revision_of(who: Identity, entry: LogEntry) -> Seen | None:
    """The content that a dataset was given by this change, if `who` may see it."""
    number = entry.data.get("revision")
    if entry.kind != "dataset" or number is None:
        return None
    found = (
        select(DatasetRevision, Dataset)
        .join(Dataset, Dataset.id == DatasetRevision.dataset_id)
        .where(DatasetRevision.dataset_id == entry.object_id, DatasetRevision.number == number)
    )
    for revision, dataset in db.session.execute(found):
        if revisions.is_shown(who, dataset, revision):
            return Seen(revision.content, revisions.is_reachable(who, dataset, revision))
    return None


def _about(kind: str, ids: Collection[str]) -> ColumnElement[bool]:
    return and_(LogEntry.kind == kind, LogEntry.object_id.in_(ids))


def _known_to(who: Identity) -> Sequence[ColumnElement[bool]]:
    """Conditions that the line is an activity, and not about a dataset that `who` may not see."""
    seen = select(Dataset.id).where(dataset_lists.seen_by(who))
    return (
        LogEntry.action.in_(ACTIONS),
        or_(LogEntry.kind != "dataset", LogEntry.object_id.in_(seen)),
    )


def _page(who: Identity, span: Span, which: ColumnElement[bool]) -> list[LogEntry]:
    statement = select(LogEntry).where(which, *_known_to(who))
    if span.after:
        statement = statement.where(LogEntry.at > span.after)
    if span.before:
        statement = statement.where(LogEntry.at < span.before)
    if span.kinds:
        named = [action for action, kind in ACTIONS.items() if kind in span.kinds]
        statement = statement.where(LogEntry.action.in_(named))
    if span.without:
        named = [action for action, kind in ACTIONS.items() if kind in span.without]
        statement = statement.where(LogEntry.action.not_in(named))
    page = statement.order_by(LogEntry.number.desc()).limit(span.limit).offset(span.offset)
    return list(db.session.scalars(page))
