"""Harvest sources, their runs, the records that could not be taken, and the loads that are due."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import ForeignKey, Index, Integer, LargeBinary, String, Text, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from catalog.models.base import Base, Texts, new_id, now
from catalog.models.organization import Organization
from harvesters.addresses import shown


class Schedule(StrEnum):
    """How often a source is harvested by itself."""

    MANUAL = "manual"
    HOURLY = "hourly"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    CRON = "cron"
    """At the moments that a line of crontab names."""


class RunState(StrEnum):
    """Where a run is in its life."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class Decision(StrEnum):
    """What a person said about datasets that a run would withdraw."""

    OPEN = ""
    WITHDRAW = "withdraw"
    KEEP = "keep"


class Result(StrEnum):
    """What became of a record the last time that it was seen, or missed."""

    CREATED = "created"
    CHANGED = "changed"
    SAME = "same"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class LoadState(StrEnum):
    """Where the load of a resource is."""

    WAITING = "waiting"
    RUNNING = "running"
    DONE = "done"
    FAILED = "failed"


class HarvestSource(Base):
    """A department's system that datasets are read from."""

    __tablename__ = "harvest_source"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    slug: Mapped[str] = mapped_column(String(100), unique=True)
    title: Mapped[Texts]
    description: Mapped[Texts] = mapped_column(default=dict)
    kind: Mapped[str] = mapped_column(String(40))
    url: Mapped[str] = mapped_column(Text)
    options: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """As the operator wrote them; secrets are sealed (see harvesters/sealing.py)."""
    organization_id: Mapped[str] = mapped_column(ForeignKey("organization.id"), index=True)
    schedule: Mapped[Schedule] = mapped_column(String(20), default=Schedule.DAILY)
    cron: Mapped[str] = mapped_column(String(100), default="")
    """The moments of the schedule `cron`, as crontab writes them, in the portal's time zone."""
    most_withdrawn: Mapped[int] = mapped_column(Integer, default=50)
    """Of a hundred datasets; a run that would withdraw more waits for a person."""
    rules: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """For rules of cleaning; nothing reads it yet."""
    alerts: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """For who is told of trouble; nothing reads it yet."""
    memory: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """What the format kept of the last run that came to its end, with the mark of what read it."""
    next_run_at: Mapped[datetime | None]
    last_run_id: Mapped[str | None] = mapped_column(String(36))
    created_at: Mapped[datetime] = mapped_column(default=now)

    organization: Mapped[Organization] = relationship(lazy="raise")
    last_run: Mapped[HarvestRun | None] = relationship(
        primaryjoin="foreign(HarvestSource.last_run_id) == HarvestRun.id",
        viewonly=True,
        lazy="raise",
    )

    @property
    def public_url(self) -> str:
        """The address as people may see it: nothing where it is no address of the web."""
        return shown(self.url) if self.url.startswith(("http://", "https://")) else ""


