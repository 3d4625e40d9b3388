"""Solr's query language, as CKAN's clients write `q` and `fq`: a text becomes a tree of clauses.

Understood are `field:value`, quotes, parentheses (also behind a field), AND OR NOT && || ! + -, ranges with
[ ] { } and TO, wildcards and backslashes; boosts (`^2`) and distances (`~1`) are read and without effect. Clauses side by side
are joined by AND, as CKAN asks of Solr.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

MOST = 20_000
"""Characters of a query."""
MOST_DEPTH = 20


class WrongQuery(ValueError):
    """A text that is no query."""


@dataclass(frozen=True)
class Value:
    """A word or, in quotes, a phrase that a field is to have; `field` is empty where none was named."""

    field: str
    text: str
    quoted: bool = False

    @property
    def plain(self) -> str:
        """What is looked for: no sign of it means anything else."""
        return self.text if self.quoted else _plain(self.text)


@dataclass(frozen=True)
class Between:
    """A range of values; `*` leaves an end open."""

    field: str
    low: str
    high: str
    with_low: bool
    with_high: bool


@dataclass(frozen=True)
class All:
    """Every clause is fulfilled."""

    parts: tuple[Clause, ...]


@dataclass(frozen=True)
class Any:
    """One clause at least is fulfilled."""

    parts: tuple[Clause, ...]


@dataclass(frozen=True)
class No:
    """The clause is not fulfilled."""

    part: Clause


Clause = Value | Between | All | Any | No

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<op>&&|\|\||[()!+])                      # operators and parentheses
    | (?P<minus>-)
    | (?P<field>(?:[^\W\d]|\\.)(?:[\w.-]|\\.)*|\*):(?=\S)
    | (?P<range>[\[{]\s*(?:"[^"]*"|[^\s\]}"]+)\s+TO\s+(?:"[^"]*"|[^\s\]}"]+)\s*[\]}])
    | "(?P<quoted>(?:[^"\\]|\\.)*)"
    | (?P<word>(?:[^\s()"\[\]{}\\]|\\.)+)
    )(?:[~^][\d.]*)*""",
    re.VERBOSE,
)
_RANGE = re.compile(r'([\[{])\s*("[^"]*"|\S+)\s+TO\s+("[^"]*"|[^\s\]}"]+)\s*([\]}])')
_TAIL = re.compile(r"(?<!\\)(?:\^\d+(?:\.\d+)?|~\d*(?:\.\d+)?)+$")
_LOCAL = re.compile(r"(?:^|[^\\])(?:\\\\)*\{!")
_MAGIC = re.compile(r"\s*(?<![\w\\])\\?_(?:query|val)_\s*:")


def parse(text: str, *, name: str = "q") -> Clause:
    """The tree of a query; raises WrongQuery. An empty one, and `*:*`, is fulfilled by everything."""
    if _MAGIC.search(text):
        raise WrongQuery(f"Magic fields are not supported in param '{name}'.")
    if _LOCAL.search(text):
        raise WrongQuery(f"Local parameters are not supported in param '{name}'.")
    if len(text) > MOST:
        raise WrongQuery(f"The query in '{name}' is longer than {MOST} characters.")
    reader = _Reader(text)
    found = reader.any_of("", 0)
    if reader.at < len(text):
        raise WrongQuery(f"Cannot parse '{text[:200]}' at {reader.at}")
    return found


class _Reader:
    """Reads from the left to the right."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text.rstrip(), 0
        self.full = text

    def any_of(self, field: str, depth: int) -> Clause:
        """Clauses with OR between them."""
        if depth > MOST_DEPTH:
            raise WrongQuery("The query has too many parentheses inside each other.")
        parts = [self._all_of(field, depth)]
        while self._operator("OR", "||"):
            parts.append(self._all_of(field, depth))
        if self.at >= len(self.text):
            self.at = len(self.full)
        return parts[0] if len(parts) == 1 else Any(tuple(parts))

    def _all_of(self, field: str, depth: int) -> Clause:
        parts: list[Clause] = []
        while True:
            self._operator("AND", "&&")
            if self._at_end() or self._sees("OR", "||"):
                break
            parts.append(self._one(field, depth))
        return parts[0] if len(parts) == 1 else All(tuple(parts))

    def _one(self, field: str, depth: int) -> Clause:
        if self._operator("NOT", "!") or self._sign("-"):
            return No(self._one(field, depth))
        self._sign("+")
        found = self._next()
        if found["op"] == "(":
            self.at = found.end("op")
            inside = self.any_of(field, depth + 1)
            self.at = min(self.at, len(self.text))
            closing = self._next()
            if closing["op"] != ")":
                raise self._wrong()
            self.at = closing.end()
            return inside
        if found["op"]:
            raise self._wrong()
        self.at = found.end("field") + 1 if found["field"] else found.end()
        if found["field"]:
            return self._one(_plain(found["field"]), depth + 1)
        return _leaf(field, found)

    def _at_end(self) -> bool:
        rest = self.text[self.at :].lstrip()
        return not rest or rest.startswith(")")

    def _sees(self, *words: str) -> bool:
        rest = self.text[self.at :].lstrip()
        return any(
            rest.startswith(word)
            and (not word.isalpha() or not rest[len(word) :][:1].strip() or rest[len(word)] == "(")
            for word in words
        )

    def _operator(self, *words: str) -> bool:
        """Whether one of these words stands here; it is passed."""
        if not self._sees(*words):
            return False
        blanks = len(self.text[self.at :]) - len(self.text[self.at :].lstrip())
        rest = self.text[self.at + blanks :]
        self.at += blanks + next(len(word) for word in words if rest.startswith(word))
        return True

    def _sign(self, sign: str) -> bool:
        rest = self.text[self.at :].lstrip()
        if not rest.startswith(sign):
            return False
        self.at = len(self.text) - len(rest) + 1
        return True

    def _next(self) -> re.Match[str]:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            raise self._wrong()
        return found

    def _wrong(self) -> WrongQuery:
        return WrongQuery(f"Cannot parse '{self.text[:200]}' at {self.at}")


def _leaf(field: str, found: re.Match[str]) -> Clause:
    if found["range"]:
        parts = _RANGE.fullmatch(found["range"])
        if parts is None:
            raise WrongQuery(f"Cannot parse '{found['range']}'")
        opening, low, high, closing = parts.groups()
        return Between(field, low.strip('"'), high.strip('"'), opening == "[", closing == "]")
    if found["quoted"] is not None:
        return Value(field, _plain(found["quoted"]), quoted=True)
    if found["word"] is None:
        raise WrongQuery(f"Cannot parse '{found[0].strip()[:200]}'")
    return Value(field, _TAIL.sub("", found["word"]))


def _plain(text: str) -> str:
    """Without the backslashes that take a sign's meaning away."""
    return re.sub(r"\\(.)", r"\1", text)
