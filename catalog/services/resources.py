"""Single resources of a dataset: show one, add one, remove one."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import JSON, ColumnElement, String, cast, delete, false, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import db, transaction
from catalog.errors import Conflict, NotFound
from catalog.models.base import new_id
from catalog.models.dataset import Dataset, Resource, public
from catalog.models.table import DataTable
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.drafts import ResourceDraft
from catalog.services import catalogue, datasets, log
from catalog.services.dataset_visibility import seen, unseen
from catalog.services.tables import serve_table

MOST = 2000
"""Resources of one dataset."""
MOST_DIGITS = 18
"""Of a size or a position that is looked for: more than 64 bits hold none."""
SEARCHED: dict[str, str] = {
    **{name: name for name in ("id", "url", "format", "description", "position", "size")},
    "package_id": "dataset_id",
    "name": "title",
    "mimetype": "media_type",
    "created": "created_at",
    "metadata_modified": "updated_at",
    **dict.fromkeys(
        ("hash", "resource_type", "url_type", "mimetype_inner", "cache_url", "last_modified",
         "cache_last_updated", "state"),
        "extras",
    ),
}  # fmt: skip
"""CKAN's names of a resource's fields → our columns."""
ADDRESSES = ("url", "extras")
"""Columns in which addresses of the data stand."""


def show(who: Identity, resource_id: str) -> Resource:
    """The resource with its dataset and its tables; raises NotFound, or Gone when withdrawn."""
    resource = db.session.scalar(
        select(Resource)
        .where(Resource.id == resource_id)
        .options(
            joinedload(Resource.dataset, innerjoin=True).joinedload(
                Dataset.organization, innerjoin=True
            ),
            selectinload(Resource.tables).selectinload(DataTable.columns),
        )
        .execution_options(populate_existing=True)
    )
    if resource is None:
        raise NotFound("there is no such resource")
    if not allowed(who, Action.DATASET_READ, resource.dataset):
        raise unseen(resource.dataset)
    return resource


def find(
    who: Identity,
    terms: Mapping[str, str],
    *,
    order_by: str,
    limit: int,
    offset: int,
) -> tuple[list[Resource], int]:
    """A page of the resources of public datasets whose fields (SEARCHED) hold the terms, and how many there are.

    By what leads to the data only the data that `who` may have are found.
    """
    conditions = [public(), *(_holds(name, term) for name, term in terms.items())]
    if any(SEARCHED[name] in ADDRESSES for name in (*terms, order_by) if name in SEARCHED):
        conditions.append(catalogue.readable_by(who))
    joined = select(Resource).join(Dataset).where(*conditions)
    count = db.session.scalar(select(func.count()).select_from(joined.subquery())) or 0
    column = getattr(Resource, SEARCHED.get(order_by, "id"))
    if isinstance(column.type, JSON):  # which PostgreSQL cannot order
        column = cast(column, String)
    page = (
        joined.options(joinedload(Resource.dataset, innerjoin=True), selectinload(Resource.tables))
        .order_by(column, Resource.id)
        .limit(limit)
        .offset(offset)
        .execution_options(populate_existing=True)
    )
    return list(db.session.scalars(page)), count


def formats(text: str, limit: int) -> list[str]:
    """Formats of resources that hold the text, the most frequent first."""
    like = f"%{_escaped(text)}%"
    statement = (
        select(Resource.format)
        .where(Resource.format.ilike(like, escape="\\"), Resource.format != "")
        .group_by(Resource.format)
        .order_by(func.count().desc(), Resource.format)
        .limit(limit)
    )
    return list(db.session.scalars(statement))


def exists(resource_id: str) -> bool:
    """Whether there is a resource with this id."""
    return db.session.scalar(select(Resource.id).where(Resource.id == resource_id)) is not None


def add(
    who: Identity,
    dataset_id: str,
    draft: ResourceDraft,
    *,
    extras: Mapping[str, Any] | None = None,
) -> str:
    """Add a resource at the end of a dataset's list; its id. A harvested dataset changes at its source only."""
    with transaction():
        dataset = _editable(who, dataset_id)
        positions = select(func.count(), func.max(Resource.position)).filter_by(
            dataset_id=dataset.id
        )
        count, last = db.session.execute(positions).one()
        if count >= MOST:
            raise Conflict("a dataset has at most %(most)s resources", most=MOST)
        resource = Resource(
            id=new_id(),
            dataset_id=dataset.id,
            key=_free_key(dataset.id, draft.key),
            position=(last if last is not None else -1) + 1,
            extras=dict(extras or {}),
            load={},
            **_fields(draft),
        )
        db.session.add(resource)
        _changed(who, dataset)
    return resource.id


