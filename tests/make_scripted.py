"""A format whose records a test writes, and what a harvest of it gives."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from marshmallow import Schema

from catalog.permissions import SCHEDULER
from harvesters import services
from harvesters.harvester import Content, Record, Rows, Source
from harvesters.http import Http
from harvesters.models import HarvestRun, HarvestSource


class Scripted:
    """A format whose records a test writes; an exception in the list is raised at its place."""

    kind = "scripted"
    options = Schema

    def __init__(self) -> None:
        self.script: list[Record | Exception] = []
        self.described: list[str] = []
        """Keys of the records that were described."""
        self.remember: Callable[[Source], None] = lambda _: None
        """Called with the source once all records were read."""

    def records(self, source: Source, http: Http) -> Iterator[Record]:  # noqa: ARG002 # the protocol
        for entry in self.script:
            if isinstance(entry, Exception):
                raise entry
            yield entry
        self.remember(source)

    def describe(self, record: Record) -> dict[str, Any]:
        self.described.append(record.key)
        if "raise" in record.body:
            raise record.body["raise"]
        return dict(record.body)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol
        return Rows([])


def titled(key: str, **more: Any) -> Record:
    """A record with its key as the title."""
    return Record(key, {"title": {"en": key}, **more})


def harvest(source: HarvestSource) -> HarvestRun:
    """Run the source; the run as it ended."""
    run = services.run_now(SCHEDULER, source.id)
    return services.runs(SCHEDULER, run.source_id, 0, 1)[0]


def counts(run: HarvestRun) -> tuple[int, ...]:
    """Seen, created, changed, same, refused, withdrawn."""
    return run.seen, run.created, run.changed, run.same, run.refused, run.retired
