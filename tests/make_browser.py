"""What the tests in a real browser share: a running portal, a page that must not complain, axe, widths."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from flask import Flask
from playwright.sync_api import Browser, Page
from werkzeug.serving import make_server

ROOT = Path(__file__).parents[1]
AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"


@contextmanager
def make_site(app: Flask) -> Iterator[str]:
    """The portal on a port of its own; its address. Skips where the front end was not built."""
    if not (ROOT / "static" / "build" / "manifest.json").exists():
        pytest.skip("the front end was not built: run make static")
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def make_desk(chromium: Browser) -> Iterator[Page]:
    """A page on a desk, which fails the test when the browser complains."""
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    complaints: list[str] = []
    opened = context.new_page()
    opened.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type in ("error", "warning") else None
        ),
    )
    opened.on("pageerror", lambda error: complaints.append(str(error)))
    yield opened
    context.close()
    assert complaints == []


def check_fit(page: Page, place: str, *, zoom: int = 1) -> None:
    """Fail where the page scrolls sideways at letters of this size, or axe finds something serious."""
    page.add_style_tag(content=f"html {{ font-size: {zoom * 100}% }}")
    page.evaluate("document.querySelectorAll('details').forEach((one) => { one.open = true })")
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth <= {root}.clientWidth"), place
    page.add_script_tag(path=AXE)
    found = page.evaluate("axe.run()")
    serious = [
        (one["id"], [node["html"][:200] for node in one["nodes"][:3]])
        for one in found["violations"]
        if one["impact"] in ("serious", "critical")
    ]
    assert serious == [], place
