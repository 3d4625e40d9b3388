"""Conditions as people write them: `"PM2.5" > 100 and station in ('Dongsi', 'Shunyi')`, parsed into our words.

The text is only parsed, never run: whatever is no comparison of a column with values is refused.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from typing import ClassVar

from sqlglot import exp, parse
from sqlglot.dialects.dialect import Dialect
from sqlglot.errors import SqlglotError
from sqlglot.tokens import Tokenizer as BaseTokenizer

from catalog.errors import BadQuery
from catalog.tabular.column import Column
from catalog.tabular.query import (
    And,
    Box,
    Compare,
    Condition,
    In,
    IsNull,
    Near,
    Not,
    Op,
    Or,
    Scalar,
    Words,
)
from catalog.tabular.values import find

LONGEST = 10_000
DEEPEST = 150
"""Nested expressions of sqlglot; one comparison is three deep."""
DOTTED = re.compile(r"[^\W\d]\w*(\.\w+)+")
QUOTED = r"""'(?:[^']|'')*'|"(?:[^"]|"")*"|`(?:[^`]|``)*`"""


class _Words(Dialect):
    """Names in double quotes or backticks, text in single quotes, no escapes, no comments."""

    class Tokenizer(BaseTokenizer):
        IDENTIFIERS: ClassVar = ['"', "`"]
        QUOTES: ClassVar = ["'"]
        STRING_ESCAPES: ClassVar = ["'"]
        COMMENTS: ClassVar = []


def parse_where(
    text: str, columns: Sequence[Column] | None = None, *, bare: Iterable[str] = ()
) -> Condition:
    """The condition that `text` means; with `columns` unknown names are refused at once.

    Names with dots may stand without quotes when they are among `bare` or `columns`.
    """
    if len(text) > LONGEST:
        raise BadQuery("the condition is longer than %(most)s characters", most=LONGEST)
    try:
        names = {*bare, *(column.name for column in columns or ())}
        found = parse(_with_quotes(text, names), read=_Words)
        if len(found) != 1 or found[0] is None:
            raise _not_understood(text)
        return _Reader(columns).condition(found[0])
    except (SqlglotError, RecursionError) as error:
        raise _not_understood(text) from error


def _with_quotes(text: str, names: Iterable[str]) -> str:
    """The text with quotes around these names where they have dots and stand without quotes."""
    dotted = sorted((name for name in names if DOTTED.fullmatch(name) and name in text), key=len)
    if not dotted:
        return text
    known = "|".join(re.escape(name) for name in reversed(dotted))
    found = re.compile(rf"{QUOTED}|(?<![\w.])(?P<name>{known})(?![\w.])")
    return found.sub(lambda hit: f'"{hit["name"]}"' if hit["name"] else hit[0], text)


def _not_understood(what: str) -> BadQuery:
    return BadQuery(
        "the condition is not understood at “%(text)s”; write names with odd characters in double quotes and "
        "text in single quotes",
        text=what[:100],
    )


class _Reader:
    """Turns the parsed text into conditions."""

    def __init__(self, columns: Sequence[Column] | None) -> None:
        self.columns = columns
        self.depth = 0

    def condition(self, node: exp.Expr) -> Condition:
        """The condition of a node, or its opposite where the parser marked it so."""
        self.depth += 1
        if self.depth > DEEPEST:
            raise BadQuery("the condition is nested too deep")
        try:
            found = self._read(node)
        finally:
            self.depth -= 1
        return Not(found) if node.args.get("negate") else found

    def _read(self, node: exp.Expr) -> Condition:
        read = _READERS.get(type(node))
        if read is None:
            raise _not_understood(node.sql())
        return read(self, node)

    def both(self, node: exp.Expr) -> Condition:
        """`a and b`, `a or b`: chains become one list."""
        kind = type(node)
        parts: list[Condition] = []
        waiting = [node]
        while waiting:
            part = waiting.pop()
            if type(part) is kind:
                waiting += [part.args["expression"], part.args["this"]]
            else:
                parts.append(self.condition(part))
        return And(tuple(parts)) if kind is exp.And else Or(tuple(parts))

    def compare(self, node: exp.Expr) -> Condition:
        """`column op value`, or the other way round."""
        left, right = _bare(node.this), _bare(node.expression)
        op = _COMPARISONS[type(node)]
        if isinstance(right, exp.Column) and not isinstance(left, exp.Column):
            left, right, op = right, left, _TURNED[op]
        value = value_of(right)
        if value is None:
            raise BadQuery(
                "nothing is equal to null: write IS NULL or IS NOT NULL instead of “%(op)s null”",
                op=op.value,
            )
        return Compare(self.name(left), op, value)

    def within(self, node: exp.Expr) -> Condition:
        """`column in (…)`."""
        if node.args.get("query") or node.args.get("unnest") or not node.expressions:
            raise _not_understood(node.sql())
        return In(self.name(node.this), tuple(value_of(_bare(value)) for value in node.expressions))

    def between(self, node: exp.Expr) -> Condition:
        """`column between low and high`, both included."""
        name = self.name(node.this)
        low, high = value_of(_bare(node.args["low"])), value_of(_bare(node.args["high"]))
        return And((Compare(name, Op.GE, low), Compare(name, Op.LE, high)))

    def known(self, node: exp.Expr) -> Condition:
        """`column is null`, `is true`, `is false`."""
        name, value = self.name(node.this), value_of(_bare(node.expression))
        if value is None:
            return IsNull(name)
        if isinstance(value, bool):
            return Compare(name, Op.EQ, value)
        raise _not_understood(node.sql())

    def like(self, node: exp.Expr) -> Condition:
        """`like 'start%'`, `like '%end'`, `like '%part%'`, `ilike '%part%'`; other patterns are refused."""
        name, pattern = self.name(node.this), value_of(_bare(node.expression))
        if not isinstance(pattern, str):
            raise _not_understood(node.sql())
        starts, ends = pattern.startswith("%"), pattern.endswith("%")
        inner = pattern[starts : len(pattern) - ends or None] if pattern.strip("%") else ""
        known = _LIKE.get((type(node), starts, ends))
        if "%" in inner or "_" in inner or known is None or not pattern:
            raise BadQuery(
                "“like” takes 'start%%', '%%end', '%%part%%' or plain text, “ilike” takes '%%part%%', not “%(text)s”",
                text=pattern[:100],
            )
        return Compare(name, known, inner)

    def function(self, node: exp.Expr) -> Condition:
        """`contains(column, text)`, `starts_with(column, text)`, `ends_with(column, text)`."""
        return Compare(self.name(node.this), _CALLS[type(node)], value_of(_bare(node.expression)))

    def own(self, node: exp.Expr) -> Condition:
        """Functions that SQL does not have: `icontains`, `words`, `near` and `box`."""
        given = [_bare(part) for part in node.expressions]
        match str(node.this).lower(), len(given):
            case "icontains", 2:
                return Compare(self.name(given[0]), Op.ICONTAINS, value_of(given[1]))
            case "words", 1:
                return Words(str(value_of(given[0])))
            case "near", 4 | 5:
                return Near(*self._names(given[:-3]), *map(_degrees, given[-3:]))
            case "box", 5 | 6:
                return Box(*self._names(given[:-4]), *map(_degrees, given[-4:]))
        raise _not_understood(node.sql())

    def _names(self, nodes: Sequence[exp.Expr | None]) -> tuple[str, str]:
        """The columns of latitude and longitude; twice the same for one of shapes."""
        return self.name(nodes[0]), self.name(nodes[-1])

    def opposite(self, node: exp.Expr) -> Condition:
        """`not a`."""
        return Not(self.condition(node.this))

    def inside(self, node: exp.Expr) -> Condition:
        """`(a)`."""
        return self.condition(node.this)

    def truth(self, node: exp.Expr) -> Condition:
        """A boolean column by itself."""
        return Compare(self.name(node), Op.EQ, True)  # noqa: FBT003 # the value of the comparison

    def name(self, node: exp.Expr | None) -> str:
        """The name of a column."""
        node = _bare(node)
        if not isinstance(node, exp.Column) or not isinstance(node.this, exp.Identifier):
            raise _not_understood(node.sql() if node is not None else "")
        if node.args.get("table"):
            raise _not_understood(node.sql())
        name = str(node.this.this)
        return find(self.columns, name).name if self.columns is not None else name


