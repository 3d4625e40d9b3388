"""Words in texts, as patterns that both engines read alike: RE2 and Rust's regular expressions."""

from __future__ import annotations

import re
from functools import lru_cache

from catalog.models.vocabulary import ColumnType
from catalog.tabular.query import Op

WORDS = frozenset({Op.WORD, Op.WORD_STARTS})
HAN = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts in which nothing stands between words."""
_BEGINS_IN_HAN = re.compile(f"[{HAN}]")
_DIGITS = re.compile(r"-?[0-9]+([.][0-9]+)*")
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})


def pattern(word: str, kind: ColumnType, *, prefix: bool = False) -> str:
    """The pattern that finds the word in a value of this type, written as text."""
    sought = re.escape(word)
    if kind in _NUMBERS:
        end = "" if prefix else "$" if "." in word else r"([.]0+)?$"
        return f"^{sought}{end}"
    left = "" if _BEGINS_IN_HAN.match(word) else r"(?:^|[^\p{L}\p{N}_])"
    return f"(?i){left}{sought}{'' if prefix else _end(word, kind)}"


@lru_cache(maxsize=1_000)
def in_python(pattern: str) -> re.Pattern[str]:
    """The same pattern for Python, which knows letters and digits of all scripts under other names."""
    return re.compile(pattern.replace(r"\p{L}\p{N}_", r"\w").replace(r"\p{N}", r"\d"))


def _end(word: str, kind: ColumnType) -> str:
    """What must follow: no letter and no digit, and for a number no fraction."""
    if _BEGINS_IN_HAN.match(word[-1]):
        return ""
    if kind is ColumnType.DATETIME:
        return r"(?:$|[^\p{L}\p{N}_]|T)"  # the serving copy puts a T between day and time
    if _DIGITS.fullmatch(word):
        return r"(?:$|[^\p{L}\p{N}_.]|[.](?:$|[^\p{N}]))"
    return r"(?:$|[^\p{L}\p{N}_])"
