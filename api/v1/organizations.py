"""The departments that publish."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from marshmallow import RAISE

from api.answers import address, json_answer
from api.v1.description import N_, ref
from api.v1.parameters import Parameters, blueprint
from catalog.schemas.organization import organization_json
from catalog.services import organization_tree, organizations

bp = blueprint("organizations")


@bp.route("/organizations")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, ref("OrganizationList"), description=N_("All organizations"))
@bp.doc(summary=N_("List organizations"), operationId="listOrganizations", tags=["organizations"])
def index(parameters: Mapping[str, Any]) -> Response:  # noqa: ARG001 # the language was taken already
    """All organizations with the number of their datasets."""
    found = [
        {
            **organization_json(organization, g.lang),
            "datasets": count,
            "url": address(f"/api/v1/organizations/{organization.slug}"),
        }
        for organization, count in organizations.all(g.identity)
    ]
    return json_answer({"total": len(found), "results": found})


@bp.route("/organizations/<slug>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Organization"), description=N_("The organization"))
@bp.doc(summary=N_("Show an organization"), operationId="showOrganization", tags=["organizations"])
def show(parameters: Mapping[str, Any], slug: str) -> Response:  # noqa: ARG001 # the language was taken already
    """One organization."""
    organization = organizations.show(g.identity, slug)
    return json_answer(
        {
            **organization_json(
                organization,
                g.lang,
                above=list(reversed(organization_tree.above(organization))),
            ),
            "url": address(f"/api/v1/organizations/{organization.slug}"),
        }
    )
