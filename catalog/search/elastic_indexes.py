"""The indexes of a portal in Elasticsearch: which one is current, and how another takes its place.

    <prefix>                the alias that searches ask and writers write to
    <prefix>-next           the alias of the index that a rebuild is filling, while it does
    <prefix>-v<version>-…   the indexes; a rebuild leaves one behind
    <prefix>-fill-…         the alias of one rebuild alone, for its own documents

While a rebuild fills the next index, everybody who writes writes to both. The rebuild only *creates*
documents there, so that it never replaces a newer one, and what is deleted meanwhile leaves a mark
there, so that the rebuild, which may have read it before, does not bring it back.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from typing import Any, cast

import orjson
from elasticsearch import BadRequestError, NotFoundError

from catalog.errors import Unavailable
from catalog.search.elastic_client import Caller, body_of
from catalog.search.elastic_documents import VERSION, make_mapping, make_settings, to_elastic
from catalog.search.elastic_lines import MARK, Known, Waiting, batches, check, line, writes
from catalog.search.engine import Document

SENDERS = 2
"""Requests of a rebuild on their way at the same time, while the next documents are read."""
BEAT_SECONDS, DEAD_SECONDS = 10.0, 120.0
"""A rebuild says that it lives so often; one that was silent for longer has died."""
TRIES = 5


@dataclass(frozen=True)
class State:
    """Which indexes there are: `current` is asked, `next` being filled by a rebuild that lives."""

    current: str | None
    version: str
    next: str | None
    all: tuple[str, ...]


class Indexes:
    """Reads and changes which index is current, and writes documents to those that need them."""

    def __init__(self, caller: Caller, prefix: str, *, shards: int, replicas: int) -> None:
        self._caller = caller
        self.alias, self._next = prefix, f"{prefix}-next"
        self._shards, self._replicas = shards, replicas

    def state(self) -> State:
        """What is there now."""
        shown = self._caller.call(
            lambda client: body_of(
                client.indices.get(
                    index=f"{self.alias}-v*", filter_path="*.aliases,*.mappings._meta"
                )
            )
        )
        current = next_ = None
        version = VERSION
        for name, index in shown.items():
            meta = index.get("mappings", {}).get("_meta", {})
            if self.alias in index.get("aliases", {}):
                current, version = name, str(meta.get("version"))
            elif self._next in index.get("aliases", {}) and _lives(meta):
                next_ = name
        return State(current, version, next_, tuple(shown))

    def check_version(self) -> None:
        """Raise Unavailable where the index is of another version: comparing it would be in vain."""
        if self.state().version != VERSION:
            raise Unavailable("the search index is of another version, it is being rebuilt")

    def put(self, documents: Iterable[Document]) -> None:
        """Write documents wherever they are needed; those that are newer there stay."""
        waiting: dict[str, Waiting] = {}
        for document in documents:
            known = waiting.get(document.id)
            if known is None or known.version <= document.version:
                body = orjson.dumps(to_elastic(document))
                waiting[document.id] = Waiting(document.version, body)
        self._everywhere(lambda target: self._put(target, waiting), create=True)

    def delete(self, ids: Iterable[str]) -> None:
        """Delete documents wherever they are, and wherever a rebuild may still write them."""
        unwanted = list(ids)

        def lines(target: str) -> Iterator[tuple[bytes, ...]]:
            for id_ in unwanted:
                if target == self._next:
                    yield line("index", id_), MARK
                else:
                    yield (line("delete", id_),)

        self._everywhere(lambda target: self._sent(target, lines(target)) is not None)

    def rebuild(self, documents: Iterable[Document]) -> None:
        """Fill a new index and make it the current one; searches see the old one until then."""
        name = self._begin()
        try:
            self._fill(name, documents)
            self._switch(name)
        except BaseException:
            self._remove([name])
            raise
        self._tidy(name)

    def _everywhere(self, write: Callable[[str], bool], *, create: bool = False) -> None:
        """Write to the current index and to the one that is being filled; again if they have changed."""
        for _ in range(TRIES):
            written = [write(target) for target in self._targets(self.state(), create=create)]
            if all(written):
                return
        raise Unavailable("another process is writing the search index")

    def _targets(self, state: State, *, create: bool) -> list[str]:
        """The aliases to write to. An index of another version takes no documents of this one."""
        targets = []
        if state.current is None and create:
            self._create_first()
            targets.append(self.alias)
        elif state.current is not None and (state.version == VERSION or not create):
            targets.append(self.alias)
        if state.next is not None:
            targets.append(self._next)
        if create and not targets:
            raise Unavailable("the search index is of another version, it is being rebuilt")
        return targets

    def _put(self, target: str, documents: Mapping[str, Waiting]) -> bool:
        """Write documents in place of older ones; False where the index is not there any more."""
        left = dict(documents)
        for _ in range(TRIES):
            known = self._known(target, list(left))
            if known is None:
                return False
            conflicts = self._sent(target, writes(left, known))
            if conflicts is None:
                return False
            if not conflicts:
                return True
            left = {id_: left[id_] for id_ in conflicts}
        raise Unavailable("another process is writing the search index")

    def _known(self, target: str, ids: list[str]) -> dict[str, Known] | None:
        """What the index has of these ids; None where the index is not there any more."""
        answer = self._caller.call(
            lambda client: body_of(client.mget(index=target, ids=ids, source_includes="version")),
            patient=True,
        )
        docs = answer["docs"]
        if any("error" in doc for doc in docs):
            return None
        return {
            doc["_id"]: Known(
                doc["_source"].get("version", -1), doc["_seq_no"], doc["_primary_term"]
            )
            for doc in docs
            if doc["found"]
        }

    def _sent(self, target: str, lines: Iterable[tuple[bytes, ...]]) -> list[str] | None:
        """Write and refresh: the ids that somebody else has written meanwhile; None without the index."""
        requests = list(batches(lines))
        conflicts = []
        for batch in requests:
            for result in self._bulk(target, batch, refresh=len(requests) == 1):
                if result["status"] == 404 and "error" in result:
                    return None
                if result["status"] == 409:
                    conflicts.append(result["_id"])
                else:
                    check(result)
        if len(requests) > 1:
            self._refresh(target)
        return conflicts

    def _bulk(
        self, target: str, lines: list[bytes], *, refresh: bool = False
    ) -> list[dict[str, Any]]:
        """The results, one a document. `target` is an alias: an index must not be made by writing to it."""
        answer = self._caller.call(
            lambda client: body_of(
                client.bulk(
                    index=target,
                    operations=cast("Any", lines),
                    require_alias=True,
                    refresh=refresh,
                    filter_path="items.*.status,items.*.error,items.*._id",
                )
            ),
            patient=True,
        )
        return [result for item in answer.get("items", ()) for result in item.values()]

    def _refresh(self, target: str) -> None:
        self._caller.call(lambda client: client.indices.refresh(index=target), patient=True)

    def _create_first(self) -> None:
        """Make the first index; several processes may try, and all but one find it there."""
        try:
            self._create(f"{self.alias}-v{VERSION}-first", {self.alias: {}})
        except BadRequestError as error:
            if error.error != "resource_already_exists_exception":
                raise
        self._copy(f"{self.alias}-v{VERSION}-first")

    def _create(self, name: str, aliases: dict[str, Any]) -> None:
        mapping = {**make_mapping(), "_meta": _meta()}
        self._caller.call(
            lambda client: client.indices.create(
                index=name,
                mappings=mapping,
                settings=make_settings(self._shards),
                aliases=aliases,
            ),
            patient=True,
        )

    def _copy(self, name: str) -> None:
        """Have copies of an index; one that is being filled has none."""
        if self._replicas:
            settings = {"number_of_replicas": self._replicas}
            self._caller.call(
                lambda client: client.indices.put_settings(index=name, settings=settings)
            )

    def _begin(self) -> str:
        """The name of a new index that everybody who writes writes to from now on."""
        state = self.state()
        if state.next is not None:
            raise Unavailable("another process is writing the search index")
        moment = time.strftime("%Y%m%dt%H%M%S", time.gmtime())
        name = f"{self.alias}-v{VERSION}-{moment}-{secrets.token_hex(4)}"
        self._create(name, {self._fill_alias(name): {}})
        everything = f"{self.alias}-v*"
        self._move(
            {"remove": {"index": everything, "alias": self._next, "must_exist": False}},
            {"add": {"index": name, "alias": self._next}},
        )
        return name

    def _fill(self, name: str, documents: Iterable[Document]) -> None:
        """Send all documents while the next ones are read."""
        lines = (
            (line("create", document.id), orjson.dumps(to_elastic(document)))
            for document in documents
        )
        beat = time.monotonic()
        with ThreadPoolExecutor(SENDERS, thread_name_prefix="elastic") as pool:
            waiting: set[Future[None]] = set()
            for batch in batches(lines):
                waiting.add(pool.submit(self._create_documents, self._fill_alias(name), batch))
                if len(waiting) > SENDERS:
                    done, waiting = wait(waiting, return_when=FIRST_COMPLETED)
                    _raise_first(done)
                if time.monotonic() - beat > BEAT_SECONDS:
                    beat = time.monotonic()
                    self._beat(name)
            _raise_first(wait(waiting).done)

    def _fill_alias(self, name: str) -> str:
        """A rebuild that was asleep must not write into the index of the one that has replaced it."""
        return f"{self.alias}-fill-{name.rpartition('-')[2]}"

    def _create_documents(self, alias: str, batch: list[bytes]) -> None:
        for result in self._bulk(alias, batch):
            if result["status"] == 404:
                raise Unavailable("another process is writing the search index")
            if result["status"] != 409:  # somebody has written or deleted it meanwhile
                check(result)

    def _beat(self, name: str) -> None:
        meta = _meta()
        self._caller.call(lambda client: client.indices.put_mapping(index=name, meta=meta))

    def _switch(self, name: str) -> None:
        """Make the filled index the current one, in one step; fails if another rebuild has taken over."""
        self._sweep(name)
        self._copy(name)
        try:
            self._move(
                {"remove": {"index": name, "alias": self._next, "must_exist": True}},
                {
                    "remove": {
                        "index": f"{self.alias}-v*",
                        "alias": self.alias,
                        "must_exist": False,
                    }
                },
                {"add": {"index": name, "alias": self.alias}},
                {"remove": {"index": name, "alias": self._fill_alias(name), "must_exist": True}},
            )
        except NotFoundError as error:
            raise Unavailable("another process is writing the search index") from error
        self._sweep(name)  # marks that were set until the switch

    def _sweep(self, name: str) -> None:
        """Remove the marks of what was deleted meanwhile, unless it was written anew."""
        self._refresh(name)
        body = {"query": {"term": {"gone": True}}, "size": 10_000, "seq_no_primary_term": True}
        found = self._caller.call(
            lambda client: body_of(client.search(index=name, **body))  # type: ignore[arg-type] # the body's values differ
        )
        lines = [
            line("delete", hit["_id"], hit["_seq_no"], hit["_primary_term"])
            for hit in found["hits"]["hits"]
        ]
        if lines:
            self._caller.call(
                lambda client: client.bulk(index=name, operations=cast("Any", lines), refresh=True),
                patient=True,
            )

    def _move(self, *actions: dict[str, Any]) -> None:
        self._caller.call(
            lambda client: client.indices.update_aliases(actions=actions), patient=True
        )

    def _tidy(self, current: str) -> None:
        """Remove indexes that are not current: older ones, and those of rebuilds that did not end."""
        state = self.state()
        self._remove([name for name in state.all if name not in (current, state.next)])

    def _remove(self, names: list[str]) -> None:
        if names:
            self._caller.call(
                lambda client: client.indices.delete(index=names, ignore_unavailable=True),
                patient=True,
            )


def _meta() -> dict[str, Any]:
    return {"version": VERSION, "beat": time.time()}


def _lives(meta: dict[str, Any]) -> bool:
    """Whether the rebuild of an index has said lately that it goes on."""
    return time.time() - float(meta.get("beat", 0)) < DEAD_SECONDS


def _raise_first(done: Iterable[Future[None]]) -> None:
    for future in done:
        future.result()
