"""A WebDAV folder (RFC 4918), such as those of Nextcloud: listed by PROPFIND, one folder at a time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path
from urllib.parse import quote, unquote, urljoin, urlsplit
from xml.etree import ElementTree

from catalog.errors import Denied, NotFound, Unavailable, Unreadable
from harvesters.addresses import shown
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.places.place import DEEPEST, Entry, Listed, checked, in_order, is_plain
from harvesters.places.web import signed_in

ASKED = b"""<?xml version="1.0"?><propfind xmlns="DAV:"><prop>
<resourcetype/><getcontentlength/><getlastmodified/><getetag/></prop></propfind>"""
MULTI_STATUS = 207
SPACE = "{DAV:}"


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
        return in_order(self._below("", 0))

    def fetch(self, name: str, into: Path) -> Path:
        """The file."""
        url = urljoin(self._base, quote(checked(name)))
        return self._http.download(url, into, headers=self._headers)

    def _below(self, folder: str, depth: int) -> Iterator[Entry]:
        self._http.beat()
        for answer in self._asked(folder):
            name = self._name(answer)
            steps = name.rstrip("/").split("/")
            if name.rstrip("/") == folder.rstrip("/") or not all(map(is_plain, steps)):
                continue
            if answer.find(f".//{SPACE}collection") is None:
                yield _entry(name, answer)
            elif depth < DEEPEST and len(steps) > depth:
                yield from self._below(name.rstrip("/") + "/", depth + 1)

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
        return list(read_xml(body, url).findall(f"{SPACE}response"))

    def _name(self, answer: ElementTree.Element) -> str:
        """The path below the folder; nothing for what lies elsewhere."""
        target = urljoin(self._base, (answer.findtext(f"{SPACE}href") or "").strip())
        path, base = unquote(urlsplit(target).path), unquote(urlsplit(self._base).path)
        return path.removeprefix(base) if path.startswith(base) else ""


def read_xml(body: bytes, url: str) -> ElementTree.Element:
    """An answer as XML without a document type, whose entities could be endless."""
    if b"<!DOCTYPE" in body[:10_000].upper():
        raise Unreadable("the answer of %(url)s is no whole XML", url=shown(url))
    try:
        return ElementTree.fromstring(body)  # noqa: S314 # entities need a document type
    except ElementTree.ParseError as error:
        raise Unreadable("the answer of %(url)s is no whole XML", url=shown(url)) from error


def _entry(name: str, answer: ElementTree.Element) -> Entry:
    size = answer.findtext(f".//{SPACE}getcontentlength") or ""
    tag = answer.findtext(f".//{SPACE}getetag") or ""
    changed = answer.findtext(f".//{SPACE}getlastmodified") or ""
    try:
        modified = parsedate_to_datetime(changed).isoformat() if changed else ""
    except ValueError:
        modified = ""
    version = f"etag:{tag}" if tag else f"listed:{size}:{modified}" if modified else ""
    return Entry(name, int(size) if size.isdecimal() else None, modified, version)
