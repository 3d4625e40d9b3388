"""A dataset as a document of the search engines, and the card that lists show of it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from catalog.models.base import Texts
from catalog.models.dataset import Dataset
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnAccess
from catalog.search.engine import Document

CARD_DESCRIPTION = 300
"""Characters of the description on a card, in each language."""
MOST_WORDS = 200_000
"""Characters of further searchable text: a workbook may have tens of thousands of columns."""


def document_of(dataset: Dataset) -> Document:
    """The document of a dataset whose organization, themes, resources, tables and columns are loaded."""
    changed = last_change(dataset)
    return Document(
        id=dataset.id,
        slug=dataset.slug,
        titles=dataset.title,
        descriptions=dataset.description,
        words="\n".join(_words(dataset))[:MOST_WORDS],
        tags=tuple(dataset.tags),
        keywords={
            "organization": (dataset.organization.slug,),
            "theme": tuple(theme.slug for theme in dataset.themes),
            "format": formats_of(dataset),
            "access": (str(dataset.access),),
            "license": (dataset.license_id,),
            "frequency": (str(dataset.frequency),),
        },
        modified=changed,
        uses=dataset.uses,
        card=card_of(dataset, changed),
    )


def card_of(dataset: Dataset, changed: datetime | None) -> dict[str, Any]:
    """What a list shows of a dataset, as JSON."""
    tables = list(tables_of(dataset))
    return {
        "id": dataset.id,
        "slug": dataset.slug,
        "title": dataset.title,
        "description": {
            tag: shortened(text, CARD_DESCRIPTION) for tag, text in dataset.description.items()
        },
        "organization": {"slug": dataset.organization.slug, "title": dataset.organization.title},
        "themes": [{"slug": theme.slug, "title": theme.title} for theme in dataset.themes],
        "formats": list(formats_of(dataset)),
        "access": str(dataset.access),
        "license": dataset.license_id,
        "frequency": str(dataset.frequency),
        "modified": changed.isoformat(timespec="seconds") if changed else None,
        "rows": sum(table.rows for table in tables) if tables else None,
        "tables": len(tables),
        "uses": dataset.uses,
        "tags": dataset.tags[:20],
    }


def last_change(dataset: Dataset) -> datetime | None:
    """When the content last changed: what the source says, or a later release of a table here.

    The first load of a table says nothing about its age, so it counts only where the source gives
    no date. Where there is neither, nobody knows: the harvest's own time says nothing at all.
    """
    tables = [table for table in tables_of(dataset) if table.loaded_at]
    if dataset.modified is not None:
        moments = [table.loaded_at for table in tables if table.loaded_at and table.release > 1]
        return max([dataset.modified, *moments])
    return max((table.loaded_at for table in tables if table.loaded_at), default=None)


def tables_of(dataset: Dataset) -> Iterator[DataTable]:
    """The tables of all resources, in order."""
    for resource in dataset.resources:
        yield from resource.tables


def formats_of(dataset: Dataset) -> tuple[str, ...]:
    """The formats of the resources, each once, in order."""
    return tuple(dict.fromkeys(r.format for r in dataset.resources if r.format))


def shortened(text: str, longest: int) -> str:
    """The beginning of a text as one line, cut with an ellipsis, between words where there are any."""
    line = " ".join(text.split())
    if len(line) <= longest:
        return line
    cut = line[: longest - 1]
    space = cut.rfind(" ", longest * 3 // 4)
    return (cut[:space] if space > 0 else cut).rstrip(" ,;:，；：、") + "…"


def _words(dataset: Dataset) -> Iterator[str]:
    yield dataset.slug
    yield from _all(dataset.organization.title)
    for theme in dataset.themes:
        yield from _all(theme.title)
    yield dataset.spatial
    for resource in dataset.resources:
        yield from _all(resource.title)
        yield from _all(resource.description)
    for table in tables_of(dataset):
        yield from _all(table.title)
        for column in table.columns:
            if column.access != ColumnAccess.HIDDEN:
                yield column.name
                yield from _all(column.label)


def _all(texts: Texts) -> Iterator[str]:
    yield from texts.values()
