"""The session and `transaction()`: the only place that commits."""

from __future__ import annotations

import json
import sqlite3
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
from flask import Flask, current_app
from flask_sqlalchemy import SQLAlchemy
from sqlalchemy import Connection, create_engine, event, text
from sqlalchemy.exc import OperationalError

from catalog.errors import Conflict, Unwritable
from catalog.models.base import Base

if TYPE_CHECKING:
    from catalog.models.log import LogEntry

db = SQLAlchemy(model_class=Base, session_options={"expire_on_commit": False})

_ONLY_WRITER = text(
    "SELECT set_config('lock_timeout', '30s', true), pg_advisory_xact_lock(6447120331)"
)
"""On PostgreSQL a lock that stands for SQLite's: held until the commit, waited for as long."""
_writing: ContextVar[bool] = ContextVar("writing", default=False)


class Transaction:
    """What an open transaction knows: the effects that wait for its commit."""

    def __init__(self) -> None:
        self._after: list[Callable[[], Any]] = []
        self.last_line: LogEntry | None = None
        """The line of the log that was written last in here."""

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

    The block takes a lock at its start that only one writer has, so that what it reads cannot be changed by
    another process before it writes. Keep slow work outside of it.
    """
    outer: Transaction | None = db.session.info.get("transaction")
    if outer is not None:
        yield outer
        return
    tx = db.session.info["transaction"] = Transaction()
    try:
        db.session.commit()  # ends the snapshot that earlier reads have opened
        _lock()
        yield tx
        db.session.commit()  # this is the place
    except BaseException:
        db.session.rollback()
        raise
    finally:
        del db.session.info["transaction"]
    tx.run_effects()


def _lock() -> None:
    """Become the only writer; raises Unwritable where others do not come to an end."""
    token = _writing.set(True)
    try:
        connection = db.session.connection()  # SQLite takes its write lock with this
        if connection.dialect.name == "postgresql":
            connection.execute(_ONLY_WRITER)
    except OperationalError as error:
        raise Unwritable("nothing can be written right now; try again in a moment") from error
    finally:
        _writing.reset(token)


def insert_rows(rows: Iterable[Base]) -> None:
    """Write new rows that the session need not know: with as few statements as they allow, in the order of their tables.

    The session's unit of work takes three times as long for them.
    """
    alike: dict[tuple[Any, frozenset[str]], list[dict[str, Any]]] = {}
    for row in rows:
        values = {name: value for name, value in vars(row).items() if name != "_sa_instance_state"}
        alike.setdefault((type(row).__table__, frozenset(values)), []).append(values)
    connection = db.session.connection()
    for (table, _), some in alike.items():
        connection.execute(table.insert(), some)


def packed(value: Any) -> str:
    """A value of a JSON column as text: Chinese takes half the room of its escapes."""
    try:
        return orjson.dumps(value).decode()
    except TypeError:  # numbers beyond 64 bits, names that are no text, broken characters
        return json.dumps(value)


def unpacked(text: str | bytes) -> Any:
    """The value again, also of what other writers have made of it, such as NaN."""
    try:
        return orjson.loads(text)
    except ValueError:
        return json.loads(text)


class ChangeMark:
    """Tells whether anybody has committed to an SQLite file since the last look, in microseconds.

    The connection never writes, so its `data_version` moves with every commit of any connection of any
    process (https://sqlite.org/pragma.html#pragma_data_version).
    """

    def __init__(self, file: str) -> None:
        self._lock = threading.Lock()
        self._connection = sqlite3.connect(file, check_same_thread=False, isolation_level=None)

    def now(self) -> int:
        """A number that differs from the one before if there was a commit in between."""
        with self._lock:
            return int(self._connection.execute("PRAGMA data_version").fetchone()[0])


def change_mark() -> int | None:
    """Equal to the one before only if nothing was committed meanwhile; None where that costs a query."""
    mark: ChangeMark | None = current_app.extensions.get("weft_change_mark")
    return mark.now() if mark else None


def init_app(app: Flask) -> None:
    """Bind the session to the app; SQLite gets WAL, foreign keys and patience with other writers."""
    db.init_app(app)
    with app.app_context():
        if db.engine.dialect.name == "sqlite":
            event.listen(db.engine, "connect", _prepare_sqlite)
            event.listen(db.engine, "begin", _begin_sqlite)
            if db.engine.url.database not in (None, "", ":memory:"):
                app.extensions["weft_change_mark"] = ChangeMark(str(db.engine.url.database))


@contextmanager
def closing() -> Iterator[None]:
    """Close all connections of the app to its database at the end of the block."""
    try:
        yield
    finally:
        db.session.remove()
        db.engine.dispose()


@contextmanager
def held_still(file: Path) -> Iterator[Connection]:
    """A connection to another SQLite file, to which nobody can write until the block ends.

    Raises Conflict if somebody writes to it all the time.
    """
    engine = create_engine(f"sqlite:///{file}")
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    try:
        with engine.connect() as connection:
            token = _writing.set(True)
            try:
                connection.begin()
            except OperationalError as error:
                raise Conflict(
                    "%(file)s is being written to: stop its portal", file=file
                ) from error
            finally:
                _writing.reset(token)
            yield connection
    finally:
        engine.dispose()


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
