"""Atom (RFC 4287): what a saved search finds, the last changed first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING
from xml.etree import ElementTree as ET

from catalog.models.text import pick
from catalog.services.saved_searches import Found, address
from portal.filters import plain
from portal.languages import HTML_LANGUAGES

if TYPE_CHECKING:
    from datetime import datetime

    from catalog.models.saved_search import SavedSearch

NAMESPACE = "http://www.w3.org/2005/Atom"
XML_LANG = "{http://www.w3.org/XML/1998/namespace}lang"
ET.register_namespace("", NAMESPACE)


def feed(saved: SavedSearch, found: Sequence[Found], origin: str, own_address: str) -> bytes:
    """The feed's bytes: equal ones for an unchanged result."""
    root = ET.Element(f"{{{NAMESPACE}}}feed", {XML_LANG: HTML_LANGUAGES.get(saved.language, "en")})
    _add(root, "id", f"urn:uuid:{saved.id}")
    _add(root, "title", saved.name)
    _add(root, "updated", _moment(found[0].changed if found else saved.created_at))
    _link(root, "self", own_address, "application/atom+xml")
    _link(root, "alternate", origin + address(saved), "text/html")
    for one in found:
        _entry(root, one, saved.language, origin)
    return b'<?xml version="1.0" encoding="utf-8"?>\n' + ET.tostring(root, "unicode").encode()


def _entry(root: ET.Element, one: Found, language: str, origin: str) -> None:
    entry = ET.SubElement(root, f"{{{NAMESPACE}}}entry")
    _add(entry, "id", f"urn:uuid:{one.id}")
    _add(entry, "title", pick(one.title, language)[0] or one.slug)
    _add(entry, "updated", _moment(one.changed))
    _add(entry, "published", _moment(one.published))
    author = ET.SubElement(entry, f"{{{NAMESPACE}}}author")
    _add(author, "name", pick(one.organization, language)[0] or "–")
    _link(entry, "alternate", f"{origin}/{language}/datasets/{one.slug}", "text/html")
    summary = plain(pick(one.description, language)[0])
    if summary:
        _add(entry, "summary", summary[:1000])


def _add(parent: ET.Element, name: str, text: str) -> None:
    """A child with a text, without signs that XML has no way to write."""
    child = ET.SubElement(parent, f"{{{NAMESPACE}}}{name}")
    child.text = "".join(sign for sign in text if sign in "\t\n\r" or " " <= sign < "\ufffe")


def _link(parent: ET.Element, relation: str, place: str, type_: str) -> None:
    ET.SubElement(parent, f"{{{NAMESPACE}}}link", {"rel": relation, "href": place, "type": type_})


def _moment(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds")
