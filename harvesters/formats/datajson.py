"""A data.json: DCAT-US 1.1 and 3.0, and what ArcGIS Hub calls so."""

from __future__ import annotations

import hashlib
import json
import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

import orjson
from marshmallow import Schema

from catalog.errors import Unreadable
from harvesters.folders import version_of
from harvesters.formats import dcat_details
from harvesters.formats.dcat_details import details_of, places_of
from harvesters.formats.plain import (
    PortalOptions,
    box_of,
    contact,
    kept,
    keyed,
    known,
    line,
    lines,
    listed,
    mail_of,
    period,
    resource,
    tags,
    texts,
    themes,
    titles,
)
from harvesters.harvester import LinkedFiles, Record, Source
from harvesters.http import Http
from harvesters.json_files import items
from harvesters.markdown import link
from harvesters.terms import frequency_of, license_of, moment_of

LISTS = frozenset({"dataset", "datasetSeries"})
ACCESS = {
    "restricted public": "on_application",
    "restricted": "on_application",
    "non-public": "closed",
    "non_public": "closed",
    "nonpublic": "closed",
}
ADDRESSES: Mapping[str, tuple[str, ...]] = {
    "conforms_to": ("conformsTo",),
    "documentation": ("describedBy", "page"),
    "related": ("relation", "references"),
    "sources": ("source",),
    "has_version": ("hasVersion", "hasCurrentVersion"),
    "is_version_of": ("isVersionOf",),
    "is_referenced_by": ("isReferencedBy",),
    "sample": ("sample",),
}
"""Element of ours → the fields that name pages or things with an address."""
STATEMENTS = {
    "version_notes": "versionNotes",
    "provenance": "provenance",
    "rights": "rights",
    "was_generated_by": "wasGeneratedBy",
}
VALUES = {
    "languages": "language",
    "version": "version",
    "temporal_resolution": "temporalResolution",
    "spatial_resolution": "spatialResolutionInMeters",
    "created": "created",
}
KEPT = {
    "bureau_code": "bureauCode",
    "program_code": "programCode",
    "data_quality": "dataQuality",
    "investment": "primaryITInvestmentUII",
    "system_of_records": "systemOfRecords",
    "is_part_of": "isPartOf",
    "categories": "theme",
    "purpose": "purpose",
    "liability": "liabilityStatement",
}
"""Key in `extras` → field that our catalogue has no place for."""
_ITEM = re.compile(
    r"/(?:datasets|maps|apps|documents|content)/([0-9a-f]{32}(?:_\d+)?)(?=[/?#.]|$)"
    r"|[?&]id=([0-9a-f]{32})(?:&sublayer=(\d+))?$"
)
"""An item of ArcGIS in an address: it stays when the hub moves, or writes its addresses in another way."""


class DataJSON(LinkedFiles):
    """A format: each member of `dataset` is a dataset, its distributions are resources; `inSeries` makes series."""

    kind = "datajson"
    options: ClassVar[type[Schema]] = PortalOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The file's datasets in its order, one at a time in memory; none if the source says that nothing changed."""
        with tempfile.TemporaryDirectory(prefix="weft-datajson-") as place:
            path, version = _file(source, http, Path(place))
            if path is None:
                return
            for name, body in items(path, LISTS, language=source.options["language"]):
                http.beat()
                if name == "datasetSeries":
                    yield from _series([body], source)
                    continue
                yield from _series(
                    body.get("inSeries") if isinstance(body, Mapping) else [], source
                )
                yield _record(body, source)
        source.memory.after = {"version": version}

    def describe(self, record: Record) -> dict[str, Any]:
        """The dataset in our words; what has no place is kept in `extras`."""
        body, language = record.body["dataset"], record.body["language"]
        if record.is_series:
            return kept(
                {
                    "title": _titles(body, language),
                    "description": _texts(body, "description", language),
                    "frequency": frequency_of(line(body.get("accrualPeriodicity"))),
                }
            )
        license_id, license_text = license_of(_license(body))
        access = _access(body)
        dataset = {
            "title": _titles(body, language),
            "description": _texts(body, "description", language),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(line(body.get("accrualPeriodicity"))),
            "access": access,
            "access_reason": {}
            if access == "open"
            else texts(_said(body, "rights"), language, 2000),
            "tags": _keywords(body),
            "themes": themes(lines(body.get("theme")), record.body["themes"]),
            "landing_page": link(_address(body.get("landingPage")))[:2000],
            "contact": _contact(body)[:500],
            "issued": moment_of(line(body.get("issued"))),
            "modified": moment_of(line(body.get("modified"))),
            "identifier": line(body.get("identifier"))[:200],
            "extras": _extras(body),
            "details": details_of(_found(body), language),
            **_period(body.get("temporal")),
            **_place(body),
            "resources": keyed(
                _resource(entry, record.body) for entry in listed(body.get("distribution"))
            ),
        }
        return kept(dataset)


