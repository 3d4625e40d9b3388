"""Custom fields of an organization through every door: the API, forms, workbooks, CKAN's actions."""

from __future__ import annotations

import io
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import xlsxwriter
from flask import Flask
from flask.testing import FlaskClient
from python_calamine import CalamineWorkbook
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import Invalid
from catalog.models.dataset import Dataset
from catalog.models.organization import Organization
from catalog.models.revision import DatasetRevision
from catalog.models.vocabulary import MemberRole
from catalog.permissions import SCHEDULER, Identity
from catalog.schemas.custom_fields import typed
from catalog.services import bulk, organizations, publishing
from catalog.services.bulk_workbook import DATASETS
from tests.make_ckan import Ckan, make_app, make_key
from tests.make_dataset import make_draft, make_organization, put
from tests.make_office import make_person, send, signed_in
from tests.make_page import page, words

FIELDS: list[dict[str, Any]] = [
    {
        "name": "level",
        "label": {"zh": "等级", "en": "Level"},
        "type": "choice",
        "required": True,
        "choices": [{"value": "A", "label": {"zh": "甲", "en": "First"}}, {"value": "B"}],
    },
    {"name": "cost", "label": {"en": "Cost"}, "type": "number"},
    {"name": "begun", "label": {"en": "Begun"}, "type": "date"},
    {"name": "checked", "label": {"en": "Checked"}, "type": "boolean"},
]
GIVEN = {"level": "A", "cost": "12.5", "begun": "2024-05-31", "checked": "是"}
KEPT = {"level": "A", "cost": 12.5, "begun": "2024-05-31", "checked": True}
COMPLETE = {"description": {"en": "Hourly"}, "license": "CC-BY-4.0"}


@dataclass(frozen=True)
class Portal:
    app: Flask
    author: Identity
    approver: Identity
    browser: FlaskClient
    key: str


@pytest.fixture(scope="module")
def portal(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Portal]:
    with make_app(tmp_path_factory.mktemp("custom")) as app:
        office = make_organization("ecology", fields=FIELDS).id
        make_organization("health")
        author = make_person("li", office, MemberRole.EDITOR)
        approver = make_person("wang", office, MemberRole.PUBLISHER)
        yield Portal(app, author, approver, signed_in(app, "li"), make_key(name="machine"))


def kept(slug: str) -> dict[str, Any]:
    db.session.rollback()  # to see what requests have committed since
    found = db.session.scalars(select(Dataset).filter_by(slug=slug)).one()
    return found.custom


def test_the_api_takes_what_fits_and_names_each_field_that_does_not(portal: Portal) -> None:
    def proposed(custom: dict[str, Any], *, submit: bool = True) -> Any:
        content = {"title": {"en": "By key"}, "organization": "ecology", **COMPLETE}
        return portal.app.test_client().post(
            "/api/v1/proposals?lang=en",
            json={"dataset": {**content, "custom": custom}, "submit": submit},
            headers={"Authorization": f"Bearer {portal.key}"},
        )

    wrong = proposed({"level": "C", "cost": "dear", "colour": "red"}, submit=False)
    assert wrong.status_code == 422
    assert wrong.json["problems"]["custom"] == {
        "level": ["Must be one of the choices."],
        "cost": ["Must be a number."],
        "colour": ["There is no such field."],
    }
    missing = proposed({"cost": 3})
    assert missing.json["problems"]["custom"] == {"level": ["This field is required."]}
    draft = proposed(
        {"cost": "3"}, submit=False
    )  # a draft may lack something, until it is handed in
    assert draft.json["content"]["custom"] == {"cost": 3}
    again = portal.app.test_client().post(
        f"/api/v1/proposals/{draft.json['id']}/submit",
        headers={"Authorization": f"Bearer {portal.key}"},
    )
    assert again.json["problems"]["custom"].keys() == {"level"}
    assert proposed(KEPT).status_code == 200


