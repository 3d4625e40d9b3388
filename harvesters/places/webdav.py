"""A WebDAV folder (RFC 4918), such as those of Nextcloud: listed by PROPFIND, one folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.etree import ElementTree

from catalog.errors import Denied, NotFound, Unavailable
from harvesters.addresses import shown
from harvesters.harvester import Source
from harvesters.http import Answer, Http
from harvesters.markup import tree
from harvesters.places.place import Entry, Listed, checked, entry, in_order, size_of, walked
from harvesters.places.web import signed_in

ASKED = b"""<?xml version="1.0"?><propfind xmlns="DAV:"><prop>
<resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>"""
MULTI_STATUS = 207


@contextmanager
def opened(source: Source, http: Http) -> Iterator[DavFolder]:
    """The folder; nothing is asked yet."""
    yield DavFolder(source, http)


class DavFolder(Listed):
    """Files are known by their ETag, or by size and moment of change."""

    def __init__(self, source: Source, http: Http) -> None:
        scheme, _, rest = source.url.partition("://")
        self._http = http
        self._base = ("https" if scheme == "davs" else "http") + "://" + rest.rstrip("/") + "/"
        self._headers = signed_in(source.options)

    def entries(self) -> list[Entry]:
        """The files, also of folders inside."""
        return in_order(walked(self._http, self._listed))

    def fetch(self, name: str, into: Path) -> Path:
        """The file."""
        url = urljoin(self._base, quote(checked(name)))
        return self._http.download(url, into, headers=self._headers)

    def _listed(self, folder: str) -> Iterator[tuple[str, Entry | None]]:
        """What lies in the folder; it names itself, too, which is nothing below it."""
        for answer in self._asked(folder):
            name = self._name(answer)
            is_folder = answer.find(".//collection") is not None
            yield name.rstrip("/"), None if is_folder else _entry(name, answer)

    def _asked(self, folder: str) -> list[ElementTree.Element]:
        url = urljoin(self._base, quote(folder))
        sent = {**self._headers, "Depth": "1", "Content-Type": "application/xml"}
        status, body = self._http.ask("PROPFIND", url, headers=sent, content=ASKED)
        if status in {401, 403}:
            raise Denied(
                "%(url)s refuses access (%(status)s): check the key or password of the source",
                url=shown(url),
                status=status,
            )
        if status in {404, 410}:
            raise NotFound(
                "there is nothing at %(url)s (%(status)s)", url=shown(url), status=status
            )
        if status != MULTI_STATUS:
            raise Unavailable(
                "%(url)s answers with the error %(status)s", url=shown(url), status=status
            )
        return tree(Answer(url, body, {})).findall("response")

    def _name(self, answer: ElementTree.Element) -> str:
        """The path below the folder; nothing for what lies elsewhere."""
        target = urljoin(self._base, (answer.findtext("href") or "").strip())
        path, base = unquote(urlsplit(target).path), unquote(urlsplit(self._base).path)
        return path.removeprefix(base) if path.startswith(base) else ""


def _entry(name: str, answer: ElementTree.Element) -> Entry:
    size = size_of(answer.findtext(".//getcontentlength") or "")
    changed = answer.findtext(".//getlastmodified") or ""
    try:
        modified = parsedate_to_datetime(changed).isoformat() if changed else ""
    except ValueError:
        modified = ""
    return entry(name, size, modified, answer.findtext(".//getetag") or "")
