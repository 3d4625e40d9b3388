"""Texts read as their declared type: the value, and why the text is kept beside it."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time
from decimal import Decimal, InvalidOperation
from functools import partial

import orjson

from catalog.tabular.reading.types import is_exact
from catalog.tabular.reasons import Reason
from catalog.tabular.table_schema import Field

INTEGERS = range(-(2**63), 2**63)
MOST_DIGITS = 400
PLAIN_NUMBER = re.compile(r"[+-]?(\d+(\.\d*)?|\.\d+)([eE][+-]?\d{1,3})?")
_AROUND = r"[^\d+\-.<>≤≥~≈±()*?万亿萬億千百]*"
AFFIXES = re.compile(
    rf"{_AROUND}(?P<number>[+-]?[\d.](?:.*[\d.])?)(?P<after>[万亿萬億千百十]*{_AROUND})", re.DOTALL
)
"""A number between a currency and a unit; signs that change what it says are neither."""
BOUND = re.compile(r"[<>≤≥＜＞≦≧~～约≈].*\d|\d.*(以上|以下|及以上|及以下|左右|\+)$")
MARK = re.compile(r"[-–—―－_./\\*#…·×?？]+|无|無|空|暂无|不详|缺|N/?A|n/?a|null|NULL|None|nan|NaN")
MULTIPLES = (
    ("万亿", 12), ("千亿", 11), ("百亿", 10), ("亿", 8), ("億", 8), ("千万", 7), ("百万", 6), ("十万", 5),
    ("万", 4), ("萬", 4), ("千", 3), ("百", 2),
)  # fmt: skip
"""Chinese multiples before a unit, the longest first, as powers of ten."""
NOT_MULTIPLES = re.compile(r"^千(克|米|瓦|卡|帕|焦|伏|赫|字节|吨)|^百分|^百帕")
"""Units that begin like a multiple: 千克 is a kilogram."""
DAY = re.compile(
    r"(\d{4})(?:-(\d{1,2})-(\d{1,2})|/(\d{1,2})/(\d{1,2})|\.(\d{1,2})\.(\d{1,2})"
    r"|\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*[日号號]|(\d{2})(\d{2}))"
)
MONTH = re.compile(r"(\d{4})\s*(?:[-/.年]\s*)(\d{1,2})\s*月?|(\d{4})(0[1-9]|1[0-2])")
YEAR = re.compile(r"(-?\d{1,4})\s*年?")
CLOCK = re.compile(r"(\d{1,2})[:时點点](\d{1,2})(?:[:分](\d{1,2})(?:\.(\d{1,6}))?秒?|分)?")
MIDNIGHT = re.compile(r"[T ]00:00(:00(\.0+)?)?$")
"""What workbooks and databases write after a day."""
ZONE = re.compile(r"(Z|[+-]\d{2}:?\d{2})$")
FORMATS = {
    "email": re.compile(r"[^@\s]{1,64}@[^@\s]+\.[^@\s.]+"),
    "uri": re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:[^\s]+"),
    "uuid": re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}"),
    "binary": re.compile(r"[A-Za-z0-9+/\s]*={0,2}"),
}
DURATION = re.compile(r"-?P(?=.)(\d+Y)?(\d+M)?(\d+W)?(\d+D)?(T(?=.)(\d+H)?(\d+M)?(\d+(\.\d+)?S)?)?")


@dataclass(frozen=True)
class Read:
    """A value, and why its text is kept: nothing, another notation, or what it breaks."""

    value: object
    reason: Reason = Reason.FINE


Reader = Callable[[str], Read]


def reader_of(field: Field) -> Reader:
    """What reads the texts of a column of which this is said."""
    return partial(_READERS[field.kind], field)


def _broken(reason: Reason) -> Read:
    return Read(None, reason)


def _noted(value: object, canonical: str, text: str) -> Read:
    return Read(value, Reason.FINE if canonical == text else Reason.NOTATION)


def _tidy(text: str) -> str:
    """With full-width digits and signs as plain ones."""
    return unicodedata.normalize("NFKC", text).replace("−", "-").strip()


def _decimal(field: Field, text: str) -> Decimal | Reason:
    """The exact number, or why the text is none."""
    plain = _tidy(text)
    power, digits = 0, plain
    if field.percent and plain.endswith(("%", "‰")):
        power, digits = (-2 if plain.endswith("%") else -3), plain[:-1].strip()
    elif not field.bare:
        found = AFFIXES.fullmatch(plain)
        if found and not BOUND.search(plain):
            digits, power = found["number"], _multiple(found["after"].strip())
    digits = _ungrouped(field, digits)
    if len(digits) > MOST_DIGITS or not PLAIN_NUMBER.fullmatch(digits):
        return _why_no_number(plain)
    try:
        return Decimal(digits).scaleb(power) if power else Decimal(digits)
    except InvalidOperation:
        return Reason.RANGE


def _multiple(unit: str) -> int:
    """The power of ten that a Chinese unit begins with: 万元, 亿元."""
    if NOT_MULTIPLES.match(unit):
        return 0
    return next((power for word, power in MULTIPLES if unit.startswith(word)), 0)


def _ungrouped(field: Field, digits: str) -> str:
    """The digits with a point and without groups; text that is grouped wrongly stays as it is."""
    if field.group:
        mark = re.escape(field.group)
        whole = rf"[+-]?\d{{1,4}}(?:{mark}\d{{3,4}})+(?!\d)(?!{mark})"
        if re.match(whole, digits):
            digits = digits.replace(field.group, "")
    if field.decimal != ".":
        if "." in digits:
            return ""
        digits = digits.replace(field.decimal, ".")
    return digits


def _why_no_number(text: str) -> Reason:
    if BOUND.search(text):
        return Reason.BOUND
    return Reason.MARK if MARK.fullmatch(text) else Reason.NUMBER


def _integer(field: Field, text: str) -> Read:
    found = _decimal(field, text)
    if isinstance(found, Reason):
        return _broken(Reason.INTEGER if found is Reason.NUMBER else found)
    if abs(found.adjusted()) > MOST_DIGITS:
        return _broken(Reason.RANGE)
    if found != found.to_integral_value():
        return _broken(Reason.INTEGER)
    value = int(found)
    return _noted(value, str(value), text) if value in INTEGERS else _broken(Reason.RANGE)


def _number(field: Field, text: str) -> Read:
    found = _decimal(field, text)
    if isinstance(found, Reason):
        return _broken(found)
    if not is_exact(str(found)):
        return _broken(Reason.PRECISION)
    value = float(found)
    return _noted(value, plain_number(value), text)


def plain_number(value: float) -> str:
    """A number as it is usually written: no exponent, no zeros at the end."""
    text = format(Decimal(repr(value)), "f")
    return text.rstrip("0").rstrip(".") if "." in text else text


def _year(field: Field, text: str) -> Read:  # noqa: ARG001 # all readers have one form
    found = YEAR.fullmatch(_tidy(text))
    return _noted(int(found[1]), str(int(found[1])), text) if found else _broken(Reason.YEAR)


def _boolean(field: Field, text: str) -> Read:
    if text in field.true or text in field.false:
        value = text in field.true
        return _noted(value, "true" if value else "false", text)
    return _broken(Reason.MARK if MARK.fullmatch(text) else Reason.BOOLEAN)


def _is_pattern(field: Field) -> bool:
    return field.format not in {"default", "any", ""}


def _by_pattern(field: Field, text: str) -> datetime | None:
    pattern = field.format.removeprefix("fmt:")
    try:
        return datetime.strptime(text.strip(), pattern)  # noqa: DTZ007 # as the source writes it
    except ValueError:
        return None


def _date(field: Field, text: str) -> Read:
    if _is_pattern(field):
        found = _by_pattern(field, text)
        day = found.date() if found else None
    else:
        day = _day(MIDNIGHT.sub("", _tidy(text)))
    return _noted(day, day.isoformat(), text) if day else _broken(_why_no_day(text))


def _day(text: str) -> date | None:
    found = DAY.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(part) for part in found.groups() if part)
    try:
        return date(year, month, day)
    except ValueError:
        return None


def _why_no_day(text: str) -> Reason:
    plain = _tidy(text)
    if MONTH.fullmatch(plain) or YEAR.fullmatch(plain):
        return Reason.PARTIAL
    return Reason.MARK if MARK.fullmatch(plain) else Reason.DATE


def _yearmonth(field: Field, text: str) -> Read:  # noqa: ARG001 # all readers have one form
    found = MONTH.fullmatch(_tidy(text))
    if not found:
        return _broken(Reason.MONTH)
    year, month = (int(part) for part in found.groups() if part)
    if not 1 <= month <= 12:
        return _broken(Reason.MONTH)
    canonical = f"{year:04}-{month:02}"
    return _noted(canonical, canonical, text)


def _datetime(field: Field, text: str) -> Read:
    moment = _by_pattern(field, text) if _is_pattern(field) else _moment(_tidy(text))
    if moment is None:
        why = _why_no_day(text)
        return _broken(Reason.DATETIME if why is Reason.DATE else why)
    if moment.tzinfo:
        moment = moment.astimezone(UTC).replace(tzinfo=None)
    return Read(moment, Reason.FINE if text in _written(moment) else Reason.NOTATION)


def _written(moment: datetime) -> tuple[str, ...]:
    """The moment as ISO 8601 has it, with a T or a blank."""
    return moment.isoformat(), moment.isoformat(" ")


def _moment(text: str) -> datetime | None:
    zone = ZONE.search(text)
    rest = text[: zone.start()] if zone and ":" in text[: zone.start()] else text
    head = DAY.match(rest)
    day = _day(head[0]) if head else None
    if not head or not day:
        return None
    after = rest[head.end() :].lstrip("T ").strip()
    clock = _clock(after) if after else time()
    if clock is None:
        return None
    stamp = f"{day.isoformat()}T{clock.isoformat()}{text[len(rest) :].replace('Z', '+00:00')}"
    try:
        return datetime.fromisoformat(stamp)
    except ValueError:
        return None


def _clock(text: str) -> time | None:
    found = CLOCK.fullmatch(text)
    if not found:
        return None
    hour, minute, second, part = (found[at] or "0" for at in range(1, 5))
    try:
        return time(int(hour), int(minute), int(second), int(part.ljust(6, "0")))
    except ValueError:
        return None


def _time(field: Field, text: str) -> Read:
    moment = _by_pattern(field, text) if _is_pattern(field) else None
    clock = moment.time() if moment else _clock(_tidy(text))
    if clock is None:
        return _broken(Reason.TIME)
    return _noted(clock.isoformat(), clock.isoformat(), text)


def _json(kinds: tuple[type, ...], reason: Reason, field: Field, text: str) -> Read:  # noqa: ARG001 # one form
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _broken(reason)
    return Read(text) if isinstance(value, kinds) else _broken(reason)


def _geojson(field: Field, text: str) -> Read:  # noqa: ARG001 # all readers have one form
    try:
        value = orjson.loads(text)
    except orjson.JSONDecodeError:
        return _broken(Reason.GEOJSON)
    is_shape = isinstance(value, dict) and ("coordinates" in value or "geometries" in value)
    return Read(text) if is_shape else _broken(Reason.GEOJSON)


def _geopoint(field: Field, text: str) -> Read:  # noqa: ARG001 # all readers have one form
    parts = text.strip("[] ").split(",")
    try:
        longitude, latitude = map(float, parts)
    except ValueError:
        return _broken(Reason.GEOPOINT)
    fits = abs(longitude) <= 180 and abs(latitude) <= 90
    return Read(text) if fits else _broken(Reason.GEOPOINT)


def _string(field: Field, text: str) -> Read:
    pattern = FORMATS.get(field.format)
    return Read(text) if pattern is None or pattern.fullmatch(text) else Read(text, Reason.FORMAT)


def _duration(field: Field, text: str) -> Read:  # noqa: ARG001 # all readers have one form
    return Read(text) if DURATION.fullmatch(text) else _broken(Reason.DURATION)


_READERS: dict[str, Callable[[Field, str], Read]] = {
    "string": _string,
    "integer": _integer,
    "number": _number,
    "year": _year,
    "boolean": _boolean,
    "date": _date,
    "yearmonth": _yearmonth,
    "datetime": _datetime,
    "time": _time,
    "duration": _duration,
    "geojson": _geojson,
    "geopoint": _geopoint,
    "object": partial(_json, (dict,), Reason.OBJECT),
    "array": partial(_json, (list,), Reason.ARRAY),
    "list": _string,
}
