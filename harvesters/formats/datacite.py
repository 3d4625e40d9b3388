"""Records of DataCite, as repositories give them: said in the elements of Dublin Core."""

from __future__ import annotations

from typing import Any
from xml.etree import ElementTree as ET

from harvesters.markup import all_of, line_of, text_of

KINDS = ("resource", "oai_datacite")
_SIMPLE = {
    "title": ("titles/title",),
    "description": ("descriptions/description",),
    "subject": ("subjects/subject",),
    "creator": ("creators/creator/creatorName",),
    "publisher": ("publisher",),
    "language": ("language",),
    "format": ("formats/format",),
    "spatial": ("geoLocations/geoLocation/geoLocationPlace",),
}
_DATES = {"Issued": "issued", "Created": "created", "Updated": "modified", "Collected": "temporal"}
_EDGES = ("westBoundLongitude", "southBoundLatitude", "eastBoundLongitude", "northBoundLatitude")


def said_in(record: ET.Element) -> dict[str, Any]:
    """What the record says, in the shape of dublin_core.said_in."""
    inner = record.find("payload/resource") if record.tag == "oai_datacite" else record
    record = ET.Element("resource") if inner is None else inner
    found = {
        name: [
            [one.get("lang", ""), text] for one in all_of(record, *paths) if (text := text_of(one))
        ]
        for name, paths in _SIMPLE.items()
    }
    for date in record.iterfind("dates/date"):
        name = _DATES.get(date.get("dateType", ""))
        if name:
            found.setdefault(name, []).append(["", text_of(date)])
    if "issued" not in found and line_of(record, "publicationYear"):
        found["issued"] = [["", line_of(record, "publicationYear")]]
    found["license"] = [
        ["", said]
        for one in record.iterfind("rightsList/rights")
        if (said := one.get("rightsURI", "") or text_of(one))
    ]
    identifier = line_of(record, "identifier")
    found["identifier"] = [["", identifier]] if identifier else []
    stamps = found.get("modified", [])
    kind = record.find("resourceType")
    return {
        "id": identifier,
        "level": (kind.get("resourceTypeGeneral", "") if kind is not None else "").lower(),
        "stamp": stamps[-1][1] if stamps else "",
        "elements": {name: pairs for name, pairs in found.items() if pairs},
        "links": [],
        "boxes": [
            [line_of(box, edge) for edge in _EDGES]
            for box in record.iterfind("geoLocations/geoLocation/geoLocationBox")
        ],
    }
