"""Fields of CKAN's index in our words: clauses become conditions, facets counts, and sort orders ours."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

from api.ckan import formats, licenses
from api.ckan.dictized import STATES
from api.ckan.resource_checks import whole_number
from api.ckan.solr_query import All, Any, Between, Clause, No, Value
from catalog.search.conditions import (
    And,
    Condition,
    Exists,
    FieldKind,
    Like,
    Not,
    Or,
    Range,
    Term,
    Words,
    kind_of,
)

FIELDS = {
    "": "text",
    "name": "slug",
    "title_string": "title",
    "title_ngram": "title",
    "name_ngram": "slug",
    "notes": "description",
    "organization": "publisher",
    "owner_org": "owner",
    "groups": "theme",
    "tags": "tag",
    "res_format": "format",
    "license_id": "license",
    "metadata_modified": "updated",
    "metadata_created": "created",
    "creator_user_id": "creator",
    "num_resources": "resources",
    "res_name": "text",
    "res_description": "text",
    "views_total": "uses",
    "views_recent": "uses",
    "dataset_type": "type",
}
"""CKAN's name → ours; `id`, `title`, `text`, `state`, `private`, `url`, `type` are called the same."""
SAME = frozenset(("id", "title", "text", "state", "private", "url", "type"))
ALWAYS = frozenset(("site_id", "entity_type", "index_id"))
"""Fields that have one value in all documents."""
SORTS = {
    "score": "relevance",
    "metadata_modified": "updated",
    "metadata_created": "created",
    "title_string": "title",
    "title": "title",
    "name": "slug",
    "id": "id",
    "views_recent": "uses",
    "views_total": "uses",
    "popularity": "uses",
}
FALLING = frozenset(("relevance", "updated", "created", "uses"))
"""Orders that begin with the largest value."""
_STATES = {shown: str(state) for state, shown in STATES.items()}
_STEP = re.compile(
    r"([+-])(\d+)(YEAR|MONTH|DAY|HOUR|MINUTE|SECOND)S?|/(YEAR|MONTH|DAY|HOUR|MINUTE)S?"
)
_MOMENT = re.compile(r"(NOW|\d{4}-\d{2}(?:-\d{2})?(?:T[\d:.]+)?Z?)((?:[+-]\d+[A-Z]+|/[A-Z]+)*)")
_LENGTHS = {
    "YEAR": timedelta(days=365.2425),
    "MONTH": timedelta(days=30.436875),
    "DAY": timedelta(days=1),
    "HOUR": timedelta(hours=1),
    "MINUTE": timedelta(minutes=1),
    "SECOND": timedelta(seconds=1),
}
_UNITS = ("YEAR", "MONTH", "DAY", "HOUR", "MINUTE")
EVERYTHING, NOTHING = And(()), Or(())


def field_of(name: str) -> str:
    """Our name of a field; one that CKAN does not have itself is one of the extras."""
    if name in FIELDS:
        return FIELDS[name]
    if name in SAME:
        return name
    if name.startswith("vocab_"):
        return f"vocabulary.{name[6:]}"
    return f"extras.{name.removeprefix('extras_')}"


def condition_of(clause: Clause) -> Condition:
    """The condition that a clause means."""
    match clause:
        case All(parts):
            return And(tuple(condition_of(part) for part in parts))
        case Any(parts):
            return Or(tuple(condition_of(part) for part in parts))
        case No(part):
            return Not(condition_of(part))
        case Between():
            return _between(clause)
        case Value():
            return _value(clause)


def words_of(clause: Clause) -> tuple[str, Clause]:
    """The words that stand free at the top of a query, which decide the order, and what is left of it."""
    parts = clause.parts if isinstance(clause, All) else (clause,)
    free = [part for part in parts if _is_free(part)]
    text = " ".join(_written(part) for part in free if isinstance(part, Value))
    return text, All(tuple(part for part in parts if part not in free))


def shown_value(field: str, value: str) -> str:
    """A value of our index as CKAN writes it."""
    if field == "format":
        return formats.spelled(value)
    if field == "state":
        return next((shown for shown, ours in _STATES.items() if ours == value), value)
    return value


