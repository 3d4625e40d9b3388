"""Choropleths: the values of one day in the outlines of another table."""

from __future__ import annotations

import json
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import lru_cache
from typing import Any

from catalog.errors import CatalogError, NotFound
from catalog.files.cache import kept
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Identity
from catalog.services import tables
from catalog.services.table_lookup import Version
from catalog.tabular.classes import class_of, limits_of
from catalog.tabular.outlines import draw_outlines
from catalog.tabular.query import Aggregate, Compare, Measure, Op, Order, TableQuery

MOST_AREAS = 2_000
MOST_DAYS = 10_000
NAMES = frozenset({"name", "title", "label", "名称", "区名"})
"""What a column of names is usually called."""


@dataclass(frozen=True)
class MapPlan:
    """What `DataTable.map` says: outlines of which table, joined how, which day and value columns."""

    geometry: str
    """Id of the table of outlines."""
    join: tuple[tuple[str, str], ...]
    """Pairs of a column here and a column of the outlines, tried in this order."""
    day: str
    value: str

    @property
    def name(self) -> str:
        """The column that names an area for people: by convention that of the last pair."""
        return self.join[-1][0]


@dataclass(frozen=True)
class Area:
    """An area of the map with its value of the day; `level` is its class, None without a value."""

    name: str
    path: str
    x: float
    y: float
    room: float
    tall: float
    value: float | None = None
    level: int | None = None


@dataclass(frozen=True)
class DayMap:
    """The map of one day, and what readers of the table below it need."""

    table: DataTable
    outlines: DataTable | None
    plan: MapPlan
    day: str
    days: tuple[str, ...]
    width: float
    height: float
    areas: tuple[Area, ...]
    limits: tuple[float, ...]
    elsewhere: tuple[tuple[str, float | None], ...]
    """Values of codes that have no outline."""

    @property
    def position(self) -> int:
        """Place of the day among all days, from 0."""
        return bisect_left(self.days, self.day)

    @property
    def previous(self) -> str | None:
        """The day before that has values."""
        return self.days[self.position - 1] if self.position > 0 else None

    @property
    def next(self) -> str | None:
        """The day after that has values."""
        return self.days[self.position + 1] if self.position + 1 < len(self.days) else None


def plan_of(table: DataTable) -> MapPlan | None:
    """The plan of the table's map, or None when it has none or it does not fit the columns."""
    asked = table.map or {}
    try:
        join = tuple((str(here), str(there)) for here, there in asked["join"])
        plan = MapPlan(str(asked["geometry"]), join, str(asked["day"]), str(asked["value"]))
    except (KeyError, TypeError, ValueError):
        return None
    names = {column.name for column in tables.columns_of(table) if not column.masked}
    wanted = {plan.day, plan.value, *(here for here, _ in join)}
    return plan if join and wanted <= names else None


@dataclass(frozen=True)
class OutlineMap:
    """The outlines that a table holds, as a map without values."""

    width: float
    height: float
    areas: tuple[Area, ...]
    cut: bool
    """There are more rows than are drawn."""


def outlines(who: Identity, table_id: str, *, as_of: str | None = None) -> OutlineMap:
    """The map of a table's own outlines, in a release; raises NotFound where there are none."""
    table = tables.show(who, table_id)
    version = tables.version(who, table_id, as_of)
    if not any(column.type is ColumnType.GEOMETRY for column in version.columns):
        raise NotFound("this table has no map")
    name = name_column(table)
    key = f"{table.id} {version.release} {table.narrowed} {name!r} alone"
    drawn = kept("outlines", key, lambda: _draw(who, version, [name] if name else []))
    frame = _frame_of(drawn)
    areas = tuple(_area(area, area["keys"].get(name) or "", None, ()) for area in frame["areas"])
    rows = tables.count(who, table_id, as_of=as_of)
    return OutlineMap(frame["width"], frame["height"], areas, rows > MOST_AREAS)


def name_column(table: DataTable) -> str:
    """The text column that tells the areas best apart, by preference one that is called name."""
    open_ = {column.name for column in tables.columns_of(table) if not column.masked}
    texts = [c for c in table.columns if c.type == ColumnType.STRING and c.name in open_]
    called = [c.name for c in texts if c.name.lower() in NAMES]
    if called:
        return called[0]
    ranked = sorted(texts, key=lambda c: -int((c.profile or {}).get("distinct") or 0))
    return ranked[0].name if ranked else ""


def show(who: Identity, table_id: str, day: str = "") -> DayMap:
    """The map of a day; a day without values gives the last one before it, no day the newest."""
    table = tables.show(who, table_id)
    plan = plan_of(table)
    if plan is None:
        raise NotFound("this table has no map")
    days, limits = _scale(who, table, plan)
    if not days:
        raise NotFound("this table has no map")
    chosen = days[max(0, bisect_right(days, day) - 1)] if day else days[-1]
    rows = _rows_of(who, table, plan, chosen)
    outlines, frame = _outlines(who, plan)
    areas, elsewhere = _join(plan, frame["areas"], rows, limits)
    return DayMap(
        table,
        outlines,
        plan,
        chosen,
        days,
        frame["width"],
        frame["height"],
        areas,
        limits,
        elsewhere,
    )


