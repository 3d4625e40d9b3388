"""A publisher's desk: what is mine, what waits for me, what is late, what is wrong with it, what people asked."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Select, String, and_, case, cast, func, or_, select, true
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import db
from catalog.errors import Denied, Unauthenticated
from catalog.models.dataset import Dataset, Resource
from catalog.models.inquiry import Inquiry
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.table import DataTable
from catalog.models.vocabulary import (
    FREQUENCY_DAYS,
    MemberRole,
    RevisionState,
    State,
)
from catalog.permissions import Identity
from catalog.services import datasets, staleness
from catalog.services.datasets import Freshness
from catalog.services.revisions import OPEN

MOST_COUNTED = 1_000
"""Longer lists are counted up to here only: nobody works through more, and counting costs."""


class Desk(StrEnum):
    """The lists of a desk, in their order."""

    MINE = "mine"
    WAITING = "waiting"
    LATE = "late"
    WRONG = "wrong"
    ASKED = "asked"


class Fault(StrEnum):
    """What may be wrong with a dataset."""

    RESOURCE = "resource"
    """A file or interface could not be read."""
    CELLS = "cells"
    """Cells do not fit what is declared of their column."""
    STALE = "stale"
    """A text changed in one language and not in the other."""
    DESCRIPTION = "description"
    LICENSE = "license"
    LANGUAGE = "language"
    """The title is missing in Chinese or in English."""


@dataclass(frozen=True)
class Proposal:
    """A proposed content and the dataset that it is for."""

    revision: DatasetRevision
    dataset: Dataset


@dataclass(frozen=True)
class Late:
    """A dataset whose update is overdue."""

    dataset: Dataset
    freshness: Freshness


@dataclass(frozen=True)
class Wrong:
    """A dataset and what is wrong with it."""

    dataset: Dataset
    faults: tuple[Fault, ...]


Entry = Proposal | Late | Wrong | Inquiry


def offices(who: Identity, *, also: str = "") -> list[Organization]:
    """The organizations that `who` works for, by title; an administrator works for all that there are.

    With them the one with the id `also`, whose dataset somebody else may edit. Raises Unauthenticated, and Denied
    for an account without any.
    """
    if who.account_id is None:
        raise Unauthenticated("sign in or send an API key to do this")
    statement = select(Organization).where(Organization.deleted_at.is_(None))
    if not who.administrator:
        ids = sorted({*who.organizations, *([also] if also else ())})
        if not ids:
            raise Denied("your account belongs to no department: its publisher can add you")
        statement = statement.where(Organization.id.in_(ids))
    return list(db.session.scalars(statement.order_by(Organization.slug).limit(2_000)))


def counts(who: Identity, today: date) -> dict[Desk, int]:
    """How many things lie on each list, at most MOST_COUNTED; raises what `offices` raises."""
    offices(who)
    return {desk: _count(_statement(who, desk, today)) for desk in Desk}


def listed(who: Identity, desk: Desk, today: date, *, limit: int, offset: int = 0) -> list[Entry]:
    """One page of a list of the desk of `who`; whoever works for nobody finds only what they proposed themselves."""
    statement = _statement(who, desk, today).limit(limit).offset(offset)
    rows = db.session.execute(statement.execution_options(populate_existing=True)).all()
    return [_SHOWN[desk](row, today) for row in rows]


def _statement(who: Identity, desk: Desk, today: date) -> Select[Any]:
    if desk in (Desk.MINE, Desk.WAITING):
        return _proposals(who, desk)
    if desk == Desk.ASKED:
        return _asked(who)
    wanted = _overdue(today) if desk == Desk.LATE else or_(*_FAULTS.values())
    found = select(Dataset).where(_of(who, Dataset.organization_id))
    return (
        found.where(Dataset.state == State.PUBLISHED, wanted)
        .options(
            joinedload(Dataset.organization, innerjoin=True),
            selectinload(Dataset.resources).selectinload(Resource.tables),
        )
        .order_by(Dataset.organization_id, Dataset.slug)
    )


def _proposals(who: Identity, desk: Desk) -> Select[Any]:
    pair: tuple[Any, ...] = (DatasetRevision, Dataset)
    found: Select[Any] = select(*pair).join(Dataset, Dataset.id == DatasetRevision.dataset_id)
    if desk == Desk.MINE:
        found = found.where(
            DatasetRevision.made_by == who.account_id, DatasetRevision.state.in_(OPEN)
        )
    else:
        waiting = (RevisionState.SUBMITTED, RevisionState.APPROVED)
        found = found.where(
            DatasetRevision.state.in_(waiting),
            DatasetRevision.made_by.is_distinct_from(who.account_id),
            _of(who, Dataset.organization_id, MemberRole.PUBLISHER),
        )
    found = found.options(joinedload(Dataset.organization, innerjoin=True))
    return found.order_by(DatasetRevision.made_at.desc(), DatasetRevision.id)


def _asked(who: Identity) -> Select[Any]:
    return (
        select(Inquiry)
        .where(_of(who, Inquiry.organization_id), Inquiry.state == "open")
        .order_by(Inquiry.created_at.desc(), Inquiry.id)
    )


def _of(who: Identity, column: Any, role: MemberRole | None = None) -> ColumnElement[bool]:
    """The condition that a thing belongs to an organization that `who` works for (in this role)."""
    if who.administrator:
        return true()
    ids = [id_ for id_, held in who.organizations.items() if role is None or held is role]
    return column.in_(sorted(ids))  # type: ignore[no-any-return] # a column of any row with an organization


def _overdue(today: date) -> ColumnElement[bool]:
    """What `datasets.freshness` calls late, as a condition of the database."""
    loaded = (
        select(
            func.max(DataTable.loaded_at).label("first"),
            func.max(case((DataTable.release > 1, DataTable.loaded_at))).label("again"),
        )
        .join(Resource, Resource.id == DataTable.resource_id)
        .where(Resource.dataset_id == Dataset.id)
        .correlate(Dataset)
    )
    first = loaded.with_only_columns(func.max(DataTable.loaded_at)).scalar_subquery()
    again = loaded.with_only_columns(
        func.max(case((DataTable.release > 1, DataTable.loaded_at)))
    ).scalar_subquery()
    limits = []
    for frequency, days in FREQUENCY_DAYS.items():
        day = today - timedelta(days=days + max(1, days // 4))
        before = datetime(day.year, day.month, day.day, tzinfo=UTC)
        old = or_(
            and_(Dataset.modified < before, or_(again.is_(None), again < before)),
            and_(Dataset.modified.is_(None), first < before),
        )
        limits.append(and_(Dataset.frequency == frequency, old))
    return or_(*limits)


def _with_resource(*conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    own = select(Resource.id).where(Resource.dataset_id == Dataset.id, *conditions)
    return own.correlate(Dataset).exists()


def _empty(column: Any) -> ColumnElement[bool]:
    return cast(column, String) == "{}"


_TITLE = cast(Dataset.title, String)
_FAULTS: dict[Fault, ColumnElement[bool]] = {
    Fault.RESOURCE: _with_resource(cast(Resource.problem, String) != "{}"),
    Fault.CELLS: _with_resource(
        select(DataTable.id)
        .where(DataTable.resource_id == Resource.id, DataTable.kept_cells > 0)
        .correlate(Resource)
        .exists()
    ),
    Fault.STALE: staleness.is_said(Dataset.text_origins),
    Fault.DESCRIPTION: _empty(Dataset.description),
    Fault.LICENSE: and_(Dataset.access == "open", Dataset.license_id == "notspecified"),
    Fault.LANGUAGE: or_(_TITLE.not_like('%"zh"%'), _TITLE.not_like('%"en"%')),
}


def faults_of(dataset: Dataset) -> tuple[Fault, ...]:
    """What is wrong with a dataset whose resources and tables are loaded."""
    origins = [one for texts in (dataset.text_origins or {}).values() for one in texts.values()]
    tables = [table for resource in dataset.resources for table in resource.tables]
    found = {
        Fault.RESOURCE: any(resource.problem for resource in dataset.resources),
        Fault.CELLS: any(table.kept_cells for table in tables),
        Fault.STALE: any(one.get("stale") for one in origins),
        Fault.DESCRIPTION: not any(dataset.description.values()),
        Fault.LICENSE: dataset.access == "open" and dataset.license_id == "notspecified",
        Fault.LANGUAGE: not (dataset.title.get("zh") and dataset.title.get("en")),
    }
    return tuple(fault for fault, there in found.items() if there)


_SHOWN: dict[Desk, Callable[[Sequence[Any], date], Entry]] = {
    Desk.MINE: lambda row, _: Proposal(row[0], row[1]),
    Desk.WAITING: lambda row, _: Proposal(row[0], row[1]),
    Desk.LATE: lambda row, today: Late(row[0], datasets.freshness(row[0], today)),
    Desk.WRONG: lambda row, _: Wrong(row[0], faults_of(row[0])),
    Desk.ASKED: lambda row, _: row[0],
}


def _count(statement: Select[Any]) -> int:
    ids = statement.with_only_columns(statement.selected_columns[0]).order_by(None)
    return int(
        db.session.scalar(select(func.count()).select_from(ids.limit(MOST_COUNTED).subquery())) or 0
    )