def test_a_form_offers_the_choices_and_says_at_the_field_what_is_wrong(portal: Portal) -> None:
    form = {
        "organization": "ecology",
        "title_en": "By form",
        "description_en": "Hourly",
        "license": "CC-BY-4.0",
        "access": "open",
        "do": "submit",
    }
    shown = page(portal.browser, "/en/publish/datasets/new?organization=ecology")
    assert words(shown, "#custom_level option") == ["–", "First", "B"]
    assert [one["value"] for one in shown.select("#custom_checked option")] == ["", "true", "false"]
    address = "/en/publish/datasets/new"
    custom = {f"custom_{name}": value for name, value in GIVEN.items()}
    bad = send(
        portal.browser, address, {**form, **custom, "custom_level": "", "custom_begun": "soon"}
    )
    assert bad.status_code == 422
    assert (
        "Must be a date such as 2024-05-31." in bad.text.split('id="custom_begun-error"')[1][:300]
    )
    assert "custom_level-error" not in bad.text  # what is wrong comes before what is missing
    bad = send(portal.browser, address, {**form, **custom, "custom_level": ""})
    assert "This field is required." in bad.text.split('id="custom_level-error"')[1][:300]
    assert send(portal.browser, address, {**form, **custom}).status_code == 303
    revision = db.session.scalars(
        select(DatasetRevision).order_by(DatasetRevision.made_at.desc())
    ).first()
    assert revision is not None
    assert revision.content["custom"] == KEPT


def test_a_workbook_offers_the_choices_and_names_the_cells(portal: Portal) -> None:
    sheet = CalamineWorkbook.from_filelike(io.BytesIO(bulk.template(portal.author, "ecology")))
    assert "等级" in sheet.get_sheet_by_name(DATASETS).to_python()[0]
    made = io.BytesIO()
    with xlsxwriter.Workbook(made) as book:
        lines = book.add_worksheet(DATASETS)
        lines.write_row(0, 0, ["标题（英文）", "等级", "Cost", "Begun", "Checked"])
        lines.write_row(2, 0, ["By workbook", "甲 First", "12.5", "2024-05-31", "是 Yes"])
        lines.write_row(3, 0, ["Nothing", "", "dear"])
    report = bulk.load(portal.author, "ecology", made.getvalue(), only_right=True)
    assert [(one.row, one.column, one.message) for one in report.wrong] == [
        (4, "B", "This field is required."),
        (4, "C", "Must be a number."),
    ]
    assert report.new == 1
    assert kept("by-workbook") == KEPT


def test_extras_of_ckans_clients_are_values_of_the_fields(portal: Portal) -> None:
    ckan = Ckan(portal.app.test_client(), portal.key)
    sent: dict[str, Any] = {"name": "by-action", "owner_org": "ecology"}
    missing = ckan.refused("package_create", 409, **sent)
    assert (missing["level"], missing["__type"]) == (
        ["This field is required."],
        "Validation Error",
    )
    extras = [{"key": name, "value": value} for name, value in {**GIVEN, "other": "x"}.items()]
    shown = ckan.call("package_create", **sent, extras=extras)
    assert kept("by-action") == KEPT
    values = {one["key"]: one["value"] for one in shown["extras"]}
    assert values == {
        "level": "A",
        "cost": "12.5",
        "begun": "2024-05-31",
        "checked": "true",
        "other": "x",
    }
    ckan.call("package_update", **shown)
    assert kept("by-action") == KEPT
    wrong = ckan.refused(
        "package_patch", 409, id="by-action", extras=[{"key": "level", "value": "C"}]
    )
    assert wrong["level"] == ["Must be one of the choices."]
    plain = ckan.refused("package_patch", 409, id="by-action", extras=[])
    assert plain["level"] == ["This field is required."]


def test_an_approval_asks_for_what_the_organization_asks_for_by_then(portal: Portal) -> None:
    draft = make_draft("Late", custom=KEPT, **COMPLETE)
    revision = publishing.hand_in(portal.author, draft)
    more = [*FIELDS, {"name": "why", "label": {"en": "Why"}, "required": True}]
    organizations.put(SCHEDULER, "ecology", title={"en": "Ecology"}, fields=more)
    try:
        with pytest.raises(Invalid) as refusal:
            publishing.approve(portal.approver, revision.id)
    finally:
        organizations.put(SCHEDULER, "ecology", title={"en": "Ecology"}, fields=FIELDS)
    assert refusal.value.problems == {"custom": {"why": ["This field is required."]}}


def test_an_organization_without_fields_takes_anything(portal: Portal) -> None:
    put("Anything", organization="health", custom={"any": "1"})
    assert kept("anything") == {"any": "1"}
    with transaction():
        assert db.session.scalars(select(Organization).filter_by(slug="health")).one().fields == []


@pytest.mark.parametrize(
    ("text", "value"),
    [("7", 7), ("1e3", 1000.0), ("1_0", "1_0"), ("七", "七"), (" 2 ", 2), (True, True)],
)
def test_numbers_are_read_as_people_write_them(text: Any, value: Any) -> None:
    assert typed({"cost": text}, FIELDS) == {"cost": value}
