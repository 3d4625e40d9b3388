"""Numbered pages of a list and the addresses that lead to them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from urllib.parse import urlencode

from flask import abort, redirect, request

PER_PAGE = 20
DEEPEST = 500
"""Highest page number; beyond it (10,000 things) search is the way."""


@dataclass(frozen=True)
class Pages:
    """Page `number` of `last`."""

    number: int
    last: int

    @classmethod
    def of(cls, total: int, number: int, per_page: int = PER_PAGE) -> Pages:
        """The pages of `total` things; a reader who asks for one beyond the last is sent to the last."""
        pages = cls(number, max(1, min(DEEPEST, -(-total // per_page))))
        if number > pages.last:
            abort(redirect(pages.address(pages.last)))
        return pages

    @classmethod
    def until(cls, number: int, *, more: bool) -> Pages:
        """Pages of a list whose length nobody counts: this one is the last, or there are more."""
        return cls(number, number + 1 if more else number)

    @property
    def shown(self) -> Sequence[int | None]:
        """First, last and those around this one; None stands for a gap."""
        near = {1, self.last, *range(self.number - 1, self.number + 2)}
        numbers = sorted(number for number in near if 1 <= number <= self.last)
        shown: list[int | None] = []
        for number in numbers:
            before = next((seen for seen in reversed(shown) if seen), 0)
            if number == before + 2:
                shown.append(before + 1)
            elif number > before + 2:
                shown.append(None)
            shown.append(number)
        return shown

    def address(self, number: int) -> str:
        """This page's address with another number."""
        return address_with(page=None if number == 1 else str(number))


def asked_page() -> int:
    """The page number of this request; what is no number is the first page."""
    try:
        return max(1, min(DEEPEST, int(request.args.get("page", "1"))))
    except ValueError:
        return 1


def address_with(**changes: str | None) -> str:
    """This page's address with some parameters changed; None removes one."""
    kept = [
        (name, value)
        for name, value in request.args.items(multi=True)
        if name not in changes and value
    ]
    return _address([*kept, *((name, value) for name, value in changes.items() if value)])


def address_without(name: str, value: str) -> str:
    """This page's address without one value of a parameter, on the first page."""
    kept = [
        (key, item)
        for key, item in request.args.items(multi=True)
        if item and key != "page" and (key, item) != (name, value)
    ]
    return _address(kept)


def _address(parameters: list[tuple[str, str]]) -> str:
    path = request.script_root + request.path
    return f"{path}?{urlencode(parameters)}" if parameters else path
