"""CKAN's dictionaries as JSON, kept until anything that they show changes.

What is kept is told current by a stamp from the database: one small question for all datasets of an answer.
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Sequence
from typing import Any, cast

import orjson
from flask import current_app, g

from api.answers import site
from api.ckan import dictized
from api.rows import plain
from catalog.permissions import ANYONE, Identity
from catalog.services import dataset_changes, dataset_rows

MOST_BYTES = 64_000_000
MOST_ANSWERS = 1_000
_KEPT, _ANSWERS = "weft_ckan_prepared", "weft_ckan_answers"
Asked = tuple[tuple[str, ...], str, str]
"""Names, language, address."""
Stamp = tuple[object, ...]
Key = tuple[str, str, str, bool]
"""Id, language, the address of the portal that stands in the JSON, and whether addresses of the data do."""


class Prepared:
    """JSON with its stamp, by dataset; those that were used longest ago go first."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[Key, tuple[Stamp, bytes]] = OrderedDict()
        self._bytes = 0

    def get(self, key: Key, stamp: Stamp) -> bytes | None:
        """The JSON, if it was made of just this."""
        with self._lock:
            found = self._kept.get(key)
            if found is None or found[0] != stamp:
                return None
            self._kept.move_to_end(key)
            return found[1]

    def put(self, key: Key, stamp: Stamp, packed: bytes) -> None:
        """Keep the JSON."""
        with self._lock:
            _, before = self._kept.pop(key, ((), b""))
            self._kept[key] = (stamp, packed)
            self._bytes += len(packed) - len(before)
            while self._bytes > MOST_BYTES:
                _, (_, gone) = self._kept.popitem(last=False)
                self._bytes -= len(gone)


def packages(who: Identity, ids: Sequence[str]) -> dict[str, orjson.Fragment]:
    """Those of the datasets that `who` may read, as JSON, by id.

    As long as nobody has committed anything, an answer of before is given without asking the database: to
    callers without a key, since looking one up has opened a snapshot that may be older than the mark.
    """
    mark = dataset_changes.mark() if who == ANYONE else None
    asked = (tuple(ids), g.lang, site())
    answers = _answers()
    kept = answers.get(asked)
    if mark is not None and kept is not None and kept[0] == mark:
        return kept[1]
    found = _packages(who, ids)
    if mark is not None:
        while len(answers) >= MOST_ANSWERS:
            answers.pop(next(iter(answers), asked), None)
        answers[asked] = (mark, found)
    return found


def _packages(who: Identity, ids: Sequence[str]) -> dict[str, orjson.Fragment]:
    kept, language, here = _prepared(), g.lang, site()
    found: dict[str, bytes] = {}
    missing: dict[str, tuple[dataset_rows.DatasetRow, bool]] = {}
    for dataset in dataset_rows.named(who, ids):
        readable = dataset_rows.is_readable(who, dataset)
        packed = kept.get((dataset.id, language, here, readable), dataset.stamp)
        if packed is None:
            missing[dataset.id] = (dataset, readable)
        else:
            found[dataset.id] = packed
    if missing:
        dataset_rows.complete([dataset for dataset, _ in missing.values()])
    for dataset, readable in missing.values():
        packed = orjson.dumps(dictized.package(dataset, readable=readable), default=plain)
        kept.put((dataset.id, language, here, readable), dataset.stamp, packed)
        found[dataset.id] = packed
    return {id_: orjson.Fragment(packed) for id_, packed in found.items()}


def read(packed: orjson.Fragment) -> dict[str, Any]:
    """The dictionary again."""
    package: dict[str, Any] = orjson.loads(orjson.dumps(packed))
    return package


def _answers() -> dict[Asked, tuple[int, dict[str, orjson.Fragment]]]:
    kept = current_app.extensions.setdefault(_ANSWERS, {})
    return cast("dict[Asked, tuple[int, dict[str, orjson.Fragment]]]", kept)


def _prepared() -> Prepared:
    kept = current_app.extensions.setdefault(_KEPT, Prepared())
    return cast("Prepared", kept)