def moment_of(text: str) -> datetime | None:
    """The moment of a date, of NOW, or of one with steps such as -7DAYS or /DAY; None for no date."""
    found = _MOMENT.fullmatch(text.strip())
    if found is None:
        return None
    try:
        moment = datetime.now(UTC) if found[1] == "NOW" else _read(found[1])
        for sign, number, unit, rounded in _STEP.findall(found[2]):
            if rounded:
                moment = _rounded(moment, rounded)
            else:
                moment += _LENGTHS[unit] * int(f"{sign}{number}")
    except (ValueError, OverflowError):
        return None
    return moment


def _rounded(moment: datetime, unit: str) -> datetime:
    """The beginning of the moment's year, month, day, hour or minute."""
    kept = moment.timetuple()[: _UNITS.index(unit) + 1]
    year, month, day, hour, minute = (*kept, *(0, 1, 1, 0, 0)[len(kept) :])
    return datetime(year, month, day, hour, minute, tzinfo=UTC)


def _read(text: str) -> datetime:
    plain = text.removesuffix("Z")
    full = f"{plain}-01" if len(plain) == len("2024-05") else plain
    return datetime.fromisoformat(full).replace(tzinfo=UTC)


def _is_free(part: Clause) -> bool:
    return (
        isinstance(part, Value) and not part.field and (part.quoted or not _is_pattern(part.text))
    )


def _written(value: Value) -> str:
    """The words as people would type them."""
    text = value.plain
    return f'"{text}"' if value.quoted else text


def _value(value: Value) -> Condition:
    if value.field == "*" or value.field in ALWAYS:
        return EVERYTHING
    field, text = field_of(value.field), value.plain
    if not value.quoted and value.text == "*":
        return EVERYTHING if field == "text" else Exists(field)
    if value.field == "capacity":
        return Term("private", "true" if text == "private" else "false")
    if value.field == "isopen":
        return _is_open(text)
    kind = kind_of(field)
    if kind in (FieldKind.DATE, FieldKind.NUMBER):
        point = _end(field, text)
        return NOTHING if point is None else Range(field, point, point)
    if not value.quoted and _is_pattern(value.text):
        return Like(field, _cased(field, text))
    if kind is FieldKind.WORDS:
        return Words(field, f'"{text}"' if value.quoted else text)
    return _exactly(field, text)


def _exactly(field: str, text: str) -> Condition:
    if field == "license":
        return Term(field, licenses.ours(text) or text)
    if field == "type" and text != "dataset":
        return Term("extras.type", text)
    if field == "type":
        return And((Term(field, text), Not(Exists("extras.type"))))
    return Term(field, _cased(field, text))


def _cased(field: str, text: str) -> str:
    if field == "format":
        return text.upper()
    if field == "state":
        return _STATES.get(text, text)
    return text.lower() if field == "private" else text


def _is_open(text: str) -> Condition:
    ids = [one.id for one in licenses.everything() if one.is_open]
    is_open = Or(tuple(Term("license", id_) for id_ in ids))
    return is_open if text == "true" else Not(is_open)


def _between(asked: Between) -> Condition:
    if asked.field in ALWAYS or asked.field == "*":
        return EVERYTHING
    field = field_of(asked.field)
    if asked.low == asked.high == "*":
        return Exists(field)
    low, high = (None if end == "*" else _end(field, end) for end in (asked.low, asked.high))
    if (low is None and asked.low != "*") or (high is None and asked.high != "*"):
        return NOTHING
    return Range(field, low, high, asked.with_low, asked.with_high)


def _end(field: str, text: str) -> datetime | float | str | None:
    kind = kind_of(field)
    if kind is FieldKind.DATE:
        return moment_of(text)
    if kind is FieldKind.NUMBER:
        number = whole_number(text)
        return float(number) if isinstance(number, int) else None
    return _cased(field, text)


def _is_pattern(text: str) -> bool:
    return bool(re.search(r"(?<!\\)[*?]", text))
