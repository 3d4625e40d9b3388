"""What a document must fulfil, as a small tree that every engine understands.

Fields are ours, not a product's: the table FIELDS names those that every document has; any other name
is looked for among the document's `facts` (`extras.<key>`, `vocabulary.<name>`, …). A field that no
document has finds nothing and is no error.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from catalog.errors import BadQuery

Box = tuple[float, float, float, float]
"""West, south, east, north in degrees of WGS-84."""


class FieldKind(StrEnum):
    """How the values of a field are compared."""

    KEYWORD = "keyword"
    """Whole values, exactly as they are."""
    WORDS = "words"
    """Analysed text, in all its languages."""
    DATE = "date"
    NUMBER = "number"
    FACT = "fact"
    """A whole value of a name that only some documents have."""


FIELDS = {
    **dict.fromkeys(
        (
            "id",
            "slug",
            "organization",
            "publisher",
            "owner",
            "theme",
            "tag",
            "format",
            "access",
            "license",
            "frequency",
            "region",
            "api",
            "quality",
            "type",
        ),
        FieldKind.KEYWORD,
    ),
    **dict.fromkeys(("text", "title", "description", "tags", "place"), FieldKind.WORDS),
    **dict.fromkeys(
        ("modified", "created", "updated", "issued", "covers_from", "covers_to"), FieldKind.DATE
    ),
    "uses": FieldKind.NUMBER,
    "score": FieldKind.NUMBER,
    "resources": FieldKind.NUMBER,
}
"""Fields of every document: `modified` is the content's last change, `updated` the description's
(CKAN's metadata_modified), `created` when it was registered here, `score` the points of its quality.
`organization` and `region` hold the ancestors too; `publisher` is the organization alone, `owner` its id."""

MOST_CONDITIONS = 200
"""Parts of one condition, all in all."""
MOST_DEPTH = 12


@dataclass(frozen=True)
class Term:
    """The field has exactly this value."""

    field: str
    value: str


@dataclass(frozen=True)
class Words:
    """The analysed field holds all these words; words in quotes stand next to each other."""

    field: str
    text: str


@dataclass(frozen=True)
class Like:
    """The field has a value of this pattern: `*` is any run of characters, `?` any one."""

    field: str
    pattern: str


@dataclass(frozen=True)
class Range:
    """The field has a value from `low` to `high`; None leaves an end open.

    Dates are compared with datetimes, numbers with numbers, keywords and facts by their characters.
    """

    field: str
    low: datetime | float | str | None = None
    high: datetime | float | str | None = None
    with_low: bool = True
    with_high: bool = True


@dataclass(frozen=True)
class Exists:
    """The field has any value."""

    field: str


@dataclass(frozen=True)
class Within:
    """The document's box and this one have a point in common."""

    box: Box


@dataclass(frozen=True)
class And:
    """All parts are fulfilled; of no parts, everything is found."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """One part at least is fulfilled; of no parts, nothing is found."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Not:
    """The part is not fulfilled."""

    part: Condition


Condition = Term | Words | Like | Range | Exists | Within | And | Or | Not


def kind_of(field: str) -> FieldKind:
    """How the values of a field are compared; of an unknown one, as facts are."""
    return FIELDS.get(field, FieldKind.FACT)


def check_condition(condition: Condition) -> None:
    """Raise BadQuery for a condition that is too large to be asked, or a box that is none."""
    for total, (part, depth) in enumerate(_walk(condition, 1), start=1):
        if total > MOST_CONDITIONS or depth > MOST_DEPTH:
            raise BadQuery("a search may have at most %(most)s conditions", most=MOST_CONDITIONS)
        if isinstance(part, Within):
            west, south, east, north = part.box
            if not (-180 <= west <= east <= 180 and -90 <= south <= north <= 90):
                raise BadQuery("a box is west, south, east, north in degrees")


def _walk(condition: Condition, depth: int) -> Iterator[tuple[Condition, int]]:
    """Each part with its depth; no deeper than one step below what is allowed."""
    yield condition, depth
    if depth > MOST_DEPTH:
        return
    if isinstance(condition, And | Or):
        for part in condition.parts:
            yield from _walk(part, depth + 1)
    elif isinstance(condition, Not):
        yield from _walk(condition.part, depth + 1)
