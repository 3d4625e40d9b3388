"""The catalogue as DCAT-AP 3: a page of it with what stands on it, and how it hangs together with the other pages (Hydra)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.feeds.authority import ACCESS, EU, LANGUAGES
from api.feeds.dcat import Portal, agent_node, contact_node
from api.feeds.rdf import IRI, Node, Text
from api.feeds.things import moment_text, typed
from catalog.models.license import LICENSES
from catalog.models.vocabulary import Access, State

if TYPE_CHECKING:
    from catalog.models.service import DataService
    from catalog.services.catalogue import Size


@dataclass(frozen=True)
class Page:
    """Which page this is, in which syntax, and the last id that stands on it."""

    number: int
    ending: str
    size: Size
    first: str = ""
    """Id behind which it begins, where that is known."""
    last: str = ""


def catalogue_nodes(
    page: Page, portal: Portal, titles: Mapping[str, str], members: Sequence[Node]
) -> Iterator[Node]:
    """The page, the catalogue with what stands on this page of it, then each of them."""
    yield _view(page, portal)
    catalogue = Node(f"{portal.base}/catalog", ("dcat:Catalog", "hydra:Collection"))
    catalogue.texts("dct:title", titles)
    catalogue.texts("dct:description", titles)
    publisher = Node(f"{portal.base}/", ("foaf:Agent",))
    publisher.texts("foaf:name", titles)
    catalogue.say("dct:publisher", publisher)
    catalogue.say("dct:modified", moment_text(page.size.changed))
    catalogue.say("hydra:totalItems", Text(str(page.size.datasets), type="xsd:integer"))
    for tag in ("zh", "en"):
        catalogue.say(
            "dct:language", typed(f"{EU}language/{LANGUAGES[tag]}", "dct:LinguisticSystem")
        )
    themes = Node(f"{portal.base}/themes", ("skos:ConceptScheme",))
    themes.texts("dct:title", {"en": "Themes", "zh": "主题"})
    catalogue.say("dcat:themeTaxonomy", themes)
    for node in members:
        if node.types[0] in _PART:
            catalogue.say(_PART[node.types[0]], Node(node.iri, ()))
    yield catalogue
    yield from members


_PART = {
    "dcat:Dataset": "dcat:dataset",
    "dcat:DataService": "dcat:service",
}
"""How the catalogue names its parts; series are named by their datasets, as they are no dcat:Dataset in DCAT-AP."""


def interface_node(portal: Portal, titles: Mapping[str, str]) -> Node:
    """The interface of the portal itself, through which the rows of all tables are read."""
    node = Node(f"{portal.base}/api/v1", ("dcat:DataService",))
    node.texts("dct:title", {tag: f"{title} – API" for tag, title in titles.items()})
    node.say("dcat:endpointURL", IRI(f"{portal.base}/api/v1"))
    described = IRI(f"{portal.base}/api/v1/openapi.json")
    node.say("dcat:endpointDescription", described)
    node.say("foaf:page", typed(f"{portal.base}/en/developers", "foaf:Document"))
    return node


def service_node(service: DataService, portal: Portal) -> Node:
    """A data service of a department."""
    node = Node(f"{portal.base}/services/{service.slug}", ("dcat:DataService",))
    node.texts("dct:title", service.title)
    node.texts("dct:description", service.description)
    node.say("dct:identifier", Text(service.id))
    node.say("dcat:endpointURL", IRI(service.endpoint_url))
    if service.endpoint_description:
        node.say("dcat:endpointDescription", IRI(service.endpoint_description))
    if service.documentation:
        node.say("foaf:page", typed(service.documentation, "foaf:Document"))
    node.say("dcat:keyword", *map(Text, service.tags or ()))
    for address in service.conforms_to or ():
        node.say("dct:conformsTo", typed(address, "dct:Standard"))
    known = LICENSES.get(service.license_id)
    if known is not None and known.url:
        node.say("dct:license", typed(known.url, "dct:LicenseDocument"))
    access = ACCESS[Access(service.access)]
    node.say("dct:accessRights", typed(f"{EU}access-right/{access}", "dct:RightsStatement"))
    node.say("dct:publisher", agent_node(service.organization, portal))
    if any((service.contact or {}).values()):
        node.say("dcat:contactPoint", contact_node(service.contact))
    for dataset in service.datasets:
        if dataset.state == State.PUBLISHED and not dataset.private:
            node.say("dcat:servesDataset", Node(f"{portal.base}/datasets/{dataset.id}", ()))
    return node


def page_address(page: Page, portal: Portal, number: int, after: str = "") -> str:
    """The address of a page; the id before it makes it quick to find, and steady while others are written."""
    behind = f"&after={after}" if after else ""
    return f"{portal.base}/catalog.{page.ending}?page={number}{behind}"


def _view(page: Page, portal: Portal) -> Node:
    here = page_address(page, portal, page.number, page.first)
    node = Node(here, ("hydra:PartialCollectionView",))
    pages = {"first": 1, "last": page.size.pages}
    for name, number in pages.items():
        node.say(f"hydra:{name}", Node(page_address(page, portal, number), ()))
    if page.number > 1:
        node.say("hydra:previous", Node(page_address(page, portal, page.number - 1), ()))
    if page.number < page.size.pages:
        following = page_address(page, portal, page.number + 1, page.last)
        node.say("hydra:next", Node(following, ()))
    return node
