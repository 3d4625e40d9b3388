"""Cells that do not fit are kept with the release, listed, counted, downloaded, and hidden with their column."""

from __future__ import annotations

import csv
from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy import select

from catalog.db import db
from catalog.errors import BadQuery, Denied, Invalid, NotFound, Unauthenticated
from catalog.models.table import JournalFile, Release
from catalog.models.vocabulary import ColumnAccess
from catalog.permissions import ANYONE, SCHEDULER
from catalog.schemas.table_schema import schema_json
from catalog.services import (
    releases,
    table_cells,
    table_columns,
    table_schema,
    table_writes,
    tables,
)
from catalog.services.table_lookup import newest, state_of
from tests.make_reading import make_file
from tests.make_table_page import make_table_of_files

SCHEMA = {
    "fields": [
        {
            "name": "码",
            "type": "string",
            "semantic": "uscc",
            "title": {"zh": "统一社会信用代码", "en": "Credit code"},
            "description": "Of the company",
        },
        {
            "name": "日",
            "type": "date",
            "constraints": {"required": True},
            "format": "any",
        },
        {"name": "额", "type": "number", "groupChar": ",", "bareNumber": False, "unit": "元"},
    ],
    "missingValues": ["", "-"],
    "primaryKey": ["码"],
}
TEXT = (
    "码,日,额\n"
    '91350100M000100Y43,2020年1月3日,"1,234.5"\n'
    "91350100M000100Y44,2020-01,<10\n"
    "91110000802100433B,,3万元\n"
)


@pytest.fixture
def table_id(app: Flask, tmp_path: Path) -> str:
    return make(tmp_path, TEXT)


def make(folder: Path, text: str) -> str:
    return make_table_of_files([make_file(folder, "t.csv", text)], read={"schema": SCHEMA})


def listed(table_id: str, **options: bool) -> list[tuple[int, str, str, str]]:
    page = table_cells.page(ANYONE, table_id, **options)
    assert page.total == len(page.cells) == sum(one.count for one in page.counts)
    return [(cell.row, cell.column, cell.value, cell.reason) for cell in page.cells]


def test_broken_cells_are_listed_by_row_column_text_and_reason(table_id: str) -> None:
    assert listed(table_id) == [
        (2, "码", "91350100M000100Y44", "uscc"),
        (2, "日", "2020-01", "partial"),
        (2, "额", "<10", "bound"),
        (3, "日", "", "required"),
    ]
    assert tables.show(ANYONE, table_id).kept_cells == 4


def test_other_notations_are_listed_when_they_are_asked_for(table_id: str) -> None:
    assert [cell for cell in listed(table_id, notations=True) if cell[3] == "notation"] == [
        (1, "日", "2020年1月3日", "notation"),
        (1, "额", "1,234.5", "notation"),
        (3, "额", "3万元", "notation"),
    ]


def test_the_list_comes_in_pages(table_id: str) -> None:
    page = table_cells.page(ANYONE, table_id, limit=1, offset=2)
    assert [cell.value for cell in page.cells] == ["<10"]
    assert page.total == 4


@pytest.mark.parametrize(("limit", "offset"), [(1_001, 0), (-1, 0), (1, -1)])
def test_a_page_has_bounds(table_id: str, limit: int, offset: int) -> None:
    with pytest.raises(BadQuery):
        table_cells.page(ANYONE, table_id, limit=limit, offset=offset)


def test_the_whole_list_is_a_csv(table_id: str) -> None:
    text = b"".join(table_cells.export(ANYONE, table_id)).decode()
    rows = list(csv.reader(text.splitlines()))
    assert rows[0] == ["row", "column", "value", "reason"]
    assert len(rows) == 1 + 7
    assert ["2", "额", "<10", "bound"] in rows


@pytest.mark.parametrize("access", [ColumnAccess.HIDDEN, ColumnAccess.MASKED])
def test_cells_of_a_column_that_is_withheld_are_withheld(
    table_id: str, access: ColumnAccess
) -> None:
    table_columns.set_access(SCHEDULER, table_id, "码", access)
    assert {cell[1] for cell in listed(table_id)} == {"日", "额"}
    assert b"91350100M000100Y44" not in b"".join(table_cells.export(ANYONE, table_id))
    page = table_cells.page(SCHEDULER, table_id)
    assert {cell.column for cell in page.cells} == {"码", "日", "额"}
    schema = schema_json(tables.show(ANYONE, table_id), "en")
    masked = access == ColumnAccess.MASKED
    assert ("码" in [field["name"] for field in schema["fields"]]) is masked
    assert "primaryKey" not in schema


def test_a_load_without_broken_cells_has_an_empty_list(table_id: str, tmp_path: Path) -> None:
    again = make(tmp_path, "码,日,额\n91350100M000100Y43,2020-01-03,5\n")
    assert again == table_id
    assert listed(table_id, notations=True) == []
    assert tables.show(ANYONE, table_id).kept_cells == 0


