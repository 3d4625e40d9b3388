"""One run: walks a source's records, saves them some at a time, counts, withdraws.

Records that can be taken are saved together, which costs a fraction of saving each by itself; where one of them cannot, each
gets a transaction of its own, so that the others are taken. What became of a record is written with its dataset, so that a run
that broke off goes on where it was: what is done counts as done.
"""

from __future__ import annotations

import errno
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from typing import Any

import structlog
from sqlalchemy.exc import InterfaceError, OperationalError
from sqlalchemy.orm import joinedload

from catalog.db import db, transaction
from catalog.errors import CatalogError, Invalid, Unreadable, Unwritable
from catalog.models.base import new_id
from catalog.models.slug import slug_from
from catalog.models.text import pick
from catalog.permissions import SCHEDULER
from catalog.schemas.drafts import Origin
from catalog.schemas.series import series_draft
from catalog.search.analysis import spelled
from catalog.services import datasets, series
from harvesters import items, loads, retiring, runs, trials
from harvesters.describing import Describer
from harvesters.harvester import Memory, Record, Source
from harvesters.http import Http
from harvesters.models import HarvestRecord, HarvestSource, Result
from harvesters.sealing import source_of
from harvesters.tally import Sent, Taken, Tally, key_of

log = structlog.get_logger(__name__)

TOGETHER = 100
"""Records that are saved in one transaction."""
MOST_REFUSALS = 1_000
"""Refused records whose reason is kept with the run; of more, only the last is known at the record."""
NO_ROOM = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EIO})


def run(run_id: str, later: loads.Later, sent: Sent | None = None) -> None:
    """Do a run that waits, or go on with it, with what was sent or what the source gives; `later` asks for the load of a resource."""
    lease = runs.claim(run_id)
    if lease is None:
        return
    source = db.session.get(
        HarvestSource,
        lease.source_id,
        populate_existing=True,
        options=[joinedload(HarvestSource.organization)],
    )
    if source is None:  # pragma: no cover # its runs went with it
        return
    try:
        _walk(lease, source, later, sent)
    except runs.Superseded:
        log.warning("run_superseded", run=run_id, attempt=lease.attempt)
    except (OperationalError, InterfaceError, OSError, Unwritable) as error:
        log.exception("run_put_back", run=run_id, attempt=lease.attempt)
        db.session.rollback()
        runs.put_back(lease)
        raise CatalogError("the portal could not write: the run goes on later") from error


def _walk(lease: runs.Lease, source: HarvestSource, later: loads.Later, sent: Sent | None) -> None:
    """Walk, and end the run with its sentence whatever a format stumbled over; raises when it is the portal that cannot go on."""
    slug, error, walk, tally = source.slug, None, None, Tally()
    try:
        if runs.is_trial(lease):
            trials.perform(lease, source, tally.counts)
        else:
            walk = Walk(lease, source, later, sent)
            tally = walk.tally
            walk.through()
    except CatalogError as caught:
        if is_ours(caught):
            raise
        error = caught
    except Exception as caught:
        if isinstance(caught, runs.Superseded) or is_ours(caught):
            raise
        log.exception("harvest_failed", source=slug, run=lease.run_id)
        error = CatalogError("an error of the portal stopped this run; its log says more")
    memory = walk.kept() if walk and error is None else None
    runs.end(lease, {**tally.counts, "held": tally.held}, error, tally.notes, memory=memory)


def is_ours(error: Exception) -> bool:
    """Whether the portal's own database or disk is at fault, so that it is no use to go on, and no fault of the record."""
    if isinstance(error, OSError):
        return error.errno in NO_ROOM
    return isinstance(error, OperationalError | InterfaceError | Unwritable)


