"""The further elements of a dataset (`Dataset.details`) in DCAT-AP 3."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from api.feeds.authority import EU, LANGUAGES, primary
from api.feeds.rdf import IRI, Node, Text
from api.feeds.things import concept, date_text, typed

DETAILS = (
    ("conforms_to", "dct:conformsTo", "dct:Standard"),
    ("documentation", "foaf:page", "foaf:Document"),
    ("related", "dct:relation", ""),
    ("sources", "prov:wasDerivedFrom", ""),
    ("has_version", "dct:hasVersion", ""),
    ("is_version_of", "dct:isVersionOf", ""),
    ("is_referenced_by", "dct:isReferencedBy", ""),
    ("applicable_legislation", "dcatap:applicableLegislation", "eli:LegalResource"),
)
"""Element, property, and class of the things that it names.

DCAT's own properties for sources and versions want datasets that are described in the same place; those of
PROV and of Dublin Core take an address.
"""


def say_details(node: Node, details: Mapping[str, Any]) -> None:
    """Add what is known of them."""
    for name, property_, kind in DETAILS:
        for address in details.get(name) or ():
            node.say(property_, typed(address, kind) if kind else IRI(address))
    for address in details.get("sample") or ():
        sample = typed(address, "dcat:Distribution")
        sample.say("dcat:accessURL", IRI(address))
        node.say("adms:sample", sample)
    for tag in details.get("languages") or ():
        code = LANGUAGES.get(primary(tag))
        if code:
            node.say("dct:language", typed(f"{EU}language/{code}", "dct:LinguisticSystem"))
    node.say("dcatap:hvdCategory", *map(concept, details.get("hvd_category") or ()))
    if details.get("type"):
        node.say("dct:type", concept(details["type"]))
    _detail_texts(node, details)
    _detail_values(node, details)


def _detail_values(node: Node, details: Mapping[str, Any]) -> None:
    if details.get("spatial_resolution"):
        resolution = Text(f"{float(details['spatial_resolution']):f}", type="xsd:decimal")
        node.say("dcat:spatialResolutionInMeters", resolution)
    if details.get("temporal_resolution"):
        node.say(
            "dcat:temporalResolution", Text(details["temporal_resolution"], type="xsd:duration")
        )
    if details.get("created"):
        node.say("dct:created", date_text(details["created"]))
    if details.get("version"):
        node.say("dcat:version", Text(details["version"]))


def _detail_texts(node: Node, details: Mapping[str, Any]) -> None:
    node.texts("adms:versionNotes", details.get("version_notes"))
    for name, property_, kind in (
        ("provenance", "dct:provenance", "dct:ProvenanceStatement"),
        ("was_generated_by", "prov:wasGeneratedBy", "prov:Activity"),
    ):
        if details.get(name):
            said = Node("", (kind,))
            said.texts("rdfs:label", details[name])
            node.say(property_, said)
