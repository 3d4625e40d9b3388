"""What values mean beyond their type, with the checks that their standards define. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date
from types import MappingProxyType

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import N_
from catalog.tabular.coordinates import DATUMS

__all__ = [
    "DATUMS", "LABELS", "PERSONAL", "SEMANTICS", "check_character", "datum_in", "detected",
    "identity_check", "is_likely", "looks_like", "valid",
]  # fmt: skip

USCC, DIVISION, IDENTITY = "uscc", "division", "resident_id"
PHONE, EMAIL = "phone", "email"
LONGITUDE, LATITUDE = "longitude", "latitude"

LABELS: Mapping[str, str] = MappingProxyType(
    {
        USCC: N_("Unified social credit code"),
        DIVISION: N_("Administrative division code"),
        IDENTITY: N_("Resident identity number"),
        PHONE: N_("Telephone number"),
        EMAIL: N_("E-mail address"),
        LONGITUDE: N_("Longitude"),
        LATITUDE: N_("Latitude"),
    }
)
"""What to call each kind of value."""
SEMANTICS = tuple(LABELS)
PERSONAL = frozenset([IDENTITY, PHONE])
"""Kinds that are personal data, or may be."""

USCC_LETTERS = "0123456789ABCDEFGHJKLMNPQRTUWXY"
"""GB 32100: no I, O, S, V and Z."""
USCC_WEIGHTS = tuple(3**at % 31 for at in range(17))
IDENTITY_WEIGHTS = tuple(2 ** (17 - at) % 11 for at in range(17))
IDENTITY_LETTERS = "10X98765432"
PROVINCES = [
    "11",
    "12",
    "13",
    "14",
    "15",
    "21",
    "22",
    "23",
    "31",
    "32",
    "33",
    "34",
    "35",
    "36",
    "37",
    "41",
    "42",
    "43",
    "44",
    "45",
    "46",
    "50",
    "51",
    "52",
    "53",
    "54",
    "61",
    "62",
    "63",
    "64",
    "65",
    "71",
    "81",
    "82",
]
_PROVINCE = f"(?:{'|'.join(PROVINCES)})"

_USCC = f"^[1-9ANY][0-9A-HJ-NP-RTUWXY][0-9]{{6}}[{USCC_LETTERS}]{{10}}$"
_DIVISION = f"^(?:{_PROVINCE}(?:0000|(?:0[1-9]|[1-9][0-9])[0-9]{{2}})|4600[0-9]{{2}})(?:[0-9]{{3}}(?:[0-9]{{3}})?)?$"
"""The form; counties of Hainan had no prefecture once. Whether there is such a code is said by `divisions`."""
_IDENTITY = f"^{_PROVINCE}[0-9]{{4}}(?:18|19|20)[0-9]{{2}}(?:0[1-9]|1[0-2])(?:0[1-9]|[12][0-9]|3[01])[0-9]{{3}}[0-9Xx]$"
_MOBILE = r"(?:(?:\+|00)?86[- ]?)?1[3-9][0-9]{9}"
_LANDLINE = r"(?:(?:\+|00)?86[- ]?)?(?:\(0[0-9]{2,3}\)|（0[0-9]{2,3}）|0[1-9][0-9]{1,2})[- ]?[2-9][0-9]{6,7}(?:[-转][0-9]{1,6})?"
_SERVICE = r"[48]00[- ]?[0-9]{3}[- ]?[0-9]{4}"
_ABROAD = r"\+[1-9](?:[- ]?[0-9]){6,14}"
_LOCAL = r"[2-9][0-9]{6,7}(?:[-转][0-9]{1,6})?|1[12][0-9]|1[02][0-9]{3}|9[56][0-9]{3,4}"
"""Numbers that are none without knowing where: they satisfy a declaration, but suggest nothing."""
_SURE_PHONE = f"^(?:{_MOBILE}|{_LANDLINE}|{_SERVICE}|{_ABROAD})$"
_PHONE = f"^(?:{_MOBILE}|{_LANDLINE}|{_SERVICE}|{_ABROAD}|{_LOCAL})$"
_EMAIL = r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@(?:[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?\.)+[A-Za-z]{2,63}$"

DIVISION_NAME = re.compile(
    r"区划|區劃|行政区.*[代编]码|地区[代编]码|ad_?code|division_?code|区县.*[代编]码", re.IGNORECASE
)
LONGITUDE_NAME = re.compile(r"经度|經度|^lng|^lon|longitude|lng$|lon$|^x坐标|^x座標", re.IGNORECASE)
LATITUDE_NAME = re.compile(
    r"纬度|緯度|^lat$|latitude|^lat[_ ]|[_ ]lat$|^y坐标|^y座標", re.IGNORECASE
)
_DATUM_NAMES = (
    ("bd09", re.compile(r"bd-?_?09|baidu|百度", re.IGNORECASE)),
    ("gcj02", re.compile(r"gcj-?_?02|amap|高德|火星|腾讯", re.IGNORECASE)),
    ("wgs84", re.compile(r"wgs-?_?84|gps", re.IGNORECASE)),
)


def check_character(code: str) -> str:
    """The last character of a unified social credit code, from the 17 before it."""
    values = [USCC_LETTERS.index(letter) for letter in code[:17]]
    rest = sum(value * weight for value, weight in zip(values, USCC_WEIGHTS, strict=True)) % 31
    return USCC_LETTERS[(31 - rest) % 31]


def identity_check(number: str) -> str:
    """The last character of a resident identity number, from the 17 digits before it."""
    pairs = zip(map(int, number[:17]), IDENTITY_WEIGHTS, strict=True)
    return IDENTITY_LETTERS[sum(digit * weight for digit, weight in pairs) % 11]


def valid(semantic: str, values: pa.Array) -> pa.Array:
    """Whether each text satisfies the standard; null stays null."""
    return _VALID[semantic](values)


def is_likely(semantic: str, name: str, values: pa.Array) -> pa.Array:
    """As `valid`, but false for what may as well be something else; `name` is that of the column."""
    if semantic == PHONE:
        return pc.match_substring_regex(values, _SURE_PHONE)
    if semantic == DIVISION and not DIVISION_NAME.search(name):
        return pc.and_(pc.is_null(values), False)  # noqa: FBT003 # no value at all
    return valid(semantic, values)


def looks_like(semantic: str, texts: Sequence[str]) -> int:
    """How many of some texts have the form of this kind; cheaper than the whole check."""
    pattern = _FORMS.get(semantic)
    return len(texts) if pattern is None else sum(1 for text in texts if pattern.match(text))


def detected(name: str) -> str:
    """What numbers in a column of this name are: longitudes, latitudes, or nothing that is known."""
    if LONGITUDE_NAME.search(name):
        return LONGITUDE
    return LATITUDE if LATITUDE_NAME.search(name) else ""


def datum_in(name: str) -> str:
    """The datum that the name of a column of coordinates says."""
    return next((datum for datum, pattern in _DATUM_NAMES if pattern.search(name)), "")


_FORMS = {
    USCC: re.compile(_USCC),
    DIVISION: re.compile(_DIVISION),
    IDENTITY: re.compile(_IDENTITY),
    PHONE: re.compile(_SURE_PHONE),
    EMAIL: re.compile(_EMAIL),
}


def _matches(pattern: str) -> Callable[[pa.Array], pa.Array]:
    return lambda values: pc.match_substring_regex(values, pattern)


def _checked(
    pattern: str, letters: str, weights: tuple[int, ...], right: Callable[[np.ndarray], np.ndarray]
) -> Callable[[pa.Array], pa.Array]:
    """A check of codes of 18 characters: the pattern, then `right` of the weighted sum is the last one."""
    table = np.full(128, -1, np.int64)
    for value, letter in enumerate(letters):
        table[ord(letter)] = value

    def check(values: pa.Array) -> pa.Array:
        found = pc.fill_null(pc.match_substring_regex(values, pattern), False)  # noqa: FBT003 # no match
        codes = "".join(values.filter(found).to_pylist()).upper().encode()
        marks = np.array(found.to_numpy(zero_copy_only=False), bool)
        if codes:
            rows = np.frombuffer(codes, np.uint8).reshape(-1, 18)
            sums = table[rows[:, :17]] @ np.array(weights, np.int64)
            marks[marks] = right(sums) == rows[:, 17]
        return pa.array(marks, mask=~values.is_valid().to_numpy(zero_copy_only=False))

    return check


def _uscc_last(sums: np.ndarray) -> np.ndarray:
    letters = np.frombuffer(USCC_LETTERS.encode(), np.uint8)
    return np.take(letters, (31 - sums % 31) % 31)


def _identity_last(sums: np.ndarray) -> np.ndarray:
    letters = np.frombuffer(IDENTITY_LETTERS.encode(), np.uint8)
    return np.take(letters, sums % 11)


_IDENTITY_CHECK = _checked(_IDENTITY, "0123456789", IDENTITY_WEIGHTS, _identity_last)


def _identities(values: pa.Array) -> pa.Array:
    """Numbers whose check character is right and whose day of birth is one, and not to come."""
    found = _IDENTITY_CHECK(values)
    born = [text[6:14] for text in values.filter(pc.fill_null(found, False)).to_pylist()]  # noqa: FBT003
    marks = np.array(pc.fill_null(found, False).to_numpy(zero_copy_only=False), bool)  # noqa: FBT003
    marks[marks] = [_is_past(day) for day in born]
    return pa.array(marks, mask=~values.is_valid().to_numpy(zero_copy_only=False))


def _is_past(day: str) -> bool:
    try:
        return date.fromisoformat(f"{day[:4]}-{day[4:6]}-{day[6:]}") <= date.today()  # noqa: DTZ011 # a day, anywhere
    except ValueError:
        return False


def _within(limit: float) -> Callable[[pa.Array], pa.Array]:
    def check(values: pa.Array) -> pa.Array:
        try:
            numbers = pc.cast(values, pa.float64())
        except pa.ArrowInvalid:
            return pa.array([_is_within(text, limit) for text in values.to_pylist()], pa.bool_())
        return pc.less_equal(pc.abs(numbers), limit)

    return check


def _is_within(text: str | None, limit: float) -> bool | None:
    if text is None:
        return None
    try:
        return abs(float(text)) <= limit
    except ValueError:
        return False


_VALID: dict[str, Callable[[pa.Array], pa.Array]] = {
    USCC: _checked(_USCC, USCC_LETTERS, USCC_WEIGHTS, _uscc_last),
    DIVISION: _matches(_DIVISION),
    IDENTITY: _identities,
    PHONE: _matches(_PHONE),
    EMAIL: _matches(_EMAIL),
    LONGITUDE: _within(180.0),
    LATITUDE: _within(90.0),
}
