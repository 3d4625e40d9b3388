"""Files that people and programs upload to resources: kept, sent, and loaded as tables."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path, PurePosixPath
from typing import IO, Any

import structlog
from sqlalchemy import select

from catalog.db import db
from catalog.errors import CatalogError, NotFound
from catalog.files.store import COPY_BYTES, FileStore, file_store
from catalog.models.base import new_id
from catalog.models.dataset import Dataset, Resource
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import ColumnAccess
from catalog.permissions import SCHEDULER, Action, Identity, require
from catalog.queue import job
from catalog.schemas.drafts import DatasetDraft
from catalog.search.analysis import spelled
from catalog.services import resources, table_schema, tables
from catalog.services.revisions import OPEN
from catalog.services.table_journal import folder
from catalog.tabular.reading import ReadOptions, ReadTable, read_files

log = structlog.get_logger(__name__)

FOLDER = "uploads"
NAME, KEY = "upload", "file"
"""What of the file stands among the extras of its resource: its name, and the key it is kept under."""
LOADED = frozenset(
    [
        ".csv",
        ".tsv",
        ".xls",
        ".xlsx",
        ".ods",
        ".json",
        ".geojson",
        ".jsonl",
        ".ndjson",
        ".parquet",
        ".gpkg",
        ".zip",
        ".gz",
        ".dbf",
        ".gml",
        ".kml",
    ]
)
"""Endings of files that may hold tables."""
FORGOTTEN_SECONDS = 86_400.0
MOST_NAME, MOST_ENDING = 100, 21


@dataclass(frozen=True)
class Kept:
    """A file that is in the store."""

    key: str
    size: int


@dataclass(frozen=True)
class Sent:
    """The file of a resource, on its way out."""

    resource: Resource
    name: str
    key: str
    size: int
    store: FileStore

    def pieces(self, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` up to `stop`."""
        with self.store.open(self.key) as file:
            file.seek(start)
            left = stop - start
            while left > 0 and (piece := file.read(min(COPY_BYTES, left))):
                left -= len(piece)
                yield piece


def keep(name: str, content: IO[bytes]) -> Kept:
    """Keep a file that nobody refers to yet; `sweep` forgets it unless a resource soon does."""
    key = f"{FOLDER}/{new_id()}/{name}"
    with file_store().writing(key) as file:
        shutil.copyfileobj(content, file, COPY_BYTES)
        size = file.tell()
    return Kept(key, size)


def extras_of(kept: Kept) -> dict[str, Any]:
    """What stands among the extras of a resource that has this file."""
    return {"url_type": "upload", NAME: kept.key.rpartition("/")[2], KEY: kept.key}


def file_name(given: str) -> str:
    """A name for addresses: lower-case ASCII, Chinese as pinyin, with its ending."""
    name = spelled(PurePosixPath(given.replace("\\", "/")).name).lower().strip()
    name = re.sub(r"-+", "-", re.sub(r"[^a-z0-9_. -]", "", name).replace(" ", "-"))
    stem, dot, ending = name.rpartition(".")
    if not dot:
        return (ending or "file")[:MOST_NAME]
    ending = ending[:MOST_ENDING]
    return f"{(stem.strip('.-') or 'file')[: MOST_NAME - len(ending)]}.{ending}"


def forget(keys: Iterable[str]) -> None:
    """Remove files of which nothing came."""
    for key in keys:
        file_store().delete(key)


def show(who: Identity, resource_id: str) -> Sent:
    """The file of a resource for who may read its dataset's data; raises NotFound where it has none.

    A file holds every column, so that one of a table with hidden columns is for those who may see these.
    """
    resource = resources.show(who, resource_id)
    require(who, Action.TABLE_READ, resource.dataset)
    if any(
        column.access != ColumnAccess.OPEN for table in resource.tables for column in table.columns
    ):
        require(who, Action.COLUMN_READ, resource.dataset)
    extras = resource.extras or {}
    if KEY not in extras:
        raise NotFound("there is no such file")
    store = file_store()  # its bytes leave when the application's context is gone
    with store.open(str(extras[KEY])) as file:
        size = file.seek(0, 2)
    return Sent(resource, str(extras[NAME]), str(extras[KEY]), size, store)


def keys_of(dataset_id: str) -> set[str]:
    """Under which keys the files of a dataset are kept."""
    extras = db.session.scalars(select(Resource.extras).where(Resource.dataset_id == dataset_id))
    return {str(one[KEY]) for one in extras if KEY in (one or {})}


def with_extras(dataset: Dataset, draft: DatasetDraft) -> DatasetDraft:
    """The draft with what it leaves as it is of its files, so that it says all that they are."""
    rows = select(Resource.key, Resource.extras).where(Resource.dataset_id == dataset.id)
    there: dict[str, Any] = dict(db.session.execute(rows).all())
    files = tuple(
        one if one.extras is not None else replace(one, extras=there.get(one.key, {}))
        for one in draft.resources
    )
    return replace(draft, resources=files)


def load_new(dataset_id: str, keys: Iterable[str]) -> None:
    """Ask for the loads of those resources whose file is one of these."""
    wanted = frozenset(keys)
    for resource in db.session.scalars(select(Resource).where(Resource.dataset_id == dataset_id)):
        key = str((resource.extras or {}).get(KEY, ""))
        if key in wanted and Path(key).suffix.lower() in LOADED:
            load_upload.later(resource.id)


@job(retries=3)
def load_upload(resource_id: str) -> None:
    """Make the resource's tables equal to its file; where that fails, the resource says why."""
    resource = db.session.get(Resource, resource_id, populate_existing=True)
    if resource is None or KEY not in (resource.extras or {}):
        return
    try:
        with _read(resource) as read:
            tables.load(SCHEDULER, resource_id, read, reason="upload")
    except CatalogError as error:
        db.session.rollback()
        tables.fail(SCHEDULER, resource_id, error)
        log.info("upload_not_loaded", resource=resource_id, reason=str(error))


@job(every_minutes=1440)
def sweep_uploads() -> None:
    """Forget files that no resource and no proposal refers to."""
    known = {
        str(extras[KEY]) for extras in db.session.scalars(select(Resource.extras)) if KEY in extras
    }
    proposed = select(DatasetRevision.content).where(DatasetRevision.state.in_(OPEN))
    for content in db.session.scalars(proposed):
        for one in content.get("resources", ()):
            known.add(str((one.get("extras") or {}).get(KEY, "")))
    forget(
        key
        for key in list(file_store().keys(FOLDER, unchanged_for=FORGOTTEN_SECONDS))
        if key not in known
    )


@contextmanager
def _read(resource: Resource) -> Iterator[Iterable[ReadTable]]:
    options = ReadOptions.from_json((resource.load or {}).get("read", {}))
    options = table_schema.with_written(options, resource.id)
    with folder() as place:
        file = Path(place) / "sent" / str(resource.extras[NAME])
        file.parent.mkdir()
        with file_store().open(str(resource.extras[KEY])) as kept, file.open("wb") as copy:
            shutil.copyfileobj(kept, copy, COPY_BYTES)
        yield read_files([file], options, Path(place) / "read")
