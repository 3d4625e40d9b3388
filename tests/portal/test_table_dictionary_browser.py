"""The forms of the data dictionary in a real browser: without scripts, on a phone, at large text, with axe."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.models.account import Account, Role
from catalog.permissions import ANYONE
from catalog.schemas.account import RegisterDraft
from catalog.services import accounts
from tests.make_browser import check_fit, make_site
from tests.make_table_page import make_loaded_table

pytestmark = [pytest.mark.browser]
PASSWORD = "correct horse battery"
LONG = "街道社区综合文化活动中心建筑面积（含地下室，二〇二四年普查口径）"
ROWS = [{LONG: at * 10, "area_of_all_floors_including_the_cellar": "x" * 80} for at in range(20)]


@pytest.fixture
def address(app: Flask) -> Iterator[str]:
    """A running portal with an administrator; the address of a table's dictionary, in `{lang}`."""
    table = make_loaded_table(ROWS, slug="places", title={"zh": LONG, "en": "Places"})
    accounts.register(
        ANYONE, RegisterDraft("wang@example.org", "王小明", PASSWORD), address="192.0.2.7"
    )
    with transaction():
        db.session.scalars(select(Account)).one().role = Role.ADMINISTRATOR
    with make_site(app) as origin:
        yield f"{origin}/{{lang}}/tables/{table}/dictionary"


def sign_in(page: Page, address: str) -> None:
    page.goto(address.format(lang="en").split("/tables/")[0] + "/account/sign-in")
    page.fill("#email", "wang@example.org")
    page.fill("#password", PASSWORD)
    page.press("#password", "Enter")
    page.wait_for_url("**/account/")


def test_a_column_is_declared_without_scripts(chromium: Browser, address: str) -> None:
    context = chromium.new_context(
        java_script_enabled=False, viewport={"width": 360, "height": 740}
    )
    page = context.new_page()
    sign_in(page, address)
    page.goto(address.format(lang="en"))
    page.click(f"a:has-text('{LONG}')")
    page.fill("#title_en", "Floor area")
    page.fill("#minimum", "much")
    page.click("button:has-text('Save')")
    page.click(".govuk-error-summary a")
    assert page.url.endswith("#minimum")
    page.fill("#minimum", "55")
    page.press("#minimum", "Enter")
    assert "6 rows: is less than the declared minimum" in page.inner_text(".weft-declare__broken")
    page.click("button:has-text('Save all the same')")
    assert "is saved" in page.inner_text("main")
    assert "least value 55" in page.inner_text(".weft-said__column >> nth=0")
    page.check(".weft-picks label:has-text('Floor area') input")
    page.click("button:has-text('Declare the key')")
    assert "The key is declared." in page.inner_text("main")
    context.close()


@pytest.mark.parametrize(("width", "zoom"), [(1280, 1), (360, 1), (360, 2)])
def test_no_form_of_the_dictionary_scrolls_sideways_or_fails_axe(
    chromium: Browser, address: str, width: int, zoom: int
) -> None:
    context = chromium.new_context(viewport={"width": width, "height": 900}, bypass_csp=True)
    page = context.new_page()
    sign_in(page, address)
    for lang in ("zh", "en"):
        overview = address.format(lang=lang)
        page.goto(overview)
        check_fit(page, f"{lang} overview", zoom=zoom)
        page.goto(overview)
        page.click(".weft-said__name a >> nth=0")
        page.fill("#minimum", "much")
        page.click("button[value=check]")
        check_fit(page, f"{lang} errors", zoom=zoom)
        page.fill("#minimum", "55")
        page.click("button[value=check]")
        page.wait_for_selector(".weft-declare__broken")
        check_fit(page, f"{lang} broken", zoom=zoom)
    context.close()
