"""How well a column keeps to its data element, in words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from portal.uptime import percent


def share_of(conformance: Mapping[str, Any] | None) -> str:
    """The share of values that conform, in percent; a dash where it was not measured yet."""
    kept = conformance or {}
    checked = kept.get("checked")
    return percent(kept["conforming"] / checked) if checked else "–"
