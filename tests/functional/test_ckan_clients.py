"""Clients that were written for CKAN, unchanged, against a running server: ckanapi, its command, frictionless."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from ckanapi import NotAuthorized, NotFound, RemoteCKAN, ValidationError
from frictionless import Catalog, Package
from frictionless.portals import CkanControl

from tests.functional.conftest import ROOT, free_port
from tests.make_ckan import make_app, make_key
from tests.make_dataset import make_organization, put
from tests.make_people import make_account, make_key_of
from tests.make_portal import make_served

# Warnings of these clients are no faults of ours.
pytestmark = pytest.mark.filterwarnings("ignore")


@dataclass(frozen=True)
class Portal:
    """A running server, with a dataset `books`, a harvested one `air-quality`, and the key of an editor."""

    address: str
    key: str
    administrator: str
    """Key of an administrator."""
    harvested: str
    """Resource of the harvested table."""


@pytest.fixture(scope="module")
def portal(
    engines: Callable[[], dict[str, str]], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Portal]:
    """The server in processes of its own, as `weft web` starts it."""
    folder = tmp_path_factory.mktemp("clients")
    own = engines()
    urls = {key.removeprefix("WEFT_").lower(): url for key, url in own.items() if "URL" in key}
    with make_app(folder, **urls) as app:
        make_organization()
        put("Books", slug="books", license="CC-BY-4.0", tags=["novels"])
        served = make_served(folder)
        key = make_key()
        administrator = make_key_of(make_account("root", administrator=True))
        del app
    port = free_port()
    environment = {
        **os.environ,
        "WEFT_DATA_DIR": str(folder / "var"),
        "WEFT_LIMIT_ANONYMOUS": "10000/minute",
        "WEFT_LIMIT_BASIC": "10000/minute",
        "WEFT_LOG_LEVEL": "WARNING",
        **own,
    }
    command = [sys.executable, str(ROOT / "wsgi.py"), "web", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, start_new_session=True)
    address = f"http://127.0.0.1:{port}"
    try:
        _wait(address, process)
        yield Portal(address, key, administrator, served.resource)
    finally:
        process.terminate()
        process.wait(120)


def _wait(address: str, process: subprocess.Popen[bytes]) -> None:
    for _ in range(2000):
        assert process.poll() is None, "the server ended"
        with suppress(requests.ConnectionError):
            if requests.get(f"{address}/healthz", timeout=5).ok:
                return
        time.sleep(0.1)
    raise AssertionError("the server does not answer")


def test_ckanapi_makes_fills_asks_and_drops_a_table(portal: Portal) -> None:
    with RemoteCKAN(portal.address, apikey=portal.key) as ckan:
        package = ckan.action.package_create(
            name="novels",
            title="Novels 小说",
            owner_org="ecology",
            license_id="cc0-1.0",
            tags=[{"name": "小说"}],
            extras=[{"key": "source", "value": "shelf"}],
        )
        assert package["license_id"] == "CC0-1.0"
        created = ckan.action.datastore_create(
            resource={"package_id": package["id"], "name": "table"},
            fields=[
                {"id": "year", "type": "int", "info": {"label": "Year"}},
                {"id": "title", "type": "text"},
            ],
            primary_key=["title"],
            records=[{"year": 1878, "title": "Anna Karenina"}, {"year": 1791, "title": "红楼梦"}],
        )
        resource = created["resource_id"]
        ckan.action.datastore_upsert(
            resource_id=resource, records=[{"title": "红楼梦", "year": 1792}, {"title": "Emma"}]
        )
        found = ckan.action.datastore_search(resource_id=resource, q="红楼", sort="year desc")
        assert found["records"][0] | {"rank": 0} == {
            "_id": 2, "year": 1792, "title": "红楼梦", "rank": 0,
        }  # fmt: skip
        sql = f'SELECT count(*) AS n FROM "{resource}" WHERE year IS NULL'
        assert ckan.action.datastore_search_sql(sql=sql)["records"] == [{"n": 1}]
        ckan.action.datastore_delete(resource_id=resource, filters={"title": "Emma"})
        assert ckan.action.datastore_info(id=resource)["meta"]["count"] == 2
        ckan.action.resource_delete(id=resource)
        with pytest.raises(NotFound):
            ckan.action.datastore_search(resource_id=resource)


def test_ckanapi_tells_what_went_wrong_as_with_ckan(portal: Portal) -> None:
    with RemoteCKAN(portal.address) as ckan:
        with pytest.raises(ValidationError) as refused:
            ckan.action.datastore_search(resource_id=portal.harvested, limit=-1)
        assert refused.value.error_dict["limit"] == ["Must be a natural number"]
        with pytest.raises(NotAuthorized):
            ckan.action.datastore_upsert(resource_id=portal.harvested, records=[])
        with pytest.raises(NotFound):
            ckan.action.package_show(id="nope")


def test_ckanapi_asks_by_get_only_where_it_must(portal: Portal) -> None:
    with RemoteCKAN(portal.address, get_only=True) as ckan:
        assert ckan.action.status_show()["ckan_version"]
        found = ckan.action.datastore_search(resource_id=portal.harvested, limit=2, sort="No desc")
        assert len(found["records"]) == 2
        assert set(ckan.action.package_list()) >= {"air-quality", "books"}


def test_the_command_of_ckanapi_asks_and_dumps(portal: Portal) -> None:
    def command(*words: str) -> Any:
        programs = Path(sys.executable).parent  # it starts itself by its name, for each dataset
        path = f"{programs}{os.pathsep}{os.environ['PATH']}"
        done = subprocess.run(
            [str(programs / "ckanapi"), *words, "-r", portal.address],
            env={**os.environ, "PATH": path},
            check=False,
            capture_output=True,
            timeout=60,
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)

    found = command("action", "datastore_search", f"resource_id={portal.harvested}", "limit:1")
    assert found["records"][0]["站点"] == "东四"
    dumped = command("dump", "datasets", "air-quality", "--datastore-fields")
    fields = dumped["resources"][0]["datastore_fields"]
    assert [field["id"] for field in fields][:3] == ["_id", "站点", "No"]


def test_ckanapi_writes_datasets_and_uploads_files(portal: Portal, tmp_path: Path) -> None:
    file = tmp_path / "rows.csv"
    file.write_text("a,b\n1,x\n2,y\n")
    with RemoteCKAN(portal.address, apikey=portal.key) as ckan:
        made = ckan.action.package_create(name="with-files", owner_org="ecology", notes="Rows")
        with file.open("rb") as content:
            resource = ckan.action.resource_create(
                package_id=made["id"], name="rows", upload=content
            )
        assert resource["url"].endswith(f"/resource/{resource['id']}/download/rows.csv")
        assert requests.get(resource["url"], timeout=10).content == file.read_bytes()
        patched = ckan.action.package_patch(id=made["id"], tags=[{"name": "rows"}])
        assert patched["resources"][0]["url"] == resource["url"]
        found = ckan.action.package_search(fq="tags:rows", rows=1)
        assert [one["name"] for one in found["results"]] == ["with-files"]
        ckan.action.package_delete(id="with-files")
        assert ckan.action.package_search(fq="tags:rows")["count"] == 0


def test_the_command_of_ckanapi_loads_what_it_dumped_and_searches(
    portal: Portal, tmp_path: Path
) -> None:
    programs = Path(sys.executable).parent
    environment = {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}

    def command(*words: str) -> bytes:
        asked = [str(programs / "ckanapi"), *words, "-r", portal.address, "-a", portal.key]
        done = subprocess.run(
            asked, env=environment, cwd=tmp_path, check=False, capture_output=True, timeout=90
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    lines = tmp_path / "sets.jsonl"
    described = [
        {
            "name": f"loaded-{at}",
            "title": f"Loaded {at}",
            "owner_org": "ecology",
            "tags": [{"name": "loaded"}],
        }
        for at in range(3)
    ]
    lines.write_text("".join(json.dumps(one) + "\n" for one in described))
    command("load", "datasets", "-I", str(lines))
    found = [
        json.loads(line) for line in command("search", "datasets", "fq=tags:loaded").splitlines()
    ]
    assert sorted(one["name"] for one in found) == ["loaded-0", "loaded-1", "loaded-2"]
    dumped = command("dump", "datasets", "loaded-0", "loaded-1")
    (tmp_path / "again.jsonl").write_bytes(dumped.replace(b"Loaded", b"Reloaded"))
    command("load", "datasets", "-I", str(tmp_path / "again.jsonl"))
    shown = json.loads(command("action", "package_show", "id=loaded-1"))
    assert shown["title"] == "Reloaded 1"
    (tmp_path / "f.csv").write_text("a\n1\n")
    made = json.loads(
        command("action", "resource_create", "package_id=loaded-2", "name=f", "upload@f.csv")
    )
    assert made["size"] == 4


def test_the_calls_of_ckans_harvester_page_through_what_changed(portal: Portal) -> None:
    """The requests of ckanext-harvest's CKAN harvester: pages of 100 by id, then what is newer than the last run."""
    search = f"{portal.address}/api/3/action/package_search"

    def ask(**parameters: Any) -> Any:
        answer = requests.get(search, params=parameters, timeout=10).json()
        assert answer["success"] is True
        return answer["result"]

    first = ask(rows=2, start=0, sort="id asc", fq="")
    ids = []
    for start in range(0, first["count"], 2):
        ids += [one["id"] for one in ask(rows=2, start=start, sort="id asc", fq="")["results"]]
    assert ids == sorted(ids)
    assert len(set(ids)) == first["count"]
    newer = ask(
        rows=100, start=0, sort="id asc", fq="metadata_modified:[2020-01-01T00:00:00Z TO *]"
    )
    assert newer["count"] == first["count"]
    of_one = ask(rows=100, start=0, sort="id asc", fq="(organization:ecology OR organization:x)")
    assert of_one["count"] == first["count"]
    assert ask(fq="-organization:ecology")["count"] == 0


