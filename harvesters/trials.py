"""What a run would do, without doing it: created, changed field by field, refused, withdrawn."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import islice
from typing import Any

from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import CatalogError, Unreadable
from catalog.models.base import new_id
from catalog.models.dataset import Dataset
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.schemas.drafts import Origin
from catalog.services import datasets, revisions, series
from harvesters import items, loads, runs
from harvesters.describing import Describer
from harvesters.harvester import Record
from harvesters.http import Http
from harvesters.models import HarvestRecord, HarvestSource, Result
from harvesters.sealing import source_of
from harvesters.tally import key_of

MOST_KEPT = 1_000
"""Records of a trial that are kept to be shown; the counts are those of all."""
LONGEST_VALUE = 300


@dataclass(frozen=True)
class Change:
    """What would be another in a field; as text, cut where it is long."""

    field: str
    before: str
    after: str


@dataclass(frozen=True)
class Foreseen:
    """What would become of a record."""

    key: str
    result: Result
    changes: list[Change] = field(default_factory=list)
    error: dict[str, Any] = field(default_factory=dict)
    dataset_id: str | None = None


class _Undo(Exception):  # no error: the way out of a transaction
    """Nothing of the transaction is to be kept."""


def foresee(source: HarvestSource, beat: Callable[[], None] = lambda: None) -> Iterator[Foreseen]:
    """Read the whole source and say for each record what a run would do; nothing is written.

    Each record is put and taken back, so that what would be refused is known. Series are taken for what they are now.
    """
    describer, source_id = Describer(source), source.id
    url, options = source.url, source.options
    settings = loads.settings()
    opened = source_of(describer.harvester, url, options, settings.secret_key)
    seen: set[str] = set()
    with Http(settings, beat=beat) as http:
        records = (one for one in describer.harvester.records(opened, http) if not one.is_series)
        while some := list(islice(records, items.AT_ONCE)):
            known = items.known(source_id, [key_of(record) for record in some])
            db.session.rollback()
            for record in some:
                key = key_of(record)
                if record.gone:
                    continue
                yield _of_record(describer, source_id, record, known.get(key), again=key in seen)
                seen.add(key)
    yield from _missing(source_id, seen)


def _of_record(
    describer: Describer,
    source_id: str,
    record: Record,
    known: items.Known | None,
    *,
    again: bool,
) -> Foreseen:
    key = key_of(record)
    try:
        if record.error is not None:
            raise record.error
        if again or not key:
            raise Unreadable("the key %(key)s occurs twice in the source, or is empty", key=key)
        belongs = next(
            filter(
                None, (series.slug_of(SCHEDULER, Origin(source_id, one)) for one in record.series)
            ),
            "",
        )
        if known is not None and known.stands(describer.hash_of(record, belongs)):
            return Foreseen(key, Result.SAME, dataset_id=known.dataset_id)
        return _put_and_taken_back(describer, Origin(source_id, key), record, belongs)
    except CatalogError as error:
        return Foreseen(key, Result.REFUSED, error=runs.told(error))


def _put_and_taken_back(
    describer: Describer, origin: Origin, record: Record, belongs: str
) -> Foreseen:
    draft = describer.draft(record, belongs)
    content = revisions.content_of(draft)
    found: list[Foreseen] = []
    try:
        with transaction():
            before = _content(origin)
            put = datasets.put(SCHEDULER, draft, origin=origin)
            result = Result(put.outcome.value)
            changes = _changes(before, content) if result == Result.CHANGED else []
            known = put.dataset_id if result != Result.CREATED else None
            found.append(Foreseen(origin.record_key, result, changes, dataset_id=known))
            raise _Undo
    except _Undo:
        return found[0]


def _content(origin: Origin) -> dict[str, Any]:
    """What the dataset of the record is now."""
    content = db.session.scalar(
        select(DatasetRevision.content)
        .join(Dataset, Dataset.id == DatasetRevision.dataset_id)
        .where(
            Dataset.source_id == origin.source_id,
            Dataset.record_key == origin.record_key,
            DatasetRevision.number == Dataset.revision,
        )
    )
    return content or {}


def _changes(before: dict[str, Any], after: dict[str, Any]) -> list[Change]:
    return [
        Change(one.field, _text(one.old), _text(one.new))
        for one in revisions.differences(before, after)
    ]


def _text(value: Any) -> str:
    return "" if value is None else str(value)[:LONGEST_VALUE]


def _missing(source_id: str, seen: set[str]) -> Iterator[Foreseen]:
    """Public datasets whose record did not come."""
    there = select(Dataset.record_key, Dataset.id).where(
        Dataset.source_id == source_id, Dataset.state == State.PUBLISHED
    )
    for key, id_ in db.session.execute(there.order_by(Dataset.record_key)).all():
        if key not in seen:
            yield Foreseen(str(key), Result.WITHDRAWN, dataset_id=id_)


def perform(lease: runs.Lease, source: HarvestSource, counts: dict[str, int]) -> None:
    """Foresee, and keep with the run what would be done; `counts` is filled meanwhile."""
    kept, beat = 0, runs.Beat(lease, counts)
    for one in foresee(source, beat):
        name = "retired" if one.result == Result.WITHDRAWN else one.result.value
        counts[name] = counts.get(name, 0) + 1
        counts["seen"] = counts.get("seen", 0) + (one.result != Result.WITHDRAWN)
        beat()
        if one.result == Result.SAME or kept >= MOST_KEPT:
            continue
        kept += 1
        said = {
            "changes": [[change.field, change.before, change.after] for change in one.changes],
            **one.error,
        }
        with transaction():
            runs.hold(lease)
            db.session.add(
                HarvestRecord(
                    id=new_id(),
                    run_id=lease.run_id,
                    key=one.key,
                    step=one.result,
                    dataset_id=one.dataset_id,
                    error=said,
                )
            )
