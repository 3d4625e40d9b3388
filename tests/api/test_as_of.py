"""Reading as of a release or a time: cells, dictionaries, charts, pages, both tables of a join."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.models.base import now
from catalog.models.table import DataTable, Release
from catalog.models.vocabulary import ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import table_columns, table_writes
from catalog.tabular.where import parse_where
from tests.make_page import page
from tests.make_portal import Served, make_served
from tests.make_reading import make_file
from tests.make_table import make_columns
from tests.make_table_page import make_table_of_files
from tests.make_versions import make_versions

DISTRICTS = make_columns(code=ColumnType.STRING, people=ColumnType.INTEGER)


def get(client: FlaskClient, path: str, **parameters: object) -> Any:
    return client.get(f"{path}?{urlencode(parameters)}")


def date_releases(table_id: str, *days: int) -> None:
    """Say that the releases were made on these days of January 2024, at noon."""
    with transaction():
        releases = db.session.query(Release).filter_by(table_id=table_id).order_by(Release.number)
        for release, day in zip(releases, days, strict=True):
            release.created_at = datetime(2024, 1, day, 12, tzinfo=UTC)


@pytest.fixture
def shops(app: Flask, tmp_path: Path) -> Served:
    """Releases of the 10th and of the 20th; the second has one more row."""
    columns = make_columns(name=ColumnType.STRING, district=ColumnType.STRING)
    made = make_served(tmp_path, columns=columns, rows=({"name": "a", "district": "01"},))
    table_writes.insert(SCHEDULER, made.table, [{"name": "b", "district": "01"}])
    date_releases(made.table, 10, 20)
    return made


@pytest.fixture
def districts(app: Flask, tmp_path: Path) -> Served:
    """Releases of the 5th, the 15th and the 25th, with 1, 2 and 3 people."""
    rows: tuple[dict[str, object], ...] = ({"code": "01", "people": 1},)
    made = make_served(tmp_path, columns=DISTRICTS, rows=rows, name="Districts")
    table_columns.set_key(SCHEDULER, made.table, ["code"])
    for people in (2, 3):
        table_writes.upsert(SCHEDULER, made.table, [{"code": "01", "people": people}])
    date_releases(made.table, 5, 15, 25)
    return made


def joined(client: FlaskClient, shops: Served, districts: Served, **asked: Any) -> Any:
    join = {"table": districts.table, "on": [["district", "code"]], "name": "d"}
    join |= asked.pop("join", {})
    return client.post(f"/api/v1/tables/{shops.table}/query", json={"join": join, **asked})


def people(answer: Any) -> list[int]:
    assert answer.status_code == 200, answer.text
    return [row["d.people"] for row in answer.json["rows"]]


@pytest.mark.parametrize(
    ("asked", "expected"),
    [
        ({}, [3, 3]),
        ({"as_of": "2024-01-16"}, [2]),
        ({"as_of": "2024-01-10T23:00:00Z"}, [1]),
        ({"as_of": 1}, [1]),
        ({"as_of": "2"}, [2, 2]),
        ({"as_of": 1, "join": {"as_of": 3}}, [3]),
        ({"join": {"as_of": "2024-01-06"}}, [1, 1]),
    ],
)
def test_the_other_table_of_a_join_is_read_as_of_the_same_time(
    client: FlaskClient, shops: Served, districts: Served, asked: Any, expected: list[int]
) -> None:
    assert people(joined(client, shops, districts, **asked)) == expected


def test_a_join_with_a_table_that_had_no_release_then_says_what_to_do(
    client: FlaskClient, shops: Served, districts: Served
) -> None:
    date_releases(districts.table, 11, 15, 25)
    answer = joined(client, shops, districts, as_of=1)
    assert answer.status_code == 404
    assert "as_of inside join" in answer.json["detail"]
    assert joined(client, shops, districts, as_of=1, join={"as_of": 9}).status_code == 404


def test_the_pages_of_a_join_are_of_the_same_releases(
    client: FlaskClient, shops: Served, districts: Served
) -> None:
    first = joined(client, shops, districts, limit=1)
    table_writes.upsert(SCHEDULER, districts.table, [{"code": "01", "people": 99}])
    second = joined(client, shops, districts, limit=1, cursor=first.json["cursor"])
    assert people(first) + people(second) == [3, 3]
    assert people(joined(client, shops, districts)) == [99, 99]


def test_a_key_that_did_not_tell_rows_apart_then_cannot_be_joined_on(
    client: FlaskClient, shops: Served, app: Flask, tmp_path: Path
) -> None:
    rows: tuple[dict[str, object], ...] = (
        {"code": "01", "people": 1},
        {"code": "01", "people": 2},
    )
    made = make_served(tmp_path, columns=DISTRICTS, rows=rows, name="Districts")
    without = joined(client, shops, made)
    assert without.status_code == 400
    assert f"PATCH /api/v1/tables/{made.table}" in without.json["detail"]
    table_writes.delete(SCHEDULER, made.table, where=parse_where("people = 2"))
    table_columns.set_key(SCHEDULER, made.table, ["code"])
    assert people(joined(client, shops, made)) == [1, 1]
    assert joined(client, shops, made, join={"as_of": 1}).status_code == 400


def test_a_key_of_before_it_was_declared_is_used_where_it_holds(
    client: FlaskClient, shops: Served, app: Flask, tmp_path: Path
) -> None:
    rows: tuple[dict[str, object], ...] = ({"code": "01", "people": 1},)
    made = make_served(tmp_path, columns=DISTRICTS, rows=rows, name="Districts")
    table_writes.insert(SCHEDULER, made.table, [{"code": "02", "people": 5}])
    with transaction():
        table = db.session.get(DataTable, made.table)
        assert table is not None
        table.primary_key, table.updated_at = ["code"], now()
    assert people(joined(client, shops, made, join={"as_of": 1})) == [1, 1]


@pytest.mark.parametrize("as_of", [1, "1", "2024-01-11"])
def test_a_body_of_json_names_a_release_by_number_or_text(
    client: FlaskClient, shops: Served, as_of: object
) -> None:
    answer = client.post(f"/api/v1/tables/{shops.table}/query", json={"as_of": as_of})
    assert [row["name"] for row in answer.json["rows"]] == ["a"]
    cited = client.post(f"/api/v1/tables/{shops.table}/citations", json={"as_of": as_of})
    assert cited.json["release"] == 1


@pytest.mark.parametrize("as_of", [True, 1.5, {"a": 1}, "x" * 41, -1])
def test_what_names_no_release_is_refused(
    client: FlaskClient, shops: Served, as_of: object
) -> None:
    answer = client.post(f"/api/v1/tables/{shops.table}/query", json={"as_of": as_of})
    assert answer.status_code in (400, 422)


def test_a_word_that_names_no_release_is_repeated_in_the_answer(
    client: FlaskClient, shops: Served
) -> None:
    for path, name in (("changes", "from"), ("changes", "to"), ("rows", "as_of")):
        answer = get(client, f"/api/v1/tables/{shops.table}/{path}", **{name: "soon"})
        assert answer.status_code == 400
        assert "“soon” names no release" in answer.json["detail"]
        assert "as_of" not in answer.json["detail"]


@pytest.fixture
def loaded_twice(app: Flask, tmp_path: Path) -> str:
    """A table whose first release has a cell that does not fit, and whose second has two others."""
    schema = {"fields": [{"name": "n", "type": "integer"}, {"name": "t"}]}
    table = ""
    for text in ("n,t\n1,a\nx,b\n", "n,t\ny,a\nz,b\n"):
        table = make_table_of_files([make_file(tmp_path, "t.csv", text)], read={"schema": schema})
    return table


def test_cells_that_do_not_fit_are_listed_as_of_a_release(
    client: FlaskClient, loaded_twice: str
) -> None:
    def cells(**asked: object) -> list[tuple[int, str]]:
        answer = get(client, f"/api/v1/tables/{loaded_twice}/cells", **asked).json
        assert answer["total"] == len(answer["cells"])
        return [(answer["release"], cell["value"]) for cell in answer["cells"]]

    assert cells() == [(2, "y"), (2, "z")]
    assert cells(as_of=1) == [(1, "x")]
    assert get(client, f"/api/v1/tables/{loaded_twice}/cells", as_of=3).status_code == 404
    file = get(client, f"/api/v1/tables/{loaded_twice}/cells.csv", as_of=1).text
    assert file.splitlines() == ["row,column,value,reason", "2,n,x,integer"]
    shown = page(client, f"/en/tables/{loaded_twice}/cells?as_of=1")
    assert [code.get_text() for code in shown.select("td code")] == ["x"]
    assert "as_of=1" in str(shown.select("a[download]")[0]["href"])


def test_the_dictionary_of_a_release_has_its_columns(client: FlaskClient, shops: Served) -> None:
    change = table_columns.RenameColumn("name", "title")
    table_columns.change_columns(SCHEDULER, shops.table, [change], reason="clearer")

    def names(**asked: object) -> list[str]:
        fields = get(client, f"/api/v1/tables/{shops.table}/schema", **asked).json["fields"]
        return [field["name"] for field in fields]

    assert names() == ["title", "district"]
    assert names(as_of=2) == ["name", "district"]


def test_a_chart_is_drawn_of_a_release(client: FlaskClient, app: Flask, tmp_path: Path) -> None:
    made = make_versions(tmp_path)
    asked = {"kind": "bar", "x": "code", "y": "n", "agg": "sum"}

    def points(**more: object) -> list[str]:
        answer = get(client, f"/en/tables/{made.table}/chart.csv", **asked, **more)
        assert answer.status_code == 200
        return answer.data.decode("utf-8-sig").splitlines()[1:]

    assert sorted(points()) == ["b,20", "c,3", "d,4"]
    assert sorted(points(as_of=1)) == ["a,1", "b,2", "c,3"]
    shown = page(client, f"/en/tables/{made.table}?view=chart&as_of=1&{urlencode(asked)}")
    assert "You see release 1" in shown.get_text()
    assert "always show release 1" in shown.get_text()
    picture = str(shown.select("img.weft-chart")[0]["src"])
    assert "as_of=1" in picture
    assert client.get(picture).status_code == 200
    assert "as_of=1" in shown.select("pre code")[0].get_text()
    assert get(client, f"/en/tables/{made.table}/chart.csv", as_of=9, **asked).status_code == 404


def test_the_page_shows_a_release_and_keeps_to_it(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    made = make_versions(tmp_path)
    path = f"/en/tables/{made.table}"
    rows = page(client, f"{path}?as_of=2")
    assert [cell.get_text() for cell in rows.select("tbody tr td:nth-of-type(1)")] == list("abcd")
    views = {str(link["href"]) for link in rows.select(".weft-views__link")}
    assert all("as_of=2" in address for address in views)
    assert not any("view=columns" in address for address in views)
    newest = next(link for link in rows.select("a") if link.get_text() == "See the newest release")
    assert "as_of" not in str(newest["href"])
    files = page(client, f"{path}?view=downloads&as_of=2").select("a[download]")
    assert all("as_of=2" in str(link["href"]) for link in files)
    builder = page(client, f"{path}?view=api&as_of=2").get_text()
    assert "as_of=2" in builder
    assert '"as_of": "2"' in builder
    panel = page(client, f"{path}?as_of=1&panel=column&on=code").get_text()
    assert "Sort rising" in panel
    assert client.get(f"{path}?view=columns&as_of=2").status_code == 200
    assert client.get(f"{path}?as_of=77").status_code == 404
    assert client.get(f"{path}?as_of=soon").status_code == 400


def test_days_after_the_first_release_name_the_newest_one_of_then(
    client: FlaskClient, shops: Served
) -> None:
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).date().isoformat()
    answer = get(client, f"/api/v1/tables/{shops.table}/count", as_of=tomorrow)
    assert answer.json["count"] == 2


def test_the_number_of_a_row_leads_to_its_place_in_the_grid(
    client: FlaskClient, app: Flask, tmp_path: Path
) -> None:
    made = make_versions(tmp_path)  # the first row was deleted: number 2 is in the first place
    for number, place in ((1, 1), (2, 1), (3, 2), (4, 3), (99, 3)):
        answer = client.get(f"/en/tables/{made.table}?number={number}")
        assert answer.status_code == 302
        assert answer.headers["Location"].endswith(f"row={place}#row-{place}")
    for nothing in ("0", "x", "-1", "9" * 13):
        assert client.get(f"/en/tables/{made.table}?number={nothing}").status_code == 200
    narrowed = f"number=4&{urlencode({'column': 'n', 'op': 'less', 'value': '10'})}"
    found = client.get(f"/en/tables/{made.table}?{narrowed}").headers["Location"]
    assert found.endswith("row=2#row-2")
