"""The departments' server of the demo: a paged JSON interface with a key, a DCAT catalogue, a data package.

`python -m demo.server --port 8901` serves the files of this folder as the systems that they came from.
"""

from __future__ import annotations

import argparse
import csv
import gzip
import hashlib
import hmac
import io
import json
from functools import cache
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

FOLDER = Path(__file__).parent
HEALTH_KEY = "weft-demo-health-key"
LARGEST_PAGE = 1000
NUMBERS = ("confirmed", "suspected", "cured", "dead")
FILES = {
    "/belgium/catalog.rdf": ("intl-belgium-dcat/catalog.rdf", "application/rdf+xml"),
    "/world-population/datapackage.json": (
        "intl-world-population/datapackage.json",
        "application/json",
    ),
    "/world-population/data/population.csv": (
        "intl-world-population/data/population.csv",
        "text/csv",
    ),
}


@cache
def records(name: str) -> list[dict[str, Any]]:
    """The records of `districts` or `provinces`; empty cells are null, counts are numbers."""
    folder = FOLDER / "health-commission-covid"
    if name == "districts":
        packed = (folder / "shanghai-districts-daily.json.gz").read_bytes()
        found: list[dict[str, Any]] = json.loads(gzip.decompress(packed))
        return found
    text = gzip.decompress((folder / "china-provinces-daily.csv.gz").read_bytes()).decode()
    rows = csv.DictReader(io.StringIO(text))
    return [
        {key: int(value) if key in NUMBERS else value or None for key, value in row.items()}
        for row in rows
    ]


@cache
def etag(name: str) -> str:
    """Changes whenever a record does."""
    return '"' + hashlib.sha256(json.dumps(records(name)).encode()).hexdigest()[:32] + '"'


class Departments(BaseHTTPRequestHandler):
    """Answers as the departments' systems do."""

    protocol_version = "HTTP/1.1"
    timeout = 30
    server_version = "WeftDemo/1"
    quiet: ClassVar[bool] = True

    def do_HEAD(self) -> None:
        """The headers of what GET gives."""
        self.do_GET()

    def do_GET(self) -> None:
        """A file, or a page of records."""
        url = urlsplit(self.path)
        if url.path in FILES:
            name, media_type = FILES[url.path]
            content = (FOLDER / name).read_bytes()
            self._send(
                HTTPStatus.OK, content, media_type, f'"{hashlib.sha256(content).hexdigest()[:32]}"'
            )
        elif url.path == "/health/api/status":
            self._say(HTTPStatus.OK, {"code": 0, "message": "ok"})
        elif url.path in {"/health/api/districts", "/health/api/provinces"}:
            self._page(url.path.rpartition("/")[2], parse_qs(url.query))
        else:
            self._say(
                HTTPStatus.NOT_FOUND, {"code": 404, "message": "没有这个接口 / no such interface"}
            )

    def _page(self, name: str, asked: dict[str, list[str]]) -> None:
        given = self.headers.get("X-API-Key", "")
        if not hmac.compare_digest(given.encode(), HEALTH_KEY.encode()):
            self._say(
                HTTPStatus.UNAUTHORIZED, {"code": 401, "message": "需要密钥 / a key is needed"}
            )
            return
        try:
            page, size = int(asked.get("page", ["1"])[0]), int(asked.get("size", ["100"])[0])
        except ValueError:
            page = size = 0
        if page < 1 or not 1 <= size <= LARGEST_PAGE:
            self._say(
                HTTPStatus.BAD_REQUEST,
                {"code": 400, "message": "page 或 size 不对 / wrong page or size"},
            )
            return
        rows = records(name)
        items = rows[(page - 1) * size : page * size]
        data = {"total": len(rows), "page": page, "size": size, "items": items}
        self._say(HTTPStatus.OK, {"code": 0, "message": "ok", "data": data}, etag(name))

    def _say(self, status: HTTPStatus, answer: dict[str, Any], version: str = "") -> None:
        content = json.dumps(answer, ensure_ascii=False).encode()
        self._send(status, content, "application/json; charset=utf-8", version)

    def _send(self, status: HTTPStatus, content: bytes, media_type: str, version: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", media_type)
        self.send_header("Content-Length", str(len(content)))
        if version:
            self.send_header("ETag", version)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 # the signature is http.server's
        """Nothing, unless the server was told to talk."""
        if not self.quiet:
            super().log_message(format, *args)


def serve(port: int, host: str = "127.0.0.1") -> ThreadingHTTPServer:
    """A server that is bound and waits for `serve_forever`; port 0 takes a free one."""
    server = ThreadingHTTPServer((host, port), Departments)
    server.daemon_threads = True
    return server


def main() -> None:
    """Serve until the process is ended."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, default=8901)
    with serve(parser.parse_args().port) as server:
        server.serve_forever()


if __name__ == "__main__":
    main()
