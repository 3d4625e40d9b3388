"""Many datasets by a workbook: the template, every wrong cell by its place, drafts, and the way there and back."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import replace

import pytest
import xlsxwriter
from flask import Flask
from python_calamine import CalamineWorkbook
from sqlalchemy import func, select

from catalog.db import db
from catalog.errors import Denied, TooLarge, Unreadable
from catalog.models.dataset import Dataset
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import MemberRole
from catalog.permissions import Identity
from catalog.services import bulk, bulk_workbook, datasets, publishing
from catalog.services.bulk_workbook import DATASETS, HELP, RESOURCES
from tests.make_dataset import make_draft, make_organization, make_theme, put

Cells = Mapping[str, object]


@pytest.fixture
def author(app: Flask) -> Identity:  # needs the database
    office = make_organization("ecology").id
    make_theme()
    return Identity("a1", "李明", organizations={office: MemberRole.EDITOR})


def workbook(rows: Sequence[Cells], files: Sequence[Cells] = ()) -> bytes:
    """A workbook with Chinese headings of the columns that are used, in their order of first use."""
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        for name, lines in ((DATASETS, rows), (RESOURCES, files)):
            sheet = book.add_worksheet(name)
            columns = list(dict.fromkeys(column for line in lines for column in line))
            sheet.write_row(0, 0, columns)
            for at, line in enumerate(lines, 2):
                sheet.write_row(at, 0, [line.get(column, "") for column in columns])
    return made.getvalue()


def drafts() -> int:
    return int(db.session.scalar(select(func.count()).select_from(DatasetRevision)) or 0)


def test_the_template_has_all_fields_in_both_languages_and_lists_to_choose_from(
    author: Identity,
) -> None:
    body = bulk.template(author, "ecology")
    book = CalamineWorkbook.from_filelike(io.BytesIO(body))
    assert book.sheet_names[:3] == [HELP, DATASETS, RESOURCES]
    zh, en = book.get_sheet_by_name(DATASETS).to_python()[:2]
    assert (zh[0], en[0]) == ("标题（中文）", "Title in Chinese")
    assert len(zh) == len(bulk_workbook.FIELDS)
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        sheet = archive.read("xl/worksheets/sheet2.xml").decode()
    assert sheet.count("<dataValidation ") == 6


def test_lines_become_drafts_with_their_files(author: Identity) -> None:
    rows = [
        {"标题（中文）": "空气", "网址名称": "air", "更新周期": "每日 Daily", "标签": "气；air",
         "开放类型": "不予开放", "不开放的法律依据（中文）": "档案法", "时间范围起": 2024.0, "主题": "environment"},
        {"标题（中文）": "水", "许可": "CC-BY-4.0", "主题": "环境", "提供部门": "ecology局"},
    ]  # fmt: skip
    files = [
        {"所属数据集": "air", "链接": "https://example.org/a.csv", "格式": "csv"},
        {"所属数据集": 4, "链接": "https://example.org/b.csv"},
    ]
    report = bulk.load(author, "ecology", workbook(rows, files))
    assert (report.new, report.changed, report.same, report.wrong) == (2, 0, 0, ())
    air = datasets.show(author, "air")
    assert (air.state, air.frequency, air.access, air.temporal_start) == (
        "draft", "daily", "closed", "2024",
    )  # fmt: skip
    assert air.tags == ["气", "air"]
    assert [theme.slug for theme in air.themes] == ["environment"]
    assert [theme.slug for theme in datasets.show(author, "shui").themes] == ["environment"]
    assert [one.url for one in air.resources] == ["https://example.org/a.csv"]
    assert [one.url for one in datasets.show(author, "shui").resources] == [
        "https://example.org/b.csv"
    ]


def test_every_wrong_cell_is_named_and_nothing_is_kept(author: Identity) -> None:
    rows = [
        {
            "标题（中文）": "空气",
            "更新周期": "often",
            "行政区划代码": "44",
            "主题": "nowhere",
            "提供部门": "不存在局",
            "许可": "my own",
        },
        {"标题（中文）": "", "更新周期": "每日", "行政区划代码": "4x", "主题": ""},
        {"标题（中文）": "名册", "开放类型": "不予开放", "不开放的法律依据（中文）": ""},
    ]
    files = [{"所属数据集": 3, "链接": "javascript:1"}, {"所属数据集": "none", "链接": ""}]
    report = bulk.load(author, "ecology", workbook(rows, files))
    found = {(one.sheet, one.row, one.column) for one in report.wrong}
    assert found == {
        (RESOURCES, 4, "A"),
        (DATASETS, 3, "B"),
        (DATASETS, 3, "D"),
        (DATASETS, 3, "E"),
        (DATASETS, 3, "F"),
        (RESOURCES, 3, "B"),
        (DATASETS, 4, "A"),
        (DATASETS, 4, "C"),
        (DATASETS, 5, "H"),
    }
    frequency = next(one for one in report.wrong if (one.row, one.column) == (3, "B"))
    assert "每日 Daily" in frequency.message % frequency.context
    assert not report.kept
    assert drafts() == 0


def test_the_right_lines_are_kept_when_that_is_asked_for(author: Identity) -> None:
    rows = [
        {"标题（中文）": "空气", "主题": "nowhere"},
        {"标题（中文）": "水", "主题": "environment"},
    ]
    report = bulk.load(author, "ecology", workbook(rows), only_right=True)
    assert (report.new, report.kept) == (1, True)
    assert [(one.row, one.column, one.label) for one in report.wrong] == [(3, "B", "主题 Themes")]
    assert list(db.session.scalars(select(Dataset.slug))) == ["shui"]
    assert drafts() == 1


def test_what_is_given_out_comes_back_without_any_change(author: Identity) -> None:
    put(
        "Air", slug="air", title={"zh": "空气", "en": "Air"}, license="CC-BY-4.0", frequency="daily",
        description={"en": "two\nlines"}, tags=["a", "b"], themes=["environment"],
        spatial_box=[113.7, 22.4, 114.6, 22.9], temporal_start="2024-05",
        details={"share_type": "conditional", "contact_point": {"name": "王"}, "languages": ["zh"]},
        extras={"kept": 1}, machine={"title": ["en"]},
        resources=[{"key": "a.csv", "url": "https://example.org/a.csv", "load": {"part": "a"}}, {"key": "b"}],
    )  # fmt: skip
    put("=1+1", slug="formula", access="on_application", access_reason={"zh": "法"})
    put("Harvested", key="r1")
    body = bulk.export(author, "ecology")
    report = bulk.load(author, "ecology", body)
    assert (report.new, report.changed, report.same, report.wrong) == (0, 0, 2, ())
    assert drafts() == 3  # those of `put`


def test_a_changed_line_is_a_draft_and_keeps_what_the_template_does_not_have(
    author: Identity,
) -> None:
    put("Air", slug="air", extras={"kept": 1}, resources=[{"key": "a", "load": {"part": "a"}}])
    report = bulk.load(author, "ecology", workbook([{"网址名称": "air", "标题（英文）": "Clean"}]))
    assert (report.changed, report.wrong) == (1, ())
    assert datasets.show(author, "air").title == {"en": "Air"}
    proposed = db.session.scalars(
        select(DatasetRevision).order_by(DatasetRevision.number.desc())
    ).first()
    assert proposed is not None
    assert proposed.content["title"] == {"en": "Clean"}
    assert proposed.content["extras"] == {"kept": 1}
    assert proposed.content["resources"][0]["load"] == {"part": "a"}


def test_what_a_colleague_has_begun_is_not_written_over(author: Identity) -> None:
    put("Air", slug="air", license="CC-BY-4.0")
    colleague = replace(author, account_id="a2", name="王芳")
    begun = publishing.propose(colleague, make_draft("Air, begun"), dataset_id="air")
    rows = [{"Title in English": "Air, by file", "网址名称": "air"}]
    report = bulk.load(author, "ecology", workbook(rows))
    assert [(one.row, one.message, one.context) for one in report.wrong] == [
        (3, "%(name)s has begun a change to this dataset", {"name": "王芳"})
    ]
    assert begun.content["title"] == {"en": "Air, begun"}
    assert bulk.load(colleague, "ecology", workbook(rows)).changed == 1
    same = [{"Title in English": "Air", "网址名称": "air"}]
    assert bulk.load(author, "ecology", workbook(same)).same == 1


def test_a_name_twice_a_harvested_dataset_and_an_unknown_heading_are_told(
    author: Identity,
) -> None:
    harvested = db.session.get_one(Dataset, put("Harvested", key="r1").dataset_id)
    rows = [
        {"网址名称": "air", "标题（英文）": "Air", "颜色": ""},
        {"网址名称": "air", "标题（英文）": "Air 2"},
        {"网址名称": harvested.slug, "标题（英文）": "Mine"},
    ]
    report = bulk.load(author, "ecology", workbook(rows))
    assert [(one.row, one.column) for one in report.wrong] == [(1, "C"), (4, "A"), (5, "")]
    assert "harvested" in report.wrong[2].message


def test_what_is_no_workbook_or_too_large_is_refused(
    author: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(Unreadable, match="no Excel workbook"):
        bulk.load(author, "ecology", b"PK\x03\x04 no")
    with pytest.raises(Unreadable, match="no Excel workbook"):
        bulk.load(author, "ecology", b"")
    other = io.BytesIO()
    with xlsxwriter.Workbook(other) as book:
        book.add_worksheet("Other")
    with pytest.raises(Unreadable, match="no sheet"):
        bulk.load(author, "ecology", other.getvalue())
    monkeypatch.setattr(bulk_workbook, "MOST_UNPACKED", 1000)
    with pytest.raises(TooLarge):
        bulk.load(author, "ecology", workbook([{"标题（中文）": "空气"}]))
    with pytest.raises(TooLarge):
        bulk.load(author, "ecology", b"x" * (bulk_workbook.MOST_BYTES + 1))


def test_a_large_catalogue_comes_in_parts_and_only_for_its_department(
    author: Identity, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("A", "B", "C"):
        put(name, slug=name.lower())
    monkeypatch.setattr(bulk, "MOST_ROWS", 2)
    assert bulk.parts(author, "ecology") == 2
    second = CalamineWorkbook.from_filelike(io.BytesIO(bulk.export(author, "ecology", part=2)))
    assert len(second.get_sheet_by_name(DATASETS).to_python()) == 3
    with pytest.raises(Denied):
        bulk.template(Identity("a9", "x"), "ecology")
