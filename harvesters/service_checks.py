"""Looks every quarter of an hour whether the data services of the catalogue answer."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from urllib.parse import urlsplit

from catalog.errors import CatalogError
from catalog.models.base import now
from catalog.queue import job
from catalog.services import uptime
from catalog.services.uptime import Seen
from harvesters.http import Http, Limits
from harvesters.loads import settings

LIMITS = Limits(
    file_bytes=1,
    page_bytes=1_000_000,
    read_seconds=10.0,
    total_seconds=15.0,
    redirects=5,
    attempts=1,
)
"""One patient question: a service that needs to be asked twice does not answer."""
PAUSE = 1.0
"""Seconds between two questions to the same host."""
ANSWERS = frozenset({401, 403, 405})
"""A service that asks for a key is there."""


@job(every_minutes=15)
def check_services() -> None:
    """Ask every public service whose last look is a quarter of an hour ago."""
    with Http(settings(), LIMITS) as http:
        look(http, uptime.due(now()), time.sleep)
    uptime.forget_old()


@job()
def check_service(service_id: str) -> None:
    """Ask one service that is new or has another address, so that its page need not wait for the next round."""
    with Http(settings(), LIMITS) as http:
        look(http, uptime.due(now(), only=service_id), time.sleep)


def look(http: Http, due: Iterable[tuple[str, str]], sleep: Callable[[float], None]) -> None:
    """Ask each address once, hosts one after the other with a pause between two questions to one."""
    asked: set[str] = set()
    for service_id, url in due:
        host = urlsplit(url).netloc
        if host in asked:
            sleep(PAUSE)
        asked.add(host)
        uptime.note(service_id, ask(http, url))


def ask(http: Http, url: str) -> Seen:
    """Whether the address answers, and how fast. A page that is larger than what is read of it answers."""
    began = time.monotonic()
    try:
        http.get(url)
    except CatalogError as error:
        took = _since(began)
        status = error.context.get("status")
        code = status if isinstance(status, int) else 0
        ok = code in ANSWERS or error.code == "too_large"
        return Seen(ok, code or (200 if ok else 0), took, "" if ok else str(error))
    return Seen(ok=True, status=200, milliseconds=_since(began))


def _since(began: float) -> int:
    return round((time.monotonic() - began) * 1000)
