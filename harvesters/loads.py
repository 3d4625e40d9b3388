"""Loading the content of harvested resources: which are due, how one is read, what became of it."""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import orjson
import structlog
from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload

from catalog.db import Transaction, db, transaction
from catalog.errors import N_, CatalogError, Unavailable
from catalog.models.base import new_id, now
from catalog.models.dataset import Resource
from catalog.permissions import SCHEDULER
from catalog.services import table_schema, tables
from catalog.settings import Settings
from catalog.tabular.reading import ReadOptions, ReadTable, read_columns, read_files, read_rows
from harvesters.harvester import Columns, Content, Files
from harvesters.http import Http
from harvesters.maps import link_maps
from harvesters.models import HarvestLoad, HarvestRecord, HarvestRun, HarvestSource, LoadState
from harvesters.registry import harvester_of
from harvesters.runs import is_alive, this_worker, told
from harvesters.sealing import source_of

log = structlog.get_logger(__name__)

FORGOTTEN = timedelta(minutes=10)
"""A load that waits for so long while the queue is empty was lost."""
BEAT_SECONDS = 20
MOST_NOTES = 100
"""So many notes a run keeps."""

Later = Callable[[str, str], object]


@dataclass(frozen=True)
class Target:
    """The resource that a load is for, in words that outlive a rolled back transaction."""

    resource_id: str
    dataset_id: str
    key: str


def settings() -> Settings:
    """The portal's settings."""
    return cast("Settings", current_app.extensions["weft"]["settings"])


def plan(tx: Transaction, run_id: str, source_id: str, dataset_id: str, later: Later) -> None:
    """Ask for the loads of the dataset's resources whose content may be new."""
    resources = db.session.scalars(
        select(Resource)
        .where(Resource.dataset_id == dataset_id)
        .execution_options(populate_existing=True)
    ).all()
    wanted = [resource for resource in resources if resource.load]
    ids = [resource.id for resource in wanted]
    known = {
        load.resource_id: load
        for load in db.session.scalars(
            select(HarvestLoad)
            .where(HarvestLoad.resource_id.in_(ids))
            .execution_options(populate_existing=True)
        )
    }
    due = [resource for resource in wanted if _is_due(resource, known.get(resource.id))]
    for resource in due:
        load = known.get(resource.id) or HarvestLoad(resource_id=resource.id, fingerprint="")
        load.source_id, load.run_id = source_id, run_id
        load.state, load.updated_at = LoadState.WAITING, now()
        db.session.add(load)
        tx.after_commit(later, source_id, resource.id)
    if due:
        db.session.execute(
            update(HarvestRun)
            .where(HarvestRun.id == run_id)
            .values(to_load=HarvestRun.to_load + len(due))
        )


def _is_due(resource: Resource, load: HarvestLoad | None) -> bool:
    """Due unless exactly this was loaded well before; without a version only the content can tell.

    A load that waits will see what is new, and one that runs looks again when it is done.
    """
    if load is None:
        return True
    if load.state == LoadState.WAITING or _is_busy(load):
        return False
    if load.state != LoadState.DONE or not resource.load.get("version"):
        return True
    return load.fingerprint != fingerprint_of(resource)


def _is_busy(load: HarvestLoad) -> bool:
    return load.state == LoadState.RUNNING and is_alive(load.worker, load.updated_at)


def fingerprint_of(resource: Resource) -> str:
    """SHA-256 of everything that decides what a load gives."""
    return hashlib.sha256(orjson.dumps(resource.load, option=orjson.OPT_SORT_KEYS)).hexdigest()


def perform(source_id: str, resource_id: str) -> bool:
    """Fetch and load one resource; when that fails, say why and keep the tables that are there.

    True asks for another load, because the resource changed at its source in the meantime.
    """
    source = db.session.get(HarvestSource, source_id, populate_existing=True)
    resource = db.session.get(
        Resource, resource_id, populate_existing=True, options=[joinedload(Resource.dataset)]
    )
    if source is None or resource is None or not resource.load or not _begin(resource_id):
        return False  # it was removed, has nothing to load any more, or is cared for
    fingerprint, slug = fingerprint_of(resource), source.slug
    target = Target(
        resource.id, resource.dataset_id, f"{resource.dataset.record_key or ''} / {resource.key}"
    )
    try:
        report = _load(source, resource)
    except CatalogError as error:
        _failed(target, error)
    except OSError as error:
        log.exception("load_failed", source=slug, resource=resource_id)
        _failed(
            target,
            Unavailable(
                "the content could not be stored: %(reason)s", reason=error.strerror or "I/O"
            ),
        )
    except Exception:  # one broken resource must not stop the others
        log.exception("load_failed", source=slug, resource=resource_id)
        _failed(target, CatalogError("an error of the portal stopped this load; its log says more"))
    else:
        return _done(target, fingerprint, report.notes)
    return False


