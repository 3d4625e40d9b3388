"""What comes into a run, and what it has done so far."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from catalog.errors import CatalogError
from catalog.schemas.drafts import DatasetDraft
from catalog.schemas.texts import clean
from harvesters.harvester import Record


@dataclass(frozen=True)
class Taken:
    """A record that came, with what is known of it, and with the draft that was made of it, if one was needed."""

    key: str
    record: Record
    again: bool = False
    """Whether its key was there before in this walk."""
    hash: str = ""
    draft: DatasetDraft | None = None


@dataclass(frozen=True)
class Sent:
    """Records that a department's program sent, for a run that fetches nothing."""

    records: Sequence[Record]
    earlier: frozenset[str] | None = None
    """Keys that came in the other batches of a full list that ends with this one; None where no list ends."""


@dataclass
class Tally:
    """What a run has seen and done so far."""

    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(("seen", "created", "changed", "same", "refused"), 0)
    )
    unfetched: int = 0
    """How many records could not even be fetched, and why the first could not."""
    first_unfetched: CatalogError | None = None
    notes: list[dict[str, Any]] = field(default_factory=list)
    held: int = 0
    """Datasets that wait for a person before they are withdrawn."""

    def add(self, what: str, number: int = 1) -> None:
        """Count."""
        self.counts[what] += number


def key_of(record: Record) -> str:
    """The record's key as the catalogue keeps it."""
    return clean(record.key)[:500]
