"""`python -m bench.kills`: workers are killed at random moments of their runs; every record must be there exactly once.

Each worker is a process of its own that is forked, does what a worker does, and gets SIGKILL. A run is taken up until it ends or
is given up; then the catalogue is compared with the source, which has changed for each run.
"""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

import click
import orjson
from marshmallow import Schema
from sqlalchemy import select

from catalog.db import closing, db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.services import log, organizations
from catalog.settings import Settings
from harvesters import runner, runs, services
from harvesters.harvester import Content, Record, Rows, Source
from harvesters.http import Http
from harvesters.models import HarvestItem, HarvestRun, RunState, Schedule
from harvesters.registry import FORMATS
from harvesters.services import SourceDraft
from wsgi import create_app, upgrade_database


class Lines:
    """A format: each line of a file is a record."""

    kind = "lines"
    options = Schema

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The lines in their order."""
        for line in Path(source.url).read_bytes().splitlines():
            http.beat()
            body = orjson.loads(line)
            yield Record(body["key"], body)

    def describe(self, record: Record) -> dict[str, Any]:
        """As it stands there."""
        return {key: value for key, value in record.body.items() if key != "key"}

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol
        """There is none."""
        return Rows([])


@dataclass
class Done:
    """What was tried and what came of it."""

    killed: int = 0
    ended: int = 0
    given_up: int = 0
    problems: list[str] = field(default_factory=list)


def try_out(folder: Path, *, times: int, records: int, seed: int) -> Done:
    """Kill so many workers, then let the last run end."""
    FORMATS["lines"] = Lines()
    settings = Settings(data_dir=str(folder), secret_key="only for this", log_level="CRITICAL")
    upgrade_database(settings)
    done, chance = Done(), random.Random(seed)  # noqa: S311 # no secret
    slug, file, length, version = "lines", folder / "lines.jsonl", 1.0, 0
    _in(settings, lambda: _register(slug, file))
    while done.killed < times:
        version += 1
        keys = _write(file, records, version)
        run_id = _in(settings, _ask)
        state = RunState.WAITING
        while state not in {RunState.DONE, RunState.FAILED}:
            began = time.monotonic()
            limit = chance.uniform(0, length) if done.killed < times else 600.0
            if _work(settings, run_id, limit):
                done.killed += 1
            else:
                length = (length + time.monotonic() - began) / 2
            state = _in(settings, partial(_take_up, run_id))

        done.ended += state == RunState.DONE
        done.given_up += state == RunState.FAILED
        if state == RunState.DONE:
            done.problems += _in(settings, partial(_compare, run_id, keys, version))
    return done


def _in(settings: Settings, call: Any) -> Any:
    """What the call gives inside the portal, whose connections are closed before anybody forks."""
    with create_app(settings).app_context(), closing():
        return call()


def _register(slug: str, file: Path) -> None:
    organizations.put(SCHEDULER, "bureau", title={"en": "Bureau"})
    services.register(
        SCHEDULER,
        SourceDraft(
            slug=slug, title={"en": "Lines"}, kind="lines", url=str(file), organization="bureau",
            schedule=Schedule.MANUAL,
        ),
    )  # fmt: skip


def _write(file: Path, records: int, version: int) -> list[str]:
    """A tenth is new, a tenth has gone, a third has changed, as against the version before."""
    step = records // 10
    keys = [f"r{number}" for number in range(version * step, version * step + records)]
    lines = [
        orjson.dumps(
            {"key": key, "title": {"en": f"Record {key}"}, "tags": [f"v{_state(place, version)}"]}
        )
        for place, key in zip(map(_number, keys), keys, strict=True)
    ]
    file.write_bytes(b"\n".join(lines))
    return keys


def _number(key: str) -> int:
    return int(key[1:])


def _state(number: int, version: int) -> int:
    return (version + number) // 3


def _ask() -> str:
    with transaction():
        return runs.ask(services.source(SCHEDULER, "lines"), "bench").id


def _take_up(run_id: str) -> RunState:
    runs.take_up()
    return db.session.get_one(HarvestRun, run_id).state


def _work(settings: Settings, run_id: str, limit: float) -> bool:
    """Whether a worker that does the run had to be killed after `limit` seconds."""
    child = os.fork()
    if child == 0:
        code = 1
        try:
            _in(settings, lambda: runner.run(run_id, lambda *_: None))
            code = 0
        finally:
            os._exit(code)
    end = time.monotonic() + limit
    while time.monotonic() < end:
        if os.waitpid(child, os.WNOHANG)[0]:
            return False
        time.sleep(0.002)
    os.kill(child, signal.SIGKILL)
    os.waitpid(child, 0)
    return True


def _compare(run_id: str, keys: list[str], version: int) -> list[str]:
    """What is not as the source has it."""
    run = db.session.get_one(HarvestRun, run_id)
    public = db.session.execute(
        select(Dataset.record_key, Dataset.tags).where(Dataset.state == State.PUBLISHED)
    ).all()
    found = []
    if Counter(key for key, _ in public) != Counter(keys):
        found.append(f"version {version}: other records are public than the source has")
    if any(tags != [f"v{_state(_number(key), version)}"] for key, tags in public):
        found.append(f"version {version}: a record is not as the source has it")
    if run.seen != len(keys) or run.seen != run.created + run.changed + run.same:
        found.append(f"version {version}: the run has counted {run.seen} of {len(keys)} records")
    if db.session.scalars(select(Dataset.id)).all() and log.verify()[1] is not None:
        found.append(f"version {version}: the log does not hold")
    twice = db.session.scalars(select(HarvestItem.key).where(HarvestItem.run_id == run_id)).all()
    if set(twice) < set(keys):
        found.append(f"version {version}: the run does not know all its records")
    return found


@click.command()
@click.option("--times", default=200, help="Workers that are killed.")
@click.option("--records", default=200, help="Records of the source.")
@click.option("--seed", default=6, help="Decides on the moments.")
def main(times: int, records: int, seed: int) -> None:
    """Kill, go on, compare; fails when something is lost or doubled."""
    with tempfile.TemporaryDirectory() as name:
        done = try_out(Path(name), times=times, records=records, seed=seed)
    for problem in done.problems:
        print(problem)
    print(f"{done.killed} workers killed, {done.ended} runs ended, {done.given_up} given up")
    raise SystemExit(bool(done.problems))


if __name__ == "__main__":
    main()
