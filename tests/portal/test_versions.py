"""Pages of versions: the list, one release, what changed, citations."""

from __future__ import annotations

import re
from hashlib import sha256
from pathlib import Path

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.datastructures import MultiDict

from catalog.models.vocabulary import ColumnAccess, ColumnType
from catalog.permissions import SCHEDULER
from catalog.services import releases, table_columns, table_writes
from catalog.services.table_columns import AddColumn, DropColumn, RenameColumn, RetypeColumn
from tests.make_portal import Served
from tests.make_versions import make_versions


@pytest.fixture
def served(app: Flask, tmp_path: Path) -> Served:
    return make_versions(tmp_path)


def page(client: FlaskClient, path: str, status: int = 200) -> str:
    answer = client.get(path, follow_redirects=True)
    assert answer.status_code == status
    return answer.get_data(as_text=True)


def words(html: str) -> str:
    main = html[html.index("<main") : html.index("</main>")]
    return " ".join(re.sub(r"<[^>]+>", " ", main).split())


def test_versions_are_listed_with_who_why_and_what_changed(
    client: FlaskClient, served: Served
) -> None:
    releases.pin(SCHEDULER, served.table, 2)
    told = words(page(client, f"/en/tables/{served.table}?view=versions"))
    assert "4 releases" in told
    assert "the portal · reason: closed down" in told
    assert "All releases are kept." in told
    assert "Release 2 pinned" in told
    assert re.search(r"Release 4 newest .* 3 rows \+ 0 added ~ 0 changed − 1 removed", told)


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [
        ({"keep": 1}, "Kept are the newest 1, and"),
        ({"days": 30}, "Kept are those younger than 30 days, and"),
        ({"keep": 2, "days": 1}, "Kept are the newest 2 and those younger than 1 day, and"),
    ],
)
def test_the_policy_of_retention_is_said(
    client: FlaskClient, served: Served, policy: dict[str, int], sentence: str
) -> None:
    releases.set_retention(SCHEDULER, served.table, **policy)
    assert sentence in words(page(client, f"/en/tables/{served.table}?view=versions"))


def test_a_release_whose_rows_were_given_up_stays_listed_and_says_why(
    client: FlaskClient, served: Served
) -> None:
    releases.set_retention(SCHEDULER, served.table, keep=1)
    releases.retain(served.table)
    listed = page(client, f"/en/tables/{served.table}?view=versions")
    assert "rows given up" in listed
    assert "/releases/2/download.csv" not in listed
    told = words(page(client, f"/en/tables/{served.table}/releases/2"))
    assert "The rows of this release were given up" in told
    assert "corrected" not in told
    page(client, f"/en/tables/{served.table}/changes?from=2&to=4", 410)


def test_changes_stand_side_by_side_in_words_and_signs(client: FlaskClient, served: Served) -> None:
    html = page(client, f"/en/tables/{served.table}/changes?from=1&to=4")
    told = words(html)
    assert "What changed from release 1 to release 4" in told
    assert "All (3)" in told
    assert "~ Changed b row 2" in told
    assert "<del>2</del>" in html
    assert "<ins>20</ins>" in html
    assert "+ Added d row 4" in told
    assert "− Removed a row 1" in told
    assert "changes.csv?from=1&amp;to=4" in html


def test_changes_can_be_narrowed_to_a_kind(client: FlaskClient, served: Served) -> None:
    html = page(client, f"/en/tables/{served.table}/changes?from=1&to=4&kind=added")
    told = words(html)
    assert "Added d" in told
    assert "Removed a" not in told
    assert 'aria-current="true"' in html
    assert "kind=added" in html
    none = words(page(client, f"/en/tables/{served.table}/changes?from=4&to=4&kind=odd"))
    assert "No row differs." in none


def test_changes_of_columns_are_said(client: FlaskClient, served: Served) -> None:
    table_columns.change_columns(
        SCHEDULER,
        served.table,
        [AddColumn("extra", ColumnType.STRING), RenameColumn("n", "number"), DropColumn("note")],
    )
    told = words(page(client, f"/en/tables/{served.table}/changes?from=4"))
    assert "The column “extra” is new." in told
    assert "The column “n” is called “number” now." in told
    assert "The column “note” is gone." in told


@pytest.mark.parametrize("path", ["?view=versions", "/releases/5"])
def test_a_release_of_columns_only_says_which(
    client: FlaskClient, served: Served, path: str
) -> None:
    table_columns.change_columns(
        SCHEDULER,
        served.table,
        [
            AddColumn("extra", ColumnType.STRING),
            RenameColumn("code", "id"),
            RetypeColumn("n", ColumnType.NUMBER),
            DropColumn("note"),
        ],
    )
    html = page(client, f"/en/tables/{served.table}{path}")
    told = words(html)
    assert "only columns changed" in told
    for sentence in (
        "The column “code” is called “id” now.",
        "The column “n” has another type: “Whole number” became “Number”.",
        "The column “extra” is new.",
        "The column “note” is gone.",
        "Compare the columns",
    ):
        assert told.count(sentence) == 1
    assert f"/en/tables/{served.table}/changes?from=4&amp;to=5#columns" in html
    compared = page(client, f"/en/tables/{served.table}/changes?from=4&to=5")
    assert 'id="columns"' in compared
    assert "Columns that differ" in words(compared)


