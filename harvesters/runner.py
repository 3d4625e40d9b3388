"""One run: walks a source's records, saves them some at a time, counts, retires.

Records that can be taken are saved together, which costs a fraction of saving each by itself; where one of them cannot, each
gets a transaction of its own, so that the others are taken.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import unquote
from zoneinfo import ZoneInfo

import orjson
import structlog
from sqlalchemy import select
from sqlalchemy.orm import joinedload

from catalog.db import db, transaction
from catalog.errors import CatalogError, Invalid, Unreadable
from catalog.models.base import new_id
from catalog.models.dataset import Dataset
from catalog.models.slug import slug_from
from catalog.models.text import pick
from catalog.models.vocabulary import State
from catalog.permissions import SCHEDULER
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft, Origin
from catalog.schemas.series import series_draft
from catalog.schemas.texts import clean
from catalog.search.analysis import spelled
from catalog.services import datasets, series
from harvesters import loads, runs
from harvesters.declaration import titled
from harvesters.harvester import Harvester, Record, Source
from harvesters.http import Http
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource
from harvesters.registry import harvester_of
from harvesters.sealing import source_of

log = structlog.get_logger(__name__)

BEAT_SECONDS = 1.0
TOGETHER = 100
"""Records that are saved in one transaction."""
LONGEST_RAW = 200_000
MOST_REFUSALS = 1_000
"""Refused records that are kept with their raw text; more are only counted."""


@dataclass(frozen=True)
class Described:
    """A record with the draft that was made of it."""

    key: str
    record: Record
    draft: DatasetDraft


@dataclass(frozen=True)
class Sent:
    """Records that a department's program sent, for a run that fetches nothing."""

    records: Sequence[Record]
    earlier: frozenset[str] | None = None
    """Keys that came in the other batches of a full list that ends with this one; None where no list ends."""


@dataclass
class Tally:
    """What a run has seen and done so far."""

    keys: set[str] = field(default_factory=set)
    gone: set[str] = field(default_factory=set)
    """Keys of records that the source says it has removed."""
    counts: dict[str, int] = field(
        default_factory=lambda: dict.fromkeys(
            ("seen", "created", "changed", "same", "refused", "retired"), 0
        )
    )
    unfetched: list[CatalogError] = field(default_factory=list)
    """Errors of records that could not even be fetched."""
    notes: list[dict[str, Any]] = field(default_factory=list)

    def add(self, what: str, number: int = 1) -> None:
        """Count."""
        self.counts[what] += number


def run(run_id: str, later: loads.Later, sent: Sent | None = None) -> None:
    """Do a run that waits, with what was sent or what the source gives; `later` asks for the load of a resource."""
    runs.end_dead()
    if not runs.claim(run_id):
        return
    found = db.session.get(HarvestRun, run_id, populate_existing=True)
    source = db.session.get(
        HarvestSource,
        found.source_id if found else None,
        populate_existing=True,
        options=[joinedload(HarvestSource.organization)],
    )
    if source is None:  # removed since it was asked for
        return
    walk = Walk(run_id, source, later, sent)
    error: CatalogError | None = None
    try:
        walk.through()
    except CatalogError as caught:
        error = caught
    except Exception:  # the run must end with a sentence, whatever a format stumbled over
        log.exception("harvest_failed", source=source.slug, run=run_id)
        error = CatalogError("an error of the portal stopped this run; its log says more")
    runs.end(run_id, walk.tally.counts, error, walk.tally.notes)


