"""Makes documents of the search engines."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime

from catalog.search import PUBLIC, Document
from catalog.search.conditions import Box

TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_document(  # a maker names what a test is about
    id_: str = "1",
    *,
    zh: str = "",
    en: str = "",
    description: str = "",
    words: str = "",
    tags: tuple[str, ...] = (),
    organization: str = "transport",
    themes: tuple[str, ...] = (),
    formats: tuple[str, ...] = ("CSV",),
    modified: datetime | None = TODAY,
    uses: int = 0,
    names: tuple[str, ...] = (),
    codes: tuple[str, ...] = (),
    place: str = "",
    facts: Mapping[str, tuple[str, ...]] | None = None,
    dates: Mapping[str, datetime] | None = None,
    numbers: Mapping[str, float] | None = None,
    box: Box | None = None,
    visibility: tuple[str, ...] = (PUBLIC,),
    stamp: str = "",
    version: int = 0,
    **keywords: tuple[str, ...],
) -> Document:
    """A document with titles in the languages that are given."""
    titles = {tag: text for tag, text in (("zh", zh), ("en", en)) if text} or {"en": f"Title {id_}"}
    return Document(
        id=id_,
        slug=f"slug-{id_}",
        titles=titles,
        descriptions={"en": description} if description else {},
        words=words,
        tags=tags,
        keywords={
            "organization": (organization,),
            "theme": themes,
            "format": formats,
            "access": ("open",),
            "license": ("CC0-1.0",),
            "frequency": ("daily",),
            **keywords,
        },
        modified=modified,
        uses=uses,
        card={"id": id_, "title": titles, "slug": f"slug-{id_}", "tags": list(tags)},
        names=names,
        codes=codes,
        place=place,
        facts=facts or {},
        dates=dates or {},
        numbers=numbers or {},
        box=box,
        visibility=visibility,
        stamp=stamp,
        version=version,
    )
