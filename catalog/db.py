"""The session and `transaction()`: the only place that commits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from flask import Flask
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, event

from catalog.models.base import Base

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

_writing: ContextVar[bool] = ContextVar("writing", default=False)


class Transaction:
    """What an open transaction knows: the effects that wait for its commit."""

    def __init__(self) -> None:
        self._after: list[Callable[[], Any]] = []

    def after_commit(self, call: Callable[..., Any], *args: Any) -> None:
        """Run `call(*args)` once the outermost block has committed; never if it rolled back."""
        self._after.append(lambda: call(*args))

    def run_effects(self) -> None:
        """Run the effects in the order they were asked for."""
        for call in self._after:
            call()


@contextmanager
def transaction() -> Iterator[Transaction]:
    """Commit once, at the outermost block; then run what waits for the commit.

    On SQLite the block takes the write lock at its start, so that what it reads cannot be changed by
    another process before it writes. Keep slow work outside of it.
    """
    outer: Transaction | None = db.session.info.get("transaction")
    if outer is not None:
        yield outer
        return
    tx = db.session.info["transaction"] = Transaction()
    try:
        db.session.commit()  # ends the snapshot that earlier reads have opened
        token = _writing.set(True)
        try:
            db.session.connection()
        finally:
            _writing.reset(token)
        yield tx
        db.session.commit()  # this is the place
    except BaseException:
        db.session.rollback()
        raise
    finally:
        del db.session.info["transaction"]
    tx.run_effects()


def init_app(app: Flask) -> None:
    """Bind the session to the app; SQLite gets WAL, foreign keys and patience with other writers."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _prepare_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)


def _prepare_sqlite(connection: Any, record: Any) -> None:  # noqa: ARG001 # the signature is SQLAlchemy's
    connection.isolation_level = None  # we say BEGIN ourselves: the driver would say it too late
    cursor = connection.cursor()
    cursor.execute("PRAGMA journal_mode=WAL")
    cursor.execute("PRAGMA synchronous=FULL")  # what was acknowledged survives a power cut
    cursor.execute("PRAGMA foreign_keys=ON")
    cursor.execute("PRAGMA busy_timeout=30000")
    cursor.close()


def _begin_sqlite(connection: Connection) -> None:
    connection.exec_driver_sql("BEGIN IMMEDIATE" if _writing.get() else "BEGIN")
