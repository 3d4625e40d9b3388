"""Copies of the whole catalogue as files: JSON lines and Parquet, made once for each state of it and kept."""

from __future__ import annotations

import hashlib
import logging
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, Any

import orjson
import pyarrow as pa
import pyarrow.parquet as pq
from flask import Flask, current_app

from catalog.errors import CatalogError, NotFound
from catalog.files import file_store
from catalog.files.making import Made, Recipe, makings
from catalog.permissions import ANYONE
from catalog.queue import job
from catalog.schemas.dataset import dataset_json
from catalog.search.documents import formats_of, last_change
from catalog.services import catalogue
from catalog.tabular.sink import Sink

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

log = logging.getLogger(__name__)

FOLDER = "catalogue"
EDITION = 1
"""To be raised with every change of what the files hold."""
GZIP = 16 + zlib.MAX_WBITS
PATIENCE_SECONDS = 60.0
"""How long a call waits for the first copy; later ones find the one before."""
GRACE_SECONDS = 3_600.0
"""How long an older copy stays, for downloads that go on where they broke off."""
ROWS = 1_000
SCHEMA = pa.schema(
    [
        pa.field(name, kind)
        for name, kind in {
            "id": pa.string(),
            "slug": pa.string(),
            "identifier": pa.string(),
            "title_zh": pa.string(),
            "title_en": pa.string(),
            "description_zh": pa.string(),
            "description_en": pa.string(),
            "organization": pa.string(),
            "organization_zh": pa.string(),
            "organization_en": pa.string(),
            "themes": pa.list_(pa.string()),
            "tags": pa.list_(pa.string()),
            "formats": pa.list_(pa.string()),
            "license": pa.string(),
            "access": pa.string(),
            "frequency": pa.string(),
            "spatial": pa.string(),
            "spatial_code": pa.string(),
            "temporal_start": pa.string(),
            "temporal_end": pa.string(),
            "landing_page": pa.string(),
            "resources": pa.int32(),
            "tables": pa.int32(),
            "rows": pa.int64(),
            "uses": pa.int64(),
            "issued": pa.timestamp("us", tz="UTC"),
            "modified": pa.timestamp("us", tz="UTC"),
            "created_at": pa.timestamp("us", tz="UTC"),
            "updated_at": pa.timestamp("us", tz="UTC"),
            "json": pa.string(),
        }.items()
    ]
)
"""Columns of the Parquet file; `json` is the line of the other one."""


@dataclass(frozen=True)
class Copy:
    """A file of the whole catalogue that is kept."""

    key: str
    tag: str
    media_type: str
    bytes: int
    size: catalogue.Size


def find(kind: str) -> Copy:
    """The copy of the present state; while that is being made, the one before. Raises NotFound, Unavailable."""
    if kind not in KINDS:
        raise NotFound("there is no download in the format “%(format)s”", format=kind[:40])
    size = catalogue.size(ANYONE)
    key = _key(size, kind)
    kept = _kept(kind)
    if key not in kept:
        older = max(kept, default="")
        if older:
            makings().reading(_recipe(kind, key)).close()
            key = older
        else:
            makings().finished(_recipe(kind, key), PATIENCE_SECONDS)
    return _copy(key, kind, size)


def open_copy(copy: Copy) -> IO[bytes]:
    """The file for reading from any place of it; raises NotFound."""
    return file_store().open(copy.key)


@job(every_minutes=30)
def keep_catalogue_copies() -> None:
    """Make the copies of the present state, and let go those of before."""
    size = catalogue.size(ANYONE)
    for kind in KINDS:
        key = _key(size, kind)
        try:
            if key not in _kept(kind):
                makings().finished(_recipe(kind, key), PATIENCE_SECONDS * 60)
        except CatalogError as error:
            log.warning("no copy of the catalogue was made: %s", error)
            continue
        for old in list(file_store().keys(FOLDER, unchanged_for=GRACE_SECONDS)):
            if old.endswith(f".{kind}") and old != key:
                file_store().delete(old)


