"""A Frictionless data package: datapackage.json with its resources."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import quote, urljoin

import orjson
from marshmallow import Schema, fields, validate

from catalog.errors import Invalid, NotFound, Unreadable
from harvesters.declaration import (
    LANGUAGE,
    DeclarationSchema,
    dataset_from,
    format_by_name,
    load_from,
)
from harvesters.folders import version_of
from harvesters.harvester import Content, Files, Record, Rows, Source
from harvesters.http import Http
from harvesters.terms import MEDIA_TYPES, format_of, license_of, moment_of

_TYPES = frozenset(
    [
        "string", "integer", "year", "number", "boolean", "date", "datetime", "geojson", "yearmonth", "time",
        "duration", "geopoint", "object", "array", "list",
    ]
)  # fmt: skip
"""Types of Table Schema; any other is left to the reader."""
_PROPERTIES: dict[str, type | tuple[type, ...]] = {
    "format": str,
    "decimalChar": str,
    "groupChar": str,
    "bareNumber": bool,
    "percent": bool,
    "trueValues": list,
    "falseValues": list,
    "missingValues": list,
    "semantic": str,
    "crs": str,
}
_CONSTRAINTS: dict[str, type | tuple[type, ...]] = {
    "required": bool,
    "unique": bool,
    "minLength": int,
    "maxLength": int,
    "minimum": (int, float, str),
    "maximum": (int, float, str),
    "enum": list,
    "pattern": str,
}
"""What the reader takes; a package that says something else is read without it."""
_PERL = ("(?", "\\1", "\\2")
"""Patterns with these look around or back, which the reader's cannot."""


class DataPackageOptions(Schema):
    """What a source of the kind `datapackage` may be told."""

    language = fields.String(
        load_default="en",
        validate=LANGUAGE,
        metadata={"description": "Language of the package's texts"},
    )
    dataset = fields.Nested(
        DeclarationSchema,
        load_default=dict,
        metadata={"description": "A description that goes before the package's own"},
    )
    public = fields.Boolean(
        load_default=True,
        metadata={"description": "Whether people may be sent to the files' web addresses"},
    )
    most_resources = fields.Integer(
        load_default=2000,
        validate=validate.Range(1, 2000),
        metadata={"description": "Packages with more resources are refused"},
    )


class DataPackage:
    """A format: one package is one dataset; table schemas give types and columns."""

    kind = "datapackage"
    options: ClassVar[type[Schema]] = DataPackageOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The one package, each resource with the state of its file."""
        package = _package(source, http)
        versions = [_version(source, http, resource) for resource in package["resources"]]
        body = {"package": package, "versions": versions, **source.options, "url": _address(source)}
        yield Record(str(package.get("id") or package.get("name") or "datapackage")[:500], body)

    def describe(self, record: Record) -> dict[str, Any]:
        """The package's words, under those that were declared."""
        package, language = record.body["package"], record.body["language"]
        declared: Mapping[str, Any] = record.body["dataset"]
        stated = {
            "title": _texts(package.get("title") or package.get("name"), language),
            "description": _texts(package.get("description"), language),
            "tags": [str(word) for word in package.get("keywords") or ()],
            "landing_page": _web(package.get("homepage")),
            "issued": moment_of(str(package.get("created") or "")),
            "modified": moment_of(
                str(package.get("last_updated") or package.get("modified") or "")
            ),
            "extras": _extras(package),
            **_license(package),
        }
        dataset = dataset_from(declared, {key: value for key, value in stated.items() if value})
        pairs = zip(package["resources"], record.body["versions"], strict=True)
        dataset["resources"] = [
            _resource(record.body, resource, version) for resource, version in pairs
        ]
        if len(package["resources"]) == 1 and not package["resources"][0].get("title"):
            dataset["resources"][0]["title"] = {}  # it is the dataset
        return dataset

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:
        """The resource's files, or its rows where they stand in the package."""
        name = load["part"]["resource"]
        for resource in _package(source, http)["resources"]:
            if _name(resource) == name:
                break
        else:
            raise NotFound("the package has no resource %(name)s any more", name=name)
        if "data" in resource:
            return Rows(_inline(resource["data"]))
        paths = _paths(resource)
        return Files([_fetch(source, http, path, into / str(at)) for at, path in enumerate(paths)])


