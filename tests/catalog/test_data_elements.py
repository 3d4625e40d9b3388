"""The standard of data elements: defining, files, binding columns, and how well they conform."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import xlsxwriter

from catalog.db import db
from catalog.errors import Conflict, Denied, Invalid, NotFound, TooLarge
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.schemas.element import code_list_draft, element_draft
from catalog.services import conformance, data_elements, log, standard_files, table_columns
from catalog.tabular.representation import representation
from tests.make_portal import Served, load_rows, make_served
from tests.make_table import make_columns

pytestmark = pytest.mark.usefixtures("app")
STARTER = Path(__file__).parents[2] / "demo" / "standards" / "elements.json"
SEX = {
    "code": "sex",
    "title": {"zh": "性别代码"},
    "entries": [{"code": "1", "label": {"zh": "男"}}, {"code": "2", "label": {"zh": "女"}}],
}
COLUMNS = make_columns(
    code=ColumnType.STRING, sex=ColumnType.STRING, amount=ColumnType.NUMBER, day=ColumnType.STRING
)
VALUES: list[tuple[object, ...]] = [
    ("91310000607320000X", "1", 12.25, "20240229"),
    ("x", "2", 12.255, "20240230"),
    (None, "3", 1e12, "2024-02-29"),
    ("x", None, None, None),
]
ROWS = tuple(dict(zip(("code", "sex", "amount", "day"), values, strict=True)) for values in VALUES)


def define(code: str = "DE1", **fields: Any) -> None:
    data_elements.put(
        SCHEDULER, element_draft({"code": code, "title": {"zh": "要素", "en": "Element"}, **fields})
    )


def column(served: Served, name: str) -> TableColumn:
    db.session.expire_all()
    table = db.session.get(DataTable, served.table)
    assert table is not None
    return db.session.query(TableColumn).filter_by(table_id=table.id, name=name).one()


def served(tmp_path: Path) -> Served:
    return make_served(tmp_path, columns=COLUMNS, rows=ROWS)


@pytest.mark.parametrize(
    ("format_", "pattern", "is_number", "moment"),
    [
        ("an18", "(?s)[A-Za-z0-9]{18,18}", False, ""),
        ("an..18", "(?s)[A-Za-z0-9]{0,18}", False, ""),
        ("n2..6", "(?s)[0-9]{2,6}", True, ""),
        ("n..12,2", "", True, ""),
        ("c..2000", r"(?s)[^\x00-\x08]*", False, ""),
        ("D8", "", False, "%Y%m%d"),
        ("ul", "", False, ""),
        ("bl", "(?i)0|1|true|false", False, ""),
    ],
)
def test_formats_of_the_standard(
    format_: str,
    pattern: str,
    is_number: bool,
    moment: str,
) -> None:
    found = representation(format_)
    assert (found.pattern, found.is_number, found.moment) == (pattern, is_number, moment)


@pytest.mark.parametrize("format_", ["x3", "an", "n6..2", "c..10,2", "n0", "d9", "n..2,3"])
def test_what_is_no_format(format_: str) -> None:
    with pytest.raises(Invalid):
        representation(format_)


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"code": "Ä"}, "code"),
        ({"title": {}}, "title"),
        ({"format": "x"}, "format"),
        ({"pattern": "("}, "pattern"),
        ({"semantic": "colour"}, "semantic"),
        ({"type": "colour"}, "type"),
    ],
)
def test_what_an_element_cannot_be(fields: dict[str, Any], problem: str) -> None:
    with pytest.raises(Invalid) as refusal:
        define(**fields)
    assert list(refusal.value.problems) == [problem]


def test_elements_are_defined_changed_and_retired_with_a_line_each() -> None:
    data_elements.put_codes(SCHEDULER, code_list_draft(SEX))
    data_elements.put_codes(SCHEDULER, code_list_draft(SEX))
    define(code_list="sex")
    define(code_list="sex")
    define(code_list="sex", unit="kg")
    data_elements.retire(SCHEDULER, "DE1")
    data_elements.retire(SCHEDULER, "DE1")
    element = data_elements.show(ANYONE, "DE1")
    assert element.retired_at is not None
    lines = log.of(log.Subject("element", element.id), limit=10)
    assert [line.action for line in lines] == [
        "element.retired",
        "element.changed",
        "element.created",
    ]
    with pytest.raises(Conflict):
        data_elements.drop_codes(SCHEDULER, "sex")
    define(code_list="")
    assert data_elements.show(ANYONE, "DE1").retired_at is None
    data_elements.drop_codes(SCHEDULER, "sex")
    with pytest.raises(NotFound):
        data_elements.show_codes(ANYONE, "sex")
    with pytest.raises(NotFound):
        data_elements.show(ANYONE, "DE9")
    with pytest.raises(Invalid, match="no list of codes"):
        define(code_list="colours")
    with pytest.raises(Invalid, match="cannot be used"):
        code_list_draft({**SEX, "entries": [*SEX["entries"], *SEX["entries"]]})
    with pytest.raises(Denied):
        data_elements.retire(Identity("a1"), "DE1")


def test_conformance_is_measured_when_a_column_is_bound(tmp_path: Path) -> None:
    data_elements.put_codes(SCHEDULER, code_list_draft(SEX))
    define("USCC", format="an18", semantic="uscc")
    define("SEX", code_list="sex", pattern="[0-9]")
    define("MONEY", type="number", format="n..12,2")
    define("DAY", type="date", format="d8")
    made = served(tmp_path)
    for name, code in {"code": "USCC", "sex": "SEX", "amount": "MONEY", "day": "DAY"}.items():
        conformance.bind(SCHEDULER, made.table, name, code)
    found = {name: column(made, name).conformance for name in ("code", "sex", "amount", "day")}
    assert {n: (f["checked"], f["conforming"], f["missing"]) for n, f in found.items()} == {
        "code": (3, 0, 1),
        "sex": (3, 2, 1),
        "amount": (3, 1, 1),
        "day": (3, 1, 1),
    }
    assert found["code"]["reasons"] == {"format": 2, "meaning": 1}
    assert found["code"]["examples"][0] == {"value": "x", "rows": 2, "reason": "format"}
    assert found["sex"]["examples"] == [{"value": "3", "rows": 1, "reason": "code"}]
    assert found["amount"]["reasons"] == {"format": 2}
    assert found["day"]["reasons"] == {"type": 2}


def test_a_load_and_another_definition_are_measured_again(tmp_path: Path) -> None:
    define("SEX", format="n1")
    made = served(tmp_path)
    conformance.bind(SCHEDULER, made.table, "sex", "SEX")
    assert column(made, "sex").conformance["conforming"] == 3
    load_rows(made.resource, tmp_path, columns=COLUMNS, rows=(*ROWS, {**ROWS[0], "sex": "male"}))
    assert column(made, "sex").conformance["checked"] == 4
    assert column(made, "sex").conformance["conforming"] == 3
    define("SEX", pattern="male")
    assert column(made, "sex").conformance == {}
    conformance.measure_tables()
    assert column(made, "sex").conformance["conforming"] == 1
    conformance.bind(SCHEDULER, made.table, "sex", "")
    assert column(made, "sex").element_id is None


def test_values_of_a_withheld_column_are_not_told(tmp_path: Path) -> None:
    define("DAY", format="d8")
    made = served(tmp_path)
    table_columns.set_access(SCHEDULER, made.table, "day", ColumnAccess.HIDDEN)
    conformance.bind(SCHEDULER, made.table, "day", "DAY")
    kept = column(made, "day").conformance
    assert (kept["conforming"], kept["examples"]) == (1, [])
    assert data_elements.uses(ANYONE, data_elements.show(ANYONE, "DAY")) == ([], 0)


def test_what_cannot_be_bound(tmp_path: Path) -> None:
    define()
    made = served(tmp_path)
    with pytest.raises(NotFound):
        conformance.bind(SCHEDULER, made.table, "colour", "DE1")
    with pytest.raises(NotFound):
        conformance.bind(SCHEDULER, made.table, "sex", "DE9")
    data_elements.retire(SCHEDULER, "DE1")
    with pytest.raises(Invalid):
        conformance.bind(SCHEDULER, made.table, "sex", "DE1")
    with pytest.raises(Denied):
        conformance.bind(Identity("a1"), made.table, "sex", "DE1")


def test_elements_are_suggested_by_meaning_name_and_label(tmp_path: Path) -> None:
    standard_files.load(SCHEDULER, STARTER.read_bytes(), "json")
    made = served(tmp_path)
    one = column(made, "code")
    one.semantic = "uscc"
    assert conformance.suggestions(ANYONE, one)[0].code == "DE00001"
    other = column(made, "sex")
    other.label = {"zh": "性别代码"}
    assert [e.code for e in conformance.suggestions(ANYONE, other)] == ["DE00005"]
    other.label = {"zh": "申请人邮政编码"}
    assert [e.code for e in conformance.suggestions(ANYONE, other)] == ["DE00017"]


def test_the_starter_list_goes_through_every_kind_of_file() -> None:
    assert standard_files.load(SCHEDULER, STARTER.read_bytes(), "json") == standard_files.Loaded(
        22, 5
    )
    whole = b"".join(standard_files.export(ANYONE, "standard.json"))
    for kind in ("csv", "xlsx"):
        codes = b"".join(standard_files.export(ANYONE, f"codes.{kind}"))
        elements = b"".join(standard_files.export(ANYONE, f"elements.{kind}"))
        assert standard_files.load(SCHEDULER, codes, kind).code_lists == 5
        assert standard_files.load(SCHEDULER, elements, kind).elements == 22
        assert b"".join(standard_files.export(ANYONE, "standard.json")) == whole
    found, total = data_elements.listed(ANYONE, words="GB/T 2261 性别")
    assert (total, [one.code for one in found]) == (1, ["DE00005"])


def test_every_wrong_row_of_a_file_is_named() -> None:
    lines = "code,title_zh,format\nDE1,好,an18\nDE2,,an18\nDE3,好,zz\n"
    with pytest.raises(Invalid) as refusal:
        standard_files.load(SCHEDULER, lines.encode(), "csv")
    assert {where: list(found) for where, found in refusal.value.problems.items()} == {  # type: ignore[call-overload] # problems of fields are mappings
        "3": ["title"],
        "4": ["format"],
    }
    assert data_elements.listed(ANYONE) == ([], 0)


def test_cells_that_a_spreadsheet_made_numbers_are_codes(tmp_path: Path) -> None:
    file = tmp_path / "codes.xlsx"
    with xlsxwriter.Workbook(str(file)) as book:
        sheet = book.add_worksheet()
        sheet.write_row(0, 0, ["list", "list_title_zh", "code", "label_zh"])
        sheet.write_row(1, 0, ["sex", "性别", 1, "男"])
        book.add_worksheet()
    standard_files.load(SCHEDULER, file.read_bytes(), "xlsx")
    assert data_elements.show_codes(ANYONE, "sex").entries == [{"code": "1", "label": {"zh": "男"}}]


@pytest.mark.parametrize(
    ("content", "kind", "error"),
    [
        (b"[]", "json", Invalid),
        (b"{", "json", Invalid),
        (b'{"elements": [1]}', "json", Invalid),
        (b"colour\nred\n", "csv", Invalid),
        (b"\xff\xfe", "csv", Invalid),
        (b"no workbook", "xlsx", Invalid),
        (b" " * 20_000_001, "csv", TooLarge),
    ],
)
def test_files_that_are_no_standard(content: bytes, kind: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        standard_files.load(SCHEDULER, content, kind)
    with pytest.raises(NotFound):
        standard_files.export(ANYONE, "colours.csv")


def test_uses_come_with_the_worst_first(tmp_path: Path) -> None:
    define("N1", format="n1")
    made = served(tmp_path)
    conformance.bind(SCHEDULER, made.table, "sex", "N1")
    conformance.bind(SCHEDULER, made.table, "code", "N1")
    found, total = data_elements.uses(ANYONE, data_elements.show(ANYONE, "N1"))
    assert (total, [use.column.name for use in found]) == (2, ["code", "sex"])
    assert sum(data_elements.use_counts(ANYONE).values()) == 2