class Walk:
    """A walk through one source."""

    def __init__(
        self, lease: runs.Lease, source: HarvestSource, later: loads.Later, sent: Sent | None = None
    ) -> None:
        self.lease, self.later, self.sent = lease, later, sent
        self.source_id, self.slug = source.id, source.slug
        self.url, self.options = source.url, source.options
        self.most_withdrawn = source.most_withdrawn
        self.tally = Tally()
        self.describer = Describer(source)
        same = source.memory.get("mark") == self.describer.mark
        self.memory = Memory(before=source.memory.get("kept", {}) if same else {})
        if not lease.is_first:
            self.tally.counts |= items.counts(lease)
        self.beat = runs.Beat(lease, self.tally.counts, before=self._save)
        self._coming: list[Taken] = []
        self._series: dict[str, str] = {}
        """Key of each series that was seen → its address here; empty where it could not be taken."""

    def through(self) -> None:
        """Take all records; withdraw what vanished only after a walk that came to its end."""
        harvester = self.describer.harvester
        source = source_of(harvester, self.url, self.options, loads.settings().secret_key)
        with Http(loads.settings(), beat=self.beat) as http:
            try:
                for record in self._records(replace(source, memory=self.memory), http):
                    self._take(record)
                    self.beat()
            finally:
                self._save()
        tally = self.tally
        if tally.first_unfetched and tally.unfetched == tally.counts["seen"]:
            raise tally.first_unfetched  # nothing at all came: the source itself is at fault
        if not self.memory.partial:
            self._retire()
        elif self.sent is None:
            for record in items.refused_before(self.lease):
                self._take(record)
            self._save()

    def _records(self, source: Source, http: Http) -> Iterable[Record]:
        if self.sent is None:
            return self.describer.harvester.records(source, http)
        self.memory.partial = self.sent.earlier is None
        return self.sent.records

    def kept(self) -> dict[str, Any] | None:
        """What the format keeps for the next run; nothing new where that must see again what this one could not finish."""
        if self.tally.unfetched or self.tally.held or self.sent:
            return None
        return {"mark": self.describer.mark, "kept": self.memory.after}

    def _take(self, record: Record) -> None:
        key = key_of(record)
        if record.is_series:
            self._take_series(key, record)
            return
        self._coming.append(Taken(key, record))
        if len(self._coming) >= TOGETHER:
            self._save()

    def _take_series(self, key: str, record: Record) -> None:
        """A series is saved at once, before the datasets that belong to it; runs count datasets only."""
        self._series.setdefault(key, "")
        with self._refusing(Taken(key, record)):
            described = self.describer.described(record)
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
    def _refusing(self, taken: Taken) -> Iterator[None]:
        """A record that cannot be taken is kept with the reason, and the walk goes on."""
        try:
            yield
        except CatalogError as error:
            if is_ours(error):
                raise
            self._refuse(taken, error)
        except Exception as error:  # one broken record must not stop the others
            if isinstance(error, runs.Superseded) or is_ours(error):
                raise
            log.exception("record_failed", source=self.slug, key=taken.key)
            kind = type(error).__name__
            self._refuse(taken, Unreadable("the record could not be taken (%(kind)s)", kind=kind))

    def _save(self) -> None:
        """Save what came: what stands is only marked, the rest all together, or each by itself where one cannot be taken."""
        coming, self._coming = self._coming, []
        if not coming:
            return
        known = items.known(self.source_id, [one.key for one in coming])
        standing: dict[str, items.Known] = {}
        new: dict[str, Taken] = {}
        gone: dict[str, Taken] = {}
        for came in coming:
            before = known.get(came.key)
            again = came.key in {*standing, *new, *gone} or self._has_seen(before)
            one = replace(came, again=again)
            self.tally.add("seen", 0 if one.record.gone else 1)
            with self._refusing(one):
                self._check(one)
                if one.record.gone:
                    gone[one.key] = one
                    continue
                self._uncount(before)
                taken = self._described(one, before)
                if taken.draft is None and before is not None:
                    standing[one.key] = before
                else:
                    new[one.key] = taken
        self._mark(standing)
        self._put_all(list(new.values()))
        self._withdraw(gone, known)

    def _has_seen(self, before: items.Known | None) -> bool:
        lease = (self.lease.run_id, self.lease.attempt)
        return before is not None and (before.run_id, before.attempt) == lease

    def _check(self, one: Taken) -> None:
        """Raise what speaks against the record before it is even looked at."""
        if not one.key:
            raise Invalid("the record has no key")
        if one.again:
            raise Invalid(
                "the key %(key)s occurs twice in the source: the first record is kept", key=one.key
            )
        if one.record.error is not None:
            self.tally.unfetched += 1
            self.tally.first_unfetched = self.tally.first_unfetched or one.record.error
            raise one.record.error

    def _described(self, one: Taken, before: items.Known | None) -> Taken:
        """With its draft, unless it stands as it was taken before."""
        belongs = self._series_of(one.record)
        hash_ = self.describer.hash_of(one.record, belongs)
        if before is not None and before.stands(hash_):
            return replace(one, hash=hash_)
        return replace(one, hash=hash_, draft=self.describer.draft(one.record, belongs))

    def _uncount(self, before: items.Known | None) -> None:
        """A record that an earlier attempt of this run has counted is counted anew."""
        if before and before.run_id == self.lease.run_id and before.result in items.TAKEN:
            self.tally.add("seen", -1)
            self.tally.add(before.result, -1)

    def _mark(self, standing: dict[str, items.Known]) -> None:
        """Say that records are the same; what an earlier attempt of this run has done stays counted as that."""
        if not standing:
            return
        done = [key for key, one in standing.items() if one.run_id == self.lease.run_id]
        same = [key for key, one in standing.items() if one.run_id != self.lease.run_id]
        with transaction() as tx:
            runs.hold(self.lease)
            items.seen_again(self.lease, done, None)
            items.seen_again(self.lease, same, Result.SAME)
            for one in standing.values():
                if one.has_loads and one.dataset_id:
                    loads.plan(tx, self.lease.run_id, self.source_id, one.dataset_id, self.later)
        self.tally.add("same", len(same))
        for key in done:
            self.tally.add(standing[key].result)

    def _put_all(self, records: list[Taken]) -> None:
        try:
            self._put(records)
            return
        except CatalogError:
            pass  # which one it was is found out and said below
        except Exception as error:
            if isinstance(error, runs.Superseded) or is_ours(error):
                raise
            log.exception("records_saved_one_by_one", source=self.slug)
        for one in records:
            with self._refusing(one):
                self._put([one])

    def _put(self, records: list[Taken]) -> None:
        drafts = [(one, one.draft) for one in records if one.draft is not None]
        if not drafts:
            return
        pairs = [(draft, Origin(self.source_id, one.key)) for one, draft in drafts]
        with transaction() as tx:
            runs.hold(self.lease)
            outcomes = datasets.put_all(SCHEDULER, pairs)
            rows = []
            for (one, draft), put in zip(drafts, outcomes, strict=True):
                has_loads = any(resource.load for resource in draft.resources)
                if has_loads:
                    loads.plan(tx, self.lease.run_id, self.source_id, put.dataset_id, self.later)
                rows.append(
                    {
                        "key": one.key,
                        "hash": one.hash,
                        "result": Result(put.outcome.value),
                        "dataset_id": put.dataset_id,
                        "has_loads": has_loads,
                        "raw": items.packed(one.record),
                    }
                )
            items.write(self.lease, rows)
        for put in outcomes:
            self.tally.add(put.outcome.value)

    def _withdraw(self, gone: dict[str, Taken], known: dict[str, items.Known]) -> None:
        """Withdraw what the source says it has removed."""
        ids = [str(known[key].dataset_id) for key in gone if key in known and known[key].dataset_id]
        if ids:
            with transaction():
                runs.hold(self.lease)
                retiring.withdraw(self.source_id, self.lease.run_id, ids)

    def _refuse(self, taken: Taken, error: CatalogError) -> None:
        self.tally.add("refused")
        told = runs.told(error)
        record = taken.record
        with transaction():
            runs.hold(self.lease)
            if taken.key and not taken.again and not record.is_series:
                items.refuse(
                    self.lease, taken.key, told, b"" if record.error else items.packed(record)
                )
            if self.tally.counts["refused"] > MOST_REFUSALS:
                return
            db.session.add(
                HarvestRecord(
                    id=new_id(),
                    run_id=self.lease.run_id,
                    key=taken.key,
                    error=told,
                    raw=items.for_all(record, self.url),
                )
            )

    def _retire(self) -> None:
        """Withdraw datasets whose records vanished; where they are many, a person is asked."""
        if self.sent and self.sent.earlier:
            items.came_earlier(self.lease, sorted(self.sent.earlier))
        vanished = retiring.vanished(self.source_id, self.lease.run_id)
        there = retiring.published(self.source_id)
        if vanished * 100 > there * self.most_withdrawn:
            self.tally.held = vanished
            error = Unreadable(
                "%(vanished)s of %(published)s datasets vanished from the source: they are kept until "
                "somebody has confirmed that they are to be withdrawn",
                vanished=vanished,
                published=there,
            )
            self.tally.notes.append(runs.told(error))
            return
        if vanished:
            hold = partial(runs.hold, self.lease)
            retiring.withdraw_missed(self.source_id, self.lease.run_id, hold)
        if self.sent is None:  # series are not sent
            series.retire_unseen(SCHEDULER, self.source_id, self._series)
