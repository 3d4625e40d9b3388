"""Tools of a table in a real browser: keys, shift, focus, a box drawn over a map, frames, axe at every width."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

from catalog.permissions import SCHEDULER
from catalog.services import table_columns
from tests.make_browser import check_fit, make_desk, make_site
from tests.make_table_page import make_loaded_table

pytestmark = [pytest.mark.browser]
LONG = "全市公共服务设施点位与开放时间、面积和建成日期一览（含街道社区服务点，二〇二四年普查口径）"
ROWS = [
    {
        "名称": f"街道社区综合文化活动中心图书服务点第 {at} 号",
        "kind": ("图书馆", "公园", "医院")[at % 3],
        "built": f"20{at % 20 + 1:02}-{at % 12 + 1:02}-{at % 28 + 1:02}",
        "area_of_all_floors_including_the_cellar": at * 1.5 if at % 7 else None,
        "lng": 121 + (at % 30) / 30,
        "lat": 31 + (at // 30) / 30,
    }
    for at in range(600)
]
PLACES = (
    "?panel=column&on=kind&q=图书&sort=kind&sort=built&desc=0&desc=1",
    "?panel=column&on=built",
    "?panel=column&on=area_of_all_floors_including_the_cellar&hide=lng",
    "?panel=columns",
    "?q=nowhere",
    "?view=columns",
    "?view=chart&kind=pie&x=kind",
    "?view=chart&kind=bar&x=built&unit=quarter&agg=median&y=lat&series=kind",
    "?view=map",
    "?view=map&box=121,31,121.2,31.1",
    "?view=api&by=kind&mf=avg&mc=lat&sc=kind&ac=kind&ao=is&av=公园&bc=lat&bo=more&bv=31",
    "?view=api&ac=lat&ao=is&av=high",
    "?view=api&as_of=1&jt={key}&jm=kind&jk=left&col=名称&sc=other.number",
    "?view=api&as_of=9&jt={key}&jm=lat",
    "/cite?column=kind&op=is&value=公园&hide=lng",
    "/cells",
    "/chart/embed?kind=pie&x=kind",
)


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A running portal; the address of the page of a table of places."""
    table = make_loaded_table(ROWS, slug="places", title={"zh": LONG, "en": "Places " + "x" * 60})
    with make_site(app) as origin:
        yield f"{origin}/zh/tables/{table}"


@pytest.fixture
def kinds(app: Flask) -> str:
    """A table with a key that the places can be joined with."""
    rows = [{"kind": name, "number": at} for at, name in enumerate(("图书馆", "公园", "医院"))]
    made = make_loaded_table(rows, slug="kinds", title={"zh": LONG, "en": "Kinds " + "x" * 60})
    table_columns.set_key(SCHEDULER, made, ["kind"])
    return made


@pytest.fixture
def desk(chromium: Browser, address: str) -> Iterator[Page]:  # the portal ends after the page
    """A page on a desk, which fails the test when the browser complains."""
    with make_desk(chromium) as page:
        yield page


def test_shift_sorts_further_and_turns_around(desk: Page, address: str) -> None:
    desk.goto(address)
    desk.evaluate("window.stayed = true")
    desk.click("#sort-2")
    desk.wait_for_selector("[aria-sort=ascending]")
    desk.click("#sort-3", modifiers=["Shift"])
    desk.wait_for_url("**sort=kind&desc=0&sort=built&desc=0")
    desk.wait_for_selector("th:has(#sort-3) .weft-grid__arrow:has-text('▲2')")
    desk.focus("#sort-3")
    desk.keyboard.press("Shift+Enter")
    desk.wait_for_url("**sort=kind&desc=0&sort=built&desc=1")
    desk.wait_for_selector("th:has(#sort-3) .weft-grid__arrow:has-text('▼2')")
    assert desk.evaluate("window.stayed") is True


