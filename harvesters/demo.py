"""Registers the demo's themes, organizations and harvest sources from demo/sources.yaml."""

from __future__ import annotations

from pathlib import Path

from catalog.permissions import SCHEDULER
from harvesters import plan
from harvesters.models import HarvestSource


def register_demo(folder: Path, server: str) -> list[HarvestSource]:
    """Register everything, or bring it up to date; `server` is host and port of demo/server.py."""
    places = {"{demo}": str(folder.resolve()), "{server}": server}
    return plan.register(SCHEDULER, folder / "sources.yaml", places)


def register_services(folder: Path, server: str) -> None:
    """Register the data services, whose datasets must be harvested by now."""
    plan.register(SCHEDULER, folder / "services.yaml", {"{server}": server})
