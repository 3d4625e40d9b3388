"""CKAN's full text search: words to look for in a row or in a field, as conditions, and their rank.

Words are those of the text: letters and digits of any script between other signs, in any case. A word in
Chinese is found anywhere in a text, since nothing separates words there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from api.ckan.errors import Refused
from api.ckan.tables import Field, Fields
from catalog.models.vocabulary import ColumnType
from catalog.tabular.query import And, Compare, Condition, Not, Op, Or

MOST_WORDS = 20
_TOKEN = re.compile(r"[&|!()]|<->|<\d+>|'(?:[^']|'')*'(?::[*A-Da-d]+)?|[^\s&|!()]+")
_WORD = re.compile(r"\d{4}-\d{2}-\d{2}|-?\d+(?:\.\d+)+|[^\W_]+(?:[’'][^\W_]+)*", re.UNICODE)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3040-\u30ff]+")
STOP_WORDS = frozenset(
    [
        "a",
        "an",
        "and",
        "are",
        "as",
        "at",
        "be",
        "but",
        "by",
        "for",
        "from",
        "had",
        "has",
        "have",
        "he",
        "her",
        "his",
        "i",
        "if",
        "in",
        "into",
        "is",
        "it",
        "its",
        "me",
        "my",
        "no",
        "nor",
        "not",
        "of",
        "on",
        "or",
        "our",
        "she",
        "so",
        "than",
        "that",
        "the",
        "their",
        "them",
        "then",
        "there",
        "these",
        "they",
        "this",
        "to",
        "too",
        "very",
        "was",
        "we",
        "were",
        "what",
        "when",
        "where",
        "which",
        "while",
        "who",
        "whom",
        "why",
        "will",
        "with",
        "you",
        "your",
    ]
)
"""PostgreSQL leaves such words out of an English query."""
WEIGHT = 0.1
SCALE = 1.64493406685
"""ts_rank weighs the n-th place of a word by 1/n², and divides by the sum of all of these."""


@dataclass(frozen=True)
class Word:
    """A word to look for; with `prefix` the beginning of one."""

    text: str
    prefix: bool = False


@dataclass(frozen=True)
class Search:
    """What is looked for, where: `name` of the rank, the fields, the words that count for it."""

    rank: str
    fields: tuple[Field, ...]
    words: tuple[Word, ...]
    condition: Condition


def searches(
    q: Any, full_text: Any, fields: Fields, *, plain: bool, language: str
) -> tuple[Search, ...]:
    """What `q` (a text, or texts by field) and `full_text` look for; raises Refused."""
    found = []
    everywhere = full_text or (q if isinstance(q, str) else None)
    if everywhere:
        if not isinstance(everywhere, str):
            raise Refused({"full_text": [f'invalid value "{everywhere}"']})
        whole = tuple(field for field in fields if not field.masked)
        found.append(_search("rank", everywhere, whole, plain=plain, language=language))
    if full_text and isinstance(q, str) and q:
        extra = _search("rank", q, found[0].fields, plain=plain, language=language)
        both = And((found[0].condition, extra.condition))
        found[0] = Search("rank", extra.fields, found[0].words, both)
    for name, text in q.items() if isinstance(q, dict) else ():
        field = fields.get(name)
        if field is None or field.masked or not isinstance(text, str):
            raise Refused({"q": [f'invalid value "{name}"']})
        found.append(_search(f"rank {name}", text, (field,), plain=plain, language=language))
    return tuple(found)


def _search(
    rank: str, text: str, fields: tuple[Field, ...], *, plain: bool, language: str
) -> Search:
    if plain:
        words = _words(text, language)
        condition: Condition = And(tuple(_anywhere(word, fields) for word in words))
        return Search(rank, fields, tuple(words), condition if words else Or(()))
    reader = _TsQuery(text, fields)
    condition = reader.condition()  # which also finds the words
    return Search(rank, fields, tuple(reader.words), condition)


def _words(text: str, language: str) -> list[Word]:
    """The words of a text, each once; without stop words, unless there are no others."""
    found = [Word(word) for word in dict.fromkeys(_split(text))]
    if len(found) > MOST_WORDS:
        raise Refused({"q": [f"more than {MOST_WORDS} words"]})
    if language == "english":
        meant = [word for word in found if word.text.lower() not in STOP_WORDS]
        return meant or found
    return found


def _split(text: str) -> Iterable[str]:
    for found in _WORD.finditer(text):
        at = 0
        word = found[0]
        for han in _HAN.finditer(word):
            if word[at : han.start()]:
                yield word[at : han.start()]
            yield han[0]
            at = han.end()
        if word[at:]:
            yield word[at:]


def _anywhere(word: Word, fields: Iterable[Field]) -> Condition:
    """The word is in one of the fields."""
    return Or(tuple(_inside(word, field) for field in fields if _can_hold(word, field)))


def _can_hold(word: Word, field: Field) -> bool:
    """Whether a value of this type may have the word: spares the engines looks at columns of numbers."""
    kind = field.type.column
    if kind is ColumnType.STRING:
        return True
    if kind is ColumnType.GEOMETRY:
        return False
    if kind is ColumnType.BOOLEAN:
        return word.text.lower() in ("true", "false")
    return word.text[0].isdigit() or word.text[0] == "-"


def _inside(word: Word, field: Field) -> Condition:
    if field.type.column is ColumnType.BOOLEAN:
        return Compare(field.name, Op.EQ, word.text.lower() == "true")
    if field.type.column is ColumnType.STRING and _HAN.fullmatch(word.text):
        return Compare(field.name, Op.CONTAINS, word.text)  # which an index of pairs answers
    return Compare(field.name, Op.WORD_STARTS if word.prefix else Op.WORD, word.text)


class _TsQuery:
    """Reads `a & (b | !c:*)`, PostgreSQL's language of full text queries."""

    def __init__(self, text: str, fields: Sequence[Field]) -> None:
        self.text = text
        self.fields = fields
        self.words: list[Word] = []
        self._tokens: list[str] = _TOKEN.findall(text)
        self._at = 0
        self._depth = 0

    def condition(self) -> Condition:
        """The condition that the text means; raises Refused for bad syntax."""
        if not self._tokens:
            return Or(())
        found = self._either()
        if self._at < len(self._tokens):
            raise self._wrong()
        return found

    def _either(self) -> Condition:
        parts = [self._both()]
        while self._taken("|"):
            parts.append(self._both())
        return parts[0] if len(parts) == 1 else Or(tuple(parts))

    def _both(self) -> Condition:
        parts = [self._single()]
        while self._taken("&") or self._follows():
            parts.append(self._single())
        return parts[0] if len(parts) == 1 else And(tuple(parts))

    def _follows(self) -> bool:
        """Words that must follow each other are taken as words that must both be there."""
        ahead = self._tokens[self._at] if self._at < len(self._tokens) else ""
        return ahead.startswith("<") and self._taken(ahead)

    def _single(self) -> Condition:
        self._depth += 1
        if self._depth > MOST_WORDS:
            raise self._wrong()
        try:
            if self._taken("!"):
                return Not(self._single())
            if self._taken("("):
                inner = self._either()
                if not self._taken(")"):
                    raise self._wrong()
                return inner
            return self._word()
        finally:
            self._depth -= 1

    def _word(self) -> Condition:
        if self._at >= len(self._tokens) or self._tokens[self._at] in "&|!)":
            raise self._wrong()
        token = self._tokens[self._at]
        self._at += 1
        text, _, weight = token.partition(":") if not token.startswith("'") else _quoted(token)
        parts = [Word(word, prefix="*" in weight) for word in _split(text)]
        self.words += parts
        if not parts or len(self.words) > MOST_WORDS:
            raise self._wrong()
        return And(tuple(_anywhere(word, self.fields) for word in parts))

    def _taken(self, sign: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == sign:
            self._at += 1
            return True
        return False

    def _wrong(self) -> Refused:
        orig = f'syntax error in tsquery: "{self.text[:200]}"'
        return Refused({"query": ["Invalid query"], "info": {"orig": [orig]}})


def _quoted(token: str) -> tuple[str, str, str]:
    text, _, weight = token[1:].rpartition("'")
    return text.replace("''", "'"), ":", weight.lstrip(":")


def rank(search: Search, row: Sequence[Any]) -> float:
    """How well a row fits, from 0 to 1: `row` has the values of the search's fields.

    The rank of `ts_rank(…, 32)` for words that all weigh the same, without regard to their distance.
    """
    text = "\n".join(str(value) for value in row if value is not None).lower()
    sums = 0.0
    for word in search.words:
        places = _places(word, text)
        sums += sum(WEIGHT / n**2 for n in range(1, places + 1)) / SCALE
    mean = sums / max(1, len(search.words))
    return mean / (mean + 1)


def _places(word: Word, text: str) -> int:
    sought = re.escape(word.text.lower())
    if _HAN.fullmatch(word.text):
        return len(re.findall(sought, text))
    return len(re.findall(rf"(?<![^\W_]){sought}" + ("" if word.prefix else r"(?![^\W_])"), text))
