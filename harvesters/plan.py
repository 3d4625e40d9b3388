"""Registers standards, themes, organizations, series, services and harvest sources from a YAML file.

`demo/sources.yaml` is one.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import Invalid
from catalog.permissions import Identity
from catalog.schemas.data_service import data_service_draft
from catalog.schemas.series import series_draft
from catalog.services import (
    data_services,
    groups,
    organizations,
    series,
    standard_files,
)
from harvesters import services
from harvesters.models import HarvestSource, Schedule
from harvesters.services import SourceDraft

ADDRESSES = frozenset({"url", "endpoint_url", "endpoint_description", "documentation", "check_url"})
PARTS = frozenset({"standards", "themes", "organizations", "series", "services", "sources"})


def register(
    who: Identity, file: Path, places: Mapping[str, str] | None = None
) -> list[HarvestSource]:
    """Register everything that the file names, or bring it up to date; raises Invalid with what is wrong.

    `places` replaces words such as `{server}` in the addresses of sources and services. `standards` are files of data elements,
    named from the folder of this file.
    """
    plan = _read(file)
    try:
        for name in plan.get("standards", []):
            standard = file.parent / name
            standard_files.load(who, standard.read_bytes(), standard.suffix.lstrip("."))
        for position, theme in enumerate(plan.get("themes", [])):
            groups.put(who, position=position, **theme)
        for organization in plan.get("organizations", []):
            organizations.put(who, **organization)
        for one in plan.get("series", []):
            series.put(who, series_draft(one))
        drafts = [_draft(source, places or {}) for source in plan.get("sources", [])]
    except (TypeError, KeyError, ValueError, OSError) as error:
        raise Invalid("%(file)s: %(reason)s", file=file.name, reason=str(error)) from error
    registered = [services.register(who, draft) for draft in drafts]
    for one in plan.get("services", []):
        data_services.put(who, data_service_draft(_placed(one, places or {})))
    return registered


def set_fields(who: Identity, slug: str, file: Path) -> int:
    """Set the custom fields of an organization's datasets from a file, a list in YAML or JSON; how many there are."""
    try:
        fields = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid("%(file)s: %(reason)s", file=file.name, reason=str(error)) from error
    return len(organizations.set_fields(who, slug, fields).fields)


def _read(file: Path) -> Mapping[str, Any]:
    try:
        plan = yaml.safe_load(file.read_text("utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise Invalid("%(file)s: %(reason)s", file=file.name, reason=str(error)) from error
    if not isinstance(plan, dict) or not PARTS.issuperset(plan):
        raise Invalid(
            "%(file)s may hold only: %(parts)s", file=file.name, parts=", ".join(sorted(PARTS))
        )
    return plan


def _draft(source: Mapping[str, Any], places: Mapping[str, str]) -> SourceDraft:
    schedule = Schedule(source.get("schedule", Schedule.DAILY))
    return SourceDraft(**{**_placed(source, places), "schedule": schedule})


def _placed(described: Mapping[str, Any], places: Mapping[str, str]) -> dict[str, Any]:
    """The description with the addresses that `places` stand for."""
    placed = dict(described)
    for key in described.keys() & ADDRESSES:
        for name, place in places.items():
            placed[key] = placed[key].replace(name, place)
    return placed
