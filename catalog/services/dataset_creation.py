"""New datasets: the rows of one or of many, written with a few statements for all of them together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from sqlalchemy import insert
from sqlalchemy.exc import IntegrityError

from catalog.db import db, insert_rows
from catalog.errors import Conflict
from catalog.models.base import Base, new_id, now
from catalog.models.dataset import Dataset, dataset_tag, dataset_theme
from catalog.models.organization import Organization
from catalog.permissions import Identity
from catalog.schemas.drafts import DatasetDraft, Origin
from catalog.services import dataset_content, log, publication_dates, revisions


@dataclass(frozen=True)
class New:
    """A dataset that is to be, and whether its source or somebody has chosen an id."""

    draft: DatasetDraft
    """Fitted to the fields of its organization."""
    organization: Organization
    origin: Origin | None = None
    wanted_id: str = ""


@dataclass(frozen=True)
class Created:
    """A dataset that is there now, and its resources whose content must be read."""

    dataset: Dataset
    to_load: tuple[str, ...]


def create(who: Identity, news: Sequence[New]) -> list[Created]:
    """Make them public, each with its first revision and its line of the log, inside the caller's transaction.

    Raises Invalid as `dataset_content.fill` does.
    """
    drafts = [new.draft for new in news]
    slugs = dataset_content.free_slugs(drafts)
    themes = dataset_content.theme_ids({slug for draft in drafts for slug in draft.themes})
    tags = dataset_content.tag_ids(tag for draft in drafts for tag in draft.tags)
    with db.session.no_autoflush:
        closed = [dataset_content.closed_tag_ids(draft) for draft in drafts]
        made = [_rows(who, new, slug) for new, slug in zip(news, slugs, strict=True)]
    created = [one for one, _ in made]
    try:
        insert_rows(one.dataset for one in created)
        insert_rows(row for _, more in made for row in more)
    except IntegrityError as error:  # somebody else took an address or id in the meantime
        raise Conflict("the address “%(slug)s” is in use", slug=slugs[0]) from error
    of_themes: list[dict[str, Any]] = []
    of_tags: list[dict[str, Any]] = []
    for one, draft, more in zip(created, drafts, closed, strict=True):
        id_ = one.dataset.id
        of_themes += ({"dataset_id": id_, "theme_id": themes[slug]} for slug in draft.themes)
        ids = sorted({*(tags[tag] for tag in draft.tags), *more})
        of_tags += ({"dataset_id": id_, "tag_id": tag_id} for tag_id in ids)
    for table, rows in ((dataset_theme, of_themes), (dataset_tag, of_tags)):
        if rows:
            db.session.execute(insert(table), rows)
    return created


def _rows(who: Identity, new: New, slug: str) -> tuple[Created, list[Base]]:
    """One that waits to be written, with the rows that go with it; its line of the log is added already."""
    draft, moment = new.draft, now()
    dataset = Dataset(
        id=new.wanted_id or new_id(),
        slug=slug,
        organization_id=new.organization.id,
        source_id=new.origin.source_id if new.origin else None,
        record_key=new.origin.record_key if new.origin else None,
        creator_id=who.account_id,
        published_at=moment,
        created_at=moment,
        updated_at=moment,
        index_due=moment,
        fingerprint=revisions.fingerprint_of(draft),
    )
    dated = publication_dates.published_now(draft, dataset, who)
    dataset_content.describe(dataset, dated)
    resources, to_load = dataset_content.described_resources(dataset, draft.resources, {})
    revision = revisions.first(who, dataset, replace(draft, issued=dated.issued))
    dataset.revision = revision.number
    data = {"slug": slug, "title": dataset.title, "revision": dataset.revision}
    log.append(
        who, "dataset.created", log.Subject("dataset", dataset.id, new.organization.id), data
    )
    return Created(dataset, to_load), [revision, *resources]
