"""The further elements of DCAT-AP 3 in a graph, as `Dataset.details` and places hold them.

What a portal says in a way that ours cannot hold is left out: one odd value must not keep the dataset away.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import unquote

import orjson
import shapely
from rdflib import DCTERMS, FOAF, OWL, PROV, RDFS, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from harvesters.formats.graphs import SKOS, first, named, tagged, texts, values, web
from harvesters.terms import day_of, language_of

DCAT = Namespace("http://www.w3.org/ns/dcat#")
"""An open one: rdflib does not know the terms of version 3."""
ADMS = Namespace("http://www.w3.org/ns/adms#")
DCATAP = Namespace("http://data.europa.eu/r5r/")
LOCN = Namespace("http://www.w3.org/ns/locn#")
GEO = Namespace("http://www.opengis.net/ont/geosparql#")
VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
MOST = 100
LARGEST_SHAPE = 100_000
"""Characters of an outline that is kept; of a larger one its box is."""
ADDRESSES: Mapping[str, tuple[URIRef, ...]] = {
    "conforms_to": (DCTERMS.conformsTo,),
    "documentation": (FOAF.page,),
    "related": (DCTERMS.relation,),
    "sources": (DCTERMS.source, PROV.wasDerivedFrom),
    "has_version": (DCTERMS.hasVersion, DCAT.hasVersion, DCAT.hasCurrentVersion),
    "is_version_of": (DCTERMS.isVersionOf, DCAT.isVersionOf),
    "is_referenced_by": (DCTERMS.isReferencedBy,),
    "sample": (ADMS.sample,),
    "applicable_legislation": (DCATAP.applicableLegislation,),
    "hvd_category": (DCATAP.hvdCategory,),
}
"""Element → the properties whose addresses it lists."""
STATEMENTS: Mapping[str, tuple[URIRef, int]] = {
    "version_notes": (ADMS.versionNotes, 20_000),
    "provenance": (DCTERMS.provenance, 20_000),
    "rights": (DCTERMS.rights, 20_000),
    "was_generated_by": (PROV.wasGeneratedBy, 2000),
}
"""Element → the property whose texts it holds, said at once or as the label of a thing; and how long they may be."""
_LABELS = (RDFS.label, SKOS.prefLabel, DCTERMS.title, DCTERMS.description)
_FULL_LABEL = (*_LABELS, FOAF.name, VCARD.fn, VCARD["organization-name"])


def details_in(graph: Graph, node: Node) -> dict[str, Any]:
    """What the graph says of them, as plain JSON, without deciding on languages yet."""
    return {
        **{name: values(graph, node, *properties) for name, properties in ADDRESSES.items()},
        **{name: named(graph, node, said, *_LABELS) for name, (said, _) in STATEMENTS.items()},
        "languages": values(graph, node, DCTERMS.language),
        "version": values(graph, node, DCAT.version, OWL.versionInfo),
        "type": values(graph, node, DCTERMS.type),
        "spatial_resolution": values(graph, node, DCAT.spatialResolutionInMeters),
        "temporal_resolution": values(graph, node, DCAT.temporalResolution),
        "created": values(graph, node, DCTERMS.created),
        "contact_point": _agents(graph, graph.objects(node, DCAT.contactPoint)),
        "creator": _agents(graph, graph.objects(node, DCTERMS.creator)),
        "publisher": _agents(graph, graph.objects(node, DCTERMS.publisher)),
        "access_reason": named(graph, node, DCTERMS.accessRights, *_LABELS),
        "places": _places(graph, node),
    }


def details_of(found: Mapping[str, Any], language: str) -> dict[str, Any]:
    """The elements that are filled, such as our catalogue takes them."""
    details: dict[str, Any] = {
        name: [page for page in map(web, found[name]) if 0 < len(page) <= 2000][:MOST]
        for name in ADDRESSES
    }
    details |= {
        name: texts(found[name], language, longest) for name, (_, longest) in STATEMENTS.items()
    }
    tags = [language_of(said) for said in found["languages"]]
    details |= {
        "languages": list(dict.fromkeys(tag for tag in tags if tag))[:MOST],
        "version": first(found["version"])[:100],
        "type": next((page for page in map(web, found["type"]) if 0 < len(page) <= 2000), ""),
        "spatial_resolution": _metres(found["spatial_resolution"]),
        "temporal_resolution": next(filter(_DURATION.fullmatch, found["temporal_resolution"]), ""),
        "created": _created(first(found["created"])),
        "contact_point": _agent(found["contact_point"], language),
        "creator": _with_name(_agent(found["creator"], language)),
        "publisher": _with_name(_agent(found["publisher"], language)),
    }
    return {name: value for name, value in details.items() if value}


def places_of(found: Mapping[str, Any]) -> dict[str, Any]:
    """`spatial_code`, `spatial_box` and `spatial_geometry`, as far as the places say them."""
    codes = [place["code"] for place in found["places"] if _DIVISION.fullmatch(place["code"])]
    said: dict[str, Any] = {"spatial_code": codes[0]} if codes else {}
    shapes, boxes = (_shapes(found["places"], name) for name in ("shapes", "boxes"))
    if shapes or boxes:
        said["spatial_box"] = [round(edge, 6) for edge in shapely.total_bounds(boxes or shapes)]
    written = shapely.to_geojson(shapes[0]) if shapes else ""
    if 0 < len(written) <= LARGEST_SHAPE:
        said["spatial_geometry"] = orjson.loads(written)
    return said


def _shapes(places: Iterable[Mapping[str, Any]], name: str) -> list[Any]:
    read = (_shape(text) for place in places for text in place[name])
    return [shape for shape in read if shape is not None]


_DIVISION = re.compile(r"\d{2}|\d{4}|\d{6}|\d{9}|\d{12}")
_DURATION = re.compile(r"P(?=[\dT])[\dYMWD.]*(T[\dHMS.]+)?")


def _agents(graph: Graph, nodes: Iterable[Node]) -> list[dict[str, Any]]:
    """People and bodies, in the order of what is said of them."""
    found = [
        {
            "name": [["", str(node)]]
            if isinstance(node, Literal)
            else tagged(graph, node, *_FULL_LABEL),
            "email": values(graph, node, VCARD.hasEmail, VCARD.email, FOAF.mbox),
            "phone": _through(graph, node, VCARD.hasTelephone, VCARD.tel, FOAF.phone),
            "url": values(graph, node, VCARD.hasURL, VCARD.url, FOAF.homepage),
            "address": _address(graph, node),
        }
        for node in nodes
    ]
    return sorted(found, key=lambda one: orjson.dumps(one))


def _through(graph: Graph, node: Node, *predicates: URIRef) -> list[str]:
    """Values, also those of a thing between, such as vcard:hasTelephone has."""
    nodes = [one for predicate in predicates for one in graph.objects(node, predicate)]
    inner = [value for one in nodes for value in values(graph, one, VCARD.hasValue)]
    return sorted(inner) or values(graph, node, *predicates)


def _address(graph: Graph, node: Node) -> list[str]:
    """The lines of a postal address."""
    names = ("street-address", "postal-code", "locality", "region", "country-name")
    lines = [
        ", ".join(filter(None, (first(values(graph, one, VCARD[name])) for name in names)))
        for one in graph.objects(node, VCARD.hasAddress)
    ]
    return sorted(filter(None, lines))


def _agent(found: list[Mapping[str, Any]], language: str) -> dict[str, str]:
    """The first one that says anything."""
    for one in found:
        names = texts(one["name"], language, 200)
        page = next((page for page in map(web, one["url"]) if 0 < len(page) <= 2000), "")
        said = {
            "name": names.get(language) or first(sorted(names.values())),
            "email": unquote(first(one["email"]).removeprefix("mailto:"))[:254],
            "phone": first(one["phone"]).removeprefix("tel:")[:60],
            "url": page,
            "address": first(one["address"])[:500],
        }
        if any(said.values()):
            return {name: value for name, value in said.items() if value}
    return {}


def _with_name(agent: Mapping[str, str]) -> dict[str, str]:
    """A body needs a name, and has neither telephone nor postal address."""
    known = ("name", "url", "email")
    return {name: agent[name] for name in known if name in agent} if "name" in agent else {}


def _places(graph: Graph, node: Node) -> list[dict[str, Any]]:
    found = [
        {
            "code": first(values(graph, place, DCTERMS.identifier, SKOS.notation)),
            "shapes": _outlines(graph, place, LOCN.geometry)
            or _outlines(graph, place, DCAT.centroid),
            "boxes": _outlines(graph, place, DCAT.bbox),
        }
        for place in graph.objects(node, DCTERMS.spatial)
    ]
    return sorted(found, key=lambda one: orjson.dumps(one))


def _outlines(graph: Graph, place: Node, way: URIRef) -> list[str]:
    """Outlines as text, said at once or of the geometry that the place leads to."""
    things = list(graph.objects(place, way))
    inner = {
        str(text)
        for one in things
        for name in (GEO.asGeoJSON, GEO.asWKT)
        for text in graph.objects(one, name)
    }
    return sorted(inner | {str(one) for one in things if isinstance(one, Literal)})


def _shape(text: str) -> Any:
    """The outline in longitudes and latitudes, from GeoJSON or well-known text; None for what is neither."""
    if len(text) > LARGEST_SHAPE * 10:
        return None
    crs, _, rest = text.strip().rpartition(">") if text.strip().startswith("<") else ("", "", text)
    try:
        shape = (
            shapely.from_geojson(rest) if rest.lstrip().startswith("{") else shapely.from_wkt(rest)
        )
    except (shapely.errors.ShapelyError, ValueError):
        return None
    if crs.endswith("EPSG/0/4326"):  # whose axes are latitude, then longitude
        shape = shapely.transform(shape, lambda xy: xy[:, ::-1])
    if shape is None or shape.is_empty:
        return None
    west, south, east, north = shape.bounds
    inside = -180 <= west <= east <= 180 and -90 <= south <= north <= 90
    return shape if inside else None


def _metres(found: Iterable[str]) -> float | None:
    """The finest resolution that is a number."""
    read = []
    for text in found:
        try:
            read.append(float(text))
        except ValueError:
            continue
    return min((one for one in read if 0 < one <= 1e8), default=None)


def _created(text: str) -> str:
    """A year or a month as it stands; else a day."""
    return text if re.fullmatch(r"\d{4}(-(0[1-9]|1[0-2]))?", text) else day_of(text)
