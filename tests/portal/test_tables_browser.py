"""The page of a table in a real browser: without scripts, with them, on a phone, at large text, with axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from tests.make_browser import ROOT, check_fit, make_desk, make_site
from tests.make_table_page import link_map, make_loaded_table, make_table_of_files

pytestmark = [pytest.mark.browser]
GEOJSON = ROOT / "demo" / "planning-natural-resources-geo" / "shanghai-districts.geojson"
DAYS = ("2020-02-01", "2020-02-02", "2020-02-05")
DISTRICTS = ("黄浦区", "徐汇区", "浦东新区", "崇明区", "境外输入")
ROWS = [
    {
        "date": day,
        "city": name,
        "confirmed": (at + 1) * (place + 2),
        "note": "长" * 120 if place else None,
    }
    for at, day in enumerate(DAYS)
    for place, name in enumerate(DISTRICTS)
] * 20
VIEWS = ("rows", "columns", "chart", "map", "versions", "downloads", "api")


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A running portal; the address of the page of a table with a map."""
    drawn = make_table_of_files(
        [GEOJSON],
        slug="outlines",
        notice={"zh": "样例轮廓，无审图号", "en": "Sample outlines, no approved base map"},
    )
    table = make_loaded_table(ROWS, slug="daily", title={"zh": "每日统计", "en": "Daily counts"})
    link_map(table, drawn, join=[["city", "name"]], day="date", value="confirmed")
    with make_site(app) as origin:
        yield f"{origin}/en/tables/{table}"


@pytest.fixture
def desk(chromium: Browser, address: str) -> Iterator[Page]:
    """A page on a desk, which fails the test when the browser complains."""
    with make_desk(chromium) as page:
        yield page


def said(page: Page) -> str:
    return page.inner_text("#count")


def test_everything_can_be_read_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto(address)
    page.click("text=Filter rows")
    page.select_option("#filter-column", "city")
    page.select_option("#filter-op", "is")
    page.fill("#filter-value", "黄浦区")
    page.click("text=Add filter")
    assert said(page) == "Rows 1 to 60 of 60 that match, of 300 in all"
    page.click("#sort-3")
    assert page.get_attribute("th:has(#sort-3)", "aria-sort") == "ascending"
    page.click(".weft-views >> text=Chart")
    assert page.locator(".weft-chart").bounding_box() is not None
    page.click("text=The numbers of this chart")
    assert page.locator(".govuk-details tbody tr").count() == 3
    page.click(".weft-views >> text=Map")
    page.click("#day-previous")
    assert "2 February 2020" in page.inner_text(".weft-days__day")
    context.close()


def test_sorting_filtering_and_paging_keep_the_page(desk: Page, address: str) -> None:
    desk.goto(address)
    desk.evaluate("window.stayed = true")
    desk.click("#sort-3")
    desk.wait_for_url("**sort=confirmed")
    desk.wait_for_selector("[aria-sort=ascending]")
    assert desk.evaluate("document.activeElement.id") == "sort-3"
    desk.click("summary:has-text('Filter rows')")
    desk.select_option("#filter-column", "confirmed")
    options = desk.eval_on_selector_all("#filter-op option", "all => all.map((one) => one.value)")
    assert "contains" not in options
    desk.select_option("#filter-op", "at_most")
    desk.fill("#filter-value", "8")
    desk.click("text=Add filter")
    desk.wait_for_selector(".weft-chip--remove")
    assert said(desk).startswith("Rows 1 to 100 of 180 that match")
    desk.click("#page-next")
    desk.wait_for_selector("#row-101")
    assert "that match" in desk.inner_text("[role=status]:last-child")
    desk.go_back()
    desk.wait_for_selector("#row-1")
    desk.fill("#to-row", "150")
    desk.press("#to-row", "Enter")
    desk.wait_for_selector("#row-150.weft-grid__marked")
    assert desk.evaluate("window.stayed") is True


def test_the_days_of_the_map_play_and_slide(desk: Page, address: str) -> None:
    desk.goto(f"{address}?view=map")
    slider = desk.locator(".weft-player__range")
    assert slider.input_value() == "2"
    slider.press("Home")
    desk.wait_for_url("**day=2020-02-01")
    desk.click(".weft-player button")
    desk.wait_for_url("**day=2020-02-05")
    desk.hover(".weft-map__area >> nth=0")
    assert ":" in desk.inner_text("[data-pointed]")


