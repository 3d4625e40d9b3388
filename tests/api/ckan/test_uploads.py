"""Files that CKAN's clients upload: kept, sent, loaded as tables, replaced and cleared."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.datastructures import FileStorage
from werkzeug.test import TestResponse, encode_multipart

from catalog.db import db, transaction
from catalog.files import file_store
from catalog.models.dataset import Resource
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnAccess
from catalog.services import uploads
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_organization
from tests.make_page import page
from tests.make_reading import make_xlsx

ROWS = "站点,值\n东四,1\n天坛,2\n".encode()


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, Ckan]]:
    folder = tmp_path_factory.mktemp("ckan")
    with make_app(folder, max_upload_bytes=2_000_000, max_body_bytes=1_000_000) as app:
        make_organization()
        yield app, Ckan(app.test_client(), make_key())


@pytest.fixture
def ckan(portal: tuple[Flask, Ckan]) -> Ckan:
    return portal[1]


@pytest.fixture
def package(ckan: Ckan) -> str:
    made = ckan.call("package_create", name=f"set-{uuid4().hex[:8]}", owner_org="ecology")
    return str(made["id"])


def send(ckan: Ckan, action: str, content: bytes, file: str, /, **form: str) -> TestResponse:
    """A multipart call."""
    border, body = encode_multipart({**form, "upload": FileStorage(io.BytesIO(content), file)})
    headers = {**ckan.headers, "Content-Type": f"multipart/form-data; boundary={border}"}
    answer: TestResponse = ckan.client.post(f"/api/3/action/{action}", data=body, headers=headers)
    return answer


def sent(ckan: Ckan, *asked: Any, **form: str) -> dict[str, Any]:
    """The resource that a multipart call makes."""
    body = send(ckan, *asked, **form).json
    assert body["success"], body
    result: dict[str, Any] = body["result"]
    return result


def path_of(resource: dict[str, Any]) -> str:
    return str(resource["url"]).removeprefix("http://localhost")


def links(client: FlaskClient, package: str) -> list[str]:
    """Files of a dataset that its page lets people download."""
    soup = page(client, f"/en/datasets/{client.get(f'/api/v1/datasets/{package}').json['slug']}")
    return [str(one["href"]) for one in soup.select("a[download][href^='/dataset/']")]


def test_a_file_is_kept_sent_and_loaded(ckan: Ckan, package: str) -> None:
    resource = sent(ckan, "resource_create", ROWS, "小说 Rows.CSV", package_id=package, name="rows")
    path = f"/dataset/{package}/resource/{resource['id']}/download/xiao-shuo-rows.csv"
    assert path_of(resource) == path
    assert (resource["url_type"], resource["size"], resource["format"]) == (
        "upload",
        len(ROWS),
        "CSV",
    )
    assert resource["mimetype"] == "text/csv"
    assert resource["last_modified"] <= resource["metadata_modified"]
    assert "upload" not in resource
    assert "file" not in resource
    answer = ckan.client.get(path)
    assert answer.data == ROWS
    assert answer.headers["Content-Type"].startswith("text/csv")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert "sandbox" in answer.headers["Content-Security-Policy"]
    assert answer.headers["Content-Disposition"].startswith(
        'attachment; filename="xiao-shuo-rows.csv"'
    )
    rows = ckan.records(resource["id"])
    assert [(row["站点"], row["值"]) for row in rows] == [("东四", 1), ("天坛", 2)]
    assert ckan.call("resource_show", id=resource["id"])["datastore_active"] is True


def test_a_type_that_no_header_can_hold_is_guessed(ckan: Ckan, package: str) -> None:
    made = sent(ckan, "resource_create", ROWS, "a.csv", package_id=package, mimetype="文本/逗号")
    assert made["mimetype"] == "文本/逗号"
    assert ckan.client.get(path_of(made)).headers["Content-Type"].startswith("text/csv")


def test_parts_and_unchanged_files_are_answered_as_http_says(ckan: Ckan, package: str) -> None:
    path = path_of(sent(ckan, "resource_create", b"0123456789", "a.bin", package_id=package))
    part = ckan.client.get(path, headers={"Range": "bytes=2-4"})
    assert (part.status_code, part.data, part.headers["Content-Range"]) == (
        206,
        b"234",
        "bytes 2-4/10",
    )
    assert ckan.client.get(path, headers={"Range": "bytes=50-"}).status_code == 416
    tag = ckan.client.get(path).headers["ETag"]
    assert ckan.client.get(path, headers={"If-None-Match": tag}).status_code == 304
    head = ckan.client.head(path)
    assert (head.data, head.headers["Content-Length"]) == (b"", "10")
    assert ckan.client.get(path.rpartition("/")[0]).data == b"0123456789"


def test_a_workbook_is_loaded_too(ckan: Ckan, package: str, tmp_path: Path) -> None:
    make_xlsx(tmp_path / "book.xlsx", {"one": [["name", "n"], ["a", 1], ["b", 2]]})
    content = (tmp_path / "book.xlsx").read_bytes()
    resource = sent(ckan, "resource_create", content, "book.xlsx", package_id=package)
    assert resource["format"] == "XLSX"
    assert [row["n"] for row in ckan.records(resource["id"])] == [1, 2]


def test_what_holds_no_table_is_a_file_only_and_a_broken_one_says_why(
    ckan: Ckan, package: str
) -> None:
    resource = sent(ckan, "resource_create", b"%PDF-1.7", "paper.pdf", package_id=package)
    assert (resource["format"], resource["datastore_active"]) == ("PDF", False)
    assert links(ckan.client, package) == [path_of(resource)]
    broken = sent(ckan, "resource_create", b"PK\x03\x04 nothing", "broken.xlsx", package_id=package)
    db.session.rollback()
    assert db.session.get_one(Resource, broken["id"]).problem["message"]
    assert db.session.get_one(Resource, resource["id"]).problem == {}


def test_another_file_takes_its_place_and_other_fields_leave_it(ckan: Ckan, package: str) -> None:
    first = sent(ckan, "resource_create", ROWS, "rows.csv", package_id=package, name="rows")
    patched = ckan.call("resource_patch", id=first["id"], description="Rows")
    assert patched["url"] == first["url"]
    assert ckan.client.get(path_of(patched)).data == ROWS
    second = sent(ckan, "resource_update", ROWS + "景山,3\n".encode(), "more.csv", id=first["id"])
    assert second["url"].endswith("/more.csv")
    assert second["name"] == "rows"
    assert len(ckan.records(first["id"])) == 3
    kept = ckan.call("package_patch", id=package, notes="x")["resources"][0]
    assert kept["url"] == second["url"]
    cleared = ckan.call(
        "resource_patch", id=first["id"], clear_upload=True, url="http://a.example/x"
    )
    assert (cleared["url"], cleared["url_type"]) == ("http://a.example/x", None)
    answer = ckan.client.get(path_of(second))
    assert (answer.status_code, answer.headers["Location"]) == (302, "http://a.example/x")


def test_a_file_that_is_too_large_is_refused_and_nothing_is_kept(
    portal: tuple[Flask, Ckan], package: str
) -> None:
    ckan = portal[1]
    before = set(file_store().keys(uploads.FOLDER))
    assert (
        send(ckan, "resource_create", b"x" * 2_100_000, "a.bin", package_id=package).status_code
        == 413
    )
    assert (
        sent(ckan, "resource_create", b"x" * 1_500_000, "a.bin", package_id=package)["size"]
        == 1_500_000
    )
    nobody = Ckan(ckan.client)
    assert (
        send(nobody, "resource_create", b"x" * 1_500_000, "a.bin", package_id=package).status_code
        == 413
    )
    refused = send(
        ckan, "resource_create", b"x", "a.bin", package_id=package, size="much", id="nope"
    )
    assert refused.status_code == 409
    assert len(set(file_store().keys(uploads.FOLDER)) - before) == 1


def test_files_of_private_datasets_and_hidden_columns_are_for_those_who_may_see_them(
    ckan: Ckan, package: str
) -> None:
    resource = sent(ckan, "resource_create", ROWS, "rows.csv", package_id=package)
    path, nobody = path_of(resource), Ckan(ckan.client).client
    assert nobody.get(path).status_code == 200
    assert links(nobody, package) == [path]
    with transaction():
        column = db.session.scalars(
            select(TableColumn).join(DataTable).where(DataTable.resource_id == resource["id"])
        ).first()
        assert column is not None
        column.access = ColumnAccess.HIDDEN
    assert nobody.get(path).status_code in (302, 401, 403)
    assert links(nobody, package) == []
    assert nobody.get(path, headers=ckan.headers).data == ROWS
    ckan.call("package_patch", id=package, private=True)
    assert nobody.get(path).status_code == 404
    assert nobody.get(path, headers=ckan.headers).data == ROWS
    assert nobody.get(path.replace(package, str(uuid4())), headers=ckan.headers).status_code == 404


def test_files_that_nothing_refers_to_are_forgotten(
    ckan: Ckan, package: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    resource = sent(ckan, "resource_create", ROWS, "rows.csv", package_id=package)
    kept = uploads.keep("stray.csv", io.BytesIO(b"x"))
    uploads.sweep_uploads()
    assert file_store().get(kept.key) == b"x"  # something may refer to it soon
    monkeypatch.setattr(uploads, "FORGOTTEN_SECONDS", -1.0)
    uploads.sweep_uploads()
    assert kept.key not in set(file_store().keys(uploads.FOLDER))
    assert ckan.client.get(path_of(resource)).data == ROWS
    uploads.load_upload(str(uuid4()))  # it is gone meanwhile


def test_a_link_without_an_address_has_no_file(ckan: Ckan, package: str) -> None:
    made = ckan.call("resource_create", package_id=package, name="nothing")
    assert ckan.client.get(f"/dataset/{package}/resource/{made['id']}/download").status_code == 404


@pytest.mark.parametrize(
    ("given", "name"),
    [
        ("a.csv", "a.csv"),
        ("C:\\data\\My File.XLSX", "my-file.xlsx"),
        ("../../etc/passwd", "passwd"),
        ("数据.csv", "shu-ju.csv"),
        ("☃.csv", "file.csv"),
        ("☃", "file"),
        (".csv", "file.csv"),
        ("a" * 300 + ".csv", "a" * 97 + ".csv"),
    ],
)
def test_names_of_files_fit_addresses(given: str, name: str) -> None:
    assert uploads.file_name(given) == name