class Walk:
    """A walk through one source."""

    def __init__(
        self, run_id: str, source: HarvestSource, later: loads.Later, sent: Sent | None = None
    ) -> None:
        self.run_id, self.later, self.sent = run_id, later, sent
        self.source_id, self.slug, self.kind = source.id, source.slug, source.kind
        self.url, self.options = source.url, source.options
        self.organization = source.organization.slug
        self.tally = Tally()
        self._said = time.monotonic()
        self._waiting: list[Described] = []
        self._series: dict[str, str] = {}
        """Key of each series that was seen → its address here; empty where it could not be taken."""

    def through(self) -> None:
        """Take all records; retire what vanished only after a walk that came to its end."""
        harvester = harvester_of(self.kind)
        settings = loads.settings()
        source = source_of(harvester, self.url, self.options, settings.secret_key)
        with Http(settings, beat=self.beat) as http:
            try:
                for record in self._records(harvester, source, http):
                    self._take(harvester, record)
                    self.beat()
            finally:
                self._save()
        tally = self.tally
        if tally.unfetched and len(tally.unfetched) == tally.counts["seen"]:
            raise tally.unfetched[0]  # nothing at all came: the source itself is at fault
        self._retire(partial=source.memory.partial)

    def _records(self, harvester: Harvester, source: Source, http: Http) -> Iterable[Record]:
        if self.sent is None:
            return harvester.records(source, http)
        source.memory.partial = self.sent.earlier is None
        return self.sent.records

    def beat(self) -> None:
        """Save what waits, and commit the counters, at most once a second; never inside a record's transaction."""
        if time.monotonic() - self._said < BEAT_SECONDS or "transaction" in db.session.info:
            return
        self._save()
        runs.beat(self.run_id, self.tally.counts)
        self._said = time.monotonic()

    def _take(self, harvester: Harvester, record: Record) -> None:
        key = key_of(record)
        if record.is_series:
            self._take_series(harvester, key, record)
            return
        self.tally.add("seen")
        with self._refusing(key, record):
            if not key:
                raise Invalid("the record has no key")
            if record.gone:
                self.tally.gone.add(key)
                return
            if key in self.tally.keys:
                raise Invalid(
                    "the key %(key)s occurs twice in the source: the first record is kept", key=key
                )
            self.tally.keys.add(key)
            if record.error is not None:
                self.tally.unfetched.append(record.error)
                raise record.error
            described = self._described(harvester, record)
            if record.series:
                described["series"] = self._series_of(record)
            draft = dataset_draft(
                described, zone=ZoneInfo(loads.settings().time_zone), harvested=True
            )
            self._waiting.append(Described(key, record, draft))
        if len(self._waiting) >= TOGETHER:
            self._save()

    def _take_series(self, harvester: Harvester, key: str, record: Record) -> None:
        """A series is saved at once, before the datasets that belong to it; runs count datasets only."""
        self._series.setdefault(key, "")
        with self._refusing(key, record):
            described = self._described(harvester, record)
            if not described.get("slug"):
                described["slug"] = slug_from(spelled(pick(described.get("title") or {}, "en")[0]))
            origin = Origin(self.source_id, key)
            self._series[key] = series.put(SCHEDULER, series_draft(described), origin=origin).slug

    def _series_of(self, record: Record) -> str:
        """The address of the first series of the dataset that is here; one of a later page was seen by the last run."""
        for key in record.series:
            if key not in self._series:
                self._series[key] = series.slug_of(SCHEDULER, Origin(self.source_id, key))
        return next((self._series[key] for key in record.series if self._series[key]), "")

    @contextmanager
    def _refusing(self, key: str, record: Record) -> Iterator[None]:
        """A record that cannot be taken is kept with the reason, and the walk goes on."""
        try:
            yield
        except CatalogError as error:
            self._refuse(key, record, error)
        except Exception as error:  # one broken record must not stop the others
            log.exception("record_failed", source=self.slug, key=key)
            kind = type(error).__name__
            self._refuse(
                key, record, Unreadable("the record could not be taken (%(kind)s)", kind=kind)
            )

    def _described(self, harvester: Harvester, record: Record) -> dict[str, Any]:
        try:
            described = harvester.describe(record)
        except (KeyError, TypeError, ValueError, AttributeError, IndexError) as error:
            log.warning(
                "record_not_understood", source=self.slug, key=record.key, error=repr(error)
            )
            raise Unreadable("the record is not built as records of this kind are") from error
        if not described.get("slug") and not _is_spelled(described.get("title")):
            described = {**described, "slug": slug_from(f"{self.slug}-{titled(record.key)}")}
        return {"organization": self.organization, **described}

    def _save(self) -> None:
        """Save what waits: all together, or each by itself where one of them cannot be taken."""
        waiting, self._waiting = self._waiting, []
        if not waiting:
            return
        try:
            self._put(waiting)
            return
        except CatalogError:
            pass  # which one it was is found out and said below
        except Exception:
            log.exception("records_saved_one_by_one", source=self.slug)
        for one in waiting:
            with self._refusing(one.key, one.record):
                self._put([one])

    def _put(self, records: list[Described]) -> None:
        with transaction() as tx:
            pairs = [(one.draft, Origin(self.source_id, one.key)) for one in records]
            outcomes = datasets.put_all(SCHEDULER, pairs)
            for (draft, _), put in zip(pairs, outcomes, strict=True):
                if any(resource.load for resource in draft.resources):
                    loads.plan(tx, self.run_id, self.source_id, put.dataset_id, self.later)
        for put in outcomes:
            self.tally.add(put.outcome.value)

    def _refuse(self, key: str, record: Record, error: CatalogError) -> None:
        self.tally.add("refused")
        if self.tally.counts["refused"] > MOST_REFUSALS:
            return
        with transaction():
            db.session.add(
                HarvestRecord(
                    id=new_id(),
                    run_id=self.run_id,
                    key=key,
                    error=runs.told(error),
                    raw=without_folder(_raw(record.body), self.url),
                )
            )

    def _retire(self, *, partial: bool) -> None:
        """Withdraw datasets whose records vanished; not when most of them did, unless the source says so itself."""
        published = {
            str(key)
            for key in db.session.scalars(
                select(Dataset.record_key).where(
                    Dataset.source_id == self.source_id, Dataset.state == State.PUBLISHED
                )
            )
        }
        earlier = (self.sent and self.sent.earlier) or frozenset()
        gone = published & self.tally.gone
        vanished = gone if partial else published - self.tally.keys - earlier
        if len(vanished - gone) * 2 > len(published):
            error = Unreadable(
                "%(vanished)s of %(published)s datasets vanished from the source: they are kept, for that "
                "looks like a mistake of the source",
                vanished=len(vanished),
                published=len(published),
            )
            self.tally.notes.append(runs.told(error))
            return
        if vanished:
            self.tally.add(
                "retired", datasets.retire_unseen(SCHEDULER, self.source_id, published - vanished)
            )
        if not partial and self.sent is None:  # series are not sent
            series.retire_unseen(SCHEDULER, self.source_id, self._series)


