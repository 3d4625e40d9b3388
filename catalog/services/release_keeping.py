"""Files of releases by the clock: small ones are made before anybody asks, and the oldest let go when space ends."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from flask import current_app
from sqlalchemy import and_, exists, func, select

from catalog.db import Transaction, db, transaction
from catalog.errors import CatalogError
from catalog.files import file_store
from catalog.files.making import makings
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable, Release, ReleaseFile
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.queue import job
from catalog.services import release_files

log = logging.getLogger(__name__)

SMALL_ROWS = 100_000
"""Tables whose files take less than a second to make."""
SMALL_FORMATS = ("csv", "parquet")
AT_ONCE = 200
"""Tables that one run makes files of; the next run goes on."""
GRACE_SECONDS = 3_600.0
"""A file in the store that no row lists may be one that is about to be listed."""
MB = 1_000_000


@job(every_minutes=10)
def keep_release_files() -> None:
    """Make the files of small new releases; remove strays, files of what is gone, and those over the limit."""
    for table_id in _without_files():
        _make_small(table_id)
    let_go_expired()
    settings = current_app.extensions["weft"]["settings"]
    let_go_oldest(settings.release_files_mb * MB)
    makings().sweep()
    _remove_strays()


def let_go_expired() -> None:
    """Remove the files of releases whose rows are no longer kept."""
    expired = exists().where(
        Release.table_id == ReleaseFile.table_id,
        Release.number == ReleaseFile.release,
        Release.expired_at.is_not(None),
    )
    with transaction() as tx:
        _let_go(tx, db.session.scalars(select(ReleaseFile).where(ReleaseFile.kept, expired)).all())


def let_go_oldest(limit: int) -> None:
    """Remove files, longest unused first and those of pinned releases last, until the rest fits the limit."""
    of_release = and_(
        Release.table_id == ReleaseFile.table_id, Release.number == ReleaseFile.release
    )
    oldest = (
        select(ReleaseFile)
        .outerjoin(Release, of_release)
        .where(ReleaseFile.kept)
        .order_by(Release.pinned, ReleaseFile.used_at)
    )
    with transaction() as tx:
        left = db.session.scalar(select(func.sum(ReleaseFile.bytes)).where(ReleaseFile.kept)) or 0
        gone: list[ReleaseFile] = []
        for row in db.session.scalars(oldest) if left > limit else ():
            if left <= limit:
                break
            left -= row.bytes
            gone.append(row)
        _let_go(tx, gone)


def _without_files() -> Sequence[str]:
    """Small tables whose newest release has not all of the files that are made unasked."""
    listed = (
        select(func.count())
        .where(
            ReleaseFile.table_id == DataTable.id,
            ReleaseFile.release == DataTable.release,
            ReleaseFile.format.in_(SMALL_FORMATS),
        )
        .scalar_subquery()
    )
    found = (
        select(DataTable.id)
        .join(Resource, Resource.id == DataTable.resource_id)
        .join(Dataset, Dataset.id == Resource.dataset_id)
        .where(
            DataTable.head > 0,
            DataTable.rows <= SMALL_ROWS,
            Dataset.state == State.PUBLISHED,
            listed < len(SMALL_FORMATS),
        )
        .limit(AT_ONCE)
    )
    return db.session.scalars(found).all()


def _make_small(table_id: str) -> None:
    try:
        for name in SMALL_FORMATS:
            release_files.made(release_files.find(SCHEDULER, table_id, None, name))
    except CatalogError as error:
        log.warning("no files of table %s were made: %s", table_id, error)


def _let_go(tx: Transaction, rows: Sequence[ReleaseFile]) -> None:
    """The database first: a file that is not listed is no longer given to anybody."""
    for row in rows:
        row.kept = False
        tx.after_commit(file_store().delete, row.path)
    if rows:
        log.info("let go %s files of releases", len(rows))


def _remove_strays() -> None:
    """Files that no row lists: of tables that are gone, or finished by a process that was killed then."""
    there = list(file_store().keys(release_files.FOLDER, unchanged_for=GRACE_SECONDS))
    with transaction():
        listed = frozenset(db.session.scalars(select(ReleaseFile.path).where(ReleaseFile.kept)))
    for key in there:
        if key not in listed:
            file_store().delete(key)
