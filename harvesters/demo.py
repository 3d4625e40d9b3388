"""Registers the demo's themes, organizations and harvest sources from demo/sources.yaml."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from catalog.permissions import SCHEDULER
from catalog.services import groups, organizations
from harvesters import services
from harvesters.models import HarvestSource, Schedule
from harvesters.services import SourceDraft


def register_demo(folder: Path, server: str) -> list[HarvestSource]:
    """Register everything, or bring it up to date; `server` is host and port of demo/server.py."""
    plan = yaml.safe_load((folder / "sources.yaml").read_text("utf-8"))
    for position, theme in enumerate(plan["themes"]):
        groups.put(SCHEDULER, position=position, **theme)
    for organization in plan["organizations"]:
        organizations.put(SCHEDULER, **organization)
    places = {"{demo}": str(folder.resolve()), "{server}": server}
    return [services.register(SCHEDULER, _draft(source, places)) for source in plan["sources"]]


def _draft(source: Mapping[str, Any], places: Mapping[str, str]) -> SourceDraft:
    url = source["url"]
    for name, place in places.items():
        url = url.replace(name, place)
    return SourceDraft(**{**source, "url": url, "schedule": Schedule(source["schedule"])})