def remove(who: Identity, resource_id: str) -> None:
    """Remove a resource with its tables; a harvested one goes at its source only."""
    with transaction() as tx:
        resource = show(who, resource_id)
        dataset = _editable(who, resource.dataset_id)
        for table in resource.tables:
            tx.after_commit(serve_table.later, table.id)  # its copy goes too
        db.session.execute(delete(Resource).where(Resource.id == resource.id))
        _changed(who, dataset)


def _holds(name: str, term: str) -> ColumnElement[bool]:
    """The condition that a field holds a term, in any case."""
    column = getattr(Resource, SEARCHED[name])
    if name in ("position", "size"):
        is_number = term.isascii() and term.isdigit() and len(term) <= MOST_DIGITS
        return column == int(term) if is_number else false()
    if name in ("created", "metadata_modified"):
        same: ColumnElement[bool] = column == _moment(term)
        return same
    if name == "state":
        return true() if term == "active" else false()
    if SEARCHED[name] == "extras":
        start = "" if name == "hash" else "%"
        starts = [f'%"{name}":{gap}"{start}' for gap in ("", " ")]
        return _written(column, term, starts)
    if isinstance(column.type, JSON):
        return _written(column, term, ["%"])
    holds: ColumnElement[bool] = column.ilike(f"%{_escaped(term)}%", escape="\\")
    return holds


def _written(column: Any, term: str, starts: list[str]) -> ColumnElement[bool]:
    """That JSON holds a term behind one of these beginnings; older rows have blanks and escapes in it."""
    terms = dict.fromkeys((json.dumps(term, ensure_ascii=False)[1:-1], json.dumps(term)[1:-1]))
    text = cast(column, String)
    return or_(
        *(text.ilike(f"{start}{_escaped(one)}%", escape="\\") for start in starts for one in terms)
    )


def _moment(text: str) -> datetime | None:
    try:
        read = datetime.fromisoformat(text)
    except ValueError:
        return None
    return read if read.tzinfo else read.replace(tzinfo=UTC)


def _escaped(text: str) -> str:
    """The text for LIKE, in which nothing stands for anything else."""
    return text.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_")


def _editable(who: Identity, dataset_id: str) -> Dataset:
    dataset = db.session.scalar(
        select(Dataset).where((Dataset.id == dataset_id) | (Dataset.slug == dataset_id))
    )
    known = seen(who, dataset, dataset_id)
    require(who, Action.DATASET_WRITE, known)
    if known.source_id is not None:
        raise Conflict(
            "the dataset “%(slug)s” is harvested: change it at its source", slug=known.slug
        )
    return known


def _changed(who: Identity, dataset: Dataset) -> None:
    """The dataset is no longer what its draft said, so that the same draft would change it again."""
    dataset.fingerprint = ""
    log.about(who, "dataset.changed", dataset, fields=["resources"])
    datasets.touch(dataset.id)


def _free_key(dataset_id: str, wanted: str) -> str:
    taken = set(db.session.scalars(select(Resource.key).filter_by(dataset_id=dataset_id)))
    key, number = wanted, 1
    while key in taken:
        number += 1
        key = f"{wanted[:490]}-{number}"
    return key


def _fields(draft: ResourceDraft) -> dict[str, Any]:
    return {
        "title": dict(draft.title),
        "description": dict(draft.description),
        "format": draft.format,
        "media_type": draft.media_type,
        "url": draft.url,
        "size": draft.size,
    }
