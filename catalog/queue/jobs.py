"""`@job` registers a function under its name; the queue that runs it is chosen at start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol, cast

from flask import current_app


class JobQueue(Protocol):
    """Runs registered jobs later, in the worker."""

    def put(self, name: str, args: tuple[str, ...], *, retries: int) -> bool:
        """Ask for a run; a job that raises Unavailable is tried `retries` more times.

        False if the queue does not answer: what was written stands, and the periodic jobs find what is to be done.
        """
        ...

    def waiting(self) -> int:
        """Number of jobs that wait to be run; raises Unavailable if the queue does not answer."""
        ...

    def work(self, threads: int) -> None:
        """Run jobs until the process is told to stop; only the worker process calls this."""
        ...


REGISTRY: dict[str, Job] = {}


class Job:
    """A plain function with text arguments that can also be asked to run later."""

    def __init__(self, run: Callable[..., None], retries: int, every_minutes: int) -> None:
        self.name = f"{run.__module__}.{run.__name__}"
        self.run, self.retries, self.every_minutes = run, retries, every_minutes
        REGISTRY[self.name] = self

    def __call__(self, *args: str) -> None:
        self.run(*args)

    def later(self, *args: str) -> bool:
        """Ask the queue to run it; call this after the commit. False if the queue does not answer."""
        return job_queue().put(self.name, args, retries=self.retries)


def job(*, retries: int = 0, every_minutes: int = 0) -> Callable[[Callable[..., None]], Job]:
    """Register a function as a job; with `every_minutes` the worker also runs it by the clock."""

    def register(run: Callable[..., None]) -> Job:
        return Job(run, retries, every_minutes)

    return register


class ImmediateQueue:
    """Runs each job inside `put` and raises what it raises: for tests and one-off commands."""

    def put(self, name: str, args: tuple[str, ...], *, retries: int) -> bool:  # noqa: ARG002 # nothing is tried again
        """Run the job now."""
        REGISTRY[name](*args)
        return True

    def waiting(self) -> int:
        """Nothing ever waits."""
        return 0

    def work(self, threads: int) -> None:
        """There is nothing to do for a worker."""


def job_queue() -> JobQueue:
    """The queue that the settings name."""
    return cast("JobQueue", current_app.extensions["weft"]["queue"])
