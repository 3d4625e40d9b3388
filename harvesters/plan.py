"""Registers themes, organizations and harvest sources from a YAML file, as `demo/sources.yaml` is one."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import Invalid
from catalog.permissions import Identity
from catalog.services import groups, organizations
from harvesters import services
from harvesters.models import HarvestSource, Schedule
from harvesters.services import SourceDraft

PARTS = frozenset({"themes", "organizations", "sources"})


def register(
    who: Identity, file: Path, places: Mapping[str, str] | None = None
) -> list[HarvestSource]:
    """Register everything that the file names, or bring it up to date; raises Invalid with what is wrong.

    `places` replaces words such as `{server}` in the addresses of sources.
    """
    plan = _read(file)
    try:
        for position, theme in enumerate(plan.get("themes", [])):
            groups.put(who, position=position, **theme)
        for organization in plan.get("organizations", []):
            organizations.put(who, **organization)
        drafts = [_draft(source, places or {}) for source in plan.get("sources", [])]
    except (TypeError, KeyError, ValueError) as error:
        raise Invalid("%(file)s: %(reason)s", file=file.name, reason=str(error)) from error
    return [services.register(who, draft) for draft in drafts]


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
    url = source["url"]
    for name, place in places.items():
        url = url.replace(name, place)
    schedule = Schedule(source.get("schedule", Schedule.DAILY))
    return SourceDraft(**{**source, "url": url, "schedule": schedule})
