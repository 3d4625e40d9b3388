"""Values as clients send them, made to fit a column, or refused as PostgreSQL does."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Callable
from datetime import UTC, date, datetime
from decimal import Decimal, InvalidOperation
from typing import Any

from api.ckan.types import PgType, pg_type
from catalog.models.vocabulary import ColumnType

LIMITS = {"int2": 2**15, "int4": 2**31, "int8": 2**63}
_WORDS = {
    **dict.fromkeys(("true", "t", "yes", "y", "on", "1"), True),
    **dict.fromkeys(("false", "f", "no", "n", "off", "0"), False),
}
_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,4})?", re.ASCII)
_FORMS = ("%Y/%m/%d", "%m/%d/%Y", "%m-%d-%Y")
"""Days that PostgreSQL reads besides ISO 8601, with the month first as it does by default."""


class WrongValue(ValueError):
    """The value does not fit; the message is PostgreSQL's."""


def fitted(value: Any, wanted: PgType) -> Any:
    """The value as the column keeps it; raises WrongValue.

    An empty text is null, unless the column is text. Nothing is rounded: where PostgreSQL would round
    2.5 to fit an integer, the value is refused.
    """
    if value is None or (value == "" and wanted.name != "text"):
        return None
    if wanted.is_json:
        return _json(value, wanted)
    return _FITTED[wanted.column](value, wanted)


def _json(value: Any, wanted: PgType) -> str:
    if wanted.item:
        item = pg_type(wanted.item)
        if not isinstance(value, list):
            raise WrongValue(f'malformed array literal: "{value}"')
        value = [_item(one, item) for one in value]
    return json.dumps(value, ensure_ascii=False)


def _item(value: Any, wanted: PgType | None) -> Any:
    if wanted is None or value is None or isinstance(value, list):
        return value
    made = fitted(value, wanted)
    return made.isoformat() if isinstance(made, date) else made


def _text(value: Any, _: PgType) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    text = str(value)
    if "\x00" in text:
        raise WrongValue("A string literal cannot contain NUL (0x00) characters.")
    return text


def _number(value: Any, name: str) -> Decimal:
    text = "" if isinstance(value, bool) else str(value).strip()
    if len(text) > 400 or not _NUMBER.fullmatch(text):
        raise WrongValue(f'invalid input syntax for type {name}: "{_shown(value)}"')
    try:
        return Decimal(text)
    except InvalidOperation as error:
        raise WrongValue(f'invalid input syntax for type {name}: "{_shown(value)}"') from error


def _integer(value: Any, wanted: PgType) -> int:
    number = _number(value, wanted.native)
    if abs(number) > 10**30:
        raise WrongValue(f'value "{_shown(value)}" is out of range for type {wanted.native}')
    whole = int(number)
    if whole != number:
        raise WrongValue(f'invalid input syntax for type {wanted.native}: "{_shown(value)}"')
    limit = LIMITS[wanted.name]
    if not -limit <= whole < limit:
        raise WrongValue(f'value "{_shown(value)}" is out of range for type {wanted.native}')
    return whole


def _float(value: Any, wanted: PgType) -> float:
    number = _number(value, wanted.native)
    made = float(number)
    if math.isinf(made):
        raise WrongValue(f'"{_shown(value)}" is out of range for type {wanted.native}')
    if wanted.name == "numeric" and Decimal(repr(made)) != number:
        raise WrongValue(
            f'"{_shown(value)}" has more digits than a number keeps here (15 to 17): use the type text'
        )
    return made


def _boolean(value: Any, wanted: PgType) -> bool:
    if isinstance(value, bool):
        return value
    known = _WORDS.get(str(value).strip().lower())
    if known is None:
        raise WrongValue(f'invalid input syntax for type {wanted.native}: "{_shown(value)}"')
    return known


def _moment(value: Any, wanted: PgType) -> datetime:
    """The moment; a plain timestamp forgets the zone that is written with it, as PostgreSQL does."""
    text = str(value).strip()
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        moment = _other_day(text, wanted)
    if moment.tzinfo is None:
        return moment
    if wanted.name == "timestamptz":
        moment = moment.astimezone(UTC)
    return moment.replace(tzinfo=None)


def _other_day(text: str, wanted: PgType) -> datetime:
    for form in _FORMS:
        try:
            return datetime.strptime(text, form)  # noqa: DTZ007 # a day without a zone
        except ValueError:
            continue
    if re.fullmatch(r"\d{1,4}[-/.]\d{1,2}[-/.]\d{1,4}.*", text, re.DOTALL):
        raise WrongValue(f'date/time field value out of range: "{_shown(text)}"')
    kind = "date" if wanted.name == "date" else wanted.name.replace("tz", " with time zone")
    raise WrongValue(f'invalid input syntax for type {kind}: "{_shown(text)}"')


def _day(value: Any, wanted: PgType) -> date:
    return _moment(value, wanted).date()


def _shown(value: Any) -> str:
    return str(value)[:200]


_FITTED: dict[ColumnType, Callable[[Any, PgType], Any]] = {
    ColumnType.STRING: _text,
    ColumnType.GEOMETRY: _text,
    ColumnType.INTEGER: _integer,
    ColumnType.NUMBER: _float,
    ColumnType.BOOLEAN: _boolean,
    ColumnType.DATE: _day,
    ColumnType.DATETIME: _moment,
}