def key_of(record: Record) -> str:
    """The record's key as the catalogue keeps it."""
    return clean(record.key)[:500]


def _is_spelled(title: Any) -> bool:
    """Whether an address can be made of a title: of two letters or digits, or of one that is spelled."""
    words = map(str, title.values()) if isinstance(title, Mapping) else ()
    return any(
        sum(1 if letter.isascii() else 2 for letter in text if letter.isalnum()) >= 2
        for text in words
    )


def without_folder(text: str, url: str) -> str:
    """The text with paths of a local source as they are below its folder, for all may read it."""
    if url.startswith(("http://", "https://")):
        return text
    place = Path("/" + unquote(url.partition("?")[0]).partition("/")[2].lstrip("/"))
    folder = place.parent if place.suffix else place
    for known in {str(folder), str(folder.resolve())} - {"/"}:
        text = re.sub(rf"(file:(//)?|\w+:///)?{re.escape(known)}(?=[/\"\s]|$)/?", "", text)
    return text


def _raw(body: Any) -> str:
    """The record as JSON text, whatever it holds."""
    stringify: Callable[[Any], str] = str
    try:
        text = orjson.dumps(
            body, default=stringify, option=orjson.OPT_INDENT_2 | orjson.OPT_NON_STR_KEYS
        ).decode()
    except (orjson.JSONEncodeError, RecursionError):
        text = repr(body)
    return text.replace("\x00", "")[:LONGEST_RAW]
