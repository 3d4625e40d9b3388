"""Looks at pages as tests need them: what they contain, what they must never contain."""

from __future__ import annotations

import re
from typing import cast

from bs4 import BeautifulSoup, Tag
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

LANGUAGES = ("zh", "en")
HOSTILE = "<script>alert(1)</script> & “quotes”"


def page(client: FlaskClient, path: str, status: int = 200) -> BeautifulSoup:
    """The page at `path`, checked for what every page must have."""
    response = client.get(path)
    assert response.status_code == status, (path, response.status_code, response.text[:500])
    return checked(response)


def checked(response: TestResponse) -> BeautifulSoup:
    """The page, with its language, its title, and nothing that the content policy would stop."""
    soup = BeautifulSoup(response.text, "html.parser")
    html = one(soup, "html")
    assert html["lang"] in {"zh-Hans", "en"}
    assert one(soup, "head title").get_text(strip=True)
    assert len(soup.select("h1")) == 1
    data = '[type="application/ld+json"]'  # is read, not run: the policy does not concern it
    assert not soup.select(f"script:not([src], {data}), style, [style], [onclick], [onload]")
    assert not soup.select('[href^="javascript:"], [src^="http:"], [src^="//"]')
    assert not re.search(r"%\(\w+\)|\{\{|\{%", soup.get_text()), "a raw key or template mark"
    ids = [element["id"] for element in soup.select("[id]")]
    assert len(ids) == len(set(ids)), "an id twice"
    return soup


def one(soup: BeautifulSoup | Tag, selector: str) -> Tag:
    """The only element that fits the selector."""
    found = soup.select(selector)
    assert len(found) == 1, (selector, len(found))
    return found[0]


def words(soup: BeautifulSoup | Tag, selector: str) -> list[str]:
    """The texts of the elements that fit, with single spaces."""
    return [" ".join(element.get_text(" ").split()) for element in soup.select(selector)]


def href(soup: BeautifulSoup | Tag, selector: str) -> str:
    """The address of the only link that fits."""
    return cast("str", one(soup, selector)["href"])