def test_very_many_differences_of_columns_are_counted(client: FlaskClient, served: Served) -> None:
    more = [AddColumn(f"extra {at}", ColumnType.STRING) for at in range(8)]
    table_columns.change_columns(SCHEDULER, served.table, more)
    told = words(page(client, f"/en/tables/{served.table}?view=versions"))
    assert "The column “extra 4” is new. 3 more differences of columns" in told
    assert "extra 5" not in told


def test_a_withheld_column_is_on_no_page_of_versions(client: FlaskClient, served: Served) -> None:
    table_writes.upsert(SCHEDULER, served.table, [{"code": "c", "n": 3, "note": "geheim"}])
    table_columns.set_access(SCHEDULER, served.table, "note", ColumnAccess.HIDDEN)
    for path in ("?view=versions", "/changes", "/changes?from=1", "/releases/5", "/releases/4"):
        html = page(client, f"/en/tables/{served.table}{path}")
        assert "geheim" not in html
        assert "note" not in words(html)


def test_a_release_has_an_address_to_cite_that_needs_no_language(
    client: FlaskClient, served: Served
) -> None:
    html = page(client, f"/tables/{served.table}/releases/2")
    told = words(html)
    assert f"http://localhost/tables/{served.table}/releases/2" in told
    assert re.search(r"第2版\[DS/OL\]", told)
    assert "(Release 2) [Data set]" in told
    assert "生成后可知" in told
    client.get(f"/api/v1/tables/{served.table}/releases/2/download.csv", buffered=True)
    assert re.search(
        r"csv \d+ B [0-9a-f]{64}", words(page(client, f"/en/tables/{served.table}/releases/2"))
    )
    page(client, f"/en/tables/{served.table}/releases/99", 404)
    page(client, f"/en/tables/{served.table}/releases/99999999999", 404)


def test_rows_are_cited_with_a_form_and_checked_on_their_page(
    client: FlaskClient, app: Flask, served: Served
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    filters = {"column": "n", "op": "at_least", "value": "4", "sort": "n", "desc": "1"}
    asked = client.get(f"/en/tables/{served.table}/cite", query_string=filters)
    assert "2 rows" in words(asked.get_data(as_text=True))
    made = client.post(f"/en/tables/{served.table}/cite", data=filters)
    assert made.status_code == 303
    told = words(page(client, made.headers["Location"]))
    assert "Checked just now: the query gives the same rows, byte for byte." in told
    assert '"n" >= 4' in told.replace("&#34;", '"').replace("&gt;", ">")
    assert "-n" in told
    again = client.post(f"/zh/tables/{served.table}/cite", data=filters)
    assert (
        again.headers["Location"].rpartition("/")[2] == made.headers["Location"].rpartition("/")[2]
    )
    table_columns.set_access(SCHEDULER, served.table, "n", ColumnAccess.HIDDEN)
    assert "gives other rows now" in words(page(client, made.headers["Location"]))
    page(client, "/en/citations/nothing", 404)


def test_downloads_lead_to_citing_and_to_earlier_releases(
    client: FlaskClient, served: Served
) -> None:
    html = page(client, f"/en/tables/{served.table}?view=downloads")
    assert f"/en/tables/{served.table}/cite?" in html
    assert "view=versions" in html
    assert "download.csv.gz" in html


def test_columns_of_a_citation_are_chosen(client: FlaskClient, served: Served) -> None:
    asked = page(client, f"/en/tables/{served.table}/cite?column=n&op=at_least&value=3&hide=note")
    form = BeautifulSoup(asked, "html.parser")
    boxes = {str(box["value"]): box.has_attr("checked") for box in form.select("[name=show]")}
    assert boxes == {"code": True, "n": True, "note": False}
    hidden = [
        (str(f["name"]), str(f["value"]))
        for f in form.select("main form[method=post] [type=hidden]")
    ]
    assert "hide" not in dict(hidden)
    fields = MultiDict([*hidden, ("show", "code"), ("show", "note")])
    made = client.post(f"/en/tables/{served.table}/cite", data=fields)
    assert made.status_code == 303
    told = words(page(client, made.headers["Location"]))
    assert "Columns cited code, note" in told
    assert "Rows where &#34;n&#34; &gt;= 3" in told
    assert "Release 4" in told
    call = f"http://localhost/api/v1/tables/{served.table}/rows?select=code%2Cnote&where=%22n%22%20%3E%3D%203&as_of=4"
    assert call.replace("&", "&amp;") in told
    answer = client.get(call.removeprefix("http://localhost")).json
    assert answer is not None
    assert [list(row) for row in answer["rows"]] == [["code", "note"]] * len(answer["rows"])
    file = client.get(call.replace("/rows?", "/download.csv?").removeprefix("http://localhost"))
    assert sha256(file.data).hexdigest() in told


def test_columns_that_an_older_release_had_can_be_cited(
    client: FlaskClient, app: Flask, served: Served
) -> None:
    app.config["WTF_CSRF_ENABLED"] = False
    table_columns.change_columns(SCHEDULER, served.table, [DropColumn("note")])
    asked = BeautifulSoup(page(client, f"/en/tables/{served.table}/cite?as_of=4"), "html.parser")
    assert [str(box["value"]) for box in asked.select("[name=show]")] == ["code", "n", "note"]
    fields = {"as_of": "4", "show": "note"}
    made = client.post(f"/en/tables/{served.table}/cite", data=fields)
    assert "Columns cited note" in words(page(client, made.headers["Location"]))
