"""Makes documents of the search engines."""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.search import Document

TODAY = datetime(2026, 11, 22, 12, tzinfo=UTC)


def make_document(
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
        },
        modified=modified,
        uses=uses,
        card={"id": id_, "title": titles},
    )
