"""Another Weft, by its copy of the whole catalogue as JSON lines."""

from __future__ import annotations

import gzip
import tempfile
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import urlsplit

import orjson
from marshmallow import Schema, fields

from catalog.errors import Unreadable
from harvesters.declaration import load_from
from harvesters.formats.plain import kept, line
from harvesters.harvester import LinkedFiles, Record, Source
from harvesters.http import Http
from harvesters.terms import MEDIA_TYPES

LONGEST_LINE = 50_000_000
AS_THEY_ARE = (
    "slug", "access", "frequency", "spatial", "issued", "modified", "extras", "identifier", "spatial_code", "spatial_box",
    "spatial_geometry", "details", "custom", "contact", "landing_page",
)  # fmt: skip
"""Fields that mean the same in the copy and in a draft."""


class WeftOptions(Schema):
    """What a source of the kind `weft` may be told."""

    organizations = fields.List(
        fields.String(),
        load_default=list,
        metadata={"description": "Names of the departments whose datasets are taken; else all"},
    )
    themes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={
            "description": "Theme there → slug of a theme here, where it is called otherwise"
        },
    )
    content = fields.Boolean(
        data_key="load_files",
        load_default=False,
        metadata={"description": "Whether the tables are fetched, as CSV, and read"},
    )


class Weft(LinkedFiles):
    """A format: each line of `/catalog.jsonl.gz` is a dataset; the tables of its files are read from their CSV."""

    kind = "weft"
    options: ClassVar[type[Schema]] = WeftOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The datasets, one at a time in memory; none while the copy is the one that was read before."""
        parts, memory = urlsplit(source.url), source.memory
        base = f"{parts.scheme}://{parts.netloc}"
        url = f"{base}/catalog.jsonl.gz"
        version = http.version(url)
        memory.after = {"version": version}
        if version and version == memory.before.get("version"):
            memory.partial = True
            return
        wanted = set(source.options["organizations"])
        with tempfile.TemporaryDirectory(prefix="weft-copy-") as place:
            for body in _lines(http.download(url, Path(place))):
                http.beat()
                if not wanted or line(body["organization"].get("slug")) in wanted:
                    said = {name: source.options[name] for name in ("content", "themes")}
                    yield Record(body["id"], {"dataset": body, "base": base, **said})

    def describe(self, record: Record) -> dict[str, Any]:
        """The dataset as it is there; vocabularies are each portal's own, so that their tags become plain ones."""
        body = record.body["dataset"]
        slugs, called = [theme["slug"] for theme in body["themes"]], record.body["themes"]
        words = [*body["tags"], *(tag for some in body["vocabulary_tags"].values() for tag in some)]
        return kept(
            {
                **{name: body[name] for name in AS_THEY_ARE},
                **body["texts"],
                "license": body["license"]["id"],
                "license_text": body["license"]["text"],
                "tags": list(dict.fromkeys(words)),
                "themes": list(dict.fromkeys(called.get(slug, slug) for slug in slugs)),
                "temporal_start": body["temporal"]["start"],
                "temporal_end": body["temporal"]["end"],
                "machine": _machine(body["origins"]),
                "resources": [_resource(entry, record.body) for entry in body["resources"]],
            }
        )


def _lines(file: Path) -> Iterator[Mapping[str, Any]]:
    """The datasets of the copy; raises Unreadable for what is none."""
    try:
        with gzip.open(file) as copy:
            while text := copy.readline(LONGEST_LINE):
                body = orjson.loads(text)
                if not _is_dataset(body):
                    raise Unreadable("the copy of the catalogue is not one of Weft")
                yield body
    except (OSError, EOFError, zlib.error, orjson.JSONDecodeError) as error:
        raise Unreadable("the copy of the catalogue is not one of Weft") from error


def _is_dataset(body: Any) -> bool:
    """Whether a line says which dataset it is, and whose."""
    return (
        isinstance(body, Mapping)
        and isinstance(body.get("id"), str)
        and isinstance(body.get("organization"), Mapping)
        and "texts" in body
    )


def _machine(origins: Mapping[str, Any]) -> dict[str, list[str]]:
    """Field → languages whose text a machine has written."""
    found = {
        name: sorted(tag for tag, said in by_tag.items() if said.get("origin") == "machine")
        for name, by_tag in (origins or {}).items()
    }
    return kept(found)


def _resource(entry: Mapping[str, Any], said: Mapping[str, Any]) -> dict[str, Any]:
    """A file with its address there, or the page of its dataset where it has none that is for everybody."""
    body = said["dataset"]
    open_address = entry["url"] if body["access"] == "open" else None
    made = {
        "key": entry["key"],
        **entry["texts"],
        "format": entry["format"],
        "media_type": entry["media_type"] or MEDIA_TYPES.get(entry["format"], ""),
        "url": open_address or f"{said['base']}/datasets/{body['slug']}",
    }
    if entry["size"] is not None:
        made["size"] = entry["size"]
    tables = [table for table in entry["tables"] if table["release"]]
    if said["content"] and len(tables) == 1:
        rows = f"{said['base']}/api/v1/tables/{tables[0]['id']}/download.csv"
        made["load"] = load_from({}, {"url": rows}, str(tables[0]["release"]))
    return made
