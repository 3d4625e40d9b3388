"""The Atom feed of a saved search: what it finds, the last changed first."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.models.text import pick
from catalog.schemas.atom import Entry, Feed, entry_xml, feed_xml
from catalog.services.saved_searches import Found, address
from portal.filters import plain
from portal.languages import HTML_LANGUAGES

if TYPE_CHECKING:
    from catalog.models.saved_search import SavedSearch

LONGEST = 1_000


def feed(saved: SavedSearch, found: Sequence[Found], origin: str, own_address: str) -> bytes:
    """The feed's bytes: equal ones for an unchanged result."""
    head = Feed(
        f"urn:uuid:{saved.id}",
        saved.name,
        HTML_LANGUAGES.get(saved.language, "en"),
        found[0].changed if found else saved.created_at,
        own_address,
        origin + address(saved),
    )
    return feed_xml(head, (entry_xml(_entry(one, saved.language, origin)) for one in found))


def _entry(one: Found, language: str, origin: str) -> Entry:
    title, tag = pick(one.title, language)
    return Entry(
        f"urn:uuid:{one.id}",
        title or one.slug,
        tag,
        one.changed,
        one.published,
        f"{origin}/{language}/datasets/{one.slug}",
        pick(one.organization, language)[0] or "–",
        plain(pick(one.description, language)[0])[:LONGEST],
    )