def _scale(
    who: Identity, table: DataTable, plan: MapPlan
) -> tuple[tuple[str, ...], tuple[float, ...]]:
    """All days, and limits of classes that hold for all of them, so that colours can be compared."""
    key = f"{table.id} {table.release} {table.narrowed} {plan!r}"
    return _scale_of(kept("map-scales", key, lambda: _measure(who, table, plan)))


def _measure(who: Identity, table: DataTable, plan: MapPlan) -> bytes:
    rows = Measure(Aggregate.COUNT, "*", "_rows_of_it")
    by_day = TableQuery(
        group_by=(plan.day,), measures=(rows,), order_by=(Order(plan.day),), limit=MOST_DAYS
    )
    found = tables.group(who, table.id, by_day).data.column(plan.day).to_pylist()
    by_value = TableQuery(
        group_by=(plan.value,), measures=(rows,), order_by=(Order(plan.value),), limit=MOST_DAYS
    )
    data = tables.group(who, table.id, by_value).data
    pairs = zip(
        data.column(plan.value).to_pylist(), data.column(rows.name).to_pylist(), strict=True
    )
    counted = [(float(value), int(count)) for value, count in pairs if _is_number(value)]
    days = sorted({_day(day) for day in found if day is not None})
    return json.dumps({"days": days, "limits": limits_of(counted)}).encode()


@lru_cache(maxsize=32)
def _scale_of(content: bytes) -> tuple[tuple[str, ...], tuple[float, ...]]:
    parsed = json.loads(content)
    return tuple(parsed["days"]), tuple(parsed["limits"])


def _rows_of(who: Identity, table: DataTable, plan: MapPlan, day: str) -> list[dict[str, Any]]:
    wanted = tuple(dict.fromkeys([*(here for here, _ in plan.join), plan.value]))
    query = TableQuery(wanted, Compare(plan.day, Op.EQ, day), limit=MOST_AREAS)
    rows: list[dict[str, Any]] = tables.rows(who, table.id, query).data.to_pylist()
    return rows


def _outlines(who: Identity, plan: MapPlan) -> tuple[DataTable | None, Mapping[str, Any]]:
    """The drawing of the outlines' newest release; without outlines the values still have their table."""
    try:
        table = tables.show(who, plan.geometry)
        key = f"{table.id} {table.release} {table.narrowed} {plan.join!r}"
        content = kept(
            "outlines",
            key,
            lambda: _draw(
                who, tables.version(who, table.id, None), [there for _, there in plan.join]
            ),
        )
    except CatalogError:
        return None, {"width": 0.0, "height": 0.0, "areas": []}
    return table, _frame_of(content)


@lru_cache(maxsize=8)
def _frame_of(content: bytes) -> Mapping[str, Any]:
    frame: Mapping[str, Any] = json.loads(content)
    return frame


def _draw(who: Identity, version: Version, names: Sequence[str]) -> bytes:
    columns = [c.name for c in version.columns]
    shape = next(c.name for c in version.columns if c.type is ColumnType.GEOMETRY)
    joined = [name for name in names if name in columns]
    query = TableQuery(tuple(dict.fromkeys([*joined, shape])), limit=MOST_AREAS)
    found = tables.rows(who, version.table_id, query, as_of=str(version.release))
    rows = found.data.to_pylist()
    drawing = draw_outlines(_geometry(row[shape]) for row in rows)
    areas = [
        asdict(outline) | {"keys": {name: _text(row[name]) for name in joined}}
        for row, outline in zip(rows, drawing.outlines, strict=True)
    ]
    return json.dumps({"width": drawing.width, "height": drawing.height, "areas": areas}).encode()


def _join(
    plan: MapPlan,
    areas: Sequence[Mapping[str, Any]],
    rows: Sequence[Mapping[str, Any]],
    limits: tuple[float, ...],
) -> tuple[tuple[Area, ...], tuple[tuple[str, float | None], ...]]:
    values: dict[int, float] = {}
    elsewhere: list[tuple[str, float | None]] = []
    index = [
        (here, {area["keys"].get(there): at for at, area in enumerate(areas)})
        for here, there in plan.join
    ]
    for row in rows:
        value = float(row[plan.value]) if _is_number(row[plan.value]) else None
        at = next(
            (found[key] for here, found in index if (key := _text(row[here])) and key in found),
            None,
        )
        if at is None:
            elsewhere.append((_text(row[plan.name]), value))
        elif value is not None:
            values[at] = values.get(at, 0.0) + value
    last = plan.join[-1][1]
    drawn = tuple(
        _area(area, area["keys"].get(last) or "", values.get(at), limits)
        for at, area in enumerate(areas)
    )
    return drawn, tuple(elsewhere)


def _area(
    area: Mapping[str, Any], name: str, value: float | None, limits: tuple[float, ...]
) -> Area:
    level = None if value is None else class_of(value, limits)
    place = (area["x"], area["y"], area["room"], area["tall"])
    return Area(name, area["path"], *place, value, level)


def _geometry(content: object) -> object:
    if not isinstance(content, str):
        return content
    try:
        return json.loads(content)
    except ValueError:
        return None


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _day(value: Any) -> str:
    return str(value.isoformat()) if hasattr(value, "isoformat") else str(value)


def _is_number(value: object) -> bool:
    if value is None or isinstance(value, bool):
        return False
    try:
        return abs(float(str(value))) != float("inf") and float(str(value)) == float(str(value))
    except ValueError:
        return False
