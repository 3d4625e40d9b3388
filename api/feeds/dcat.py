"""A dataset as DCAT-AP 3: the dataset, its files and tables as distributions, everything that they name."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from api.feeds.authority import (
    ACCESS,
    EU,
    FORMATS,
    FREQUENCIES,
    IANA,
    THEMES,
    media_type_of,
)
from api.feeds.dcat_details import say_details
from api.feeds.rdf import IRI, Node, Text, Value
from api.feeds.things import concept, date_text, moment_text, typed
from catalog.models.license import LICENSES
from catalog.models.vocabulary import Access, ColumnType, Frequency
from catalog.search.documents import last_change

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset, Resource
    from catalog.models.group import Group
    from catalog.models.organization import Organization
    from catalog.models.series import DatasetSeries
    from catalog.models.table import DataTable, ReleaseFile

COPIES = ("csv", "json", "xlsx", "parquet")
MAPS = ("geojson",)
"""Formats that tables with a column of shapes can be had in too."""
MOST_TABLES = 100
"""Tables of a dataset whose copies are listed: a workbook may have thousands."""
MAILED = re.compile(r"(?P<name>.*?)\s*<?(?P<mail>[^\s<>@]+@[^\s<>@]+\.[^\s<>@]+)>?")
SHA256 = "http://spdx.org/rdf/terms#checksumAlgorithm_sha256"
OWN = (
    "slug", "notice", "license_text", "contact", "tags", "identifier", "spatial", "spatial_code", "spatial_box",
    "spatial_geometry", "temporal_start", "temporal_end", "access_reason", "custom", "extras", "details",
    "landing_page", "series_position",
)  # fmt: skip
"""Fields that a harvest of this feed takes as they are: DCAT has no word for some, and blurs others."""


@dataclass(frozen=True)
class Portal:
    """Where the catalogue stands, and what must be known beside a dataset to describe it."""

    base: str
    """Address of the portal without a slash at the end."""
    organizations: Mapping[str, Organization] = field(default_factory=dict)
    """By id, with those that they belong to."""
    files: Mapping[tuple[str, str], ReleaseFile] = field(default_factory=dict)
    """Table and format → what is known of its file."""
    series: Mapping[str, DatasetSeries] = field(default_factory=dict)
    """By id."""
    places: Mapping[str, tuple[str | None, str | None]] = field(default_factory=dict)
    """Dataset of a series → ids of the ones before and after it there."""
    ends: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    """Series → ids of its first and its last dataset."""


def address_of(portal: Portal, dataset: Dataset) -> str:
    """The address that names the dataset for ever: a slug may change."""
    return f"{portal.base}/datasets/{dataset.id}"


def dataset_node(dataset: Dataset, portal: Portal, *, readable: bool) -> Node:
    """The dataset with everything that is said of it; `readable` says whether the public may have its data."""
    node = Node(address_of(portal, dataset), ("dcat:Dataset",))
    node.texts("dct:title", dataset.title)
    node.texts("dct:description", dataset.description or dataset.title)
    node.say("weft:described", Text("true" if dataset.description else "false", type="xsd:boolean"))
    node.say("dct:identifier", Text(dataset.identifier or dataset.id))
    _subjects(node, dataset, portal)
    _people(node, dataset, portal)
    _moments(node, dataset)
    _places(node, dataset)
    _rights(node, dataset)
    say_details(node, dataset.details or {})
    _pages(node, dataset, portal)
    own = orjson.dumps(own_elements(dataset), option=orjson.OPT_SORT_KEYS)
    node.say("weft:elements", Text(own.decode()))
    tables = 0
    for resource in dataset.resources:
        node.say("dcat:distribution", resource_node(resource, dataset, portal, readable=readable))
        for table in resource.tables if readable else ():
            tables += 1
            if table.release and tables <= MOST_TABLES:
                node.say("dcat:distribution", *copies(table, resource, dataset, portal))
    return node


def own_elements(dataset: Dataset) -> dict[str, Any]:
    """What another Weft needs to have the dataset as it is here."""
    given = {name: getattr(dataset, name) for name in OWN}
    given |= {
        "tags": _keywords(dataset),
        "themes": [theme.slug for theme in dataset.themes],
        "machine": machine_of(dataset.text_origins),
    }
    return {name: value for name, value in given.items() if value}


def machine_of(origins: Mapping[str, Any] | None) -> dict[str, list[str]]:
    """Field → languages whose text a machine has written."""
    written = {
        name: sorted(tag for tag, said in by_tag.items() if said.get("origin") == "machine")
        for name, by_tag in (origins or {}).items()
    }
    return {name: tags for name, tags in written.items() if tags}


def agent_node(organization: Organization, portal: Portal) -> Node:
    """The organization, and through it those that it belongs to."""
    node = Node(f"{portal.base}/organizations/{organization.slug}", ("foaf:Agent",))
    node.texts("foaf:name", organization.title)
    node.say("dct:identifier", Text(organization.slug))
    if organization.homepage:
        node.say("foaf:homepage", typed(organization.homepage, "foaf:Document"))
    mail = (organization.contact or {}).get("email")
    if mail:
        node.say("foaf:mbox", IRI(f"mailto:{mail}"))
    above = portal.organizations.get(organization.parent_id or "")
    if above is not None and above.id != organization.id:
        node.say("org:subOrganizationOf", agent_node(above, portal))
    return node


def theme_node(theme: Group, portal: Portal) -> Node:
    """A theme of the portal as a concept."""
    node = Node(f"{portal.base}/themes/{theme.slug}", ("skos:Concept",))
    node.texts("skos:prefLabel", theme.title)
    node.say("skos:notation", Text(theme.slug))
    node.say("skos:inScheme", Node(f"{portal.base}/themes", ("skos:ConceptScheme",)))
    return node


def _subjects(node: Node, dataset: Dataset, portal: Portal) -> None:
    node.say("dcat:keyword", *map(Text, _keywords(dataset)))
    for theme in dataset.themes:
        node.say("dcat:theme", theme_node(theme, portal))
        if theme.slug in THEMES:
            node.say("dcat:theme", concept(f"{EU}data-theme/{THEMES[theme.slug]}", theme.title))
    series = portal.series.get(dataset.series_id or "")
    before, after = portal.places.get(dataset.id, (None, None))
    if series is not None:
        node.say("dcat:inSeries", series_node(series, portal))
        node.say("dcat:prev", _member(portal, before))
        node.say("dcat:next", _member(portal, after))


def series_node(series: DatasetSeries, portal: Portal) -> Node:
    """A series of datasets; wherever it is named it is described, so that nobody has to look for it."""
    node = Node(f"{portal.base}/series/{series.slug}", ("dcat:DatasetSeries",))
    node.texts("dct:title", series.title)
    node.texts("dct:description", series.description or series.title)
    frequency = FREQUENCIES[Frequency(series.frequency)]
    node.say("dct:accrualPeriodicity", typed(f"{EU}frequency/{frequency}", "dct:Frequency"))
    node.say("dct:publisher", agent_node(series.organization, portal))
    first, last = portal.ends.get(series.id, (None, None))
    node.say("dcat:first", _member(portal, first))
    node.say("dcat:last", _member(portal, last))
    own = {
        "slug": series.slug,
        "description": series.description,
        "machine": machine_of(series.text_origins),
    }
    node.say("weft:elements", Text(orjson.dumps(own, option=orjson.OPT_SORT_KEYS).decode()))
    return node


def _member(portal: Portal, dataset_id: str | None) -> IRI | None:
    return IRI(f"{portal.base}/datasets/{dataset_id}") if dataset_id else None


def _keywords(dataset: Dataset) -> list[str]:
    """All tags: those of a vocabulary are free ones where it is not known."""
    closed = (tag for some in (dataset.vocabulary_tags or {}).values() for tag in some)
    return list(dict.fromkeys((*dataset.tags, *closed)))


def _people(node: Node, dataset: Dataset, portal: Portal) -> None:
    details = dataset.details or {}
    node.say("dct:publisher", agent_node(dataset.organization, portal))
    for name, property_ in (("publisher", "prov:wasAttributedTo"), ("creator", "dct:creator")):
        if details.get(name):
            node.say(property_, _agent(details[name]))
    point = details.get("contact_point") or parsed_contact(dataset.contact)
    point = point or dataset.organization.contact or {}
    if any(point.get(name) for name in ("name", "email", "phone", "url")):
        node.say("dcat:contactPoint", contact_node(point))


def _agent(said: Mapping[str, str]) -> Node:
    node = Node("", ("foaf:Agent",))
    node.say("foaf:name", Text(said["name"]))
    if said.get("url"):
        node.say("foaf:homepage", typed(said["url"], "foaf:Document"))
    if said.get("email"):
        node.say("foaf:mbox", IRI(f"mailto:{said['email']}"))
    return node


def parsed_contact(line: str) -> dict[str, str]:
    """Name and address of `Name <mail>`; other lines are a name."""
    found = MAILED.fullmatch(line.strip())
    if found is None:
        return {"name": line.strip()} if line.strip() else {}
    return {"name": found["name"].strip(), "email": found["mail"]}


def contact_node(point: Mapping[str, str]) -> Node:
    """A contact point."""
    node = Node("", ("vcard:Kind",))
    if point.get("name"):
        node.say("vcard:fn", Text(point["name"]))
    if point.get("email"):
        node.say("vcard:hasEmail", IRI(f"mailto:{point['email']}"))
    if point.get("phone"):
        number = Node("", ("vcard:Voice",))
        number.say("vcard:hasValue", IRI("tel:" + re.sub(r"[^\d+;=-]", "", point["phone"])))
        node.say("vcard:hasTelephone", number)
    if point.get("url"):
        node.say("vcard:hasURL", IRI(point["url"]))
    return node


def _moments(node: Node, dataset: Dataset) -> None:
    node.say("dct:issued", moment_text(dataset.issued))
    node.say("dct:modified", moment_text(last_change(dataset)))
    frequency = FREQUENCIES[Frequency(dataset.frequency)]
    node.say("dct:accrualPeriodicity", typed(f"{EU}frequency/{frequency}", "dct:Frequency"))
    start, end = dataset.temporal_start, dataset.temporal_end
    if start or end:
        period = Node("", ("dct:PeriodOfTime",))
        period.say("dcat:startDate", date_text(start) if start else None)
        period.say("dcat:endDate", date_text(end) if end else None)
        node.say("dct:temporal", period)


def _places(node: Node, dataset: Dataset) -> None:
    if not (
        dataset.spatial or dataset.spatial_code or dataset.spatial_box or dataset.spatial_geometry
    ):
        return
    place = Node("", ("dct:Location",))
    if dataset.spatial:
        place.say("skos:prefLabel", Text(dataset.spatial))
    if dataset.spatial_code:
        place.say("dct:identifier", Text(dataset.spatial_code))
    if dataset.spatial_box and len(dataset.spatial_box) == 4:
        place.say("dcat:bbox", Text(polygon(dataset.spatial_box), type="gsp:wktLiteral"))
    if dataset.spatial_geometry:
        shape = Node("", ("locn:Geometry",))
        written = orjson.dumps(dataset.spatial_geometry).decode()
        shape.say("gsp:asGeoJSON", Text(written, type="gsp:geoJSONLiteral"))
        place.say("locn:geometry", shape)
    node.say("dct:spatial", place)


def polygon(box: list[Any]) -> str:
    """A box as well-known text."""
    w, s, e, n = box
    return f"POLYGON(({w} {s},{e} {s},{e} {n},{w} {n},{w} {s}))"


def _rights(node: Node, dataset: Dataset) -> None:
    access = ACCESS[Access(dataset.access)]
    node.say("dct:accessRights", typed(f"{EU}access-right/{access}", "dct:RightsStatement"))
    if dataset.access_reason:
        reason = Node("", ("dct:RightsStatement",))
        reason.texts("rdfs:label", dataset.access_reason)
        node.say("weft:accessReason", reason)
    details = dataset.details or {}
    if details.get("rights"):
        rights = Node("", ("dct:RightsStatement",))
        rights.texts("rdfs:label", details["rights"])
        node.say("dct:rights", rights)


def license_node(dataset: Dataset) -> Node | None:
    """The licence; one that is not stated is left out."""
    known = LICENSES.get(dataset.license_id)
    if known is not None and known.url:
        return typed(known.url, "dct:LicenseDocument")
    if not dataset.license_text:
        return None
    node = Node("", ("dct:LicenseDocument",))
    node.say("rdfs:label", Text(dataset.license_text))
    return node


def _pages(node: Node, dataset: Dataset, portal: Portal) -> None:
    """The page at the source where there is one, and the page here."""
    if dataset.landing_page:
        node.say("dcat:landingPage", typed(dataset.landing_page, "foaf:Document"))
    here = typed(f"{portal.base}/datasets/{dataset.slug}", "foaf:Document")
    node.say("foaf:page" if dataset.landing_page else "dcat:landingPage", here)


def resource_node(resource: Resource, dataset: Dataset, portal: Portal, *, readable: bool) -> Node:
    """A file or interface of the dataset."""
    node = Node(f"{address_of(portal, dataset)}#{resource.id}", ("dcat:Distribution",))
    node.texts("dct:title", resource.title)
    node.texts("dct:description", resource.description)
    address = (
        resource.url if readable and resource.url else f"{portal.base}/datasets/{dataset.slug}"
    )
    node.say("dcat:accessURL", IRI(address))
    if address == resource.url and resource.size is not None:
        node.say("dcat:downloadURL", IRI(address))
    if resource.size is not None:
        node.say("dcat:byteSize", Text(str(resource.size), type="xsd:nonNegativeInteger"))
    _format(node, resource.format, resource.media_type)
    node.say("dct:license", license_node(dataset))
    node.say("weft:key", Text(resource.key))
    node.say("weft:position", Text(str(resource.position), type="xsd:integer"))
    node.say("weft:format", Text(resource.format) if resource.format else None)
    return node


def copies(
    table: DataTable, resource: Resource, dataset: Dataset, portal: Portal
) -> Iterator[Value]:
    """The newest release of a table in the formats that it can be had in."""
    shapes = any(column.type == ColumnType.GEOMETRY for column in table.columns)
    for kind in COPIES + (MAPS if shapes else ()):
        url = f"{portal.base}/api/v1/tables/{table.id}/download.{kind}"
        node = Node(url, ("dcat:Distribution",))
        node.texts("dct:title", table.title or resource.title)
        node.say("dcat:accessURL", IRI(url))
        node.say("dcat:downloadURL", IRI(url))
        _format(node, kind.upper(), "")
        node.say("dct:modified", moment_text(table.loaded_at))
        node.say("dcat:accessService", Node(f"{portal.base}/api/v1", ()))
        node.say("dct:license", license_node(dataset))
        made = portal.files.get((table.id, kind))
        if made is not None:
            node.say("dcat:byteSize", Text(str(made.bytes), type="xsd:nonNegativeInteger"))
            node.say("spdx:checksum", checksum_node(made.sha256))
        node.say("weft:copyOf", IRI(f"{address_of(portal, dataset)}#{resource.id}"))
        yield node


def checksum_node(sha256: str) -> Node:
    """What proves a file whole."""
    node = Node("", ("spdx:Checksum",))
    node.say("spdx:algorithm", typed(SHA256, "spdx:ChecksumAlgorithm"))
    node.say("spdx:checksumValue", Text(sha256, type="xsd:hexBinary"))
    return node


def _format(node: Node, format_: str, media_type: str) -> None:
    if format_ in FORMATS:
        node.say("dct:format", typed(f"{EU}file-type/{FORMATS[format_]}", "dct:MediaTypeOrExtent"))
    elif format_:
        named = Node("", ("dct:MediaTypeOrExtent",))
        named.say("rdfs:label", Text(format_))
        node.say("dct:format", named)
    media = media_type_of(format_, media_type).partition(";")[0].strip()
    if media:
        node.say("dcat:mediaType", typed(IANA + media, "dct:MediaType"))
