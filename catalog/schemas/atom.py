"""Atom (RFC 4287): feeds of datasets as XML; those of the catalogue and those of saved searches are alike."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from html import escape

MEDIA_TYPE = "application/atom+xml"
NAMESPACES = 'xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"'
NO_XML = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\ufffe\uffff\ud800-\udfff]")
"""Signs that XML has no way to write."""


@dataclass(frozen=True)
class Feed:
    """What stands at the head of a feed."""

    id: str
    title: str
    language: str
    updated: datetime
    here: str
    """Its own address."""
    page: str
    """Address of the page that shows the same to people."""
    author: str = ""
    """Empty where every entry names its own."""


@dataclass(frozen=True)
class Entry:
    """A dataset in a feed."""

    id: str
    title: str
    language: str
    updated: datetime
    published: datetime
    page: str
    author: str
    summary: str = ""
    turtle: str = ""
    """Address of its description in Turtle."""
    subjects: Sequence[str] = ()


def feed_xml(feed: Feed, entries: Iterable[str]) -> bytes:
    """The feed with its entries, which are XML already: equal bytes for equal content."""
    author = f"<author><name>{plain(feed.author)}</name></author>\n" if feed.author else ""
    head = (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed {NAMESPACES} xml:lang="{feed.language}">\n'
        f"<id>{plain(feed.id)}</id>\n<title>{plain(feed.title)}</title>\n"
        f"<updated>{stamp(feed.updated)}</updated>\n"
        f'<link rel="self" type="{MEDIA_TYPE}" href="{plain(feed.here)}"/>\n'
        f'<link rel="alternate" type="text/html" href="{plain(feed.page)}"/>\n{author}'
    )
    return "".join([head, *entries, "</feed>\n"]).encode()


def entry_xml(entry: Entry) -> str:
    """An entry as XML."""
    turtle = f'<link rel="enclosure" type="text/turtle" href="{plain(entry.turtle)}"/>\n'
    return "".join(
        (
            f'<entry xml:lang="{plain(entry.language)}">\n<id>{plain(entry.id)}</id>\n',
            f"<title>{plain(entry.title)}</title>\n<updated>{stamp(entry.updated)}</updated>\n",
            f"<published>{stamp(entry.published)}</published>\n",
            f'<link rel="alternate" type="text/html" href="{plain(entry.page)}"/>\n',
            turtle if entry.turtle else "",
            f"<author><name>{plain(entry.author)}</name></author>\n",
            *(f'<category term="{plain(term)}"/>\n' for term in entry.subjects if term),
            f"<summary>{plain(entry.summary or entry.title)}</summary>\n</entry>\n",
        )
    )


def plain(text: str) -> str:
    """The text as it stands in XML."""
    return escape(NO_XML.sub("", text))


def stamp(moment: datetime) -> str:
    """A moment in UTC to the second, as feeds and maps of sites have it."""
    return f"{moment.astimezone(UTC).isoformat(timespec='seconds')[:19]}Z"
