"""A DCAT or DCAT-AP catalogue as RDF/XML, Turtle or JSON-LD."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import unquote

import orjson
from marshmallow import Schema, fields, validate
from rdflib import DCAT as DCAT_NS
from rdflib import DCTERMS, FOAF, RDF, RDFS, XSD, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from catalog.errors import Unreadable
from harvesters.declaration import LANGUAGE, load_from
from harvesters.formats.dcat_details import details_in, details_of, places_of
from harvesters.formats.dcat_series import (
    keys_of_series,
    places,
    series_in,
    series_nodes,
    series_of,
)
from harvesters.formats.graphs import first, labels, named, tagged, tail, texts, values, web
from harvesters.formats.rdf import pages_of
from harvesters.harvester import LinkedFiles, Record, Source
from harvesters.http import Http
from harvesters.terms import (
    EU_THEMES,
    MEDIA_TYPES,
    day_of,
    format_of,
    frequency_of,
    language_of,
    license_of,
    moment_of,
    texts_of,
)

VCARD = Namespace("http://www.w3.org/2006/vcard/ns#")
SCHEMA = Namespace("http://schema.org/")
WEFT = Namespace("urn:weft:terms:")
"""What a feed of Weft says beyond DCAT."""
_NO = Literal("false", datatype=XSD.boolean)
OWN = (
    "slug", "notice", "license_text", "contact", "tags", "identifier", "spatial", "spatial_code", "spatial_box",
    "spatial_geometry", "temporal_start", "temporal_end", "access_reason", "custom", "extras", "details",
    "landing_page", "themes", "machine", "series_position",
)  # fmt: skip
"""Fields that another Weft says as they are there."""
ACCESS = {
    "PUBLIC": "open",
    "RESTRICTED": "on_application",
    "NON_PUBLIC": "closed",
    "CONFIDENTIAL": "closed",
}


class DCATOptions(Schema):
    """What a source of the kind `dcat` may be told."""

    language = fields.String(
        load_default="en",
        validate=LANGUAGE,
        metadata={"description": "Language of texts without a tag"},
    )
    format = fields.String(
        load_default="",
        validate=validate.OneOf(["", "xml", "turtle", "json-ld", "n3", "nt"]),
        metadata={"description": "Syntax, where neither the answer nor the address tells it"},
    )
    themes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "Theme address or code → slug of a theme, over the EU's"},
    )
    content = fields.Boolean(
        data_key="load_files",
        load_default=False,
        metadata={
            "description": "Whether the distributions' files are fetched and their tables read"
        },
    )


class DCAT(LinkedFiles):
    """A format: each dcat:Dataset is a dataset, its distributions are resources, each dcat:DatasetSeries is a series."""

    kind = "dcat"
    options: ClassVar[type[Schema]] = DCATOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The series and datasets of the graph in the order of their addresses, and of the pages that it leads to."""
        seen: set[str] = set()
        listed: set[Node] = set()
        for graph in pages_of(source.url, source.options["format"], http):
            some, place = series_nodes(graph), places(graph)
            for node in some:
                if node not in listed:
                    yield Record(
                        str(node)[:500],
                        {**series_in(graph, node), **source.options},
                        is_series=True,
                    )
            listed.update(some)
            for node in sorted(set(graph.subjects(RDF.type, DCAT_NS.Dataset)) - listed, key=str):
                http.beat()
                key = _key(graph, node)
                if key not in seen or isinstance(node, BNode):
                    seen.add(key)
                    said = {**_dataset(graph, node), "place": place.get(node, 0), **source.options}
                    yield Record(key, said, series=keys_of_series(graph, node))
        if not seen:
            raise Unreadable("the catalogue holds no dcat:Dataset")

    def describe(self, record: Record) -> dict[str, Any]:
        """The dataset in our words; repeated single values count once, the first in order."""
        if record.is_series:
            return series_of(record.body)
        body, language = record.body, record.body["language"]
        license_id, license_text = _license(body)
        access = ACCESS.get(tail(first(body["access"])).upper(), "open")
        reason = texts(body["details"]["access_reason"], language, 2000)
        start, end = (day_of(first(body[name])) for name in ("start", "end"))
        dataset = {
            "title": texts(body["title"], language, 500),
            "description": texts(body["description"], language, 100_000),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(first(body["frequency"])),
            "access": access,
            "access_reason": {} if access == "open" else reason,
            "tags": _tags(body["keyword"]),
            "themes": _themes(body["theme"], body["themes"]),
            "landing_page": _landing_page(body),
            "contact": _contact(body, language),
            "spatial": first(body["spatial"])[:500],
            "temporal_start": start,
            "temporal_end": end if not start or end >= start else "",
            "issued": moment_of(first(body["issued"])),
            "modified": max(filter(None, map(moment_of, body["modified"])), default=""),
            "identifier": first(body["identifier"])[:200],
            "extras": _extras(body, language),
            "series_position": body["place"],
            "details": details_of(body["details"], language),
            **places_of(body["details"]),
            "resources": [_resource(entry, body) for entry in body["distributions"]],
        }
        own = dict(body.get("own") or {})
        if own:
            dataset |= dict.fromkeys(OWN, "")  # what is not said there is empty there
            if not own.pop("described"):
                dataset["description"] = {}
        return {key: value for key, value in {**dataset, **own}.items() if value}