def _copy(key: str, kind: str, size: catalogue.Size) -> Copy:
    with file_store().open(key) as file:
        length = file.seek(0, 2)
    tag = hashlib.sha256(key.encode()).hexdigest()[:24]
    return Copy(key, tag, KINDS[kind].media_type, length, size)


def _key(size: catalogue.Size, kind: str) -> str:
    """Sorts by the moment of the state; names all that the bytes depend on."""
    state = hashlib.sha256(repr((EDITION, size)).encode()).hexdigest()[:12]
    return f"{FOLDER}/{size.changed:%Y%m%dT%H%M%S%f}-{state}.{kind}"


def _kept(kind: str) -> set[str]:
    return {key for key in file_store().keys(FOLDER) if key.endswith(f".{kind}")}


def _recipe(kind: str, key: str) -> Recipe:
    """How the file is made by a thread of its own."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # werkzeug's documented way

    def pieces() -> Iterator[bytes]:
        with app.app_context():
            yield from KINDS[kind].write(catalogue.all(ANYONE))

    def known() -> Made | None:
        with app.app_context():
            if key not in _kept(kind):
                return None
            with file_store().open(key) as file:
                return Made(file.seek(0, 2), "")

    return Recipe(key, pieces, lambda _: None, known)


def _lines(datasets: Iterable[Dataset]) -> Iterator[bytes]:
    """A dataset a line, as the API describes it, gzipped; equal catalogues give equal bytes."""
    packer = zlib.compressobj(6, zlib.DEFLATED, GZIP)
    for dataset in datasets:
        yield packer.compress(_line(dataset) + b"\n")
    yield packer.flush()


def _line(dataset: Dataset) -> bytes:
    return orjson.dumps(
        dataset_json(dataset, "en", readable=catalogue.is_readable(ANYONE, dataset))
    )


def _parquet(datasets: Iterable[Dataset]) -> Iterator[bytes]:
    sink = Sink()
    with pq.ParquetWriter(pa.PythonFile(sink, mode="w"), SCHEMA, compression="zstd") as writer:
        waiting: list[Mapping[str, Any]] = []
        for dataset in datasets:
            waiting.append(_row(dataset))
            if len(waiting) == ROWS:
                writer.write_table(pa.Table.from_pylist(waiting, SCHEMA))
                waiting = []
                yield sink.take()
        if waiting:
            writer.write_table(pa.Table.from_pylist(waiting, SCHEMA))
    yield sink.take()


def _row(dataset: Dataset) -> dict[str, Any]:
    tables = [table for resource in dataset.resources for table in resource.tables]
    owner = dataset.organization
    same = (
        "id", "slug", "identifier", "spatial", "spatial_code", "temporal_start", "temporal_end", "landing_page", "uses",
        "issued", "created_at", "updated_at", "tags",
    )  # fmt: skip
    return {
        **{name: getattr(dataset, name) for name in same},
        "title_zh": dataset.title.get("zh"),
        "title_en": dataset.title.get("en"),
        "description_zh": dataset.description.get("zh"),
        "description_en": dataset.description.get("en"),
        "organization": owner.slug,
        "organization_zh": owner.title.get("zh"),
        "organization_en": owner.title.get("en"),
        "themes": [theme.slug for theme in dataset.themes],
        "formats": list(formats_of(dataset)),
        "license": dataset.license_id,
        "access": str(dataset.access),
        "frequency": str(dataset.frequency),
        "resources": len(dataset.resources),
        "tables": len(tables),
        "rows": sum(table.rows for table in tables),
        "modified": last_change(dataset),
        "json": _line(dataset).decode(),
    }


@dataclass(frozen=True)
class Kind:
    """A kind of copy."""

    media_type: str
    write: Callable[[Iterable[Dataset]], Iterator[bytes]]


KINDS = {
    "jsonl.gz": Kind("application/gzip", _lines),
    "parquet": Kind("application/vnd.apache.parquet", _parquet),
}
"""Ending → how it is written."""
