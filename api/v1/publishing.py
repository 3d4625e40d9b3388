"""The way of a dataset to the public through the API: propose, submit, decide, withdraw, merge, rename, look back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from flask import Response, g
from marshmallow import RAISE

from api.answers import address, json_answer, this_call
from api.v1.description import N_, record, text
from api.v1.parameters import Parameters, blueprint
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


@bp.route("/proposals", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(ProposalBody(), location="json", unknown=RAISE)
@bp.response(200, PROPOSAL, description=N_("The proposal"))
@bp.doc(summary=N_("Propose a dataset or a change"), operationId="propose", tags=["datasets"])
def propose(parameters: Mapping[str, Any], body: Mapping[str, Any]) -> Response:  # noqa: ARG001 # the language was taken already
    """Keep a draft; it is public once somebody else has approved it."""
    keep = publishing.hand_in if body["submit"] else publishing.propose
    draft = dataset_draft(body["dataset"])
    revision = keep(g.identity, draft, dataset_id=body["id"], reason=body["reason"])
    return _shown(revision.id)


@bp.route("/proposals/<revision_id>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, PROPOSAL, description=N_("The proposal"))
@bp.doc(summary=N_("Show a proposal"), operationId="showProposal", tags=["datasets"])
def show(parameters: Mapping[str, Any], revision_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """What a proposal says, and what it changes."""
    return _shown(revision_id)


@bp.route("/proposals/<revision_id>/submit", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, PROPOSAL, description=N_("The proposal"))
@bp.doc(summary=N_("Submit a proposal"), operationId="submitProposal", tags=["datasets"])
def submit(parameters: Mapping[str, Any], revision_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Hand a draft in for approval."""
    return _shown(publishing.submit(g.identity, revision_id).id)


@bp.route("/proposals/<revision_id>/approve", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(ApprovalBody(), location="json", unknown=RAISE)
@bp.response(200, PROPOSAL, description=N_("The proposal"))
@bp.doc(summary=N_("Approve a proposal"), operationId="approveProposal", tags=["datasets"])
def approve(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    revision_id: str,
) -> Response:
    """Make it public, at once or from a moment on."""
    moment = body["publish_at"]
    return _shown(publishing.approve(g.identity, revision_id, publish_at=moment).id)


@bp.route("/proposals/<revision_id>/return", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(RemarksBody(), location="json", unknown=RAISE)
@bp.response(200, PROPOSAL, description=N_("The proposal"))
@bp.doc(summary=N_("Return a proposal"), operationId="returnProposal", tags=["datasets"])
def send_back(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    revision_id: str,
) -> Response:
    """Give it back to its author with what is to be corrected."""
    return _shown(publishing.send_back(g.identity, revision_id, body["remarks"]).id)


@bp.route("/proposals/<revision_id>/discard", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, record("", id=text()), description=N_("It is given up"))
@bp.doc(summary=N_("Give a proposal up"), operationId="discardProposal", tags=["datasets"])
def discard(parameters: Mapping[str, Any], revision_id: str) -> Response:  # noqa: ARG001 # the language was taken already
    """A dataset that was never public goes with it."""
    publishing.discard(g.identity, revision_id)
    return json_answer({"id": revision_id})


@bp.route("/datasets/<slug>/withdraw", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(ReasonBody(), location="json", unknown=RAISE)
@bp.response(200, STATE, description=N_("Where the dataset stands"))
@bp.doc(summary=N_("Withdraw a dataset"), operationId="withdrawDataset", tags=["datasets"])
def withdraw(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    slug: str,
) -> Response:
    """Take it from the public; its address answers 410 with the reason."""
    return _state(publishing.withdraw(g.identity, slug, body["reason"]).id)


@bp.route("/datasets/<slug>/publish-again", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, STATE, description=N_("Where the dataset stands"))
@bp.doc(summary=N_("Publish a dataset again"), operationId="publishAgain", tags=["datasets"])
def publish_again(parameters: Mapping[str, Any], slug: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Bring a withdrawn dataset back."""
    return _state(publishing.publish_again(g.identity, slug).id)


@bp.route("/datasets/<slug>/merge", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(MergeBody(), location="json", unknown=RAISE)
@bp.response(200, STATE, description=N_("Where the dataset that stays stands"))
@bp.doc(summary=N_("Merge a duplicate"), operationId="mergeDataset", tags=["datasets"])
def merge(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    slug: str,
) -> Response:
    """Its addresses lead to the dataset that stays."""
    return _state(publishing.merge(g.identity, slug, body["into"]).id)


@bp.route("/datasets/<slug>/rename", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(SlugBody(), location="json", unknown=RAISE)
@bp.response(200, STATE, description=N_("Where the dataset stands"))
@bp.doc(summary=N_("Rename a dataset"), operationId="renameDataset", tags=["datasets"])
def rename(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    slug: str,
) -> Response:
    """Give it another name in addresses."""
    return _state(publishing.rename(g.identity, slug, body["slug"]).id)


@bp.route("/datasets/<slug>/restore", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(NumberBody(), location="json", unknown=RAISE)
@bp.response(200, PROPOSAL, description=N_("The proposal"))
@bp.doc(summary=N_("Restore an earlier content"), operationId="restoreRevision", tags=["datasets"])
def restore(
    parameters: Mapping[str, Any],  # noqa: ARG001 # the language was taken already
    body: Mapping[str, Any],
    slug: str,
) -> Response:
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
    """Datasets and columns that not everybody may have, each with the legal reason."""
    limit, offset = asked["limit"], asked["offset"]
    total = not_open.count(g.identity)
    entries = not_open.listed(g.identity, limit=limit, offset=offset)
    return json_answer(
        {
            "total": total,
            "entries": [
                {
                    "dataset": one.dataset_id,
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
