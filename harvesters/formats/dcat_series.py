"""The series of a DCAT graph, and which datasets stand where in them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from rdflib import DCTERMS, RDF, Graph, Namespace, URIRef
from rdflib.term import Node

from harvesters.formats.graphs import first, tagged, texts, values
from harvesters.terms import frequency_of

DCAT = Namespace("http://www.w3.org/ns/dcat#")
"""An open one: rdflib does not know the terms of version 3."""
WEFT = Namespace("urn:weft:terms:")
OWN = ("slug", "description", "machine")
"""Fields that another Weft says as they are there."""


def series_nodes(graph: Graph) -> list[Node]:
    """The series in the order of their addresses; one that has files of its own is a dataset."""
    found = set(graph.subjects(RDF.type, DCAT.DatasetSeries))
    named = {one for one in found if isinstance(one, URIRef)}
    return sorted((one for one in named if (one, DCAT.distribution, None) not in graph), key=str)


def series_in(graph: Graph, node: Node) -> dict[str, Any]:
    """What the graph says of a series, as plain JSON."""
    return {
        "own": _own(graph, node),
        "title": tagged(graph, node, DCTERMS.title),
        "description": tagged(graph, node, DCTERMS.description),
        "frequency": values(graph, node, DCTERMS.accrualPeriodicity),
    }


def series_of(body: Mapping[str, Any]) -> dict[str, Any]:
    """The series in our words."""
    language = body["language"]
    series = {
        "title": texts(body["title"], language, 500),
        "description": texts(body["description"], language, 100_000),
        "frequency": frequency_of(first(body["frequency"])),
        **body["own"],
    }
    return {name: value for name, value in series.items() if value}


def keys_of_series(graph: Graph, node: Node) -> tuple[str, ...]:
    """The series that a dataset says it belongs to, or that name it as a member, in order."""
    said = set(graph.objects(node, DCAT.inSeries)) | set(graph.subjects(DCAT.seriesMember, node))
    return tuple(sorted(str(one)[:500] for one in said if isinstance(one, URIRef)))


def places(graph: Graph) -> dict[Node, int]:
    """Dataset → its place in its series, counted from the first one; none of those that no chain leads to."""
    after: dict[Node, Node] = {}
    for node, before in sorted(graph.subject_objects(DCAT.prev), key=str):
        after.setdefault(before, node)
    for node, following in sorted(graph.subject_objects(DCAT.next), key=str):
        after.setdefault(node, following)
    found: dict[Node, int] = {}
    for start in sorted(graph.objects(None, DCAT.first), key=str):
        here: Node | None = start
        place = 1
        while here is not None and here not in found:
            found[here] = place
            here, place = after.get(here), place + 1
    return found


def _own(graph: Graph, node: Node) -> dict[str, Any]:
    """What another Weft says of the series in its own words; nothing of any other source."""
    try:
        said = orjson.loads(first(values(graph, node, WEFT.elements)) or "{}")
    except orjson.JSONDecodeError:
        return {}
    return {name: said[name] for name in OWN if name in said} if isinstance(said, dict) else {}
