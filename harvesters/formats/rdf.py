"""Fetching and parsing RDF without letting the parser reach the network or grow without bounds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from urllib.parse import urlsplit
from xml.parsers import expat

from rdflib import Graph, Namespace
from rdflib.plugins.parsers.jsonld import to_rdf

from catalog.errors import Unreadable
from harvesters.http import Answer, Http

LARGEST = 20_000_000
"""Bytes of a catalogue; parsed it takes about forty times as much memory."""
MOST_ENTITIES = 100
LONGEST_ENTITY = 300
MOST_CONTEXTS = 5
DEEPEST = 200
HYDRA = Namespace("http://www.w3.org/ns/hydra/core#")
NEXT = (HYDRA.next, HYDRA.nextPage)
MOST_PAGES = 100_000


def graph_of(url: str, syntax: str, http: Http) -> Graph:
    """The parsed catalogue; whatever the parser stumbles over becomes one sentence."""
    answer = _answer(url, http)
    syntax = syntax or _syntax(answer)
    linked = _Contexts(http).walk(answer.json()) if syntax == "json-ld" else None
    if syntax == "xml":
        _refuse_bombs(answer.content)
    graph = Graph()
    try:
        if linked is not None:
            to_rdf(linked, graph, base=answer.url)
        else:
            graph.parse(data=answer.content, format=syntax, publicID=answer.url)
    except Exception as error:  # rdflib's parsers raise errors of every kind
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise Unreadable("the catalogue is no whole RDF: %(reason)s", reason=reason) from error
    return graph


def pages_of(url: str, syntax: str, http: Http) -> Iterator[Graph]:
    """The pages of the catalogue, linked as Hydra says; no more than one of them is in memory."""
    seen: set[str] = set()
    while url and url not in seen:
        if len(seen) == MOST_PAGES:
            raise Unreadable("the catalogue has more than %(limit)s pages", limit=MOST_PAGES)
        seen.add(url)
        graph = graph_of(url, syntax, http)
        yield graph
        following = sorted(str(one) for name in NEXT for one in graph.objects(None, name))
        url = next((one for one in following if one.startswith(("http://", "https://"))), "")


def _answer(url: str, http: Http) -> Answer:
    if url.startswith(("http://", "https://")):
        accept = "application/rdf+xml, text/turtle, application/ld+json;q=0.9, */*;q=0.1"
        return http.get(url, headers={"Accept": accept}, most=LARGEST)
    path = http.folders.place(url)
    if not path.is_file() or path.stat().st_size > LARGEST:
        raise Unreadable("%(path)s is no file, or larger than a catalogue may be", path=url)
    return Answer(path.as_uri(), path.read_bytes(), {})


_SYNTAXES = {
    "application/rdf+xml": "xml",
    "application/xml": "xml",
    "text/xml": "xml",
    "text/turtle": "turtle",
    "application/x-turtle": "turtle",
    "application/ld+json": "json-ld",
    "application/json": "json-ld",
    "application/n-triples": "nt",
    "text/n3": "n3",
}
_SYNTAX_BY_ENDING = {"rdf": "xml", "xml": "xml", "owl": "xml", "ttl": "turtle", "jsonld": "json-ld"}
_SYNTAX_BY_ENDING |= {"json": "json-ld", "nt": "nt", "n3": "n3"}


def _syntax(answer: Answer) -> str:
    """The syntax by media type, by the address, by the first characters."""
    start = answer.content[:2000].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if start.startswith((b"<!doctype html", b"<html")):
        raise Unreadable("the source answered with a web page instead of RDF")
    media = answer.headers.get("content-type", "").partition(";")[0].strip().lower()
    ending = urlsplit(answer.url).path.rpartition(".")[2].lower()
    found = _SYNTAXES.get(media) or _SYNTAX_BY_ENDING.get(ending)
    if found:
        return found
    if start.startswith((b"{", b"[")):
        return "json-ld"
    return "xml" if start.startswith((b"<?xml", b"<rdf:rdf")) else "turtle"


def _refuse_bombs(content: bytes) -> None:
    """Refuse entities that grow or reach outside; a few short ones for namespaces are usual."""
    count = 0

    def declared(name: str, is_parameter: int, value: str | None, *_: Any) -> None:
        nonlocal count
        count += 1
        harmless = value is not None and len(value) <= LONGEST_ENTITY and "&" not in value
        if is_parameter or not harmless or count > MOST_ENTITIES:
            raise Unreadable(
                "the XML defines the entity %(name)s, which is not accepted", name=name
            )

    parser = expat.ParserCreate()
    parser.EntityDeclHandler = declared
    try:
        parser.Parse(content, True)  # noqa: FBT003 # expat takes no keyword
    except expat.ExpatError as error:
        raise Unreadable("the catalogue is no whole XML: %(reason)s", reason=str(error)) from error


class _Contexts:
    """Replaces remote JSON-LD contexts by what they hold: the parser itself must not fetch them."""

    def __init__(self, http: Http) -> None:
        self._http = http
        self._fetched: dict[str, Any] = {}

    def walk(self, entry: Any, depth: int = 0) -> Any:
        """The same document with every context in place."""
        if depth > DEEPEST:
            raise Unreadable("the JSON-LD is nested too deeply")
        if isinstance(entry, list):
            return [self.walk(inner, depth + 1) for inner in entry]
        if not isinstance(entry, dict):
            return entry
        return {
            key: self._context(inner) if key == "@context" else self.walk(inner, depth + 1)
            for key, inner in entry.items()
        }

    def _context(self, entry: Any) -> Any:
        if isinstance(entry, list):
            return [self._context(inner) for inner in entry]
        if isinstance(entry, dict):
            terms = [term for term in entry.values() if isinstance(term, dict)]
            if "@import" in entry or any("@context" in term for term in terms):
                raise Unreadable("JSON-LD contexts that name further contexts are not accepted")
            return entry
        return self._remote(entry) if isinstance(entry, str) else entry

    def _remote(self, url: str) -> Any:
        if url not in self._fetched:
            if len(self._fetched) == MOST_CONTEXTS:
                raise Unreadable(
                    "the JSON-LD names more than %(limit)s contexts", limit=MOST_CONTEXTS
                )
            self._fetched[url] = {}  # a context that names itself ends here
            answer = self._http.get(
                url, headers={"Accept": "application/ld+json"}, most=2_000_000
            ).json()
            self._fetched[url] = self._context(
                answer.get("@context", {}) if isinstance(answer, dict) else {}
            )
        return self._fetched[url]
