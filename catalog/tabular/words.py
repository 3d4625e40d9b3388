"""Words in texts, as patterns that both engines read alike: RE2 and Rust's regular expressions."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from catalog.models.vocabulary import ColumnType
from catalog.tabular.english import forms_of
from catalog.tabular.query import Op

WORDS = frozenset({Op.WORD, Op.WORD_STARTS, Op.STEM, Op.PHRASE})
HAN = r"\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff"
"""Scripts in which nothing stands between words."""
ANY, STEM, BEGINNING = "?", "~", "*"
"""Signs of a phrase."""
_BEGINS_IN_HAN = re.compile(f"[{HAN}]")
_DIGITS = re.compile(r"-?[0-9]+([.][0-9]+)*")
_NUMBERS = frozenset({ColumnType.INTEGER, ColumnType.NUMBER})
_BREAK, _INSIDE = r"[^\p{L}\p{N}]", r"[\p{L}\p{N}]"
_NO_POINT, _NO_DIGIT = r"[^\p{L}\p{N}.]", r"[^\p{N}]"
_IN_PYTHON = {_BREAK: r"[\W_]", _INSIDE: r"[^\W_]", _NO_POINT: r"(?![.])[\W_]", _NO_DIGIT: r"\D"}


def pattern(op: Op, value: str, kind: ColumnType) -> str:
    """The pattern that finds what is looked for in a value of this type, written as text."""
    if op is Op.PHRASE:
        return _phrase(value.split(" "))
    prefix = op is Op.WORD_STARTS
    if kind in _NUMBERS:
        end = "" if prefix else "$" if "." in value else r"([.]0+)?$"
        return f"^{re.escape(value)}{end}"
    if op is Op.STEM:
        return _phrase([STEM + value])
    return f"(?i){_left(value)}{re.escape(value)}{'' if prefix else _end(value, kind)}"


@lru_cache(maxsize=1_000)
def in_python(pattern: str) -> re.Pattern[str]:
    """The same pattern for Python, which knows letters and digits of all scripts under other names."""
    for ours, pythons in _IN_PYTHON.items():
        pattern = pattern.replace(ours, pythons)
    return re.compile(pattern)


def words_of(op: Op, value: str) -> tuple[tuple[str, ...], ...]:
    """The words that a text must have to have what is looked for: the forms of each, in small letters, one of them.

    Of a beginning it is the beginning; of a phrase, beginnings are left out.
    """
    if op is Op.PHRASE:
        whole = (item for item in value.split(" ") if item != ANY and not item.endswith(BEGINNING))
        return tuple(
            forms_of(item[1:]) if item.startswith(STEM) else (item.lower(),) for item in whole
        )
    return (forms_of(value) if op is Op.STEM else (value.lower(),),)


def common_beginning(forms: Sequence[str]) -> str:
    """What all of the words begin with."""
    first, last = min(forms), max(forms)
    same = (at for at, sign in enumerate(first) if at >= len(last) or sign != last[at])
    return first[: next(same, len(first))]


@lru_cache(maxsize=1_000)
def forms_pattern(word: str) -> str:
    """All forms of an English word, as one group of a pattern."""
    forms = forms_of(word)
    shared = common_beginning(forms)
    return f"{re.escape(shared)}(?:{'|'.join(re.escape(form[len(shared) :]) for form in forms)})"


def _phrase(items: Sequence[str]) -> str:
    """Words one after the other, with anything but letters and digits between; between signs of Chinese, nothing."""
    text = ""
    for at, item in enumerate(items):
        if at:
            text += _BREAK + ("*" if _joined(items[at - 1], item) else "+")
        text += _one_of_phrase(item)
    last = items[-1]
    end = "" if last.endswith(BEGINNING) else _end(last.removeprefix(STEM), ColumnType.STRING)
    return f"(?i){_left(items[0].removeprefix(STEM))}{text}{end}"


def _one_of_phrase(item: str) -> str:
    if item == ANY:
        return f"{_INSIDE}+(?:[.]{_INSIDE}+)*"
    if item.startswith(STEM):
        return forms_pattern(item[1:])
    if item.endswith(BEGINNING):
        return re.escape(item[:-1]) + f"{_INSIDE}*"
    return re.escape(item)


def _joined(left: str, right: str) -> bool:
    """Whether nothing needs to stand between the two."""
    sides = left.removesuffix(BEGINNING)[-1], right.removeprefix(STEM)[0]
    return any(_BEGINS_IN_HAN.match(side) for side in sides)


def _left(word: str) -> str:
    return "" if _BEGINS_IN_HAN.match(word) else f"(?:^|{_BREAK})"


def _end(word: str, kind: ColumnType) -> str:
    """What must follow: no letter and no digit, and for a number no fraction."""
    if _BEGINS_IN_HAN.match(word[-1]):
        return ""
    if kind is ColumnType.DATETIME:
        return rf"(?:$|{_BREAK}|T)"  # the serving copy puts a T between day and time
    if _DIGITS.fullmatch(word):
        return f"(?:$|{_NO_POINT}|[.](?:$|{_NO_DIGIT}))"
    return f"(?:$|{_BREAK})"
