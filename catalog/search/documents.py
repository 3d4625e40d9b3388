"""A dataset as a document of the search engines, and the card that lists show of it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import orjson

from catalog.models.base import Texts
from catalog.models.dataset import Dataset
from catalog.models.license import stated
from catalog.models.table import DataTable
from catalog.models.vocabulary import ColumnAccess, State
from catalog.search.conditions import Box
from catalog.search.engine import PUBLIC, Document
from catalog.search.quality import level_of, score_of
from catalog.search.regions import line_of, name_of

CARD_DESCRIPTION = 300
"""Characters of the description on a card, in each language."""
MOST_WORDS = 200_000
"""Characters of further searchable text: a workbook may have tens of thousands of columns."""


MOST_NAMES = 200
"""Short names that are also found by their pinyin."""
MOST_FACT = 200
"""Characters of a further exact value."""
API_FORMATS = frozenset(["API", "WMS", "WFS", "WMTS", "OGC API", "ARCGIS"])


def document_of(dataset: Dataset, above: tuple[str, ...] = ()) -> Document:
    """The document of a dataset whose organization, themes, resources, tables and columns are loaded.

    `above` are the slugs of the organizations that its own one belongs to.
    """
    changed = last_change(dataset)
    score = score_of(dataset, changed)
    return Document(
        id=dataset.id,
        slug=dataset.slug,
        titles=dataset.title,
        descriptions=dataset.description,
        words="\n".join(_words(dataset))[:MOST_WORDS],
        tags=tuple(dataset.tags),
        keywords={
            "organization": (dataset.organization.slug, *above),
            "publisher": (dataset.organization.slug,),
            "owner": (dataset.organization_id,) if dataset.organization_id else (),
            "theme": tuple(theme.slug for theme in dataset.themes),
            "tag": tuple(dataset.tags),
            "format": formats_of(dataset),
            "access": (str(dataset.access),),
            "license": (stated(dataset.license_id, dataset.extras or {}),),
            "frequency": (str(dataset.frequency),),
            "region": line_of(dataset.spatial_code or ""),
            "api": ("yes" if _has_api(dataset) else "no",),
            "quality": (level_of(score),),
            "type": ("dataset",),
        },
        modified=changed,
        uses=dataset.uses,
        card=card_of(dataset, changed),
        names=tuple(dict.fromkeys(_names(dataset)))[:MOST_NAMES],
        codes=tuple(
            code for code in (dataset.identifier, dataset.slug, dataset.spatial_code) if code
        ),
        place="\n".join(_places(dataset)),
        facts=_facts(dataset),
        dates=_dates(dataset),
        numbers={"score": score, "resources": len(dataset.resources)},
        box=box_of(dataset.spatial_box),
        visibility=_visibility(dataset),
        stamp=stamp_of(dataset.updated_at),
        version=version_of(dataset.updated_at, dataset.index_due),
    )


def stamp_of(updated: datetime | None) -> str:
    """The stamp of an item that was last changed then; cheap to compare with the database's."""
    return str(version_of(updated))


def version_of(*moments: datetime | None) -> int:
    """A number that grows with the latest of some moments, in microseconds."""
    return max((int(m.timestamp() * 1_000_000) for m in moments if m), default=0)


def box_of(box: list[Any] | None) -> Box | None:
    """The box of four numbers; None where there is none, or it is the wrong way round."""
    if not box or len(box) != 4:
        return None
    west, south, east, north = map(float, box)
    return (west, south, east, north) if west <= east and south <= north else None


def card_of(dataset: Dataset, changed: datetime | None) -> dict[str, Any]:
    """What a list shows of a dataset, as JSON."""
    tables = list(tables_of(dataset))
    return {
        "id": dataset.id,
        "type": "dataset",
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
    yield dataset.identifier or ""
    yield from _all(dataset.organization.title)
    for theme in dataset.themes:
        yield from _all(theme.title)
    yield from _places(dataset)
    for resource in dataset.resources:
        yield from _all(resource.title)
        yield from _all(resource.description)
    for table in tables_of(dataset):
        yield from _all(table.title)
        for column in table.columns:
            if column.access != ColumnAccess.HIDDEN:
                yield column.name
                yield from _all(column.label)


def _names(dataset: Dataset) -> Iterator[str]:
    yield from _all(dataset.organization.title)
    for theme in dataset.themes:
        yield from _all(theme.title)
    for table in tables_of(dataset):
        for column in table.columns:
            if column.access != ColumnAccess.HIDDEN:
                yield from _all(column.label) if column.label else (column.name,)


def _places(dataset: Dataset) -> Iterator[str]:
    if dataset.spatial:
        yield dataset.spatial
    yield from map(name_of, line_of(dataset.spatial_code or ""))


def _has_api(dataset: Dataset) -> bool:
    return any(resource.tables or resource.format in API_FORMATS for resource in dataset.resources)


def _facts(dataset: Dataset) -> Mapping[str, tuple[str, ...]]:
    """Exact values that CKAN's clients filter by, and ours."""
    facts: dict[str, tuple[str, ...]] = {
        "state": (str(dataset.state or State.PUBLISHED),),
        "private": ("true" if dataset.private else "false",),
        "creator": (dataset.creator_id or "",),
        "identifier": (dataset.identifier or "",),
        "series": (dataset.series_id or "",),
        "source": (dataset.source_id or "",),
        "url": (dataset.landing_page or "",),
    }
    for name, value in (dataset.extras or {}).items():
        facts[f"extras.{name}"] = (_as_fact(value),)
    for name, tags in (dataset.vocabulary_tags or {}).items():
        facts[f"vocabulary.{name}"] = tuple(map(str, tags))
    kept = {name: tuple(v[:MOST_FACT] for v in values if v) for name, values in facts.items()}
    return {name: values for name, values in kept.items() if values}


def _as_fact(value: object) -> str:
    return value if isinstance(value, str) else orjson.dumps(value, default=str).decode()


def _dates(dataset: Dataset) -> Mapping[str, datetime]:
    dates = {
        "created": dataset.created_at,
        "updated": dataset.updated_at,
        "issued": dataset.issued,
        "covers_from": _day(dataset.temporal_start or "", "-01-01"),
        "covers_to": _day(dataset.temporal_end or "", "-12-31"),
    }
    return {name: moment for name, moment in dates.items() if moment is not None}


def _day(text: str, rest: str) -> datetime | None:
    """The moment of `2024`, `2024-05` or `2024-05-01`; of a shorter one its first or last day."""
    full = text + (
        rest if len(text) == 4 else rest[3:].replace("31", "28") if len(text) == 7 else ""
    )
    try:
        day = date.fromisoformat(full)
    except ValueError:
        return None
    return datetime(day.year, day.month, day.day, tzinfo=UTC)


def _visibility(dataset: Dataset) -> tuple[str, ...]:
    """Whoever may find it; of a draft its creator, of what is private its organization."""
    if dataset.state == State.DRAFT:
        return (dataset.creator_id or dataset.organization_id,)
    return (dataset.organization_id,) if dataset.private else (PUBLIC,)


def _all(texts: Texts) -> Iterator[str]:
    yield from texts.values()