def value_of(node: exp.Expr | None) -> Scalar:
    """A literal; a number keeps its digits, so that 007 finds the code 007."""
    match node:
        case exp.Null():
            return None
        case exp.Boolean():
            return bool(node.this)
        case exp.Literal() if node.is_string:
            return str(node.this)
        case exp.Literal():
            return _number(str(node.this))
        case exp.Neg(this=exp.Literal(is_string=False) as digits):
            return _number(f"-{digits.this}")
        case exp.Cast(this=exp.Literal(is_string=True) as text) if _is_moment(node):
            return str(text.this)
    raise _not_understood(node.sql() if node is not None else "")


def _is_moment(node: exp.Cast) -> bool:
    return node.to.is_type("date", "timestamp", "datetime")


def _number(digits: str) -> Scalar:
    if len(digits) <= 400 and digits.lstrip("-").isdecimal() and str(int(digits)) == digits:
        return int(digits)
    return digits  # the column's type decides what it is


def _degrees(node: exp.Expr | None) -> float:
    try:
        return float(str(value_of(node)))
    except ValueError as error:
        raise _not_understood(node.sql() if node is not None else "") from error


def _bare(node: exp.Expr | None) -> exp.Expr | None:
    while isinstance(node, exp.Paren):
        node = node.this
    return node


_COMPARISONS: dict[type[exp.Expr], Op] = {
    exp.EQ: Op.EQ,
    exp.NEQ: Op.NE,
    exp.LT: Op.LT,
    exp.LTE: Op.LE,
    exp.GT: Op.GT,
    exp.GTE: Op.GE,
}
_TURNED = {
    Op.EQ: Op.EQ,
    Op.NE: Op.NE,
    Op.LT: Op.GT,
    Op.LE: Op.GE,
    Op.GT: Op.LT,
    Op.GE: Op.LE,
}
_LIKE: dict[tuple[type[exp.Expr], bool, bool], Op] = {
    (exp.Like, False, False): Op.EQ,
    (exp.Like, False, True): Op.STARTS,
    (exp.Like, True, False): Op.ENDS,
    (exp.Like, True, True): Op.CONTAINS,
    (exp.ILike, True, True): Op.ICONTAINS,
}
_CALLS: dict[type[exp.Expr], Op] = {
    exp.Contains: Op.CONTAINS,
    exp.StartsWith: Op.STARTS,
    exp.EndsWith: Op.ENDS,
}
_READERS: dict[type[exp.Expr], Callable[[_Reader, exp.Expr], Condition]] = {
    exp.And: _Reader.both,
    exp.Or: _Reader.both,
    exp.Not: _Reader.opposite,
    exp.Paren: _Reader.inside,
    exp.In: _Reader.within,
    exp.Between: _Reader.between,
    exp.Is: _Reader.known,
    exp.Like: _Reader.like,
    exp.ILike: _Reader.like,
    exp.Anonymous: _Reader.own,
    exp.Column: _Reader.truth,
    **dict.fromkeys(_CALLS, _Reader.function),
    **dict.fromkeys(_COMPARISONS, _Reader.compare),
}
