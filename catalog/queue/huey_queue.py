"""Huey behind the JobQueue port; the one place that knows Huey."""

from __future__ import annotations

import threading
from pathlib import Path

import structlog
from flask import Flask
from huey import CancelExecution, Huey, PostgresHuey, RedisHuey, SqliteHuey
from huey.consumer import Consumer
from huey.exceptions import ConfigurationError

from catalog.errors import CatalogError, SettingsError, Unavailable
from catalog.queue.jobs import REGISTRY

log = structlog.get_logger(__name__)

RETRY_DELAY_SECONDS = 5
CLOCK_STEP_SECONDS = 20
REDIS_SECONDS = {"socket_connect_timeout": 2, "socket_timeout": 10}
"""A page waits no longer for a Redis that does not answer; a worker waits for a job one second at a time."""
FINISH_SECONDS = 30
"""How long jobs at work may go on after the worker was told to stop."""


class HueyQueue:
    """Keeps jobs until the worker process runs them.

    A job that was taken by a worker that is then killed is not run again by the queue: each noun has a
    periodic job that compares what should be with what is.
    """

    def __init__(self, app: Flask, huey: Huey, *, away: tuple[type[Exception], ...] = ()) -> None:
        self.huey = huey
        self._away = away
        """What the storage raises when it does not answer."""

        @huey.task()  # Huey keeps what waits under this function's name: do not rename it
        def run(name: str, args: list[str]) -> None:
            with app.app_context():
                _run_job(name, args)

        self._run = run

    @classmethod
    def sqlite(cls, app: Flask, file: Path) -> HueyQueue:
        """A queue kept in an SQLite file; what was put survives a power cut."""
        file.parent.mkdir(parents=True, exist_ok=True)
        return cls(
            app, SqliteHuey("weft", filename=str(file), fsync=True, timeout=30, results=False)
        )

    @classmethod
    def postgresql(cls, app: Flask, url: str) -> HueyQueue:
        """A queue in tables of a PostgreSQL database, for workers on many machines."""
        dsn = url.replace("postgresql+psycopg:", "postgresql:", 1)
        try:
            huey = PostgresHuey("weft", dsn=dsn, results=False)
        except ConfigurationError as error:
            raise SettingsError("WEFT_QUEUE_URL: install psycopg for PostgreSQL") from error
        huey.storage.close()  # it has made its tables; who never asks for a job needs no connection
        from psycopg import Error

        return cls(app, huey, away=(Error,))

    @classmethod
    def redis(cls, app: Flask, url: str) -> HueyQueue:
        """A queue in Redis, for workers on many machines; what waits is as durable as that Redis."""
        from redis import ConnectionPool, RedisError

        pool = ConnectionPool.from_url(url, **REDIS_SECONDS)
        huey = RedisHuey("weft", connection_pool=pool, results=False)
        return cls(app, huey, away=(RedisError,))

    def put(self, name: str, args: tuple[str, ...], *, retries: int) -> bool:
        """Ask for a run; a job that raises Unavailable is tried `retries` more times.

        False if the queue does not answer: what was written stands, and the periodic jobs find what is to be done.
        """
        task = self._run.s(name, list(args), retries=retries, retry_delay=RETRY_DELAY_SECONDS)
        try:
            self.huey.enqueue(task)
        except self._away as error:
            log.warning("job_was_not_put", job=name, args=args, error=str(error))
            return False
        return True

    def waiting(self) -> int:
        """Number of jobs that wait to be run; raises Unavailable if the queue does not answer."""
        try:
            return int(self.huey.pending_count()) + int(self.huey.scheduled_count())
        except self._away as error:
            raise Unavailable("the queue of jobs does not answer") from error

    def work(self, threads: int) -> None:
        """Run jobs, and the periodic ones by the clock, until SIGTERM; jobs at work are finished first."""
        stop = threading.Event()
        threading.Thread(target=self._tick, args=(stop,), name="clock", daemon=True).start()
        consumer = Consumer(
            self.huey,
            workers=threads,
            periodic=False,
            max_delay=0.5,
            shutdown_timeout=FINISH_SECONDS,
            graceful_signal="TERM",
        )
        try:
            consumer.run()
        finally:
            stop.set()

    def _tick(self, stop: threading.Event) -> None:
        """Put each periodic job at the start, and again whenever its minutes are over."""
        passed = 0
        while True:
            for job in list(REGISTRY.values()):
                if job.every_minutes and passed % (job.every_minutes * 60) == 0:
                    self.put(job.name, (), retries=job.retries)
            if stop.wait(CLOCK_STEP_SECONDS):
                return
            passed += CLOCK_STEP_SECONDS


def _run_job(name: str, args: list[str]) -> None:
    structlog.contextvars.bind_contextvars(job=name)
    try:
        REGISTRY[name](*args)
    except Unavailable as error:
        log.warning("job_will_be_tried_again", args=args, error=str(error))
        raise
    except CatalogError as error:
        log.warning("job_refused", args=args, error=str(error))
        raise CancelExecution(retry=False) from error
    finally:
        structlog.contextvars.unbind_contextvars("job")