def test_frictionless_reads_a_dataset_with_its_tables(portal: Portal) -> None:
    package = Package(f"{portal.address}/dataset/air-quality")
    assert package.name == "air-quality"
    (resource,) = package.resources
    assert resource.path == f"{portal.address}/datastore/dump/{portal.harvested}"
    rows = resource.read_rows()
    assert (rows[0]["_id"], rows[0]["站点"], rows[0]["No"]) == (1, "东四", 1)
    assert len(rows) == 7


def test_frictionless_reads_the_catalogue(portal: Portal) -> None:
    catalog = Catalog(control=CkanControl(baseurl=portal.address, num_packages=50))
    assert "air-quality" in [dataset.name for dataset in catalog.datasets]


def test_the_older_reader_of_frictionless_pages_through_a_table(portal: Portal) -> None:
    """The calls of frictionless 4, whose dependencies are too old to be installed beside ours."""
    action = f"{portal.address}/api/3/action"

    def ask(address: str, **parameters: Any) -> Any:
        return requests.get(address, params=parameters, timeout=10).json()["result"]

    package = ask(f"{action}/package_show", id="air-quality")
    name = package["resources"][0]["id"]
    described = ask(f"{action}/datastore_search", resource_id=name, limit=0)
    assert described["resource_id"] == name
    kinds = [field["type"].rstrip("0123456789") for field in described["fields"]]
    assert kinds == ["int", "text", "int", "numeric", "bool", "date", "timestamp"]
    found = ask(f"{action}/datastore_search", resource_id=name, include_total=False)
    rows = []
    while found["records"]:
        rows += found["records"]
        found = ask(portal.address + found["_links"]["next"])
    assert [row["_id"] for row in rows] == [1, 2, 3, 4, 5, 6, 7]


