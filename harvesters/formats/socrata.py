"""A portal of Socrata, or several, by the Discovery API; rows by the CSV export."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

from marshmallow import Schema, fields

from catalog.errors import Unreadable
from harvesters.addresses import shown
from harvesters.declaration import load_from
from harvesters.formats.plain import (
    PagedOptions,
    check_all_came,
    kept,
    keyed,
    known,
    line,
    lines,
    listed,
    mail_of,
    resource,
    tags,
    texts,
    themes,
    titles,
)
from harvesters.harvester import LinkedFiles, Record, Source
from harvesters.http import Http
from harvesters.markdown import link
from harvesters.terms import frequency_of, license_of, moment_of

FURTHEST = 10_000
"""Records that can be reached by an offset; behind them one goes on from the last one."""
MOST_PAGES = 10_000


class SocrataOptions(PagedOptions):
    """What a source of the kind `socrata` may be told."""

    domains = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "Portals whose datasets are taken; else that of the address"},
    )
    assets = fields.List(
        fields.String(),
        load_default=lambda: ["dataset"],
        metadata={
            "description": "Kinds of assets that are taken, such as `dataset`, `map`, `file`"
        },
    )
    key = fields.String(
        load_default="",
        metadata={"secret": True, "description": "App token that is sent with each call"},
    )


class Socrata(LinkedFiles):
    """A format: each asset that the Discovery API finds is a dataset, its exports are resources."""

    kind = "socrata"
    options: ClassVar[type[Schema]] = SocrataOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The assets in the order of their ids, each once, also where several portals show it; raises Unreadable when
        there are fewer than the API says.
        """
        said, seen, total, came = known(source.options), set[str](), 0, 0
        for page in _pages(source, http):
            total = max(total, page["resultSetSize"])  # less than before: others moved unseen
            came += len(page["results"])
            for body in page["results"]:
                key = _key(body)
                if key and key in seen:
                    continue
                seen.add(key)
                yield Record(key, {"asset": body, **said})
        check_all_came(total, came)

    def describe(self, record: Record) -> dict[str, Any]:
        """The asset in our words; the portal's own fields are kept in `extras`."""
        asset, language = record.body["asset"], record.body["language"]
        about, sorted_as = asset["resource"], asset["classification"]
        own = {
            line(one.get("key")): one.get("value")
            for one in listed(sorted_as.get("domain_metadata") or [])
        }
        license_id, license_text = license_of(_license(asset, own))
        categories = [line(sorted_as.get("domain_category")), *lines(sorted_as.get("categories"))]
        dataset = {
            "title": titles(about.get("name"), language),
            "description": texts(about.get("description"), language),
            "license": license_id,
            "license_text": license_text,
            "frequency": _frequency(own),
            "tags": tags([*lines(sorted_as.get("domain_tags")), *lines(sorted_as.get("tags"))]),
            "themes": themes(filter(None, categories), record.body["themes"]),
            "landing_page": link(asset.get("permalink")) or link(asset.get("link")),
            "contact": mail_of(about.get("contact_email")),
            "issued": _moment(about, "publication_date", "createdAt"),
            "modified": _moment(about, "data_updated_at", "updatedAt"),
            "identifier": line(about.get("id"))[:200],
            "extras": kept(
                {
                    **own,
                    "publisher": line(about.get("attribution")),
                    "portal": line((asset.get("metadata") or {}).get("domain")),
                    "categories": lines(categories),
                    "provenance": line(about.get("provenance")),
                }
            ),
            "details": _details(about),
            "resources": keyed(_resources(asset, record.body)),
        }
        return kept(dataset)


