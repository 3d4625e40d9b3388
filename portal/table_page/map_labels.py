"""Names and numbers on a map: what fits stands in its area, a crowd of small areas is drawn enlarged."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

LETTER, LETTER_NARROW = 15.0, 25.0
"""Room that a character takes on a desk and, where the same drawing is half as wide, on a phone."""
WIDE = 0x2E80
"""Characters from here on are as wide as high."""
LARGEST_INSET = 0.6
"""An enlarged part is at most this part of the whole, else it would enlarge nothing."""
MOST_SMALL = 60
ACROSS = 26
"""Characters in the width of the enlarged part."""
INSET_MARGIN = 0.06


class Shape(Protocol):
    """What a label needs to know of an area."""

    @property
    def name(self) -> str:
        """What people call it."""

    @property
    def path(self) -> str:
        """Its outline; empty without one."""

    @property
    def x(self) -> float:
        """Middle, from the left."""

    @property
    def y(self) -> float:
        """Middle, from above."""

    @property
    def room(self) -> float:
        """Width."""

    @property
    def tall(self) -> float:
        """Height."""

    @property
    def level(self) -> int | None:
        """Class of its value."""


@dataclass(frozen=True)
class Label:
    """A name or a number in its place; `only` is `wide` or `narrow` where it suits one screen only."""

    text: str
    x: float
    y: float
    light: bool
    only: str = ""


@dataclass(frozen=True)
class Inset:
    """A part of the map that is drawn again, larger."""

    x: float
    y: float
    width: float
    height: float
    letter: float
    labels: tuple[Label, ...] = ()

    def holds(self, area: Shape) -> bool:
        """Whether the middle of the area lies inside."""
        inside = self.x <= area.x <= self.x + self.width
        return inside and self.y <= area.y <= self.y + self.height


@dataclass(frozen=True)
class Atlas:
    """All labels of a map."""

    labels: tuple[Label, ...]
    inset: Inset | None
    numbers: Mapping[int, int] = field(default_factory=dict)
    """Place of an area that bears a number instead of its name → the number."""


def atlas_of(areas: Sequence[Shape], width: float, height: float) -> Atlas:
    """Labels for the areas of a drawing of this size."""
    small = [area for area in areas if area.path and not fits(area, area.name, LETTER_NARROW)]
    inset = _inset(small, width, height)
    labels: list[Label] = []
    numbers: dict[int, int] = {}
    for at, area in enumerate(areas):
        if not area.path:
            continue
        wide, narrow = (fits(area, area.name, letter) for letter in (LETTER, LETTER_NARROW))
        if not narrow and inset is not None and inset.holds(area):
            continue
        if wide:
            labels.append(_label(area, area.name, "" if narrow else "wide"))
        if narrow:
            continue
        number = len(numbers) + 1
        only = "narrow" if wide else ""
        if fits(area, str(number), LETTER_NARROW if wide else LETTER, lines=1.0):
            numbers[at] = number
            labels.append(_label(area, str(number), only))
    if inset is not None:
        inset = _labelled(inset, areas, numbers)
    return Atlas(tuple(labels), inset, numbers)


def fits(area: Shape, text: str, letter: float, *, lines: float = 2.0) -> bool:
    """Whether a text has room in an area, with some air around it."""
    long = sum(1.0 if ord(sign) > WIDE else 0.6 for sign in text)
    return bool(text) and area.room >= letter * (long + 0.8) and area.tall >= lines * letter


def _label(area: Shape, text: str, only: str = "") -> Label:
    return Label(text, area.x, area.y, area.level is not None and area.level > 2, only)


def _inset(small: Sequence[Shape], width: float, height: float) -> Inset | None:
    if not 2 <= len(small) <= MOST_SMALL:
        return None
    left, right = _ends((area.x, area.room) for area in small)
    top, bottom = _ends((area.y, area.tall) for area in small)
    margin = INSET_MARGIN * max(right - left, bottom - top)
    across, down = right - left + 2 * margin, bottom - top + 2 * margin
    if across > LARGEST_INSET * width or down > LARGEST_INSET * height:
        return None
    return Inset(
        round(left - margin, 2),
        round(top - margin, 2),
        round(across, 2),
        round(down, 2),
        letter=round(max(across, down) / ACROSS, 2),
    )


def _ends(spans: Iterable[tuple[float, float]]) -> tuple[float, float]:
    """The least and the greatest place of spans that are given by their middle and their width."""
    known = list(spans)
    return min(at - size / 2 for at, size in known), max(at + size / 2 for at, size in known)


def _labelled(inset: Inset, areas: Sequence[Shape], numbers: dict[int, int]) -> Inset:
    """The inset with the names of its areas, or with numbers where names do not fit even here."""
    labels: list[Label] = []
    for at, area in enumerate(areas):
        if not area.path or not inset.holds(area):
            continue
        if fits(area, area.name, inset.letter, lines=1.2):
            labels.append(_label(area, area.name))
        else:
            numbers.setdefault(at, len(numbers) + 1)
            labels.append(_label(area, str(numbers[at])))
    return replace(inset, labels=tuple(labels))