def _address(source: Source) -> str:
    """The address of the description itself, where the source names only the folder."""
    if source.url.endswith(".json"):
        return source.url
    return source.url.rstrip("/") + "/datapackage.json"


def _is_web(url: str) -> bool:
    return url.startswith(("http://", "https://"))


def _package(source: Source, http: Http) -> dict[str, Any]:
    url = _address(source)
    package: Any
    if _is_web(url):
        package = http.get(url, most=20_000_000).json()
    else:
        try:
            package = orjson.loads(http.folders.place(url).read_bytes())
        except orjson.JSONDecodeError as error:
            raise Unreadable("datapackage.json is no whole JSON") from error
    if not isinstance(package, dict):
        raise Unreadable("this is no data package: it has no list of resources")
    resources = package.get("resources")
    if not isinstance(resources, list) or not all(
        isinstance(resource, dict) for resource in resources
    ):
        raise Unreadable("this is no data package: it has no list of resources")
    if len(resources) > source.options["most_resources"]:
        raise Unreadable(
            "the package has more than %(limit)s resources", limit=source.options["most_resources"]
        )
    return package


def _name(resource: Mapping[str, Any]) -> str:
    return str(resource.get("name") or "+".join(_paths(resource)) or "data")[:500]


def _paths(resource: Mapping[str, Any]) -> list[str]:
    path = resource.get("path") or resource.get("url") or []
    return [str(entry) for entry in (path if isinstance(path, list) else [path])]


def _place(source: Source, path: str) -> str:
    """Where a resource's file is: an address as it stands, or a path below the package."""
    if _is_web(path):
        return path
    if path.startswith("/") or ".." in path.split("/") or ":" in path:
        raise Invalid("the path %(path)s leads out of the package", path=path[:200])
    return urljoin(_address(source), quote(path)) if _is_web(source.url) else path


def _version(source: Source, http: Http, resource: Mapping[str, Any]) -> str:
    """What changes with the content: the stated hash, else what the server or the file says."""
    if resource.get("hash"):
        return f"hash:{resource['hash']}"
    if "data" in resource:
        return f"size:{len(orjson.dumps(resource['data']))}"
    try:
        return "|".join(_version_of(source, http, path) for path in _paths(resource))
    except (Invalid, NotFound):
        return ""  # the load says what is wrong


def _version_of(source: Source, http: Http, path: str) -> str:
    place = _place(source, path)
    if _is_web(place):
        return http.version(place)
    return version_of(http.folders.below(_folder(source, http), place))


def _folder(source: Source, http: Http) -> Path:
    return http.folders.place(_address(source)).parent


def _fetch(source: Source, http: Http, path: str, into: Path) -> Path:
    place = _place(source, path)
    if _is_web(place):
        return http.download(place, into)
    return http.folders.below(_folder(source, http), place)


def _inline(data: Any) -> list[Mapping[str, object]]:
    """Rows that stand in the package: objects, or arrays below a row of names."""
    if isinstance(data, list) and all(isinstance(row, dict) for row in data):
        return data
    if isinstance(data, list) and data and all(isinstance(row, list) for row in data):
        names = [str(name) for name in data[0]]
        return [dict(zip(names, row, strict=False)) for row in data[1:]]
    raise Unreadable("the data inside the package is no list of rows")


def _resource(body: Mapping[str, Any], resource: Mapping[str, Any], version: str) -> dict[str, Any]:
    language, paths = body["language"], _paths(resource)
    kind = format_by_name(paths[0]) if paths else "JSON"
    stated = {
        "key": _name(resource),
        "title": _texts(resource.get("title") or _name(resource), language),
        "description": _texts(resource.get("description"), language),
        "format": format_of(str(resource.get("format") or "")) or kind or "FILE",
        "media_type": str(resource.get("mediatype") or MEDIA_TYPES.get(kind, "")),
        "url": _public(body, paths),
        "size": resource.get("bytes") if isinstance(resource.get("bytes"), int) else None,
        "load": _load(body, resource, version) if kind else None,
    }
    return {key: value for key, value in stated.items() if value}


def _public(body: Mapping[str, Any], paths: list[str]) -> str:
    if len(paths) != 1 or not body["public"]:
        return ""
    if _is_web(paths[0]):
        return paths[0]
    return urljoin(body["url"], quote(paths[0])) if _is_web(body["url"]) else ""


