"""What the forms of the data dictionary show: what is said of columns, and what was typed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from flask import url_for

from catalog.schemas.column_declaration import CONSTRAINTS
from catalog.schemas.table_schema import semantic_label
from catalog.tabular.semantics import SEMANTICS
from catalog.tabular.table_schema import TYPES as KINDS
from portal.filters import text
from portal.languages import gettext, lazy_gettext
from portal.table_page.words import TYPES

if TYPE_CHECKING:
    from catalog.models.table import DataTable, TableColumn

KIND_WORDS = {
    "year": lazy_gettext("Year"),
    "yearmonth": lazy_gettext("Month of a year, as text"),
    "time": lazy_gettext("Time of day, as text"),
    "duration": lazy_gettext("Duration (ISO 8601), as text"),
    "geopoint": lazy_gettext("Pair of longitude and latitude, as text"),
    "object": lazy_gettext("JSON object, as text"),
    "array": lazy_gettext("JSON array, as text"),
    "list": lazy_gettext("List of values, as text"),
}
"""Types of Table Schema beside those of columns."""
CONSTRAINT_WORDS = {
    "required": lazy_gettext("required"),
    "unique": lazy_gettext("unique"),
    "minLength": lazy_gettext("least length"),
    "maxLength": lazy_gettext("greatest length"),
    "minimum": lazy_gettext("least value"),
    "maximum": lazy_gettext("greatest value"),
    "pattern": lazy_gettext("pattern"),
    "enum": lazy_gettext("allowed values"),
}
MOST_SHOWN = 5


@dataclass(frozen=True)
class Said:
    """What is said of a column, in short."""

    name: str
    label: str
    type_words: str
    facts: tuple[tuple[str, str], ...]
    form: str
    """The address of its form."""


def said_of(table: DataTable, column: TableColumn) -> Said:
    """What is said of the column."""
    info: Mapping[str, Any] = column.info or {}
    semantic = semantic_label(column.semantic)
    facts = (
        (gettext("Description"), text(column.description)),
        (gettext("Unit"), column.unit or ""),
        (gettext("What values mean"), gettext(semantic) if semantic else ""),
        (gettext("Format"), str(info.get("format") or "")),
        (gettext("Texts that mean “no value”"), _listed(info.get("missingValues") or ())),
        (gettext("Rules"), _rules(info.get("constraints") or {})),
    )
    return Said(
        column.name,
        text(column.label),
        kind_words(str(info.get("type") or column.type)),
        tuple((name, words) for name, words in facts if words),
        url_for("table_dictionary.column", table_id=table.id, column=column.name),
    )


def kind_words(kind: str) -> str:
    """A type in words."""
    return str(TYPES.get(kind) or KIND_WORDS.get(kind) or kind)


def _rules(constraints: Mapping[str, Any]) -> str:
    separator = str(gettext("; "))
    told = []
    for name, value in constraints.items():
        words = str(CONSTRAINT_WORDS.get(name, name))
        shown = _listed(value) if isinstance(value, list) else str(value)
        told.append(words if value is True else f"{words} {shown}")
    return separator.join(told)


def _listed(values: Any) -> str:
    shown = [str(value) or "–" for value in values[:MOST_SHOWN]]
    return str(gettext(", ")).join(shown) + (" …" if len(values) > MOST_SHOWN else "")


class ColumnForm:
    """The form of one column: what was typed, else what is said."""

    def __init__(
        self, table: DataTable, column: TableColumn, sent: Mapping[str, str] | None
    ) -> None:
        self.table = table
        self.name = column.name
        self.values = dict(sent) if sent is not None else _values(column)
        self.shown = text(column.label) or column.name

    @property
    def types(self) -> list[tuple[str, str]]:
        """Types to choose from."""
        return [(kind, kind_words(kind)) for kind in KINDS]

    @property
    def semantics(self) -> list[tuple[str, str]]:
        """Meanings to choose from."""
        named = [(name, str(gettext(semantic_label(name)))) for name in SEMANTICS]
        return [("", str(gettext("(nothing more than the type says)"))), *named]

    @property
    def harvested(self) -> bool:
        """Whether a source may say otherwise."""
        return self.table.resource.dataset.source_id is not None

    @property
    def back(self) -> str:
        """The overview."""
        return url_for("table_dictionary.show", table_id=self.table.id)


def _values(column: TableColumn) -> dict[str, str]:
    info: Mapping[str, Any] = column.info or {}
    constraints: Mapping[str, Any] = info.get("constraints") or {}
    values = {
        "title_zh": (column.label or {}).get("zh", ""),
        "title_en": (column.label or {}).get("en", ""),
        "description_zh": (column.description or {}).get("zh", ""),
        "description_en": (column.description or {}).get("en", ""),
        "unit": column.unit or "",
        "type": str(info.get("type") or column.type),
        "semantic": column.semantic or "",
        "format": str(info.get("format") or ""),
        "missing": "\n".join(map(str, info.get("missingValues") or ())),
        "enum": "\n".join(map(str, constraints.get("enum") or ())),
    }
    for theirs, ours in CONSTRAINTS.items():
        values.setdefault(ours, str(constraints.get(theirs, "")))
    return values | {name: "1" if constraints.get(name) else "" for name in ("required", "unique")}
