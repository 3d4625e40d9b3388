"""The demo in a real Chromium, as a visitor and as a developer, in both languages; then what `make demo` promises."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import sqlite3
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.functional.conftest import ONLY_EMBEDDED, ROOT, Demo, free_port, start_demo, stop_demo

pytestmark = [pytest.mark.demo, pytest.mark.browser]
AXE = ROOT / "node_modules/axe-core/axe.min.js"
WORDS = {
    "zh": {
        "query": "空气",
        "title": "空气质量",
        "search": "检索",
        "download": "下载",
        "keys": "开发大赛",
    },
    "en": {
        "query": "air quality",
        "title": "air quality",
        "search": "Search",
        "download": "Download",
        "keys": "contest",
    },
}


@pytest.fixture
def page(chromium: Browser, demo: Demo) -> Iterator[Page]:
    context = chromium.new_context(
        base_url=demo.address, accept_downloads=True, viewport={"width": 1280, "height": 900}
    )
    opened = context.new_page()
    troubles: list[str] = []
    opened.on("pageerror", lambda error: troubles.append(str(error)))
    opened.on(
        "console",
        lambda message: troubles.append(message.text) if message.type == "error" else None,
    )
    yield opened
    context.close()
    assert troubles == []


def assert_accessible(page: Page) -> None:
    """axe finds nothing serious or critical."""
    page.evaluate(AXE.read_text("utf-8"))
    found = page.evaluate("axe.run().then(result => result.violations)")
    serious = [
        (violation["id"], [node["html"][:200] for node in violation["nodes"][:3]])
        for violation in found
        if violation["impact"] in ("serious", "critical")
    ]
    assert serious == [], page.url


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_visitor_searches_previews_and_downloads(page: Page, language: str, tmp_path: Path):
    words = WORDS[language]
    page.goto(f"/{language}/")
    assert_accessible(page)
    page.locator("input[name='q']").first.fill(words["query"])
    page.get_by_role("button", name=words["search"]).first.click()
    expect(page).to_have_url(re.compile(rf"/{language}/datasets\?.*q="))
    assert_accessible(page)
    page.get_by_role("link", name=re.compile(words["title"], re.IGNORECASE)).first.click()
    expect(page).to_have_url(re.compile(rf"/{language}/datasets/air-quality-hourly"))
    assert_accessible(page)
    page.locator(f'a[href*="/{language}/tables/"]').first.click()
    expect(page.locator("table tbody tr")).to_have_count(100)
    assert "140,256" in page.inner_text("main")
    assert_accessible(page)
    page.goto(page.url.partition("?")[0] + "?sort=No&desc=1&page=3")
    assert page.locator("table tbody tr").first.locator("td").first.inner_text() == "35014"
    page.goto(page.url.partition("?")[0] + "?view=downloads")
    assert_accessible(page)
    with page.expect_download() as download:
        page.locator('a[href*="download.csv"]').first.click()
    download.value.save_as(tmp_path / "table.csv")
    assert (tmp_path / "table.csv").read_bytes().count(b"\n") == 140_257


@pytest.mark.parametrize("language", ["zh", "en"])
@pytest.mark.parametrize("view", ["columns", "chart", "map", "api"])
def test_each_view_of_the_districts_is_accessible(page: Page, demo: Demo, language: str, view: str):
    answer = urllib.request.urlopen(f"{demo.address}/api/v1/datasets/covid-shanghai-districts")
    table = json.loads(answer.read())["resources"][0]["tables"][0]["id"]
    page.goto(f"/{language}/tables/{table}?view={view}")
    assert_accessible(page)
    text = page.inner_text("main")
    if view == "map":
        assert "浦东新区" in text
        assert (
            "不是" if language == "zh" else "not"
        ) in text  # the outlines are no approved base map
        assert page.locator("svg path").count() >= 16
    if view == "api":
        assert f"/api/v1/tables/{table}/rows" in text
        assert all(word in text for word in ("curl", "Python", "JavaScript", "R"))


@pytest.mark.parametrize("language", ["zh", "en"])
def test_a_developer_gets_a_key_and_meets_its_limit(page: Page, demo: Demo, language: str):
    page.goto(f"/{language}/account/register")
    assert_accessible(page)
    page.fill("[name=name]", "Li 李")
    page.fill("[name=email]", f"{language}@team.example")
    page.fill("[name=password]", "six warps and a weft")
    page.locator("main form button[type=submit]").click()
    page.goto(f"/{language}/account/")
    page.fill("[name=name]", WORDS[language]["keys"])
    page.locator("form[action*=key] button[type=submit]").click()
    key = page.locator("#secret").input_value()
    assert key.startswith("weft_")
    assert_accessible(page)
    page.goto(f"/{language}/account/")
    assert key not in page.content()

    path = f"{demo.address}/api/v1/datasets?q={quote('人口')}&lang={language}"
    remaining = []
    while True:
        request = urllib.request.Request(path, headers={"Authorization": f"Bearer {key}"})
        try:
            with urllib.request.urlopen(request) as answer:
                remaining.append(int(answer.headers["RateLimit-Remaining"]))
                assert answer.headers["X-RateLimit-Limit"] == "40"
        except urllib.error.HTTPError as refused:
            problem = json.loads(refused.read())
            assert refused.code == 429
            assert refused.headers["Content-Type"] == "application/problem+json"
            assert 1 <= int(refused.headers["Retry-After"]) <= 60
            assert (problem["status"], problem["code"]) == (429, "too_many_requests")
            refused.close()
            break
    assert len(remaining) == 40
    assert remaining[-1] == 0


def test_the_pages_fit_a_small_phone_and_large_text(chromium: Browser, demo: Demo):
    context = chromium.new_context(base_url=demo.address, viewport={"width": 360, "height": 740})
    page = context.new_page()
    for size in ("100%", "200%"):
        for path in (
            "/zh/",
            "/en/",
            "/zh/datasets?q=区",
            "/en/datasets/air-quality-hourly",
            "/zh/organizations",
            "/en/sources",
        ):
            page.goto(path)
            page.evaluate("size => { document.documentElement.style.fontSize = size }", size)
            assert page.evaluate("document.documentElement.scrollWidth") <= 360, (path, size)
    context.close()


def test_everything_that_reads_works_without_javascript(chromium: Browser, demo: Demo):
    context = chromium.new_context(base_url=demo.address, java_script_enabled=False)
    page = context.new_page()
    page.goto("/zh/datasets")
    page.get_by_role("checkbox").first.check()
    page.locator("main form button[type=submit]:visible").last.click()
    assert "organization=" in page.url
    page.goto("/en/datasets/covid-shanghai-districts")
    page.locator('a[href*="/en/tables/"]').first.click()
    page.goto(page.url.partition("?")[0] + "?view=map")
    assert page.locator("svg path").count() >= 16
    page.goto(page.url.partition("?")[0] + "?view=chart")
    assert page.evaluate("1") == 1
    assert page.locator("main img").first.evaluate("image => image.naturalWidth") > 100
    context.close()


def runs(demo: Demo) -> int:
    with closing(sqlite3.connect(demo.folder / "catalog.sqlite")) as connection:
        return connection.execute("select count(*) from harvest_run").fetchone()[0]


def test_a_busy_port_gives_one_clear_sentence():
    with closing(socket.socket()) as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        ended = subprocess.run(
            [sys.executable, "-m", "demo.start", "--port", str(port)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
    assert ended.returncode == 1
    assert (
        ended.stderr.strip()
        == f"Port {port} is in use or not allowed: choose another one, as in: make demo PORT={port + 1}"
    )
    assert "Traceback" not in ended.stdout


def test_the_demo_prints_what_to_do(demo: Demo):
    assert demo.address in demo.printed
    assert re.fullmatch(r"\S{15,}", demo.password or "")
    assert "Three things to try" in demo.printed


@ONLY_EMBEDDED
def test_two_demos_do_not_share_a_folder(demo: Demo):
    other = start_demo(demo.folder, free_port())
    assert other.process.wait(60) == 1
    stop_demo(other)
    assert (
        other.printed.strip()
        == f"The demo runs already, at {demo.address}: stop that one first (Ctrl-C there)."
    )


@pytest.fixture
def second(tmp_path: Path, demo: Demo) -> Iterator[Demo]:
    """A second start on a copy of the harvested demo, so that the first goes on."""
    folder = tmp_path / "copy"
    subprocess.run(["cp", "-r", str(demo.folder), str(folder)], check=True)
    started = start_demo(folder, free_port())
    assert "Weft is at" in started.printed, started.printed
    yield started
    stop_demo(started)


def children_of(demo: Demo) -> list[int]:
    pid = demo.process.pid
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def assert_nothing_runs(demo: Demo, children: list[int]) -> None:
    for child in children:
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)
    with closing(socket.socket()) as probe:
        assert probe.connect_ex(("127.0.0.1", demo.port)) != 0


@ONLY_EMBEDDED
def test_a_second_start_harvests_nothing_twice_and_ctrl_c_stops_everything(
    demo: Demo, second: Demo
):
    assert second.password is None
    children = children_of(second)
    assert len(children) == 3
    stop_demo(second)
    assert runs(second) == runs(demo)
    assert_nothing_runs(second, children)


@ONLY_EMBEDDED
def test_a_worker_that_dies_ends_the_demo_with_a_sentence(second: Demo):
    children = children_of(second)
    (worker,) = [
        child
        for child in children
        if b"wsgi.py\0worker" in Path(f"/proc/{child}/cmdline").read_bytes()
    ]
    os.kill(worker, signal.SIGKILL)
    assert second.process.wait(60) == 1
    assert "The worker has ended by itself" in (
        second.process.stdout.read() if second.process.stdout else ""
    )
    assert_nothing_runs(second, children)


@ONLY_EMBEDDED
def test_closing_the_terminal_stops_everything(second: Demo):
    children = children_of(second)
    os.kill(second.process.pid, signal.SIGHUP)
    assert second.process.wait(60) == 0
    assert_nothing_runs(second, children)