def _key(graph: Graph, node: Node) -> str:
    """The dataset's address, else its identifier, else a hash of its titles."""
    if isinstance(node, URIRef):
        return str(node)[:500]
    stated = values(graph, node, DCTERMS.identifier) or [
        hashlib.sha256("\n".join(values(graph, node, DCTERMS.title)).encode()).hexdigest()
    ]
    return stated[0][:500]


def _dataset(graph: Graph, node: Node) -> dict[str, Any]:
    """What the graph says of a dataset, as plain JSON."""
    periods = list(graph.objects(node, DCTERMS.temporal))
    places = list(graph.objects(node, DCTERMS.spatial))
    contacts = list(graph.objects(node, DCAT_NS.contactPoint))
    files = sorted(
        set(graph.objects(node, DCAT_NS.distribution)), key=lambda one: _place_of(graph, one)
    )
    copies = [file for file in files if (file, WEFT.copyOf, None) in graph]
    return {
        "own": _own(graph, node),
        "id": "" if isinstance(node, BNode) else str(node),
        "title": tagged(graph, node, DCTERMS.title),
        "description": tagged(graph, node, DCTERMS.description),
        "keyword": tagged(graph, node, DCAT_NS.keyword),
        "theme": values(graph, node, DCAT_NS.theme),
        "landing": values(graph, node, DCAT_NS.landingPage),
        "frequency": values(graph, node, DCTERMS.accrualPeriodicity),
        "access": values(graph, node, DCTERMS.accessRights),
        "license": values(graph, node, DCTERMS.license),
        "issued": values(graph, node, DCTERMS.issued),
        "modified": values(graph, node, DCTERMS.modified),
        "identifier": values(graph, node, DCTERMS.identifier),
        "publisher": named(graph, node, DCTERMS.publisher, FOAF.name, RDFS.label, VCARD.fn),
        "contact": named(
            graph, node, DCAT_NS.contactPoint, VCARD.fn, VCARD["organization-name"], FOAF.name
        ),
        "email": sorted(
            {mail for c in contacts for mail in values(graph, c, VCARD.hasEmail, FOAF.mbox)}
        ),
        "start": sorted(
            {v for p in periods for v in values(graph, p, DCAT_NS.startDate, SCHEMA.startDate)}
        ),
        "end": sorted(
            {v for p in periods for v in values(graph, p, DCAT_NS.endDate, SCHEMA.endDate)}
        ),
        "spatial": [text for place in places for text in labels(graph, place)],
        "details": details_in(graph, node),
        "distributions": [_distribution(graph, file) for file in files if file not in copies],
        "copies": [_copy(graph, file) for file in copies],
    }


def _own(graph: Graph, node: Node) -> dict[str, Any]:
    """What another Weft says of the dataset in its own words; nothing of any other source."""
    for value in graph.objects(node, WEFT.elements):
        try:
            said = orjson.loads(str(value))
        except orjson.JSONDecodeError:
            continue
        if isinstance(said, dict):
            described = (node, WEFT.described, _NO) not in graph
            return {**{name: said[name] for name in OWN if name in said}, "described": described}
    return {}


def _place_of(graph: Graph, file: Node) -> tuple[int, str]:
    """The order in which another Weft shows its files; that of their addresses anywhere else."""
    place = first(values(graph, file, WEFT.position))
    return (int(place) if place.isascii() and place.isdigit() and len(place) < 16 else 0, str(file))


def _copy(graph: Graph, node: Node) -> dict[str, Any]:
    """A table of a resource as a file."""
    return {
        "of": first(values(graph, node, WEFT.copyOf)),
        "url": first(values(graph, node, DCAT_NS.downloadURL)),
        "format": first(values(graph, node, DCTERMS["format"])),
        "modified": values(graph, node, DCTERMS.modified),
    }


