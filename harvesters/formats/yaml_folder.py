"""A folder of YAML files, one dataset a file; unless told otherwise, in the fields of AWS's registry of open data."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, ClassVar

from marshmallow import Schema, fields

from catalog.errors import CatalogError, NotFound
from harvesters.declaration import titled
from harvesters.formats.plain import (
    PortalOptions,
    kept,
    keyed,
    known,
    line,
    lines,
    listed,
    mail_of,
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
from harvesters.yaml_text import fields_in, text_of

FIELDS = {
    "title": "Name",
    "description": "Description",
    "landing_page": "Documentation",
    "contact": "Contact",
    "publisher": "ManagedBy",
    "frequency": "UpdateFrequency",
    "tags": "Tags",
    "license": "License",
    "notice": "DeprecatedNotice",
    "resources": "Resources",
    "resource_title": "Description",
    "resource_format": "Type",
    "resource_url": "ARN",
}
"""What we call it → the field of AWS's registry."""
FURTHER = ("issued", "modified", "categories", "spatial", "identifier")
LONGEST_LINE = 5000
"""Characters in which a link is looked for: from each bracket on, up to the end."""
_LINK = re.compile(r"\[([^\]]*)\]\(\s*(\S+?)\s*\)")
_BUCKET = re.compile(r"arn:aws[\w-]*:s3:[^:]*:[^:]*:([^/\s]+)/?(\S*)")


class YAMLOptions(PortalOptions):
    """What a source of the kind `yaml` may be told."""

    names = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={
            "description": "What we call it (title, description, license, issued, resources, resource_url …) → name of the field, over those of AWS's registry"
        },
    )


class YAMLFolder(LinkedFiles):
    """A format: each YAML file is a dataset, the things of one of its lists are resources; buckets get web addresses."""

    kind = "yaml"
    options: ClassVar[type[Schema]] = YAMLOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """One record a file; a file that cannot be read is a record with its error."""
        folder = http.folders.place(source.url)
        if not folder.is_dir():
            raise NotFound("%(path)s is no folder", path=source.url)
        said = {**known(source.options), "names": {**FIELDS, **source.options["names"]}}
        for name in http.folders.names(folder):
            if not name.lower().endswith((".yaml", ".yml")):
                continue
            http.beat()
            key = name.rpartition(".")[0]
            try:
                found = fields_in(text_of(http.folders.below(folder, name)), name)
            except CatalogError as error:
                yield Record(key, {"file": name}, error)
                continue
            yield Record(key, {"file": name, "fields": found, **said})

    def describe(self, record: Record) -> dict[str, Any]:
        """The fields in our words; those that have no name here are kept in `extras`."""
        body, language = record.body, record.body["language"]
        said = {name: body["fields"].get(field) for name, field in body["names"].items()}
        license_id, license_text = license_of(line(said["license"]))
        publisher, page = _name_and_page(said["publisher"])
        contact, contact_page = _name_and_page(said["contact"])
        dataset = {
            "title": titles(said["title"] or titled(record.key), language),
            "description": texts(said["description"], language),
            "slug": slug_of(record.key),
            "notice": texts(said["notice"], language, 5000),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(line(said["frequency"])),
            "tags": tags(said["tags"]),
            "themes": themes(
                [*lines(said.get("categories")), *lines(said["tags"])], body["themes"]
            ),
            "landing_page": _page(said["landing_page"]),
            "contact": (contact or contact_page)[:500],
            "spatial": line(said.get("spatial"))[:500],
            "identifier": line(said.get("identifier"))[:200],
            "issued": moment_of(line(said.get("issued"))),
            "modified": moment_of(line(said.get("modified"))),
            "extras": _extras(body, said),
            "details": kept(
                {
                    "publisher": kept({"name": publisher[:300], "url": page}) if publisher else {},
                    "contact_point": kept({"email": mail_of(contact), "url": contact_page}),
                }
            ),
            "resources": keyed(_resource(entry, body) for entry in listed(said["resources"] or [])),
        }
        return kept(dataset)


def _name_and_page(stated: Any) -> tuple[str, str]:
    """A name and an address, from “[Name](address)”, an address or a name."""
    text = line(stated)
    found = _LINK.search(text[:LONGEST_LINE])
    if found:
        return line(found[1]), link(found[2])[:2000]
    return ("", link(text)[:2000]) if link(text) and " " not in text else (text, "")


def _page(stated: Any) -> str:
    """The first web address in a text."""
    found = re.search(r"https?://[^\s<>()\[\]]+", line(stated))
    return found[0].rstrip(".,;")[:2000] if found else ""


def _extras(body: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """What has no place: fields without a name here, and words that we have no own for."""
    named = set(body["names"].values())
    own = {name: value for name, value in body["fields"].items() if name not in named}
    frequency = line(said["frequency"])
    unknown = frequency if frequency_of(frequency) == "unknown" else ""
    return kept({**own, "publisher": _name_and_page(said["publisher"])[0], "updates": unknown})


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    names = body["names"]
    place = line(entry.get(names["resource_url"])) or line(entry.get("Host"))
    kind = line(entry.get(names["resource_format"]))
    title, page = _name_and_page(entry.get(names["resource_title"]))
    made = resource(
        {
            "title": title or page or kind,
            "format": "S3" if _BUCKET.match(place) else kind,
            "url": _address(place, line(entry.get("Region"))),
        },
        body,
    )
    return {**made, "key": place[:480]}


def _address(place: str, region: str) -> str:
    """The web address of a bucket, a host or a page; a topic of messages has none."""
    found = _BUCKET.match(place)
    if found:
        host = f"s3.{region}" if re.fullmatch(r"[a-z0-9-]+", region) else "s3"
        return f"https://{found[1]}.{host}.amazonaws.com/{found[2]}"
    if re.fullmatch(r"[\w-]+(\.[\w-]+)+", place):
        return f"https://{place}/"
    return link(place)
