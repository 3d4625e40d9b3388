"""A catalogue of government information resources (政务信息资源目录) as a workbook: one resource a row, or a row for each of its items."""

from __future__ import annotations

import re
import tempfile
import zipfile
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import date, datetime
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote

from marshmallow import Schema, fields, validate
from python_calamine import CalamineError, CalamineWorkbook

from catalog.errors import Invalid, TooLarge, Unreadable
from harvesters.declaration import LANGUAGE, DeclarationSchema, dataset_from
from harvesters.harvester import Content, Record, Source
from harvesters.http import Http
from harvesters.places import place_of
from harvesters.places.options import PlaceOptions
from harvesters.terms import day_of, frequency_of

MOST_CELLS = 5_000_000
MOST_UNPACKED = 1_000_000_000
HEAD_ROWS = 30
"""The headings stand somewhere in the first rows."""
LEAST_HEADINGS = 3
MOST_ITEMS = 2_000

HEADINGS: Mapping[str, str] = {
    "title": "信息资源名称 数据资源名称 政务信息资源名称 公共数据资源名称 资源名称 目录名称 数据目录名称 数据集名称 名称",
    "identifier": "信息资源代码 数据资源代码 政务信息资源代码 资源代码 目录代码 目录编码 资源编码 信息资源编码 数据资源编码",
    "provider": "信息资源提供方 数据资源提供方 资源提供方 提供方 提供单位 来源部门 数源单位 数据提供方 责任部门 提供部门",
    "provider_code": "信息资源提供方代码 资源提供方代码 提供方代码 提供方统一社会信用代码",
    "description": "信息资源摘要 数据资源摘要 资源摘要 摘要 目录摘要 资源描述 简介",
    "resource_format": "信息资源格式 数据资源格式 资源格式 格式 格式类型 资源格式分类 信息资源格式类型",
    "resource_class": "信息资源分类 资源分类 类目 类目名称 目录分类 所属类目 类",
    "share_type": "共享类型 共享属性",
    "share_condition": "共享条件",
    "share_mode": "共享方式 共享方式类型 共享范围",
    "open": "是否向社会开放 是否开放 开放类型 开放属性 社会开放属性",
    "open_condition": "开放条件 社会开放条件",
    "frequency": "更新周期 更新频率",
    "issued": "发布日期 发布时间",
    "linked_code": "关联资源代码 关联资源 关联资源编码 关联类目代码 关联及类目名称",
    "url": "在线链接地址 链接地址 访问地址 下载地址 接口地址",
    "item": "信息项 信息项名称 数据项 数据项名称 字段名称 字段中文名称 数据元名称 信息项中文名称",
    "item_code": "信息项代码 字段英文名称 数据项英文名称 信息项英文名称 字段代码",
    "item_type": "数据类型 信息项数据类型 字段类型 数据项类型",
    "item_length": "数据长度 信息项数据长度 字段长度 长度",
}  # fmt: skip
"""Our name → headings of catalogues, as 政务信息资源目录编制指南 and departments write them."""
FIELD_OF = {name: ours for ours, names in HEADINGS.items() for name in names.split()}
ITEM = ("item", "item_code", "item_type", "item_length")
SHARE = {
    "无条件": "unconditional",
    "有条件": "conditional",
    "不予": "not_shared",
    "不共享": "not_shared",
}
OPEN = {
    "不": "closed", "否": "closed", "非": "closed", "有条件": "on_application", "依申请": "on_application",
    "无条件": "open", "是": "open", "开放": "open", "主动": "open",
}  # fmt: skip
"""How a cell begins → what it means."""


class ExcelOptions(PlaceOptions):
    """What a source of the kind `excel` may be told."""

    language = fields.String(
        load_default="zh",
        validate=LANGUAGE,
        metadata={"description": "Language of the catalogue's texts"},
    )
    sheets = fields.List(
        fields.String(),
        load_default=list,
        metadata={
            "description": "Sheets that are read; without them every one that has the headings"
        },
    )
    headings = fields.Dict(
        keys=fields.String(),
        values=fields.String(validate=validate.OneOf(sorted(HEADINGS))),
        load_default=dict,
        metadata={"description": "Further headings: heading → field"},
    )
    organizations = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "Provider as the catalogue names it → organization here"},
    )
    defaults = fields.Nested(
        DeclarationSchema, load_default=dict, metadata={"description": "What holds for every row"}
    )


@dataclass
class Found:
    """A resource of the catalogue, from one row or several."""

    sheet: str
    row: int
    cells: dict[str, str]
    items: list[dict[str, str]] = field(default_factory=list)
    others: dict[str, str] = field(default_factory=dict)
    """Cells under headings that we do not know."""

    @property
    def key(self) -> str:
        """What tells it apart: its code, or who provides it and its name."""
        cells = self.cells
        return cells.get("identifier") or "/".join(
            filter(None, (cells.get("provider", ""), cells.get("title", "")))
        )


