"""Records of Dublin Core: of catalogue services (csw:Record), of OAI-PMH (oai_dc:dc), with the terms of dcterms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit
from xml.etree import ElementTree as ET

from harvesters.declaration import load_from
from harvesters.formats.graphs import texts, web
from harvesters.formats.iso_extent import places_of
from harvesters.markup import text_of
from harvesters.terms import (
    EU_THEMES,
    ISO_THEMES,
    MEDIA_TYPES,
    format_of,
    frequency_of,
    language_of,
    license_of,
    moment_of,
    period_of,
)

KINDS = ("Record", "SummaryRecord", "BriefRecord", "dc")
Pairs = list[list[str]]
_CLOSED = re.compile(r"(closed|restricted|embargoed|metadata.?only) ?access", re.IGNORECASE)


def said_in(record: ET.Element) -> dict[str, Any]:
    """What a record says, as plain JSON: texts with their language tags, everything else as it stands."""
    found: dict[str, Pairs] = {}
    for element in record:
        text = text_of(element)
        if text:
            found.setdefault(element.tag, []).append([element.get("lang", ""), text])
    links = [
        [text_of(one), one.get("scheme", "") or one.get("protocol", ""), one.get("name", "")]
        for one in record
        if one.tag in {"references", "URI"}
    ]
    stamps = [text for _, text in found.get("modified", [])]
    kinds = [text.lower() for _, text in found.get("type", [])]
    return {
        "id": next((text for _, text in found.get("identifier", [])), ""),
        "level": kinds[0] if kinds else "",
        "stamp": stamps[0] if stamps else "",
        "elements": found,
        "links": links,
        "boxes": [
            _corners(one) for one in record if one.tag in {"BoundingBox", "WGS84BoundingBox"}
        ],
    }


def _corners(box: ET.Element) -> list[str]:
    """West, south, east, north as they are written; the names of EPSG mean that latitude comes first."""
    lower, upper = (text_of(box.find(name)).split() for name in ("LowerCorner", "UpperCorner"))
    if len(lower) != 2 or len(upper) != 2:
        return ["", "", "", ""]
    if box.tag == "BoundingBox" and "EPSG" in box.get("crs", ""):
        return [lower[1], lower[0], upper[1], upper[0]]
    return [*lower, *upper]


def described(body: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset in our words; `body` is what `said_in` has read, with the options of its source."""
    said: Mapping[str, Pairs] = body["elements"]
    language = next(filter(None, map(language_of, _plain(said, "language"))), "")
    language = language or body["default_language"]
    license_id, license_text = _license(said)
    dates = _plain(said, "date")
    start, end = _period(said)
    dataset = {
        "title": texts(said.get("title", []), language, 500),
        "description": texts(
            said.get("abstract", []) or said.get("description", []), language, 100_000
        ),
        "license": license_id,
        "license_text": license_text,
        "access": "closed"
        if any(map(_CLOSED.search, _plain(said, "rights", "accessRights")))
        else "open",
        "frequency": frequency_of(next(iter(_plain(said, "accrualPeriodicity")), "")),
        "tags": _tags(said.get("subject", [])),
        "themes": _themes(said, body["themes"]),
        "landing_page": _landing_page(body),
        "contact": "; ".join(dict.fromkeys(_plain(said, "publisher", "creator")))[:500],
        "spatial": "; ".join(
            text for text in _plain(said, "spatial", "coverage") if not period_of(text)
        )[:500],
        "temporal_start": start,
        "temporal_end": end,
        "issued": next(
            filter(None, map(moment_of, [*_plain(said, "issued", "created"), *dates])), ""
        ),
        "modified": max(filter(None, map(moment_of, _plain(said, "modified"))), default=""),
        "identifier": str(body["id"])[:200],
        "extras": {"dc_type": body["level"]} if body["level"] else {},
        "details": _details(said),
        **places_of({"boxes": body["boxes"], "outlines": []}),
        "resources": _resources(body, language),
    }
    return {key: value for key, value in dataset.items() if value}


def _plain(said: Mapping[str, Pairs], *names: str) -> list[str]:
    return [" ".join(text.split()) for name in names for _, text in said.get(name, [])]


