"""What became of each record of a source: looked up, written and counted some at a time, so that nothing grows with a run."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote

import orjson
from sqlalchemy import func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import State
from harvesters.harvester import Record
from harvesters.models import HarvestItem, Result
from harvesters.runs import Lease, hold

LONGEST_RAW = 200_000
"""Bytes of a record that are kept, before they are packed."""
AT_ONCE = 200
TAKEN = frozenset({Result.CREATED, Result.CHANGED, Result.SAME})
_WRITTEN = ("dataset_id", "hash", "result", "error", "raw", "has_loads", "run_id", "attempt", "changed_at")  # fmt: skip
_TABLE = HarvestItem.__table__


@dataclass(frozen=True)
class Known:
    """What is known of a record."""

    dataset_id: str | None
    hash: str
    result: Result
    has_loads: bool
    run_id: str
    attempt: int
    state: State | None
    """Of its dataset, if that is there."""

    def stands(self, hash_: str) -> bool:
        """Whether a record of this hash was taken and its dataset is public, so that there is nothing to do."""
        taken = self.result in TAKEN and self.state == State.PUBLISHED
        return bool(hash_) and hash_ == self.hash and taken


def known(source_id: str, keys: Sequence[str]) -> dict[str, Known]:
    """Those of the records that were seen before."""
    item = _TABLE.c
    names = ("dataset_id", "hash", "result", "has_loads", "run_id", "attempt")
    rows = db.session.execute(
        select(item.key, *(item[name] for name in names), Dataset.state)
        .outerjoin(Dataset, Dataset.id == item.dataset_id)
        .where(item.source_id == source_id, item.key.in_(keys))
    )
    return {key: Known(*values) for key, *values in rows}


def write(lease: Lease, rows: Sequence[Mapping[str, Any]]) -> None:
    """Write what became of records: `key`, `hash`, `result` and what else is known; inside the caller's transaction."""
    empty: dict[str, Any] = {"dataset_id": None, "error": {}, "raw": b"", "has_loads": False}
    mark = {"source_id": lease.source_id, "run_id": lease.run_id, "attempt": lease.attempt}
    values = [{**empty, **mark, "changed_at": now(), **row} for row in rows]
    if values:
        db.session.connection().execute(_upsert(), values)


def seen_again(lease: Lease, keys: Sequence[str], result: Result | None) -> None:
    """Mark records as seen; with `result`, this is what became of them in this run."""
    item = _TABLE.c
    values: dict[str, Any] = {"run_id": lease.run_id, "attempt": lease.attempt}
    if result is not None:
        values["result"] = result
    db.session.execute(
        update(HarvestItem)
        .where(item.source_id == lease.source_id, item.key.in_(keys))
        .values(**values)
    )


def refuse(lease: Lease, key: str, error: Mapping[str, Any], raw: bytes) -> None:
    """Note why a record was refused; it still belongs to its dataset of before. Inside the caller's transaction."""
    before = known(lease.source_id, [key]).get(key)
    dataset_id = before.dataset_id if before else None
    row = {"key": key, "result": Result.REFUSED, "error": error, "raw": raw}
    write(lease, [{**row, "dataset_id": dataset_id}])


def came_earlier(lease: Lease, keys: Sequence[str]) -> None:
    """Mark records as seen that came in other batches of the same list."""
    for start in range(0, len(keys), AT_ONCE):
        with transaction():
            hold(lease)
            seen_again(lease, keys[start : start + AT_ONCE], None)


def counts(lease: Lease) -> dict[str, int]:
    """What the run's earlier attempts have done: how many records became what, but for those that are tried again."""
    item = _TABLE.c
    rows = db.session.execute(
        select(item.result, func.count())
        .where(
            item.source_id == lease.source_id,
            item.run_id == lease.run_id,
            item.result.in_(TAKEN),
        )
        .group_by(item.result)
    )
    found = {Result(result).value: int(count) for result, count in rows}
    return {**found, "seen": sum(found.values())}


def refused_before(lease: Lease) -> Iterator[Record]:
    """Records that were refused and did not come in this run, as they were kept, if they were kept whole."""
    item, after = _TABLE.c, ""
    while True:
        rows = db.session.execute(
            select(item.key, item.raw)
            .where(
                item.source_id == lease.source_id,
                item.key > after,
                item.result == Result.REFUSED,
                item.run_id != lease.run_id,
            )
            .order_by(item.key)
            .limit(AT_ONCE)
        ).all()
        for key, raw in rows:
            record = unpacked(key, raw)
            if record is not None:
                yield record
        if len(rows) < AT_ONCE:
            return
        after = rows[-1].key


def packed(record: Record) -> bytes:
    """The record as it is kept: JSON, cut where it is long, compressed."""
    said = {"body": record.body, "series": list(record.series)}
    return zlib.compress(as_json(said).encode("utf-8", "replace"))


def unpacked(key: str, raw: bytes) -> Record | None:
    """The record again; None where it was not kept whole."""
    try:
        said = orjson.loads(zlib.decompress(raw))
        return Record(key, said["body"], series=tuple(said["series"]))
    except (zlib.error, ValueError, TypeError, KeyError):
        return None


def shown(raw: bytes, url: str) -> str:
    """What was kept of a record that was not kept whole."""
    try:
        return without_folder(zlib.decompress(raw).decode("utf-8", "replace"), url)
    except zlib.error:
        return ""


def for_all(record: Record, url: str) -> str:
    """The record as the page of a run shows it to everybody; nothing of one that is to be private."""
    body = record.body
    described = body.get("dataset", body) if isinstance(body, Mapping) else None
    if isinstance(described, Mapping) and described.get("private"):
        return ""
    return without_folder(as_json(body, indent=True), url)


def as_json(body: Any, *, indent: bool = False) -> str:
    """A record's body as JSON text, whatever it holds, cut where it is long."""
    option = orjson.OPT_NON_STR_KEYS | (orjson.OPT_INDENT_2 if indent else 0)
    stringify: Callable[[Any], str] = str
    try:
        text = orjson.dumps(body, default=stringify, option=option).decode()
    except (orjson.JSONEncodeError, RecursionError):
        text = repr(body)
    return text.replace("\x00", "")[:LONGEST_RAW]


def without_folder(text: str, url: str) -> str:
    """The text with paths of a local source as they are below its folder, for all may read it."""
    if url.startswith(("http://", "https://")):
        return text
    place = Path("/" + unquote(url.partition("?")[0]).partition("/")[2].lstrip("/"))
    folder = place.parent if place.suffix else place
    for known in {str(folder), str(folder.resolve())} - {"/"}:
        text = re.sub(rf"(file:(//)?|\w+:///)?{re.escape(known)}(?=[/\"\s]|$)/?", "", text)
    return text


def _upsert() -> Any:
    dialect: Any = postgresql if db.engine.dialect.name == "postgresql" else sqlite
    statement = dialect.insert(_TABLE)
    return statement.on_conflict_do_update(
        index_elements=["source_id", "key"],
        set_={name: statement.excluded[name] for name in _WRITTEN},
    )
