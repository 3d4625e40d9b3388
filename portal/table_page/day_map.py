"""The map on the page: days, legend, areas and the table of their values."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

from flask import g

from catalog.services import maps
from catalog.services.maps import Area
from portal.filters import number, text
from portal.table_page.map_labels import Atlas, atlas_of
from portal.table_page.page import TablePage

if TYPE_CHECKING:
    from catalog.models.base import Texts

FILLS = ("#e4f1ee", "#a8d8d0", "#5bb0ab", "#1f7a80", "#0b3a46")
"""Colours of the classes, light to dark; the style sheet has the same."""
NOTHING = "url(#no-value)"


@dataclass(frozen=True)
class Entry:
    """A class of the legend."""

    level: int
    fill: str
    words: str
    areas: int


class MapView:
    """The map of the day that the address asks for."""

    fills = FILLS

    def __init__(self, page: TablePage) -> None:
        self.page = page
        self.map = maps.show(g.identity, page.table.id, page.grid.day)

    @property
    def value_label(self) -> str:
        """What is shown, with its unit."""
        return self._label(self.map.plan.value)

    @property
    def name_label(self) -> str:
        """What an area is called."""
        return self._label(self.map.plan.name)

    def _label(self, name: str) -> str:
        heading = next((h for h in self.page.headings if h.name == name), None)
        if heading is None:
            return name
        label = heading.label or heading.name
        return f"{label} ({heading.unit})" if heading.unit else label

    @property
    def notice(self) -> Texts:
        """What the outlines' own dataset says must be said."""
        outlines = self.map.outlines
        return outlines.resource.dataset.notice if outlines else {}

    @property
    def outlines_title(self) -> str:
        """Where the outlines come from."""
        outlines = self.map.outlines
        return text(outlines.resource.dataset.title) if outlines else ""

    def day_address(self, day: str | None) -> str:
        """The page at another day, or nothing."""
        return self.page.at.day(day) if day else ""

    @property
    def legend(self) -> list[Entry]:
        """The classes that there are, the lowest first."""
        limits = self.map.limits
        if not limits:
            values = sorted({area.value for area in self.map.areas if area.value is not None})
            words = " – ".join(
                self.shown(value) for value in dict.fromkeys([*values[:1], *values[-1:]])
            )
            return [Entry(0, FILLS[0], words, self._count(0))]
        whole = all(limit == int(limit) for limit in limits) and all(
            area.value is None or area.value == int(area.value) for area in self.map.areas
        )
        return [
            Entry(level, FILLS[level], _range(limits, level, whole=whole), self._count(level))
            for level in range(len(limits) + 1)
        ]

    def _count(self, level: int) -> int:
        return sum(1 for area in self.map.areas if area.level == level)

    @property
    def without_value(self) -> int:
        """Areas that have no value on this day."""
        return sum(1 for area in self.map.areas if area.path and area.level is None)

    @property
    def areas(self) -> tuple[Area, ...]:
        """Areas in the order of the outlines."""
        return self.map.areas

    @cached_property
    def atlas(self) -> Atlas:
        """Names and numbers on the map."""
        return atlas_of(self.map.areas, self.map.width, self.map.height)

    @property
    def rows(self) -> list[tuple[Area, int]]:
        """Areas with the greatest values first, each with its number on the map or 0."""
        numbered = [(area, self.atlas.numbers.get(at, 0)) for at, area in enumerate(self.areas)]
        return sorted(numbered, key=lambda n: (n[0].value is None, -(n[0].value or 0), n[0].name))

    def fill(self, area: Area) -> str:
        """The colour of an area."""
        return NOTHING if area.level is None else FILLS[area.level]

    def said(self, area: Area) -> str:
        """What is told of an area that is pointed at."""
        return f"{area.name}: {self.shown(area.value)}"

    def shown(self, value: float | None) -> str:
        """A value of the map."""
        if value is None:
            return "–"
        return number(int(value) if value == int(value) else value)


def _range(limits: tuple[float, ...], level: int, *, whole: bool) -> str:
    shown = [number(int(limit) if limit == int(limit) else limit) for limit in limits]
    if level == 0:
        return "0" if whole and limits[0] == 1 else f"< {shown[0]}"
    if level == len(limits):
        return f"≥ {shown[-1]}"
    if not whole:
        return f"{shown[level - 1]} – < {shown[level]}"
    last = int(limits[level]) - 1
    return shown[level - 1] if last == limits[level - 1] else f"{shown[level - 1]} – {number(last)}"
