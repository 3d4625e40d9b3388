"""Makers of sources for formats and for the catalogue."""

from __future__ import annotations

from typing import Any

from catalog.permissions import SCHEDULER
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import DatasetDraft
from catalog.services import groups, organizations
from harvesters import services
from harvesters.harvester import Harvester, Record, Source
from harvesters.http import Http
from harvesters.models import HarvestSource, Schedule
from harvesters.services import SourceDraft


def opened(harvester: Harvester, url: str, **options: Any) -> Source:
    """The source as the format sees it, options checked."""
    return Source(url, harvester.options().load(options))


def drafts(harvester: Harvester, url: str, http: Http, **options: Any) -> dict[str, DatasetDraft]:
    """Key → checked draft of every record of a source."""
    source = opened(harvester, url, **options)
    return {
        record.key: draft_of(harvester, record)
        for record in harvester.records(source, http)
        if not record.is_series
    }


def draft_of(harvester: Harvester, record: Record) -> DatasetDraft:
    """The record as a draft that the catalogue accepts."""
    return dataset_draft({"organization": "bureau", **harvester.describe(record)}, harvested=True)


def make_source(kind: str, url: str, slug: str = "source", **options: Any) -> HarvestSource:
    """A registered source of the organization `bureau`."""
    organizations.put(SCHEDULER, "bureau", title={"en": "Bureau", "zh": "局"})
    groups.put(SCHEDULER, "health", title={"en": "Health", "zh": "健康"})
    return services.register(
        SCHEDULER,
        SourceDraft(
            slug=slug,
            title={"en": "A source"},
            kind=kind,
            url=url,
            organization="bureau",
            options=options,
            schedule=Schedule.MANUAL,
        ),
    )
