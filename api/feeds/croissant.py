"""A dataset as Croissant 1.1: its tables as CSV with their hash, and how rows are read from them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from api.feeds.answers import answer, base, bp, current, public_dataset, tag_of, titles
from api.feeds.tables import Published, published
from api.identity import language
from catalog.errors import Unavailable
from catalog.models.text import pick
from catalog.models.vocabulary import ColumnType
from catalog.schemas.schema_org import dataset_json

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset
    from catalog.models.table import TableColumn

VERSION = "http://mlcommons.org/croissant/1.1"
TYPES = {
    ColumnType.STRING: "sc:Text",
    ColumnType.INTEGER: "sc:Integer",
    ColumnType.NUMBER: "sc:Float",
    ColumnType.BOOLEAN: "sc:Boolean",
    ColumnType.DATE: "sc:Date",
    ColumnType.DATETIME: "sc:DateTime",
    ColumnType.GEOMETRY: "sc:Text",
}
CONTEXT: dict[str, Any] = {
    "@language": "en",
    "@vocab": "https://schema.org/",
    "arrayShape": "cr:arrayShape",
    "citeAs": "cr:citeAs",
    "column": "cr:column",
    "conformsTo": "dct:conformsTo",
    "containedIn": "cr:containedIn",
    "cr": "http://mlcommons.org/croissant/",
    "rai": "http://mlcommons.org/croissant/RAI/",
    "data": {"@id": "cr:data", "@type": "@json"},
    "dataType": {"@id": "cr:dataType", "@type": "@vocab"},
    "dct": "http://purl.org/dc/terms/",
    "description": {"@container": "@language"},
    "equivalentProperty": "cr:equivalentProperty",
    "examples": {"@id": "cr:examples", "@type": "@json"},
    "extract": "cr:extract",
    "field": "cr:field",
    "fileProperty": "cr:fileProperty",
    "fileObject": "cr:fileObject",
    "fileSet": "cr:fileSet",
    "format": "cr:format",
    "includes": "cr:includes",
    "isArray": "cr:isArray",
    "isLiveDataset": "cr:isLiveDataset",
    "jsonPath": "cr:jsonPath",
    "key": "cr:key",
    "md5": "cr:md5",
    "name": {"@container": "@language"},
    "parentField": "cr:parentField",
    "path": "cr:path",
    "recordSet": "cr:recordSet",
    "references": "cr:references",
    "regex": "cr:regex",
    "repeated": "cr:repeated",
    "replace": "cr:replace",
    "samplingRate": "cr:samplingRate",
    "sc": "https://schema.org/",
    "separator": "cr:separator",
    "source": "cr:source",
    "subField": "cr:subField",
    "transform": "cr:transform",
}
"""As the specification gives it; readers compare it word by word."""
KEPT = (
    "description", "url", "identifier", "keywords", "license", "creator", "publisher", "datePublished",
    "dateModified", "inLanguage", "sameAs", "version", "temporalCoverage", "isAccessibleForFree",
)  # fmt: skip


@bp.get("/datasets/<slug>.croissant.json")
def croissant(slug: str) -> Response:
    """The description."""
    dataset = public_dataset(slug)
    proven = [one for one in published(dataset) if one.file.made is not None]
    if not proven:
        raise Unavailable(
            "the files of this dataset are still being made; try again in %(retry_after)s seconds",
            retry_after=30,
        )
    chosen = language()
    known = [(one.table.id, one.file.tag, one.table.updated_at) for one in proven]
    tag = tag_of(dataset.id, dataset.updated_at, dataset.organization.updated_at, chosen, known)
    same = current(tag, dataset.updated_at)
    if same is not None:
        return same
    body = orjson.dumps(croissant_json(dataset, proven, chosen), option=orjson.OPT_INDENT_2)
    response = answer(body, "application/ld+json", tag, dataset.updated_at)
    response.vary.add("Accept-Language")
    return response


def croissant_json(dataset: Dataset, tables: list[Published], chosen: str) -> dict[str, Any]:
    """The description, in a language."""
    said = dataset_json(dataset, chosen, base(), readable=True, titles=titles())
    made: dict[str, Any] = {
        "@context": CONTEXT,
        "@type": "sc:Dataset",
        "conformsTo": VERSION,
        "name": said["name"],
        **{name: said[name] for name in KEPT if name in said},
    }
    for role in ("creator", "publisher"):  # its readers know no kind of organization
        made[role] = {**said[role], "@type": "Organization"}
    made.setdefault("license", made["url"])  # the page says what is known of the terms
    made.setdefault("datePublished", dataset.created_at.date().isoformat())
    made["version"] = _version(str(made.get("version", "")), tables)
    made["citeAs"] = _citation(said)
    made["distribution"] = [_file(one, chosen) for one in tables]
    made["recordSet"] = [_records(one, chosen) for one in tables]
    return made


def _version(stated: str, tables: list[Published]) -> str:
    """Semantic versioning is asked for: the number of the newest release stands where none is stated so."""
    parts = stated.split(".")
    if len(parts) == 3 and all(part.isascii() and part.isdigit() for part in parts):
        return stated
    return f"{max(one.file.release.number for one in tables)}.0.0"


def _citation(said: dict[str, Any]) -> str:
    title = str(said["name"]).replace("{", "(").replace("}", ")")
    return f"@misc{{dataset, title={{{title}}}, author={{{said['creator']['name']}}}, url={{{said['url']}}}}}"


def _file(one: Published, chosen: str) -> dict[str, Any]:
    made = one.file.made
    title = pick(one.table.title, chosen)[0] or pick(one.resource.title, chosen)[0]
    return {
        "@type": "cr:FileObject",
        "@id": f"{one.name}.csv",
        "name": f"{one.name}.csv",
        "description": title or one.name,
        "contentUrl": one.address,
        "contentSize": f"{made.bytes if made else 0} B",
        "encodingFormat": "text/csv",
        "sha256": made.sha256 if made else "",
    }


def _records(one: Published, chosen: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "@type": "cr:RecordSet",
        "@id": one.name,
        "name": one.name,
        "description": pick(one.table.title, chosen)[0] or pick(one.resource.title, chosen)[0],
        "field": [
            _field(column, at, one, chosen) for at, column in enumerate(one.table.columns, start=1)
        ],
    }
    key = [
        {"@id": f"{one.name}/{at}"}
        for at, column in enumerate(one.table.columns, start=1)
        if column.name in (one.table.primary_key or ())
    ]
    if key and len(key) == len(one.table.primary_key):
        made["key"] = key if len(key) > 1 else key[0]
    return {name: value for name, value in made.items() if value}


def _field(column: TableColumn, at: int, one: Published, chosen: str) -> dict[str, Any]:
    """A column; its id is its place, for a name may hold a slash or anything else."""
    label = pick(column.label, chosen)[0]
    about = pick(column.description, chosen)[0]
    made = {
        "@type": "cr:Field",
        "@id": f"{one.name}/{at}",
        "name": column.name,
        "description": " – ".join(part for part in (label, about) if part),
        "dataType": TYPES[ColumnType(column.type)],
        "source": {
            "fileObject": {"@id": f"{one.name}.csv"},
            "extract": {"column": column.name},
        },
    }
    return {name: value for name, value in made.items() if value}
