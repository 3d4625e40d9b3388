"""How well the values of a column keep to a data element: type, format, pattern, list of codes, check characters."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import N_
from catalog.models.vocabulary import ColumnType
from catalog.tabular import semantics
from catalog.tabular.column import Column
from catalog.tabular.duck import Duck
from catalog.tabular.representation import Representation, representation
from catalog.tabular.sql import quoted

EXAMPLES = 5
"""Values that do not conform, of each reason, the most frequent first."""
LONGEST = 100
TYPES = {
    ColumnType.INTEGER: "HUGEINT",
    ColumnType.NUMBER: "DOUBLE",
    ColumnType.BOOLEAN: "BOOLEAN",
    ColumnType.DATE: "DATE",
    ColumnType.DATETIME: "TIMESTAMP",
}
REASONS = {
    "type": N_("not of the type"),
    "format": N_("not in the format"),
    "pattern": N_("does not match the pattern"),
    "code": N_("not in the list of codes"),
    "meaning": N_("wrong check character or form"),
}
"""Why a value does not conform, in the order in which it is asked."""
MOMENTS = (ColumnType.DATE, ColumnType.DATETIME)
NUMBERS = (ColumnType.INTEGER, ColumnType.NUMBER)


@dataclass(frozen=True)
class Rule:
    """What an element asks of values."""

    type: ColumnType
    format: str = ""
    pattern: str = ""
    codes: tuple[str, ...] | None = None
    semantic: str = ""


def measure(duck: Duck, relation: str, column: Column, rule: Rule) -> dict[str, Any]:
    """`missing`, `checked`, `conforming`, `reasons` (reason → rows) and `examples` of what does not conform."""
    cases, parameters = _cases(column, rule)
    name = quoted(column)
    judged = (
        f"WITH g AS (SELECT {name} AS v, CAST({name} AS VARCHAR) AS t, count(*) AS n FROM {relation} GROUP BY ALL), "
        f"j AS MATERIALIZED (SELECT t, n, CASE WHEN t IS NULL THEN 'missing' {cases} ELSE '' END AS why FROM g) "
    )
    ranked = (
        "SELECT why, t, n, sum(n) OVER (PARTITION BY why) AS total FROM j WHERE why <> '' "
        f"QUALIFY row_number() OVER (PARTITION BY why ORDER BY n DESC, t) <= {EXAMPLES}"
    )
    found = duck.table(judged + ranked, parameters).to_pylist()
    fine = judged + "SELECT t, n FROM j WHERE why = ''"
    conforming, wrong, examples = _meant(duck, fine, parameters, rule.semantic)
    reasons = {one["why"]: int(one["total"]) for one in found}
    missing = reasons.pop("missing", 0)
    if wrong:
        reasons["meaning"] = wrong
    told = [one for one in found if one["why"] != "missing"] + examples
    return {
        "missing": missing,
        "checked": conforming + sum(reasons.values()),
        "conforming": conforming,
        "reasons": {why: reasons[why] for why in REASONS if why in reasons},
        "examples": [
            {"value": one["t"][:LONGEST], "rows": int(one["n"]), "reason": one["why"]}
            for one in sorted(told, key=lambda one: (-int(one["n"]), one["t"]))
        ],
    }


def _meant(
    duck: Duck, sql: str, parameters: Sequence[object], semantic: str
) -> tuple[int, int, list[dict[str, Any]]]:
    """Rows whose value means what it should, rows whose value does not, and some of these values."""
    if semantic not in semantics.SEMANTICS:
        summed = duck.table(f"SELECT CAST(sum(n) AS BIGINT) AS n FROM ({sql})", parameters)
        return summed["n"][0].as_py() or 0, 0, []
    right = wrong = 0
    examples: list[dict[str, Any]] = []
    for batch in duck.batches(sql, parameters):
        texts, rows = batch.column("t"), batch.column("n")
        valid = pc.fill_null(semantics.valid(semantic, texts), False)  # noqa: FBT003 # no value means nothing
        right += pc.sum(rows.filter(valid)).as_py() or 0
        bad = pa.RecordBatch.from_arrays([texts, rows], ["t", "n"]).filter(pc.invert(valid))
        wrong += pc.sum(bad.column("n")).as_py() or 0
        more = bad.slice(0, EXAMPLES - len(examples)).to_pylist()
        examples += [{**one, "why": "meaning"} for one in more]
    return right, wrong, examples


def _cases(column: Column, rule: Rule) -> tuple[str, list[object]]:
    """What is asked, as branches of a CASE that give the reason, and the values for their places."""
    asked = representation(rule.format)
    cases: list[tuple[str, str]] = []
    parameters: list[object] = []
    if column.type is not rule.type and rule.type in TYPES:
        cases.append(("type", _typed(rule.type, asked)))
    if column.type not in MOMENTS and asked.moment and rule.type is ColumnType.STRING:
        cases.append(("format", f"try_strptime(t, '{asked.moment}') IS NULL"))
    elif rule.type in NUMBERS and asked.is_number:
        cases.append(("format", _numbered(asked)))
    elif asked.pattern:
        cases.append(("format", "NOT regexp_full_match(t, ?)"))
        parameters.append(asked.pattern)
    if rule.pattern:
        cases.append(("pattern", "NOT regexp_full_match(t, ?)"))
        parameters.append(rule.pattern)
    if rule.codes is not None:
        cases.append(("code", "t NOT IN (SELECT unnest(CAST(? AS VARCHAR[])))"))
        parameters.append(list(rule.codes))
    return " ".join(f"WHEN {asks} THEN '{why}'" for why, asks in cases), parameters


def _typed(type_: ColumnType, asked: Representation) -> str:
    """The condition that a text is not of the type; days are written as the format says, if it says so."""
    if asked.moment:
        return f"try_strptime(t, '{asked.moment}') IS NULL"
    return f"TRY_CAST(t AS {TYPES[type_]}) IS NULL"


def _numbered(asked: Representation) -> str:
    whole = asked.digits - asked.decimals
    value = "TRY_CAST(t AS DOUBLE)"
    return (
        f"coalesce(abs({value}) >= 1e{whole} OR "
        f"abs({value} - round({value}, {asked.decimals})) > 1e-9 * greatest(1, abs({value})), true)"
    )
