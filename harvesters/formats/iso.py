"""A folder of ISO 19115 records: a web page with links to XML files, as servers show their folders, or a local one."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import unquote, urlsplit

from marshmallow import Schema, fields, validate

from catalog.errors import CatalogError, Unreadable
from harvesters.formats import metadata
from harvesters.formats.iso_record import identifier_of, records_in
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Answer, Http
from harvesters.markup import LARGEST, LARGEST_PAGE, links_of, tree

MOST_FOLDERS = 2_000
MOST_FILES = 200_000


class ISOOptions(metadata.MetadataOptions):
    """What a source of the kind `iso` may be told."""

    depth = fields.Integer(
        load_default=3,
        validate=validate.Range(0, 20),
        metadata={"description": "How many folders deep links are followed"},
    )


class ISO:
    """A format: each record in the XML files of a folder is a dataset."""

    kind = "iso"
    options: ClassVar[type[Schema]] = ISOOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The records of the files in order; a file that cannot be read keeps the keys that it had."""
        before: Mapping[str, list[str]] = source.memory.before.get("keys", {})
        keys: dict[str, list[str]] = {}
        source.memory.after["keys"] = keys
        for name, place in _files(source, http):
            http.beat()
            keys[name] = []
            try:
                found = list(_in_file(_answer(place, http), name, source.options))
            except CatalogError as error:
                keys[name] = before.get(name, [name])
                for key in keys[name]:
                    yield Record(key, {"file": name}, error)
                continue
            for record in found:
                keys[name].append(record.key)
                if metadata.is_wanted(record.body, source.options):
                    yield record
        if not keys:
            raise Unreadable("the folder has no XML file")

    def describe(self, record: Record) -> dict[str, Any]:
        """The record in our words."""
        return metadata.described(record.body)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """The file of an online resource."""
        return Files([http.download(load["part"]["url"], into)])


def _in_file(answer: Answer, name: str, options: Mapping[str, Any]) -> Iterator[Record]:
    """The records of one file; one without an identifier is known by the file's name."""
    records = list(records_in(tree(answer)))
    if not records:
        raise Unreadable("%(name)s holds no record of ISO 19115", name=name)
    for place, element in enumerate(records):
        key = identifier_of(element) or (f"{name}#{place}" if place else name)
        yield Record(key[:500], {"file": name, **metadata.said_in(element, options)})


def _answer(place: str | Path, http: Http) -> Answer:
    if isinstance(place, str):
        return http.get(
            place, headers={"Accept": "application/xml, text/xml, */*;q=0.1"}, most=LARGEST
        )
    if place.stat().st_size > LARGEST:
        raise Unreadable("the XML is larger than %(limit)s bytes", limit=LARGEST)
    return Answer(place.as_uri(), place.read_bytes(), {})


def _files(source: Source, http: Http) -> Iterator[tuple[str, str | Path]]:
    """Each file's name below the folder, with its address or its place on the disk."""
    if source.url.startswith(("http://", "https://")):
        yield from _linked(source, http)
        return
    folder = http.folders.place(source.url)
    if folder.is_file():
        yield folder.name, folder
        return
    for name in http.folders.names(folder):
        if name.lower().endswith(".xml"):
            yield name, http.folders.below(folder, name)


def _linked(source: Source, http: Http) -> Iterator[tuple[str, str]]:
    """The XML files that the page and the folders below it link to; nothing outside of the first folder."""
    if urlsplit(source.url).path.lower().endswith(".xml"):
        yield source.url.rpartition("/")[2], source.url
        return
    waiting = deque([(source.url, 0)])
    base, seen, count = "", {source.url}, 0
    while waiting:
        url, depth = waiting.popleft()
        page = http.get(url, headers={"Accept": "text/html"}, most=LARGEST_PAGE)
        base = base or _folder(page.url)
        for link in links_of(page):
            if link in seen or not link.startswith(base):
                continue
            seen.add(link)
            path = urlsplit(link).path
            if path.lower().endswith(".xml"):
                count += 1
                yield unquote(link[len(base) :]), link
            elif (
                path.endswith("/") and not urlsplit(link).query and depth < source.options["depth"]
            ):
                waiting.append((link, depth + 1))
        if count > MOST_FILES or len(seen) > MOST_FILES + MOST_FOLDERS:
            raise Unreadable("the folder has more than %(limit)s files", limit=MOST_FILES)


def _folder(url: str) -> str:
    """The address of the folder that a page shows."""
    return url.partition("?")[0].partition("#")[0].rpartition("/")[0] + "/"
