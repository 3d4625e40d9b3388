"""Releases of a table: which there are, what proves a copy of one, and what changed between two."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from flask import Response, g
from marshmallow import RAISE, fields, validate

from api import files
from api.answers import address, is_conditional, json_answer, tag_of, this_call, unchanged
from api.v1.description import N_, ref, text
from api.v1.downloads import RELEASE
from api.v1.parameters import Parameters, blueprint, said
from catalog.schemas.release import changes_json, release_json, release_schema_json
from catalog.schemas.texts import chosen
from catalog.services import release_changes, release_files, releases, usage
from catalog.services.release_files import ReleaseFormat
from catalog.services.releases import ReleaseInfo
from catalog.services.table_formats import FORMATS
from catalog.tabular.changes import Kind

bp = blueprint("tables", "releases")
LONGEST_MOMENT = 40


class PageParameters(Parameters):
    """A page of a list."""

    limit = fields.Integer(
        load_default=50,
        validate=validate.Range(1, 100),
        metadata=said(N_("Releases on a page, at most 100")),
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 2**31),
        metadata=said(N_("Releases to pass over")),
    )


class ManifestParameters(Parameters):
    """A manifest."""

    make = fields.String(
        load_default=None,
        validate=validate.OneOf(tuple(FORMATS)),
        metadata=said(
            N_("Make the file of this format first, so that its size and hash are told"), "csv"
        ),
    )


class BetweenParameters(Parameters):
    """Two releases."""

    older = fields.String(
        data_key="from",
        load_default=None,
        validate=validate.Length(1, LONGEST_MOMENT),
        metadata=said(
            N_(
                "The older release: its number, or a day or moment (ISO 8601); without it the one before `to`"
            ),
            "1",
        ),
    )
    newer = fields.String(
        data_key="to",
        load_default=None,
        validate=validate.Length(1, LONGEST_MOMENT),
        metadata=said(N_("The newer release, in the same way; without it the newest one")),
    )
    kind = fields.String(
        load_default=None,
        validate=validate.OneOf([kind.value for kind in Kind]),
        metadata=said(N_("Only rows that were added, changed or removed")),
    )


class ChangesParameters(BetweenParameters):
    """A page of changes."""

    limit = fields.Integer(
        load_default=100,
        validate=validate.Range(0, releases.MOST_CHANGES),
        metadata=said(N_("Changes on a page, at most 1,000")),
    )
    offset = fields.Integer(
        load_default=0, validate=validate.Range(0, 2**40), metadata=said(N_("Changes to pass over"))
    )


@bp.route("/tables/<table_id>/releases")
@bp.arguments(PageParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("ReleaseList"), description=N_("The releases, the newest first"))
@bp.doc(summary=N_("List the releases of a table"), operationId="listReleases", tags=["tables"])
def listed(asked: Mapping[str, Any], table_id: str) -> Response:
    """Every refresh is a release; those whose rows were given up stay listed."""
    limit, offset = asked["limit"], asked["offset"]
    page = releases.listed(g.identity, table_id, limit=limit, offset=offset)
    following = offset + limit
    return json_answer(
        {
            "table": table_id,
            "total": page.total,
            "retention": page.table.retention,
            "releases": [_release(table_id, release) for release in page.releases],
            "offset": offset,
            "limit": limit,
            "next": this_call(offset=following) if following < page.total else None,
        }
    )


@bp.route(f"/tables/<table_id>/releases/{RELEASE}")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Release"), description=N_("The release"))
@bp.doc(summary=N_("Show a release"), operationId="showRelease", tags=["tables"])
def show(parameters: Mapping[str, Any], table_id: str, number: int) -> Response:  # noqa: ARG001 # the language was taken already
    """Who made it, when and why, its columns, and how to cite it."""
    release = releases.show(g.identity, table_id, number)
    table = releases.listed(g.identity, table_id, limit=1).table
    schema = release_schema_json(table, release, release.columns, g.lang)
    return json_answer({**_release(table_id, release), "schema": schema})


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
    found = release_files.find_all(g.identity, table_id, number)
    return json_answer(_manifest(found, releases.show(g.identity, table_id, number)))


@bp.route("/tables/<table_id>/changes")
@bp.arguments(ChangesParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Changes"), description=N_("One page of changes"))
@bp.doc(summary=N_("Compare two releases"), operationId="showChanges", tags=["tables"])
def changes(asked: Mapping[str, Any], table_id: str) -> Response:
    """The rows that were added, changed and removed, with their old and new values."""
    same = _unchanged(table_id)
    if same is not None:
        return same
    older = _older(table_id, asked)
    limit, offset, kind = asked["limit"], asked["offset"], _kind(asked)
    page = releases.changes(
        g.identity, table_id, older, asked["newer"], kind=kind, limit=limit, offset=offset
    )
    usage.count(page.table.resource.dataset_id, "call")
    most = getattr(page.tally, kind.value) if kind else page.tally.total
    following = offset + limit
    onward = this_call(offset=following) if limit and following < most else None
    body = {**changes_json(page), "offset": offset, "limit": limit, "total": most, "next": onward}
    tag = tag_of(page.table.id, page.table.release)
    return json_answer(body, tag=tag, modified=page.table.loaded_at)


def _changes_file(kind: str) -> Callable[..., Response]:
    def view(asked: Mapping[str, Any], table_id: str) -> Response:
        older = _older(table_id, asked)
        export = release_changes.changes_file(
            g.identity, table_id, older, asked["newer"], kind, kind=_kind(asked)
        )
        response = Response(export.chunks, content_type=export.media_type)
        response.headers["Content-Disposition"] = files.disposition(export.filename)
        return response

    view.__name__, view.__doc__ = f"changes_{kind}", None
    return view


for _name, _format in release_changes.FORMATS.items():
    _view = _changes_file(_name)
    _view = bp.doc(
        summary=N_("Download what changed between two releases"),
        operationId=_view.__name__,
        tags=["tables"],
    )(_view)
    _view = bp.response(
        200,
        text(format="binary"),
        content_type=_format.media_type.partition(";")[0],
        description=N_("The changes as a stream: kind, row, values, old values"),
    )(_view)
    _view = bp.arguments(BetweenParameters(), location="query", unknown=RAISE)(_view)
    bp.add_url_rule(f"/tables/<table_id>/changes.{_name}", _view.__name__, _view)


def _older(table_id: str, asked: Mapping[str, Any]) -> str:
    """The release before the newer one, unless another one is named."""
    return asked["older"] or release_changes.before(g.identity, table_id, asked["newer"])


def _kind(asked: Mapping[str, Any]) -> Kind | None:
    return Kind(asked["kind"]) if asked["kind"] else None


def _unchanged(table_id: str) -> Response | None:
    if not is_conditional():
        return None
    table = releases.listed(g.identity, table_id, limit=1).table
    return unchanged(tag=tag_of(table.id, table.release), modified=table.loaded_at)


def _release(table_id: str, release: ReleaseInfo) -> dict[str, Any]:
    here = f"/api/v1/tables/{table_id}/releases/{release.number}"
    links = {
        "self": address(here),
        "page": address(f"/tables/{table_id}/releases/{release.number}"),
        "manifest": address(f"{here}/manifest"),
    }
    if release.expired_at is None:
        rows = address(f"/api/v1/tables/{table_id}/rows", {"as_of": release.number})
        links |= {"csv": address(f"{here}/download.csv"), "rows": rows}
    return {**release_json(release), "links": links}


def _manifest(found: Sequence[ReleaseFormat], release: ReleaseInfo) -> dict[str, Any]:
    table, version = found[0].table, found[0].version
    dataset = table.resource.dataset
    here = f"/api/v1/tables/{table.id}/releases/{release.number}"
    page = address(f"/tables/{table.id}/releases/{release.number}")
    return {
        "table": table.id,
        "dataset": {
            "slug": dataset.slug,
            "title": chosen(dataset.title, g.lang),
            "url": address(f"/api/v1/datasets/{dataset.slug}"),
        },
        "release": release_json(release),
        "url": address(here),
        "page": page,
        "schema": release_schema_json(table, release, version.columns, g.lang),
        "files": [_file(here, file) for file in found],
    }


def _file(here: str, file: ReleaseFormat) -> dict[str, Any]:
    name = file.format.name
    bom = {"bom": 1} if name == "csv-bom" else None
    return {
        "format": name,
        "url": address(f"{here}/download.{file.format.ending}", bom),
        "filename": file.filename,
        "media_type": file.format.media_type,
        "bytes": file.made.bytes if file.made else None,
        "sha256": file.made.sha256 if file.made else None,
    }
