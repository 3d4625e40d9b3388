"""The way of a dataset to the public through the API: propose, submit, decide, withdraw, merge, rename, look back."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Any

from flask import Response, g
from marshmallow import RAISE

from api.answers import address, json_answer, this_call
from api.v1.description import N_, record, text
from api.v1.operations import operation
from api.v1.parameters import blueprint
from api.v1.publishing_bodies import (
    DIFFERENCES,
    HISTORY,
    NOT_OPEN,
    PROPOSAL,
    STATE,
    ApprovalBody,
    MergeBody,
    NumberBody,
    PageParameters,
    PairParameters,
    ProposalBody,
    ReasonBody,
    RemarksBody,
    SlugBody,
)
from catalog.schemas.dataset import dataset_draft, moment_json
from catalog.services import datasets, not_open, proposals, publishing, revisions
from catalog.services.proposals import Shown

bp = blueprint("datasets", "publishing")
_does = partial(operation, bp, tag="datasets")
_PROPOSAL = (PROPOSAL, N_("The proposal"))
_STATE = (STATE, N_("Where the dataset stands"))


@_does("/proposals", _PROPOSAL, N_("Propose a dataset or a change"), "propose", body=ProposalBody())
def propose(body: Mapping[str, Any]) -> Response:
    """Keep a draft; it is public once somebody else has approved it."""
    keep = publishing.hand_in if body["submit"] else publishing.propose
    draft = dataset_draft(body["dataset"])
    revision = keep(g.identity, draft, dataset_id=body["id"], reason=body["reason"])
    return _shown(revision.id)


@_does("/proposals/<revision_id>", _PROPOSAL, N_("Show a proposal"), "showProposal", method="GET")
def show(revision_id: str) -> Response:
    """What a proposal says, and what it changes."""
    return _shown(revision_id)


@_does("/proposals/<revision_id>/submit", _PROPOSAL, N_("Submit a proposal"), "submitProposal")
def submit(revision_id: str) -> Response:
    """Hand a draft in for approval."""
    return _shown(publishing.submit(g.identity, revision_id).id)


@_does(
    "/proposals/<revision_id>/approve",
    _PROPOSAL,
    N_("Approve a proposal"),
    "approveProposal",
    body=ApprovalBody(),
)
def approve(body: Mapping[str, Any], revision_id: str) -> Response:
    """Make it public, at once or from a moment on."""
    moment = body["publish_at"]
    return _shown(publishing.approve(g.identity, revision_id, publish_at=moment).id)


@_does(
    "/proposals/<revision_id>/return",
    _PROPOSAL,
    N_("Return a proposal"),
    "returnProposal",
    body=RemarksBody(),
)
def send_back(body: Mapping[str, Any], revision_id: str) -> Response:
    """Give it back to its author with what is to be corrected."""
    return _shown(publishing.send_back(g.identity, revision_id, body["remarks"]).id)


@_does(
    "/proposals/<revision_id>/discard",
    (record("", id=text()), N_("It is given up")),
    N_("Give a proposal up"),
    "discardProposal",
)
def discard(revision_id: str) -> Response:
    """A dataset that was never public goes with it."""
    publishing.discard(g.identity, revision_id)
    return json_answer({"id": revision_id})


@_does(
    "/datasets/<slug>/withdraw",
    _STATE,
    N_("Withdraw a dataset"),
    "withdrawDataset",
    body=ReasonBody(),
)
def withdraw(body: Mapping[str, Any], slug: str) -> Response:
    """Take it from the public; its address answers 410 with the reason."""
    return _state(publishing.withdraw(g.identity, slug, body["reason"]).id)


@_does("/datasets/<slug>/publish-again", _STATE, N_("Publish a dataset again"), "publishAgain")
def publish_again(slug: str) -> Response:
    """Bring a withdrawn dataset back."""
    return _state(publishing.publish_again(g.identity, slug).id)


@_does(
    "/datasets/<slug>/merge",
    (STATE, N_("Where the dataset that stays stands")),
    N_("Merge a duplicate"),
    "mergeDataset",
    body=MergeBody(),
)
def merge(body: Mapping[str, Any], slug: str) -> Response:
    """Its addresses lead to the dataset that stays."""
    return _state(publishing.merge(g.identity, slug, body["into"]).id)


@_does("/datasets/<slug>/rename", _STATE, N_("Rename a dataset"), "renameDataset", body=SlugBody())
def rename(body: Mapping[str, Any], slug: str) -> Response:
    """Give it another name in addresses."""
    return _state(publishing.rename(g.identity, slug, body["slug"]).id)


@_does(
    "/datasets/<slug>/restore",
    _PROPOSAL,
    N_("Restore an earlier content"),
    "restoreRevision",
    body=NumberBody(),
)
def restore(body: Mapping[str, Any], slug: str) -> Response:
    """Make a draft of the content of an earlier revision."""
    return _shown(publishing.restore(g.identity, slug, body["number"]).id)


@bp.route("/datasets/<slug>/history")
@bp.arguments(PageParameters(), location="query", unknown=RAISE)
@bp.response(200, HISTORY, description=N_("One page of revisions"))
@bp.doc(summary=N_("List the revisions"), operationId="listRevisions", tags=["datasets"])
def history(asked: Mapping[str, Any], slug: str) -> Response:
    """What the dataset was, and who decided on it; members of its department see proposals too."""
    dataset = datasets.show(g.identity, slug)
    limit, offset = asked["limit"], asked["offset"]
    found = revisions.listed(g.identity, dataset, limit=limit + 1, offset=offset)
    return json_answer(
        {
            "revisions": [_revision_json(one) for one in found[:limit]],
            "next": this_call(offset=str(offset + limit)) if len(found) > limit else None,
        }
    )


@bp.route("/datasets/<slug>/differences")
@bp.arguments(PairParameters(), location="query", unknown=RAISE)
@bp.response(200, DIFFERENCES, description=N_("The fields that differ"))
@bp.doc(summary=N_("Compare two revisions"), operationId="compareRevisions", tags=["datasets"])
def differences(asked: Mapping[str, Any], slug: str) -> Response:
    """The fields that differ between two revisions."""
    dataset = datasets.show(g.identity, slug)
    changes = revisions.between(g.identity, dataset, asked["older"], asked["newer"])
    return json_answer({"changes": [vars(change) for change in changes]})


@bp.route("/not-open")
@bp.arguments(PageParameters(), location="query", unknown=RAISE)
@bp.response(200, NOT_OPEN, description=N_("One page of the list"))
@bp.doc(summary=N_("List what is not open"), operationId="listNotOpen", tags=["datasets"])
def closed(asked: Mapping[str, Any]) -> Response:
    """Datasets, columns and data services that not everybody may have, each with the legal reason."""
    limit, offset = asked["limit"], asked["offset"]
    total = not_open.count(g.identity)
    entries = not_open.listed(g.identity, limit=limit, offset=offset)
    return json_answer(
        {
            "total": total,
            "entries": [
                {
                    "dataset": one.id if one.kind == "dataset" else None,
                    "service": one.id if one.kind == "service" else None,
                    "slug": one.slug,
                    "title": one.title,
                    "organization": one.organization,
                    "column": one.column or None,
                    "access": one.access,
                    "masked": one.masked,
                    "reason": one.reason,
                }
                for one in entries
            ],
            "next": this_call(offset=str(offset + limit)) if offset + limit < total else None,
        }
    )


def _shown(revision_id: str) -> Response:
    shown: Shown = proposals.show(g.identity, revision_id)
    return json_answer(
        {
            "id": revision_id,
            "dataset": shown.dataset.id,
            "slug": shown.dataset.slug,
            "content": shown.revision.content,
            "changes": [vars(change) for change in shown.changes],
            "url": address(f"/api/v1/proposals/{revision_id}"),
            **_revision_json(shown.revision),
        }
    )


def _revision_json(revision: Any) -> dict[str, Any]:
    return {
        "number": revision.number,
        "state": revision.state,
        "reason": revision.reason,
        "made_by": revision.made_by_name,
        "made_at": moment_json(revision.made_at),
        "submitted_at": moment_json(revision.submitted_at),
        "decided_by": revision.decided_by_name,
        "decided_at": moment_json(revision.decided_at),
        "remarks": revision.remarks,
        "publish_at": moment_json(revision.publish_at),
    }


def _state(dataset_id: str) -> Response:
    dataset = proposals.member_dataset(g.identity, dataset_id)
    return json_answer(
        {
            "id": dataset.id,
            "slug": dataset.slug,
            "state": dataset.state,
            "merged_into": dataset.merged_into,
            "withdrawn_at": moment_json(dataset.withdrawn_at),
        }
    )
