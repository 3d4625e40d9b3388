"""CKAN's full text search: words to look for in a row or in a field, as conditions, and their rank.

Words are those of the text: letters and digits of any script between other signs, in any case; in English, the
default, all words of one stem are the same, and the most frequent words do not count. A word in Chinese is found
anywhere in a text, since nothing separates words there.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from api.ckan.errors import Refused
from api.ckan.tables import Field, Fields
from catalog.models.vocabulary import ColumnType
from catalog.tabular.english import is_word, stem_of
from catalog.tabular.query import And, Compare, Condition, Not, Op, Or
from catalog.tabular.words import ANY, BEGINNING, STEM, forms_pattern

MOST_WORDS = 20
FARTHEST = 100
"""Words between two that follow each other; PostgreSQL allows 16,384."""
_DISTANCE = re.compile(r"<(-|\d+)>")
_TOKEN = re.compile(r"[&|!()]|<->|<\d+>|'(?:[^']|'')*'(?::[*A-Da-d]+)?|[^\s&|!()]+")
_WORD = re.compile(r"\d{4}-\d{2}-\d{2}|-?\d+(?:\.\d+)+|[^\W_]+")
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff\u3040-\u30ff]+")
_STOP_WORDS = """
i me my myself we our ours ourselves you your yours yourself yourselves he him his himself she her hers herself it
its itself they them their theirs themselves what which who whom this that these those am is are was were be been
being have has had having do does did doing a an the and but if or because as until while of at by for with about
against between into through during before after above below to from up down in out on off over under again further
then once here there when where why how all any both each few more most other some such no nor not only own same so
than too very s t can will just don should now
"""
STOP_WORDS = frozenset(_STOP_WORDS.split())
"""PostgreSQL leaves such words out of texts and of queries in English."""
ENGLISH = "english"
_LANGUAGES = """
simple arabic armenian basque catalan danish dutch english finnish french german greek hindi hungarian indonesian
irish italian lithuanian nepali norwegian portuguese romanian russian serbian spanish swedish tamil turkish yiddish
"""
LANGUAGES = frozenset(_LANGUAGES.split())
"""Those that PostgreSQL knows; words of all but English are looked for as they are written."""
WEIGHT = 0.1
SCALE = 1.64493406685
"""ts_rank weighs the n-th place of a word by 1/n², and divides by the sum of all of these."""


@dataclass(frozen=True)
class Word:
    """A word to look for; with `prefix` the beginning of one."""

    text: str
    prefix: bool = False
    stem: bool = False
    """Whether all English words of its stem are meant."""

    @classmethod
    def of(cls, text: str, *, english: bool, prefix: bool = False) -> Word:
        """The word as it is looked for."""
        stem = english and is_word(text) and not _HAN.search(text)
        return cls(text, prefix, stem)

    @property
    def key(self) -> str:
        """What is the same for the same words."""
        return stem_of(self.text) if self.stem else self.text.lower()

    @property
    def item(self) -> str:
        """The word as a phrase has it."""
        if self.prefix:
            return self.key + BEGINNING
        return STEM + self.text if self.stem else self.text


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
    if language not in LANGUAGES:
        orig = f'text search configuration "{language[:200]}" does not exist'
        raise Refused({"query": ["Invalid query"], "info": {"orig": [orig]}})
    english = language == ENGLISH
    if plain:
        words = _words(text, english=english)
        condition: Condition = And(tuple(_anywhere(word, fields) for word in words))
        return Search(rank, fields, tuple(words), condition if words else Or(()))
    reader = _TsQuery(text, fields, english=english)
    wanted = reader.condition()  # which also finds the words
    return Search(rank, fields, tuple(reader.words), wanted or Or(()))


def _words(text: str, *, english: bool) -> list[Word]:
    """The words of a text that count, each once."""
    split = (word for word in _split(text) if not (english and word.lower() in STOP_WORDS))
    made = (Word.of(word, english=english) for word in split)
    found = list({word.key: word for word in made}.values())
    if len(found) > MOST_WORDS:
        raise Refused({"q": [f"more than {MOST_WORDS} words"]})
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
    name, kind = field.name, field.type.column
    if kind is ColumnType.BOOLEAN:
        return Compare(name, Op.EQ, word.text.lower() == "true")
    if kind is not ColumnType.STRING:
        return Compare(name, Op.WORD_STARTS if word.prefix else Op.WORD, word.text)
    if _HAN.fullmatch(word.text):
        return Compare(name, Op.CONTAINS, word.text)  # which an index of pairs answers
    if word.stem and word.prefix:  # words whose stem begins so
        begins = Compare(name, Op.WORD_STARTS, word.key)
        return Or((Compare(name, Op.STEM, word.text), begins))
    op = Op.STEM if word.stem else Op.WORD_STARTS if word.prefix else Op.WORD
    return Compare(name, op, word.text)


def _following(items: Sequence[Word | None], fields: Iterable[Field]) -> Condition | None:
    """The words follow each other in one of the fields; None among them is any word, at the ends nothing."""
    wanted = list(items)
    while wanted and wanted[-1] is None:
        wanted.pop()
    while wanted and wanted[0] is None:
        wanted.pop(0)
    if len(wanted) == 1 and wanted[0]:
        return _anywhere(wanted[0], fields)
    text = " ".join(word.item if word else ANY for word in wanted)
    texts = [field for field in fields if field.type.column is ColumnType.STRING]
    return Or(tuple(Compare(field.name, Op.PHRASE, text) for field in texts)) if text else None


@dataclass(frozen=True)
class _Operand:
    """A part of a query: what it asks for, None if nothing; the words, if it is only words that follow each other."""

    condition: Condition | None
    words: tuple[Word | None, ...] = ()

    def then(self, following: _Operand, distance: int, fields: Sequence[Field]) -> _Operand:
        """Both, the other so many words later; what is more than words is taken as both, anywhere."""
        if not (self.words and following.words and distance):
            return _Operand(_all([self.condition, following.condition]))
        words = (*self.words, *([None] * (distance - 1)), *following.words)
        return _Operand(_following(words, fields), words)


def _all(parts: Iterable[Condition | None]) -> Condition | None:
    """All of the parts that ask for something."""
    found = tuple(part for part in parts if part is not None)
    return And(found) if len(found) > 1 else found[0] if found else None


def _some(parts: Iterable[Condition | None]) -> Condition | None:
    """One of the parts that ask for something."""
    found = tuple(part for part in parts if part is not None)
    return Or(found) if len(found) > 1 else found[0] if found else None


class _TsQuery:
    """Reads `a & (b | !c:*) <-> d`, PostgreSQL's language of full text queries.

    Words that do not count ask for nothing: what is left of the query is what is asked.
    """

    def __init__(self, text: str, fields: Sequence[Field], *, english: bool) -> None:
        self.text = text
        self.fields = fields
        self.english = english
        self.words: list[Word] = []
        self._tokens: list[str] = _TOKEN.findall(text)
        self._at = 0
        self._depth = 0

    def condition(self) -> Condition | None:
        """The condition that the text means, None if it asks for nothing; raises Refused for bad syntax."""
        if not self._tokens:
            return None
        found = self._either()
        if self._at < len(self._tokens):
            raise self._wrong()
        return found

    def _either(self) -> Condition | None:
        parts = [self._both()]
        while self._taken("|"):
            parts.append(self._both())
        return _some(parts)

    def _both(self) -> Condition | None:
        parts = [self._followed()]
        while self._taken("&"):
            parts.append(self._followed())
        return _all(parts)

    def _followed(self) -> Condition | None:
        found = self._single()
        while (distance := self._distance()) is not None:
            found = found.then(self._single(), distance, self.fields)
        return found.condition

    def _distance(self) -> int | None:
        """How many words further the next one is, where the next sign says so."""
        ahead = self._tokens[self._at] if self._at < len(self._tokens) else ""
        sign = _DISTANCE.fullmatch(ahead)
        if sign is None:
            return None
        self._at += 1
        distance = 1 if sign[1] == "-" else int(sign[1][:6])
        if distance > FARTHEST:
            raise self._wrong()
        return distance

    def _single(self) -> _Operand:
        self._depth += 1
        if self._depth > MOST_WORDS:
            raise self._wrong()
        try:
            if self._taken("!"):
                inner = self._single().condition
                return _Operand(Not(inner) if inner else None)
            if self._taken("("):
                condition = self._either()
                if not self._taken(")"):
                    raise self._wrong()
                return _Operand(condition)
            return self._word()
        finally:
            self._depth -= 1

    def _word(self) -> _Operand:
        if self._at >= len(self._tokens) or self._tokens[self._at] in "&|!)":
            raise self._wrong()
        token = self._tokens[self._at]
        self._at += 1
        text, _, weight = token.partition(":") if not token.startswith("'") else _quoted(token)
        split = list(_split(text))
        if not split:
            raise self._wrong()
        words = tuple(self._counting(word, prefix="*" in weight) for word in split)
        return _Operand(_following(words, self.fields), words)

    def _counting(self, text: str, *, prefix: bool) -> Word | None:
        """The word, or None for one that does not count."""
        if self.english and text.lower() in STOP_WORDS:
            return None
        self.words.append(Word.of(text, english=self.english, prefix=prefix))
        if len(self.words) > MOST_WORDS:
            raise self._wrong()
        return self.words[-1]

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


def rank(search: Search, text: str) -> float:
    """How well a row fits, from 0 to 1: `text` has the values of the search's fields, in small letters.

    The rank of `ts_rank(…, 32)` for words that all weigh the same, without regard to their distance.
    """
    sums = 0.0
    for word in search.words:
        places = _places(word, text)
        sums += sum(WEIGHT / n**2 for n in range(1, places + 1)) / SCALE
    mean = sums / max(1, len(search.words))
    return mean / (mean + 1)


def _places(word: Word, text: str) -> int:
    return len(_place_of(word).findall(text))


@lru_cache(maxsize=1_000)
def _place_of(word: Word) -> re.Pattern[str]:
    """Where the word stands in a text in small letters."""
    if _HAN.fullmatch(word.text):
        return re.compile(re.escape(word.text))
    forms = forms_pattern(word.text) if word.stem else re.escape(word.text.lower())
    if word.prefix:
        return re.compile(rf"(?<![^\W_])(?:{re.escape(word.key)}|{forms}(?![^\W_]))")
    return re.compile(rf"(?<![^\W_]){forms}(?![^\W_])")
