"""A JKAN catalogue: a folder of Markdown files with YAML front matter, one dataset a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema

from catalog.errors import CatalogError, Invalid, NotFound, Unreadable
from harvesters.declaration import titled
from harvesters.formats.plain import (
    PortalOptions,
    kept,
    known,
    line,
    lines,
    resource,
    slug_of,
    tags,
    texts,
    themes,
    titles,
    unique,
)
from harvesters.harvester import LinkedFiles, Record, Source
from harvesters.http import Http
from harvesters.markdown import link
from harvesters.terms import frequency_of, license_of, moment_of
from harvesters.yaml_text import fields_in, text_of


class JKAN(LinkedFiles):
    """A format: front matter describes, links are resources."""

    kind = "jkan"
    options: ClassVar[type[Schema]] = PortalOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """One record a Markdown file; a file that cannot be read is a record with its error."""
        folder = _folder(source, http)
        for name in http.folders.names(folder):
            if not name.lower().endswith((".md", ".markdown")):
                continue
            http.beat()
            key = name.rpartition(".")[0]
            try:
                front = _front_matter(http.folders.below(folder, name))
            except CatalogError as error:
                yield Record(key, {"file": name}, error)
                continue
            yield Record(key, {"file": name, "front": front, **known(source.options)})

    def describe(self, record: Record) -> dict[str, Any]:
        """The front matter in our words; what has no place is kept in `extras`."""
        front, language = record.body["front"], record.body["language"]
        license_id, license_text = license_of(line(front.get("license")))
        dataset = {
            "title": titles(front.get("title") or _titled(record.key), language),
            "description": texts(front.get("notes"), language),
            "slug": slug_of(record.key),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(line(front.get("modified"))),
            "tags": tags(front.get("tags")),
            "themes": themes(lines(front.get("category")), record.body["themes"]),
            "landing_page": link(front.get("source")),
            "contact": line(front.get("maintainer"))[:500],
            "spatial": line(front.get("area_of_interest"))[:500],
            "issued": moment_of(line(front.get("created"))),
            "modified": moment_of(line(front.get("modified")))
            or moment_of(line(front.get("metadata_modified"))),
            "extras": _extras(front),
            "resources": _resources(front, record.body),
        }
        return kept(dataset)


def _folder(source: Source, http: Http) -> Path:
    folder = http.folders.place(source.url)
    if not folder.is_dir():
        raise NotFound("%(path)s is no folder", path=source.url)
    inner = folder / "_datasets"
    return inner if inner.is_dir() else folder


def _front_matter(path: Path) -> dict[str, Any]:
    found = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*$", text_of(path), re.DOTALL | re.MULTILINE)
    if not found:
        raise Unreadable("%(name)s has no front matter", name=path.name)
    return fields_in(found[1], path.name)


def _titled(key: str) -> str:
    """A readable title of a record's name: `creal-program` is the “Creal program”."""
    words = titled(key)
    if " " not in words:
        words = words.replace("-", " ")
    return words[:1].upper() + words[1:]


def _extras(front: Mapping[str, Any]) -> dict[str, Any]:
    found = {
        "publisher": front.get("organization"),
        "categories": front.get("category"),
        "period": front.get("time_period"),
        "usage": front.get("usage"),
        "access_constraints": front.get("access_constraints"),
        "maintainer_link": front.get("maintainer_link"),
    }
    return kept(found)


def _resources(front: Mapping[str, Any], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    stated = front.get("resources") or []
    if not isinstance(stated, list):
        raise Invalid("the field “resources” is no list")
    return unique(_resource(entry, body) for entry in stated if isinstance(entry, dict))


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    said = {**entry, "title": entry.get("name"), "media": "", "key": ""}
    made = resource(said, body)
    made["key"] = f"{made['title'][body['language']]} {made['url']}"[:490]
    return made
