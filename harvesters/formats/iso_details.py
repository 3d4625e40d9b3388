"""A record of ISO 19115 in the fields of DatasetDraft.

What a record says in a way that ours cannot hold is left out: one odd value must not keep the dataset away.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote, urlsplit

from harvesters.declaration import load_from
from harvesters.formats.graphs import texts, web
from harvesters.formats.iso_extent import places_of, times_of
from harvesters.terms import (
    ISO_THEMES,
    MEDIA_TYPES,
    format_of,
    frequency_of,
    license_of,
    moment_of,
    period_of,
)

OPEN = re.compile(
    r"no ?limit|no (public )?access (constraints|restrictions)|no conditions? appl|noconditions"
    r"|no restrictions|^none\.?$|^unknown$|conditionsunknown|conditions unknown",
    re.IGNORECASE,
)
"""Words by which a record says that there is no limit: they are no licence."""
_CLOSED = frozenset({"confidential", "secret", "topSecret", "private", "in-confidence"})
_ON_APPLICATION = frozenset({"restricted", "limitedDistribution", "SBU"})
_SERVICE = re.compile(
    r"\b(WMTS|WMS|WFS|WCS|WPS|CSW|SOS|SPS|WMC|OPENDAP|ERDDAP|THREDDS|FTP)\b", re.IGNORECASE
)
_METRES = {
    "m": 1.0,
    "metre": 1.0,
    "meter": 1.0,
    "metres": 1.0,
    "meters": 1.0,
    "km": 1000.0,
    "cm": 0.01,
}
_PACKED = re.compile(r"\.(gz|zip)$", re.IGNORECASE)


def described(body: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset in our words; `body` is what iso_record has read, with the options of its source."""
    language = body["language"] or body["default_language"]
    license_id, license_text = _license(body)
    start, end = times_of(body)
    dataset = {
        "title": texts(body["title"], language, 500),
        "description": texts(body["abstract"], language, 100_000),
        "license": license_id,
        "license_text": license_text,
        "frequency": frequency_of(body["frequency"]),
        "access": _access(body),
        "tags": _tags(body["keywords"]),
        "themes": _themes(body),
        "landing_page": _landing_page(body),
        "contact": _contact(body, language),
        "spatial": "; ".join(dict.fromkeys(text for tag, text in body["places"] if not tag))[:500],
        "temporal_start": start,
        "temporal_end": end,
        "issued": _date(body, min, "publication", "released"),
        "modified": _date(body, max, "revision", "lastUpdate", "lastRevision")
        or moment_of(body["stamp"]),
        "identifier": body["identifier"][:200],
        "extras": _extras(body),
        "details": _details(body, language),
        **places_of(body),
        "resources": _resources(body, language),
    }
    return {key: value for key, value in dataset.items() if value}


def _license(body: Mapping[str, Any]) -> tuple[str, str]:
    """The licence that is named by a known address or word, else the words themselves."""
    words = [text for tag, text in body["limits"] if not tag and not OPEN.search(text)]
    for said in (*body["limit_pages"], *words):
        name, _ = license_of(said)
        if name not in {"other", "notspecified"}:
            return name, ""
    kept = "; ".join(dict.fromkeys(" ".join(text.split()) for text in words))[:1000]
    return ("other", kept) if license_of(kept)[0] == "other" else ("notspecified", "")


def _access(body: Mapping[str, Any]) -> str:
    said = set(body["access"])
    refused = any("LimitationsOnPublicAccess/INSPIRE" in page for page in body["limit_pages"])
    if said & _CLOSED or refused:
        return "closed"
    return "on_application" if said & _ON_APPLICATION else "open"


def _tags(keywords: Iterable[list[list[str]]]) -> list[str]:
    """Keywords in all their languages."""
    found = (" ".join(text.split())[:100] for pairs in keywords for _, text in pairs)
    return list(dict.fromkeys(filter(None, found)))[:200]


def _themes(body: Mapping[str, Any]) -> list[str]:
    declared: Mapping[str, str] = body["themes"]
    words = [text for pairs in body["keywords"] for _, text in pairs if text in declared]
    found = [
        declared.get(word) or ISO_THEMES.get(word.partition("_")[0], "")
        for word in (*body["topics"], *words)
    ]
    return list(dict.fromkeys(filter(None, found)))


def _landing_page(body: Mapping[str, Any]) -> str:
    """The page that the operator declares, else one that the record names for itself or for information."""
    if body["record_page"]:
        return web(body["record_page"].replace("{id}", quote(body["id"], safe="")))[:2000]
    pages = [one["url"] for one in body["online"] if one["function"] == "information"]
    found = (web(page) for page in (body["page"], *pages))
    return next((page for page in found if page and len(page) <= 2000), "")


def _date(body: Mapping[str, Any], pick: Any, *kinds: str) -> str:
    """The first or last of the dates of these kinds."""
    found = [moment_of(text) for kind, text in body["dates"] if kind in kinds]
    return str(pick(filter(None, found), default=""))


def _contact(body: Mapping[str, Any], language: str) -> str:
    for one in body["contacts"]:
        name = _name(one, language)
        email = one["email"]
        if name or email:
            parts = (name, f"<{email}>" if email and name else email)
            return " ".join(part for part in parts if part)[:500]
    return ""


