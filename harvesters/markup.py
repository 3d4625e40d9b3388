"""XML and HTML of other systems, parsed without entities, without the network and within bounds.

Standards name one thing in several namespaces, and versions of a standard differ by little else: names are
kept without their namespaces, so that `gmd:title`, `cit:title` and `dc:title` are all `title`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from html.parser import HTMLParser
from typing import Any
from urllib.parse import urldefrag, urljoin
from xml.etree import ElementTree as ET
from xml.parsers import expat

from catalog.errors import Unreadable
from harvesters.http import Answer

LARGEST = 20_000_000
"""Bytes of a document; parsed it takes about ten times as much memory."""
DEEPEST = 200
MOST_ELEMENTS = 2_000_000
LARGEST_PAGE = 5_000_000
"""Bytes of a web page whose links are read."""
MOST_LINKS = 50_000


def tree(answer: Answer) -> ET.Element:
    """The root of an XML document; raises Unreadable for what is none, or what would grow or reach outside."""
    content = answer.content
    start = content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise Unreadable("the source answered with a web page instead of XML")
    if len(content) > LARGEST:
        raise Unreadable("the XML is larger than %(limit)s bytes", limit=LARGEST)
    try:
        _Check().through(content)
        root = ET.fromstring(content)  # noqa: S314 # _Check has refused entities, depth and size
    except (expat.ExpatError, ET.ParseError, LookupError, ValueError) as error:
        raise Unreadable("the answer is no whole XML: %(reason)s", reason=str(error)) from error
    return _plain(root)


class _Check:
    """A first pass that builds nothing: it refuses entities, depth and too many elements."""

    def __init__(self) -> None:
        self._depth = self._count = 0

    def through(self, content: bytes) -> None:
        """Raise Unreadable or expat's error for what is not taken."""
        parser = expat.ParserCreate()
        parser.EntityDeclHandler = self._entity
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.Parse(content, True)  # noqa: FBT003 # expat takes no keyword

    def _entity(self, name: str, *_: Any) -> None:
        raise Unreadable("the XML defines the entity %(name)s, which is not accepted", name=name)

    def _start(self, _name: str, _attributes: Mapping[str, str]) -> None:
        self._depth += 1
        self._count += 1
        if self._depth > DEEPEST or self._count > MOST_ELEMENTS:
            raise Unreadable("the XML is nested too deeply or has too many elements")

    def _end(self, _name: str) -> None:
        self._depth -= 1


def _plain(root: ET.Element) -> ET.Element:
    """The same elements, their names and those of their attributes without namespaces."""
    names: dict[str, str] = {}
    for element in root.iter():
        tag = element.tag
        element.tag = names.get(tag) or names.setdefault(tag, tag.rpartition("}")[2])
        for name in element.keys():  # noqa: SIM118 # unlike `attrib` it makes no dictionary for each element
            if name[0] == "{":
                element.attrib.setdefault(name.rpartition("}")[2], element.attrib.pop(name))
    return root


def text_of(element: ET.Element | None) -> str:
    """All text inside an element, its blanks as single spaces but its lines kept."""
    if element is None:
        return ""
    text = "".join(element.itertext()) if len(element) else element.text or ""
    return re.sub(r"[ \t]*\n[ \t]*", "\n", re.sub(r"[ \t\r\f\v\xa0]+", " ", text)).strip()


def all_of(element: ET.Element, *paths: str) -> list[ET.Element]:
    """The elements at any of the paths, in the order of the paths."""
    return [found for path in paths for found in element.iterfind(path)]


def line_of(element: ET.Element, *paths: str) -> str:
    """The first text that is not empty at any of the paths, in one line."""
    for found in all_of(element, *paths):
        text = " ".join(text_of(found).split())
        if text:
            return text
    return ""


class _Page(HTMLParser):
    """Collects the addresses that a web page links to, and the scripts of JSON-LD in it."""

    def __init__(self) -> None:
        super().__init__()
        self.links: list[str] = []
        self.scripts: list[str] = []
        self.base = ""
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Links of `a`, the base, and the beginning of a script."""
        said = {name: value or "" for name, value in attrs}
        if tag == "a" and said.get("href") and len(self.links) < MOST_LINKS:
            self.links.append(said["href"])
        elif tag == "base" and not self.base:
            self.base = said.get("href", "")
        elif tag == "script":
            kind = said.get("type", "").partition(";")[0].strip().lower()
            self._inside = kind == "application/ld+json"
            if self._inside:
                self.scripts.append("")

    def handle_endtag(self, tag: str) -> None:
        """The end of a script."""
        if tag == "script":
            self._inside = False

    def handle_data(self, data: str) -> None:
        """The text of a script."""
        if self._inside:
            self.scripts[-1] += data


def _page(answer: Answer) -> _Page:
    page = _Page()
    try:
        page.feed(answer.text())
        page.close()
    except AssertionError as error:  # html.parser's word for what it cannot read
        raise Unreadable("the web page cannot be read") from error
    return page


def links_of(answer: Answer) -> Iterator[str]:
    """The addresses that a web page links to, whole and without fragments, each once."""
    page, seen = _page(answer), set[str]()
    try:
        base = urljoin(answer.url, page.base)
    except ValueError:
        base = answer.url
    for link in page.links:
        try:
            address = urldefrag(urljoin(base, link.strip())).url
        except ValueError:
            continue
        if address not in seen:
            seen.add(address)
            yield address


def scripts_of(answer: Answer) -> list[str]:
    """The texts of a web page's JSON-LD scripts."""
    return _page(answer).scripts
