"""What templates write for a value, and how they look into one."""

from __future__ import annotations

import pytest
from flask import Flask
from markupsafe import Markup, escape

from portal.escaping import PageEnvironment
from portal.languages import lazy_gettext

LAZY = lazy_gettext("Search")


@pytest.mark.parametrize("value", ["a < b & 'c' > \"d\"", "空气", Markup("<b>&amp;</b>"), 12, None, LAZY])  # fmt: skip
def test_a_template_writes_what_markupsafe_would(value: object) -> None:
    environment = PageEnvironment(Flask(__name__), autoescape=True)
    shown = environment.from_string("<p>{{ value }}</p>").render(value=value)
    assert shown == f"<p>{escape(value)}</p>"


def test_what_is_no_page_is_not_escaped() -> None:
    environment = PageEnvironment(Flask(__name__), autoescape=False)
    assert environment.from_string("{{ value }}").render(value="a < b") == "a < b"


def test_where_escaping_is_switched_it_is_as_the_template_says() -> None:
    environment = PageEnvironment(Flask(__name__), autoescape=True)
    template = "{% autoescape on %}{{ value }}{% endautoescape %}"
    assert environment.from_string(template).render(value="<", on=True) == "&lt;"
    assert environment.from_string(template).render(value="<", on=False) == "<"


def test_a_dict_gives_what_it_holds_and_its_methods_stay() -> None:
    environment = PageEnvironment(Flask(__name__), autoescape=True)
    template = "{{ card.title }} {{ card.items()|length }} [{{ card.missing }}] {{ text.upper() }} [{{ text.missing }}]"
    shown = environment.from_string(template).render(card={"title": "x", "items": 1}, text="a")
    assert shown == "x 2 [] A []"
