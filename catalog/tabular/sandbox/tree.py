"""A statement as the engine itself has parsed it: checked node by node, its tables named, written anew.

What is checked is what runs: DuckDB gives its own tree as JSON, and the text that is run is made from that tree.
Node classes, functions and table functions that are not listed here are refused.
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import duckdb

from catalog.errors import N_, BadQuery
from catalog.tabular.sandbox.functions import FUNCTIONS, TABLE_FUNCTIONS

Node = dict[str, Any]

SCHEMA = "weft"
"""Where the child puts what may be read: a name with a schema can be hidden by no WITH."""
LONGEST = 50_000
DEEPEST = 250
MOST_TABLES = 200
MOST_MADE_ROWS = 1_000_000
"""Rows that `range()` and `generate_series()` may make up."""
NOWHERE = 2**64 - 1

_EXPRESSIONS = """
BETWEEN CASE CAST COLLATE COLUMN_REF COMPARISON CONJUNCTION CONSTANT FUNCTION LAMBDA LAMBDA_REF OPERATOR PARAMETER
POSITIONAL_REFERENCE STAR SUBQUERY TYPE WINDOW
"""
_NODES = """
SELECT_NODE SET_OPERATION_NODE RECURSIVE_CTE_NODE CTE_NODE BASE_TABLE SUBQUERY JOIN TABLE_FUNCTION EXPRESSION_LIST EMPTY
EMPTY_FROM ORDER_MODIFIER LIMIT_MODIFIER LIMIT_PERCENT_MODIFIER DISTINCT_MODIFIER ORDER_DEFAULT ASCENDING DESCENDING
"""
EXPRESSIONS, NODES = frozenset(_EXPRESSIONS.split()), frozenset(_NODES.split())
"""What a tree may be made of."""
_NOT_SELECT = N_("write one SELECT statement; nothing else can be run")


@dataclass
class Asked:
    """A table as the statement names it: its name in parts, the release, and how often its rows are read."""

    parts: tuple[str, ...]
    as_of: str | None
    line: int
    column: int
    scans: int = 1
    nodes: list[Node] = field(default_factory=list)


@dataclass
class _Owner:
    """The statement itself, or one of its WITH queries, with how often others refer to it."""

    inside: list[_Owner] = field(default_factory=list)
    whole: bool = False

    def weight(self) -> int:
        """How often it is run."""
        return 1 if self.whole else sum(owner.weight() for owner in self.inside)


Known = Mapping[str, _Owner]


class Statement:
    """One SELECT: `asked` are its tables; `text` is what to run once each has a name."""

    def __init__(
        self, engine: duckdb.DuckDBPyConnection, text: str, values: Sequence[object] = ()
    ) -> None:
        if len(text) > LONGEST:
            raise BadQuery("the statement is longer than %(most)s characters", most=LONGEST)
        if "\0" in text or any("\0" in value for value in values if isinstance(value, str)):
            raise BadQuery("a statement and its values may not hold the character U+0000")
        self._engine = engine
        self._bytes = text.encode("utf-8", "replace")
        self._values = [_constant(engine, value) for value in values]
        self._used: set[int] = set()
        self._found: list[tuple[Asked, _Owner]] = []
        self._references: list[Node] = []
        self._takes_all = False
        try:
            self._tree = self._parse(self._bytes.decode())
            self._visit(self._tree["statements"][0]["node"], {}, _Owner(whole=True))
        except RecursionError as error:
            raise BadQuery("the statement is nested too deep") from error
        if len(self._used) != len(values):
            raise BadQuery(
                "the statement has %(places)s places for values (?), but %(values)s were sent",
                places=len(self._used),
                values=len(values),
            )
        self.asked = self._tables()

    def text(self, names: Sequence[str]) -> str:
        """The statement over the tables of these names in SCHEMA, one for each of `asked`."""
        for asked, name in zip(self.asked, names, strict=True):
            for node in asked.nodes:
                node["alias"] = node["alias"] or asked.parts[-1]
                node.update(catalog_name="", schema_name=SCHEMA, table_name=name, at_clause=None)
                node["qualified_name"] = {"path": [SCHEMA, name]}
        self._drop_schemas()
        made = self._engine.execute(
            "SELECT json_deserialize_sql(?::JSON)", [json.dumps(self._tree)]
        )
        return str(made.fetchall()[0][0]).rstrip("; ")

    def mentioned(self) -> frozenset[str] | None:
        """In lower case all that may be names of columns; None where it may need columns without naming them."""
        tables = {node["alias"].lower() for asked in self.asked for node in asked.nodes}
        tables |= {asked.parts[-1].lower() for asked in self.asked}
        rows = any(
            len(node["column_names"]) == 1 and node["column_names"][0].lower() in tables
            for node in self._references
        )
        return None if self._takes_all or rows else frozenset(_words(self._tree))

    def place(self, at: int | None) -> dict[str, int]:
        """Line and column of a byte of the statement, from 1; nothing where there is none."""
        if at is None or not 0 <= at <= len(self._bytes):
            return {}
        before = self._bytes[:at].decode("utf-8", "replace")
        return {"line": before.count("\n") + 1, "column": at_column(before)}

    def place_of(self, name: str) -> dict[str, int]:
        """Where a column of this name is first referred to."""
        for node in self._references:
            if name.lower() in (part.lower() for part in node["column_names"]):
                return self.place(node["query_location"])
        return {}

    def _parse(self, text: str) -> Node:
        made = self._engine.execute("SELECT json_serialize_sql(?::VARCHAR)", [text])
        tree: Node = json.loads(made.fetchall()[0][0])
        if tree["error"]:
            raise self._not_parsed(tree)
        if len(tree["statements"]) != 1:
            raise BadQuery(_NOT_SELECT)
        return tree

    def _not_parsed(self, answer: Node) -> BadQuery:
        if answer["error_type"] != "parser":
            return BadQuery(_NOT_SELECT)
        if "expression depth" in answer["error_message"]:
            return BadQuery("the statement is nested too deep")
        at = answer.get("position")
        return BadQuery(
            "the statement is not understood: %(reason)s",
            None,
            reason=str(answer["error_message"]).splitlines()[0][:300],
            **self.place(int(at) if at else None),
        )

    def _visit(self, part: Any, known: Known, owner: _Owner) -> None:
        if isinstance(part, list):
            for inner in part:
                self._visit(inner, known, owner)
        elif isinstance(part, dict):
            self._check(part)
            if "cte_map" in part:
                known = self._with(part, known)
            if part.get("type") == "BASE_TABLE":
                self._table(part, known, owner)
            for name, inner in part.items():
                if name != "cte_map":
                    self._visit(inner, known, owner)

    def _with(self, node: Node, known: Known) -> Known:
        """The names that the queries before a SELECT give, in addition to those that are known."""
        inner = dict(known)
        for entry in node["cte_map"]["map"]:
            query = entry["value"]["query_node"]
            made = _Owner()
            name = entry["key"].lower()
            own = {name: _Owner()} if query["type"] == "RECURSIVE_CTE_NODE" else {}
            self._visit(entry["value"], {**inner, **own}, made)
            inner[name] = made
        return inner

    def _check(self, node: Node) -> None:
        kind, type_ = node.get("class"), node.get("type")
        if kind in ("STAR", "POSITIONAL_REFERENCE") or node.get("ref_type") in (
            "NATURAL",
            "POSITIONAL",
        ):
            self._takes_all = True
        if node.get("column_name_alias"):
            self._takes_all = True
        if kind is not None:
            if kind not in EXPRESSIONS:
                raise self._refused(node, str(kind))
            self._check_expression(node, str(kind))
        elif isinstance(type_, str) and type_ not in NODES:
            raise self._refused(node, type_)
        elif type_ == "TABLE_FUNCTION":
            self._check_table_function(node)

    def _check_expression(self, node: Node, kind: str) -> None:
        if kind in ("FUNCTION", "WINDOW"):
            self._check_function(node)
        elif kind == "PARAMETER":
            self._put_value(node)
        elif kind == "COLUMN_REF":
            self._references.append(node)
        elif kind == "TYPE" and (node["catalog"] or node["schema"]):
            raise self._refused(node, node["type_name"])

    def _check_function(self, node: Node) -> None:
        name = str(node["function_name"])
        path = [*filter(None, (node["catalog"], node["schema"])), name]
        if len(path) > 1 or name.lower() not in FUNCTIONS or node.get("export_state"):
            raise BadQuery(
                "the function “%(function)s” cannot be used here",
                None,
                function=".".join(path)[:100],
                **self.place(node["query_location"]),
            )

    def _check_table_function(self, node: Node) -> None:
        call = node["function"]
        name = str(call.get("function_name", "")).lower()
        if name not in TABLE_FUNCTIONS or call.get("schema"):
            raise BadQuery(
                "“%(function)s” cannot be used as a table",
                None,
                function=name[:100],
                **self.place(node["query_location"]),
            )
        if name != "unnest" and _made_rows(call["arguments"]) > MOST_MADE_ROWS:
            raise BadQuery(
                "“%(function)s” as a table takes whole numbers and makes at most %(most)s rows",
                None,
                function=name,
                most=MOST_MADE_ROWS,
                **self.place(node["query_location"]),
            )

    def _put_value(self, node: Node) -> None:
        identifier = str(node["identifier"])
        at = int(identifier) if identifier.isascii() and identifier.isdigit() else 0
        if not 1 <= at <= len(self._values):
            raise BadQuery(
                "there is no value for “%(name)s”: write ? and send the values as a list",
                None,
                name=identifier[:100],
                **self.place(node["query_location"]),
            )
        self._used.add(at)
        place = {name: node[name] for name in ("alias", "query_location", "query_location_length")}
        node.clear()
        node.update(self._values[at - 1])
        node.update(place)

    def _refused(self, node: Node, what: str) -> BadQuery:
        return BadQuery(
            "%(what)s cannot be used in a statement here",
            None,
            what=what.replace("_", " ")[:100],
            **self.place(node.get("query_location")),
        )

    def _table(self, node: Node, known: Known, owner: _Owner) -> None:
        names = (node["catalog_name"], node["schema_name"], node["table_name"])
        parts = tuple(filter(None, names)) or ("",)
        made = known.get(parts[-1].lower()) if len(parts) == 1 else None
        if made is not None:
            made.inside.append(owner)
            return
        place = self.place(node["query_location"])
        asked = Asked(
            parts,
            self._release(node),
            place.get("line", 1),
            place.get("column", 1),
        )
        asked.nodes.append(node)
        self._found.append((asked, owner))

    def _release(self, node: Node) -> str | None:
        """What `AT (VERSION => 3)` or `AT (TIMESTAMP => '2026-01-31')` says."""
        clause = node["at_clause"]
        if clause is None:
            return None
        if clause["expr"].get("class") != "CONSTANT":
            raise self._refused(node, "AT")
        return str(clause["expr"]["literal"]["text"])

    def _tables(self) -> list[Asked]:
        """Each table and release once, with all its places; raises BadQuery for too many."""
        once: dict[tuple[tuple[str, ...], str | None], Asked] = {}
        for asked, owner in self._found:
            known = once.setdefault((asked.parts, asked.as_of), asked)
            known.scans = owner.weight() + (known.scans if known is not asked else 0)
            known.nodes += asked.nodes if known is not asked else []
        if len(once) > MOST_TABLES:
            raise BadQuery("a statement may name at most %(most)s tables", most=MOST_TABLES)
        return list(once.values())

    def _drop_schemas(self) -> None:
        """`dataset.table.column` becomes `table.column`, for the table is not in a schema of that name here."""
        named = {tuple(part.lower() for part in asked.parts) for asked in self.asked}
        for node in self._references:
            names = node["column_names"]
            if len(names) > 2 and tuple(part.lower() for part in names[:2]) in named:
                del names[0]


def at_column(before: str) -> int:
    """The column after this text, from 1."""
    return len(before) - (before.rfind("\n") + 1) + 1


def _words(part: Any) -> Iterator[str]:
    """All texts in a tree, in lower case."""
    if isinstance(part, str):
        yield part.lower()
    elif isinstance(part, dict):
        for inner in part.values():
            yield from _words(inner)
    elif isinstance(part, list):
        for inner in part:
            yield from _words(inner)


def _constant(engine: duckdb.DuckDBPyConnection, value: object) -> Node:
    """The node of a value, as the engine would have read it."""
    if value is None or isinstance(value, bool):
        text = {None: "NULL", True: "true", False: "false"}[value]
    elif isinstance(value, int | float) and math.isfinite(value):
        text = repr(value)
    else:
        text = "'" + str(value).replace("'", "''") + "'"
    made = engine.execute("SELECT json_serialize_sql(?::VARCHAR)", [f"SELECT {text}"]).fetchall()
    tree = json.loads(made[0][0])
    if tree["error"]:
        raise BadQuery("“%(value)s” cannot be used as a value", value=str(value)[:100])
    node: Node = tree["statements"][0]["node"]["select_list"][0]
    return node


def _made_rows(arguments: Sequence[Node]) -> int:
    """Rows that a range has; more than allowed where that cannot be told before."""
    bounds: list[int] = []
    for argument in arguments:
        literal = argument["expression"].get("literal") or {}
        if literal.get("kind") != "INTEGER":
            return MOST_MADE_ROWS + 1
        bounds.append(int(literal["text"]))
    if not 1 <= len(bounds) <= 3:
        return MOST_MADE_ROWS + 1
    start, stop = (0, bounds[0]) if len(bounds) == 1 else (bounds[0], bounds[1])
    step = bounds[2] if len(bounds) == 3 else 1
    return abs(stop - start) // max(1, abs(step))
