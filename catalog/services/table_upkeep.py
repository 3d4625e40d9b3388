"""Work that keeps tables well: profiles that follow what was written, journals that are checked."""

from __future__ import annotations

import logging

from sqlalchemy import select, update
from sqlalchemy.orm import selectinload

from catalog.db import db, transaction
from catalog.errors import Unreadable
from catalog.models.base import now
from catalog.models.table import DataTable, JournalFile
from catalog.permissions import Action, Identity, require
from catalog.queue import job
from catalog.services.table_journal import state_at_head
from catalog.services.table_lookup import columns_of
from catalog.tabular.duck import heavy_duck
from catalog.tabular.profile import profile
from catalog.tabular.store import table_journal

log = logging.getLogger(__name__)

DAY = 24 * 60


@job(every_minutes=10)
def profile_tables() -> None:
    """Describe the columns of tables anew whose rows were written to since."""
    behind = db.session.scalars(
        select(DataTable.id).where(DataTable.profiled < DataTable.head)
    ).all()
    for table_id in behind:
        profile_table(table_id)


def profile_table(table_id: str) -> None:
    """Describe the columns of a table as they are now."""
    table = _with_columns(table_id)
    if table is None or not table.head:
        return
    head = table.head
    with heavy_duck() as own:
        relation = state_at_head(table_id, head).relation()
        profiles = profile(own, relation, columns_of(table))
    with transaction():
        current = _with_columns(table_id)
        if current is None or current.head != head:
            return  # it was written to meanwhile: the next round sees all of it
        for column in current.columns:
            column.profile = profiles.get(column.name, {})
        current.profiled, current.updated_at = head, now()


def _with_columns(table_id: str) -> DataTable | None:
    return db.session.scalar(
        select(DataTable)
        .where(DataTable.id == table_id)
        .options(selectinload(DataTable.columns))
        .execution_options(populate_existing=True)
    )


@job(every_minutes=DAY)
def check_journals() -> None:
    """Compare every file of the journal with its hash; a damaged one is named at its table."""
    for path in _damaged():
        log.error("the file %s of the journal is damaged", path)


def damaged_files(who: Identity) -> list[str]:
    """Paths of the files of the journal that are missing or not as they were written."""
    require(who, Action.PORTAL_OPERATE)
    return _damaged()


def _damaged() -> list[str]:
    found: list[str] = []
    listed = db.session.execute(
        select(JournalFile.table_id, JournalFile.path, JournalFile.sha256)
    ).all()
    for table_id, path, sha256 in listed:
        try:
            table_journal().verify(path, sha256)
        except Unreadable as error:
            found.append(path)
            problem = {"message": error.message, "context": error.context, "code": error.code}
            with transaction():
                db.session.execute(
                    update(DataTable).where(DataTable.id == table_id).values(problem=problem)
                )
    return found
