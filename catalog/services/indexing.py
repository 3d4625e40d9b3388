"""Keeping the index equal to the database: jobs, what a request wrote, repair."""

from __future__ import annotations

import contextlib
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import cast

import structlog
from flask import current_app, has_request_context
from sqlalchemy import ColumnElement, Row, select, update
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from catalog.db import db, transaction
from catalog.errors import Unavailable
from catalog.models.dataset import Dataset, Resource
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.service import DataService
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require
from catalog.queue import ImmediateQueue, job, job_queue
from catalog.search import Document, search_engine
from catalog.search.documents import document_of, stamp_of
from catalog.search.item_documents import document_of_series, document_of_service

log = structlog.get_logger()
BATCH = 500
"""Datasets that are read and indexed at once."""
MOST_LEVELS = 10
"""Organizations above one: more are a circle."""
GATHER_SECONDS = 0.7
"""Time that the worker leaves between two commits of the index."""
_WRITTEN, _PACE = "weft_written", "weft_pace"


class Written:
    """Items that requests of this process wrote and its searches must find."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.ids: set[str] = set()


class Pace:
    """When this worker last wrote the index."""

    def __init__(self) -> None:
        self.lock = threading.Lock()
        self.last = -GATHER_SECONDS


def changed(*item_ids: str) -> None:
    """Say, once it is committed, that a dataset, a series or a service was written or deleted; or many datasets.

    The very next search of this process finds them as they are; the worker indexes them for all.
    """
    if not item_ids:
        return
    if has_request_context():
        written = _written()
        with written.lock:
            written.ids.update(item_ids)
        if search_engine().shared or not _is_alone():
            _freshen_if_up()
    if len(item_ids) == 1:
        index_dataset.later(*item_ids)
    else:
        index_due_datasets.later()


def _freshen_if_up() -> None:
    """What was written stays written while the engine is down: it is found once the worker has caught up."""
    try:
        freshen()
    except Unavailable:
        log.warning("written_but_not_indexed_yet")


def freshen() -> None:
    """Let the next search find what requests of this process wrote; others wait until it does.

    What the worker has indexed meanwhile is not read again, so that a thousand writes cost a search little.
    """
    written = _written()
    with written.lock:
        if not written.ids:
            return
        ids = sorted(written.ids)
        for batch in _batches(ids):
            waiting = [id_ for id_ in batch if not _is_indexed(id_)] if len(ids) > BATCH else batch
            documents = list(_documents(waiting))
            found = {document.id for document in documents}
            gone = [id_ for id_ in waiting if id_ not in found]
            if search_engine().shared or _is_alone():
                search_engine().show(documents, gone)
            else:  # other processes do not see what this one shows
                search_engine().put(documents)
                search_engine().delete(gone)
        written.ids.clear()


@job(retries=5)
def index_dataset(dataset_id: str) -> None:
    """Bring the index up to date with this item, and with datasets that wait for it.

    A harvest asks for thousands of these; the first one takes all that wait in one commit of the
    index, so that the rest find nothing to do.
    """
    row = db.session.execute(select(Dataset.index_due).where(Dataset.id == dataset_id)).first()
    if row is None:
        documents = list(_documents([dataset_id]))
        if documents:
            search_engine().put(documents)
        else:
            search_engine().delete([dataset_id])
    elif row.index_due is not None:
        index_due_datasets()


@job(retries=5)
def index_due_datasets() -> None:
    """Index every dataset that has changed since it was last indexed."""
    if not _waiting():
        return
    with _gathered():
        while waiting := _waiting():
            _index(waiting)


@job(every_minutes=1)
def catch_up_index() -> None:
    """Index what waits because the engine was down when it was written, or its job was lost."""
    index_due_datasets()


@job(every_minutes=10)
def repair_index() -> None:
    """Index what waits (also what a lost job forgot), then compare the index with the database.

    Items that are missing, that should not be there, or whose content is older than the database's are
    indexed again.
    """
    try:
        indexed = search_engine().stamps()
    except Unavailable:
        rebuild_index()
        return
    index_due_datasets()
    known = {row.id: stamp_of(row.updated_at) for row in _all_rows()}
    search_engine().delete(sorted(indexed.keys() - known.keys()))
    waiting = _waiting()
    drifted = sorted(
        id_ for id_, stamp in known.items() if indexed.get(id_) != stamp and id_ not in waiting
    )
    if len(drifted) > max(BATCH, len(known) // 2):
        rebuild_index()  # a new or a lost index: in one step, and searches never see a part of it
        return
    for batch in _batches(drifted):
        search_engine().put(_documents(batch))


@job()
def rebuild_index() -> None:
    """Make a new index from the database; searches use the old one until the new one is complete."""
    search_engine().rebuild(_all_documents())


def reindex(who: Identity) -> None:
    """Ask for a new index from the database; raises Unavailable if the queue of jobs does not answer."""
    require(who, Action.PORTAL_OPERATE)
    if not rebuild_index.later():
        raise Unavailable("the queue of jobs does not answer")


def rebuild(who: Identity) -> int:
    """Make a new index from the database now; the number of items in it."""
    require(who, Action.PORTAL_OPERATE)
    rebuild_index()
    return len(search_engine().ids())


def whole() -> Sequence[ORMOption]:
    """Everything of a dataset that pages, the API and the index show, in one query a level."""
    tables = selectinload(Dataset.resources).selectinload(Resource.tables)
    return (
        joinedload(Dataset.organization),
        selectinload(Dataset.themes),
        tables.selectinload(DataTable.columns),
    )


def indexable() -> ColumnElement[bool]:
    """The condition that a dataset is found by somebody: drafts and private ones by few."""
    return Dataset.state.in_((State.PUBLISHED, State.DRAFT))


@contextlib.contextmanager
def _gathered() -> Iterator[None]:
    """Not sooner after the last time than GATHER_SECONDS, so that one commit takes what comes meanwhile.

    A commit of the index costs as much as indexing fifty datasets. Requests find their own writes anyway.
    """
    pace = cast("Pace", current_app.extensions.setdefault(_PACE, Pace()))
    with pace.lock:
        rest = pace.last + GATHER_SECONDS - time.monotonic()
        if rest > 0 and not isinstance(job_queue(), ImmediateQueue):
            time.sleep(rest)
        try:
            yield
        finally:
            pace.last = time.monotonic()


def _is_alone() -> bool:
    """Whether this is the only web process."""
    return bool(current_app.extensions["weft"]["settings"].web_processes == 1)


def _written() -> Written:
    return cast("Written", current_app.extensions.setdefault(_WRITTEN, Written()))


def _batches(ids: Iterable[str]) -> Iterator[list[str]]:
    rest = iter(ids)
    while batch := list(islice(rest, BATCH)):
        yield batch


def _is_indexed(item_id: str) -> bool:
    row = db.session.execute(select(Dataset.index_due).where(Dataset.id == item_id)).first()
    return row is not None and row.index_due is None


def _waiting() -> dict[str, datetime | None]:
    statement = (
        select(Dataset.id, Dataset.index_due)
        .where(Dataset.index_due.is_not(None))
        .order_by(Dataset.index_due)
        .limit(BATCH)
    )
    return dict(db.session.execute(statement).all())


def _index(waiting: dict[str, datetime | None]) -> None:
    """Index these and note it; one that changed meanwhile keeps waiting."""
    documents = list(_documents(waiting))
    search_engine().put(documents)
    search_engine().delete(sorted(waiting.keys() - {document.id for document in documents}))
    with transaction():
        for dataset_id, due in waiting.items():
            db.session.execute(
                update(Dataset)
                .where(Dataset.id == dataset_id, Dataset.index_due == due)
                .values(index_due=None)
                .execution_options(synchronize_session=False)
            )


def _documents(ids: Iterable[str]) -> Iterator[Document]:
    """Documents of those that anybody may find, read anew; reading only what a document needs."""
    wanted = list(ids)
    statement = (
        select(Dataset)
        .where(Dataset.id.in_(wanted), indexable())
        .options(*whole(), *_thin())
        .execution_options(populate_existing=True)
    )
    found = set()
    for dataset in db.session.scalars(statement):
        found.add(dataset.id)
        yield document_of(dataset, _above(dataset.organization))
    rest = [id_ for id_ in wanted if id_ not in found]
    if rest:
        yield from _other_documents(rest)


def _other_documents(ids: list[str]) -> Iterator[Document]:
    fresh = {"populate_existing": True}
    services = (
        select(DataService)
        .where(DataService.id.in_(ids), DataService.state == State.PUBLISHED)
        .options(joinedload(DataService.organization))
    )
    for service in db.session.scalars(services, execution_options=fresh):
        yield document_of_service(service, _above(service.organization))
    series = (
        select(DatasetSeries)
        .where(DatasetSeries.id.in_(ids), DatasetSeries.state == State.PUBLISHED)
        .options(joinedload(DatasetSeries.organization))
    )
    for one in db.session.scalars(series, execution_options=fresh):
        yield document_of_series(one, _above(one.organization))


def _above(organization: Organization) -> tuple[str, ...]:
    """The slugs of the organizations that one belongs to, the nearest first."""
    slugs: list[str] = []
    parent = organization.parent_id
    while parent is not None and len(slugs) < MOST_LEVELS:
        above = db.session.get(Organization, parent)
        if above is None:
            break
        slugs.append(above.slug)
        parent = above.parent_id
    return tuple(slugs)


def _thin() -> Sequence[ORMOption]:
    """What a document needs of columns; reading anything else of them, one by one, is an error."""
    columns = (
        selectinload(Dataset.resources)
        .selectinload(Resource.tables)
        .selectinload(DataTable.columns)
        .load_only(
            TableColumn.name,
            TableColumn.label,
            TableColumn.position,
            TableColumn.access,
            raiseload=True,
        )
    )
    return (columns,)


def _all_rows() -> Iterator[Row[str, datetime]]:
    """Id and last change of every item that anybody may find."""
    for statement in (
        select(Dataset.id, Dataset.updated_at).where(indexable()).order_by(Dataset.id),
        select(DataService.id, DataService.updated_at).where(DataService.state == State.PUBLISHED),
        select(DatasetSeries.id, DatasetSeries.updated_at).where(
            DatasetSeries.state == State.PUBLISHED
        ),
    ):
        yield from db.session.execute(statement)


def _all_documents() -> Iterator[Document]:
    for batch in _batches([row.id for row in _all_rows()]):
        yield from _documents(batch)
        db.session.expunge_all()
