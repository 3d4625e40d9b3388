"""A folder of files, on this machine or elsewhere, with or without declarations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any, ClassVar

from marshmallow import Schema, fields, validate, validates_schema

from harvesters.declaration import (
    LANGUAGE,
    DeclarationSchema,
    dataset_from,
    format_by_name,
    load_from,
    titled,
    unique_slugs,
)
from harvesters.folders import MOST_FILES
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Http
from harvesters.places import Entry, Place, place_of
from harvesters.places.options import PlaceOptions
from harvesters.terms import MEDIA_TYPES


class FileDeclaration(DeclarationSchema):
    """A dataset made of the files that match a pattern."""

    pattern = fields.String(required=True)
    one_table = fields.Boolean(load_default=False)
    """All files make one table; else each file is a resource of the dataset."""
    files = fields.Dict(keys=fields.String(), values=fields.Dict())
    """File name → `{title, description}` of its resource."""


class FilesOptions(PlaceOptions):
    """What a source of the kind `files` may be told."""

    language = fields.String(
        load_default="en",
        validate=LANGUAGE,
        metadata={"description": "Language of texts made from file names"},
    )
    files = fields.List(
        fields.String(),
        validate=validate.Length(max=MOST_FILES),
        metadata={"description": "Names of the files of a web folder that has no listing"},
    )
    datasets = fields.List(
        fields.Nested(FileDeclaration),
        load_default=list,
        metadata={"description": "Datasets, each with the pattern of its files"},
    )
    excluded = fields.List(
        fields.String(),
        data_key="exclude",
        load_default=list,
        metadata={"description": "Patterns of files that are left out"},
    )
    undeclared = fields.Boolean(
        load_default=True,
        metadata={
            "description": "Whether files that no declaration names become datasets of their own"
        },
    )
    public = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether people may be sent to the files' web addresses"},
    )

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        """No slug twice."""
        unique_slugs(data.get("datasets", []))


class FilesFolder:
    """A format: files become resources, by declaration or one dataset a file."""

    kind = "files"
    options: ClassVar[type[Schema]] = FilesOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """One record a declaration that has files, then one for each file that none names."""
        options = source.options
        with place_of(source, http) as place:
            files = [
                file for file in place.entries() if not _matches(file.name, options["excluded"])
            ]
            taken: set[str] = set()
            for declared in options["datasets"]:
                found = [file for file in files if fnmatchcase(file.name, declared["pattern"])]
                taken.update(file.name for file in found)
                if found:
                    key = declared.get("slug") or declared["pattern"]
                    yield Record(key, _body(source, http, place, declared, found))
            for file in files if options["undeclared"] else ():
                if file.name not in taken and format_by_name(file.name):
                    alone = {"title": {}, "pattern": file.name}
                    yield Record(file.name, _body(source, http, place, alone, [file]))

    def describe(self, record: Record) -> dict[str, Any]:
        """The declaration, with a title from the file's name where there is none."""
        declared, files = record.body["declared"], record.body["files"]
        first, language = files[0], record.body["language"]
        dataset = dataset_from(declared, {"modified": max(file["modified"] for file in files)})
        dataset["title"] = declared.get("title") or {language: titled(first["name"])}
        if declared.get("one_table"):
            dataset["resources"] = [_one_resource(declared, files, dataset["title"])]
        else:
            dataset["resources"] = [_resource(declared, file, language) for file in files]
            if len(files) == 1 and not _file_of(declared, first).get("title"):
                dataset["resources"][0]["title"] = {}  # it is the dataset
        return {key: value for key, value in dataset.items() if value != ""}

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:
        """The files of the resource."""
        names = load["part"]["files"]
        with place_of(source, http) as place:
            return Files([place.fetch(name, into / str(at)) for at, name in enumerate(names)])


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _body(
    source: Source, http: Http, place: Place, declared: Mapping[str, Any], files: list[Entry]
) -> dict[str, Any]:
    known = []
    for file in files:
        http.beat()
        known.append(asdict(place.known(file)))
    return {"declared": dict(declared), "files": known, "language": source.options["language"]}


def _resource(
    declared: Mapping[str, Any], file: Mapping[str, Any], language: str
) -> dict[str, Any]:
    named = _file_of(declared, file)
    kind = format_by_name(file["name"])
    resource = {
        "key": file["name"],
        "title": named.get("title") or {language: titled(file["name"])},
        "description": named.get("description", {}),
        "format": kind or "FILE",
        "media_type": MEDIA_TYPES.get(kind, ""),
        "url": file["url"],
        "size": file["size"],
    }
    if kind:
        resource["load"] = load_from(declared, {"files": [file["name"]]}, file["version"])
    return {key: value for key, value in resource.items() if value is not None}


def _file_of(declared: Mapping[str, Any], file: Mapping[str, Any]) -> Mapping[str, Any]:
    """What was declared of one file."""
    said: Mapping[str, Any] = declared.get("files", {}).get(file["name"], {})
    return said


def _one_resource(
    declared: Mapping[str, Any], files: list[Mapping[str, Any]], title: Mapping[str, str]
) -> dict[str, Any]:
    """The resource whose one table is made of all the files."""
    versions = [file["version"] for file in files]
    names = [file["name"] for file in files]
    joined = (
        hashlib.sha256("\n".join(names + versions).encode()).hexdigest() if all(versions) else ""
    )
    reading = {**declared, "read": {**declared.get("read", {}), "one_table": True}}
    kind = format_by_name(names[0])
    resource = {
        "key": "data",
        "title": dict(title),
        "format": kind,
        "media_type": MEDIA_TYPES.get(kind, ""),
        "load": load_from(reading, {"files": names}, joined and f"sha256:{joined}"),
    }
    sizes = [file["size"] for file in files]
    if all(size is not None for size in sizes):
        resource["size"] = sum(sizes)
    return resource
