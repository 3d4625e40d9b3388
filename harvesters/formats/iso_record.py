"""What a record of ISO 19115 says, as plain JSON: in the encodings ISO 19139 and ISO 19115-3, and of national profiles.

Nothing is decided here. A text is a list of pairs of a language tag and words, the tag empty for the record's own language.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree as ET

from harvesters.formats.iso_extent import extents_in
from harvesters.markup import all_of, line_of, text_of
from harvesters.terms import language_of

KINDS = ("MD_Metadata", "MI_Metadata", "CHE_MD_Metadata")
Pairs = list[list[str]]


def records_in(root: ET.Element) -> Iterator[ET.Element]:
    """The records of a document, in order."""
    for element in root.iter():
        if element.tag in KINDS:
            yield element


def identifier_of(record: ET.Element) -> str:
    """The name that the record has for ever, or nothing."""
    return line_of(record, "fileIdentifier/*", "metadataIdentifier/*/code/*")


def said_in(record: ET.Element) -> dict[str, Any]:
    """What the record says of a dataset, a series or a service."""
    said = _Record(record)
    about = next(iter(all_of(record, "identificationInfo/*")), None)
    if about is None:
        about = ET.Element("nothing")
    return {
        "id": identifier_of(record),
        "language": said.language,
        "level": said.code(
            record,
            "hierarchyLevel/*",
            "metadataScope/MD_MetadataScope/resourceScope/*",
        ),
        "stamp": line_of(record, "dateStamp/*") or said.stamp(),
        "parent": line_of(record, "parentIdentifier/*", "parentMetadata/*/title/*"),
        "page": line_of(record, "dataSetURI/*", *(f"metadataLinkage/*/{link}" for link in _LINKS)),
        **said.identity(about),
        **said.constraints(about),
        **said.distribution(about),
        "lineage": said.texts(
            *all_of(
                record,
                "dataQualityInfo/*/lineage/*/statement",
                "resourceLineage/*/statement",
            )
        ),
        "contacts": [
            said.party(one, kind)
            for kind, paths in _CONTACTS.items()
            for one in (*all_of(about, *paths), *(record.iterfind("contact/*") if not kind else ()))
        ],
        **extents_in(about, said.texts),
    }


_CONTACTS = {
    "of data": ("pointOfContact/*",),
    "cited": ("citation/*/citedResponsibleParty/*",),
    "": (),
}
"""Whose contact it is → where it stands; the last one is of the record itself."""


_LINKS = ("linkage/URL", "linkage/CharacterString", "linkage//LocalisedURL")


class _Record:
    """A record with its languages."""

    def __init__(self, record: ET.Element) -> None:
        self._record = record
        self._locales = {
            locale.get("id", ""): _tag(locale)
            for locale in all_of(record, "locale/*", "defaultLocale/*", "otherLocale/*")
        }
        own = all_of(record, "language/*", "defaultLocale/*/language/*")
        self.language = next(filter(None, map(_language, own)), "")

    def texts(self, *elements: ET.Element) -> Pairs:
        """The texts of elements in all their languages, the record's own first."""
        found: Pairs = []
        for element in elements:
            for inner in element:
                if inner.tag == "PT_FreeText":
                    found += [
                        [self._locales.get(one.get("locale", "").lstrip("#"), ""), text_of(one)]
                        for one in inner.iterfind("textGroup/*")
                    ]
                else:
                    found.append(["", text_of(inner)])
        return [pair for pair in found if pair[1]]

    def code(self, element: ET.Element, *paths: str) -> str:
        """The value of a code list, wherever it is written."""
        for one in all_of(element, *paths):
            value = one.get("codeListValue", "") or text_of(one)
            if value.strip():
                return value.strip()
        return ""

    def codes(self, element: ET.Element, *paths: str) -> list[str]:
        """All values of a code list, in order."""
        return [
            value.strip()
            for one in all_of(element, *paths)
            if (value := one.get("codeListValue", "") or text_of(one)).strip()
        ]

    def stamp(self) -> str:
        """The newest moment at which the record was changed, in ISO 19115-3."""
        return max(
            (line_of(one, "date/*") for one in self._record.iterfind("dateInfo/*")), default=""
        )

    def identity(self, about: ET.Element) -> dict[str, Any]:
        """Names, words and dates."""
        return {
            "title": self.texts(*about.iterfind("citation/*/title")),
            "abstract": self.texts(*about.iterfind("abstract")),
            "purpose": self.texts(*about.iterfind("purpose")),
            "edition": line_of(about, "citation/*/edition/*"),
            "identifier": line_of(about, "citation/*/identifier/*/code/*"),
            "dates": [
                [self.code(one, "dateType/*"), line_of(one, "date/*")]
                for one in about.iterfind("citation/*/date/*")
            ],
            "languages": [
                _language(one) for one in all_of(about, "language/*", "defaultLocale/*/language/*")
            ],
            "keywords": [
                self.texts(one) for one in about.iterfind("descriptiveKeywords/*/keyword")
            ],
            "topics": self.codes(about, "topicCategory/*"),
            "frequency": self.code(about, "resourceMaintenance/*/maintenanceAndUpdateFrequency/*"),
            "resolution": [
                [one.get("uom", ""), text_of(one)]
                for one in about.iterfind("spatialResolution/*/distance/*")
            ],
        }

    def constraints(self, about: ET.Element) -> dict[str, Any]:
        """Who may have it and use it, and how."""
        some = about.findall("resourceConstraints/*")
        said = [
            one
            for part in some
            for one in all_of(part, "useLimitation", "otherConstraints", "reference/*/title")
        ]
        return {
            "limits": self.texts(*said),
            "limit_pages": [
                one.get("href", "") for element in said for one in element if one.get("href")
            ]
            + [
                page
                for part in some
                for one in part.iterfind("reference/*/onlineResource/*")
                if (page := line_of(one, *_LINKS))
            ],
            "access": [
                code
                for part in some
                for code in self.codes(part, "accessConstraints/*", "classification/*")
            ],
        }

    def distribution(self, about: ET.Element) -> dict[str, Any]:
        """Files, services and pages, and the formats that are named for all of them."""
        places = all_of(
            self._record,
            "distributionInfo/*/transferOptions/*/onLine/*",
            "distributionInfo/*/distributor/*/distributorTransferOptions/*/onLine/*",
        )
        return {
            "online": [
                self._online(one)
                for one in (*places, *about.iterfind("containsOperations/*/connectPoint/*"))
            ],
            "formats": [
                line_of(one, "name/*", "formatSpecificationCitation/*/title/*")
                for one in all_of(
                    self._record,
                    "distributionInfo/*/distributionFormat/*",
                    "distributionInfo/*/distributor/*/distributorFormat/*",
                )
            ],
        }

    def _online(self, one: ET.Element) -> dict[str, Any]:
        media = [inner.get("type", "") for inner in one.iterfind("name/MimeFileType")]
        return {
            "url": line_of(one, *_LINKS),
            "name": self.texts(*one.iterfind("name")),
            "description": self.texts(*one.iterfind("description")),
            "protocol": line_of(one, "protocol/*"),
            "media": next(filter(None, media), ""),
            "function": self.code(one, "function/*"),
        }

    def party(self, one: ET.Element, kind: str) -> dict[str, Any]:
        """A person or body with what it is for the dataset."""
        inner = next(iter(one.iterfind("party/*")), one)
        at = "contactInfo/*/"
        names = ["organisationName"] if inner is one else ["name"]
        return {
            "kind": kind,
            "role": self.code(one, "role/*"),
            "name": self.texts(*all_of(inner, *names))
            or self.texts(*all_of(inner, "individualName", "positionName")),
            "email": line_of(inner, at + "address/*/electronicMailAddress/*"),
            "phone": line_of(inner, at + "phone/*/voice/*", at + "phone/*/number/*"),
            "url": line_of(inner, *(f"{at}onlineResource/*/{link}" for link in _LINKS)),
            "address": ", ".join(
                filter(
                    None,
                    (
                        line_of(inner, f"{at}address/*/{part}/*")
                        for part in (
                            "deliveryPoint",
                            "postalCode",
                            "city",
                            "administrativeArea",
                            "country",
                        )
                    ),
                )
            ),
        }


def _tag(locale: ET.Element) -> str:
    return next(
        filter(None, map(_language, all_of(locale, "languageCode/*", "language/*"))),
        "",
    )


def _language(element: ET.Element) -> str:
    """The tag of a language that is a code, or words such as `eng; USA`."""
    for said in (element.get("codeListValue", ""), text_of(element)):
        found = language_of(said.partition(";")[0].strip())
        if found:
            return found
    return ""
