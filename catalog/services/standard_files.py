"""The standard of data elements as files: read from CSV, Excel or JSON, written as the same."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

import orjson
import pyarrow as pa
from python_calamine import CalamineError, CalamineWorkbook

from catalog.db import transaction
from catalog.errors import Invalid, NotFound, TooLarge
from catalog.models.element import CodeList, DataElement
from catalog.models.vocabulary import ColumnType
from catalog.permissions import Action, Identity, require
from catalog.schemas.element import code_list_draft, code_list_json, element_draft
from catalog.services import data_elements
from catalog.tabular.column import columns_of
from catalog.tabular.workbook import workbook_stream

ELEMENT_CELLS = (
    "code", "title_zh", "title_en", "definition_zh", "definition_en", "type", "format", "pattern", "unit", "semantic",
    "code_list", "source", "version",
)  # fmt: skip
CODE_CELLS = (
    "list",
    "list_title_zh",
    "list_title_en",
    "list_source",
    "code",
    "label_zh",
    "label_en",
)
TABLES = {"elements": ELEMENT_CELLS, "codes": CODE_CELLS}
TRANSLATED = ("title", "definition", "label", "list_title")
MOST_ROWS = 100_000
MOST_BYTES = 20_000_000
Row = Mapping[str, str]
T = TypeVar("T")


@dataclass(frozen=True)
class Loaded:
    """How many elements and lists of codes a file defined."""

    elements: int
    code_lists: int


def load(who: Identity, content: bytes, kind: str) -> Loaded:
    """Define all that a file (`csv`, `xlsx` or `json`) holds, or nothing; Invalid names every wrong row."""
    require(who, Action.STANDARD_WRITE)
    if len(content) > MOST_BYTES:
        raise TooLarge("the file is larger than %(most)s bytes", most=MOST_BYTES)
    lists, elements = _read_json(content) if kind == "json" else _from_rows(_rows(content, kind))
    problems: dict[str, object] = {}
    code_drafts = _drafts(lists, code_list_draft, problems)
    element_drafts = _drafts(elements, element_draft, problems)
    if problems:
        raise Invalid("the standard in this file cannot be used", problems=problems)
    with transaction():
        for codes in code_drafts:
            data_elements.put_codes(who, codes)
        for element in element_drafts:
            data_elements.put(who, element)
    return Loaded(len(element_drafts), len(code_drafts))


def _drafts(
    described: Sequence[tuple[str, Any]],
    make: Callable[[Mapping[str, Any]], T],
    problems: dict[str, object],
) -> list[T]:
    """The drafts of what is right; what is wrong goes to `problems` under its place in the file."""
    drafts = []
    for where, one in described:
        try:
            drafts.append(make(one))
        except Invalid as error:
            problems[where] = error.problems
    return drafts


def export(who: Identity, name: str) -> Iterator[bytes]:
    """The standard as a file: `standard.json`, or `elements` or `codes` as `.csv` or `.xlsx`; else NotFound."""
    table, _, kind = name.partition(".")
    elements, _ = data_elements.listed(who, limit=data_elements.MOST)
    lists = data_elements.code_lists(who)
    if name == "standard.json":
        whole = {
            "code_lists": [code_list_json(one) for one in lists],
            "elements": [_plain(one) for one in elements],
        }
        return iter([orjson.dumps(whole, option=orjson.OPT_INDENT_2)])
    if table not in TABLES or kind not in ("csv", "xlsx"):
        raise NotFound("there is no file “%(name)s” of the standard", name=name[:100])
    rows = map(_element_row, elements) if table == "elements" else _code_rows(lists)
    return _csv(rows, TABLES[table]) if kind == "csv" else _workbook(list(rows), TABLES[table])


def _read_json(content: bytes) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    try:
        whole = orjson.loads(content)
        lists, elements = whole.get("code_lists", []), whole.get("elements", [])
        if not all(isinstance(one, Mapping) for one in (*lists, *elements)):
            raise TypeError("objects")
    except (ValueError, AttributeError, TypeError) as error:
        raise Invalid("the file is no JSON object with `code_lists` and `elements`") from error
    return (
        [(f"code_lists.{at}", one) for at, one in enumerate(lists)],
        [(f"elements.{at}", one) for at, one in enumerate(elements)],
    )


def _rows(content: bytes, kind: str) -> Iterator[tuple[str, Row]]:
    """The rows of all tables of the file, by name of the column; each with where it stands."""
    for sheet, lines in _tables(content, kind):
        header = [str(cell).strip() for cell in next(lines, [])]
        if not header:
            continue
        if set(header) - {*ELEMENT_CELLS, *CODE_CELLS}:
            raise Invalid(
                "the columns of this file are not those of the template: %(columns)s",
                columns=", ".join(sorted(set(header) - {*ELEMENT_CELLS, *CODE_CELLS}))[:200],
            )
        for number, line in enumerate(lines, start=2):
            if number > MOST_ROWS:
                raise TooLarge("the file has more than %(most)s rows", most=MOST_ROWS)
            row = {name: _text(cell) for name, cell in zip(header, line, strict=False)}
            if any(row.values()):
                yield f"{sheet}{number}", row


def _tables(content: bytes, kind: str) -> Iterator[tuple[str, Iterator[Sequence[Any]]]]:
    if kind == "csv":
        try:
            text = content.decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise Invalid("the file is not in UTF-8") from error
        yield "", iter(csv.reader(io.StringIO(text)))
        return
    try:
        book = CalamineWorkbook.from_filelike(io.BytesIO(content))
        for name in book.sheet_names:
            yield f"{name}!", iter(book.get_sheet_by_name(name).to_python())
    except CalamineError as error:
        raise Invalid("the file is no Excel workbook") from error


def _text(cell: object) -> str:
    """A cell as text: a spreadsheet writes the code 1 as the number 1.0."""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip() if cell is not None else ""


def _from_rows(
    rows: Iterable[tuple[str, Row]],
) -> tuple[list[tuple[str, Any]], list[tuple[str, Any]]]:
    lists: dict[str, tuple[str, dict[str, Any]]] = {}
    elements: list[tuple[str, Any]] = []
    for where, row in rows:
        said = _with_texts(row)
        if "list" not in row:
            elements.append((where, said))
            continue
        _, codes = lists.setdefault(row["list"], (where, {"code": row["list"], "entries": []}))
        codes["entries"].append({"code": row.get("code", ""), "label": said.get("label", {})})
        for theirs, ours in (("list_title", "title"), ("list_source", "source")):
            if said.get(theirs):
                codes.setdefault(ours, said[theirs])
    return list(lists.values()), elements


def _with_texts(row: Row) -> dict[str, Any]:
    """The row with texts by language in place of `title_zh` and `title_en`; empty cells say nothing."""
    said: dict[str, Any] = {}
    for name, text in row.items():
        field, _, tag = name.rpartition("_")
        if field in TRANSLATED:
            if text:
                said.setdefault(field, {})[tag] = text
        elif text:
            said[name] = text
    return said


def _plain(element: DataElement) -> dict[str, Any]:
    codes = element.code_list
    return {
        "code": element.code,
        "title": element.title,
        "definition": element.definition,
        "type": element.type,
        "format": element.format,
        "pattern": element.pattern,
        "unit": element.unit,
        "semantic": element.semantic,
        "code_list": codes.code if codes else "",
        "source": element.source,
        "version": element.version,
    }


def _element_row(element: DataElement) -> dict[str, str]:
    plain = _plain(element)
    return {
        name: str(plain[name])
        if name in plain
        else plain[name.rpartition("_")[0]].get(name.rpartition("_")[2], "")
        for name in ELEMENT_CELLS
    }


def _code_rows(lists: Iterable[CodeList]) -> Iterator[dict[str, str]]:
    for codes in lists:
        for entry in codes.entries:
            yield {
                "list": codes.code,
                "list_title_zh": codes.title.get("zh", ""),
                "list_title_en": codes.title.get("en", ""),
                "list_source": codes.source,
                "code": entry["code"],
                "label_zh": entry["label"].get("zh", ""),
                "label_en": entry["label"].get("en", ""),
            }


def _csv(rows: Iterable[Mapping[str, str]], names: Sequence[str]) -> Iterator[bytes]:
    """Comma-separated, with the mark by which spreadsheets know UTF-8."""
    text = io.StringIO()
    writer = csv.DictWriter(text, names)
    writer.writeheader()
    writer.writerows(rows)
    yield b"\xef\xbb\xbf" + text.getvalue().encode()


def _workbook(rows: Sequence[Mapping[str, str]], names: Sequence[str]) -> Iterator[bytes]:
    columns = columns_of(list(names), [ColumnType.STRING] * len(names))
    arrays = [pa.array([row[name] for row in rows], pa.string()) for name in names]
    batch = pa.RecordBatch.from_arrays(arrays, names=[column.stored for column in columns])
    return workbook_stream([batch], columns, rows=len(rows))
