"""The Excel template of a catalogue: sheets to fill in, lists to choose from, and reading it back cell by cell."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

import xlsxwriter
from python_calamine import CalamineError, CalamineWorkbook
from xlsxwriter.utility import xl_col_to_name

from catalog.errors import N_, TooLarge, Unreadable
from catalog.schemas.dataset_fields import (
    FIELDS,
    RESOURCE_FIELDS,
    Choice,
    Field,
    Words,
    custom_field,
)

DATASETS, RESOURCES, HELP, LISTS = (
    "数据集 Datasets",
    "资源 Resources",
    "填写说明 Help",
    "选项 Lists",
)
FIRST_ROW = 3
"""Below the labels in Chinese and in English."""
MOST_ROWS = 1_000
MOST_RESOURCE_ROWS = 10_000
MOST_BYTES = 5_000_000
MOST_UNPACKED = 100_000_000
LONGEST_LIST = 2_000
OF_DATASET = Field("dataset", Words("所属数据集", "Dataset"), ("dataset",))
KEY = Field("key", Words("资源标识", "Key of the file"), ("key",))
RESOURCE_COLUMNS = (OF_DATASET, KEY, *RESOURCE_FIELDS)
HELP_LINES = (
    ("每个数据集一行，从第 3 行起填写；表头请勿改动，列的次序可以调整。", "One dataset on a line, from line 3 on. Leave the headings; columns may be moved."),
    ("网址名称与已有数据集相同的行是对它的修改；空白或新的名称则登记新数据集。", "A line with the name of a dataset that is there changes it; an empty or new name registers a new one."),
    ("“资源”表的“所属数据集”填数据集的网址名称，或“数据集”表中的行号。表中没有其资源行的数据集，资源保持不变。", "In the sheet of files, “Dataset” is its name in addresses or the number of its line. A dataset without a line there keeps its files."),
    ("上传后先逐格检查；提交后由他人审批，审批前不会公开。", "Every cell is checked on upload. Lines become drafts; nothing is public before it is approved."),
)  # fmt: skip


@dataclass(frozen=True)
class Row:
    """A line of a sheet: its number as Excel shows it, and its cells by the name of the field."""

    number: int
    cells: Mapping[str, str]


@dataclass(frozen=True)
class Read:
    """What an uploaded workbook holds."""

    datasets: list[Row]
    resources: list[Row]
    columns: Mapping[tuple[str, str], str]
    """(sheet, field) → letter of the column."""
    unknown: tuple[tuple[str, str, str], ...]
    """Headings that are no field: (sheet, letter, heading)."""


def write(
    fields: Sequence[Field],
    contents: Iterable[tuple[Mapping[str, str], Sequence[Mapping[str, str]]]],
) -> bytes:
    """A workbook with these fields; `contents` are values of datasets with those of their resources."""
    file = io.BytesIO()
    with xlsxwriter.Workbook(
        file, {"in_memory": True, "strings_to_formulas": False, "strings_to_urls": False}
    ) as book:
        sheets = {name: book.add_worksheet(name) for name in (HELP, DATASETS, RESOURCES, LISTS)}
        formats = {
            "head": book.add_format(
                {"bold": True, "bg_color": "#D9E7EA", "text_wrap": True, "valign": "top"}
            ),
            "wrap": book.add_format({"text_wrap": True, "valign": "top", "num_format": "@"}),
        }
        _help(sheets[HELP], fields, formats)
        lists = _lists(sheets[LISTS], fields)
        _headings(sheets[DATASETS], fields, formats, lists)
        _headings(sheets[RESOURCES], RESOURCE_COLUMNS, formats, {})
        _fill(sheets[DATASETS], sheets[RESOURCES], fields, contents, formats["wrap"])
        sheets[LISTS].hide()
        sheets[DATASETS].activate()
    return file.getvalue()


def read(body: bytes, fields: Sequence[Field]) -> Read:
    """The lines of an uploaded workbook; raises TooLarge, or Unreadable for what is no such workbook."""
    book = _opened(body)
    found = {
        "datasets": _sheet(book, "Datasets", "数据集"),
        "resources": _sheet(book, "Resources", "资源"),
    }
    if found["datasets"] is None:
        raise Unreadable("the workbook has no sheet “%(sheet)s”: use the template", sheet=DATASETS)
    columns: dict[tuple[str, str], str] = {}
    unknown: list[tuple[str, str, str]] = []
    rows: dict[str, list[Row]] = {}
    for (kind, name), known, most in (
        (("datasets", DATASETS), fields, MOST_ROWS),
        (("resources", RESOURCES), RESOURCE_COLUMNS, MOST_RESOURCE_ROWS),
    ):
        sheet = found[kind]
        lines = _cells(book, sheet, most) if sheet else []
        at, strange = _placed(lines[: FIRST_ROW - 1], known)
        columns.update({(name, field): xl_col_to_name(place) for place, field in at.items()})
        unknown += [(name, xl_col_to_name(place), words) for place, words in strange.items()]
        rows[kind] = list(_rows(lines, at))
    return Read(rows["datasets"], rows["resources"], columns, tuple(unknown))


def chosen(field: Field, text: str) -> str:
    """The value of a closed list that a cell means, by value, by label, or by both labels; else the text."""
    for value, zh, en in field.choices:
        if text.strip().casefold() in (
            one.casefold() for one in (value, zh, en, _option((value, zh, en)))
        ):
            return value
    return text


def _option(choice: Choice) -> str:
    _, zh, en = choice
    return zh if zh == en else f"{zh} {en}"


def _help(sheet: Any, fields: Sequence[Field], formats: Mapping[str, Any]) -> None:
    sheet.set_column(0, 1, 34)
    sheet.set_column(2, 3, 60)
    row = 0
    for zh, en in HELP_LINES:
        sheet.merge_range(row, 0, row, 3, f"{zh}\n{en}", formats["wrap"])
        sheet.set_row(row, 34)
        row += 1
    sheet.write_row(
        row + 1, 0, ("字段", "Field", "说明 Hint", "可选值 Allowed values"), formats["head"]
    )
    for line, field in enumerate(fields, row + 2):
        hint = f"{field.hint.zh}\n{field.hint.en}" if field.hint.zh else ""
        options = "\n".join(_option(one) for one in field.choices if one[0])
        sheet.write_row(
            line, 0, (field.label.zh, field.label.en, hint, options[:30_000]), formats["wrap"]
        )


def _lists(sheet: Any, fields: Sequence[Field]) -> dict[str, str]:
    """Write the closed lists; name of a field → the range that its drop-down list shows."""
    ranges: dict[str, str] = {}
    closed = [field for field in fields if field.choices or field.kind == "flag"]
    for column, field in enumerate(closed):
        options = (
            ["1"] if field.kind == "flag" else [_option(one) for one in field.choices if one[0]]
        )
        sheet.write_column(0, column, options[:LONGEST_LIST])
        letter = xl_col_to_name(column)
        ranges[field.name] = (
            f"='{LISTS}'!${letter}$1:${letter}${max(1, min(len(options), LONGEST_LIST))}"
        )
    return ranges


def _headings(
    sheet: Any, fields: Sequence[Field], formats: Mapping[str, Any], lists: Mapping[str, str]
) -> None:
    sheet.freeze_panes(FIRST_ROW - 1, 1)
    for column, field in enumerate(fields):
        sheet.write(0, column, field.label.zh, formats["head"])
        sheet.write(1, column, field.label.en, formats["head"])
        sheet.set_column(column, column, 40 if field.kind == "area" else 22, formats["wrap"])
        if field.name in lists:
            sheet.data_validation(
                FIRST_ROW - 1, column, FIRST_ROW + MOST_ROWS - 2, column,
                {"validate": "list", "source": lists[field.name], "ignore_blank": True},
            )  # fmt: skip


def _fill(
    datasets: Any,
    resources: Any,
    fields: Sequence[Field],
    contents: Iterable[tuple[Mapping[str, str], Sequence[Mapping[str, str]]]],
    wrap: Any,
) -> None:
    line = FIRST_ROW - 1
    for row, (values, files) in enumerate(contents, FIRST_ROW - 1):
        datasets.write_row(row, 0, [_shown(field, values) for field in fields], wrap)
        for file in files:
            cells = {**file, OF_DATASET.name: values["slug"]}
            resources.write_row(
                line, 0, [cells.get(one.name, "") for one in RESOURCE_COLUMNS], wrap
            )
            line += 1


def _shown(field: Field, values: Mapping[str, str]) -> str:
    value = values.get(field.name, "")
    known = [one for one in field.choices if one[0] == value and value]
    return _option(known[0]) if known else value


def _opened(body: bytes) -> CalamineWorkbook:
    """The workbook, once its parts are known not to become too large."""
    if len(body) > MOST_BYTES:
        raise TooLarge("the workbook is larger than %(limit)s MB", limit=MOST_BYTES // 1_000_000)
    try:
        with zipfile.ZipFile(io.BytesIO(body)) as archive:
            unpacked = sum(member.file_size for member in archive.infolist())
        if unpacked > MOST_UNPACKED:
            raise TooLarge(
                "the workbook is larger than %(limit)s MB", limit=MOST_UNPACKED // 1_000_000
            )
        return CalamineWorkbook.from_filelike(io.BytesIO(body))
    except (zipfile.BadZipFile, CalamineError, ValueError, OSError) as error:
        raise Unreadable(N_("this is no Excel workbook (.xlsx): use the template")) from error


def _sheet(book: CalamineWorkbook, *names: str) -> str | None:
    return next((name for name in book.sheet_names if any(one in name for one in names)), None)


def _cells(book: CalamineWorkbook, name: str, most: int) -> list[list[Any]]:
    sheet = book.get_sheet_by_name(name)
    start = sheet.start or (0, 0)
    if sheet.total_height > most + FIRST_ROW + 100:
        raise TooLarge(
            "“%(sheet)s” has more than %(limit)s lines: send it in parts", sheet=name, limit=most
        )
    return [[]] * int(start[0]) + [
        list(row) for row in sheet.to_python(skip_empty_area=False)[int(start[0]) :]
    ]


def _placed(
    heads: Sequence[Sequence[Any]], fields: Sequence[Field]
) -> tuple[dict[int, str], dict[int, str]]:
    """Place of a column → its field, and the headings that are none; either language does."""
    names = {
        label: field.name
        for field in fields
        for label in (field.label.zh, field.label.en, field.name)
    }
    at: dict[int, str] = {}
    strange: dict[int, str] = {}
    for head in heads:
        for place, cell in enumerate(head):
            words = str(cell).strip()
            if words in names:
                at.setdefault(place, names[words])
            elif words:
                strange[place] = words
    return at, {place: words for place, words in strange.items() if place not in at}


def _rows(lines: Sequence[Sequence[Any]], at: Mapping[int, str]) -> Iterator[Row]:
    for number, line in enumerate(lines[FIRST_ROW - 1 :], FIRST_ROW):
        cells = {name: _said(line[place]) for place, name in at.items() if place < len(line)}
        if any(cells.values()):
            yield Row(number, cells)


def _said(cell: Any) -> str:
    """A cell as the text that a person sees: no `.0` behind whole numbers, days as ISO 8601 has them."""
    if isinstance(cell, bool):
        return "1" if cell else ""
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    if isinstance(cell, datetime):
        return cell.date().isoformat()
    if isinstance(cell, date):
        return cell.isoformat()
    return str(cell).strip()


def fields_for(custom: Sequence[Mapping[str, Any]]) -> tuple[Field, ...]:
    """The fields of a dataset with those that its organization has defined itself."""
    return (*FIELDS, *map(custom_field, custom))
