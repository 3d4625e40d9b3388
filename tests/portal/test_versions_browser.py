"""The pages of versions in a real browser: without scripts, on a phone, in both languages, with axe."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser

from catalog.permissions import SCHEDULER
from catalog.services import citations, releases
from catalog.tabular.query import Compare, Op, TableQuery
from tests.make_browser import check_fit, make_site
from tests.make_versions import make_versions

pytestmark = [pytest.mark.browser]


@pytest.fixture
def address(app: Flask, tmp_path: Path) -> Iterator[str]:
    """A running portal with a table of four releases, one of them given up; its address with `{lang}` in it."""
    served = make_versions(tmp_path)
    releases.pin(SCHEDULER, served.table, 2)
    releases.set_retention(SCHEDULER, served.table, keep=2)
    releases.retain(served.table)
    query = TableQuery(where=Compare("n", Op.GE, 3))
    cited = citations.cite(SCHEDULER, served.table, query)
    with make_site(app) as origin:
        yield f"{origin} /tables/{served.table} /citations/{cited.citation.id}"


def pages(address: str) -> dict[str, str]:
    host, table, citation = address.split()
    paths = {
        "list": f"{table}?view=versions",
        "changes": f"{table}/changes?from=2&to=4",
        "release": f"{table}/releases/4",
        "given up": f"{table}/releases/1",
        "cite": f"{table}/cite?column=n&op=at_least&value=3",
        "citation": citation,
    }
    return {
        f"{lang} {name}": f"{host}/{lang}{path}"
        for lang in ("en", "zh")
        for name, path in paths.items()
    }


@pytest.mark.parametrize(("width", "zoom"), [(1280, 1), (360, 1), (360, 2)])
def test_no_page_of_versions_scrolls_sideways_or_fails_axe(
    chromium: Browser, address: str, width: int, zoom: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    for name, url in pages(address).items():
        page.goto(url)
        check_fit(page, name, zoom=zoom)
    context.close()


def test_releases_are_compared_and_cited_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto(pages(address)["en list"])
    page.select_option("#from", "2")
    page.select_option("#to", "4")
    page.click("button:has-text('Compare')")
    assert "What changed from release 2 to release 4" in page.inner_text("main")
    page.click(".weft-chip--kind:has-text('Changed')")
    assert page.locator("del").inner_text() == "2"
    assert page.locator("ins").inner_text() == "20"
    page.click("dl a:has-text('Release 4')")
    assert "/releases/4" in page.locator(".weft-cite").first.inner_text()
    page.click("text=Make a citation with a hash")
    page.click("button:has-text('Make the citation')")
    assert "the same rows, byte for byte" in page.inner_text("main")
    context.close()


def test_the_list_is_walked_with_the_keyboard(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    page = context.new_page()
    page.goto(pages(address)["en list"])
    page.focus("#from")
    for _ in range(3):
        page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.innerText") == "Release 4"
    page.keyboard.press("Enter")
    page.wait_for_url("**/releases/4")
    context.close()
