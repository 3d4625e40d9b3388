"""Releases: which there are, what changed between two of them, which are kept."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from hashlib import sha256
from pathlib import Path
from uuid import uuid4

import pyarrow as pa
from sqlalchemy import func, select

from catalog.db import db, transaction
from catalog.errors import BadQuery, Gone, NotFound
from catalog.models.base import now
from catalog.models.table import Citation, DataTable, Release
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Action, Identity, require
from catalog.queue import job
from catalog.services.table_journal import plain_columns, write_delta
from catalog.services.table_lookup import (
    BASE,
    DELTA,
    Version,
    journal_files,
    part_of,
    recorded_columns,
    state_of,
    version_as_of,
)
from catalog.services.table_lookup import show as show_table
from catalog.services.table_writes import own
from catalog.tabular.changes import NUMBERLESS, Changes, Kind, RowChange, Tally
from catalog.tabular.column import Column
from catalog.tabular.compare import comparing
from catalog.tabular.duck import duck, heavy_duck
from catalog.tabular.state import Part

log = logging.getLogger(__name__)

MOST_LISTED = 100
MOST_CHANGES = 1_000
COMPARED = "compared"
COMPARED_KEPT = timedelta(days=7)


@dataclass(frozen=True)
class ReleaseInfo:
    """A release as `who` may see it."""

    number: int
    position: int
    rows: int
    content: str
    """A hash that changes with the content; of a table with withheld columns one that tells nothing of them."""
    inserted: int | None
    updated: int | None
    deleted: int | None
    made_by: str
    reason: str
    created_at: datetime
    pinned: bool
    cited: bool
    expired_at: datetime | None
    columns: tuple[Column, ...]
    primary_key: tuple[str, ...]


@dataclass(frozen=True)
class ReleasePage:
    """Some releases, the newest first, and how many there are."""

    table: DataTable
    releases: tuple[ReleaseInfo, ...]
    total: int


@dataclass(frozen=True)
class SchemaChange:
    """A column that was added, dropped, renamed or got another type."""

    kind: str
    name: str
    before: str = ""
    after: str = ""


@dataclass(frozen=True)
class ChangePage:
    """What changed between two releases."""

    table: DataTable
    older: ReleaseInfo
    newer: ReleaseInfo
    columns: tuple[Column, ...]
    schema: tuple[SchemaChange, ...]
    tally: Tally
    rows: tuple[RowChange, ...]


def listed(
    who: Identity, table_id: str, *, limit: int = MOST_LISTED, offset: int = 0
) -> ReleasePage:
    """The releases of a table, the newest first."""
    table = show_table(who, table_id)
    found = db.session.scalars(
        select(Release)
        .where(Release.table_id == table_id)
        .order_by(Release.number.desc())
        .limit(min(limit, MOST_LISTED))
        .offset(offset)
    ).all()
    total = db.session.scalar(
        select(func.count()).select_from(Release).where(Release.table_id == table_id)
    )
    cited = _cited(table_id)
    infos = tuple(_info(table, release, cited) for release in found)
    return ReleasePage(table, infos, total or 0)


def show(who: Identity, table_id: str, number: int) -> ReleaseInfo:
    """One release; raises NotFound."""
    table = show_table(who, table_id)
    return _info(table, _release(table_id, number), _cited(table_id))


def changes(  # what may be asked
    who: Identity,
    table_id: str,
    older: str,
    newer: str | None = None,
    *,
    kind: Kind | None = None,
    limit: int = 100,
    offset: int = 0,
) -> ChangePage:
    """The rows that differ between two releases (numbers or moments); `newer` is the newest one unless named."""
    table, first, last = _pair(who, table_id, older, newer)
    if not 0 <= limit <= MOST_CHANGES or offset < 0:
        raise BadQuery("limit is a number from 0 to %(most)s", most=MOST_CHANGES)
    found = _changes(table, first, last)
    page = found.page(kind, limit=limit, offset=offset) if limit else []
    cited = _cited(table_id)
    return ChangePage(
        table,
        _info(table, _release(table_id, first.release), cited),
        _info(table, _release(table_id, last.release), cited),
        found.columns,
        schema_changes(first.columns, last.columns),
        found.tally(),
        tuple(page),
    )


def change_batches(
    who: Identity, table_id: str, older: str, newer: str | None = None, *, kind: Kind | None = None
) -> tuple[tuple[Column, ...], Iterator[pa.RecordBatch]]:
    """All changes between two releases as batches, for a file: see `Changes.batches`."""
    table, first, last = _pair(who, table_id, older, newer)
    found = _changes(table, first, last)
    return found.columns, found.batches(kind)


def schema_changes(older: Sequence[Column], newer: Sequence[Column]) -> tuple[SchemaChange, ...]:
    """How the columns differ; a column is the same as long as it is stored under the same name."""
    before = {column.stored: column for column in older}
    names = {column.name: column for column in older}
    found: list[SchemaChange] = []
    kept: set[str] = set()
    for column in newer:
        old = before.get(column.stored) or names.get(column.name)
        if old is None:
            found.append(SchemaChange("added", column.name, after=column.type.value))
            continue
        kept.add(old.stored)
        if old.name != column.name:
            found.append(SchemaChange("renamed", column.name, old.name, column.name))
        if old.type is not column.type:
            found.append(SchemaChange("retyped", column.name, old.type.value, column.type.value))
    found += [
        SchemaChange("dropped", column.name, before=column.type.value)
        for column in older
        if column.stored not in kept
    ]
    return tuple(found)


def pin(who: Identity, table_id: str, number: int, *, pinned: bool = True) -> None:
    """Keep a release whatever the policy says, or no longer."""
    table = own(who, table_id)
    require(who, Action.TABLE_MANAGE, table.resource.dataset)
    with transaction():
        release = _release(table_id, number)
        if release.expired_at is not None:
            raise Gone("the rows of release %(number)s are no longer kept", number=number)
        release.pinned = pinned


def set_retention(who: Identity, table_id: str, *, keep: int = 0, days: int = 0) -> None:
    """Keep the newest `keep` releases and those younger than `days`; with neither all of them."""
    table = own(who, table_id)
    require(who, Action.TABLE_MANAGE, table.resource.dataset)
    if keep < 0 or days < 0:
        raise BadQuery("say how many releases or days to keep, from 0")
    policy = {"keep": keep, "days": days}
    with transaction():
        table.retention = {name: value for name, value in policy.items() if value}
        table.updated_at = now()


@job(every_minutes=60)
def retain_releases() -> None:
    """Give up the rows of releases that the policy of their table does not keep, and old comparisons."""
    for table_id, policy in db.session.execute(select(DataTable.id, DataTable.retention)).all():
        if policy:
            retain(table_id)
    until = (now() - COMPARED_KEPT).timestamp()
    for file in (duck().folder / COMPARED).glob("*.parquet"):
        if file.stat().st_mtime < until:
            file.unlink(missing_ok=True)


def retain(table_id: str) -> list[int]:
    """Apply the table's policy; the numbers of the releases that were given up.

    The files of the journal that only they need are listed no more, and the collector removes them.
    """
    with transaction():
        table = db.session.get(DataTable, table_id, populate_existing=True)
        if table is None or not table.retention:
            return []
        kept, given_up = _by_policy(table)
        for release in given_up:
            release.expired_at = now()
        needed = _needed_positions(table_id, [release.position for release in kept])
        for file in journal_files(table_id, table.head):
            if (file.position, file.kind) not in needed:
                db.session.delete(file)
        return [release.number for release in given_up]


def _by_policy(table: DataTable) -> tuple[list[Release], list[Release]]:
    """The releases that are kept, and those to give up now."""
    found = db.session.scalars(
        select(Release)
        .where(Release.table_id == table.id, Release.expired_at.is_(None))
        .order_by(Release.number.desc())
    ).all()
    keep, days = table.retention.get("keep", 0), table.retention.get("days", 0)
    since = now() - timedelta(days=days)
    cited = _cited(table.id)
    kept: list[Release] = []
    given_up: list[Release] = []
    for place, release in enumerate(found):
        stays = release.pinned or release.number in cited or release.number == table.release
        stays = stays or place < keep or bool(days and release.created_at >= since)
        (kept if stays else given_up).append(release)
    return kept, given_up


def _needed_positions(table_id: str, positions: Sequence[int]) -> set[tuple[int, str]]:
    """Position and kind of the files that the releases at these positions, and what lies between, are made of."""
    files = journal_files(table_id, max(positions, default=0))
    needed: set[tuple[int, str]] = set()
    bases = [file.position for file in files if file.kind == BASE]
    oldest = min(positions, default=0)
    for position in positions:
        base = max((at for at in bases if at <= position), default=0)
        needed.add((base, BASE))
        needed |= {
            (f.position, DELTA) for f in files if f.kind == DELTA and base < f.position <= position
        }
    # What changed between kept releases stays known.
    needed |= {(f.position, DELTA) for f in files if f.kind == DELTA and f.position > oldest}
    # What was kept beside the rows holds until something else is kept.
    beside = [file for file in files if file.kind not in (BASE, DELTA)]
    for position in positions:
        before = [(f.position, f.kind) for f in beside if f.position <= position]
        needed |= {max(before)} if before else set()
    return needed


def _pair(
    who: Identity, table_id: str, older: str, newer: str | None
) -> tuple[DataTable, Version, Version]:
    table = show_table(who, table_id)
    first, last = version_as_of(table, older), version_as_of(table, newer)
    if first.position > last.position:
        raise BadQuery("“from” is the older release, “to” the newer one")
    return table, first, last


def _changes(table: DataTable, first: Version, last: Version) -> Changes:
    deltas = _deltas_between(table, first, last)
    return Changes(duck(), deltas, _shown_in_both(table, first, last))


def _shown_in_both(table: DataTable, first: Version, last: Version) -> list[Column]:
    """The columns of the newer release, without what is withheld of either, by its name or where it is stored."""
    if not table.narrowed:
        return list(last.columns)
    shown = {column.stored: column for column in first.columns}
    masked = {name for c in first.columns if c.masked for name in (c.stored, c.name)}
    gone = [c for c in _whole_columns(table.id, first) if c.stored not in shown]
    hidden = {name for c in gone for name in (c.stored, c.name)}
    return [
        replace(c, type=ColumnType.STRING, masked=True) if {c.stored, c.name} & masked else c
        for c in last.columns
        if not {c.stored, c.name} & hidden
    ]


def _deltas_between(table: DataTable, first: Version, last: Version) -> list[Part]:
    """The deltas from one release to the other; where the chain is broken, one that is made by comparing them."""
    if first.position == last.position:
        return []
    files = journal_files(table.id, last.position)
    deltas = [f for f in files if f.kind == DELTA and f.position > first.position]
    if len(deltas) == last.position - first.position:
        return [part_of(file) for file in deltas]
    return [_compared(table, first, last)]


def _compared(table: DataTable, first: Version, last: Version) -> Part:
    """A delta made by comparing two releases whole; kept for some days."""
    old = Version(table.id, first.position, _whole_columns(table.id, first))
    new = Version(table.id, last.position, _whole_columns(table.id, last))
    before = {column.name: column for column in old.columns}
    pairs = [(before[c.name], c) for c in new.columns if c.name in before]
    stored = frozenset(column.stored for _, column in pairs)
    file = duck().folder / COMPARED / f"{table.id}-{first.position}-{last.position}.parquet"
    if not file.exists():
        if not pairs:
            raise BadQuery("the two releases have no column in common")
        key = _release(table.id, last.release).primary_key or []
        by_key = [pair for pair in pairs if pair[1].name in key]
        file.parent.mkdir(parents=True, exist_ok=True)
        with (
            heavy_duck() as own_,
            comparing(own_, state_of(old), state_of(new), pairs) as comparison,
        ):
            comparison.counts(by_key if len(by_key) == len(key) else [])
            beside = file.with_name(f".{uuid4().hex}")
            write_delta(comparison.changes(NUMBERLESS), [column for _, column in pairs], beside)
            beside.rename(file)
    return Part(Path(file), last.position, stored)


def _whole_columns(table_id: str, version: Version) -> tuple[Column, ...]:
    """All columns of a release, withheld ones too: what is compared is not what is shown."""
    return plain_columns(_release(table_id, version.release).columns)


def _release(table_id: str, number: int) -> Release:
    found = db.session.scalar(
        select(Release).where(Release.table_id == table_id, Release.number == number)
    )
    if found is None:
        raise NotFound("there is no release %(as_of)s of this table", as_of=str(number)[:40])
    return found


def _cited(table_id: str) -> frozenset[int]:
    return frozenset(
        db.session.scalars(select(Citation.release).where(Citation.table_id == table_id).distinct())
    )


def _info(table: DataTable, release: Release, cited: frozenset[int]) -> ReleaseInfo:
    columns = recorded_columns(table, release.columns)
    names = {column.name for column in columns if not column.masked}
    key = tuple(release.primary_key or ())
    content = release.content
    if table.narrowed:  # a hash of few withheld values could be guessed
        content = sha256(f"{table.id}{release.number}".encode()).hexdigest()
    return ReleaseInfo(
        number=release.number,
        position=release.position,
        rows=release.rows,
        content=content,
        inserted=release.inserted,
        updated=None if table.narrowed else release.updated,
        deleted=release.deleted,
        made_by=release.made_by,
        reason=release.reason,
        created_at=release.created_at,
        pinned=release.pinned,
        cited=release.number in cited,
        expired_at=release.expired_at,
        columns=columns,
        primary_key=key if set(key) <= names else (),
    )
