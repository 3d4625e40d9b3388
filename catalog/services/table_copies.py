"""Serving copies of a machine that shares its journal with others: each machine makes its own, and keeps them up."""

from __future__ import annotations

import logging
import threading
import time

from flask import Flask
from sqlalchemy import select
from sqlalchemy.exc import OperationalError

from catalog.db import db
from catalog.errors import CatalogError, Unavailable
from catalog.models.table import DataTable
from catalog.services.table_journal import follow
from catalog.tabular.store import table_store

log = logging.getLogger(__name__)

STEP_SECONDS = 1.0
AGAIN_SECONDS = 15
"""After a copy could not follow: until then its pages come from the journal."""
LOOK_SECONDS = 600
"""How long a copy that was whole is believed to be so."""


def keep_copies(app: Flask, stop: threading.Event) -> None:
    """Keep the copies of this machine at the newest releases until `stop` is set."""
    keeper = CopyKeeper()
    while not stop.wait(STEP_SECONDS):
        with (
            app.app_context()
        ):  # each step has a session of its own, and so sees what was committed
            try:
                keeper.step()
            except (OperationalError, Unavailable) as error:
                log.warning("the database does not answer: %s", error)


class CopyKeeper:
    """Lets the copies of this machine follow the journal; any number may run, the copies' locks keep them apart."""

    def __init__(self) -> None:
        self._reached: dict[str, tuple[int, float]] = {}
        """Table → position that needs no look until that moment."""

    def step(self) -> int:
        """Let each copy that is missing or behind follow, the newest release first; how many did."""
        there = table_store().tables()  # before the database is asked: what comes then is no stray
        heads = db.session.execute(
            select(DataTable.id, DataTable.head).order_by(DataTable.loaded_at.desc())
        ).all()
        followed = sum(self._follow(table_id, head) for table_id, head in heads if head)
        for stray in there - {table_id for table_id, _ in heads}:
            table_store().drop(stray)
            self._reached.pop(stray, None)
        return followed

    def _follow(self, table_id: str, head: int) -> bool:
        position, until = self._reached.get(table_id, (0, 0.0))
        if position == head and time.monotonic() < until:
            return False
        behind = table_store().served(table_id) != head
        seconds = LOOK_SECONDS
        if behind:
            try:
                follow(table_id)
            except CatalogError as error:
                log.warning("the serving copy of %s stays behind: %s", table_id, error)
                seconds = AGAIN_SECONDS
        self._reached[table_id] = (head, time.monotonic() + seconds)
        return behind and seconds == LOOK_SECONDS
