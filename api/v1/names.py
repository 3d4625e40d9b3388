"""Lists of names in parameters: `a,"b,c",-d` and `avg("PM2.5") as mean`."""

from __future__ import annotations

import re

from catalog.errors import BadQuery
from catalog.tabular.query import Aggregate, Box, Measure, Near, Order

MOST = 500
"""Names in one parameter."""
_CALL = re.compile(
    r"(?P<call>[A-Za-z]+)\s*\((?P<column>.*)\)(?:\s+as\s+(?P<name>.+))?", re.DOTALL | re.IGNORECASE
)


def names_in(text: str) -> tuple[str, ...]:
    """The names in a comma-separated list; a name with a comma stands in double quotes."""
    return tuple(unquoted(part) for part in parts_of(text))


def orders_in(text: str) -> tuple[Order, ...]:
    """What to sort by; a minus before a name turns the order around."""
    return tuple(
        Order(unquoted(part.removeprefix("-").strip()), descending=part.startswith("-"))
        for part in parts_of(text)
    )


def measures_in(text: str) -> tuple[Measure, ...]:
    """What to compute: `count(*)`, `avg(PM2.5)`, `max("Total amount") as greatest`."""
    return tuple(_measure(part) for part in parts_of(text))


def near_in(text: str) -> Near:
    """A circle: columns of latitude and longitude, or one of shapes, then latitude, longitude and kilometres."""
    names, numbers = _place_in(text, 3)
    return Near(*names, *numbers)


def box_in(text: str) -> Box:
    """A box: columns of latitude and longitude, or one of shapes, then south, west, north and east."""
    names, numbers = _place_in(text, 4)
    return Box(*names, *numbers)


def _place_in(text: str, count: int) -> tuple[tuple[str, str], list[float]]:
    parts = parts_of(text)
    try:
        columns, numbers = parts[:-count], [float(part) for part in parts[-count:]]
    except ValueError:
        columns, numbers = [], []
    if len(columns) not in (1, 2) or len(numbers) != count:
        raise BadQuery(
            "“%(text)s” is no place: write the columns of latitude and longitude, or one of geometries, then "
            "%(count)s numbers",
            text=text[:200],
            count=count,
        )
    return (unquoted(columns[0]), unquoted(columns[-1])), numbers


def parts_of(text: str) -> list[str]:
    """The parts between commas that are in no quotes; raises BadQuery for an open quote."""
    parts, part, quoted = [], "", False
    for sign in text:
        if sign == '"':
            quoted = not quoted
        if sign == "," and not quoted:
            parts.append(part.strip())
            part = ""
        else:
            part += sign
    if quoted:
        raise BadQuery("a double quote is not closed in %(text)s", text=text[:200])
    parts.append(part.strip())
    found = [part for part in parts if part]
    if len(found) > MOST:
        raise BadQuery("a list may have at most %(most)s names", most=MOST)
    return found


def unquoted(text: str) -> str:
    """A name without the double quotes around it."""
    if len(text) >= 2 and text[0] == text[-1] == '"':
        return text[1:-1].replace('""', '"')
    return text


def _measure(text: str) -> Measure:
    found = _CALL.fullmatch(text)
    known = {aggregate.value: aggregate for aggregate in Aggregate}
    if found is None or found["call"].lower() not in known:
        raise BadQuery(
            "“%(text)s” cannot be computed: write one of %(known)s with a column, such as avg(price)",
            text=text[:200],
            known=", ".join(known),
        )
    aggregate = known[found["call"].lower()]
    column = unquoted(found["column"].strip())
    return Measure(
        aggregate, column, unquoted((found["name"] or "").strip()) or _name(aggregate, column)
    )


def _name(aggregate: Aggregate, column: str) -> str:
    return aggregate.value if column == "*" else f"{aggregate.value}_{column}"
