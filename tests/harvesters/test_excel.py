"""The format `excel`: catalogues of government information resources as departments fill them in."""

from __future__ import annotations

import zipfile
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from catalog.errors import CatalogError, Invalid, TooLarge, Unreadable
from harvesters.formats import excel as module
from harvesters.formats.excel import Excel
from harvesters.http import Http
from tests.make_server import Served, plain
from tests.make_source import drafts, opened

EXCEL = Excel()
COLLEGES = Path("../shared/data/dev/moe-colleges-xls/全国普通高等学校名单.xls")
TOP = ["序号", "信息资源分类", "信息资源名称*", "信息资源代码", "信息资源提供方\n（全称）", "信息资源摘要", "信息资源格式", "信息项信息", "", "共享属性", "", "", "开放属性", "", "更新周期", "发布日期", "关联资源代码", "备注"]  # fmt: skip
BELOW = ["", "", "", "", "", "", "", "信息项名称", "数据类型", "共享类型", "共享条件", "共享方式", "是否向社会开放", "开放条件", "", "", "", ""]  # fmt: skip
PARKS = [1, "基础/地理", "公园名录", "307001/000001", "绿化局", "全市公园", "数据库", "公园名称", "字符型", "无条件共享", "", "共享平台", "是", "", "每半年", date(2024, 5, 31), "307001/000009", "试点"]  # fmt: skip
TREES = [2, "", "古树", "", "绿化局", "", "XLS", "树种、树龄", "", "有条件共享", "行政管理", "邮件", "否", "涉及安全", "每年", "2024年6月1日", "", ""]  # fmt: skip
Sheet = Any


def book(path: Path, *fills: Callable[[Sheet, Any], None]) -> Path:
    with xlsxwriter.Workbook(path) as made:
        day = made.add_format({"num_format": "yyyy-mm-dd"})
        for fill in fills:
            fill(made.add_worksheet(), day)
    return path


def catalogue(sheet: Sheet, day: Any) -> None:
    """As the guide has it: a title, headings in two rows, two items of one resource under merged cells."""
    sheet.merge_range(0, 0, 0, 17, "政务信息资源目录")
    sheet.write_row(1, 0, TOP)
    sheet.write_row(2, 0, BELOW)
    for number, row in enumerate([PARKS, ["", *[""] * 6, "面积", "数值型", *[""] * 9], TREES], 3):
        for place, value in enumerate(row):
            if isinstance(value, date):
                sheet.write_datetime(
                    number, place, datetime(value.year, value.month, value.day), day
                )
            else:
                sheet.write(number, place, value)
    sheet.merge_range(3, 2, 4, 2, PARKS[2])
    sheet.merge_range(3, 3, 4, 3, PARKS[3])
    sheet.merge_range(6, 0, 6, 17, "以下为其他部门")


def test_a_row_of_the_catalogue_is_a_dataset(http: Http, folder: Path) -> None:
    url = str(book(folder / "目录.xlsx", lambda sheet, _: sheet.write(0, 0, "说明"), catalogue))
    found = drafts(EXCEL, url, http)
    assert list(found) == ["307001/000001", "绿化局/古树"]
    park, tree = found.values()
    assert (park.title, park.description) == ({"zh": "公园名录"}, {"zh": "全市公园"})
    assert (park.identifier, park.frequency, park.access) == ("307001/000001", "annual", "open")
    assert park.issued == datetime(2024, 5, 31, tzinfo=UTC)
    assert park.extras["信息项"] == [
        {"name": "公园名称", "type": "字符型"}, {"name": "面积", "type": "数值型"},
    ]  # fmt: skip
    assert park.extras["备注"] == "试点"
    details = park.details
    assert (details["share_type"], details["resource_class"]) == ("unconditional", "基础/地理")
    assert details["publisher"]["name"] == "绿化局"
    assert (details["resource_format"], details["linked_code"]) == ("数据库", "307001/000009")
    assert (tree.access, tree.access_reason) == ("closed", {"zh": "涉及安全"})
    assert (tree.details["share_type"], tree.details["share_condition"]) == (
        "conditional", {"zh": "行政管理"},
    )  # fmt: skip
    assert tree.issued == datetime(2024, 6, 1, tzinfo=UTC)
    assert tree.extras["信息项"] == [{"name": "树种"}, {"name": "树龄"}]


