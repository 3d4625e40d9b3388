"""Reading things out of an RDF graph: always in the same order, as RDF has none."""

from __future__ import annotations

import re
from urllib.parse import urlsplit

from rdflib import RDFS, BNode, Graph, Literal, Namespace, URIRef
from rdflib.term import Node

from harvesters.terms import texts_of

SKOS = Namespace("http://www.w3.org/2004/02/skos/core#")


def values(graph: Graph, node: Node, *predicates: URIRef) -> list[str]:
    """All values in order: equal catalogues must look equal."""
    found = {
        text.strip()
        for predicate in predicates
        for value in graph.objects(node, predicate)
        for text in _said(graph, value)
    }
    return sorted(value for value in found if value)


def _said(graph: Graph, value: Node) -> list[str]:
    """An address or a text; of a thing without an address its labels, for its name is another each time."""
    if not isinstance(value, BNode):
        return [str(value)]
    return [
        str(label) for name in (RDFS.label, SKOS.prefLabel) for label in graph.objects(value, name)
    ]


def tagged(graph: Graph, node: Node, *predicates: URIRef) -> list[list[str]]:
    """All texts with their language tags, in order."""
    pairs = {
        (str(value.language or ""), str(value).strip())
        for predicate in predicates
        for value in graph.objects(node, predicate)
        if isinstance(value, Literal)
    }
    return [list(pair) for pair in sorted(pairs) if pair[1]]


def named(graph: Graph, node: Node, predicate: URIRef, *names: URIRef) -> list[list[str]]:
    """Names of a publisher or contact, the text of a statement: whether it is a node, an address or a plain text."""
    pairs = tagged(graph, node, predicate)
    for agent in graph.objects(node, predicate):
        pairs += tagged(graph, agent, *names)
    return pairs


def labels(graph: Graph, node: Node) -> list[str]:
    """What a place is called, else its address."""
    found = values(graph, node, RDFS.label, SKOS.prefLabel)
    return found or ([] if isinstance(node, BNode) else [str(node)])


def first(found: list[str]) -> str:
    """The first one, or nothing."""
    return found[0] if found else ""


def tail(address: str) -> str:
    """The last part of an address: the code that it ends with."""
    return re.split(r"[/#]", address.rstrip("/"))[-1]


def texts(pairs: list[list[str]], language: str, longest: int) -> dict[str, str]:
    """Texts by language, none longer than may be."""
    found = texts_of([(tag, text) for tag, text in pairs], language)
    return {tag: text[:longest] for tag, text in found.items()}


def web(address: str) -> str:
    """The address as one of the web, or nothing."""
    tidy = re.sub(r"\s", "%20", address)
    try:
        parts = urlsplit(tidy)
    except ValueError:
        return ""
    return tidy if parts.scheme in {"http", "https", "ftp"} and parts.netloc else ""