def _load(source: HarvestSource, resource: Resource) -> tables.LoadReport:
    harvester = harvester_of(source.kind)
    given = source_of(harvester, source.url, source.options, settings().secret_key)
    options = ReadOptions.from_json(resource.load.get("read", {}))
    options = table_schema.with_written(options, resource.id)
    with _folder() as folder, Http(settings(), beat=_Beat(resource.id)) as http:
        content = harvester.content(given, http, resource.load, folder / "fetched")
        read = _read(content, options, folder / "read")
        report = tables.load(SCHEDULER, resource.id, read, reason=f"harvest of {source.slug}")
    link_maps(resource.id)
    return report


@contextmanager
def _folder() -> Iterator[Path]:
    """A folder of its own beside the data, so that large files do not fill the system's."""
    base = Path(settings().data_dir) / "fetch"
    base.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=base) as name:
        for part in ("fetched", "read"):
            (Path(name) / part).mkdir()
        yield Path(name)


def _read(content: Content, options: ReadOptions, into: Path) -> Iterator[ReadTable]:
    if isinstance(content, Files):
        yield from read_files(content.paths, options, into)
    elif isinstance(content, Columns):
        yield read_columns(content.batches, options, into, columns=content.columns)
    else:
        yield read_rows(content.rows, options, into, columns=content.columns)


class _Beat:
    """Says now and then that a load is alive."""

    def __init__(self, resource_id: str) -> None:
        self._resource_id, self._said = resource_id, now()

    def __call__(self) -> None:
        if (now() - self._said).total_seconds() < BEAT_SECONDS or "transaction" in db.session.info:
            return
        self._said = now()
        _set(self._resource_id, updated_at=self._said)


def _set(resource_id: str, **values: object) -> None:
    with transaction():
        db.session.execute(
            update(HarvestLoad).where(HarvestLoad.resource_id == resource_id).values(**values)
        )


def _begin(resource_id: str) -> bool:
    """Whether this process is to do the load: it waits, or whoever did it died."""
    with transaction():
        load = db.session.get(HarvestLoad, resource_id, populate_existing=True)
        if load is None or load.state in {LoadState.DONE, LoadState.FAILED} or _is_busy(load):
            return False
        load.state, load.worker, load.updated_at = LoadState.RUNNING, this_worker(), now()
    return True


def _done(target: Target, fingerprint: str, notes: Sequence[Mapping[str, Any]]) -> bool:
    """Note what was loaded; whether the resource has changed since."""
    resource_id = target.resource_id
    with transaction():
        resource = db.session.get(Resource, resource_id, populate_existing=True)
        changed = (
            resource is not None and bool(resource.load) and fingerprint_of(resource) != fingerprint
        )
        state = LoadState.WAITING if changed else LoadState.DONE
        _set(resource_id, state=state, fingerprint=fingerprint, updated_at=now())
        run_id = _count(resource_id, "loaded")
        if run_id and notes:
            _note(run_id, target, notes)
        if changed:
            _count(resource_id, "to_load")
    return changed


def _note(run_id: str, target: Target, notes: Sequence[Mapping[str, Any]]) -> None:
    """Say in the run what is worth knowing about a load that went well."""
    run = db.session.get(HarvestRun, run_id, populate_existing=True, with_for_update=True)
    if run is None:  # pragma: no cover # it was just counted
        return
    message = N_("%(record)s: %(problem)s")
    said = [
        {"message": message, "context": {"record": target.key, "problem": dict(note)}}
        for note in notes
    ]
    run.notes = [*run.notes, *said][:MOST_NOTES]


def _failed(target: Target, error: CatalogError) -> None:
    """Tell the resource's page and the run's; the next run tries again."""
    tables.fail(SCHEDULER, target.resource_id, error)
    with transaction():
        run_id = _count(target.resource_id, "load_failed")
        _set(target.resource_id, state=LoadState.FAILED, updated_at=now())
        if run_id:
            db.session.add(
                HarvestRecord(
                    id=new_id(),
                    run_id=run_id,
                    key=target.key[:500],
                    step="load",
                    dataset_id=target.dataset_id,
                    error=told(error),
                )
            )


def _count(resource_id: str, what: str) -> str | None:
    """Count what became of a load in its run, if the run is still kept; the run's id."""
    run_id = db.session.scalar(
        select(HarvestLoad.run_id).where(HarvestLoad.resource_id == resource_id)
    )
    column = getattr(HarvestRun, what)
    counted = db.session.scalar(
        update(HarvestRun)
        .where(HarvestRun.id == run_id)
        .values({what: column + 1})
        .returning(HarvestRun.id)
    )
    return str(counted) if counted else None


def lost(*, queue_is_empty: bool) -> Collection[tuple[str, str]]:
    """Source and resource of loads that nobody will do unless they are asked for again."""
    found = db.session.scalars(
        select(HarvestLoad)
        .where(HarvestLoad.state.in_([LoadState.WAITING, LoadState.RUNNING]))
        .execution_options(populate_existing=True)
    ).all()
    return [(load.source_id, load.resource_id) for load in found if _is_lost(load, queue_is_empty)]


def _is_lost(load: HarvestLoad, queue_is_empty: bool) -> bool:  # noqa: FBT001 # private, and named at its only call
    if load.state == LoadState.RUNNING:
        return not _is_busy(load)
    return queue_is_empty and now() - load.updated_at > FORGOTTEN