def _license(said: Mapping[str, Pairs]) -> tuple[str, str]:
    """A known licence where one is named, else the words on rights."""
    words = _plain(said, "license", "rights")
    for word in words:
        name, _ = license_of(word)
        if name not in {"other", "notspecified"}:
            return name, ""
    return license_of("; ".join(dict.fromkeys(words)))


def _tags(pairs: Iterable[list[str]]) -> list[str]:
    words = (" ".join(text.split())[:100] for _, text in pairs)
    return list(dict.fromkeys(word for word in words if not word.startswith("http")))[:200]


def _themes(said: Mapping[str, Pairs], declared: Mapping[str, str]) -> list[str]:
    found = [
        declared.get(word) or ISO_THEMES.get(word, "") or EU_THEMES.get(word, "")
        for word in _plain(said, "subject")
    ]
    return list(dict.fromkeys(filter(None, found)))


def _period(said: Mapping[str, Pairs]) -> tuple[str, str]:
    """The period that is written as one of DCMI or as two dates."""
    for text in _plain(said, "temporal", "coverage"):
        named = re.search(r"start=([^;]*)(?:.*?end=([^;]*))?", text)
        parts = [named[1], named[2] or ""] if named else re.split(r"[/]|\s-\s", text)
        start, end = (period_of(part) for part in (*parts, "")[:2])
        if start and (not end or end >= start):
            return start, end
    return "", ""


def _landing_page(body: Mapping[str, Any]) -> str:
    if body["record_page"]:
        return web(body["record_page"].replace("{id}", quote(body["id"], safe="")))[:2000]
    pages = (_page(text) for text in _plain(body["elements"], "identifier", "source"))
    return next((page for page in pages if page and len(page) <= 2000), "")


def _page(text: str) -> str:
    """The address that an identifier is, or stands for: a DOI or a handle."""
    doi = re.fullmatch(r"(?:doi:\s*)?(10\.\d{4,9}/\S+)", text, re.IGNORECASE)
    return f"https://doi.org/{doi[1]}" if doi else web(text)


def _details(said: Mapping[str, Pairs]) -> dict[str, Any]:
    tags = filter(None, map(language_of, _plain(said, "language")))
    creator = next(iter(_plain(said, "creator")), "")[:300]
    publisher = next(iter(_plain(said, "publisher")), "")[:300]
    details: dict[str, Any] = {
        "languages": list(dict.fromkeys(tags))[:100],
        "creator": {"name": creator} if creator else {},
        "publisher": {"name": publisher} if publisher else {},
        "related": [page for text in _plain(said, "relation") if (page := _page(text))][:100],
        "created": next(filter(None, map(period_of, _plain(said, "created"))), ""),
    }
    return {name: value for name, value in details.items() if value}


def _resources(body: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """The links of the record, each once; where there is one format, it is theirs."""
    kinds = [format_of(text) for text in _plain(body["elements"], "format")]
    resources: dict[str, dict[str, Any]] = {}
    for address, scheme, name in body["links"]:
        url = web(address)
        if not url or len(url) > 2000 or url in resources:
            continue
        kind = _kind(scheme, url) or (kinds[0] if len(set(kinds)) == 1 else "")
        tail = urlsplit(url).path.rstrip("/").rpartition("/")[2]
        resources[url] = {
            "key": url[:500],
            "title": {language: (name or kind or tail or "Link")[:1000]},
            "format": kind,
            "media_type": MEDIA_TYPES.get(kind, ""),
            "url": url,
        }
        if body["content"] and kind in MEDIA_TYPES:
            resources[url]["load"] = load_from({}, {"url": url}, body["stamp"])
    return [{key: value for key, value in one.items() if value} for one in resources.values()]


def _kind(scheme: str, url: str) -> str:
    service = re.search(r"\b(WMTS|WMS|WFS|WCS|CSW|SOS)\b", scheme, re.IGNORECASE)
    if service:
        return service[1].upper()
    name = urlsplit(url).path.rpartition("/")[2]
    ending = name.rpartition(".")[2].upper() if "." in name else ""
    return ending if ending in MEDIA_TYPES or ending in {"PDF", "ZIP", "KML", "XML"} else ""