def test_ckanapi_keeps_departments_people_and_what_they_follow(portal: Portal) -> None:
    with RemoteCKAN(portal.address, apikey=portal.administrator) as ckan:
        made = ckan.action.organization_create(
            name="water",
            title="Water bureau",
            groups=[{"name": "ecology"}],
            extras=[{"key": "code", "value": "W1"}],
        )
        assert [group["name"] for group in made["groups"]] == ["ecology"]
        person = ckan.action.user_create(
            name="mei", email="mei@example.org", password="correct-horse-9", with_apitoken=True
        )
        ckan.action.organization_member_create(id="water", username="mei", role="admin")
        ckan.action.vocabulary_create(name="topics", tags=[{"name": "water"}])
        with pytest.raises(ValidationError) as refused:
            ckan.action.group_create(name="A b")
        assert "lowercase" in refused.value.error_dict["name"][0]
    with RemoteCKAN(portal.address, apikey=person["token"]) as ckan:
        assert ckan.action.organization_patch(id="water", title="Waters")["title"] == "Waters"
        assert [one["name"] for one in ckan.action.organization_list_for_user()] == ["water"]
        ckan.action.follow_dataset(id="air-quality")
        assert ckan.action.am_following_dataset(id="air-quality") is True
        assert ckan.action.dashboard_activity_list()
        with pytest.raises(NotAuthorized):
            ckan.action.organization_patch(id="ecology", title="Mine")
        with pytest.raises(NotFound):
            ckan.action.group_show(id="water")


def test_the_command_of_ckanapi_carries_departments_groups_and_users(
    portal: Portal, tmp_path: Path
) -> None:
    programs = Path(sys.executable).parent

    def command(*words: str) -> list[Any]:
        done = subprocess.run(
            [str(programs / "ckanapi"), *words, "-r", portal.address, "-a", portal.administrator],
            env={**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"},
            check=False,
            capture_output=True,
            timeout=300,
        )
        assert done.returncode == 0, done.stderr
        assert b"Error" not in done.stderr, done.stderr
        return [json.loads(line) for line in done.stdout.splitlines() if line.startswith(b"{")]

    new: dict[str, list[dict[str, Any]]] = {
        "organizations": [
            {"name": "rivers", "title": "Rivers", "extras": [{"key": "code", "value": "R"}]},
            {"name": "ecology", "title": "Ecology"},
        ],
        "groups": [{"name": "lakes", "title": "Lakes", "packages": [{"name": "books"}]}],
        "users": [{"name": "han", "email": "han@example.org", "password": "correct-horse-9"}],
    }
    for kind, things in new.items():
        file = tmp_path / f"{kind}.jsonl"
        file.write_text("".join(json.dumps(thing) + "\n" for thing in things))
        command("load", kind, "-I", str(file))
        dumped = {one["name"]: one for one in command("dump", kind, "--all")}
        for thing in things:
            assert (
                dumped[thing["name"]].items()
                >= {
                    name: value
                    for name, value in thing.items()
                    if name not in ("password", "packages")
                }.items()
            )
        again = tmp_path / f"{kind}-again.jsonl"
        again.write_text("".join(json.dumps(dumped[one["name"]]) + "\n" for one in things))
        command("delete", kind, things[0]["name"])
        command("load", kind, "-I", str(again))
        after = {one["name"]: one for one in command("dump", kind, "--all")}
        if kind != "users":
            assert after[things[0]["name"]]["state"] == "active"
