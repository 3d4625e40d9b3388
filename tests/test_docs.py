"""What a user can set, choose or meet is in the reference."""

from __future__ import annotations

from dataclasses import fields

import pytest

import docs.generate as generate
import wsgi
from catalog.search.facets import FACETS
from catalog.settings import Settings
from harvesters.registry import FORMATS


def test_every_setting_has_a_line():
    page = generate.settings_page()
    for field in fields(Settings):
        assert f"`WEFT_{field.name.upper()}`" in page


def test_every_command_is_explained():
    page = generate.commands_page()
    for name, command in wsgi.weft.commands.items():
        assert f"## weft {name}" in page
        assert command.help


def test_every_facet_and_format_has_its_place():
    facets, formats = generate.facets_page(), generate.formats_page()
    assert all(f"`{facet.name}`" in facets for facet in FACETS)
    assert all(f"## {kind}" in formats for kind in FORMATS)


@pytest.mark.parametrize("kind", sorted(FORMATS))
def test_every_option_of_a_format_says_what_it_means(kind: str):
    for name, field in FORMATS[kind].options().fields.items():
        assert field.metadata.get("description"), f"{kind}: {name} has no description"


def test_every_error_is_listed_with_its_code():
    page = generate.errors_page()
    assert "| 429 | `too_many_requests` |" in page
    assert "| 410 | `gone` |" in page
