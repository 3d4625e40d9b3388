"""`python -m bench.harvest`: records a CPU second through the whole pipeline, new ones with indexing and unchanged ones; memory.

The records are made up by `bench.catalogues`; their format has nothing to do but hand them on, so that what is measured is the
pipeline itself. Jobs run at once, so that the search index is written within.
"""

from __future__ import annotations

import resource
import tempfile
import time
from collections.abc import Iterator, Mapping
from itertools import islice
from pathlib import Path
from typing import Any

import click
from marshmallow import Schema

from bench.catalogues import made_up
from catalog.db import closing
from catalog.permissions import SCHEDULER
from catalog.services import organizations
from catalog.settings import Settings
from harvesters import services
from harvesters.harvester import Content, Record, Rows, Source
from harvesters.http import Http
from harvesters.registry import FORMATS
from harvesters.services import SourceDraft
from wsgi import create_app, upgrade_database


class MadeUp:
    """A format: descriptions that are made up."""

    kind = "made-up"
    options = Schema

    def __init__(self, records: int) -> None:
        self._records = records

    def records(self, source: Source, http: Http) -> Iterator[Record]:  # noqa: ARG002 # the protocol
        """Always the same ones."""
        for number, body in enumerate(islice(made_up(), self._records)):
            yield Record(str(number), body)

    def describe(self, record: Record) -> dict[str, Any]:
        """As it is."""
        return dict(record.body)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol
        """There is none."""
        return Rows([])


@click.command()
@click.option("--records", default=5_000, help="Records of the source.")
def main(records: int) -> None:
    """Harvest a source twice."""
    FORMATS["made-up"] = MadeUp(records)
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(
            data_dir=folder, queue_url="immediate:", secret_key="bench", log_level="WARNING"
        )
        upgrade_database(settings)
        with create_app(settings).app_context(), closing():
            organizations.put(SCHEDULER, "bureau", title={"en": "Bureau"})
            draft = SourceDraft("made-up", {"en": "Made up"}, "made-up", "x", "bureau")
            source_id = services.register(SCHEDULER, draft).id
            for name in ("new", "unchanged"):
                began = time.process_time()
                run = services.run_now(SCHEDULER, source_id)
                spent = time.process_time() - began
                run = services.run(SCHEDULER, source_id, run.id)
                print(
                    f"{name}: {run.seen:,} records ({run.created:,} created, {run.same:,} same), {run.seen / spent:,.0f} a CPU second, "
                    f"memory {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB"
                )


if __name__ == "__main__":
    main()
