"""Withdrawing what vanished from a source: a share of it at once, more only after a person has said so."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from sqlalchemy import Select, func, select, update

from catalog.db import db, transaction
from catalog.models.dataset import Dataset
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.services import datasets
from harvesters.items import AT_ONCE
from harvesters.models import Decision, HarvestItem, HarvestRun, HarvestSource, Result
from harvesters.runs import Superseded


def vanished(source_id: str, run_id: str) -> int:
    """How many public datasets of the source the run has not seen."""
    return int(db.session.scalar(_missed(func.count(), source_id, run_id)) or 0)


def published(source_id: str) -> int:
    """How many public datasets came from the source."""
    there = select(func.count()).where(
        Dataset.source_id == source_id, Dataset.state == State.PUBLISHED
    )
    return int(db.session.scalar(there) or 0)


def withdraw_missed(source_id: str, run_id: str, hold: Callable[[], None]) -> int:
    """Withdraw what the run has not seen, some at a time; how many. What another process has done counts as done.

    `hold` raises Superseded as soon as the run must not write any more.
    """
    withdrawn = 0
    while True:
        with transaction():
            hold()
            ids = db.session.scalars(
                _missed(Dataset.id, source_id, run_id).order_by(Dataset.id).limit(AT_ONCE)
            ).all()
            withdrawn += withdraw(source_id, run_id, ids)
        if len(ids) < AT_ONCE:
            return withdrawn


def decided() -> list[tuple[str, str]]:
    """Source and its newest run where a person has said that datasets be withdrawn, and it was not done to the end."""
    found = (
        select(HarvestRun.source_id, HarvestRun.id)
        .join(HarvestSource, HarvestSource.last_run_id == HarvestRun.id)
        .where(HarvestRun.held > 0, HarvestRun.decision == Decision.WITHDRAW)
    )
    return [(source_id, run_id) for source_id, run_id in db.session.execute(found)]


def withdraw_held(source_id: str, run_id: str) -> None:
    """Withdraw what a run has held back, while it is the newest of its source: a newer one sees for itself what is gone."""
    try:
        withdraw_missed(source_id, run_id, partial(_hold, source_id, run_id))
    except Superseded:
        return
    with transaction():
        db.session.execute(
            update(HarvestRun)
            .where(HarvestRun.id == run_id)
            .values(held=0)
            .execution_options(synchronize_session=False)
        )


def _hold(source_id: str, run_id: str) -> None:
    """Raise Superseded unless it is decided and no other run was asked for: what that has seen would count as missed."""
    if (source_id, run_id) not in decided():
        raise Superseded(run_id)


def withdraw(source_id: str, run_id: str, ids: Sequence[str]) -> int:
    """Withdraw these datasets and note it at their records, inside the caller's transaction; how many were public."""
    if not ids:
        return 0
    count = datasets.retire(SCHEDULER, ids)
    db.session.execute(
        update(HarvestItem)
        .where(HarvestItem.source_id == source_id, HarvestItem.dataset_id.in_(ids))
        .values(result=Result.WITHDRAWN, run_id=run_id)
        .execution_options(synchronize_session=False)
    )
    db.session.execute(
        update(HarvestRun)
        .where(HarvestRun.id == run_id)
        .values(retired=HarvestRun.retired + count)
        .execution_options(synchronize_session=False)
    )
    return count


def _missed(what: Any, source_id: str, run_id: str) -> Select[Any]:
    seen = (
        select(HarvestItem.key)
        .where(
            HarvestItem.source_id == source_id,
            HarvestItem.key == Dataset.record_key,
            HarvestItem.run_id == run_id,
        )
        .exists()
    )
    return select(what).where(
        Dataset.source_id == source_id, Dataset.state == State.PUBLISHED, ~seen
    )
