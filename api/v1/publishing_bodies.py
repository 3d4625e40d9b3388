"""What the API of publishing takes and answers."""

from __future__ import annotations

from marshmallow import Schema, fields, validate

from api.v1.description import ANYTHING, MOMENT, N_, many, maybe, number, record, text
from api.v1.parameters import Parameters, said
from catalog.models.vocabulary import RevisionState
from catalog.schemas.texts import Texts

MOST = 100

_REVISION = {
    "number": number(N_("Number of the revision, from 1")),
    "state": text(
        N_("Where it is on its way to the public"), enum=[one.value for one in RevisionState]
    ),
    "reason": text(N_("Why it was changed")),
    "made_by": text(N_("Who proposed it")),
    "made_at": MOMENT,
    "submitted_at": maybe(MOMENT),
    "decided_by": text(N_("Who decided on it")),
    "decided_at": maybe(MOMENT),
    "remarks": text(N_("What is to be corrected")),
    "publish_at": maybe(MOMENT),
}
_CHANGE = record(
    N_("A field that differs"),
    field=text(N_("Path of the field, such as title.zh")),
    old={"description": N_("What was there; null for nothing")},
    new={"description": N_("What is there now; null for nothing")},
)
PROPOSAL = record(
    N_("A proposed content of a dataset"),
    id=text(),
    dataset=text(N_("Id of the dataset")),
    slug=text(N_("Its name in addresses")),
    content={**ANYTHING, "description": N_("The dataset as it was sent")},
    changes=many(_CHANGE, N_("What it changes of what is public")),
    url=text(),
    **_REVISION,
)
STATE = record(
    N_("Where a dataset stands"),
    id=text(),
    slug=text(),
    state=text(enum=["draft", "published", "withdrawn"]),
    merged_into=maybe(text(N_("Id of the dataset that took its place"))),
    withdrawn_at=maybe(MOMENT),
)
HISTORY = record(
    N_("Revisions of a dataset, the newest first"),
    revisions=many(record("", **_REVISION)),
    next=maybe(text(N_("Address of the next page"))),
)
DIFFERENCES = record(N_("How two revisions differ"), changes=many(_CHANGE))
NOT_OPEN = record(
    N_("Datasets, columns and data services that not everybody may have"),
    total=number(),
    entries=many(
        record(
            "",
            dataset=maybe(text(N_("Id of the dataset; null for a data service"))),
            service=maybe(text(N_("Id of the data service; null for a dataset"))),
            slug=text(),
            title=ANYTHING,
            organization=ANYTHING,
            column=maybe(text(N_("Null where all of it is meant"))),
            access=text(enum=["on_application", "closed"]),
            masked={"type": "boolean", "description": N_("Whether a part of each value is shown")},
            reason={**ANYTHING, "description": N_("The legal reason, by language")},
        )
    ),
    next=maybe(text(N_("Address of the next page"))),
)


class ProposalBody(Schema):
    """A dataset as a draft."""

    dataset = fields.Dict(
        keys=fields.String(),
        required=True,
        metadata=said(N_("The dataset, with the fields that the catalogue knows")),
    )
    id = fields.String(
        load_default="",
        validate=validate.Length(max=120),
        metadata=said(N_("Id or name in addresses of the dataset to change; empty for a new one")),
    )
    reason = fields.String(
        load_default="",
        validate=validate.Length(max=500),
        metadata=said(N_("Why, for whoever approves it")),
    )
    submit = fields.Boolean(
        load_default=False, metadata=said(N_("Whether it is handed in for approval at once"))
    )


class ApprovalBody(Schema):
    """An approval."""

    publish_at = fields.AwareDateTime(
        load_default=None,
        allow_none=True,
        metadata=said(N_("Moment from which it is public; left out for at once")),
    )


class RemarksBody(Schema):
    """A return."""

    remarks = fields.String(
        required=True,
        validate=validate.Length(1, 10_000),
        metadata=said(N_("What is to be corrected")),
    )


class ReasonBody(Schema):
    """A withdrawal."""

    reason = Texts(2000, required=True, metadata=said(N_("Why, by language")))


class MergeBody(Schema):
    """A merge."""

    into = fields.String(
        required=True,
        validate=validate.Length(1, 120),
        metadata=said(N_("Id or name in addresses of the dataset that stays")),
    )


class SlugBody(Schema):
    """Another address."""

    slug = fields.String(
        required=True,
        validate=validate.Length(1, 100),
        metadata=said(N_("The new name in addresses; the one of before leads there")),
    )


class NumberBody(Schema):
    """A revision."""

    number = fields.Integer(
        required=True,
        strict=True,
        validate=validate.Range(1, 10**9),
        metadata=said(N_("Number of the revision")),
    )


class PageParameters(Parameters):
    """A page of a list."""

    limit = fields.Integer(
        load_default=20,
        validate=validate.Range(1, MOST),
        metadata=said(N_("Entries on a page, at most 100")),
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, 1_000_000),
        metadata=said(N_("Entries to pass over")),
    )


class PairParameters(Parameters):
    """Two revisions."""

    older = fields.Integer(
        required=True,
        validate=validate.Range(1, 10**9),
        metadata=said(N_("Number of the older revision")),
    )
    newer = fields.Integer(
        required=True,
        validate=validate.Range(1, 10**9),
        metadata=said(N_("Number of the newer revision")),
    )