def test_the_name_of_a_workbook_behind_a_password_may_be_written_as_in_addresses(
    server: Served, http: Http, tmp_path: Path
) -> None:
    content = book(tmp_path / "a.xlsx", catalogue).read_bytes()
    place = "/k/%E7%9B%AE%E5%BD%95%201.xlsx"
    server.behaviours[place] = plain(content)
    found = drafts(EXCEL, server.url + place, http, user="u", password="p")
    assert "307001/000001" in found


def test_providers_are_organizations_and_headings_may_be_others(
    server: Served, http: Http, folder: Path
) -> None:
    def simple(sheet: Sheet, _: Any) -> None:
        sheet.write_row(0, 0, ["目录标题", "目录编码", "提供单位", "下载地址", "格式", "开放类型"])
        sheet.write_row(
            1, 0, ["学校", 12, "教委", "https://x.example.org/a.csv", "CSV", "有条件开放"]
        )
        sheet.write_row(2, 0, ["医院", 13, "卫健委", "ftp://x", "", "随意"])

    path = book(folder / "a.xlsx", simple)
    server.behaviours["/a.xlsx"] = plain(path.read_bytes())
    options = {"headings": {"目录标题": "title"}, "organizations": {"教委": "education"}}
    found = drafts(EXCEL, f"{server.url}/a.xlsx", http, defaults={"access": "closed"}, **options)
    school, clinic = found["12"], found["13"]
    assert (school.organization, school.access) == ("education", "on_application")
    assert [(one.url[-5:], one.format) for one in school.resources] == [("a.csv", "CSV")]
    assert (clinic.organization, clinic.access, clinic.resources) == ("bureau", "closed", ())
    assert drafts(EXCEL, str(path), http, sheets=["Sheet1"], **options).keys() == found.keys()


def zipped(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("a", "b")


@pytest.mark.parametrize(
    ("make", "options", "error", "words"),
    [
        (lambda path: path.write_text("no workbook"), {}, Unreadable, "no Excel workbook"),
        (zipped, {}, Unreadable, "no Excel workbook"),
        (
            lambda path: book(path, lambda sheet, _: sheet.write(0, 0, "x")),
            {},
            Unreadable,
            "headings",
        ),
        (lambda path: book(path, catalogue), {"sheets": ["Other"]}, Unreadable, "headings"),
    ],
)
def test_what_is_no_catalogue_is_said(
    http: Http,
    folder: Path,
    make: Callable[[Path], object],
    options: dict[str, Any],
    error: type[CatalogError],
    words: str,
) -> None:
    make(folder / "a.xlsx")
    with pytest.raises(error, match=words):
        drafts(EXCEL, str(folder / "a.xlsx"), http, **options)


@pytest.mark.parametrize("limit", ["MOST_CELLS", "MOST_UNPACKED"])
def test_workbooks_that_are_too_large_are_refused(
    http: Http, folder: Path, monkeypatch: pytest.MonkeyPatch, limit: str
) -> None:
    path = book(folder / "a.xlsx", catalogue)
    monkeypatch.setattr(module, limit, 10)
    with pytest.raises(TooLarge):
        drafts(EXCEL, str(path), http)


def test_a_catalogue_has_nothing_to_load(http: Http) -> None:
    with pytest.raises(Invalid, match="nothing to load"):
        EXCEL.content(opened(EXCEL, "/x"), http, {}, Path("unused"))


@pytest.mark.skipif(not COLLEGES.exists(), reason="../shared/data/dev is not on this machine")
def test_an_old_workbook_with_sections_is_read(http: Http, folder: Path) -> None:
    """A list of the ministry in the old format; its headings are told to be those of a catalogue."""
    (folder / "a.xls").write_bytes(COLLEGES.read_bytes())
    headings = {"学校名称": "title", "学校标识码": "identifier", "主管部门": "provider"}
    found = drafts(EXCEL, str(folder / "a.xls"), http, headings=headings)
    assert len(found) > 2000
    assert found["4111010001"].title == {"zh": "北京大学"}
