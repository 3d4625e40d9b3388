"""A portal of udata, such as that of France, by its API 1."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson
from marshmallow import Schema, fields

from catalog.errors import Unreadable
from harvesters.addresses import shown
from harvesters.formats.dcat_details import places_of
from harvesters.formats.plain import (
    PagedOptions,
    check_all_came,
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
    slug_of,
    tags,
    texts,
    themes,
    titles,
)
from harvesters.harvester import LinkedFiles, Record, Source
from harvesters.http import Http
from harvesters.markdown import link
from harvesters.terms import frequency_of, license_of, moment_of

MOST_PAGES = 100_000
LICENSES = {
    "lov2": "Licence Ouverte / Open Licence 2.0",
    "fr-lo": "Licence Ouverte / Open Licence",
}


class UdataOptions(PagedOptions):
    """What a source of the kind `udata` may be told."""

    organization = fields.String(
        load_default="",
        metadata={"description": "Id of the organization whose datasets are taken; else all"},
    )


class Udata(LinkedFiles):
    """A format: each dataset that is for everybody is a dataset; those that are private, deleted or archived are left out."""

    kind = "udata"
    options: ClassVar[type[Schema]] = UdataOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The datasets in the order in which they were made; raises Unreadable when there are fewer than the portal says."""
        said, seen, total = known(source.options), set[str](), 0
        for page in _pages(source, http):
            total, before = page["total"], len(seen)
            for body in listed(page["data"]):
                key = line(body.get("id"))
                if key and key in seen:  # pages are cut anew at each call
                    continue
                seen.add(key)
                if not any(body.get(name) for name in ("private", "deleted", "archived")):
                    yield Record(key, {"dataset": body, **said})
            if len(seen) == before:  # a portal that ignores `page` has no end
                break
        check_all_came(total, len(seen))

    def describe(self, record: Record) -> dict[str, Any]:
        """The dataset in our words; the portal's own fields are kept in `extras`."""
        body, language = record.body["dataset"], record.body["language"]
        stated = line(body.get("license"))
        license_id, license_text = license_of(LICENSES.get(stated, stated))
        covered = body.get("temporal_coverage") or {}
        harvested = body.get("harvest") or {}
        dataset = {
            "title": titles(body.get("title"), language),
            "description": texts(body.get("description"), language),
            "slug": slug_of(line(body.get("slug"))),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(line(body.get("frequency"))),
            "tags": tags(body.get("tags")),
            "themes": themes(lines(body.get("tags")), record.body["themes"]),
            "landing_page": link(body.get("page"))[:2000],
            "contact": _contact(body),
            "issued": moment_of(line(harvested.get("created_at")) or line(body.get("created_at"))),
            "modified": moment_of(line(body.get("last_update")) or line(body.get("last_modified"))),
            "extras": _extras(body),
            "details": _details(body),
            **period(covered.get("start"), covered.get("end")),
            **places_of({"places": [_place(body.get("spatial"))]}),
            "resources": keyed(
                _resource(entry, record.body) for entry in listed(body.get("resources") or [])
            ),
        }
        return kept(dataset)


def _pages(source: Source, http: Http) -> Iterator[Mapping[str, Any]]:
    parts = urlsplit(source.url)
    url = f"{parts.scheme}://{parts.netloc}/api/1/datasets/"
    params = {"sort": "created", "page_size": str(source.options["page_size"])}
    if source.options["organization"]:
        params["organization"] = source.options["organization"]
    for number in range(1, MOST_PAGES):
        page = http.get(
            url, headers={"Accept": "application/json"}, params={**params, "page": str(number)}
        ).json()
        if (
            not isinstance(page, Mapping)
            or not isinstance(page.get("data"), list)
            or not isinstance(page.get("total"), int)
        ):
            raise Unreadable("there is no API of udata at %(url)s", url=shown(url))
        yield page
        if not page["data"] or not page.get("next_page"):
            return


def _publisher(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """The organization; of a dataset that a person owns, nobody."""
    found = body.get("organization")
    return found if isinstance(found, Mapping) else {}


def _points(body: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return listed(body.get("contact_points") or []) or listed(body.get("contact_point") or {})


def _contact(body: Mapping[str, Any]) -> str:
    point = (_points(body) or [{}])[0]
    return contact(line(point.get("name")), mail_of(point.get("email"))) or line(
        point.get("contact_form")
    )


def _details(body: Mapping[str, Any]) -> dict[str, Any]:
    point, publisher = (_points(body) or [{}])[0], _publisher(body)
    name = line(publisher.get("name"))[:300]
    remote = link((body.get("harvest") or {}).get("remote_url"))[:2000]
    return kept(
        {
            "publisher": kept({"name": name, "url": link(publisher.get("page"))[:2000]})
            if name
            else {},
            "contact_point": kept(
                {
                    "name": line(point.get("name"))[:200],
                    "email": mail_of(point.get("email")),
                    "url": link(point.get("contact_form"))[:2000],
                }
            ),
            "sources": [remote] if remote else [],
        }
    )


def _extras(body: Mapping[str, Any]) -> dict[str, Any]:
    """What has no place; what the portal counts and checks changes by itself and is left out."""
    own = {name: value for name, value in (body.get("extras") or {}).items() if ":" not in name}
    spatial = body.get("spatial") or {}
    return kept(
        {
            **own,
            "publisher": line(_publisher(body).get("name")),
            "acronym": line(body.get("acronym")),
            "uri": link(body.get("uri")),
            "badges": [line(badge.get("kind")) for badge in listed(body.get("badges") or [])],
            "zones": lines(spatial.get("zones")),
            "granularity": line(spatial.get("granularity")),
        }
    )


def _place(spatial: Any) -> dict[str, Any]:
    shape = spatial.get("geom") if isinstance(spatial, Mapping) else None
    return {"code": "", "shapes": [orjson.dumps(shape).decode()] if shape else [], "boxes": []}


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    checksum = entry.get("checksum") or {}
    said = {
        "key": entry.get("id"),
        "title": entry.get("title"),
        "description": entry.get("description"),
        "format": entry.get("format"),
        "media": entry.get("mime"),
        "url": entry.get("url"),
        "size": entry.get("filesize"),
    }
    return resource(said, body, line(checksum.get("value")) or line(entry.get("last_modified")))