def test_a_panel_takes_the_focus_and_gives_it_back(desk: Page, address: str) -> None:
    desk.goto(address)
    desk.evaluate("window.stayed = true")
    desk.focus("#menu-2")
    desk.keyboard.press("Enter")
    desk.wait_for_selector("#panel")
    assert desk.evaluate("document.activeElement.id") == "panel"
    desk.keyboard.press("Escape")
    desk.wait_for_selector("#panel", state="detached")
    assert desk.evaluate("document.activeElement.id") == "menu-2"
    desk.click("#menu-2")
    desk.check(".weft-pick:has-text('公园') input")
    desk.click(".weft-panel__form button")
    desk.wait_for_selector(".weft-chip--remove:has-text('公园')")
    assert "200" in desk.inner_text("#count")
    assert desk.evaluate("window.stayed") is True


def test_a_box_is_drawn_over_the_map(desk: Page, address: str) -> None:
    desk.goto(f"{address}?view=map")
    drawing = desk.locator(".weft-points")
    box = drawing.bounding_box()
    assert box is not None
    before = desk.locator(".weft-points__one").count()
    desk.mouse.move(box["x"] + 40, box["y"] + 40)
    desk.mouse.down()
    desk.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, steps=4)
    desk.mouse.up()
    desk.wait_for_url("**box=**")
    desk.wait_for_selector("#map-whole")
    assert 0 < desk.locator(".weft-points__one").count() != before


def test_choices_of_a_chart_are_drawn_at_once(desk: Page, address: str) -> None:
    desk.goto(f"{address}?view=chart&kind=bar&x=名称")
    desk.check("[name=other]")
    desk.wait_for_url("**other=1**")
    desk.wait_for_selector(".weft-remark:has-text('“')")
    desk.fill("#chart-title", "我的标题")
    desk.press("#chart-title", "Enter")
    desk.wait_for_selector(".weft-figure-box figcaption:has-text('我的标题')", state="attached")
    desk.locator(".weft-chart").evaluate("image => image.decode()")


def test_a_chart_stands_in_a_frame_of_another_site(chromium: Browser, address: str) -> None:
    frames = "".join(
        f'<iframe src="{address}{place}" width="800" height="500"></iframe>'
        for place in ("/chart/embed?kind=bar&x=kind", "")
    )

    def other_site(_environ: object, start: Callable[..., object]) -> list[bytes]:
        start("200 OK", [("Content-Type", "text/html; charset=utf-8")])
        return [frames.encode()]

    server = make_server("127.0.0.1", 0, other_site)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    context = chromium.new_context()
    page = context.new_page()
    page.goto(f"http://127.0.0.1:{server.port}/")
    inside = page.frame_locator("iframe >> nth=0")
    inside.locator(".weft-chart").evaluate("image => image.decode()")
    assert inside.locator(".weft-embed__source a").count() == 1
    assert page.frame_locator("iframe >> nth=1").locator(".weft-grid").count() == 0
    context.close()
    server.shutdown()
    thread.join()
    server.server_close()


def test_everything_works_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    page.goto(address)
    page.fill("#grid-words", "第 599 号")
    page.press("#grid-words", "Enter")
    page.wait_for_selector(".weft-chip--remove")
    page.goto(address)
    page.click("#menu-2")
    page.check(".weft-pick:has-text('公园') input")
    page.check(".weft-pick:has-text('医院') input")
    page.click(".weft-panel__form button")
    assert "400" in page.inner_text("#count")
    page.click("summary:has(.weft-icon) >> nth=1")
    page.select_option("#sort-column", "kind")
    page.select_option("#sort-column-2", "built")
    page.select_option("#sort-order-2", "1")
    page.click(".weft-tool__form--rows button")
    assert page.locator(".weft-grid__arrow").count() == 2
    page.goto(f"{address}?view=api")
    page.select_option("#build-by1", "kind")
    page.click(".weft-build button")
    assert page.locator(".weft-grid--preview tbody tr").count() == 3
    page.goto(f"{address}?view=map")
    page.click("#map-closer")
    assert page.locator("#map-whole").count() == 1
    context.close()


@pytest.mark.parametrize(("width", "zoom"), [(1280, 1), (360, 1), (360, 2)])
def test_no_tool_scrolls_sideways_or_fails_axe(
    chromium: Browser, address: str, kinds: str, width: int, zoom: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    for place in PLACES:
        page.goto(address + place.replace("{key}", kinds))
        check_fit(page, place, zoom=zoom)
    context.close()
