"""Closed lists of the catalogue: access, frequency, states, types of columns."""

from __future__ import annotations

from enum import StrEnum


class Access(StrEnum):
    """Who may have the data: 无条件开放, 有条件开放, 不予开放."""

    OPEN = "open"
    ON_APPLICATION = "on_application"
    CLOSED = "closed"


class State(StrEnum):
    """Where a dataset is in its life; what becomes of a proposed change is said by its revision."""

    DRAFT = "draft"
    """Never published yet: only its department sees it."""
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"
    """Its page says why; its address is never given to another dataset."""


class RevisionState(StrEnum):
    """Where a revision of a dataset is on its way to the public."""

    DRAFT = "draft"
    SUBMITTED = "submitted"
    RETURNED = "returned"
    """With remarks, to be corrected."""
    APPROVED = "approved"
    """To be published at a set moment."""
    PUBLISHED = "published"
    SUPERSEDED = "superseded"
    """Was published, until another was."""
    DISCARDED = "discarded"


class TextOrigin(StrEnum):
    """Who wrote a text in one of its languages."""

    WRITTEN = "written"
    MACHINE = "machine"


class ShareType(StrEnum):
    """共享类型 of the catalogue of government information resources (政务信息资源目录编制指南, 2017, 五-4)."""

    UNCONDITIONAL = "unconditional"
    CONDITIONAL = "conditional"
    NOT_SHARED = "not_shared"


class Frequency(StrEnum):
    """How often a dataset is updated: a subset of the EU authority table `frequency`, in lower case."""

    CONTINUOUS = "continuous"
    DAILY = "daily"
    WEEKLY = "weekly"
    MONTHLY = "monthly"
    QUARTERLY = "quarterly"
    ANNUAL = "annual"
    IRREGULAR = "irregular"
    NEVER = "never"
    UNKNOWN = "unknown"


FREQUENCY_DAYS = {
    Frequency.CONTINUOUS: 1,
    Frequency.DAILY: 1,
    Frequency.WEEKLY: 7,
    Frequency.MONTHLY: 31,
    Frequency.QUARTERLY: 92,
    Frequency.ANNUAL: 366,
}
"""Longest time between two updates, in days, for frequencies that promise one."""


class ColumnType(StrEnum):
    """Types of a table's columns, by their Frictionless Table Schema names (plus `code`-safe text)."""

    STRING = "string"
    INTEGER = "integer"
    NUMBER = "number"
    BOOLEAN = "boolean"
    DATE = "date"
    DATETIME = "datetime"
    GEOMETRY = "geojson"


class ColumnAccess(StrEnum):
    """Who may read the values of a column: everybody who reads the table, masked, or editors only."""

    OPEN = "open"
    MASKED = "masked"
    HIDDEN = "hidden"


class TableState(StrEnum):
    """Whether a table can be read."""

    WAITING = "waiting"
    READY = "ready"
    FAILED = "failed"


class Role(StrEnum):
    """What an account is, portal-wide."""

    ACCOUNT = "account"
    ADMINISTRATOR = "administrator"


class MemberRole(StrEnum):
    """What an account is inside an organization."""

    MEMBER = "member"
    """Reads what is not public yet."""
    EDITOR = "editor"
    PUBLISHER = "publisher"
