"""The map of a table that holds outlines: its areas with their names, without values."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from flask import g

from catalog.services import maps
from portal.table_page.day_map import FILLS
from portal.table_page.map_labels import Atlas, atlas_of

if TYPE_CHECKING:
    from catalog.services.maps import Area
    from portal.table_page.page import TablePage


class OutlinesView:
    """The outlines of the table's rows."""

    def __init__(self, page: TablePage) -> None:
        self.page = page
        self.map = maps.outlines(g.identity, page.table.id, as_of=page.as_of)

    @property
    def areas(self) -> tuple[Area, ...]:
        """Areas in the order of the table."""
        return self.map.areas

    @property
    def drawn(self) -> int:
        """Number of areas that have an outline."""
        return sum(1 for area in self.map.areas if area.path)

    @cached_property
    def atlas(self) -> Atlas:
        """Names and numbers on the map."""
        return atlas_of(self.map.areas, self.map.width, self.map.height)

    @property
    def listed(self) -> list[tuple[Area, int]]:
        """All areas, each with its number on the map or 0."""
        return [(area, self.atlas.numbers.get(at, 0)) for at, area in enumerate(self.map.areas)]

    def fill(self, _area: Area) -> str:
        """All areas look alike."""
        return FILLS[0]

    def said(self, area: Area) -> str:
        """What is told of an area that is pointed at."""
        return area.name
