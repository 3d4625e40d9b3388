"""The OpenAPI description: complete, and true of what the API answers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import schemathesis
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from api.v1.description import ERRORS, HEADERS, N_, SCHEMAS
from api.v1.downloads import FORMATS
from catalog.db import db
from catalog.permissions import SCHEDULER
from catalog.schemas.narrowing import DESCRIPTIONS
from catalog.search.facets import FACETS
from catalog.services import search
from catalog.settings import Settings
from tests.make_portal import Served, make_served
from wsgi import create_app

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)


KNOWN_SLUGS = {
    "showDataset": "air-quality",
    "similarDatasets": "air-quality",
    "showOrganization": "ecology",
}


@pytest.fixture
def described(client: FlaskClient) -> dict[str, Any]:
    return dict(client.get("/api/v1/openapi.json?lang=en").json)


def operations(described: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    for path, methods in described["paths"].items():
        for method, operation in methods.items():
            if method in ("get", "post", "put", "patch", "delete"):
                yield path, operation


def test_every_endpoint_of_the_api_is_described(app: Flask, described: dict[str, Any]) -> None:
    rules = {
        re.sub(r"<(?:[^<>:]*:)?(\w+)>", r"{\1}", rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.rule.startswith("/api/v1/")
    }
    assert set(described["paths"]) == rules - {"/api/v1/", "/api/v1/openapi.json"}


def test_every_operation_says_what_it_takes_and_answers(described: dict[str, Any]) -> None:
    names = set()
    for path, operation in operations(described):
        names.add(operation["operationId"])
        assert operation["summary"], path
        assert set(operation["responses"]) >= {"200", "400", "401", "422", "429", "503"}
        assert ("404" in operation["responses"]) == (
            "{" in path or path.endswith(("/sql", "/tables"))
        )
        assert set(operation["responses"]["200"]["headers"]) >= set(HEADERS)
        for parameter in operation["parameters"]:
            assert parameter["in"] == "path" or parameter["description"], (path, parameter)
    assert len(names) == len(list(operations(described)))


def test_every_facet_is_a_parameter_of_the_search(described: dict[str, Any]) -> None:
    parameters = {p["name"] for p in described["paths"]["/api/v1/datasets"]["get"]["parameters"]}
    assert parameters == {
        *("lang", "q", "sort", "limit", "offset"),
        *DESCRIPTIONS,
        *(facet.name for facet in FACETS),
    }


def test_errors_keys_and_schemas_are_described(described: dict[str, Any]) -> None:
    parts = described["components"]
    assert set(parts["schemas"]) >= set(SCHEMAS)
    assert set(parts["securitySchemes"]) == {"bearer", "header"}
    assert "content" not in parts["responses"]["Problem414"]
    for status in ERRORS.keys() - {"414"}:
        content = parts["responses"][f"Problem{status}"]["content"]
        assert list(content) == ["application/problem+json"]
    assert described["openapi"].startswith("3.1")
    assert described["servers"] == [{"url": "http://localhost"}]


def test_examples_are_those_of_the_catalogue(
    app: Flask, client: FlaskClient, tmp_path: Path
) -> None:
    served = make_served(tmp_path)
    search.reindex(SCHEDULER)
    paths = client.get("/api/v1/openapi.json?lang=en").json["paths"]
    tried = 0
    for path, methods in paths.items():
        both = [*methods.get("parameters", []), *methods.get("get", {}).get("parameters", [])]
        example = {p["name"]: p["example"] for p in both if "example" in p}
        if "/tables/" in path and "get" in methods:
            assert example.pop("table_id") == served.table
            number = str(example.pop("number", ""))
            address = path.replace("{table_id}", served.table).replace("{number}", number)
            if path.endswith((".geojson", ".gpkg")):
                continue  # this table has no places
            if path.endswith("/query"):
                content = methods["post"]["requestBody"]["content"]
                question = content["application/json"]["example"]
                assert client.post(address, json=question).json["total"] > 0
                continue
            assert client.get(address, query_string=example).status_code == 200
            tried += 1
    assert tried == 25
    body = paths["/api/v1/sql"]["post"]["requestBody"]["content"]["application/json"]["example"]
    assert served.table in body["sql"]
    assert client.post("/api/v1/sql", json=body).status_code == 200
    slugs = {
        path: methods["parameters"][0]["example"]
        for path, methods in paths.items()
        if "slug" in path
    }
    assert set(slugs.values()) == {"air-quality", "ecology"}


def test_what_is_told_of_closed_data_is_said(described: dict[str, Any]) -> None:
    resources = described["components"]["schemas"]["Dataset"]["properties"]["resources"]
    assert "not open" in resources["description"]


def test_no_reference_leads_nowhere(described: dict[str, Any]) -> None:
    def check(part: Any) -> None:
        if isinstance(part, list):
            for inner in part:
                check(inner)
        elif isinstance(part, dict):
            if isinstance(part.get("$ref"), str):
                kind, name = part["$ref"].removeprefix("#/components/").split("/")
                assert name in described["components"][kind]
            for inner in part.values():
                check(inner)

    check(described)


def test_sentences_are_translated_and_kept_by_language(
    app: Flask, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("api.v1.openapi.gettext", lambda words: f"«{words}»")
    first = client.get("/api/v1/openapi.json?lang=zh").json
    search = first["paths"]["/api/v1/datasets"]["get"]
    assert search["summary"] == "«Search datasets»"
    assert search["parameters"][1]["name"] == "q"
    monkeypatch.undo()
    assert client.get("/api/v1/openapi.json?lang=zh").json == first
    assert client.get("/api/v1/openapi.json?lang=en").json != first
    assert N_("x") == "x"


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Any, Served]]:
    """The description of one portal with a table, for all calls that are made up after it: reading it takes a second."""
    folder: Path = tmp_path_factory.mktemp("portal")
    given = Settings(
        data_dir=str(folder / "var"), queue_url="immediate:", secret_key="x", log_level="ERROR"
    )
    app = create_app(replace(given, limit_anonymous="1000000/minute", limit_basic="1000000/minute"))
    with app.app_context():
        db.create_all()
        served = make_served(folder)
        db.session.remove()
    yield schemathesis.openapi.from_wsgi("/api/v1/openapi.json?lang=en", app), served
    with app.app_context():
        db.engine.dispose()


NEED_A_KEY = (
    "putSeries",
    "renameSeries",
    "withdrawSeries",
    "putService",
    "renameService",
    "withdrawService",
    "putElement",
    "retireElement",
    "putCodes",
    "deleteCodes",
    "sendRecords",
    "sendRows",
    "showBatch",
)
"""Without one they answer 401 or 422 only, which few examples show."""
OPERATIONS = (
    *NEED_A_KEY,
    "listCodes",
    "showCodes",
    "searchDatasets",
    "showDataset",
    "suggest",
    "similarDatasets",
    "listOrganizations",
    "showOrganization",
    "listSeries",
    "showSeries",
    "listServices",
    "showService",
    "listElements",
    "showElement",
    "showTable",
    "readRows",
    "countRows",
    "groupRows",
    "queryTable",
    "runSql",
    "listReleases",
    "showRelease",
    "showManifest",
    "makeTable",
    "writeRows",
    "deleteRows",
    "replaceRows",
    "changeTable",
    "dropTable",
    "showChanges",
    "changes_csv",
    "changes_jsonl",
    "makeCitation",
    "showCitation",
    *(f"download_{kind.replace('.', '_')}" for kind in FORMATS),
    *(f"downloadRelease_{kind.replace('.', '_')}" for kind in FORMATS),
    "readSchema",
    "listCells",
    "downloadCells",
    "convertCoordinates",
    "propose",
    "showProposal",
    "submitProposal",
    "approveProposal",
    "returnProposal",
    "discardProposal",
    "withdrawDataset",
    "publishAgain",
    "mergeDataset",
    "renameDataset",
    "restoreRevision",
    "listRevisions",
    "compareRevisions",
    "listNotOpen",
)


@pytest.mark.parametrize("operation_id", OPERATIONS)
def test_answers_are_as_described(busy: tuple[Any, Served], operation_id: str) -> None:
    schema, served = busy
    operation = schema.find_operation_by_id(operation_id)

    @settings(
        max_examples=5 if operation_id in NEED_A_KEY else 30,
        deadline=None,
        suppress_health_check=list(HealthCheck),
        database=None,
    )
    @given(case=operation.as_strategy(), known=st.booleans())
    def call(case: Any, *, known: bool) -> None:
        parameters = case.path_parameters or {}
        if known and "table_id" in parameters:
            parameters["table_id"] = served.table
        if known and "number" in parameters:
            parameters["number"] = 1
        if known and "slug" in parameters:
            parameters["slug"] = KNOWN_SLUGS.get(operation_id, "air-quality")
        case.validate_response(case.call(), checks=CHECKS)

    call()


def test_every_operation_is_tried(described: dict[str, Any]) -> None:
    assert {operation["operationId"] for _, operation in operations(described)} == set(OPERATIONS)