def test_other_texts_of_the_same_values_are_a_change(table_id: str, tmp_path: Path) -> None:
    before = tables.show(ANYONE, table_id).release
    make(tmp_path, TEXT.replace("<10", "<11"))
    assert tables.show(ANYONE, table_id).release == before + 1
    assert (2, "额", "<11", "bound") in listed(table_id)


def test_a_table_without_any_has_no_list(app: Flask, tmp_path: Path) -> None:
    table_id = make_table_of_files([make_file(tmp_path, "t.csv", "a,b\n1,x\n")])
    assert listed(table_id, notations=True) == []
    assert b"".join(table_cells.export(ANYONE, table_id)) == b"row,column,value,reason\r\n"
    assert db.session.scalars(select(JournalFile).filter_by(kind="cells")).all() == []


def test_a_load_keeps_the_dictionary_with_the_columns(table_id: str) -> None:
    table = tables.show(ANYONE, table_id)
    code, day, amount = table.columns
    assert table.primary_key == ["码"]
    assert (code.semantic, code.label["zh"]) == ("uscc", "统一社会信用代码")
    assert code.description == {"und": "Of the company"}
    assert day.info == {"constraints": {"required": True}, "format": "any"}
    assert (amount.unit, amount.info) == ("元", {"groupChar": ",", "bareNumber": False})


def test_a_person_may_describe_columns_without_loading_again(table_id: str) -> None:
    fields = [{"name": "额", "title": "Amount", "constraints": {"minimum": 0}}]
    table_schema.describe(SCHEDULER, table_id, {"fields": fields})
    table = tables.show(ANYONE, table_id)
    assert table.columns[2].label == {"und": "Amount"}
    assert table.columns[2].info["constraints"] == {"minimum": 0}
    assert table.columns[0].semantic == "uscc"
    assert table.primary_key == ["码"]


def test_a_description_is_refused_to_strangers_and_for_columns_that_are_not_there(
    table_id: str,
) -> None:
    with pytest.raises((Denied, Unauthenticated)):
        table_schema.describe(ANYONE, table_id, {})
    with pytest.raises(Invalid, match="no column x"):
        table_schema.describe(SCHEDULER, table_id, {"fields": [{"name": "x"}]})
    with pytest.raises(NotFound):
        table_schema.describe(SCHEDULER, "nothing", {})


def many(*changed: str) -> str:
    """A table of many rows in two dresses; `changed` are its first lines."""
    rest = "".join(f"{at},{at}.50,x{at}\n" for at in range(len(changed), 400))
    return "id,n,t\n" + "".join(f"{line}\n" for line in changed) + rest


@pytest.mark.parametrize("key", [["id"], []])
def test_after_a_small_change_cells_stand_at_the_numbers_of_their_rows(
    app: Flask, tmp_path: Path, key: list[str]
) -> None:
    schema = {"fields": [{"name": "id"}, {"name": "n", "type": "number"}], "primaryKey": key}

    def put(text: str) -> str:
        return make_table_of_files([make_file(tmp_path, "t.csv", text)], read={"schema": schema})

    table_id = put(many("0,bad,a", "1,1.50,b", "2,2.5,c"))
    put(many("1,1.50,b", "2,worse,c", "new,-,d", "3,3,x3"))
    release = db.session.scalars(select(Release).filter_by(table_id=table_id, number=2)).one()
    assert (release.inserted, release.updated, release.deleted) != (None, None, None)
    by_row = {
        row["row"]: row["id"]
        for batch in state_of(newest(tables.show(ANYONE, table_id))).batches()
        for row in batch.rename_columns(["id", "n", "t", "row"]).to_pylist()
    }
    page = table_cells.page(ANYONE, table_id, notations=True, limit=1_000)
    said = {by_row[cell.row - 1]: (cell.value, cell.reason) for cell in page.cells}
    assert said["2"] == ("worse", "number")
    assert said["new"] == ("-", "mark")
    assert said["1"] == ("1.50", "notation")
    assert "0" not in said
    assert said["399"] == ("399.50", "notation")
    assert len(page.cells) == len(said) == 399


def test_a_row_that_was_written_since_is_not_listed_any_more_and_the_others_outlive_releases(
    app: Flask, tmp_path: Path
) -> None:
    schema = {"fields": [{"name": "id"}, {"name": "n", "type": "number"}], "primaryKey": ["id"]}
    rows = "".join(f"{at},bad{at}\n" for at in range(3))
    table_id = make_table_of_files(
        [make_file(tmp_path, "t.csv", f"id,n\n{rows}")], read={"schema": schema}
    )
    assert len(listed(table_id)) == 3
    table_writes.upsert(SCHEDULER, table_id, [{"id": 1, "n": 5.5}])
    wanted = [(1, "n", "bad0", "number"), (3, "n", "bad2", "number")]
    assert listed(table_id) == wanted
    releases.set_retention(SCHEDULER, table_id, keep=1)
    assert releases.retain(table_id) == [1]
    assert listed(table_id) == wanted
