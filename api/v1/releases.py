"""Releases of a table: what each is, what it consists of and how a copy of it is proven."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from flask import Response, g
from marshmallow import RAISE, fields, validate

from api.answers import address, json_answer
from api.v1.description import N_, ref
from api.v1.downloads import RELEASE
from api.v1.parameters import Parameters, blueprint, said
from catalog.schemas.release import release_json, release_schema_json
from catalog.schemas.texts import chosen
from catalog.services import release_files
from catalog.services.release_files import ReleaseFormat
from catalog.services.table_formats import FORMATS

bp = blueprint("tables", "releases")


class ManifestParameters(Parameters):
    """A manifest."""

    make = fields.String(
        load_default=None,
        validate=validate.OneOf(tuple(FORMATS)),
        metadata=said(
            N_("Make the file of this format first, so that its size and hash are told"), "csv"
        ),
    )


@bp.route(f"/tables/<table_id>/releases/{RELEASE}/manifest")
@bp.arguments(ManifestParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Manifest"), description=N_("The manifest"))
@bp.doc(
    summary=N_("Show what proves a copy of a release whole"),
    operationId="showManifest",
    tags=["tables"],
)
def manifest(asked: Mapping[str, Any], table_id: str, number: int) -> Response:
    """Rows, schema and, for each file that was made, bytes and SHA-256."""
    if asked["make"]:
        release_files.made(release_files.find(g.identity, table_id, number, asked["make"]))
    return json_answer(_manifest(release_files.find_all(g.identity, table_id, number)))


def _manifest(files: Sequence[ReleaseFormat]) -> dict[str, Any]:
    table, release, version = files[0].table, files[0].release, files[0].version
    dataset = table.resource.dataset
    here = f"/api/v1/tables/{table.id}/releases/{release.number}"
    return {
        "table": table.id,
        "dataset": {
            "slug": dataset.slug,
            "title": chosen(dataset.title, g.lang),
            "url": address(f"/api/v1/datasets/{dataset.slug}"),
        },
        "release": release_json(release),
        "url": address(here),
        "page": address(f"/{g.lang}/tables/{table.id}/releases/{release.number}"),
        "schema": release_schema_json(table, release, version.columns),
        "files": [_file(here, file) for file in files],
    }


def _file(here: str, file: ReleaseFormat) -> dict[str, Any]:
    name = file.format.name
    url = (
        address(f"{here}/download.csv", {"bom": 1})
        if name == "csv-bom"
        else address(f"{here}/download.{name}")
    )
    return {
        "format": name,
        "url": url,
        "filename": file.filename,
        "media_type": file.format.media_type,
        "bytes": file.made.bytes if file.made else None,
        "sha256": file.made.sha256 if file.made else None,
    }
