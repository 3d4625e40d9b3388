"""What people ask of departments: a request for data, the report of an error, an application for access."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from sqlalchemy import Integer, Select, String, bindparam, func, select

from catalog.db import db, transaction
from catalog.errors import N_, Conflict, Invalid, NotFound
from catalog.models.base import now
from catalog.models.dataset import Dataset
from catalog.models.inquiry import Inquiry
from catalog.models.organization import Organization
from catalog.models.vocabulary import Access
from catalog.permissions import Action, Identity, allowed, require
from catalog.schemas.inquiry import InquiryDraft
from catalog.services import attempts, datasets, log, organizations

LONGEST_ANSWER = 20_000


def ask(who: Identity, draft: InquiryDraft, *, address: str) -> Inquiry:
    """Put a question to a department, about a dataset or in general; raises TooMany from an address that asks often."""
    attempts.count_inquiry(address)
    with transaction():
        dataset = datasets.show(who, draft.dataset) if draft.dataset else None
        if draft.kind == "access" and (dataset is None or dataset.access == Access.OPEN):
            raise Invalid(
                "only data that is not open is applied for",
                problems={"kind": [N_("This dataset is open: nobody has to apply for it.")]},
            )
        organization = (
            dataset.organization if dataset else organizations.show(who, draft.organization)
        )
        if who.account_id is None and not draft.contact:
            raise Invalid(
                "an e-mail address is needed",
                problems={"contact": [N_("Enter an e-mail address for the answer.")]},
            )
        inquiry = Inquiry(
            kind=draft.kind,
            organization_id=organization.id,
            dataset_id=dataset.id if dataset else None,
            account_id=who.account_id,
            title=draft.title,
            text=draft.text,
            contact=draft.contact,
            public=draft.public and draft.kind != "access",
            details=dict(draft.details),
        )
        db.session.add(inquiry)
    return inquiry


def show(who: Identity, inquiry_id: str) -> Inquiry:  # noqa: ARG001 # whoever has the id may read it
    """A question by its id, which nobody can guess: whoever has it may read question and answer."""
    inquiry = db.session.get(Inquiry, inquiry_id, populate_existing=True)
    if inquiry is None:
        raise NotFound("there is no such question")
    return inquiry


def editable(who: Identity, inquiry_id: str) -> Inquiry:
    """A question that `who` may answer."""
    inquiry = show(who, inquiry_id)
    require(who, Action.DATASET_WRITE, inquiry.organization_id)
    return inquiry


def answer(
    who: Identity, inquiry_id: str, text: str, *, public: bool, close: bool = False
) -> Inquiry:
    """Answer a question, or close it without one. What was not asked in public never becomes public."""
    words = text.strip()
    with transaction():
        inquiry = editable(who, inquiry_id)
        if inquiry.state != "open" and not words:
            raise Conflict("this question is answered already")
        if not words and not close:
            raise Invalid("an answer is needed", problems={"answer": [N_("Write an answer.")]})
        if len(words) > LONGEST_ANSWER:
            raise Invalid(
                "the answer is too long",
                problems={"answer": [N_("The answer is longer than 20,000 characters.")]},
            )
        inquiry.answer, inquiry.state = words, "answered" if words else "closed"
        inquiry.answered_by, inquiry.answered_at = who.account_id, now()
        inquiry.public = inquiry.public and public
        subject = log.Subject("inquiry", inquiry.id, inquiry.organization_id)
        log.append(who, f"inquiry.{inquiry.state}", subject, {"title": {"": inquiry.title}})
    return inquiry


def of_dataset(dataset: Dataset, *, limit: int, offset: int = 0) -> list[Inquiry]:
    """The questions about a dataset that were answered in public, the newest first."""
    page = {"dataset": dataset.id, "most": limit, "passed": offset}
    return list(db.session.scalars(_page_of_dataset(), page))


def count_of_dataset(dataset: Dataset) -> int:
    """How many they are."""
    public = select(func.count()).select_from(_public().subquery())
    return int(db.session.scalar(public, {"dataset": dataset.id}) or 0)


@cache
def _page_of_dataset() -> Select[Inquiry]:
    """Made once: every page of a dataset asks it."""
    newest = _public().order_by(Inquiry.answered_at.desc(), Inquiry.id)
    return newest.limit(bindparam("most", type_=Integer)).offset(bindparam("passed", type_=Integer))


def _public() -> Select[Inquiry]:
    return select(Inquiry).where(
        Inquiry.dataset_id == bindparam("dataset", type_=String),
        Inquiry.public.is_(True),
        Inquiry.state == "answered",
    )


def answered(who: Identity, *, limit: int, offset: int = 0) -> list[Inquiry]:
    """Questions to the organizations of `who` that were answered or closed, the newest first."""
    found = select(Inquiry).where(Inquiry.state != "open")
    if not who.administrator:
        found = found.where(Inquiry.organization_id.in_(sorted(who.organizations)))
    found = found.order_by(Inquiry.answered_at.desc(), Inquiry.id)
    return list(db.session.scalars(found.limit(limit).offset(offset)))


def may_answer(who: Identity, inquiry: Inquiry) -> bool:
    """For showing the form."""
    return allowed(who, Action.DATASET_WRITE, inquiry.organization_id)


@dataclass(frozen=True)
class About:
    """What a question is about: the department and, of a dataset, its name in addresses and its title."""

    organization: Organization
    slug: str = ""
    title: Mapping[str, str] = field(default_factory=dict)


def about(inquiry: Inquiry) -> About:
    """Department and dataset of a question."""
    organization = db.session.get_one(Organization, inquiry.organization_id)
    dataset = db.session.get(Dataset, inquiry.dataset_id) if inquiry.dataset_id else None
    return About(organization, dataset.slug, dataset.title) if dataset else About(organization)
