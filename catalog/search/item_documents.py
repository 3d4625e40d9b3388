"""Series and data services as documents of the search engines, beside the datasets."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from catalog.models.base import Texts
from catalog.models.series import DatasetSeries
from catalog.models.service import DataService
from catalog.models.vocabulary import Access
from catalog.search.documents import CARD_DESCRIPTION, shortened, stamp_of, version_of
from catalog.search.engine import Document


def document_of_series(series: DatasetSeries, above: tuple[str, ...] = ()) -> Document:
    """The document of a series whose organization is loaded."""
    organization = series.organization
    return Document(
        id=series.id,
        slug=series.slug,
        titles=series.title,
        descriptions=series.description,
        words="\n".join((series.slug, *organization.title.values())),
        tags=(),
        keywords={
            "organization": (organization.slug, *above),
            "publisher": (organization.slug,),
            "owner": (series.organization_id,),
            "access": (str(Access.OPEN),),
            "frequency": (str(series.frequency),),
            "api": ("no",),
            "type": ("series",),
        },
        modified=series.updated_at,
        uses=0,
        card=_card(series, "series"),
        names=tuple(organization.title.values()),
        codes=(series.slug,),
        facts={"state": (str(series.state),)},
        dates=_dates(series.created_at, series.updated_at),
        stamp=stamp_of(series.updated_at),
        version=version_of(series.updated_at),
    )


def document_of_service(service: DataService, above: tuple[str, ...] = ()) -> Document:
    """The document of a data service whose organization is loaded."""
    organization = service.organization
    return Document(
        id=service.id,
        slug=service.slug,
        titles=service.title,
        descriptions=service.description,
        words="\n".join(_words(service)),
        tags=tuple(service.tags),
        keywords={
            "organization": (organization.slug, *above),
            "publisher": (organization.slug,),
            "owner": (service.organization_id,),
            "tag": tuple(service.tags),
            "format": (service.protocol.upper(),) if service.protocol else (),
            "access": (str(service.access),),
            "license": (service.license_id,),
            "api": ("yes",),
            "type": ("service",),
        },
        modified=service.updated_at,
        uses=0,
        card=_card(service, "service")
        | {
            "formats": [service.protocol.upper()] if service.protocol else [],
            "access": str(service.access),
            "license": service.license_id,
            "tags": service.tags[:20],
        },
        names=tuple(organization.title.values()),
        codes=(service.slug,),
        facts={
            "state": (str(service.state),),
            "url": (service.endpoint_url[:200],),
        },
        dates=_dates(service.created_at, service.updated_at),
        stamp=stamp_of(service.updated_at),
        version=version_of(service.updated_at, service.index_due),
    )


def _card(item: DatasetSeries | DataService, type_: str) -> dict[str, Any]:
    """The card with everything that a dataset's has, so that lists show all kinds alike."""
    organization = item.organization
    return {
        "id": item.id,
        "type": type_,
        "slug": item.slug,
        "title": item.title,
        "description": {
            tag: shortened(text, CARD_DESCRIPTION) for tag, text in item.description.items()
        },
        "organization": {"slug": organization.slug, "title": organization.title},
        "themes": [],
        "formats": [],
        "access": str(Access.OPEN),
        "license": "notspecified",
        "frequency": str(getattr(item, "frequency", "unknown")),
        "modified": item.updated_at.isoformat(timespec="seconds"),
        "rows": None,
        "tables": 0,
        "uses": 0,
        "tags": [],
    }


def _words(service: DataService) -> Iterator[str]:
    yield service.slug
    yield from _all(service.organization.title)
    yield service.protocol
    yield service.endpoint_url
    yield from _all(service.limits)
    for parameter in service.parameters:
        yield str(parameter.get("name", ""))
        description = parameter.get("description")
        if isinstance(description, dict):
            yield from map(str, description.values())


def _all(texts: Texts) -> Iterator[str]:
    yield from texts.values()


def _dates(created: datetime | None, updated: datetime | None) -> dict[str, datetime]:
    dates = {"created": created, "updated": updated}
    return {name: moment for name, moment in dates.items() if moment is not None}