def test_links_beside_a_view_follow_its_state(desk: Page, address: str) -> None:
    path = "/" + address.split("/", 3)[3]
    desk.goto(address)
    desk.evaluate("document.getElementById('page-next').style.opacity = '0.9'")  # is not copied
    desk.click("#page-next")
    desk.wait_for_selector("#row-101")
    language, chart = desk.locator("#language a"), desk.locator("#views a:has-text('Chart')")
    assert language.get_attribute("href") == path.replace("/en/", "/zh/") + "?page=2"
    assert chart.get_attribute("href") == f"{path}?view=chart&page=2"
    desk.goto(f"{address}?view=map")
    desk.locator(".weft-player__range").press("Home")
    desk.wait_for_url("**day=2020-02-01")
    desk.wait_for_selector("#views a[href$='day=2020-02-01']")
    assert str(language.get_attribute("href")).endswith("?view=map&day=2020-02-01")


def test_a_row_is_found_and_marked(chromium: Browser, address: str) -> None:
    for scripts in (True, False):
        context = chromium.new_context(java_script_enabled=scripts)
        page = context.new_page()
        page.goto(address)
        page.fill("#to-row", "150")
        page.press("#to-row", "Enter")
        row = page.locator("#row-150[aria-current=true]")
        row.wait_for()
        page.wait_for_timeout(300)
        box = row.bounding_box()
        assert box is not None
        assert 0 < box["y"] < 720
        assert row.locator("td >> nth=0").evaluate(
            "cell => getComputedStyle(cell).backgroundColor"
        ) == ("rgb(255, 233, 184)")
        context.close()


def test_letters_of_a_chart_grow_with_those_of_the_page(desk: Page, address: str) -> None:
    desk.goto(f"{address}?view=chart")
    chart = desk.locator(".weft-chart")
    chart.evaluate("image => image.decode()")
    before = chart.bounding_box()
    desk.evaluate("document.documentElement.style.fontSize = '200%'")
    after, form = chart.bounding_box(), desk.locator(".weft-charting__form").bounding_box()
    assert before is not None
    assert after is not None
    assert form is not None
    assert after["width"] > 1.3 * before["width"]
    assert form["y"] + form["height"] <= after["y"]


def test_the_map_has_names_on_a_phone(chromium: Browser, address: str) -> None:
    context = chromium.new_context(viewport={"width": 360, "height": 740})
    page = context.new_page()
    page.goto(f"{address}?view=map")
    names = page.locator(".weft-map__names text:visible")
    assert {"浦东新区", "崇明区", "黄浦区", "徐汇区"} <= set(names.all_text_contents())
    sizes = names.evaluate_all("all => all.map((name) => name.getBoundingClientRect().height)")
    assert min(sizes) >= 10
    context.close()


def test_with_reduced_motion_nothing_plays(chromium: Browser, address: str) -> None:
    context = chromium.new_context(reduced_motion="reduce")
    page = context.new_page()
    page.goto(f"{address}?view=map")
    page.wait_for_selector(".weft-player__range")
    assert page.locator(".weft-player button").count() == 0
    context.close()


def test_a_choice_redraws_the_chart_and_examples_can_be_copied(desk: Page, address: str) -> None:
    desk.goto(f"{address}?view=chart")
    desk.select_option("#chart-kind", "bar")
    desk.wait_for_url("**kind=bar**")
    desk.locator(".weft-chart").evaluate("image => image.decode()")
    desk.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.goto(f"{address}?view=api")
    desk.click(".weft-copy button >> nth=0")
    assert address.rsplit("/", 1)[1] in desk.evaluate("navigator.clipboard.readText()")


@pytest.mark.parametrize(("width", "zoom"), [(1280, 1), (360, 1), (640, 2), (360, 2)])
def test_no_view_scrolls_sideways_or_fails_axe(
    chromium: Browser, address: str, width: int, zoom: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    for view in VIEWS:
        page.goto(f"{address}?view={view}&column=city&op=is&value=黄浦区")
        check_fit(page, view, zoom=zoom)
    context.close()
