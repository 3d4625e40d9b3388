"""The page of cells that do not fit, in both languages."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.models.vocabulary import ColumnAccess
from catalog.permissions import SCHEDULER
from catalog.services import table_columns
from tests.make_page import LANGUAGES, href, page, words
from tests.make_reading import make_file
from tests.make_table_page import make_table_of_files

SCHEMA = {"fields": [{"name": "n", "type": "integer"}, {"name": "码", "semantic": "uscc"}]}


@pytest.fixture
def table_id(app: Flask, tmp_path: Path) -> str:
    rows = "".join(f"x{at},91350100M000100Y43\n" for at in range(120))
    file = make_file(tmp_path, "t.csv", f"n,码\n007,91350100M000100Y43\n{rows}")
    return make_table_of_files([file], read={"schema": SCHEMA})


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_table_leads_to_its_cells_that_do_not_fit(
    client: FlaskClient, table_id: str, language: str
) -> None:
    soup = page(client, f"/{language}/tables/{table_id}")
    address = href(soup, f'a[href$="/tables/{table_id}/cells"]')
    report = page(client, address)
    assert len(report.select("table")[1].select("tbody tr")) == 100
    assert len(page(client, f"{address}?page=2").select("table")[1].select("tbody tr")) == 20
    assert words(report, "code")[0] == "x0"
    assert href(report, "a[download]").endswith(f"/cells.csv?lang={language}&notations=false")


def test_a_row_of_the_report_leads_to_the_row_of_the_table(
    client: FlaskClient, table_id: str
) -> None:
    report = page(client, f"/en/tables/{table_id}/cells")
    first = report.select("tbody a")[0]
    assert first.get_text() == "2"
    assert "number=2" in str(first["href"])


def test_other_notations_are_shown_on_demand(client: FlaskClient, table_id: str) -> None:
    report = page(client, f"/en/tables/{table_id}/cells?notations=1")
    assert "007" in words(report, "code")
    assert "007" not in words(page(client, f"/en/tables/{table_id}/cells"), "code")


def test_a_table_whose_cells_all_fit_has_no_link_and_an_empty_report(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    table_id = make_table_of_files([make_file(tmp_path, "t.csv", "a,b\n1,x\n")])
    assert not page(client, f"/en/tables/{table_id}").select('a[href$="/cells"]')
    report = page(client, f"/en/tables/{table_id}/cells")
    assert words(report, ".govuk-inset-text") == ["There are none."]


def test_the_columns_view_says_what_values_mean(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=columns")
    assert "Unified social credit code" in words(soup, ".weft-badge")


def test_notes_of_a_column_that_is_withheld_are_for_those_who_may_read_it(
    client: FlaskClient, table_id: str
) -> None:
    address = f"/en/tables/{table_id}?view=columns"
    assert any("column n" in said for said in words(page(client, address), ".weft-notes li"))
    table_columns.set_access(SCHEDULER, table_id, "n", ColumnAccess.HIDDEN)
    assert not any("column n" in said for said in words(page(client, address), ".weft-notes li"))
    assert words(page(client, f"/en/tables/{table_id}/cells"), ".govuk-inset-text")