def _file(source: Source, http: Http, place: Path) -> tuple[Path | None, str]:
    """The catalogue as a file and its version; no file if it is the one that was read before."""
    if source.url.startswith(("http://", "https://")):
        version, path = http.version(source.url), None
    else:
        path = http.folders.place(source.url)
        if not path.is_file():
            raise Unreadable("%(path)s is no file", path=source.url)
        version = version_of(path)
    if version and version == source.memory.before.get("version"):
        source.memory.partial, source.memory.after = True, dict(source.memory.before)
        return None, version
    return path or http.download(source.url, place), version


def _record(body: Any, source: Source) -> Record:
    said = known(source.options)
    if not isinstance(body, Mapping):
        key = hashlib.sha256(
            json.dumps(body).encode()
        ).hexdigest()  # orjson refuses some that json read
        error = Unreadable("the record is not built as records of this kind are")
        return Record(key, {"dataset": body}, error)
    keys = tuple(_key_of_series(one) for one in _list(body.get("inSeries")))
    return Record(_key(body), {"dataset": body, **said}, series=tuple(filter(None, keys)))


def _series(some: Any, source: Source) -> Iterator[Record]:
    """Series that are described, not only named."""
    for one in listed(some):
        if line(one.get("title")) and _key_of_series(one):
            said = {name: value for name, value in one.items() if name not in _MEMBERS}
            yield Record(
                _key_of_series(one), {"dataset": said, **known(source.options)}, is_series=True
            )


_MEMBERS = frozenset({"first", "last", "seriesMember"})


def _key_of_series(one: Any) -> str:
    if isinstance(one, Mapping):
        return line(one.get("@id") or one.get("identifier") or one.get("title"))[:500]
    return line(one)[:500]


def _key(body: Mapping[str, Any]) -> str:
    """The identifier, of ArcGIS the item in it; else the page; else a hash of the title."""
    stated = (
        line(body.get("identifier")) or line(body.get("@id")) or _address(body.get("landingPage"))
    )
    found = _ITEM.search(stated)
    if found:
        return found[1] or "_".join(filter(None, found.group(2, 3)))
    title = line(body.get("title")).encode("utf-8", "replace")
    return stated[:500] or hashlib.sha256(title).hexdigest()


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value] if value else []


def _said(body: Mapping[str, Any], name: str) -> str:
    """A statement; several of them one under another."""
    return "\n\n".join(lines(body.get(name)))


def _titles(body: Mapping[str, Any], language: str) -> dict[str, str]:
    """The title and its translations."""
    others = body.get("titleMap")
    found = {tag: titles(text, tag) for tag, text in (others or {}).items()} if others else {}
    return {**_merged(found), **titles(body.get("title"), language)}


def _texts(body: Mapping[str, Any], name: str, language: str) -> dict[str, str]:
    others = body.get(f"{name}Map")
    found = {tag: texts(text, tag) for tag, text in (others or {}).items()} if others else {}
    return {**_merged(found), **texts(_text(body.get(name)), language)}


def _merged(found: Mapping[str, Mapping[str, str]]) -> dict[str, str]:
    return {tag: text for some in found.values() for tag, text in some.items()}


def _text(value: Any) -> str:
    """A text with its lines; of several, one under another."""
    return "\n\n".join(str(text) for text in _list(value) if text is not None)


def _license(body: Mapping[str, Any]) -> str:
    """The dataset's licence, else that of its distributions, if they agree."""
    stated = line(body.get("license"))
    found = {line(file.get("license")) for file in listed(body.get("distribution"))} - {""}
    return stated or (found.pop() if len(found) == 1 else "; ".join(sorted(found)))


def _access(body: Mapping[str, Any]) -> str:
    stated = line(body.get("accessLevel")) or re.split(r"[/#]", line(body.get("accessRights")))[-1]
    return ACCESS.get(stated.lower(), "open")


def _keywords(body: Mapping[str, Any]) -> list[str]:
    """Keywords, also where they stand in one text."""
    stated = body.get("keyword")
    return tags(stated.split(",") if isinstance(stated, str) else stated)


def _address(value: Any) -> str:
    """The address of a page, said at once or as a thing's name or file."""
    if isinstance(value, Mapping):
        names = ("@id", "accessURL", "downloadURL", "identifier")
        return next(filter(None, (link(value.get(name)) for name in names)), "")
    return line(value)


