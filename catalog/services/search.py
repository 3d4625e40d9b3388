"""Finding datasets, and keeping the index equal to the database."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from time import monotonic

from flask import current_app
from sqlalchemy import select, update
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from catalog.db import db, transaction
from catalog.errors import Unavailable
from catalog.models.base import Texts
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.group import Group
from catalog.models.license import LICENSES
from catalog.models.organization import Organization
from catalog.models.table import DataTable, TableColumn
from catalog.permissions import Action, Identity, require
from catalog.queue import job
from catalog.search import Document, SearchPage, SearchQuery, search_engine
from catalog.search.documents import document_of

BATCH = 500
"""Datasets that are read and indexed at once."""
LABELS_SECONDS = 60.0
_LABELS = "weft_labels"


@dataclass(frozen=True)
class _Labels:
    titles: Mapping[str, Mapping[str, Texts]]
    until: float


def find(who: Identity, query: SearchQuery) -> SearchPage:  # noqa: ARG001 # the index holds only what everybody may read
    """One page of published datasets with facets; raises BadQuery."""
    return search_engine().search(query)


@job(retries=5)
def index_dataset(dataset_id: str) -> None:
    """Bring the index up to date with this dataset, and with others that wait for it.

    A harvest asks for thousands of these; the first one takes all that wait in one commit of the
    index, so that the rest find nothing to do.
    """
    row = db.session.execute(select(Dataset.index_due).where(Dataset.id == dataset_id)).first()
    if row is None:
        search_engine().delete([dataset_id])
    elif row.index_due is not None:
        index_due_datasets()


@job(retries=5)
def index_due_datasets() -> None:
    """Index every dataset that has changed since it was last indexed."""
    while waiting := _waiting():
        _index(waiting)


def labels() -> Mapping[str, Mapping[str, Texts]]:
    """Titles of the values of the facets that have any: facet → value → texts.

    They are kept for a minute, so that a search asks the database for nothing.
    """
    kept: _Labels | None = current_app.extensions.get(_LABELS)
    if kept is None or kept.until < monotonic():
        organizations = db.session.execute(select(Organization.slug, Organization.title))
        themes = db.session.execute(select(Group.slug, Group.title).order_by(Group.position))
        titles = {
            "organization": dict(organizations.all()),
            "theme": dict(themes.all()),
            "license": {
                license_.id: {"zh": license_.title_zh, "en": license_.title_en}
                for license_ in LICENSES.values()
            },
        }
        kept = current_app.extensions[_LABELS] = _Labels(titles, monotonic() + LABELS_SECONDS)
    return kept.titles


def forget_labels() -> None:
    """Read the titles of organizations and themes anew at the next search of this process."""
    current_app.extensions.pop(_LABELS, None)


@job(every_minutes=10)
def repair_index() -> None:
    """Index what waits (also what a lost job forgot), then compare the index with the database."""
    try:
        indexed = search_engine().ids()
    except Unavailable:
        rebuild_index()
        return
    index_due_datasets()
    published = set(db.session.scalars(select(Dataset.id).where(public())))
    search_engine().delete(sorted(indexed - published))
    missing = iter(sorted(published - indexed - _waiting().keys()))
    while batch := list(islice(missing, BATCH)):
        search_engine().put(_documents(batch))


@job()
def rebuild_index() -> None:
    """Make a new index from the database; searches use the old one until the new one is complete."""
    search_engine().rebuild(_all_documents())


def reindex(who: Identity) -> None:
    """Ask for a new index from the database."""
    require(who, Action.PORTAL_OPERATE)
    rebuild_index.later()


def whole() -> Sequence[ORMOption]:
    """Everything of a dataset that pages, the API and the index show, in one query a level."""
    tables = selectinload(Dataset.resources).selectinload(Resource.tables)
    return (
        joinedload(Dataset.organization),
        selectinload(Dataset.themes),
        tables.selectinload(DataTable.columns),
    )


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
    """Documents of those that are published, read anew; reading only what a document needs."""
    statement = (
        select(Dataset)
        .where(Dataset.id.in_(list(ids)), public())
        .options(*whole(), *_thin())
        .execution_options(populate_existing=True)
    )
    for dataset in db.session.scalars(statement):
        yield document_of(dataset)


def _thin() -> Sequence[ORMOption]:
    columns = (
        selectinload(Dataset.resources)
        .selectinload(Resource.tables)
        .selectinload(DataTable.columns)
        .load_only(TableColumn.name, TableColumn.label, TableColumn.position)
    )
    return (columns,)


def _all_documents() -> Iterator[Document]:
    ids = iter(list(db.session.scalars(select(Dataset.id).where(public()).order_by(Dataset.id))))
    while batch := list(islice(ids, BATCH)):
        yield from _documents(batch)
        db.session.expunge_all()
