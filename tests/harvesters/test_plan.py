from pathlib import Path

import pytest
from flask import Flask

from catalog.errors import Invalid
from catalog.permissions import SCHEDULER
from catalog.services import data_elements, organization_tree, organizations
from harvesters import plan, services

PLAN = """
themes: [{slug: water, title: {zh: 水, en: Water}}]
organizations: [{slug: water-board, title: {zh: 水务局, en: Water Board}}]
sources:
  - {slug: wells, title: {en: Wells}, kind: files, url: /data/wells, organization: water-board, schedule: weekly}
"""


def test_a_file_registers_everything_and_a_second_time_changes_nothing(app: Flask, tmp_path: Path):
    file = tmp_path / "city.yaml"
    file.write_text(PLAN, "utf-8")
    (first,) = plan.register(SCHEDULER, file)
    (again,) = plan.register(SCHEDULER, file)
    assert first.id == again.id
    assert [source.slug for source in services.sources(SCHEDULER)] == ["wells"]
    assert again.schedule == "weekly"


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a list", "may hold only"),
        ("surces: []", "may hold only"),
        ("sources: [{slug: a}]", "url"),
        ("sources: [{slug: a, url: b, colour: red}]", "colour"),
        ("sources: [{slug: a, url: b, schedule: often}]", "often"),
        ("themes: [", "city.yaml"),
        ("organizations: [{slug: a, title: {en: A}, size: 3}]", "size"),
    ],
)
def test_what_is_wrong_with_a_file_is_said(app: Flask, tmp_path: Path, text: str, says: str):
    file = tmp_path / "city.yaml"
    file.write_text(text, "utf-8")
    with pytest.raises(Invalid, match=says):
        plan.register(SCHEDULER, file)


def test_a_missing_file_is_said(app: Flask, tmp_path: Path):
    with pytest.raises(Invalid, match=r"nothing\.yaml"):
        plan.register(SCHEDULER, tmp_path / "nothing.yaml")


def test_custom_fields_standards_and_parents_come_from_files(app: Flask, tmp_path: Path):
    (tmp_path / "elements.csv").write_text("code,title_zh\nDE1,要素\n", "utf-8")
    file = tmp_path / "city.yaml"
    file.write_text(
        "standards: [elements.csv]\n"
        "organizations:\n"
        "  - {slug: city, kind: city, title: {en: City}}\n"
        "  - {slug: board, parent: city, title: {en: Board}}\n"
        "series: [{slug: years, organization: board, title: {en: Years}}]\n"
        "services: [{slug: air, organization: board, title: {en: Air}, endpoint_url: 'https://example.org/'}]\n",
        "utf-8",
    )
    assert plan.register(SCHEDULER, file) == []
    assert data_elements.show(SCHEDULER, "DE1").title == {"zh": "要素"}
    assert [
        one.slug for one in organization_tree.above(organizations.show(SCHEDULER, "board"))
    ] == ["city"]
    fields = tmp_path / "fields.yaml"
    fields.write_text("- {name: level, label: {en: Level}}\n", "utf-8")
    assert plan.set_fields(SCHEDULER, "board", fields) == 1
    fields.write_text("- [", "utf-8")
    with pytest.raises(Invalid, match=r"fields\.yaml"):
        plan.set_fields(SCHEDULER, "board", fields)
