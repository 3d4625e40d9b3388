"""A portal of Opendatasoft, by the Explore API 2.1; rows by its exports."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urlsplit

import orjson
from marshmallow import Schema, fields

from catalog.errors import Unreadable
from harvesters.addresses import shown
from harvesters.declaration import load_from
from harvesters.formats.dcat_details import places_of
from harvesters.formats.plain import (
    PortalOptions,
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
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Http
from harvesters.json_files import items
from harvesters.markdown import link
from harvesters.terms import frequency_of, language_of, license_of, moment_of

PAGE = 100
"""The most that the API gives at once."""
FURTHEST = 10_000
"""Datasets that can be reached by an offset; a larger catalogue is exported whole."""
ROOT = "/api/explore/v2.1/catalog"


class OpendatasoftOptions(PortalOptions):
    """What a source of the kind `opendatasoft` may be told."""

    filter = fields.String(
        load_default="",
        metadata={
            "description": 'Which datasets are taken, as `where` of the API says it: `publisher = "City"`'
        },
    )
    key = fields.String(
        load_default="", metadata={"secret": True, "description": "Key that is sent with each call"}
    )


class Opendatasoft:
    """A format: each dataset of the catalogue is a dataset, its exports and attachments are resources."""

    kind = "opendatasoft"
    options: ClassVar[type[Schema]] = OpendatasoftOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The datasets in the order of their names; raises Unreadable when there are fewer than the portal says."""
        parts = urlsplit(source.url)
        base = f"{parts.scheme}://{parts.netloc}"
        said, seen = {**known(source.options), "base": base}, set[str]()
        total, found = _datasets(base, source.options, http)
        for body in found:
            http.beat()
            key = line(body.get("dataset_uid")) or line(body.get("dataset_id"))
            if not key or key not in seen:  # pages are cut anew at each call
                seen.add(key)
                yield Record(key, {"dataset": body, **said})
        check_all_came(total, len(seen))

    def describe(self, record: Record) -> dict[str, Any]:
        """The dataset in our words; the portal's own fields are kept in `extras`."""
        body, language = record.body["dataset"], record.body["language"]
        metas: Mapping[str, Any] = body["metas"]
        about, dcat = metas.get("default") or {}, metas.get("dcat") or {}
        language = language_of(line(about.get("language")).lower())[:2] or language
        license_id, license_text = _license(about)
        start, _, end = line(dcat.get("temporal")).partition("/")
        dataset = {
            "title": titles(about.get("title") or body.get("dataset_id"), language),
            "description": texts(about.get("description"), language),
            "slug": slug_of(line(body.get("dataset_id"))),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(
                line(dcat.get("accrualperiodicity")) or line(about.get("update_frequency"))
            ),
            "tags": tags(about.get("keyword")),
            "themes": themes(lines(about.get("theme")), record.body["themes"]),
            "landing_page": f"{record.body['base']}/explore/dataset/{_quoted(body)}/",
            "contact": contact(line(dcat.get("contact_name")), mail_of(dcat.get("contact_email"))),
            "spatial": "; ".join(lines(dcat.get("spatial")) or lines(about.get("territory")))[:500],
            "issued": moment_of(line(dcat.get("issued")) or line(dcat.get("created"))),
            "modified": moment_of(line(about.get("modified")) or line(about.get("data_processed"))),
            "identifier": line(body.get("dataset_id"))[:200],
            "extras": _extras(metas),
            "details": _details(about, dcat),
            **period(start, end),
            **places_of({"places": [_place(about.get("bbox"))]}),
            "resources": keyed(_resources(body, {**record.body, "language": language})),
        }
        return kept(dataset)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:
        """The rows as CSV, or the file."""
        headers = _headers(source.options, source.url, load["part"]["url"])
        return Files([http.download(load["part"]["url"], into, headers=headers)])


def _headers(options: Mapping[str, Any], base: str, url: str) -> dict[str, str]:
    """The key, which only the portal itself may see."""
    same = urlsplit(base)[:2] == urlsplit(url)[:2]
    return {"Authorization": f"Apikey {options['key']}"} if options["key"] and same else {}


def _datasets(
    base: str, options: Mapping[str, Any], http: Http
) -> tuple[int, Iterator[Mapping[str, Any]]]:
    """How many datasets there are, and all of them."""
    first = _page(base, options, http, 0)
    total: int = first["total_count"]
    if total > FURTHEST:
        return total, _exported(base, options, http)
    return total, _walked(base, options, http, first)


def _walked(
    base: str, options: Mapping[str, Any], http: Http, page: Mapping[str, Any]
) -> Iterator[Mapping[str, Any]]:
    start = 0
    while page["results"]:
        yield from listed(page["results"])
        start += len(page["results"])
        if start >= min(page["total_count"], FURTHEST):
            return
        page = _page(base, options, http, start)