class Excel:
    """A format: a row of the catalogue is a dataset."""

    kind = "excel"
    options: ClassVar[type[Schema]] = ExcelOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The resources of all sheets that are such a catalogue."""
        options = source.options
        kept = {name: options[name] for name in ("language", "organizations", "defaults")}
        with tempfile.TemporaryDirectory(prefix="weft-excel-") as folder:
            path = _fetched(source, http, Path(folder))
            for found in _read(path, options):
                http.beat()
                body = {
                    "sheet": found.sheet,
                    "row": found.row,
                    "cells": found.cells,
                    "items": found.items[:MOST_ITEMS],
                    "others": found.others,
                }
                yield Record(found.key, {**body, **kept})

    def describe(self, record: Record) -> dict[str, Any]:
        """The row in the fields of a dataset; its information items stand in `extras`."""
        body, cells = record.body, record.body["cells"]
        language = body["language"]
        dataset = dataset_from(body["defaults"], {})
        dataset["title"] = {language: cells.get("title", "")}
        dataset |= _texts(cells, language) | _access(cells, language)
        if cells.get("provider") in body["organizations"]:
            dataset["organization"] = body["organizations"][cells["provider"]]
        elif cells.get("provider"):
            dataset["details"]["publisher"] = {"name": cells["provider"]}
        extras = {**dict(dataset.get("extras", {})), **body["others"]}
        if body["items"]:
            extras["信息项"] = body["items"]
        dataset["extras"] = extras
        if cells.get("url", "").startswith(("http://", "https://")):
            form = re.split(r"[、,，/;；\s]", cells.get("resource_format", ""))[-1]
            dataset["resources"] = [
                {"key": "data", "title": {}, "url": cells["url"], "format": form[:40]}
            ]
        return dataset

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """A catalogue has no rows of its own."""
        raise Invalid("a catalogue as a workbook describes resources: there is nothing to load")


def _texts(cells: Mapping[str, str], language: str) -> dict[str, Any]:
    """Fields that are taken as they stand."""
    issued = day_of(cells.get("issued", ""))
    details: dict[str, Any] = {
        name: cells[name]
        for name in ("provider_code", "resource_format", "resource_class", "linked_code")
        if cells.get(name)
    }
    details |= {
        name: {language: cells[name]}
        for name in ("share_condition", "share_mode", "open_condition")
        if cells.get(name)
    }
    share = _begins(SHARE, cells.get("share_type", ""))
    found = {
        "description": {language: cells["description"]} if cells.get("description") else {},
        "identifier": cells.get("identifier", ""),
        "issued": issued,
        "details": {**details, **({"share_type": share} if share else {})},
    }
    frequency = frequency_of(cells.get("frequency", ""))
    stated = {"frequency": frequency} if frequency != "unknown" else {}
    return {
        **{name: value for name, value in found.items() if value or name == "details"},
        **stated,
    }


def _access(cells: Mapping[str, str], language: str) -> dict[str, Any]:
    """Whether everybody may have it, with the condition as the reason."""
    access = _begins(OPEN, cells.get("open", ""))
    if not access:
        return {}
    reason = cells.get("open_condition") or cells.get("share_condition") or ""
    said = {"access_reason": {language: reason}} if reason and access != "open" else {}
    return {"access": access, **said}


def _begins(known: Mapping[str, str], text: str) -> str:
    return next((value for sign, value in known.items() if text.startswith(sign)), "")


def _fetched(source: Source, http: Http, into: Path) -> Path:
    """The workbook, from wherever it lies."""
    if source.url.startswith(("http://", "https://")) and not source.options["user"]:
        return http.download(source.url, into)
    folder, _, name = source.url.rpartition("/")
    # A path and the name of an object are written as they are, addresses with signs for what they may not hold.
    if "://" in folder and not folder.startswith("s3:"):
        name = unquote(name)
    with place_of(replace(source, url=folder or "/"), http) as place:
        return place.fetch(name, into)


def _read(path: Path, options: Mapping[str, Any]) -> Iterator[Found]:
    known = {**FIELD_OF, **{_plain(name): ours for name, ours in options["headings"].items()}}
    book, found = _opened(path), False
    for name in book.sheet_names:
        if options["sheets"] and name not in options["sheets"]:
            continue
        rows = _rows(book, name)
        head = _head(rows, known)
        if head is not None:
            found = True
            yield from _resources(name, rows, *head)
    if not found:
        raise Unreadable(
            "no sheet of the workbook has the headings of a catalogue: at least 信息资源名称 and two others in one of the "
            "first rows"
        )


def _opened(path: Path) -> CalamineWorkbook:
    try:
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                unpacked = sum(member.file_size for member in archive.infolist())
            if unpacked > MOST_UNPACKED:
                raise TooLarge(
                    "the workbook is larger than %(limit)s MB", limit=MOST_UNPACKED // 1_000_000
                )
        return CalamineWorkbook.from_path(str(path))
    except (zipfile.BadZipFile, CalamineError, ValueError, OSError) as error:
        raise Unreadable("this is no Excel workbook (.xlsx or .xls)") from error


def _rows(book: CalamineWorkbook, name: str) -> list[list[str]]:
    """The cells as text; what is merged downwards stands in each of its rows."""
    try:
        sheet = book.get_sheet_by_name(name)
    except (CalamineError, ValueError) as error:
        raise Unreadable("the sheet “%(sheet)s” cannot be read", sheet=name) from error
    if sheet.total_height * max(sheet.total_width, 1) > MOST_CELLS:
        raise TooLarge("“%(sheet)s” has more than %(limit)s cells", sheet=name, limit=MOST_CELLS)
    rows = [[_text(cell) for cell in row] for row in sheet.to_python(skip_empty_area=False)]
    for (top, left), (bottom, right) in sheet.merged_cell_ranges or ():
        for at in range(top, min(bottom + 1, len(rows))):
            if bottom > top and left == right and left < len(rows[at]):
                rows[at][left] = rows[top][left]
    return rows


def _text(cell: Any) -> str:
    if isinstance(cell, datetime):
        return (
            cell.date().isoformat() if cell.time() == datetime.min.time() else cell.isoformat(" ")
        )
    if isinstance(cell, date):
        return cell.isoformat()
    if isinstance(cell, float) and cell.is_integer():
        return str(int(cell))
    return str(cell).strip()


def _head(
    rows: Sequence[Sequence[str]], known: Mapping[str, str]
) -> tuple[int, dict[int, str], dict[int, str]] | None:
    """Where the rows begin, the field of each column, and headings that are none; headings may take two rows."""
    for at, row in enumerate(rows[:HEAD_ROWS]):
        fields_ = _named(row, known)
        if "title" not in fields_.values() or len(fields_) < LEAST_HEADINGS:
            continue
        names = dict(enumerate(row))
        below = _named(rows[at + 1], known) if at + 1 < len(rows) else {}
        title = next(place for place, ours in fields_.items() if ours == "title")
        second = bool(below) and (not rows[at + 1][title] or below.get(title) == "title")
        if second:
            upper = {place: ours for place, ours in fields_.items() if place not in below}
            taken = {ours for ours in upper.values() if ours not in ITEM}
            fields_ = {
                **upper,
                **{place: ours for place, ours in below.items() if ours not in taken},
            }
            names |= {place: text for place, text in enumerate(rows[at + 1]) if text}
        others = {place: text for place, text in names.items() if text and place not in fields_}
        return at + 1 + second, fields_, others
    return None


def _named(row: Sequence[str], known: Mapping[str, str]) -> dict[int, str]:
    """Column → field; of two columns of a field the first counts."""
    found: dict[int, str] = {}
    for place, text in enumerate(row):
        ours = known.get(_plain(text))
        if ours and ours not in found.values():
            found[place] = ours
    return found


def _plain(heading: str) -> str:
    """A heading without signs, spaces and what stands in brackets."""
    return re.sub(r"[（(【\[].*?[）)】\]]|[\s*＊:：]", "", heading)


def _resources(
    sheet: str,
    rows: Sequence[Sequence[str]],
    start: int,
    fields_: Mapping[int, str],
    others: Mapping[int, str],
) -> Iterator[Found]:
    """Rows of one resource are those that repeat its code and name, or leave them empty."""
    present: Found | None = None
    for number, row in enumerate(rows[start:], start + 1):
        cells = {
            ours: row[place] for place, ours in fields_.items() if place < len(row) and row[place]
        }
        item = {name: cells.pop(name) for name in ITEM if name in cells}
        if not item and len(cells) < 2:  # a heading between rows, or nothing
            continue
        if present is None or not _continues(present, cells, item):
            if present is not None:
                yield present
            more = {
                name: row[place]
                for place, name in others.items()
                if place < len(row) and row[place]
            }
            present = Found(sheet, number, cells, others=more)
        present.items += _items(item)
    if present is not None:
        yield present


def _continues(present: Found, cells: Mapping[str, str], item: Mapping[str, str]) -> bool:
    same = all(
        cells.get(name, "") in {"", present.cells.get(name, "")} for name in ("identifier", "title")
    )
    return same and bool(item)


def _items(item: Mapping[str, str]) -> list[dict[str, str]]:
    """The information items of a cell: several may stand in one, with signs between them."""
    plain = {
        name.removeprefix("item_").replace("item", "name"): text for name, text in item.items()
    }
    names = [name for name in re.split(r"[、,，;；\n]", plain.get("name", "")) if name.strip()]
    if len(names) < 2 or len(plain) > 1:  # one item, with what else is said of it
        return [plain] if plain else []
    return [{"name": name.strip()} for name in names]
