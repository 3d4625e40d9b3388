"""A dataset as a Frictionless data package: its tables as CSV, each with its Table Schema."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from flask import Response

from api.feeds.answers import answer, base, bp, current, public_dataset, tag_of
from api.feeds.dcat import parsed_contact
from api.feeds.tables import Published, published
from api.identity import language
from catalog.models.license import LICENSES
from catalog.models.text import pick
from catalog.schemas.table_schema import schema_json
from catalog.search.documents import last_change

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

PACKAGE = "https://datapackage.org/profiles/2.0/datapackage.json"
RESOURCE = "https://datapackage.org/profiles/2.0/dataresource.json"


@bp.get("/datasets/<slug>/datapackage.json")
@bp.get("/dataset/<slug>/datapackage.json")
def data_package(slug: str) -> Response:
    """The package."""
    dataset = public_dataset(slug)
    tables = published(dataset)
    chosen = language()
    known = [(one.table.id, one.file.tag, one.file.made, one.table.updated_at) for one in tables]
    tag = tag_of(dataset.id, dataset.updated_at, dataset.organization.updated_at, chosen, known)
    same = current(tag, dataset.updated_at)
    if same is not None:
        return same
    body = orjson.dumps(package_json(dataset, tables, chosen), option=orjson.OPT_INDENT_2)
    response = answer(body, "application/json", tag, dataset.updated_at)
    response.vary.add("Accept-Language")
    return response


def package_json(dataset: Dataset, tables: list[Published], chosen: str) -> dict[str, Any]:
    """The description of the package, in a language."""
    changed = last_change(dataset)
    page = f"{base()}/{chosen}/datasets/{dataset.slug}"
    made: dict[str, Any] = {
        "$schema": PACKAGE,
        "name": dataset.slug,
        "id": dataset.id,
        "title": pick(dataset.title, chosen)[0],
        "description": pick(dataset.description, chosen)[0],
        "homepage": page,
        "version": (dataset.details or {}).get("version", ""),
        "created": (changed or dataset.updated_at).isoformat(timespec="seconds"),
        "keywords": list(dataset.tags),
        "licenses": _licenses(dataset),
        "contributors": _contributors(dataset, chosen),
        "sources": [{"title": dataset.landing_page, "path": dataset.landing_page}]
        if dataset.landing_page
        else [],
        "resources": [_resource(one, chosen) for one in tables],
    }
    return {name: value for name, value in made.items() if value}


def _licenses(dataset: Dataset) -> list[dict[str, str]]:
    known = LICENSES.get(dataset.license_id)
    if known is None or not known.url:
        return []
    return [{"name": known.id, "path": known.url, "title": known.title_en}]


def _contributors(dataset: Dataset, chosen: str) -> list[dict[str, Any]]:
    owner = dataset.organization
    publisher = {
        "title": pick(owner.title, chosen)[0],
        "path": owner.homepage or f"{base()}/{chosen}/organizations/{owner.slug}",
        "roles": ["publisher"],
    }
    point = (dataset.details or {}).get("contact_point") or parsed_contact(dataset.contact)
    contact = {"title": point.get("name"), "email": point.get("email"), "roles": ["contact"]}
    if not point.get("name") and not point.get("email"):
        return [publisher]
    return [publisher, {name: value for name, value in contact.items() if value}]


def _resource(one: Published, chosen: str) -> dict[str, Any]:
    made: dict[str, Any] = {
        "$schema": RESOURCE,
        "name": one.name,
        "title": pick(one.table.title, chosen)[0] or pick(one.resource.title, chosen)[0],
        "description": pick(one.resource.description, chosen)[0],
        "path": one.address,
        "type": "table",
        "profile": "tabular-data-resource",
        "format": "csv",
        "mediatype": "text/csv",
        "encoding": "utf-8",
        "dialect": {"delimiter": ",", "lineTerminator": "\r\n", "header": True},
        "schema": schema_json(one.table, chosen),
    }
    if one.file.made is not None:
        made |= {"bytes": one.file.made.bytes, "hash": f"sha256:{one.file.made.sha256}"}
    return {name: value for name, value in made.items() if value}
