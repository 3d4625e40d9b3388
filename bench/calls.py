"""The calls that a large table must answer, each with its target, CKAN's figure and the same work by an engine alone.

Every call takes a number and asks another question for another number, so that the first round meets no cache that
knows the answer; the second round asks the same questions again.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import duckdb
import lance
import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from lance.dataset import ColumnOrdering

from bench.generated import DISTRICTS, KINDS, ROADS, STATES, THINGS, TROUBLES, WAYS

DEEP = 900_000
SORTED = ("金额", "受理日期", "评分", "件数", "工单编号", "内容", "类别", "状态")
STORED = {
    name: f"c{at}"
    for at, name in enumerate(
        ("工单编号", "区划代码", "类别", "受理日期", "内容", "金额", "件数", "评分", "状态", "承办单位")
    )
}  # fmt: skip


@dataclass(frozen=True)
class Call:
    """A question over HTTP; `target` and `ckan` in CPU milliseconds a call."""

    name: str
    target: float
    ckan: str
    path: Callable[[int], str]
    floor: Callable[[int], object] | None = None
    different: int = 40
    """So many questions differ; a second round of them is what caches answer."""


class Floor:
    """The engines alone, on the files that the portal serves from."""

    def __init__(self, serving: Path, base: Path, rows: int) -> None:
        self.lance = lance.dataset(str(serving))
        self.rows = rows
        self.duck = duckdb.connect(config={"threads": "2"})
        self.base = str(base)
        self.columns = [name for name in self.lance.schema.names if name.startswith("c")]

    def page(self, offset: int) -> pa.Table:
        """A page as rows stand."""
        return self.lance.to_table(columns=self.columns, limit=100, offset=offset)

    def sorted_page(self, column: str, descending: bool, offset: int) -> pa.Table:  # noqa: FBT001 # a floor
        """A page of a sort: one column with row ids, part of it sorted, then the rows of the page."""
        found = self.lance.to_table(columns=[column], with_row_id=True)
        values, ids = found[column], found["_rowid"].to_numpy()
        order = "descending" if descending else "ascending"
        at = pc.sort_indices(values, sort_keys=[("", order)]).to_numpy()
        return self._take(ids[at[offset : offset + 100]])

    def filtered(self, where: str, column: str, descending: bool) -> object:  # noqa: FBT001 # a floor
        """The first rows of a filter in an order, and how many there are."""
        ordering = ColumnOrdering(column, ascending=not descending, nulls_first=False)
        found = self.lance.scanner(
            columns=[], filter=where, order_by=[ordering], limit=100, with_row_id=True
        ).to_table()
        return self._take(found["_rowid"].to_numpy()), self.count(where)

    def count(self, where: str) -> int:
        """How many rows satisfy a filter."""
        return int(self.lance.count_rows(where))

    def group(self, sql: str) -> object:
        """Groups of the base file."""
        return self.duck.execute(sql.format(base=f"'{self.base}'")).fetchall()

    def _take(self, ids: Any) -> pa.Table:
        return self.lance._take_rows(pa.array(ids), columns=self.columns)


def calls(table: str, rows: int, floor: Floor | None) -> list[Call]:
    """What is asked of one table, in the order of the report."""
    here = f"/api/v1/tables/{table}"
    deep = min(DEEP, rows * 9 // 10)

    def path(name: str, **given: object) -> str:
        return f"{here}/{name}?{urlencode(given)}"

    return [
        Call(
            "first page of 100", 3, "16–20", lambda _: path("rows", limit=100),
            floor and (lambda _: floor.page(0)), 1,
        ),
        Call(
            f"page of 100 from row {deep:,}", 3, "407",
            lambda at: path("rows", limit=100, offset=_place(at, deep, rows)),
            floor and (lambda at: floor.page(_place(at, deep, rows))), 400,
        ),
        Call(
            "page of 100 anywhere", 3, "407",
            lambda at: path("rows", limit=100, offset=at * 617_579 % (rows - 101)),
            floor and (lambda at: floor.page(at * 617_579 % (rows - 101))), 400,
        ),
        Call(
            f"next pages from row {deep:,}", 3, "407",
            lambda at: path("rows", limit=100, offset=deep + at * 100),
            floor and (lambda at: floor.page(deep + at * 100)), 400,
        ),
        Call(
            f"sorted, page from row {deep:,}", 80, "1,400",
            lambda at: path("rows", limit=100, offset=deep, order_by=_order(at)),
            floor and (lambda at: floor.sorted_page(STORED[_order(at).lstrip("-")], _order(at)[0] == "-", deep)),
            2 * len(SORTED),
        ),
        Call(
            "filter + sort + exact total", 40, "704–890",
            lambda at: path("rows", limit=100, count="true", where=_where(at), order_by="-金额"),
            floor and (lambda at: floor.filtered(_stored(_where(at)), "c5", descending=True)),
        ),
        Call(
            "group-by", 40, "670–970",
            lambda at: path("group", group_by=_group(at), measures="count(*),avg(金额)", where=f"件数 > {at // 4}"),
            floor and (lambda at: floor.group(
                f"SELECT {STORED[_group(at)]}, count(*), avg(c5) FROM {{base}} WHERE c6 > {at // 4} GROUP BY 1 ORDER BY 1"
            )),
        ),
        Call(
            "substring of Chinese, page + total", 40, "840, indexed 101",
            lambda at: path("rows", limit=100, count="true", where=f"contains(内容, '{_words(at)}')"),
            floor and (lambda at: floor.count(f"contains(c4, '{_words(at)}')")),
        ),
        Call(
            "filtered count", 5, "192", lambda at: path("count", where=_where(at)),
            floor and (lambda at: floor.count(_stored(_where(at)))),
        ),
    ]  # fmt: skip


def _place(at: int, deep: int, rows: int) -> int:
    return deep + at * 7919 % max(1, rows - deep - 101)


def _order(at: int) -> str:
    return ("-" if at // len(SORTED) % 2 else "") + SORTED[at % len(SORTED)]


def _where(at: int) -> str:
    """Different conditions that keep between a thousandth and a tenth of the rows."""
    kind, state, district = (
        words[at * step % len(words)]
        for words, step in ((KINDS, 1), (STATES, 3), (DISTRICTS, 5))
    )  # fmt: skip
    return f"类别 = '{kind}' AND 状态 = '{state}' AND 区划代码 <> '{district}' AND 件数 >= {1 + at % 5}"


def _stored(where: str) -> str:
    for name, stored in STORED.items():
        where = where.replace(name, stored)
    return where


def _group(at: int) -> str:
    return ("类别", "区划代码", "状态", "承办单位")[at % 4]


def _words(at: int) -> str:
    """Two to seven characters: a thing, a road, a thing with its trouble, a road with a thing."""
    thing, road = THINGS[at % len(THINGS)], ROADS[at * 5 % len(ROADS)]
    made: Sequence[str] = (
        thing,
        road + WAYS[at % len(WAYS)],
        thing + TROUBLES[at % len(TROUBLES)],
        road + WAYS[at % 3] + thing,
    )
    return made[at % 4]


def questions(call: Call) -> list[str]:
    """The different paths of a call, in order."""
    return list(dict.fromkeys(itertools.islice(map(call.path, itertools.count()), call.different)))


def quantile(values: Sequence[float], share: float) -> float:
    """The value below which so large a share lies."""
    return float(np.quantile(values, share))