class HarvestRun(Base):
    """One walk through a source; a source has at most one that waits or runs."""

    __tablename__ = "harvest_run"
    __table_args__ = (
        Index(
            "ix_harvest_run_active",
            "source_id",
            unique=True,
            sqlite_where=text("state IN ('waiting', 'running')"),
            postgresql_where=text("state IN ('waiting', 'running')"),
        ),
        Index("ix_harvest_run_source_created", "source_id", "created_at"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    source_id: Mapped[str] = mapped_column(ForeignKey("harvest_source.id", ondelete="CASCADE"))
    state: Mapped[RunState] = mapped_column(String(20), default=RunState.WAITING)
    seen: Mapped[int] = mapped_column(Integer, default=0)
    created: Mapped[int] = mapped_column(Integer, default=0)
    changed: Mapped[int] = mapped_column(Integer, default=0)
    same: Mapped[int] = mapped_column(Integer, default=0)
    refused: Mapped[int] = mapped_column(Integer, default=0)
    retired: Mapped[int] = mapped_column(Integer, default=0)
    to_load: Mapped[int] = mapped_column(Integer, default=0)
    """Resources whose content is new to the portal."""
    loaded: Mapped[int] = mapped_column(Integer, default=0)
    load_failed: Mapped[int] = mapped_column(Integer, default=0)
    problem: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Why the run failed: `{"message": msgid, "context": {…}, "code": …}`."""
    notes: Mapped[list[Any]] = mapped_column(default=list)
    """What else is worth knowing, in the same form."""
    held: Mapped[int] = mapped_column(Integer, default=0)
    """Datasets that are not withdrawn before a person has said so, for they are many."""
    decision: Mapped[Decision] = mapped_column(String(20), default=Decision.OPEN)
    decided_by: Mapped[str] = mapped_column(String(200), default="")
    is_trial: Mapped[bool] = mapped_column(default=False)
    """Whether it only says what it would do."""
    asked_by: Mapped[str] = mapped_column(String(200), default="")
    attempt: Mapped[int] = mapped_column(Integer, default=0)
    """How often a worker has taken it up; who has an older number must not write any more."""
    worker: Mapped[str] = mapped_column(String(200), default="")
    """Machine and process that do the work."""
    created_at: Mapped[datetime] = mapped_column(default=now)
    started_at: Mapped[datetime | None]
    heartbeat_at: Mapped[datetime | None]
    ended_at: Mapped[datetime | None]

    @property
    def ended(self) -> bool:
        """Whether the walk is over, well or not."""
        return self.state in {RunState.DONE, RunState.FAILED}


class HarvestItem(Base):
    """A record of a source as it was last seen, and what became of it."""

    __tablename__ = "harvest_item"

    source_id: Mapped[str] = mapped_column(
        ForeignKey("harvest_source.id", ondelete="CASCADE"), primary_key=True
    )
    key: Mapped[str] = mapped_column(String(500), primary_key=True)
    dataset_id: Mapped[str | None] = mapped_column(String(36), index=True)
    hash: Mapped[str] = mapped_column(String(64), default="")
    """SHA-256 of the record and of everything that decides what is made of it."""
    result: Mapped[Result] = mapped_column(String(20))
    error: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """Why it was refused, as in HarvestRecord."""
    raw: Mapped[bytes] = mapped_column(LargeBinary, default=b"")
    """The record, see harvesters/items.py."""
    has_loads: Mapped[bool] = mapped_column(default=False)
    """Whether there is content to load: it may be new although the record is the same."""
    run_id: Mapped[str] = mapped_column(String(36))
    """The run that saw it last."""
    attempt: Mapped[int] = mapped_column(Integer)
    changed_at: Mapped[datetime] = mapped_column(default=now)
    """When the record, or what became of it, was last another one."""


class HarvestRecord(Base):
    """A record that could not be taken, kept raw, or a resource that could not be loaded."""

    __tablename__ = "harvest_record"

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    run_id: Mapped[str] = mapped_column(
        ForeignKey("harvest_run.id", ondelete="CASCADE"), index=True
    )
    key: Mapped[str] = mapped_column(String(500))
    step: Mapped[str] = mapped_column(String(10), default="record")
    """`record` or `load`."""
    dataset_id: Mapped[str | None] = mapped_column(String(36))
    """For a load: the dataset whose resource it is."""
    error: Mapped[dict[str, Any]] = mapped_column(default=dict)
    """`{"message": msgid, "context": {…}, "code": …, "problems": {field: sentences}}`."""
    raw: Mapped[str] = mapped_column(Text, default="")
    """The record as JSON text, cut when it is long."""
    created_at: Mapped[datetime] = mapped_column(default=now)


class HarvestLoad(Base):
    """What is known about the content of a harvested resource."""

    __tablename__ = "harvest_load"

    resource_id: Mapped[str] = mapped_column(
        ForeignKey("resource.id", ondelete="CASCADE"), primary_key=True
    )
    source_id: Mapped[str] = mapped_column(
        ForeignKey("harvest_source.id", ondelete="CASCADE"), index=True
    )
    run_id: Mapped[str] = mapped_column(String(36))
    """The run that asked for it last."""
    state: Mapped[LoadState] = mapped_column(String(20), default=LoadState.WAITING)
    fingerprint: Mapped[str] = mapped_column(String(64), default="")
    """Of the resource's `load` when its content was last loaded well."""
    worker: Mapped[str] = mapped_column(String(200), default="")
    updated_at: Mapped[datetime] = mapped_column(default=now)


class SentBatch(Base):
    """A batch that a department's program sent, so that the same one changes nothing when it comes again."""

    __tablename__ = "harvest_sent_batch"
    __table_args__ = (
        Index("ix_harvest_sent_batch_name", "source_id", "name", unique=True),
        Index("ix_harvest_sent_batch_list", "source_id", "list_name"),
    )

    id: Mapped[str] = mapped_column(String(36), primary_key=True, default=new_id)
    source_id: Mapped[str] = mapped_column(ForeignKey("harvest_source.id", ondelete="CASCADE"))
    name: Mapped[str] = mapped_column(String(200))
    """As the sender calls it."""
    list_name: Mapped[str] = mapped_column(String(200), default="")
    """The full list that it is a part of."""
    digest: Mapped[str] = mapped_column(String(64))
    """SHA-256 of what was sent."""
    keys: Mapped[list[Any]] = mapped_column(default=list)
    """Keys of the records that are there, for the end of the list."""
    answer: Mapped[dict[str, Any]] = mapped_column(default=dict)
    created_at: Mapped[datetime] = mapped_column(default=now)
