"""Series, data services and the standard of data elements, written with a key."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from catalog.models.vocabulary import MemberRole, Role
from tests.make_ckan import make_app, make_key
from tests.make_dataset import make_organization, put

WRITER = {"organization": "ecology", "title": {"zh": "预算", "en": "Budgets"}}
SERVICE = {
    **WRITER,
    "endpoint_url": "https://api.example.org/air",
    "parameters": [{"name": "station", "required": True, "description": {"en": "Its number"}}],
    "datasets": ["readings"],
    "license": "CC-BY-4.0",
}
CODES = {
    "title": {"en": "Sexes"},
    "entries": [{"code": "1", "label": {"zh": "男"}}, {"code": "2", "label": {"zh": "女"}}],
}
ELEMENT = {"title": {"zh": "性别", "en": "Sex"}, "type": "string", "code_list": "sex"}


class Api:
    """Calls of the API by people with different rights."""

    def __init__(self, client: FlaskClient, keys: dict[str, str]) -> None:
        self.client, self.keys = client, keys

    def __call__(
        self, who: str, method: str, path: str, body: object = None, status: int = 200
    ) -> Any:
        key = self.keys.get(who)
        answer: TestResponse = self.client.open(
            f"/api/v1/{path}",
            method=method,
            query_string={"lang": "en"},
            json=body,
            headers={"Authorization": f"Bearer {key}"} if key else {},
        )
        assert answer.status_code == status, answer.text
        return answer.json


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Api]:
    with make_app(tmp_path_factory.mktemp("catalogue")) as app:
        make_organization("ecology")
        make_organization("health")
        put("Readings")
        keys = {
            "editor": make_key(name="editor"),
            "publisher": make_key(name="publisher", member=MemberRole.PUBLISHER),
            "stranger": make_key("health", name="stranger"),
            "operator": make_key("none", name="operator", role=Role.ADMINISTRATOR),
        }
        yield Api(app.test_client(), keys)


def test_a_series_is_written_renamed_and_withdrawn(api: Api) -> None:
    made = api("editor", "PUT", "series/budgets", {**WRITER, "frequency": "annual"})
    assert (made["slug"], made["title"], made["frequency"]) == ("budgets", "Budgets", "annual")
    put("Budget 2024", series="budgets")
    changed = api("editor", "PUT", "series/budgets", {**WRITER, "title": {"en": "All budgets"}})
    assert (changed["id"], changed["title"]) == (made["id"], "All budgets")
    assert [one["slug"] for one in changed["datasets"]] == ["budget-2024"]
    api("editor", "POST", "series/budgets/rename", {"slug": "city-budgets"}, 403)
    moved = api("publisher", "POST", "series/budgets/rename", {"slug": "city-budgets"})
    assert moved["slug"] == "city-budgets"
    assert api("", "GET", "series/budgets")["slug"] == "city-budgets"
    assert api("publisher", "POST", "series/city-budgets/withdraw") == {"id": "city-budgets"}
    api("", "GET", "series/city-budgets", status=410)
    assert api("", "GET", "series")["total"] == 0


def test_a_service_is_written_renamed_and_withdrawn_with_a_reason(api: Api) -> None:
    made = api("editor", "PUT", "services/air", SERVICE)
    assert made["parameters"] == SERVICE["parameters"]
    assert [one["slug"] for one in made["datasets"]] == ["readings"]
    assert api("", "GET", "services/air") == made
    api("publisher", "POST", "services/air/rename", {"slug": "air-2"})
    api("publisher", "POST", "services/air-2/withdraw", {"reason": {"zh": ""}}, 422)
    api("publisher", "POST", "services/air-2/withdraw", {"reason": {"zh": "停用"}})
    api("", "GET", "services/air", status=410)


def test_the_standard_is_written_by_its_operator(api: Api) -> None:
    wrong = api("operator", "PUT", "standards/elements/E1", ELEMENT, 422)
    assert wrong["problems"] == {"code_list": ["There is no such list of codes."]}
    codes = api("operator", "PUT", "standards/codes/sex", CODES)
    assert codes == {"code": "sex", "source": "", **CODES}
    assert api("", "GET", "standards/codes/sex") == codes
    listed = api("", "GET", "standards/codes")
    assert [(one["code"], one["total"]) for one in listed["results"]] == [("sex", 2)]
    made = api("operator", "PUT", "standards/elements/E1", {**ELEMENT, "format": "an1"})
    assert (made["code"], made["codes"]["entries"]) == ("E1", CODES["entries"])
    assert api("", "GET", "standards/elements/E1") == made
    api("operator", "DELETE", "standards/codes/sex", status=409)
    assert api("operator", "POST", "standards/elements/E1/retire")["retired_at"]
    api("operator", "PUT", "standards/elements/E1", {**ELEMENT, "code_list": ""})
    assert api("operator", "DELETE", "standards/codes/sex") == {"id": "sex"}
    api("", "GET", "standards/codes/sex", status=404)


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("series/of-others", WRITER),
        ("services/of-others", SERVICE),
        ("standards/elements/X", ELEMENT),
        ("standards/codes/X", CODES),
    ],
)
def test_nobody_writes_what_is_not_theirs(api: Api, path: str, body: object) -> None:
    api("", "PUT", path, body, 401)
    api("stranger", "PUT", path, body, 403)


@pytest.mark.parametrize(
    ("path", "body", "field"),
    [
        ("series/Big", WRITER, "address"),
        ("series/a", {**WRITER, "slug": "b"}, "slug"),
        ("series/a", {**WRITER, "frequency": "often"}, "frequency"),
        ("series/a", {**WRITER, "organization": "nobody"}, "organization"),
        ("services/a", {**SERVICE, "endpoint_url": "javascript:1"}, "endpoint_url"),
        ("services/a", {**SERVICE, "datasets": ["none"]}, "datasets"),
        ("services/a", {**SERVICE, "access": "closed"}, "access_reason"),
        ("standards/elements/a b", ELEMENT, "address"),
        ("standards/elements/E2", {**ELEMENT, "pattern": "("}, "pattern"),
        ("standards/codes/c", {**CODES, "entries": []}, "entries"),
    ],
)
def test_what_cannot_be_used_is_said_by_field(
    api: Api, path: str, body: object, field: str
) -> None:
    assert list(api("operator", "PUT", path, body, 422)["problems"]) == [field]
