"""Citations: a query on a release under an address that stays."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, current_app, g
from marshmallow import RAISE, Schema, fields, validate

from api.answers import address, json_answer
from api.v1.description import N_, ref
from api.v1.names import names_in, orders_in
from api.v1.parameters import LONGEST, LONGEST_LIST, Parameters, as_of, blueprint, said
from api.v1.tables import condition
from catalog.schemas.citation import citation_texts
from catalog.schemas.dataset import moment_json
from catalog.services import citations
from catalog.services.citations import Cited
from catalog.tabular.query import TableQuery
from catalog.tabular.where_text import listed_name, order_text

bp = blueprint("tables", "citations")


class CitationBody(Schema):
    """A query to cite."""

    select = fields.String(load_default="", validate=validate.Length(max=LONGEST_LIST))
    where = fields.String(load_default="", validate=validate.Length(max=LONGEST))
    order_by = fields.String(load_default="", validate=validate.Length(max=LONGEST_LIST))
    as_of = as_of(json=True)


class CitationParameters(Parameters):
    """A citation."""

    verify = fields.Boolean(
        load_default=False,
        metadata=said(N_("Ask the query again and say whether its rows are unchanged")),
    )


@bp.route("/tables/<table_id>/citations", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(CitationBody(), location="json", unknown=RAISE)
@bp.response(200, ref("Citation"), description=N_("The citation"))
@bp.doc(summary=N_("Cite a query on a release"), operationId="makeCitation", tags=["tables"])
def cite(parameters: Mapping[str, Any], body: Mapping[str, Any], table_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """An address that stays, with the hash of the rows; equal queries get the same one."""
    query = TableQuery(
        select=names_in(body["select"]),
        where=condition(table_id, body["where"]),
        order_by=orders_in(body["order_by"]),
    )
    return json_answer(_citation(citations.cite(g.identity, table_id, query, as_of=body["as_of"])))


@bp.route("/citations/<citation_id>")
@bp.arguments(CitationParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Citation"), description=N_("The citation"))
@bp.doc(summary=N_("Show a citation"), operationId="showCitation", tags=["tables"])
def citation(asked: Mapping[str, Any], citation_id: str) -> Response:
    """The query, the release, the number and the hash of the rows."""
    cited = citations.find(g.identity, citation_id)
    told = citations.is_unchanged(cited) if asked["verify"] else None
    return json_answer({**_citation(cited), "unchanged": told})


def _citation(cited: Cited) -> dict[str, Any]:
    citation, table = cited.citation, cited.table
    query = {
        "select": ",".join(map(listed_name, cited.query.select)),
        "where": citation.query["where"],
        "order_by": order_text(cited.query.order_by),
    }
    asked = {name: value for name, value in query.items() if value} | {"as_of": citation.release}
    here = f"/api/v1/tables/{table.id}"
    page = address(f"/citations/{citation.id}")
    dataset = table.resource.dataset
    return {
        "id": citation.id,
        "table": table.id,
        "release": citation.release,
        "query": query,
        "rows": citation.rows,
        "sha256": citation.sha256,
        "created_at": moment_json(citation.created_at),
        "links": {
            "self": address(f"/api/v1/citations/{citation.id}"),
            "page": page,
            "rows": address(f"{here}/rows", asked),
            "csv": address(f"{here}/download.csv", asked),
        },
        "texts": citation_texts(
            publisher=dataset.organization.title,
            title=dataset.title,
            site=site_titles(),
            number=citation.release,
            made_at=cited.release.created_at,
            today=citation.created_at,
            url=page,
        ),
    }


def site_titles() -> dict[str, str]:
    """The portal's name by language."""
    settings = current_app.extensions["weft"]["settings"]
    return {"zh": settings.site_title_zh, "en": settings.site_title_en}
