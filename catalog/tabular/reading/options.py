"""How files are read: options that a source may set, and limits that only the portal sets."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any

from catalog.errors import Invalid
from catalog.models.vocabulary import ColumnType
from catalog.tabular.table_schema import Field, TableSchema, read_schema

FORMATS = frozenset(
    ["", "csv", "tsv", "xlsx", "xls", "ods", "json", "jsonl", "geojson", "shp", "gpkg", "parquet"]
)


@dataclass(frozen=True)
class Limits:
    """What one reading may cost; beyond it a file is refused with a sentence."""

    columns: int = 2_000
    cell: int = 1 << 20
    """Bytes of one cell; a geometry may have 32 times as many."""
    row: int = 1 << 26
    """Characters of one row of text."""
    unpacked: int = 8 << 30
    """Bytes that all archives of one reading may unpack to."""
    members: int = 2_000
    """Files in one archive."""
    nesting: int = 2
    """Archives inside archives."""
    sheet_cells: int = 20_000_000
    """Rows times columns of one sheet: a sheet is held in memory."""


@dataclass(frozen=True)
class ReadOptions:
    """What is known about a file beforehand; everything left empty is found out from its content."""

    format: str = ""
    """One of FORMATS; archives are always recognised."""
    encoding: str = ""
    delimiter: str = ""
    quote: str = ""
    header_rows: int = 0
    """How many rows of names a table has; 0 finds out."""
    no_header: bool = False
    """Whether the first row of a delimited text is one of data already."""
    one_table: bool = False
    """Several files, members or sheets with equal columns become one table."""
    records: str = ""
    """Dotted path of the array of records inside a JSON document."""
    carry: tuple[str, ...] = ()
    """Dotted paths of scalars of the JSON document that become columns of each of its records."""
    sheets: tuple[str, ...] = ()
    """Names of the sheets that are wanted; empty means all that are shown."""
    missing: tuple[str, ...] = ("", "NA")
    """Texts that mean "no value" in columns that are not text."""
    types: Mapping[str, ColumnType] = field(default_factory=dict)
    """Declared types by published name."""
    schema: TableSchema = field(default_factory=TableSchema)
    """The data dictionary: Frictionless Table Schema, see `catalog.tabular.table_schema`."""
    names: Mapping[str, str] = field(default_factory=dict)
    """Published names by the names in the file."""
    may_shrink: bool = False
    """Whether the source may give no rows, or far less than before, without a mistake."""
    limits: Limits = field(default_factory=Limits)

    def field(self, name: str) -> Field | None:
        """What is declared of the column that the file calls so."""
        published = self.names.get(name, name)
        found = self.schema.field(published, name)
        type_ = self.types.get(published) or self.types.get(name)
        if type_ and (found is None or found.type is not type_):
            return replace(found or Field(published), kind=type_.value)
        return found

    def marks(self, field: Field | None, type_: ColumnType | None = None) -> tuple[str, ...]:
        """Texts that mean "no value" in a column of which this is declared; in texts only those declared."""
        declared = self.schema.missing if field is None or field.missing is None else field.missing
        if declared is not None:
            return declared
        return ("",) if type_ in (ColumnType.STRING, ColumnType.GEOMETRY) else self.missing

    @classmethod
    def from_json(cls, options: Mapping[str, Any]) -> ReadOptions:
        """Options as a source describes them; Invalid names what cannot be used. Limits cannot be set."""
        known = {f.name for f in fields(cls)} - {"limits"}
        unknown = sorted(set(options) - known)
        if unknown:
            raise Invalid("Unknown reading options: %(names)s.", names=", ".join(unknown))
        checked: dict[str, Any] = {
            name: _CHECKS[name](name, value) for name, value in options.items()
        }
        return cls(**checked)


def _text(name: str, value: object) -> str:
    if not isinstance(value, str):
        raise Invalid("The reading option %(name)s must be a text.", name=name)
    return value


def _format(name: str, value: object) -> str:
    text = _text(name, value).lower()
    if text not in FORMATS:
        raise Invalid("Files of the format %(format)s cannot be read.", format=text)
    return text


def _character(name: str, value: object) -> str:
    text = _text(name, value)
    if len(text) > 1:
        raise Invalid("The reading option %(name)s must be one character.", name=name)
    return text


def _number(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= 10:
        raise Invalid("The reading option %(name)s must be a number from 0 to 10.", name=name)
    return value


def _flag(name: str, value: object) -> bool:
    if not isinstance(value, bool):
        raise Invalid("The reading option %(name)s must be true or false.", name=name)
    return value


def _list(name: str, value: object) -> tuple[str, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str):
        raise Invalid("The reading option %(name)s must be a list of texts.", name=name)
    return tuple(_text(name, item) for item in value)


def _names(name: str, value: object) -> dict[str, str]:
    if not isinstance(value, Mapping):
        raise Invalid("The reading option %(name)s must map names to texts.", name=name)
    return {_text(name, key): _text(name, item) for key, item in value.items()}


def _types(name: str, value: object) -> dict[str, ColumnType]:
    known = {type_.value for type_ in ColumnType}
    found = _names(name, value)
    for column, type_ in found.items():
        if type_ not in known:
            raise Invalid(
                "The column %(column)s has the unknown type %(type)s.", column=column, type=type_
            )
    return {column: ColumnType(type_) for column, type_ in found.items()}


_CHECKS: dict[str, Callable[[str, Any], Any]] = {
    "format": _format,
    "encoding": _text,
    "delimiter": _character,
    "quote": _character,
    "header_rows": _number,
    "no_header": _flag,
    "one_table": _flag,
    "may_shrink": _flag,
    "records": _text,
    "carry": _list,
    "sheets": _list,
    "missing": _list,
    "types": _types,
    "schema": lambda _, value: read_schema(value),
    "names": _names,
}
