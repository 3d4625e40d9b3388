"""Descriptions as RDF: nodes with facts, written as Turtle, JSON-LD or RDF/XML one after the other.

rdflib would hold the whole graph and take ten times as long; it reads in the tests what is written here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any

import orjson

from catalog.schemas.atom import NO_XML

PREFIXES = {
    "adms": "http://www.w3.org/ns/adms#",
    "dcat": "http://www.w3.org/ns/dcat#",
    "dcatap": "http://data.europa.eu/r5r/",
    "dct": "http://purl.org/dc/terms/",
    "eli": "http://data.europa.eu/eli/ontology#",
    "foaf": "http://xmlns.com/foaf/0.1/",
    "gsp": "http://www.opengis.net/ont/geosparql#",
    "hydra": "http://www.w3.org/ns/hydra/core#",
    "locn": "http://www.w3.org/ns/locn#",
    "org": "http://www.w3.org/ns/org#",
    "owl": "http://www.w3.org/2002/07/owl#",
    "prov": "http://www.w3.org/ns/prov#",
    "rdf": "http://www.w3.org/1999/02/22-rdf-syntax-ns#",
    "rdfs": "http://www.w3.org/2000/01/rdf-schema#",
    "skos": "http://www.w3.org/2004/02/skos/core#",
    "spdx": "http://spdx.org/rdf/terms#",
    "vcard": "http://www.w3.org/2006/vcard/ns#",
    "weft": "urn:weft:terms:",
    "xsd": "http://www.w3.org/2001/XMLSchema#",
}
"""Beginning of a name → beginning of its address; `weft` names what no vocabulary has."""
UNSAFE = re.compile(r"[\x00-\x20<>\"{}|^`\\]")


@dataclass(frozen=True)
class IRI:
    """An address, or a name with a prefix such as `dcat:Dataset`."""

    value: str


@dataclass(frozen=True)
class Text:
    """A text with its language, or a value of a type such as `xsd:date`."""

    value: str
    language: str = ""
    type: str = ""


@dataclass
class Node:
    """A thing: its address (none: it is known by what is said of it), its classes, its facts in order."""

    iri: str
    types: tuple[str, ...]
    facts: list[tuple[str, Value]] = field(default_factory=list)

    @property
    def key(self) -> tuple[str, ...]:
        """What tells whether it was described: one address may be called for as things of several classes."""
        return (self.iri, *self.types)

    def say(self, name: str, *values: Value | None) -> None:
        """Add facts; what is missing is left out."""
        self.facts += [(name, value) for value in values if value is not None]

    def texts(self, name: str, texts: Mapping[str, str] | None) -> None:
        """Add a text in all of its languages."""
        self.facts += [(name, Text(text, tag)) for tag, text in (texts or {}).items() if text]


Value = IRI | Text | Node


def iri(text: str) -> str:
    """The address without the characters that none may have."""
    return UNSAFE.sub(lambda found: f"%{ord(found[0]):02X}", text)


def turtle(nodes: Iterable[Node]) -> Iterator[bytes]:
    """Turtle: each thing that has an address is described once, others where they are named."""
    yield "".join(f"@prefix {name}: <{start}> .\n" for name, start in PREFIXES.items()).encode()
    seen: set[tuple[str, ...]] = set()
    for node in nodes:
        waiting = [node]
        while waiting:
            one = waiting.pop()
            if one.key not in seen or not one.iri:
                seen.add(one.key)
                start = f"<{iri(one.iri)}>" if one.iri else "[]"
                yield f"\n{start}{_facts(one, waiting, '    ')} .\n".encode()


def _facts(node: Node, waiting: list[Node], indent: str) -> str:
    """What is said of a node; things with an address are kept waiting."""
    lines = [f" a {', '.join(node.types)}"] if node.types else []
    grouped: dict[str, list[str]] = {}
    for name, value in node.facts:
        grouped.setdefault(name, []).append(_term(value, waiting, indent))
    lines += [f" {name} {', '.join(terms)}" for name, terms in grouped.items()]
    return f" ;\n{indent}".join(lines)


def _term(value: Value, waiting: list[Node], indent: str) -> str:
    if isinstance(value, IRI):
        return _named(value.value)
    if isinstance(value, Text):
        said = f"@{value.language}" if value.language else f"^^{value.type}" if value.type else ""
        return f'"{_quoted(value.value)}"{said}'
    if value.iri:
        if value.facts or value.types:
            waiting.append(value)
        return f"<{iri(value.iri)}>"
    return f"[{_facts(value, waiting, indent + '    ')} ]"


def _named(name: str) -> str:
    return name if name.partition(":")[0] in PREFIXES and "//" not in name else f"<{iri(name)}>"


_ESCAPES = str.maketrans({"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r"})


def _quoted(text: str) -> str:
    return NO_XML.sub("", text).translate(_ESCAPES)


def json_ld(nodes: Iterable[Node]) -> Iterator[bytes]:
    """JSON-LD whose context names prefixes only, so that nothing has to be fetched to read it."""
    yield b'{"@context":' + orjson.dumps(PREFIXES) + b',"@graph":['
    seen: set[tuple[str, ...]] = set()
    between = b"\n"
    for node in nodes:
        if node.key not in seen or not node.iri:
            yield between + orjson.dumps(_object(node, seen))
            between = b",\n"
    yield b"\n]}\n"


def _object(node: Node, seen: set[tuple[str, ...]]) -> dict[str, Any]:
    """The node with those that it names, unless they were described before."""
    if node.iri and node.key in seen:
        return {"@id": iri(node.iri)}
    made: dict[str, Any] = {}
    if node.iri:
        made["@id"] = iri(node.iri)
        if node.types or node.facts:
            seen.add(node.key)
    if node.types:
        made["@type"] = list(node.types)
    for name, value in node.facts:
        made.setdefault(name, []).append(_json_value(value, seen))
    return made


def _json_value(value: Value, seen: set[tuple[str, ...]]) -> dict[str, Any]:
    if isinstance(value, IRI):
        return {"@id": iri(value.value)}
    if isinstance(value, Node):
        return _object(value, seen)
    said = {"@value": NO_XML.sub("", value.value)}
    if value.language:
        said["@language"] = value.language
    elif value.type:
        said["@type"] = value.type
    return said


def rdf_xml(nodes: Iterable[Node]) -> Iterator[bytes]:
    """RDF/XML."""
    spaces = "".join(f'\n  xmlns:{name}="{start}"' for name, start in PREFIXES.items())
    yield f'<?xml version="1.0" encoding="UTF-8"?>\n<rdf:RDF{spaces}>\n'.encode()
    seen: set[tuple[str, ...]] = set()
    for node in nodes:
        if node.key not in seen or not node.iri:
            yield "".join(_element(node, seen)).encode()
    yield b"</rdf:RDF>\n"


def _element(node: Node, seen: set[tuple[str, ...]]) -> Iterator[str]:
    tag = node.types[0] if node.types else "rdf:Description"
    about = f' rdf:about="{escape(iri(node.iri))}"' if node.iri else ""
    seen.add(node.key)
    yield f"<{tag}{about}>"
    for more in node.types[1:]:
        yield f'<rdf:type rdf:resource="{_full(more)}"/>'
    for name, value in node.facts:
        yield from _property(name, value, seen)
    yield f"</{tag}>\n"


def _property(name: str, value: Value, seen: set[tuple[str, ...]]) -> Iterator[str]:
    if isinstance(value, Text):
        said = f' xml:lang="{value.language}"' if value.language else ""
        said = f' rdf:datatype="{_full(value.type)}"' if value.type else said
        yield f"<{name}{said}>{escape(NO_XML.sub('', value.value), quote=False)}</{name}>"
    elif isinstance(value, IRI):
        yield f'<{name} rdf:resource="{_full(value.value)}"/>'
    elif value.iri and (value.key in seen or not (value.types or value.facts)):
        yield f'<{name} rdf:resource="{escape(iri(value.iri))}"/>'
    else:
        yield f"<{name}>"
        yield from _element(value, seen)
        yield f"</{name}>"


def _full(name: str) -> str:
    prefix, _, rest = name.partition(":")
    whole = PREFIXES[prefix] + rest if prefix in PREFIXES and "//" not in name else name
    return escape(iri(whole))


@dataclass(frozen=True)
class Syntax:
    """A way to write RDF."""

    ending: str
    media_type: str
    write: Callable[[Iterable[Node]], Iterator[bytes]]


SYNTAXES = {
    one.ending: one
    for one in (
        Syntax("ttl", "text/turtle", turtle),
        Syntax("jsonld", "application/ld+json", json_ld),
        Syntax("rdf", "application/rdf+xml", rdf_xml),
        Syntax("xml", "application/rdf+xml", rdf_xml),
    )
}
"""Ending of the address → syntax."""
