"""A folder of a web server: its listing, or the files that the source names."""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote, unquote, urljoin, urlsplit

from catalog.errors import NotFound, Unreadable
from harvesters.folders import MOST_FILES
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.markup import LARGEST_PAGE, links_of
from harvesters.places.place import Entry


@contextmanager
def opened(source: Source, http: Http) -> Iterator[WebFolder]:
    """The folder; nothing is asked yet."""
    yield WebFolder(source, http)


def signed_in(options: Mapping[str, Any]) -> dict[str, str]:
    """The header that says who asks, if the source has a user."""
    if not options.get("user"):
        return {}
    pair = f"{options['user']}:{options['password']}".encode()
    return {"Authorization": f"Basic {base64.b64encode(pair).decode()}"}


class WebFolder:
    """Files are known by what the server says of each."""

    def __init__(self, source: Source, http: Http) -> None:
        self._http, self._options = http, source.options
        self._base = source.url.rstrip("/") + "/"
        self._headers = signed_in(source.options)

    def entries(self) -> Iterator[Entry]:
        """The files that are named or linked to."""
        names = self._options.get("files")
        if names is None:
            page = self._http.get(self._base, headers=self._headers, most=LARGEST_PAGE)
            names = _listed(links_of(replace(page, url=self._base)), self._base)
        public = self._options["public"] and not self._headers
        for name in names:
            yield Entry(name, url=urljoin(self._base, quote(name)) if public else "")

    def known(self, entry: Entry) -> Entry:
        """The file with what the server says of its state."""
        url = urljoin(self._base, quote(entry.name))
        return replace(entry, version=self._http.version(url, headers=self._headers))

    def fetch(self, name: str, into: Path) -> Path:
        """The file, which must lie in the folder."""
        url = urljoin(self._base, quote(name))
        if urlsplit(url)[:2] != urlsplit(self._base)[:2] or not url.startswith(self._base):
            raise NotFound("%(name)s lies outside the folder of the source", name=name)
        return self._http.download(url, into, headers=self._headers)


def _listed(links: Iterable[str], base: str) -> list[str]:
    """Names of the files that a web server's listing of a folder links to, inside that folder."""
    found = {link.partition("?")[0] for link in links}
    names = sorted(unquote(url.removeprefix(base)) for url in found if url.startswith(base))
    plain = [name for name in names if name and not name.endswith("/") and "/" not in name]
    if not plain:
        raise Unreadable("the web folder lists no files: name them in the option “files”")
    return plain[:MOST_FILES]
