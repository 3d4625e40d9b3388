"""A folder of files, local or on a web server, with or without declarations."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, unquote, urljoin, urlsplit

from marshmallow import Schema, fields, validate, validates_schema

from catalog.errors import NotFound, Unreadable
from harvesters.declaration import (
    LANGUAGE,
    DeclarationSchema,
    dataset_from,
    format_by_name,
    load_from,
    titled,
    unique_slugs,
)
from harvesters.folders import MOST_FILES, version_of
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Http
from harvesters.terms import MEDIA_TYPES


class FileDeclaration(DeclarationSchema):
    """A dataset made of the files that match a pattern."""

    pattern = fields.String(required=True)
    one_table = fields.Boolean(load_default=False)
    """All files make one table; else each file is a resource of the dataset."""
    files = fields.Dict(keys=fields.String(), values=fields.Dict())
    """File name → `{title, description}` of its resource."""


class FilesOptions(Schema):
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
        names = [name for name in _names(source, http) if not _matches(name, options["excluded"])]
        taken: set[str] = set()
        for declared in options["datasets"]:
            found = [name for name in names if fnmatchcase(name, declared["pattern"])]
            taken.update(found)
            if found:
                key = declared.get("slug") or declared["pattern"]
                yield Record(key, _body(source, http, declared, found))
        for name in names if options["undeclared"] else ():
            if name not in taken and format_by_name(name):
                yield Record(name, _body(source, http, {"title": {}, "pattern": name}, [name]))

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
        return Files(
            [
                _fetch(source, http, name, into / str(at))
                for at, name in enumerate(load["part"]["files"])
            ]
        )


def _matches(name: str, patterns: list[str]) -> bool:
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def _is_web(source: Source) -> bool:
    return source.url.startswith(("http://", "https://"))


def _names(source: Source, http: Http) -> list[str]:
    if not _is_web(source):
        return list(http.folders.names(_folder(source, http)))
    if "files" in source.options:
        return list(source.options["files"])
    return _listed(http.get(_base(source), most=5_000_000).text(), _base(source))


def _folder(source: Source, http: Http) -> Path:
    folder = http.folders.place(source.url)
    if not folder.is_dir():
        raise NotFound("%(path)s is no folder", path=source.url)
    return folder


def _base(source: Source) -> str:
    return source.url.rstrip("/") + "/"


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.targets: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.targets += [value for name, value in attrs if tag == "a" and name == "href" and value]


def _listed(page: str, base: str) -> list[str]:
    """Names of the files that a web server's listing of a folder links to, inside that folder."""
    links = _Links()
    links.feed(page)
    found = {urljoin(base, target.partition("?")[0].partition("#")[0]) for target in links.targets}
    names = sorted(unquote(url.removeprefix(base)) for url in found if url.startswith(base))
    plain = [name for name in names if name and not name.endswith("/") and "/" not in name]
    if not plain:
        raise Unreadable("the web folder lists no files: name them in the option “files”")
    return plain[:MOST_FILES]


def _body(
    source: Source, http: Http, declared: Mapping[str, Any], names: list[str]
) -> dict[str, Any]:
    files = [_about(source, http, name) for name in names]
    return {"declared": dict(declared), "files": files, "language": source.options["language"]}


def _about(source: Source, http: Http, name: str) -> dict[str, Any]:
    if _is_web(source):
        url = urljoin(_base(source), quote(name))
        public = source.options["public"]
        version = http.version(url)
        return {
            "name": name,
            "url": url if public else "",
            "version": version,
            "size": None,
            "modified": "",
        }
    http.beat()
    path = http.folders.below(_folder(source, http), name)
    about = path.stat()
    modified = datetime.fromtimestamp(int(about.st_mtime), UTC).isoformat()
    return {
        "name": name,
        "url": "",
        "version": version_of(path),
        "size": about.st_size,
        "modified": modified,
    }


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


def _fetch(source: Source, http: Http, name: str, into: Path) -> Path:
    if not _is_web(source):
        return http.folders.below(_folder(source, http), name)
    url = urljoin(_base(source), quote(name))
    if urlsplit(url)[:2] != urlsplit(source.url)[:2] or not url.startswith(_base(source)):
        raise NotFound("%(name)s lies outside the folder of the source", name=name)
    return http.download(url, into)
