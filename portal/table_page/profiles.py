"""Profiles of columns: figures in words, small bars and histograms as SVG without styles."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from markupsafe import Markup, escape

from catalog.schemas.table_schema import semantic_label
from catalog.tabular.coordinates import DATUM_NAMES
from portal.conformance import share_of
from portal.filters import number, text
from portal.languages import gettext
from portal.table_page.cells import number_text
from portal.table_page.words import TYPES

if TYPE_CHECKING:
    from catalog.models.element import DataElement
    from catalog.models.table import TableColumn

WIDTH, HEIGHT = 240, 48
TOP, TOP_OF_FEW = 6, 10
"""Most frequent values that are shown of many and of few."""
FEW = 20
"""So few different values are better listed than put into bins."""
RARE = 0.002
LONGEST = 60
CUT = 199
"""Characters of a value from which on the profile may have cut it, so that no filter can find it."""


@dataclass(frozen=True)
class Frequent:
    """A frequent value: as it is shown, as a filter takes it (or empty), its rows, the length of its bar in percent."""

    words: str
    value: str
    rows: int
    share: float


@dataclass(frozen=True)
class Profile:
    """What the page says of one column."""

    name: str
    label: str
    description: str
    type_words: str
    unit: str
    semantic: str
    """What the values are beyond their type, in words; with the datum of a coordinate."""
    masked: bool
    """Whether the reader sees masked values, of which nothing is told."""
    chart: str
    """The kind of chart that suits the column; empty where none does."""
    missing: int | None
    missing_share: float
    distinct: int | None
    least: str
    greatest: str
    mean: str
    top: tuple[Frequent, ...]
    histogram: Markup
    element: str
    """Name of the data element that it is bound to."""
    element_code: str
    conformance: Mapping[str, Any]
    share: str
    """The share of values that conform, in percent."""
    label_texts: Mapping[str, str]
    origins: Mapping[str, Any]


CHARTS = {
    "integer": "bar",
    "number": "bar",
    "date": "line",
    "datetime": "line",
    "boolean": "pie",
    "string": "bar",
}
"""Type → kind of chart that shows how its values are spread."""


def profile_of(
    column: TableColumn, rows: int, *, masked: bool = False, element: DataElement | None = None
) -> Profile:
    """The profile of a column of a table with so many rows, and how it keeps to its data element."""
    kept = (column.profile or {}) if not masked else {}
    missing = kept.get("missing")
    few = (kept.get("distinct") or 0) <= FEW
    return Profile(
        name=column.name,
        label=text(column.label),
        description=text(column.description),
        type_words=str(TYPES[str(column.type)]),
        unit=column.unit or "",
        semantic=_semantic(column),
        masked=masked,
        chart="" if masked else CHARTS.get(str(column.type), ""),
        missing=missing,
        missing_share=100 * (missing or 0) / rows if rows else 0.0,
        distinct=kept.get("distinct"),
        least=_short(kept.get("least")),
        greatest=_short(kept.get("greatest")),
        mean=_rounded(kept.get("mean")),
        top=tuple(_top((kept.get("top") or ())[: TOP_OF_FEW if few else TOP], rows)),
        histogram=histogram(() if few else kept.get("histogram") or ()),
        element=text(element.title) if element else "",
        element_code=element.code if element else "",
        conformance=(column.conformance or {}) if element and not masked else {},
        share=share_of(column.conformance),
        label_texts=column.label or {},
        origins=column.label_origins or {},
    )


def _semantic(column: TableColumn) -> str:
    label = semantic_label(column.semantic or "")
    datum = DATUM_NAMES.get((column.info or {}).get("crs", ""), "")
    return " · ".join(filter(None, [gettext(label) if label else "", datum]))


def _top(pairs: Sequence[Any], rows: int) -> list[Frequent]:
    """Where even the most frequent value is rare, frequencies say nothing."""
    if not pairs or int(pairs[0][1]) <= max(1, rows * RARE):
        return []
    most = int(pairs[0][1])
    return [
        Frequent(_short(value), _whole(value), int(count), 100 * int(count) / most)
        for value, count in pairs
    ]


def _whole(value: object) -> str:
    shown = _text(value)
    return shown if shown.strip() and len(shown) < CUT else ""


def _text(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return number_text(value) if isinstance(value, int | float) else str(value)


def _short(value: object) -> str:
    if value is None:
        return ""
    shown = _text(value)
    return shown if len(shown) <= LONGEST else shown[:LONGEST] + "…"


def _rounded(value: object) -> str:
    if isinstance(value, bool) or not isinstance(value, int | float):
        return ""
    return number_text(float(f"{value:.6g}"))


def bar(share: float) -> Markup:
    """A bar as wide as the share, in percent."""
    width = f"{max(0.0, min(100.0, share)):.1f}%"
    return Markup(
        '<svg class="weft-bar" width="100%" height="6" aria-hidden="true" focusable="false">'
        '<rect class="weft-bar__all" width="100%" height="6" rx="3"/>'
        '<rect class="weft-bar__part" width="{}" height="6" rx="3"/></svg>'
    ).format(width)


def histogram(bins: Sequence[Any]) -> Markup:
    """Columns as high as their counts; each tells its range and count when pointed at."""
    parts = [_bin(part) for part in bins]
    greatest = max((count for _, _, count in parts), default=0)
    if len(parts) < 2 or not greatest:
        return Markup()
    step = WIDTH / len(parts)
    bars = []
    for at, (low, high, count) in enumerate(parts):
        height = max(1.0, HEIGHT * count / greatest) if count else 0.0
        says = escape(f"{low} – {high}: {number(count)}")
        bars.append(
            f'<rect x="{at * step:.1f}" y="{HEIGHT - height:.1f}" width="{max(step - 1, 0.5):.1f}" '
            f'height="{height:.1f}"><title>{says}</title></rect>'
        )
    low, high, count = max(parts, key=lambda part: part[2])
    words = gettext(
        "How the values are spread; most of them (%(count)s) lie between %(low)s and %(high)s",
        count=number(count),
        low=low,
        high=high,
    )
    return Markup(  # noqa: S704 # numbers and escaped text only
        f'<svg class="weft-histogram" viewBox="0 0 {WIDTH} {HEIGHT}" preserveAspectRatio="none" '
        f'width="100%" height="{HEIGHT}" role="img" aria-label="{escape(words)}">{"".join(bars)}</svg>'
    )


def _bin(part: Any) -> tuple[str, str, int]:
    low, high, count = part
    return _rounded(low) or str(low), _rounded(high) or str(high), int(count)
