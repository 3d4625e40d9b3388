"""Making drafts of a source's records, and telling whether a record is the one of before."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import orjson
import structlog
from sqlalchemy import select

import catalog.schemas
import harvesters
from catalog.db import db
from catalog.errors import Unreadable
from catalog.models.group import Group
from catalog.models.slug import slug_from
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft
from harvesters import loads
from harvesters.declaration import titled
from harvesters.harvester import Record
from harvesters.models import HarvestSource
from harvesters.registry import harvester_of

log = structlog.get_logger(__name__)

_SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_NON_STR_KEYS


class Describer:
    """Describes the records of one source; it knows no row that a rolled back transaction would take from it."""

    def __init__(self, source: HarvestSource) -> None:
        self.harvester = harvester_of(source.kind)
        self.slug, self.organization = source.slug, source.organization.slug
        self._zone = ZoneInfo(loads.settings().time_zone)
        self._themes = _themes_for(source)
        self._mark = hashlib.sha256(_code())
        self._mark.update(
            orjson.dumps(
                [
                    *(source.kind, source.url, source.options, self.slug),
                    *(self.organization, source.organization.fields, str(self._zone)),
                    sorted(self._themes or ()),
                ],
                option=_SORTED,
                default=str,
            )
        )

    @property
    def mark(self) -> str:
        """Another one whenever the same record may be described in another way."""
        return self._mark.hexdigest()

    def hash_of(self, record: Record, series: str) -> str:
        """SHA-256 of all that decides what is made of the record; empty for one that is never the same."""
        try:
            packed = orjson.dumps([record.body, series], option=_SORTED, default=str)
        except (orjson.JSONEncodeError, RecursionError):
            return ""
        mark = self._mark.copy()
        mark.update(packed)
        return mark.hexdigest()

    def draft(self, record: Record, series: str = "") -> DatasetDraft:
        """The record as a draft of a dataset; raises what is wrong with it."""
        described = self.described(record)
        if record.series:
            described["series"] = series
        return dataset_draft(described, zone=self._zone, harvested=True)

    def described(self, record: Record) -> dict[str, Any]:
        """The record in the words of its format; raises Unreadable where it is built in another way."""
        try:
            described = self.harvester.describe(record)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            log.warning(
                "record_not_understood", source=self.slug, key=record.key, error=repr(error)
            )
            raise Unreadable("the record is not built as records of this kind are") from error
        if not described.get("slug") and not is_spelled(described.get("title")):
            described = {**described, "slug": slug_from(f"{self.slug}-{titled(record.key)}")}
        if self._themes is not None and described.get("themes"):
            themes = [slug for slug in described["themes"] if slug in self._themes]
            described = {**described, "themes": themes}
        return {"organization": self.organization, **described}


def _themes_for(source: HarvestSource) -> frozenset[str] | None:
    """The themes that a format may guess from the source's own words: those that are here, and those that the operator names.

    None where it does not guess: an unknown theme is a mistake of whoever wrote it then.
    """
    if "themes" not in harvester_of(source.kind).options().fields:
        return None
    named = source.options.get("themes") or {}
    return frozenset((*db.session.scalars(select(Group.slug)), *map(str, named.values())))


def is_spelled(title: Any) -> bool:
    """Whether an address can be made of a title: of two letters or digits, or of one that is spelled."""
    words = map(str, title.values()) if isinstance(title, Mapping) else ()
    return any(
        sum(1 if letter.isascii() else 2 for letter in text if letter.isalnum()) >= 2
        for text in words
    )


@cache
def _code() -> bytes:
    """Hash of the code that describes and checks, so that a new version reads everything anew and nobody need think of it."""
    found = hashlib.sha256()
    for package in (harvesters, catalog.schemas):
        folder = Path(package.__path__[0])
        for file in sorted(folder.rglob("*.py")):
            found.update(file.relative_to(folder).as_posix().encode() + file.read_bytes())
    return found.digest()
