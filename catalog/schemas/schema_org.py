"""A dataset and the catalogue in schema.org's words: what search engines read in pages.

Pages and feeds both need it, so it stands below both.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from catalog.models.license import LICENSES
from catalog.models.text import pick
from catalog.search.documents import last_change, shortened

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset
    from catalog.models.table import DataTable

CONTEXT = "https://schema.org/"
MOST_DESCRIPTION = 5000
"""Search engines take no longer one."""
LEAST_DESCRIPTION = 50
MOST_FILES = 40
"""Tables that are listed as downloads; a page is no place for thousands."""
MOST_COLUMNS = 200
COPIES = {
    "csv": "text/csv",
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}


def dataset_json(
    dataset: Dataset, language: str, base: str, *, readable: bool, titles: Mapping[str, str]
) -> dict[str, Any]:
    """The dataset; `base` is the portal's address, `readable` says whether the public may have the data."""
    name, tag = pick(dataset.title, language)
    page = f"{base}/{language}/datasets/{dataset.slug}"
    made: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "Dataset",
        "@id": f"{base}/datasets/{dataset.id}",
        "name": name,
        "description": _description(dataset, language),
        "inLanguage": tag,
        "url": page,
        "sameAs": dataset.landing_page,
        "identifier": list(dict.fromkeys(one for one in (dataset.identifier, dataset.id) if one)),
        "keywords": [*dataset.tags, *(pick(theme.title, language)[0] for theme in dataset.themes)],
        "license": (LICENSES.get(dataset.license_id) or LICENSES["other"]).url,
        "isAccessibleForFree": readable,
        "creator": _organization(dataset, language, base),
        "publisher": _organization(dataset, language, base),
        "includedInDataCatalog": catalogue_json(language, base, titles=titles, context=False),
        "datePublished": dataset.issued.date().isoformat() if dataset.issued else "",
        "dateModified": _modified(dataset),
        "temporalCoverage": _period(dataset),
        "spatialCoverage": _place(dataset),
        "version": (dataset.details or {}).get("version", ""),
        "variableMeasured": list(_columns(dataset)) if readable else [],
        "distribution": list(_downloads(dataset, language, base)) if readable else [],
    }
    return {name: value for name, value in made.items() if value not in ("", [], {}, None)}


def catalogue_json(
    language: str, base: str, *, titles: Mapping[str, str], context: bool = True
) -> dict[str, Any]:
    """The catalogue itself, for the home page."""
    made: dict[str, Any] = {
        "@type": "DataCatalog",
        "@id": f"{base}/catalog",
        "name": pick(titles, language)[0],
        "url": f"{base}/{language}/",
    }
    return {"@context": CONTEXT, **made} if context else made


def _description(dataset: Dataset, language: str) -> str:
    """The description; a short one is filled up with who publishes the dataset, as search engines want some words."""
    title, text = pick(dataset.title, language)[0], pick(dataset.description, language)[0]
    if len(text) < LEAST_DESCRIPTION:
        owner = pick(dataset.organization.title, language)[0]
        text = " – ".join(part for part in (text or title, title, owner) if part)
    return shortened(text, MOST_DESCRIPTION)


def _organization(dataset: Dataset, language: str, base: str) -> dict[str, Any]:
    owner = dataset.organization
    made: dict[str, Any] = {
        "@type": "GovernmentOrganization",
        "@id": f"{base}/organizations/{owner.slug}",
        "name": pick(owner.title, language)[0],
        "url": owner.homepage or f"{base}/{language}/organizations/{owner.slug}",
    }
    mail = (owner.contact or {}).get("email")
    if mail:
        contact = {"@type": "ContactPoint", "contactType": "customer service", "email": mail}
        made["contactPoint"] = contact
    return made


def _modified(dataset: Dataset) -> str:
    changed = last_change(dataset)
    return changed.isoformat(timespec="seconds") if changed else ""


def _period(dataset: Dataset) -> str:
    start, end = dataset.temporal_start, dataset.temporal_end
    return f"{start or '..'}/{end or '..'}" if start or end else ""


def _place(dataset: Dataset) -> dict[str, Any]:
    if not (dataset.spatial or dataset.spatial_box or dataset.spatial_code):
        return {}
    place: dict[str, Any] = {"@type": "Place", "name": dataset.spatial or dataset.spatial_code}
    if dataset.spatial_code:
        place["identifier"] = dataset.spatial_code
    if dataset.spatial_box and len(dataset.spatial_box) == 4:
        west, south, east, north = dataset.spatial_box
        place["geo"] = {"@type": "GeoShape", "box": f"{south} {west} {north} {east}"}
    return {name: value for name, value in place.items() if value}


def _columns(dataset: Dataset) -> Iterator[str]:
    tables = [table for resource in dataset.resources for table in resource.tables]
    names = (
        column.name for table in tables for column in table.columns if column.access != "hidden"
    )
    yield from list(dict.fromkeys(names))[:MOST_COLUMNS]


def _downloads(dataset: Dataset, language: str, base: str) -> Iterator[dict[str, Any]]:
    tables = 0
    for resource in dataset.resources:
        name = pick(resource.title, language)[0]
        if resource.url:
            yield {
                "@type": "DataDownload",
                "name": name,
                "contentUrl": resource.url,
                "encodingFormat": resource.media_type or resource.format or "unknown",
            }
        for table in resource.tables:
            tables += 1
            if table.release and tables <= MOST_FILES:
                yield from _copies(table, pick(table.title, language)[0] or name, base)


def _copies(table: DataTable, name: str, base: str) -> Iterator[dict[str, Any]]:
    for kind, media_type in COPIES.items():
        yield {
            "@type": "DataDownload",
            "name": name,
            "contentUrl": f"{base}/api/v1/tables/{table.id}/download.{kind}",
            "encodingFormat": media_type,
        }
