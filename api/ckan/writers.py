"""Files as CKAN's dump writes them, a part at a time."""

from __future__ import annotations

import csv
import io
import re
import unicodedata
from collections.abc import Sequence
from typing import Any, Protocol
from xml.etree.ElementTree import Element, SubElement, tostring  # written only, never read

import orjson
import pyarrow as pa

from api.ckan.records import columns_of, lines
from api.ckan.tables import ID, Field
from catalog.schemas.atom import NO_XML

BOM = b"\xef\xbb\xbf"
MEDIA_TYPES = {
    "csv": "text/csv; charset=utf-8",
    "tsv": "text/tab-separated-values; charset=utf-8",
    "json": "application/json; charset=utf-8",
    "xml": "text/xml; charset=utf-8",
}
_NAME_RULES = (
    (re.compile(r"^(\d*xml\d*|\d+)", re.IGNORECASE), ""),
    (re.compile(r"\s+"), "_"),
    (re.compile(r"[^\w_.-]"), ""),
    (re.compile(r"^[\d.-]+"), ""),
)
"""What is taken from a field's name to make it one of XML."""


class Writer(Protocol):
    """Writes one kind of file."""

    def head(self) -> bytes:
        """What comes before the rows."""
        ...

    def rows(self, part: pa.Table) -> bytes:
        """Some rows."""
        ...

    def tail(self) -> bytes:
        """What comes after the rows."""
        ...


def writer_of(form: str, fields: Sequence[Field], *, bom: bool) -> Writer:
    """The writer of this kind of file."""
    mark = BOM if bom else b""
    if form == "json":
        return _JSONWriter(fields, mark)
    if form == "xml":
        return _XMLWriter(fields, mark)
    return _TextWriter(fields, mark, "," if form == "csv" else "\t")


class _TextWriter:
    def __init__(self, fields: Sequence[Field], mark: bytes, separator: str) -> None:
        self.fields, self.mark, self.separator = fields, mark, separator

    def head(self) -> bytes:
        text = io.StringIO()
        csv.writer(text, delimiter=self.separator).writerow(field.id for field in self.fields)
        return self.mark + text.getvalue().encode()

    def rows(self, part: pa.Table) -> bytes:
        return lines(part, self.fields, self.separator).encode()

    def tail(self) -> bytes:
        return b""


class _JSONWriter:
    def __init__(self, fields: Sequence[Field], mark: bytes) -> None:
        self.fields, self.mark = fields, mark
        self._before = b"\n    "

    def head(self) -> bytes:
        told = orjson.dumps([field.shown() for field in self.fields])
        return self.mark + b'{\n  "fields": ' + told + b',\n  "records": ['

    def rows(self, part: pa.Table) -> bytes:
        rows = zip(*columns_of(part, self.fields), strict=True)
        text = self._before + b",\n    ".join(map(orjson.dumps, rows))
        self._before = b",\n    "
        return text

    def tail(self) -> bytes:
        return b"\n]}\n"


class _XMLWriter:
    def __init__(self, fields: Sequence[Field], mark: bytes) -> None:
        self.fields, self.mark = fields, mark
        self.names = _element_names([field.id for field in fields])

    def head(self) -> bytes:
        return self.mark + b'<data xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">\n'

    def rows(self, part: pa.Table) -> bytes:
        columns = columns_of(part, self.fields)
        return b"".join(self._row(row) for row in zip(*columns, strict=True))

    def tail(self) -> bytes:
        return b"</data>\n"

    def _row(self, values: Sequence[Any]) -> bytes:
        root = Element("row")
        for field, name, value in zip(self.fields, self.names, values, strict=True):
            if field.id == ID and field is self.fields[0]:
                root.set(ID, str(value))
            else:
                _put(root, name, _read(value))
        return tostring(root, encoding="unicode").encode() + b"\n"


def _element_names(names: Sequence[str]) -> list[str]:
    """Names of XML for names of fields, each once."""
    made: list[str] = []
    for name in names:
        plain = unicodedata.normalize("NFC", name)
        for rule, replacement in _NAME_RULES:
            plain = rule.sub(replacement, plain)
        unique, number = plain, 0
        while unique in made or not unique:
            unique, number = f"{plain}_{number}", number + 1
        made.append(unique)
    return made


def _read(value: Any) -> Any:
    return orjson.loads(orjson.dumps(value)) if isinstance(value, orjson.Fragment) else value


def _put(root: Element, name: str, value: Any, key: object = None) -> None:
    element = SubElement(root, name)
    if value is None:
        element.set("xsi:nil", "true")
    elif isinstance(value, dict | list):
        inner = value.items() if isinstance(value, dict) else enumerate(value)
        for at, one in inner:
            _put(element, "value", one, at)
    else:
        element.text = NO_XML.sub("", str(value))
    if key is not None:
        element.set("key", str(key))
