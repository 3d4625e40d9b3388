"""What tables are called where several of one file have the same title, or none."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.dataset import Resource
from catalog.models.table import DataTable
from tests.make_page import LANGUAGES, one, page, words
from tests.make_reading import make_file
from tests.make_table_page import make_table_of_files

TITLES = {"tables": {key: {"zh": "统计表", "en": "Figures"} for key in ("2024", "2025")}}
MEMBERS = ("2024.csv", "2025.csv", "notes.csv")


@pytest.fixture
def tables(app: Flask, tmp_path: Path) -> dict[str, str]:
    """Tables of one dataset by key: two have the same title."""
    files = [make_file(tmp_path, name, f"a,b\n{name},x\n") for name in MEMBERS]
    make_table_of_files(files, load=TITLES)
    return {table.key: table.id for table in db.session.scalars(select(DataTable))}


@pytest.mark.parametrize("lang", LANGUAGES)
def test_tables_of_the_same_title_are_told_apart_by_their_part(
    client: FlaskClient, tables: dict[str, str], lang: str
) -> None:
    title = {"zh": "统计表", "en": "Figures"}[lang]
    soup = page(client, f"/{lang}/tables/{tables['2024']}")
    assert words(soup, "h1") == [f"{title} · 2024"]
    assert f"{title} · 2024" in one(soup, "head title").get_text()
    assert words(page(client, f"/{lang}/tables/{tables['notes']}"), "h1") == ["notes"]
    listed = words(page(client, f"/{lang}/datasets/air"), ".weft-tables__name")
    assert listed == [f"{title} · 2024", f"{title} · 2025", "notes"]


def test_the_file_stands_before_its_tables_when_it_has_a_title_of_its_own(
    client: FlaskClient, tables: dict[str, str]
) -> None:
    address = f"/en/tables/{tables['notes']}"
    assert words(page(client, address), ".govuk-breadcrumbs a") == ["Home", "Data", "Air quality"]
    resource = db.session.scalars(select(Resource)).one()
    with transaction():
        resource.title = {"en": "Yearbook"}
    links = page(client, address).select(".govuk-breadcrumbs a")
    assert links[-1].get_text() == "Yearbook"
    assert links[-1]["href"] == f"/en/datasets/air#resource-{resource.id}"
    assert page(client, "/en/datasets/air").select(f"#resource-{resource.id}")
