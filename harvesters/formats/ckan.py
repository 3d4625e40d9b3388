"""A CKAN portal, by its Action API; an old one by what it has."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar
from urllib.parse import urljoin

import orjson
from marshmallow import Schema, fields, validate

from catalog.errors import Unreadable
from harvesters.declaration import load_from
from harvesters.formats.ckan_api import API, packages
from harvesters.formats.dcat_details import places_of
from harvesters.formats.plain import (
    PagedOptions,
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
from harvesters.terms import MEDIA_TYPES, format_of, frequency_of, license_of, moment_of, plain_tag

NO_DATASETS = frozenset({"harvest", "showcase", "application", "harvest_source"})
"""Types of packages that describe no data."""
_FREQUENCY = re.compile(
    r"(update_?|accrual_?)?(frequency|periodicity)|(frequ[eê]ncia|periodicidade).*|fr[eé]quence|更新频率|更新周期",
    re.IGNORECASE,
)
"""How fields beyond CKAN's own call how often a dataset is updated."""
_OF_MACHINES = re.compile(r"harvest_(object|source)_id|guid|dcat_|ckan_|resources_ids")
"""Fields that say nothing to people, and some of which change with each harvest there."""


class CKANOptions(PagedOptions):
    """What a source of the kind `ckan` may be told."""

    filter = fields.String(
        load_default="",
        validate=validate.Length(max=2000),
        metadata={
            "description": "Which packages are taken, as `fq` of package_search says it: `organization:survey`"
        },
    )
    key = fields.String(
        load_default="",
        metadata={"secret": True, "description": "Token that is sent with each call"},
    )


class CKAN(LinkedFiles):
    """A format: each active, public package is a dataset; after the first run only those that changed are asked for."""

    kind = "ckan"
    options: ClassVar[type[Schema]] = CKANOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The packages, all or those that changed; one that could not be read is a record with its error."""
        api = API(source, http)
        said = {**known(source.options), "base": api.base}
        for package in packages(api, source):
            http.beat()
            if isinstance(package, tuple):
                name, error = package
                yield Record(name, {"name": name}, error)
            elif not isinstance(package, Mapping):
                error = Unreadable("the record is not built as records of this kind are")
                yield Record(line(package), {"package": package}, error)
            elif _is_dataset(package):
                key = line(package.get("id")) or line(package.get("name"))
                yield Record(key, {"package": package, **said})

    def describe(self, record: Record) -> dict[str, Any]:
        """The package in our words; further fields of its portal are kept in `extras`."""
        package, language = record.body["package"], record.body["language"]
        more = _more(package)
        license_id, license_text = _license(package)
        dataset = {
            "title": _translated(package, "title", language)
            or titles(package.get("name"), language),
            "description": _translated(package, "notes", language),
            "slug": slug_of(line(package.get("name"))),
            "license": license_id,
            "license_text": license_text,
            "frequency": _frequency(more),
            "tags": tags(
                [
                    tag.get("name") if isinstance(tag, Mapping) else tag
                    for tag in package.get("tags") or ()
                ]
            ),
            "themes": _themes(package, more, record.body["themes"]),
            "landing_page": link(package.get("url"))[:2000] or _page(record.body),
            "contact": _contact(package),
            "spatial": _spatial(more),
            "issued": _moment(more.get("issued")) or _moment(package.get("metadata_created")),
            "modified": _moment(more.get("modified")) or _moment(package.get("metadata_modified")),
            "identifier": line(more.get("identifier"))[:200],
            "extras": _extras(package, more, record.body),
            "details": _details(package, more, language),
            **period(more.get("temporal_start"), more.get("temporal_end")),
            **places_of({"places": [_place(more.get("spatial"))]}),
            "resources": keyed(
                _resource(entry, record.body)
                for entry in listed(package.get("resources") or [])
                if entry.get("state") in (None, "", "active")
            ),
        }
        return kept(dataset)


def _is_dataset(package: Mapping[str, Any]) -> bool:
    """Whether a package is for everybody and there, and describes data."""
    return (
        package.get("private") not in (True, "True", "true")
        and package.get("state") in (None, "", "active")
        and line(package.get("type")) not in NO_DATASETS
    )


_OWN = frozenset(
    {
        "author", "author_email", "ckan_url", "creator_user_id", "download_url", "extras", "groups", "id", "isopen",
        "license", "license_id", "license_title", "license_url", "maintainer", "maintainer_email", "metadata_created",
        "metadata_modified", "name", "notes", "notes_rendered", "notes_translated", "num_resources", "num_tags",
        "organization", "owner_org", "private", "ratings_average", "ratings_count", "relationships",
        "relationships_as_object", "relationships_as_subject", "resources", "revision_id", "revision_timestamp", "state",
        "tags", "title", "title_translated", "tracking_summary", "type", "url", "version", "plugin_data",
    }
)  # fmt: skip
"""CKAN's own fields of a package, in its versions."""


def _more(package: Mapping[str, Any]) -> dict[str, Any]:
    """Fields beyond CKAN's own: its extras, as a list or as fields, and what a schema of the portal adds."""
    extras = package.get("extras") or {}
    if isinstance(extras, list):
        extras = {line(one.get("key")): one.get("value") for one in listed(extras)}
    added = {name: value for name, value in package.items() if name not in _OWN}
    return kept({**added, **extras})


def _translated(package: Mapping[str, Any], name: str, language: str) -> dict[str, str]:
    """A text, with its translations where the portal keeps them."""
    make = titles if name == "title" else texts
    others = package.get(f"{name}_translated")
    found = {language: make(package.get(name), language).get(language, "")}
    for tag, text in others.items() if isinstance(others, Mapping) else ():
        tag = plain_tag(tag, language)
        found[tag] = make(text, tag).get(tag, "") or found.get(tag, "")
    return {tag: text for tag, text in found.items() if text}