def _name(party: Mapping[str, Any], language: str) -> str:
    names = texts(party["name"], language, 300)
    return " ".join((names.get(language) or next(iter(names.values()), "")).split())


def _extras(body: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        "iso_identifier": body["id"],
        "iso_scope": body["level"],
        "iso_parent": body["parent"],
        "iso_date_stamp": body["stamp"],
        "iso_topics": body["topics"],
    }
    return {key: value for key, value in kept.items() if value}


def _details(body: Mapping[str, Any], language: str) -> dict[str, Any]:
    created = next((text for kind, text in body["dates"] if kind == "creation"), "")
    details = {
        "version": body["edition"][:100],
        "languages": list(dict.fromkeys(filter(None, body["languages"])))[:100],
        "provenance": texts(_joined(body["lineage"]), language, 20_000),
        "rights": texts(_joined(body["limits"]), language, 20_000),
        "spatial_resolution": _metres(body["resolution"]),
        "created": period_of(created),
        "contact_point": _contact_point(body, language),
        "creator": _agent(body, language, "author", "originator", "principalInvestigator"),
        "publisher": _agent(body, language, "publisher", "owner"),
    }
    return {name: value for name, value in details.items() if value}


def _joined(pairs: Iterable[list[str]]) -> list[list[str]]:
    """One text for each language, made of all that are in it."""
    found: dict[str, list[str]] = {}
    for tag, text in pairs:
        found.setdefault(tag, []).append(text)
    return [[tag, "\n\n".join(dict.fromkeys(some))] for tag, some in found.items()]


def _contact_point(body: Mapping[str, Any], language: str) -> dict[str, str]:
    for one in body["contacts"]:
        url = web(one["url"])
        said = {
            "name": _name(one, language)[:200],
            "email": one["email"][:254],
            "phone": one["phone"][:60],
            "url": url if len(url) <= 2000 else "",
            "address": one["address"][:500],
        }
        if any(said.values()):
            return {name: value for name, value in said.items() if value}
    return {}


def _agent(body: Mapping[str, Any], language: str, *roles: str) -> dict[str, str]:
    """The first body with one of these roles, in the order of the roles."""
    for role in roles:
        for one in body["contacts"]:
            name = _name(one, language)[:300]
            if one["role"] == role and name:
                said = {"name": name, "email": one["email"][:254], "url": web(one["url"])[:2000]}
                return {key: value for key, value in said.items() if value}
    return {}


def _metres(found: Iterable[list[str]]) -> float | None:
    """The finest resolution that is given in metres."""
    read = []
    for unit, text in found:
        factor = _METRES.get(re.split(r"[#/]", unit)[-1].strip().lower())
        try:
            read.append(float(text) * (factor or 0))
        except ValueError:
            continue
    return min((one for one in read if 0 < one <= 1e8), default=None)


def _resources(body: Mapping[str, Any], language: str) -> list[dict[str, Any]]:
    """Each online resource that has an address; several names at one address are several resources."""
    resources: list[dict[str, Any]] = []
    used: Counter[str] = Counter()
    named = [format_of(name) for name in body["formats"] if name]
    for one in body["online"]:
        url = web(one["url"])
        if not url or len(url) > 2000:
            continue
        titles = texts(one["name"], language, 1000) or texts(one["description"], language, 1000)
        key = url[:400]
        used[key] += 1
        if used[key] > 1:
            key = f"{key}#{used[key]}"
        kind = _format(one, url) or (named[0] if len(set(named)) == 1 else "")
        resource: dict[str, Any] = {
            "key": key,
            "title": titles
            or {language: kind or urlsplit(url).path.rpartition("/")[2][:200] or "Link"},
            "description": texts(one["description"], language, 20_000),
            "format": kind,
            "media_type": MEDIA_TYPES.get(kind, ""),
            "url": url,
        }
        if body["content"] and kind in MEDIA_TYPES:
            resource["load"] = load_from({}, {"url": url}, body["stamp"])
        resources.append({name: value for name, value in resource.items() if value})
    return resources


def _format(one: Mapping[str, Any], url: str) -> str:
    """The format by protocol, media type or ending, such as `WMS`, `CSV`, `SHP`; nothing where nothing tells it."""
    service = _SERVICE.search(one["protocol"]) or re.search(
        r"[?&]service=(\w+)", url, re.IGNORECASE
    )
    if service:
        return service[1].upper()
    if re.search(r"/(Map|Feature|Image)Server\b", url.partition("#")[0]):
        return "ESRI-REST"
    media = one["media"] or one["protocol"].removeprefix("WWW:DOWNLOAD-").strip()
    if "/" in media and "://" not in media and " " not in media:
        return format_of(media)
    name = _PACKED.sub("", urlsplit(url).path.rpartition("/")[2])
    ending = name.rpartition(".")[2].upper() if "." in name else ""
    if ending in MEDIA_TYPES or ending in {
        "PDF",
        "XML",
        "HTML",
        "HTM",
        "NC",
        "TIF",
        "KML",
        "KMZ",
        "GML",
        "SHP",
    }:
        return {"HTM": "HTML", "TIF": "TIFF", "NC": "NETCDF"}.get(ending, ending)
    if _PACKED.search(urlsplit(url).path):
        return "ZIP"
    return "HTML" if "LINK" in one["protocol"].upper() else ""