def _page(base: str, options: Mapping[str, Any], http: Http, start: int) -> Mapping[str, Any]:
    url = f"{base}{ROOT}/datasets"
    params = {"limit": str(PAGE), "offset": str(start), "order_by": "dataset_id"}
    if options["filter"]:
        params["where"] = options["filter"]
    page = http.get(url, headers=_headers(options, base, url), params=params).json()
    if (
        not isinstance(page, Mapping)
        or not isinstance(page.get("results"), list)
        or not isinstance(page.get("total_count"), int)
    ):
        raise Unreadable("there is no Explore API of Opendatasoft at %(url)s", url=shown(url))
    return page


def _exported(base: str, options: Mapping[str, Any], http: Http) -> Iterator[Mapping[str, Any]]:
    """The whole catalogue as one file."""
    url = f"{base}{ROOT}/exports/json"
    url += f"?where={quote(options['filter'])}" if options["filter"] else ""
    with tempfile.TemporaryDirectory(prefix="weft-opendatasoft-") as place:
        file = http.download(url, Path(place), headers=_headers(options, base, url))
        for _, body in items(file, {"results"}):
            yield from listed(body)


def _license(about: Mapping[str, Any]) -> tuple[str, str]:
    """The licence by its address or its name, the first that we know; else its name."""
    stated = [line(about.get("license_url")), line(about.get("license"))]
    found = [license_of(text) for text in stated if text]
    named = [one for one in found if one[0] not in {"other", "notspecified"}]
    return (named or found[-1:] or [("notspecified", "")])[0]


def _quoted(body: Mapping[str, Any]) -> str:
    return quote(line(body.get("dataset_id")), safe="@-_.~")


def _place(stated: Any) -> dict[str, Any]:
    """The outline of all records, as GeoJSON."""
    shape = stated.get("geometry", stated) if isinstance(stated, Mapping) else None
    return {"code": "", "shapes": [], "boxes": [orjson.dumps(shape).decode()] if shape else []}


_OF_MACHINES = frozenset({"default", "processing", "explore", "visualization", "semantic"})


def _extras(metas: Mapping[str, Any]) -> dict[str, Any]:
    """What has no place, and the fields that the portal has added."""
    about = metas.get("default") or {}
    own = {name: kept(said) for name, said in metas.items() if name not in _OF_MACHINES and said}
    return kept(
        {
            "publisher": line(about.get("publisher")),
            "categories": lines(about.get("theme")),
            "attributions": lines(about.get("attributions")),
            **{name: said for name, said in own.items() if name != "dcat"},
        }
    )


def _details(about: Mapping[str, Any], dcat: Mapping[str, Any]) -> dict[str, Any]:
    publisher, creator = line(about.get("publisher"))[:300], line(dcat.get("creator"))[:300]
    pages = [link(page)[:2000] for page in re.split(r"[\s,;]+", line(about.get("references")))]
    point = {
        "name": line(dcat.get("contact_name"))[:200],
        "email": mail_of(dcat.get("contact_email")),
    }
    return kept(
        {
            "publisher": kept({"name": publisher}),
            "creator": kept({"name": creator}),
            "contact_point": kept(point),
            "documentation": list(filter(None, pages))[:100],
        }
    )


def _resources(body: Mapping[str, Any], said: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """Exports of the rows, then files."""
    place = f"{said['base']}{ROOT}/datasets/{_quoted(body)}"
    about = body["metas"].get("default") or {}
    if body.get("has_records"):
        rows = f"{place}/exports/csv?delimiter=%2C"
        made = resource({"key": "csv", "title": "CSV", "format": "CSV", "url": rows}, said)
        if "load" in made:
            columns = {"columns": _columns(body, said["language"])}
            made["load"] = load_from(columns, {"url": rows}, line(about.get("data_processed")))
        yield made
        for name in ("json", *(["geojson"] if "geo" in lines(body.get("features")) else [])):
            export = {
                "key": name,
                "title": name.upper(),
                "format": name,
                "url": f"{place}/exports/{name}",
            }
            yield resource(export, {**said, "content": False})
    for kind in ("attachments", "alternative_exports"):
        for file in listed(body.get(kind) or []):
            name = line(file.get("id"))
            yield resource(
                {
                    "key": f"{kind} {name}",
                    "title": file.get("title"),
                    "description": file.get("description"),
                    "media": file.get("mimetype"),
                    "url": f"{place}/{kind}/{quote(name, safe='')}",
                },
                said,
            )


def _columns(body: Mapping[str, Any], language: str) -> dict[str, dict[str, Any]]:
    """Names for people and meanings, by the names in the export; text stays text."""
    return {
        line(field.get("name")): kept(
            {
                "label": titles(field.get("label"), language),
                "description": texts(field.get("description"), language, 5000),
                "type": "string" if field.get("type") == "text" else "",
            }
        )
        for field in listed(body.get("fields") or [])
    }
