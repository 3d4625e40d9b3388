"""What departments' programs send by themselves: records and rows in batches, each batch once.

A batch is kept under the name that its sender gave it, with what was answered, when all of it was done. One that broke off in the
middle is not, and is sent again: records that were taken by then are the same, and rows are told apart by their key.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import timedelta
from typing import Any

from sqlalchemy import delete, select
from sqlalchemy.exc import IntegrityError

from catalog.db import db, transaction
from catalog.errors import N_, CatalogError, Conflict, Invalid, NotFound, Unavailable
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Action, Identity, require
from catalog.services import table_columns, table_writes
from harvesters import loads, runner, runs, services
from harvesters.harvester import Record
from harvesters.jobs import go_on, load_resource
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource, RunState, SentBatch
from harvesters.registry import harvester_of
from harvesters.sealing import source_of
from harvesters.tally import Sent, key_of

MOST_RECORDS = 1_000
MOST_KEYS = 1_000_000
"""Records of a full list."""
KEPT = timedelta(days=90)
"""So long a batch is known by its name."""
COUNTS = ("seen", "created", "changed", "same", "refused", "retired")
ROWS_WRITTEN = N_(
    "%(record)s: %(inserted)s rows added, %(updated)s changed, %(deleted)s deleted (release %(release)s)"
)
BUSY = N_("another batch of this source is being taken: send this one again in a moment")

Answer = dict[str, Any]


@dataclass(frozen=True)
class Batch:
    """Records as they were sent, perhaps a part of a full list or its end."""

    name: str
    records: Sequence[Mapping[str, Any]]
    list_name: str = ""
    ends_list: bool = False
    """What no batch of the list had is withdrawn."""


@dataclass(frozen=True)
class RowsBatch:
    """Rows for one table, and keys of rows that are to go."""

    name: str
    dataset: str
    """Key of the record."""
    resource: str = "data"
    table: str = "data"
    columns: Sequence[tuple[str, ColumnType]] = ()
    """Of a table that is not there yet."""
    primary_key: Sequence[str] = ()
    records: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    delete: Sequence[Mapping[str, Any]] = field(default_factory=tuple)
    reason: str = ""


def take(who: Identity, slug: str, batch: Batch) -> Answer:
    """Take the records; what was answered. The same batch again changes nothing."""
    source, digest = _sending(who, slug), _digest(batch)
    known = _known(source, batch.name, digest)
    if known is not None:
        return known
    language = _language(source)
    records = [_record(one, language) for one in batch.records]
    earlier = _keys_of(source, batch.list_name) if batch.ends_list else None
    run = _asked(who, source)
    runner.run(run.id, load_resource.later, Sent(records, earlier))
    answer = _answer(batch.name, run.id)
    keys = [key_of(record) for record in records if record.key and not record.gone]
    return _kept(source, batch.name, digest, answer, keys, batch.list_name)


def take_rows(who: Identity, slug: str, batch: RowsBatch) -> Answer:
    """Change, add and delete the rows by their key, all or none of each; what was answered."""
    source, digest = _sending(who, slug), _digest(batch)
    known = _known(source, batch.name, digest)
    if known is not None:
        return known
    resource = _resource(source, batch)
    run = _asked(who, source)
    written = _in_run(run, lambda: _write(who, resource, batch))
    answer = {"batch": batch.name, "run": run.id, "repeated": False, **written}
    return _kept(source, batch.name, digest, answer)


def shown(who: Identity, slug: str, name: str) -> Answer:
    """What was answered to a batch; raises NotFound when it did not arrive whole."""
    source = _sending(who, slug)
    known = _batch(source, name)
    if known is None:
        raise NotFound("no batch “%(name)s” has arrived whole: send it again", name=name[:200])
    return {**known.answer, "repeated": True}


def _sending(who: Identity, slug: str) -> HarvestSource:
    source = services.source(who, slug)
    require(who, Action.SOURCE_RUN, source.organization)
    if source.kind != "push":
        raise Conflict(
            "the source “%(slug)s” is read by the portal: nothing is sent to it", slug=slug
        )
    return source


def _language(source: HarvestSource) -> str:
    opened = source_of(
        harvester_of(source.kind), source.url, source.options, loads.settings().secret_key
    )
    return str(opened.options["language"])


def _record(sent: Mapping[str, Any], language: str) -> Record:
    """The record as the runner takes it; one without a key or a description is refused there."""
    dataset = sent.get("dataset")
    body = {"resources": [], **dataset} if isinstance(dataset, Mapping) else dataset
    return Record(
        str(sent.get("key") or ""),
        {"dataset": body, "language": language},
        gone=sent.get("gone") is True,
    )


def _digest(batch: Batch | RowsBatch) -> str:
    """SHA-256 of what was sent, whatever numbers and letters it holds."""
    return hashlib.sha256(json.dumps(asdict(batch), sort_keys=True).encode()).hexdigest()


def _batch(source: HarvestSource, name: str) -> SentBatch | None:
    return db.session.scalar(
        select(SentBatch).where(SentBatch.source_id == source.id, SentBatch.name == name)
    )


def _known(source: HarvestSource, name: str, digest: str) -> Answer | None:
    """What was answered to this batch before; raises Conflict when something else was sent under its name."""
    known = _batch(source, name)
    if known is None:
        return None
    if known.digest != digest:
        raise Conflict(
            "the batch “%(name)s” came before with another content: give each batch a name of its own",
            name=name,
        )
    return {**known.answer, "repeated": True}


def _keys_of(source: HarvestSource, list_name: str) -> frozenset[str]:
    found: set[str] = set()
    for keys in db.session.scalars(
        select(SentBatch.keys)
        .where(SentBatch.source_id == source.id, SentBatch.list_name == list_name)
        .execution_options(yield_per=100)
    ):
        found.update(keys if list_name else ())
        if len(found) > MOST_KEYS:
            raise Invalid("a full list has at most %(most)s records", most=MOST_KEYS)
    return frozenset(found)


def _asked(who: Identity, source: HarvestSource) -> HarvestRun:
    """A run for the batch; one at a time, so that the end of a list sees all of it."""
    go_on()
    busy = Unavailable(BUSY, retry_after=2)
    if runs.active(source.id) is not None:
        raise busy
    try:
        with transaction():
            return runs.ask(source, who.name)
    except IntegrityError as error:  # it came at the same moment
        raise busy from error


def _answer(name: str, run_id: str) -> Answer:
    """What became of the records; raises what stopped the run."""
    run = db.session.get(HarvestRun, run_id, populate_existing=True)
    if run is None or run.state != RunState.DONE:
        problem = run.problem if run else {}
        raise CatalogError(
            str(
                problem.get("message")
                or N_("something went wrong here; the request id names it in our logs")
            ),
            **problem.get("context", {}),
        )
    refused = db.session.scalars(
        select(HarvestRecord)
        .where(HarvestRecord.run_id == run_id)
        .order_by(HarvestRecord.created_at)
    )
    return {
        "batch": name,
        "run": run_id,
        "repeated": False,
        **{count: getattr(run, count) for count in COUNTS},
        "problems": [{"key": one.key, **one.error} for one in refused if one.step == "record"],
        "notes": list(run.notes),
    }


def _kept(
    source: HarvestSource,
    name: str,
    digest: str,
    answer: Answer,
    keys: Sequence[str] = (),
    list_name: str = "",
) -> Answer:
    """Remember the batch, and forget those of long ago; where the same one came at the same moment, the answer to that stands."""
    with transaction():
        known = _known(source, name, digest)
        if known is not None:
            return known
        db.session.execute(
            delete(SentBatch).where(
                SentBatch.source_id == source.id, SentBatch.created_at < now() - KEPT
            )
        )
        db.session.add(
            SentBatch(
                id=new_id(),
                source_id=source.id,
                name=name,
                list_name=list_name,
                digest=digest,
                keys=list(keys),
                answer=answer,
            )
        )
    return answer


def _resource(source: HarvestSource, batch: RowsBatch) -> Resource:
    found = db.session.scalar(
        select(Resource)
        .join(Dataset, Resource.dataset_id == Dataset.id)
        .where(
            Dataset.source_id == source.id,
            Dataset.record_key == batch.dataset,
            Resource.key == batch.resource,
        )
    )
    if found is None:
        raise NotFound(
            "the source has sent no record “%(dataset)s” with a resource “%(resource)s”: send its description first",
            dataset=batch.dataset,
            resource=batch.resource,
        )
    return found


def _in_run(run: HarvestRun, work: Callable[[], Answer]) -> Answer:
    """Do the work as a run of the source, which ends with it, well or not."""
    lease = runs.claim(run.id)
    if lease is None:
        raise Unavailable(BUSY, retry_after=2)
    error: CatalogError | None = CatalogError(
        "an error of the portal stopped this run; its log says more"
    )
    counts, notes = {"to_load": 1}, []
    try:
        written = work()
        error = None
        counts["loaded"] = 1
        notes = [{"message": ROWS_WRITTEN, "context": written}]
        return written
    except CatalogError as caught:
        error = caught
        counts["load_failed"] = 1
        raise
    finally:
        runs.end(lease, counts, error, notes)


def _write(who: Identity, resource: Resource, batch: RowsBatch) -> Answer:
    table_id, reason = _table(who, resource, batch), batch.reason
    reports = []
    if batch.records:
        reports.append(table_writes.upsert(who, table_id, batch.records, reason=reason))
    if batch.delete:
        reports.append(table_writes.delete(who, table_id, keys=batch.delete, reason=reason))
    if not reports:
        raise Invalid("the batch has neither rows nor keys of rows to delete")
    return {
        "record": batch.dataset,
        "table": table_id,
        "release": reports[-1].release,
        "rows": reports[-1].rows,
        "inserted": sum(report.inserted for report in reports),
        "updated": sum(report.updated for report in reports),
        "deleted": sum(report.deleted for report in reports),
    }


def _table(who: Identity, resource: Resource, batch: RowsBatch) -> str:
    """The id of the table; it is made when the batch says of which columns."""
    found = db.session.scalar(
        select(DataTable.id).where(
            DataTable.resource_id == resource.id, DataTable.key == batch.table
        )
    )
    if found is not None:
        return found
    if not batch.columns or not batch.primary_key:
        raise Invalid(
            "there is no table “%(table)s” yet: say its columns and its primary_key with the first rows",
            table=batch.table,
        )
    made = table_columns.create(
        who,
        resource.id,
        list(batch.columns),
        key=batch.table,
        primary_key=list(batch.primary_key),
        reason=batch.reason,
    )
    return made.id
