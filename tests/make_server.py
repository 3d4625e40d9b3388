"""Maker of real HTTP servers that behave as badly as a test wants."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

Behaviour = Callable[["Asked"], None]


class Asked(BaseHTTPRequestHandler):
    """A request, with what a behaviour needs to answer it."""

    protocol_version = "HTTP/1.1"
    timeout = 10
    body = b""

    def do_GET(self) -> None:
        """Whatever the test wants for this path."""
        server: Any = self.server
        path = self.path.partition("?")[0]
        server.asked.append((self.command, self.path, dict(self.headers)))
        behaviour = server.behaviours.get(path)
        with contextlib.suppress(ConnectionError):
            if behaviour is None:
                self.answer(b"nothing here", status=404)
            else:
                behaviour(self)

    def do_POST(self) -> None:
        """As GET; the body is read first."""
        self.body = self.rfile.read(int(self.headers.get("Content-Length", "0")))
        self.do_GET()

    def do_PROPFIND(self) -> None:
        """As POST."""
        self.do_POST()

    def do_HEAD(self) -> None:
        """As GET; `answer` leaves the body out."""
        self.do_GET()

    def answer(
        self,
        content: bytes,
        *,
        status: int = 200,
        media_type: str = "application/json",
        headers: Mapping[str, str] | None = None,
    ) -> None:
        """A whole answer."""
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the signature is http.server's
        """Nothing."""


@dataclass
class Served:
    """A running server: where it is, and what it was asked for."""

    port: int
    behaviours: dict[str, Behaviour]
    asked: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    close: Callable[[], None] = lambda: None
    """Stops the server in the middle of a test."""

    @property
    def host(self) -> str:
        """Host and port, as the settings list them."""
        return f"127.0.0.1:{self.port}"

    @property
    def url(self) -> str:
        """Address without a slash at the end."""
        return f"http://{self.host}"


class Quiet(ThreadingHTTPServer):
    """A server whose clients may hang up without a word."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Nothing: clients that hang up are what the tests are about."""


@contextmanager
def make_server(behaviours: Mapping[str, Behaviour] | None = None) -> Iterator[Served]:
    """A server on a free port; `behaviours` maps a path to what answers it."""
    server: Any = Quiet(("127.0.0.1", 0), Asked)

    def close() -> None:
        server.shutdown()
        server.server_close()

    served = Served(server.server_address[1], dict(behaviours or {}), close=close)
    server.behaviours, server.asked = served.behaviours, served.asked
    thread = threading.Thread(
        target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True
    )
    thread.start()
    try:
        yield served
    finally:
        close()


def plain(content: bytes, **how: Any) -> Behaviour:
    """Answers with this content."""
    return lambda asked: asked.answer(content, **how)


def failing(times: int, then: bytes, status: int = 500) -> Behaviour:
    """Answers with an error so many times, then with content."""
    left = [times]

    def behave(asked: Asked) -> None:
        if left[0]:
            left[0] -= 1
            asked.answer(b"", status=status)
        else:
            asked.answer(then)

    return behave


def redirecting(target: str, status: int = 302) -> Behaviour:
    """Sends to another address."""
    return lambda asked: asked.answer(b"", status=status, headers={"Location": target})
