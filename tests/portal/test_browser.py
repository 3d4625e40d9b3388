"""The pages in a real Chromium: accessible, no sideways scroll on a phone or at large text, usable without JavaScript."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Browser, BrowserContext, Page, expect
from werkzeug.serving import make_server

from harvesters.models import RunState
from tests.make_dataset import make_organization, make_theme, put
from tests.make_source import make_source
from tests.make_table_page import make_loaded_table
from tests.portal.test_sources import make_problem, make_run

pytestmark = [pytest.mark.browser, pytest.mark.enable_socket]
ROOT = Path(__file__).parents[2]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
PAGES = (
    "",
    "datasets",
    "datasets?q=air&organization=ecology&format=CSV",
    "datasets?q=nothing-at-all",
    "datasets/air",
    "datasets/lucht",
    "organizations",
    "organizations/ecology",
    "sources",
    "sources/source",
    "about",
    "developers",
    "sql",
    "sql?q=SELECT+range+AS+n+FROM+range(300)",
    "accessibility",
    "account/sign-in",
    "no-such-page",
)
LONG = "Überlandwasserversorgungsleitungsbeschreibung" * 3


@pytest.fixture(scope="module")
def browser(chromium: Browser) -> Browser:
    """Chromium with the built styles and scripts; without them there is nothing to look at."""
    if not AXE.exists() or not (ROOT / "static/build/manifest.json").exists():
        pytest.skip("the front end was not built: run make static")
    return chromium


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    """The address of a running portal with some data."""
    fill()
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()


def fill() -> None:
    """Datasets, departments, a theme, a source with a problem; some of it long or in other languages."""
    make_theme(icon="environment")
    make_organization(title={"zh": "生态局", "en": "Ecology"}, description={"zh": "测量空气。"})
    make_loaded_table(
        [{"station": "A", "value": 1}],
        themes=["environment"],
        tags=["PM2.5", LONG[:60]],
        description={
            "en": f"Read [more](https://example.org/). `{LONG}`\n\n| a | b |\n| - | - |\n| 1 | 2 |"
        },
        notice={"en": "Sample data."},
        frequency="daily",
        modified=datetime(2020, 1, 1, tzinfo=UTC),
        license="CC-BY-4.0",
    )
    put(
        LONG,
        title={"nl": LONG, "fr": "Qualité de l'air"},
        slug="lucht",
        access="closed",
        access_reason={"zh": "不公开"},
    )
    for number in range(22):
        put(f"Set {number}", resources=[{"key": "a", "format": "XLSX"}])
    run = make_run(
        make_source("dcat", f"https://{LONG[:50]}.example.org/"),
        state=RunState.FAILED,
        refused=1,
        seen=3,
    )
    make_problem(run, key=LONG)


def opened(browser: Browser, width: int = 1280, **options: Any) -> BrowserContext:
    """A fresh window; a page that logs an error fails the test that looks at it."""
    return browser.new_context(viewport={"width": width, "height": 900}, **options)


def visit(context: BrowserContext, address: str) -> tuple[Page, list[str]]:
    """The page and what its console complained about."""
    page = context.new_page()
    complaints: list[str] = []
    page.on(
        "console",
        lambda message: complaints.append(message.text) if message.type == "error" else None,
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(address)
    return page, [words for words in complaints if "404" not in words]


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_axe_finds_nothing(browser: Browser, site: str, lang: str) -> None:
    context = opened(browser)
    found = {}
    for path in PAGES:
        page, complaints = visit(context, f"{site}/{lang}/{path}")
        assert not complaints, path
        page.evaluate(AXE.read_text())
        result = page.evaluate(
            "axe.run({runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice']})"
        )
        if result["violations"]:
            found[path] = [
                (v["id"], v["nodes"][0]["html"][:200], v["nodes"][0]["failureSummary"][:300])
                for v in result["violations"]
            ]
        page.close()
    assert not found
    context.close()


@pytest.mark.parametrize(("width", "size"), [(360, 100), (320, 100), (640, 200), (1280, 200)])
def test_no_page_scrolls_sideways(browser: Browser, site: str, width: int, size: int) -> None:
    context = opened(browser, width)
    wide = {}
    for path in PAGES:
        page, _ = visit(context, f"{site}/en/{path}")
        page.evaluate("size => document.documentElement.style.fontSize = `${size}%`", size)
        found = page.evaluate("document.documentElement.scrollWidth")
        if found > width:
            wide[path] = found
        page.close()
    assert not wide
    context.close()


def test_without_javascript_facets_words_and_pages_work(browser: Browser, site: str) -> None:
    context = opened(browser, 360, java_script_enabled=False)
    page, _ = visit(context, f"{site}/en/datasets")
    page.click(".weft-facets__summary")
    page.check("#organization-ecology")
    page.click(".weft-facets__apply")
    assert "organization=ecology" in page.url
    assert page.locator(".weft-chip--remove").count() == 1
    page.click("a[rel=next]")
    assert "page=2" in page.url
    page.fill("#q", "air")
    page.press("#q", "Enter")
    page.click(".weft-hit__title a >> text=Air quality")
    assert page.locator("h1").inner_text() == "Air quality"
    assert page.locator(".weft-nav__link").first.is_visible()
    context.close()


def test_on_wide_screens_facets_are_open_without_javascript(browser: Browser, site: str) -> None:
    context = opened(browser, java_script_enabled=False)
    page, _ = visit(context, f"{site}/zh/datasets")
    assert page.locator("#organization-ecology").is_visible()
    context.close()


@pytest.mark.parametrize("width", [1280, 360])
def test_a_choice_changes_the_results_in_place(browser: Browser, site: str, width: int) -> None:
    context = opened(browser, width)
    page, complaints = visit(context, f"{site}/en/datasets")
    page.evaluate("window.kept = true")
    if width == 360:
        page.click(".weft-facets__summary")
    with page.expect_response("**/en/datasets?*"):
        page.check("#format-CSV")
    expect(page.locator(".weft-hit")).to_have_count(1)
    assert page.url == f"{site}/en/datasets?format=CSV"
    assert page.evaluate("window.kept")
    assert page.evaluate("document.activeElement.id") == "format-CSV"
    assert page.locator("#format-CSV").is_visible()
    page.go_back()
    expect(page.locator(".weft-hit")).to_have_count(20)
    assert not complaints
    context.close()


def test_the_menu_opens_on_a_phone(browser: Browser, site: str) -> None:
    context = opened(browser, 360)
    page, _ = visit(context, f"{site}/en/")
    assert not page.locator(".weft-nav__link").first.is_visible()
    page.click(".weft-nav__toggle")
    page.click(".weft-nav__link >> nth=0")
    assert page.url == f"{site}/en/datasets"
    context.close()


def test_the_keyboard_reaches_the_content_first(browser: Browser, site: str) -> None:
    context = opened(browser)
    page, _ = visit(context, f"{site}/en/datasets")
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "govuk-skip-link"
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main-content"
    context.close()


def test_high_contrast_and_print_show_the_content(browser: Browser, site: str) -> None:
    context = opened(browser, forced_colors="active", reduced_motion="reduce")
    page, complaints = visit(context, f"{site}/en/datasets/air")
    assert page.locator(".weft-tables__open").is_visible()
    page.emulate_media(media="print")
    assert page.locator("h1").is_visible()
    assert not page.locator(".weft-nav").is_visible()
    assert not complaints
    context.close()
