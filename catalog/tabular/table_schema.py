"""The data dictionary of a table: Frictionless Table Schema, as the reader of files uses it.

Beyond Table Schema a field may say: `unit`; `semantic`, one of `catalog.tabular.semantics`; `crs` of a
coordinate; and `percent`, which makes 12.5% the number 0.125.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.errors import Invalid
from catalog.models.vocabulary import ColumnType
from catalog.tabular.semantics import DATUMS, SEMANTICS

ANY = "any"
"""A type that leaves it to the values."""
TYPES: dict[str, ColumnType] = {
    "string": ColumnType.STRING,
    "number": ColumnType.NUMBER,
    "integer": ColumnType.INTEGER,
    "year": ColumnType.INTEGER,
    "boolean": ColumnType.BOOLEAN,
    "date": ColumnType.DATE,
    "datetime": ColumnType.DATETIME,
    "geojson": ColumnType.GEOMETRY,
    "yearmonth": ColumnType.STRING,
    "time": ColumnType.STRING,
    "duration": ColumnType.STRING,
    "geopoint": ColumnType.STRING,
    "object": ColumnType.STRING,
    "array": ColumnType.STRING,
    "list": ColumnType.STRING,
}
"""Types of Table Schema → how their values are stored."""
CONSTRAINTS = frozenset(
    ["required", "unique", "minLength", "maxLength", "minimum", "maximum", "pattern", "enum"]
)
LENGTHS = {"minLength", "maxLength"}
FLAGS = {"required", "unique"}
READING = ("decimalChar", "groupChar", "bareNumber", "percent", "trueValues", "falseValues")
"""What says how values are written in the source, and not how they are published."""
MOST_FIELDS = 2_000
LONGEST_PATTERN = 1_000
Texts = Mapping[str, str]


@dataclass(frozen=True)
class Field:
    """What the dictionary says of a column; `kind` is the type by its name in Table Schema."""

    name: str
    kind: str = ANY
    format: str = "default"
    decimal: str = "."
    group: str = ""
    bare: bool = True
    """Whether nothing but digits may stand in a number; else currencies and units around it are let go."""
    percent: bool = False
    true: tuple[str, ...] = ("true", "True", "TRUE", "1")
    false: tuple[str, ...] = ("false", "False", "FALSE", "0")
    missing: tuple[str, ...] | None = None
    """Texts that mean "no value"; None leaves them to the table."""
    constraints: Mapping[str, Any] = field(default_factory=dict)
    semantic: str = ""
    unit: str = ""
    title: Texts = field(default_factory=dict)
    description: Texts = field(default_factory=dict)
    info: Mapping[str, Any] = field(default_factory=dict)
    """Everything that was said beyond name, title, description, unit and semantic, as it was said."""

    @property
    def type(self) -> ColumnType | None:
        """How the values are stored; None leaves it to them."""
        return TYPES.get(self.kind)


@dataclass(frozen=True)
class TableSchema:
    """The dictionary of a table."""

    fields: tuple[Field, ...] = ()
    missing: tuple[str, ...] | None = None
    primary_key: tuple[str, ...] = ()

    def field(self, *names: str) -> Field | None:
        """What is said of the column that has one of these names, the first before the others."""
        known = {field.name: field for field in self.fields}
        return next((known[name] for name in names if name in known), None)


def read_schema(given: object) -> TableSchema:
    """A Table Schema as the reader uses it; Invalid says which property cannot be used."""
    if not isinstance(given, Mapping) or not isinstance(given.get("fields", []), list):
        raise Invalid("A table schema is an object with a list of fields.")
    entries = given.get("fields", [])
    if len(entries) > MOST_FIELDS:
        raise Invalid("A table schema has at most %(limit)s fields.", limit=MOST_FIELDS)
    fields = tuple(map(_field, entries))
    names = [field.name for field in fields]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise Invalid("The table schema names a field twice: %(field)s.", field=twice[0])
    key = given.get("primaryKey", [])
    key = (key,) if isinstance(key, str) else tuple(_texts("primaryKey", key))
    unknown = [name for name in key if name not in names]
    if unknown:
        raise Invalid("The primary key names %(field)s, which is no field.", field=unknown[0])
    return TableSchema(fields, _missing(given), key)


def _field(given: object) -> Field:
    if not isinstance(given, Mapping) or not isinstance(given.get("name"), str):
        raise Invalid("Every field of a table schema is an object with a name.")
    name = given["name"]
    kind = str(given.get("type") or ANY)
    if kind != ANY and kind not in TYPES:
        raise Invalid(
            "The column %(column)s has the unknown type %(type)s.", column=name, type=kind
        )
    values = {
        ours: check(name, given[theirs]) for theirs, ours, check in _PROPERTIES if theirs in given
    }
    return Field(
        name=name,
        kind=kind,
        missing=_missing(given),
        constraints=_constraints(name, given.get("constraints", {})),
        semantic=_one_of(name, "semantic", given.get("semantic", ""), SEMANTICS),
        info=_info(name, given),
        **values,
    )


def _info(name: str, given: Mapping[str, Any]) -> dict[str, Any]:
    _one_of(name, "crs", given.get("crs", ""), DATUMS)
    own = {"name", "title", "description", "unit", "semantic"}
    info = {key: value for key, value in given.items() if key not in own}
    if info.get("type") in (None, ANY, *(type_.value for type_ in ColumnType)):
        info.pop("type", None)  # the column itself says it
    return info


def _missing(given: Mapping[str, Any]) -> tuple[str, ...] | None:
    """Texts that mean "no value"; each may be an object with its label."""
    if "missingValues" not in given:
        return None
    values = given["missingValues"]
    if not isinstance(values, list):
        raise _wrong("missingValues")
    return tuple(
        str(value.get("value", "")) if isinstance(value, Mapping) else str(value)
        for value in values
    )


def _constraints(name: str, given: object) -> dict[str, Any]:
    if not isinstance(given, Mapping):
        raise _wrong("constraints", name)
    found = {str(key): value for key, value in given.items() if key in CONSTRAINTS}
    for key, value in found.items():
        if not _is_constraint(key, value):
            raise _wrong(key, name)
    return found


def _is_constraint(key: str, value: object) -> bool:
    if key in FLAGS:
        return isinstance(value, bool)
    if key in LENGTHS:
        return isinstance(value, int) and not isinstance(value, bool) and value >= 0
    if key == "pattern":
        return isinstance(value, str) and _is_pattern(value)
    if key == "enum":
        return isinstance(value, list)
    return isinstance(value, str | int | float)


def _is_pattern(pattern: str) -> bool:
    """Whether RE2 takes it, which never needs more time than the text is long."""
    if len(pattern) > LONGEST_PATTERN:
        return False
    try:
        pc.match_substring_regex(pa.array([""]), f"^(?:{pattern})$")
    except pa.ArrowInvalid:
        return False
    return True


def _wrong(key: str, name: str = "") -> Invalid:
    if not name:
        return Invalid(
            "The property %(property)s of the table schema cannot be used.", property=key
        )
    return Invalid(
        "The property %(property)s of the column %(column)s cannot be used.",
        property=key,
        column=name,
    )


def _one_of(name: str, key: str, value: object, known: Sequence[str] | Mapping[str, Any]) -> str:
    if value and value not in known:
        raise Invalid(
            "The property %(property)s of the column %(column)s must be one of %(known)s.",
            property=key, column=name, known=", ".join(known),
        )  # fmt: skip
    return str(value or "")


def _character(name: str, value: object) -> str:
    if not isinstance(value, str) or len(value) > 1:
        raise _wrong("decimalChar / groupChar", name)
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise _wrong("bareNumber / percent", name)
    return value


def _listed(name: str, value: object) -> tuple[str, ...]:
    return tuple(_texts(f"trueValues / falseValues ({name})", value))


def _texts(key: str, value: object) -> list[str]:
    if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
        raise _wrong(key)
    return value


def _words(_name: str, value: object) -> Texts:
    """Words in one or more languages; a plain text is of no stated language."""
    if isinstance(value, Mapping):
        return {str(language): str(text) for language, text in value.items() if text}
    return {"und": str(value)} if value else {}


def _plain(_name: str, value: object) -> str:
    return str(value or "")[:60]


_PROPERTIES: tuple[tuple[str, str, Callable[[str, Any], Any]], ...] = (
    ("format", "format", lambda _, value: str(value or "default")[:200]),
    ("decimalChar", "decimal", _character),
    ("groupChar", "group", _character),
    ("bareNumber", "bare", _flag),
    ("percent", "percent", _flag),
    ("trueValues", "true", _listed),
    ("falseValues", "false", _listed),
    ("unit", "unit", _plain),
    ("title", "title", _words),
    ("description", "description", _words),
)