def _distribution(graph: Graph, node: Node) -> dict[str, Any]:
    return {
        "key": first(values(graph, node, WEFT.key)),
        "own_format": first(values(graph, node, WEFT["format"])),
        "id": "" if isinstance(node, BNode) else str(node),
        "title": tagged(graph, node, DCTERMS.title),
        "description": tagged(graph, node, DCTERMS.description),
        "format": values(graph, node, DCTERMS["format"]) or values(graph, node, DCAT_NS.mediaType),
        "media": values(graph, node, DCAT_NS.mediaType),
        "access": values(graph, node, DCAT_NS.accessURL),
        "download": values(graph, node, DCAT_NS.downloadURL),
        "language": values(graph, node, DCTERMS.language),
        "license": values(graph, node, DCTERMS.license),
        "size": values(graph, node, DCAT_NS.byteSize),
        "modified": values(graph, node, DCTERMS.modified),
    }


def _license(body: Mapping[str, Any]) -> tuple[str, str]:
    """The dataset's licence, else that of its distributions; several that differ are kept as text."""
    stated = body["license"] or sorted(
        {text for file in body["distributions"] for text in file["license"]}
    )
    found = sorted({license_of(text) for text in stated} - {("notspecified", "")})
    if len(found) > 1:
        return "other", "; ".join(stated)[:1000]
    return found[0] if found else ("notspecified", "")


def _tags(pairs: list[list[str]]) -> list[str]:
    """Keywords in every language but machine translations."""
    return list(dict.fromkeys(text[:100] for tag, text in pairs if "-t-" not in tag))[:200]


def _themes(addresses: list[str], declared: Mapping[str, str]) -> list[str]:
    found = [
        declared.get(a) or declared.get(tail(a)) or EU_THEMES.get(tail(a).upper(), "")
        for a in addresses
    ]
    return list(dict.fromkeys(slug for slug in found if slug))


def _landing_page(body: Mapping[str, Any]) -> str:
    """The page in the source's main language, where the address tells it."""
    mark = f"/{body['language']}/"
    pages: Iterable[str] = body["landing"]
    return web(next((page for page in pages if mark in f"{page}/"), first(body["landing"])))


def _contact(body: Mapping[str, Any], language: str) -> str:
    names = texts_of([(tag, text) for tag, text in body["contact"]], language)
    name = names.get(language) or first(sorted(names.values()))
    email = unquote(first(body["email"]).removeprefix("mailto:"))
    return " ".join(part for part in (name, f"<{email}>" if email and name else email) if part)[
        :500
    ]


def _extras(body: Mapping[str, Any], language: str) -> dict[str, Any]:
    kept = {
        "uri": body["id"],
        "identifier": first(body["identifier"]),
        "publisher": texts_of([(tag, text) for tag, text in body["publisher"]], language),
    }
    return {key: value for key, value in kept.items() if value}


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    url = web(first(entry["download"]) or first(entry["access"]))
    kind = entry["own_format"] or format_of(first(entry["format"]))
    language = language_of(first(entry["language"])) or body["language"]
    resource: dict[str, Any] = {
        "key": (
            entry["key"] or entry["id"] or url or hashlib.sha256(orjson.dumps(entry)).hexdigest()
        )[:500],
        "title": texts(entry["title"], language, 1000) or {language: kind or tail(url) or "File"},
        "description": texts(entry["description"], language, 20_000),
        "format": kind,
        "media_type": MEDIA_TYPES.get(kind, ""),
        "url": url,
    }
    size = first(entry["size"]).partition(".")[0]
    if size.isascii() and size.isdigit() and len(size) < 16:
        resource["size"] = int(size)
    if body["content"]:
        resource |= _load(entry, body, url, kind)
    return resource


def _load(entry: Mapping[str, Any], body: Mapping[str, Any], url: str, kind: str) -> dict[str, Any]:
    """What the tables are read from: where there is one as CSV already, that, else the file."""
    copies = [one for one in body["copies"] if one["of"] == entry["id"] and one["url"]]
    as_csv = [one for one in copies if format_of(one["format"]) == "CSV"]
    if len(as_csv) == 1:
        return {"load": load_from({}, {"url": as_csv[0]["url"]}, first(as_csv[0]["modified"]))}
    if url and kind in MEDIA_TYPES:
        return {"load": load_from({}, {"url": url}, first(entry["modified"]))}
    return {}
