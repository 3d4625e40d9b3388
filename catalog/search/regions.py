"""Divisions of China by their code (GB/T 2260): what stands above one, what it is called, which one is meant.

The table `data/divisions.csv` holds provinces, cities and counties, from the statistics bureau's codes as
github.com/modood/Administrative-divisions-of-China (WTFPL) lists them; codes have six digits.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path

FILE = Path(__file__).parent / "data" / "divisions.csv"
CODE = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}")
NO_PLACE = re.compile("市辖区|县|.*直辖县级行政区划")
"""Levels that hold others but are no place of their own: 上海市's districts stand right below it."""
SUFFIX = re.compile("(?:特别行政区|自治区|自治州|地区|省|市|区|县|盟|旗)$")


@lru_cache(maxsize=1)
def names() -> Mapping[str, str]:
    """Code → name of every division."""
    with FILE.open(encoding="utf-8", newline="") as file:
        return {row["code"]: row["name"] for row in csv.DictReader(file)}


def line_of(code: str) -> tuple[str, ...]:
    """The codes of the province, city and county that a division code lies in, the largest first.

    Longer codes (towns, villages) are those of their county; what is no code has none.
    """
    if not CODE.fullmatch(code) or code == "000000":
        return ()
    known = names()
    digits = code[:6].ljust(6, "0")
    levels = (f"{digits[:2]}0000", f"{digits[:4]}00", digits)
    return tuple(
        level
        for level in dict.fromkeys(levels)
        if level in known and not NO_PLACE.fullmatch(known[level])
    )


def name_of(code: str) -> str:
    """What a division is called; an unknown one by its code."""
    return names().get(code, code)


def codes_of(name: str) -> tuple[str, ...]:
    """The codes of all divisions of this name, with or without its `省`, `市`, `区`; itself for a code."""
    if CODE.fullmatch(name):
        return line_of(name)[-1:] or (name[:6].ljust(6, "0"),)
    return _by_name().get(name) or _by_name().get(SUFFIX.sub("", name), ())


@lru_cache(maxsize=1)
def _by_name() -> Mapping[str, tuple[str, ...]]:
    found: dict[str, list[str]] = {}
    for code, name in names().items():
        if not NO_PLACE.fullmatch(name):
            for called in {name, SUFFIX.sub("", name)}:
                if len(called) > 1:
                    found.setdefault(called, []).append(code)
    return {name: tuple(codes) for name, codes in found.items()}
