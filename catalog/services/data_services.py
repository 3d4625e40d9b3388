"""Data services: put, rename, withdraw, show, list."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Any

from sqlalchemy import Select, String, bindparam, delete, func, insert, select
from sqlalchemy.orm import joinedload, selectinload

from catalog.db import db, transaction
from catalog.errors import N_, Gone, Invalid, NotFound
from catalog.models.base import new_id, now
from catalog.models.dataset import Dataset, public
from catalog.models.service import DataService, service_dataset
from catalog.models.text import origins_of
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require
from catalog.schemas.data_service import DataServiceDraft
from catalog.services import addresses, completeness, log, uptime
from catalog.services.datasets import organization_named
from catalog.services.indexing import changed

TRANSLATED = ("title", "description", "limits", "access_reason")
ASKED_AT = frozenset({"endpoint_url", "check_url", "state"})
"""Fields after whose change the service is looked at at once."""
MOST = 500
_WITH = (joinedload(DataService.organization), selectinload(DataService.datasets))


class ServiceWithdrawn(Gone):
    """A service that was public: its page says what it was, and why it is no more."""

    def __init__(self, service: DataService) -> None:
        super().__init__("the service “%(slug)s” was withdrawn", slug=service.slug)
        self.title, self.reason = service.title, service.withdrawn_reason or {}


def put(who: Identity, draft: DataServiceDraft) -> DataService:
    """Create the service or change it; one that was withdrawn is public again."""
    problems = completeness.without_reason(draft.access, draft.access_reason)
    if problems:
        raise Invalid("the description of this service cannot be used", problems=problems)
    with transaction() as tx:
        organization = organization_named(draft.organization)
        require(who, Action.DATASET_WRITE, organization)
        service = _by_slug(draft.slug)
        if service is not None:
            require(who, Action.DATASET_WRITE, service.organization_id)
        values = {**_values(draft), "organization_id": organization.id}
        served = _served(draft.datasets)
        what = "changed"
        if service is None:
            service, what = DataService(id=new_id(), slug=draft.slug, title={}), "created"
            addresses.claim("service", draft.slug, service.id)
        values["text_origins"] = origins_of(service, draft, TRANSLATED)
        fields = [name for name, value in values.items() if getattr(service, name) != value]
        for name in fields:
            setattr(service, name, values[name])
        db.session.add(service)
        db.session.flush()
        if _set_served(service, served) or fields:
            service.updated_at = service.index_due = now()
            tx.after_commit(changed, service.id)
            _note(who, service, what, fields=fields)
        if not ASKED_AT.isdisjoint(fields):
            tx.after_commit(uptime.ask_soon, service.id)
    return service


def rename(who: Identity, slug: str, to: str) -> None:
    """Give the service another address; the old one leads there."""
    with transaction() as tx:
        service = show(who, slug)
        require(who, Action.DATASET_RETIRE, service.organization_id)
        if addresses.move("service", service, to):
            service.index_due = now()
            tx.after_commit(changed, service.id)
            _note(who, service, "renamed")


def withdraw(who: Identity, slug: str, reason: dict[str, str]) -> None:
    """Take the service out of the catalogue; its page says why."""
    with transaction() as tx:
        service = show(who, slug)
        require(who, Action.DATASET_RETIRE, service.organization_id)
        if not any(reason.values()):
            raise Invalid(
                "say why it is withdrawn",
                {"reason": [N_("A text is needed in at least one language.")]},
            )
        service.state, service.withdrawn_reason = State.WITHDRAWN, dict(reason)
        service.index_due = now()
        tx.after_commit(changed, service.id)
        _note(who, service, "withdrawn", reason=reason)


def show(who: Identity, slug: str) -> DataService:  # noqa: ARG001 # every service is public
    """The service with its organization and datasets, also by an address of before.

    Raises NotFound; Gone, with the reason, when it was withdrawn.
    """
    service = _by_slug(slug)
    if service is None:
        id_ = addresses.moved("service", slug)
        service = db.session.get(DataService, id_, options=_WITH) if id_ else None
    if service is None:
        raise NotFound("there is no service “%(slug)s”", slug=slug[:120])
    if service.state == State.WITHDRAWN:
        raise ServiceWithdrawn(service)
    return service


def listed(
    who: Identity,  # noqa: ARG001 # every service is public
    *,
    limit: int = 50,
    offset: int = 0,
) -> tuple[list[DataService], int]:
    """A page of the services by slug, and how many there are."""
    there = select(DataService).where(DataService.state == State.PUBLISHED)
    total = db.session.scalar(select(func.count()).select_from(there.subquery())) or 0
    page = there.options(joinedload(DataService.organization)).order_by(DataService.slug)
    return list(db.session.scalars(page.limit(min(limit, MOST)).offset(offset))), total


def of_dataset(who: Identity, dataset_id: str) -> list[DataService]:  # noqa: ARG001 # every service is public
    """The services that serve a dataset."""
    return list(db.session.scalars(_serving(), {"dataset": dataset_id}))


@cache
def _serving() -> Select[DataService]:
    """Made once: every page of a dataset asks it."""
    return (
        select(DataService)
        .join(service_dataset, service_dataset.c.service_id == DataService.id)
        .where(
            service_dataset.c.dataset_id == bindparam("dataset", type_=String),
            DataService.state == State.PUBLISHED,
        )
        .order_by(DataService.slug)
        .limit(MOST)
    )


def _served(slugs: Sequence[str]) -> set[str]:
    """Ids of the datasets; only those that everybody may see can be named."""
    rows = db.session.execute(
        select(Dataset.slug, Dataset.id).where(Dataset.slug.in_(slugs), public())
    ).all()
    unknown = sorted(set(slugs) - {row.slug for row in rows})
    if unknown:
        raise Invalid(
            "there is no dataset “%(slug)s”",
            problems={"datasets": [N_("There is no such dataset.")]},
            slug=unknown[0],
        )
    return {row.id for row in rows}


def _set_served(service: DataService, wanted: set[str]) -> bool:
    """Link the service with its datasets; whether anything changed."""
    link = service_dataset.c
    there = set(db.session.scalars(select(link.dataset_id).where(link.service_id == service.id)))
    if there == wanted:
        return False
    db.session.execute(delete(service_dataset).where(link.service_id == service.id))
    rows = [{"service_id": service.id, "dataset_id": id_} for id_ in sorted(wanted)]
    if rows:
        db.session.execute(insert(service_dataset), rows)
    db.session.expire(service, ["datasets"])
    return True


def _values(draft: DataServiceDraft) -> dict[str, Any]:
    return {
        "title": dict(draft.title),
        "description": dict(draft.description),
        "tags": list(draft.tags),
        "endpoint_url": draft.endpoint_url,
        "endpoint_description": draft.endpoint_description,
        "documentation": draft.documentation,
        "protocol": draft.protocol,
        "parameters": [dict(one) for one in draft.parameters],
        "limits": dict(draft.limits),
        "conforms_to": list(draft.conforms_to),
        "license_id": draft.license,
        "access": draft.access,
        "access_reason": dict(draft.access_reason),
        "contact": dict(draft.contact),
        "check_url": draft.check_url,
        "state": State.PUBLISHED,
        "withdrawn_reason": {},
    }


def _by_slug(slug: str) -> DataService | None:
    return db.session.scalar(
        select(DataService)
        .where(DataService.slug == slug)
        .options(*_WITH)
        .execution_options(populate_existing=True)
    )


def _note(who: Identity, service: DataService, what: str, **more: object) -> None:
    subject = log.Subject("service", service.id, service.organization_id)
    data = {"slug": service.slug, "title": service.title, **more}
    log.append(who, f"service.{what}", subject, data)
