"""The representation format of data elements (表示格式, GB/T 19488.1): `an..18`, `n..12,2`, `d8`, `c..100`, `ul` …. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from types import MappingProxyType

from catalog.errors import N_, Invalid

LETTERS = MappingProxyType(
    {"a": "[A-Za-z]", "n": "[0-9]", "an": "[A-Za-z0-9]", "c": r"[^\x00-\x08]"}
)
"""What each letter of a format stands for, as a class of RE2: `c` is any character."""
MOMENTS = MappingProxyType(
    {
        "d4": "%Y",
        "d6": "%Y%m",
        "d7": "%Y-%m",
        "d8": "%Y%m%d",
        "d10": "%Y-%m-%d",
        "t6": "%H%M%S",
        "t8": "%H:%M:%S",
        "dt14": "%Y%m%d%H%M%S",
        "dt19": "%Y-%m-%d %H:%M:%S",
    }
)
"""Days and times of day: format → how they are written."""
WRONG = N_(
    "Use a format of GB/T 19488.1 such as c..100, an18, an2..6, n..12,2, d8, t6, dt14, bl or ul."
)
_FORM = re.compile(r"(an|a|n|c)(?:(\d{1,5})?(\.\.)(\d{1,5})|(\d{1,5}))(?:,(\d{1,2}))?")


@dataclass(frozen=True)
class Representation:
    """What a format asks of a value written as text: each part that is empty asks nothing."""

    pattern: str = ""
    """Expression of RE2 that the whole text matches."""
    moment: str = ""
    """How a day or a time of day is written, in the letters of strftime."""
    digits: int = 0
    """Greatest number of digits of a number, those behind the point among them."""
    decimals: int = 0
    is_number: bool = False


def representation(format_: str) -> Representation:
    """What the format asks; Invalid for one that is none."""
    text = format_.strip().lower()
    if text in ("", "ul"):
        return Representation()
    if text in ("bl", "b"):
        return Representation(pattern="(?i)0|1|true|false")
    if text in MOMENTS:
        return Representation(moment=MOMENTS[text])
    found = _FORM.fullmatch(text)
    if found is None:
        raise Invalid(WRONG, problems={"format": [WRONG]})
    kind, least, _, most, exact, decimals = found.groups()
    low, high = int(exact or least or 0), int(exact or most)
    if low > high or not high or (decimals and (kind != "n" or int(decimals) > high)):
        raise Invalid(WRONG, problems={"format": [WRONG]})
    if decimals:
        return Representation(digits=high, decimals=int(decimals), is_number=True)
    return Representation(
        pattern=_repeated(LETTERS[kind], low, high), digits=high, is_number=kind == "n"
    )


def _repeated(letters: str, low: int, high: int) -> str:
    """So many of them; RE2 repeats a thousand times at most, so that longer texts only have to be of the class."""
    if high > 1000:
        return f"(?s){letters}*"
    return f"(?s){letters}{{{low},{high}}}"