def _load(body: Mapping[str, Any], resource: Mapping[str, Any], version: str) -> dict[str, Any]:
    """How the table is read, from the table schema and from what was declared."""
    declared: Mapping[str, Any] = body["dataset"]
    schema = resource.get("schema")
    schema = schema if isinstance(schema, dict) else {}
    columns = {
        str(entry["name"]): _column(entry, body["language"])
        for entry in schema.get("fields") or ()
        if isinstance(entry, dict) and entry.get("name")
    }
    for name, about in declared.get("columns", {}).items():
        columns[name] = {**columns.get(name, {}), **about}
    read = {**_read(resource, schema), **declared.get("read", {})}
    return load_from(
        {**declared, "columns": columns, "read": read}, {"resource": _name(resource)}, version
    )


def _read(resource: Mapping[str, Any], schema: Mapping[str, Any]) -> dict[str, Any]:
    read: dict[str, Any] = {}
    dialect = resource.get("dialect")
    delimiter = dialect.get("delimiter") if isinstance(dialect, dict) else None
    if isinstance(delimiter, str) and len(delimiter) == 1:
        read["delimiter"] = delimiter
    if isinstance(resource.get("encoding"), str):
        read["encoding"] = resource["encoding"]
    dictionary = _dictionary(schema)
    if dictionary:
        read["schema"] = dictionary
    if len(_paths(resource)) > 1:
        read["one_table"] = True
    return read


def _dictionary(schema: Mapping[str, Any]) -> dict[str, Any]:
    """The table schema without what the reader does not take."""
    entries = {
        entry["name"]: _field(entry)
        for entry in schema.get("fields") or ()
        if isinstance(entry, dict) and isinstance(entry.get("name"), str)
    }
    found: dict[str, Any] = {}
    if any(len(entry) > 1 for entry in entries.values()):
        found["fields"] = list(entries.values())
    if isinstance(schema.get("missingValues"), list):
        found["missingValues"] = schema["missingValues"]
    key = schema.get("primaryKey")
    key = [key] if isinstance(key, str) else key
    if isinstance(key, list) and "fields" in found and all(name in entries for name in key):
        found["primaryKey"] = key
    return found


def _field(entry: Mapping[str, Any]) -> dict[str, Any]:
    """A field with what the reader takes; labels and units go another way."""
    field = {key: entry[key] for key in _PROPERTIES if isinstance(entry.get(key), _PROPERTIES[key])}
    if str(entry.get("type")) in _TYPES:
        field["type"] = entry["type"]
    given = entry.get("constraints")
    given = given if isinstance(given, dict) else {}
    constraints = {
        key: given[key] for key, type_ in _CONSTRAINTS.items() if isinstance(given.get(key), type_)
    }
    if any(mark in constraints.get("pattern", "") for mark in _PERL):
        del constraints["pattern"]
    return {"name": entry["name"], **field, **({"constraints": constraints} if constraints else {})}


def _column(entry: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Label, description and unit; how the values are written is in the dictionary."""
    about: dict[str, Any] = {
        "label": _texts(entry.get("title"), language),
        "description": _texts(entry.get("description"), language),
        "unit": str(entry.get("unit") or "")[:60],
    }
    return {key: value for key, value in about.items() if value}


def _texts(text: Any, language: str) -> dict[str, str]:
    return {language: str(text).strip()} if text else {}


def _web(text: Any) -> str:
    return text if isinstance(text, str) and _is_web(text) else ""


def _license(package: Mapping[str, Any]) -> dict[str, str]:
    """The package's licence; several that differ are kept as text."""
    stated = package.get("licenses") or (
        [{"name": package["license"]}] if package.get("license") else []
    )
    entries = [entry for entry in stated if isinstance(entry, dict)]
    texts = [
        " ".join(str(entry.get(key) or "") for key in ("name", "title", "path"))
        for entry in entries
    ]
    found = {license_of(text) for text in texts}
    if len(found) == 1:
        name, kept = found.pop()
        return {"license": name, "license_text": kept}
    return {"license": "other", "license_text": "; ".join(texts)[:1000]} if found else {}


def _extras(package: Mapping[str, Any]) -> dict[str, Any]:
    kept = ("version", "sources", "name", "collection")
    return {key: package[key] for key in kept if package.get(key)}
