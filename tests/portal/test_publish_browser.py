"""The publishers' pages in a real browser: without scripts, on a phone, at large text, with axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page

from catalog.models.vocabulary import MemberRole
from catalog.permissions import ANYONE
from catalog.schemas.inquiry import InquiryDraft
from catalog.services import inquiries, publishing
from tests.make_browser import check_fit, make_site
from tests.make_dataset import make_draft, make_organization, make_theme, put
from tests.make_office import PASSWORD, make_person

pytestmark = [pytest.mark.browser]
LONG = "街道社区综合文化活动中心建筑面积（含地下室，二〇二四年普查口径）"


@pytest.fixture
def site(app: Flask) -> Iterator[str]:
    office = make_organization("ecology").id
    make_theme()
    author = make_person("li", office, MemberRole.EDITOR)
    make_person("wang", office, MemberRole.PUBLISHER)
    put(LONG, slug="area", access="on_application", access_reason={"zh": LONG * 3}, frequency="daily",
        modified="2020-01-01", resources=[{"key": "k", "url": "https://example.org/" + "a" * 200}])  # fmt: skip
    draft = make_draft(LONG, slug="area", license="CC0-1.0", description={"zh": LONG * 9})
    publishing.hand_in(author, draft, dataset_id="area", reason="why")
    asked = InquiryDraft("error", LONG, LONG * 9, dataset="area", contact="a@b.c", public=True)
    question = inquiries.ask(ANYONE, asked, address="192.0.2.7")
    inquiries.answer(author, question.id, LONG * 5, public=True)
    inquiries.ask(ANYONE, asked, address="192.0.2.7")
    put("Gone", slug="gone")
    publishing.withdraw(make_person("root"), "gone", {"zh": LONG, "en": "Wrong"})
    with make_site(app) as origin:
        yield origin


def sign_in(page: Page, site: str, name: str) -> None:
    page.goto(f"{site}/en/account/sign-in")
    page.fill("#email", f"{name}@example.org")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/account/")


def test_a_dataset_is_registered_without_scripts(chromium: Browser, site: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    sign_in(page, site, "li")
    page.goto(f"{site}/en/publish")
    page.click("text=New dataset")
    page.fill("#title_zh", "空气")
    page.fill("#title_en", "Air")
    page.fill("#spatial_code", "x")
    page.click("text=Add a link")
    page.fill("#resource_0_url", "https://example.org/a.csv")
    page.press(
        "#title_en", "Enter"
    )  # it is the draft that is saved, and no button of a file is pressed
    page.click(".govuk-error-summary a")
    assert page.url.endswith("#spatial_code")
    page.fill("#spatial_code", "4403")
    page.fill("#description_en", "Hourly")
    page.select_option("#license", "CC0-1.0")
    page.click("text=Submit for approval")
    assert "Waits for approval" in page.inner_text("main")
    assert "https://example.org/a.csv" in page.inner_text("main")
    context.close()


@pytest.mark.parametrize(("width", "zoom"), [(1280, 1), (360, 1), (360, 2)])
def test_no_page_of_publishers_scrolls_sideways_or_fails_axe(
    chromium: Browser, site: str, width: int, zoom: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    sign_in(page, site, "wang")
    page.goto(f"{site}/en/publish?list=waiting")
    proposal = page.get_attribute(".weft-hit__title a", "href") or ""
    page.goto(f"{site}/en/publish?list=asked")
    question = page.get_attribute(".weft-hit__title a", "href") or ""
    paths = [
        *(f"/en/publish?list={one}" for one in ("mine", "waiting", "late", "wrong", "asked")),
        "/en/publish/datasets/new", "/en/publish/datasets/area/manage", "/en/publish/log", "/en/publish/bulk",
        proposal, question, "/en/inquiries/new?dataset=area", "/en/datasets/area/history?from=1&to=2",
        "/en/datasets/area/questions", "/en/datasets/area", "/en/datasets/gone", "/en/not-open", "/en/about/log",
    ]  # fmt: skip
    for path in paths:
        for lang in ("zh", "en"):
            page.goto(site + path.replace("/en/", f"/{lang}/"))
            check_fit(page, f"{lang} {path}", zoom=zoom)
    context.close()