def _pages(source: Source, http: Http) -> Iterator[Mapping[str, Any]]:
    """Answers until the API has no more; in the order of ids, so that one can go on from the last one."""
    options, parts = source.options, urlsplit(source.url)
    inside = "/api/catalog/" in parts.path
    url = source.url if inside else f"{parts.scheme}://{parts.netloc}/api/catalog/v1"
    params = {
        "only": ",".join(options["assets"]),
        "order": "dataset_id",
        "limit": str(options["page_size"]),
    }
    if options["domains"] or not inside:
        domains = ",".join(options["domains"]) or parts.netloc
        params |= {"domains": domains}
        if "," not in domains:
            params |= {"search_context": domains}
    headers = {
        "Accept": "application/json",
        **({"X-App-Token": options["key"]} if options["key"] else {}),
    }
    start, last = 0, ""
    for _ in range(MOST_PAGES):
        place = (
            {"offset": str(start)}
            if start + options["page_size"] <= FURTHEST
            else {"scroll_id": last}
        )
        page = http.get(url, headers=headers, params={**params, **place}).json()
        if (
            not isinstance(page, Mapping)
            or not isinstance(page.get("results"), list)
            or not isinstance(page.get("resultSetSize"), int)
        ):
            raise Unreadable("there is no Discovery API of Socrata at %(url)s", url=shown(url))
        yield page
        following = _id(page["results"][-1]) if page["results"] else ""
        start += len(page["results"])
        if (
            not page["results"]
            or start >= page["resultSetSize"]
            or ("scroll_id" in place and following == last)
        ):
            return
        last = following


def _id(body: Any) -> str:
    about = body.get("resource") if isinstance(body, Mapping) else None
    return line(about.get("id")) if isinstance(about, Mapping) else ""


def _key(body: Any) -> str:
    """Portal and id: the same dataset may stand in several portals."""
    portal = body.get("metadata") if isinstance(body, Mapping) else None
    domain = line(portal.get("domain")) if isinstance(portal, Mapping) else ""
    return f"{domain}/{_id(body)}" if _id(body) else ""


def _license(asset: Mapping[str, Any], own: Mapping[str, Any]) -> str:
    """The licence, else what the portal's own fields call so."""
    stated = line((asset.get("metadata") or {}).get("license"))
    names = [
        name for name in own if name.lower().endswith(("license-name", "license name", "_license"))
    ]
    return stated or next((line(own[name]) for name in names if line(own[name])), "")


def _frequency(own: Mapping[str, Any]) -> str:
    stated = [line(value) for name, value in own.items() if "frequency" in name.lower()]
    found = [frequency_of(text) for text in stated]
    return next((name for name in found if name != "unknown"), "unknown")


def _moment(about: Mapping[str, Any], *names: str) -> str:
    return next(filter(None, (moment_of(line(about.get(name))) for name in names)), "")


def _details(about: Mapping[str, Any]) -> dict[str, Any]:
    who = line(about.get("attribution"))[:300]
    mail = mail_of(about.get("contact_email"))
    return kept(
        {
            "publisher": kept({"name": who, "url": link(about.get("attribution_link"))[:2000]})
            if who
            else {},
            "contact_point": kept({"email": mail}),
        }
    )


def _resources(asset: Mapping[str, Any], body: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The rows as CSV and by the API; of what has no rows, its file or page."""
    about = asset["resource"]
    name, domain = line(about.get("id")), line((asset.get("metadata") or {}).get("domain"))
    version = line(about.get("data_updated_at"))
    if about.get("lens_view_type") not in ("tabular", "geo", None):
        media = about.get("blob_mime_type") or "text/html"
        yield resource(
            {"key": "page", "media": media, "url": asset.get("permalink")},
            {**body, "content": False},
        )
        return
    rows = f"https://{domain}/api/views/{name}/rows.csv?accessType=DOWNLOAD"
    made = resource({"key": "csv", "title": "CSV", "format": "CSV", "url": rows}, body, version)
    if "load" in made:
        made["load"] = load_from(
            {"columns": _columns(about, body["language"])}, {"url": rows}, version
        )
    yield made
    api = f"https://{domain}/resource/{name}.json"
    yield resource(
        {"key": "json", "title": "API", "format": "JSON", "url": api}, {**body, "content": False}
    )


def _columns(about: Mapping[str, Any], language: str) -> dict[str, dict[str, Any]]:
    """What the columns mean; text stays text, for codes may look like numbers."""
    found: dict[str, dict[str, Any]] = {}
    parts = (about.get(f"columns_{part}") or [] for part in ("name", "datatype", "description"))
    for name, kind, words in zip(*parts, strict=False):
        said = texts(words, language, 5000)
        found[line(name)] = {
            **({"description": said} if said else {}),
            **({"type": "string"} if kind == "Text" else {}),
        }
    return {name: about for name, about in found.items() if name and about}
