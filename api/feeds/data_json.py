"""The catalogue as `/data.json`: DCAT-US 1.1 (Project Open Data), sent while it is read."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson
from flask import Response, stream_with_context

from api.feeds.answers import answer, bp, current, portal_of, tag_of
from api.feeds.authority import media_type_of
from api.feeds.dcat import MOST_TABLES, Portal, address_of, parsed_contact
from catalog.models.license import LICENSES
from catalog.models.text import pick
from catalog.models.vocabulary import Access, Frequency
from catalog.permissions import ANYONE
from catalog.search.documents import last_change
from catalog.services import catalogue

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset, Resource
    from catalog.models.organization import Organization
    from catalog.models.table import DataTable

LANGUAGE = "en"
"""DCAT-US knows one text each."""
NOBODY = "nobody@example.invalid"
"""The schema asks for an address of mail; this one says that none is stated (RFC 6761)."""
ACCESS = {
    Access.OPEN: "public",
    Access.ON_APPLICATION: "restricted public",
    Access.CLOSED: "non-public",
}
FREQUENCIES = {
    Frequency.CONTINUOUS: "R/PT1S",
    Frequency.DAILY: "R/P1D",
    Frequency.WEEKLY: "R/P1W",
    Frequency.MONTHLY: "R/P1M",
    Frequency.QUARTERLY: "R/P3M",
    Frequency.ANNUAL: "R/P1Y",
    Frequency.IRREGULAR: "irregular",
}
SCHEMA = "https://project-open-data.cio.gov/v1.1/schema"


@bp.get("/data.json")
def data_json() -> Response:
    """The whole catalogue."""
    size = catalogue.size(ANYONE)
    tag = tag_of(size)
    same = current(tag, size.changed)
    if same is not None:
        return same
    pieces = stream_with_context(catalogue_pieces())
    return answer(pieces, "application/json", tag, size.changed)


def catalogue_pieces() -> Iterator[bytes]:
    """The catalogue, a page of datasets at a time."""
    yield (
        b'{"@context":"'
        + SCHEMA.encode()
        + b'/catalog.jsonld","@type":"dcat:Catalog","conformsTo":"'
    ) + (SCHEMA.encode() + b'","describedBy":"' + SCHEMA.encode() + b'/catalog.json","dataset":[')
    after, between = "", b"\n"
    while found := catalogue.page(ANYONE, after=after):
        portal = portal_of(found)
        written = [
            orjson.dumps(dataset_json(one, portal, readable=catalogue.is_readable(ANYONE, one)))
            for one in found
        ]
        yield between + b",\n".join(written)
        after, between = found[-1].id, b",\n"
        catalogue.forget()
    yield b"\n]}\n"


def dataset_json(dataset: Dataset, portal: Portal, *, readable: bool) -> dict[str, Any]:
    """A dataset as DCAT-US 1.1."""
    title = _text(dataset.title)
    themes = [_text(theme.title) for theme in dataset.themes]
    made: dict[str, Any] = {
        "@type": "dcat:Dataset",
        "identifier": address_of(portal, dataset),
        "title": title,
        "description": _text(dataset.description) or title,
        "keyword": list(dict.fromkeys([*dataset.tags, *(themes if not dataset.tags else ())]))
        or [_text(dataset.organization.title)],
        "modified": _day(last_change(dataset) or dataset.updated_at),
        "publisher": _publisher(dataset.organization, portal),
        "contactPoint": _contact(dataset),
        "accessLevel": ACCESS[Access(dataset.access)],
        "landingPage": f"{portal.base}/{LANGUAGE}/datasets/{dataset.slug}",
        "distribution": list(_distributions(dataset, portal, readable=readable)),
    }
    optional = {
        "issued": _day(dataset.issued) if dataset.issued else "",
        "license": (LICENSES.get(dataset.license_id) or LICENSES["other"]).url,
        "rights": _text(dataset.access_reason)[:255],
        "accrualPeriodicity": FREQUENCIES.get(Frequency(dataset.frequency), ""),
        "spatial": _spatial(dataset),
        "temporal": _temporal(dataset),
        "theme": themes,
        "references": list((dataset.details or {}).get("documentation") or ()),
        "conformsTo": next(iter((dataset.details or {}).get("conforms_to") or ()), ""),
    }
    return made | {name: value for name, value in optional.items() if value}


def _distributions(dataset: Dataset, portal: Portal, *, readable: bool) -> Iterator[dict[str, Any]]:
    tables = 0
    for resource in dataset.resources:
        if readable and resource.url:
            yield _file(resource)
        for table in resource.tables if readable else ():
            tables += 1
            if table.release and tables <= MOST_TABLES:
                yield _copy(table, resource, portal)


def _file(resource: Resource) -> dict[str, Any]:
    media = media_type_of(resource.format, resource.media_type).partition(";")[0].strip()
    made = {"@type": "dcat:Distribution", "title": _text(resource.title)}
    if media:
        made |= {"downloadURL": resource.url, "mediaType": media}
    else:
        made["accessURL"] = resource.url
    more = {"description": _text(resource.description), "format": resource.format}
    return {name: value for name, value in (made | more).items() if value}


def _copy(table: DataTable, resource: Resource, portal: Portal) -> dict[str, Any]:
    return {
        "@type": "dcat:Distribution",
        "title": _text(table.title or resource.title) or "CSV",
        "downloadURL": f"{portal.base}/api/v1/tables/{table.id}/download.csv",
        "mediaType": "text/csv",
        "format": "CSV",
        "describedBy": f"{portal.base}/api/v1/tables/{table.id}",
        "describedByType": "application/json",
    }


def _publisher(organization: Organization, portal: Portal, depth: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {"@type": "org:Organization", "name": _text(organization.title)}
    above = portal.organizations.get(organization.parent_id or "")
    if above is not None and depth < len(portal.organizations):
        made["subOrganizationOf"] = _publisher(above, portal, depth + 1)
    return made


def _contact(dataset: Dataset) -> dict[str, str]:
    organization = dataset.organization.contact or {}
    point = (dataset.details or {}).get("contact_point") or parsed_contact(dataset.contact)
    name = point.get("name") or organization.get("name") or _text(dataset.organization.title)
    mail = point.get("email") or organization.get("email") or NOBODY
    return {"@type": "vcard:Contact", "fn": name, "hasEmail": f"mailto:{mail}"}


def _spatial(dataset: Dataset) -> str:
    if dataset.spatial_box and len(dataset.spatial_box) == 4:
        return ",".join(str(float(edge)) for edge in dataset.spatial_box)
    return dataset.spatial or dataset.spatial_code


def _temporal(dataset: Dataset) -> str:
    start, end = dataset.temporal_start, dataset.temporal_end
    return f"{start}/{end}" if start and end else ""


def _text(texts: dict[str, str]) -> str:
    return pick(texts or {}, LANGUAGE)[0]


def _day(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds")
