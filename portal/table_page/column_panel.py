"""What can be done with one column, open above the rows: sort, filter by value or range, put away."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import g

from catalog.errors import CatalogError
from catalog.schemas.grid import LONGEST_VALUE, conditions
from catalog.services import table_values
from catalog.tabular.filters import Comparison
from catalog.tabular.query import Order
from portal.languages import gettext
from portal.table_page.cells import number_text
from portal.table_page.profiles import Profile, profile_of

if TYPE_CHECKING:
    from catalog.services.table_values import Counted
    from portal.table_page.page import Heading, TablePage

RANGED = frozenset({"integer", "number", "date", "datetime"})
LISTED = frozenset({"string", "integer", "number", "boolean", "date"})
LONGEST = 60


@dataclass(frozen=True)
class Choice:
    """A value that can be picked."""

    value: str
    words: str
    rows: int
    picked: bool


class ColumnPanel:
    """The panel of the column that the address names."""

    def __init__(self, page: TablePage, heading: Heading) -> None:
        self.page = page
        self.heading = heading
        self._filters = [f for f in page.grid.filters if f.column == heading.name]

    @property
    def ranged(self) -> bool:
        """Whether the column is asked for by a range."""
        return self.heading.type in RANGED

    @property
    def is_date(self) -> bool:
        """Whether the ends of the range are days."""
        return self.heading.type in ("date", "datetime")

    @property
    def is_text(self) -> bool:
        """Whether a part of the value can be asked for."""
        return self.heading.type == "string"

    def set(self, comparison: str) -> str:
        """The value of a filter that is set."""
        return next((f.value for f in self._filters if f.comparison.value == comparison), "")

    def holds(self, comparison: str) -> bool:
        """Whether a filter is set."""
        return any(f.comparison.value == comparison for f in self._filters)

    @cached_property
    def profile(self) -> Profile | None:
        """What is known of the column's values in the whole table."""
        if self.page.as_of:
            return None  # only the newest release is profiled
        column = next(c for c in self.page.table.columns if c.name == self.heading.name)
        return profile_of(column, self.page.table.rows)

    @property
    def sorts(self) -> list[tuple[str, str, bool]]:
        """Words and addresses of the orders, and whether each is set."""
        if not self.heading.sortable:
            return []
        name, at, orders = self.heading.name, self.page.at, self.page.grid.orders
        alone = orders[0] if len(orders) == 1 else None
        up, down = Order(name), Order(name, descending=True)
        found = [
            (gettext("Sort rising"), at.sorted(up), alone == up),
            (gettext("Sort falling"), at.sorted(down), alone == down),
        ]
        if any(order.column != name for order in orders):
            found += [
                (gettext("Then by this, rising"), at.then(up), len(orders) > 1 and up in orders),
                (
                    gettext("Then by this, falling"),
                    at.then(down),
                    len(orders) > 1 and down in orders,
                ),
            ]
        return [(str(words), address, now) for words, address, now in found]

    @cached_property
    def choices(self) -> list[Choice]:
        """The most frequent values among the rows that the other filters leave, and those picked."""
        if self.heading.type not in LISTED:
            return []
        picked = [f.value for f in self._filters if f.comparison is Comparison.IS]
        found = [
            Choice(text, _short(text), counted.rows, text in picked)
            for counted in self._counted
            if (text := value_text(counted.value)).strip() and len(text) <= LONGEST_VALUE
        ]
        there = {choice.value for choice in found}
        return [*(Choice(v, _short(v), 0, picked=True) for v in picked if v not in there), *found]

    @property
    def empty_rows(self) -> int:
        """Rows without a value, where they are among the most frequent."""
        return next((counted.rows for counted in self._counted if counted.value is None), 0)

    @cached_property
    def _counted(self) -> tuple[Counted, ...]:
        others = tuple(f for f in self.page.grid.filters if f.column != self.heading.name)
        where = conditions(others, self.page.columns, self.page.grid.words).where
        try:
            return table_values.frequent(
                g.identity,
                self.page.table.id,
                self.heading.name,
                where=where,
                as_of=self.page.as_of,
            )
        except CatalogError:  # too much for now: the form does without
            return ()


def value_text(value: Any) -> str:
    """A value as a filter takes it."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return number_text(value)
    return value.isoformat() if hasattr(value, "isoformat") else str(value)


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else text[:LONGEST] + "…"


def panel_of(page: TablePage) -> ColumnPanel | None:
    """The panel that is open, if there is such a column and it is not masked."""
    heading = page.heading(page.grid.on)
    if page.grid.panel != "column" or heading is None or heading.masked:
        return None
    return ColumnPanel(page, heading)
