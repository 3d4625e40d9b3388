"""What a publisher declares of a column in the form of the data dictionary, and which values break it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.db import transaction
from catalog.errors import Conflict, Invalid, NotFound
from catalog.models.base import now
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Action, Identity, require
from catalog.schemas.column_declaration import LANGUAGES, ColumnDraft
from catalog.services import datasets, table_columns
from catalog.services.table_columns import RetypeColumn
from catalog.services.table_lookup import base_of, newest, show
from catalog.services.table_schema import keep_origins, mark_written
from catalog.services.table_writes import own
from catalog.tabular import semantics
from catalog.tabular.column import ARROW, Column
from catalog.tabular.reading.convert import Constraints
from catalog.tabular.reasons import SENTENCES, Reason
from catalog.tabular.sql import quoted
from catalog.tabular.values import find

MOST_VALUES = 200_000
"""Different values that are tried, the most frequent first."""
MOST_EXAMPLES = 3
OF_FORM = ("type", "format", "constraints", "missingValues")
"""What the form sets of `info`; the rest of it says how the source writes values."""
TYPE_REASONS = {
    ColumnType.INTEGER: Reason.INTEGER,
    ColumnType.NUMBER: Reason.NUMBER,
    ColumnType.BOOLEAN: Reason.BOOLEAN,
    ColumnType.DATE: Reason.DATE,
    ColumnType.DATETIME: Reason.DATETIME,
    ColumnType.GEOMETRY: Reason.GEOJSON,
}


@dataclass(frozen=True)
class Broken:
    """A rule that values break: why, as a msgid, in how many rows, and some of the values."""

    reason: Reason
    rows: int
    examples: tuple[str, ...]

    @property
    def sentence(self) -> str:
        """Why, as a msgid."""
        return SENTENCES[self.reason]


def editable(who: Identity, table_id: str) -> DataTable:
    """The table with all that is said of its columns, for whoever may change it."""
    table = show(who, table_id)
    require(who, Action.TABLE_WRITE, table.resource.dataset)
    return table


def column_of(table: DataTable, name: str) -> TableColumn:
    """The column of that name; raises NotFound."""
    column = next((column for column in table.columns if column.name == name), None)
    if column is None:
        raise NotFound("there is no column “%(column)s”", column=name[:200])
    return column


def declare(who: Identity, table_id: str, name: str, draft: ColumnDraft) -> None:
    """Keep what is said of the column; what is said otherwise than before, no later load changes.

    Another type makes a release; Invalid when not every value has it, and then nothing is kept.
    """
    if draft.type is not ColumnType(column_of(own(who, table_id), name).type):
        retype = RetypeColumn(name, draft.type)
        table_columns.change_columns(who, table_id, [retype], reason="columns changed")
    table = own(who, table_id)
    column = column_of(table, name)
    said = {
        "label": _texts(column.label, draft.title),
        "description": _texts(column.description, draft.description),
        "unit": draft.unit,
        "semantic": draft.semantic,
        "info": _info(column.info or {}, draft),
    }
    changed = [
        field
        for field, value in said.items()
        if (getattr(column, field) or None) != (value or None)
    ]
    before = (dict(column.label or {}), dict(column.description or {}))
    with transaction():
        for field in changed:
            setattr(column, field, said[field])
        keep_origins(column, *before)
        mark_written(column, changed)
        table.updated_at = now()
        datasets.touch(table.resource.dataset_id)


def declare_key(who: Identity, table_id: str, names: list[str]) -> None:
    """Say which columns tell rows apart; Invalid where they do not."""
    try:
        table_columns.set_key(who, table_id, names)
    except Conflict as error:
        raise Invalid(error.message, {"key": [error.message]}) from error


def broken(who: Identity, table_id: str, name: str, draft: ColumnDraft) -> list[Broken]:
    """Which rows of the newest release break what would be declared, by reason; none while nothing is loaded."""
    table = own(who, table_id)
    if not table.head:
        return []
    version = newest(table)
    column = find(version.columns, name)
    base = base_of(version)
    counted = base.duck.table(
        f"SELECT {quoted(column)} AS value, count(*) AS n FROM {base.relation} GROUP BY ALL ORDER BY n DESC LIMIT ?",
        [MOST_VALUES],
    )
    values, rows = counted["value"].combine_chunks(), counted["n"].combine_chunks()
    found = []
    for places, reason in _broken(values, rows, column, draft):
        if len(places):
            examples = values.take(places[:MOST_EXAMPLES]).cast(pa.string()).to_pylist()
            told = tuple(str(text)[:60] for text in examples if text is not None)
            found.append(Broken(reason, int(pc.sum(rows.take(places)).as_py()), told))
    return found


def _broken(
    values: pa.Array, rows: pa.Array, column: Column, draft: ColumnDraft
) -> Iterator[tuple[pa.Array, Reason]]:
    """Places of different values, and what each of them breaks."""
    given = draft.constraints
    if given.get("required"):
        yield pc.indices_nonzero(pc.is_null(values)), Reason.REQUIRED
    if given.get("unique"):
        twice = pc.and_(pc.greater(rows, 1), pc.is_valid(values))
        yield pc.indices_nonzero(twice), Reason.UNIQUE
    texts = values.cast(pa.string())
    cast = _cast(values, draft.type)
    lost = pc.and_(pc.is_valid(values), pc.is_null(cast))
    yield pc.indices_nonzero(lost), TYPE_REASONS.get(draft.type, Reason.FINE)
    checks = Constraints(draft.field(column.name), Column(column.name, column.stored, draft.type))
    for places, reasons in checks.broken(cast, texts):
        yield places, Reason(reasons[0].as_py()) if len(reasons) else Reason.FINE
    if draft.semantic:
        wrong = pc.invert(semantics.valid(draft.semantic, texts))
        yield pc.indices_nonzero(pc.fill_null(wrong, False)), Reason(draft.semantic)  # noqa: FBT003 # nothing is not wrong


def _cast(values: pa.Array, type_: ColumnType) -> pa.Array:
    """The values as another type, null where they are none of it; a code with zeros in front is no number."""
    wanted = ARROW[type_]
    if values.type.equals(wanted):
        return values
    if pa.types.is_string(values.type) and type_ in (ColumnType.INTEGER, ColumnType.NUMBER):
        codes = pc.match_substring_regex(values, table_columns.CODE)
        values = pc.if_else(codes, pa.scalar(None, pa.string()), values)
    try:
        return values.cast(wanted)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return pa.array([_one(value, wanted) for value in values], wanted)


def _one(value: pa.Scalar, wanted: pa.DataType) -> Any:
    try:
        return value.cast(wanted).as_py()
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        return None


def _texts(before: dict[str, str], said: Any) -> dict[str, str]:
    """The languages of the form, and the others as they were."""
    others = {tag: text for tag, text in (before or {}).items() if tag not in LANGUAGES}
    return {**others, **said}


def _info(before: dict[str, Any], draft: ColumnDraft) -> dict[str, Any]:
    others = {name: value for name, value in before.items() if name not in OF_FORM}
    return {**others, **draft.info}