def _contact(body: Mapping[str, Any]) -> str:
    points = listed(body.get("contactPoint")) or [{}]
    return contact(line(points[0].get("fn")), mail_of(points[0].get("hasEmail")))


def _publisher(body: Mapping[str, Any]) -> str:
    """What the publisher is called; ArcGIS Hub writes it also under `source`."""
    stated = body.get("publisher")
    return line(stated) or (line(stated.get("source")) if isinstance(stated, Mapping) else "")


def _extras(body: Mapping[str, Any]) -> dict[str, Any]:
    """What our catalogue has no place for."""
    above = [one for one in listed(body.get("publisher")) if one.get("subOrganizationOf")]
    found = {name: body.get(field) for name, field in KEPT.items()}
    return kept(
        {
            **{name: lines(value) for name, value in found.items() if value},
            "publisher": _publisher(body),
            "parent_organization": line(above[0]["subOrganizationOf"]) if above else "",
        }
    )


def _found(body: Mapping[str, Any]) -> dict[str, Any]:
    """What the dataset says of the further elements, as `details_of` reads it."""
    pages = {
        name: [_address(one) for field in fields for one in _list(body.get(field))]
        for name, fields in ADDRESSES.items()
    }
    said = {name: [["", _said(body, field)]] for name, field in STATEMENTS.items()}
    return {
        **{name: [] for name in dcat_details.ADDRESSES},
        **pages,
        **said,
        **{name: lines(body.get(field)) for name, field in VALUES.items()},
        "type": [],
        "contact_point": [_agent(one) for one in listed(body.get("contactPoint"))],
        "creator": [_agent(one) for one in listed(body.get("creator"))],
        "publisher": [
            {**_agent(one), "name": [["", _publisher(body)]]}
            for one in listed(body.get("publisher"))
        ],
    }


def _agent(one: Mapping[str, Any]) -> dict[str, Any]:
    names = ("street-address", "postal-code", "locality", "region", "country-name")
    places = listed(one.get("address"))
    return {
        "name": [["", line(one.get("fn")) or line(one.get("name")) or line(one.get("title"))]],
        "email": [mail for mail in [mail_of(one.get("hasEmail"))] if mail],
        "phone": lines(one.get("tel")),
        "url": lines(one.get("hasURL")),
        "address": [
            ", ".join(filter(None, (line(place.get(n)) for n in names))) for place in places
        ],
    }


def _period(value: Any) -> dict[str, str]:
    """The first period: “2000-01-15/2010-01-15”, or a thing with its ends."""
    for stated in _list(value):
        if isinstance(stated, Mapping):
            return period(stated.get("startDate"), stated.get("endDate"))
        start, _, end = str(stated).partition("/")
        return period(start, end)
    return {}


def _place(body: Mapping[str, Any]) -> dict[str, Any]:
    """Box, outline and name of the place: four numbers, GeoJSON, well-known text, or a thing with these."""
    stated = _list(body.get("spatial"))
    boxes = [box for box in (box_of(one) for one in stated if isinstance(one, str)) if box]
    if boxes:
        return {"spatial_box": boxes[0]}
    found = places_of({"places": [_outlines(one) for one in stated]})
    names = [_place_name(one) for one in stated]
    return {**found, "spatial": "; ".join(filter(None, names))[:500]}


def _outlines(place: Any) -> dict[str, Any]:
    if isinstance(place, Mapping) and "coordinates" not in place:
        shapes = _list(place.get("geometry")) or _list(place.get("centroid"))
        boxes = _list(place.get("bbox"))
    else:
        shapes, boxes = [place], []
    return {
        "code": "",
        "shapes": [_outline(one) for one in shapes],
        "boxes": [_outline(one) for one in boxes],
    }


def _outline(stated: Any) -> str:
    return orjson.dumps(stated).decode() if isinstance(stated, Mapping) else line(stated)


def _place_name(place: Any) -> str:
    if isinstance(place, Mapping):
        return line(place.get("prefLabel")) or line(place.get("title"))
    text = line(place)
    shape = (
        text.startswith("{") or re.match(r"[A-Z]+ ?\(", text) or re.fullmatch(r"[-\d., ]+", text)
    )
    return "" if shape else text


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    url = _address(entry.get("downloadURL")) or _address(entry.get("accessURL"))
    said = {
        "title": entry.get("title"),
        "description": entry.get("description"),
        "format": entry.get("format"),
        "media": entry.get("mediaType"),
        "url": url,
        "size": entry.get("byteSize"),
    }
    return resource(said, body, line(entry.get("modified")))