def _license(package: Mapping[str, Any]) -> tuple[str, str]:
    """The licence by its id, address or title, the first that we know; else its title."""
    stated = [line(package.get(f"license_{part}")) for part in ("id", "url", "title")]
    stated = list(filter(None, [*stated, line(package.get("license"))]))
    found = [license_of(text) for text in stated]
    named = [one for one in found if one[0] not in {"other", "notspecified"}]
    if named:
        return named[0]
    if not stated or found[0][0] == "notspecified":
        return "notspecified", ""
    return "other", (line(package.get("license_title")) or stated[-1])[:1000]


def _frequency(more: Mapping[str, Any]) -> str:
    stated = [line(value) for name, value in more.items() if _FREQUENCY.fullmatch(name.strip())]
    found = [frequency_of(text) for text in stated]
    return next((name for name in found if name != "unknown"), "unknown")


def _themes(
    package: Mapping[str, Any], more: Mapping[str, Any], declared: Mapping[str, str]
) -> list[str]:
    """By the names and titles of groups, and by what ckanext-dcat calls themes."""
    groups = package.get("groups") or []
    words = [line(group.get(name)) for group in listed(groups) for name in ("name", "title")]
    plain = [group for group in groups if isinstance(group, str)]
    return themes([*words, *plain, *_values(more.get("theme"))], declared)


def _values(value: Any) -> list[str]:
    """The values of a list, also of one that is written as JSON."""
    if isinstance(value, str) and value.startswith("["):
        try:
            return lines(orjson.loads(value))
        except orjson.JSONDecodeError:
            pass
    return lines(value)


def _page(body: Mapping[str, Any]) -> str:
    name = line(body["package"].get("name"))
    return f"{body['base']}/dataset/{name}" if re.fullmatch(r"[\w-]+", name) else ""


def _contact(package: Mapping[str, Any]) -> str:
    """The maintainer, else the author."""
    for who in ("maintainer", "author"):
        found = contact(line(package.get(who)), mail_of(package.get(f"{who}_email")))
        if found:
            return found
    return ""


def _moment(stated: Any) -> str:
    """A moment; CKAN's clocks are in UTC and do not say so."""
    text = line(stated)
    found = moment_of(text)
    return f"{found}+00:00" if "T" in found and not re.search(r"[+-]\d\d:\d\d$", found) else found


def _place(stated: Any) -> dict[str, Any]:
    """An outline as GeoJSON or well-known text, as ckanext-spatial keeps it."""
    text = orjson.dumps(stated).decode() if isinstance(stated, Mapping) else line(stated)
    return {"code": "", "shapes": [text], "boxes": []}


def _spatial(more: Mapping[str, Any]) -> str:
    """What the place is called."""
    stated = [
        line(more.get(name))
        for name in ("spatial_text", "spatial-text", "spatial_coverage", "spatial")
    ]
    return next((text for text in stated if text and text[0] not in "{[" and "((" not in text), "")[
        :500
    ]


def _extras(
    package: Mapping[str, Any], more: Mapping[str, Any], body: Mapping[str, Any]
) -> dict[str, Any]:
    """Further fields as they are there, and where the package is."""
    further = {
        name[:200]: value
        for name, value in more.items()
        if not _OF_MACHINES.match(name) and name != "spatial"
    }
    groups = [line(group) for group in package.get("groups") or ()]
    own = {
        "uri": _page(body),
        "publisher": line((package.get("organization") or {}).get("title")),
        "categories": lines(groups),
    }
    return kept({**further, **own})


def _details(package: Mapping[str, Any], more: Mapping[str, Any], language: str) -> dict[str, Any]:
    """What has a place among the further elements."""
    organization = package.get("organization") or {}
    point = {
        "name": line(package.get("maintainer"))[:200],
        "email": mail_of(package.get("maintainer_email")),
    }
    author = {
        "name": line(package.get("author"))[:300],
        "email": mail_of(package.get("author_email")),
    }
    pages = [link(page)[:2000] for page in _values(more.get("documentation"))]
    return kept(
        {
            "version": line(package.get("version"))[:100],
            "contact_point": kept(point),
            "creator": kept(author) if author["name"] else {},
            "publisher": kept({"name": line(organization.get("title"))[:300]}),
            "version_notes": texts(more.get("version_notes"), language, 20_000),
            "provenance": texts(more.get("provenance"), language, 20_000),
            "documentation": list(filter(None, pages))[:100],
        }
    )


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    """A resource; one whose rows are in the portal's data store and whose file is no table is read from there."""
    url = line(entry.get("url"))
    place = urljoin(f"{body['base']}/", url) if url.startswith("/") else url
    version = line(entry.get("last_modified")) or line(entry.get("hash"))
    said = {
        "key": line(entry.get("id")),
        "title": entry.get("name"),
        "description": entry.get("description"),
        "format": entry.get("format"),
        "media": entry.get("mimetype"),
        "url": place,
        "size": entry.get("size"),
    }
    if (
        entry.get("datastore_active") is True
        and format_of(line(entry.get("format"))) not in MEDIA_TYPES
    ):
        rows = f"{body['base']}/datastore/dump/{line(entry.get('id'))}"
        said |= {"format": "CSV", "url": link(place) or rows}
        made = resource(said, body, version)
        if body["content"]:
            made["load"] = load_from({}, {"url": rows}, version)
        return made
    return resource(said, body, version)
