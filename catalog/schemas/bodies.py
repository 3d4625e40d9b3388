"""What is to be said of an organization or a group, as CKAN's clients say it: part by part."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from catalog.models.vocabulary import MemberRole


@dataclass(frozen=True)
class BodyDraft:
    """The parts that change; what is None stays as it is."""

    slug: str | None = None
    title: Mapping[str, str] | None = None
    description: Mapping[str, str] | None = None
    image_url: str | None = None
    extras: Mapping[str, Any] | None = None
    closed: bool | None = None
    parents: tuple[str, ...] | None = None
    """Ids of the organizations that it is to belong to: none or one."""
    members: Mapping[str, MemberRole] | None = None
    """Account id → role, for all members that there are to be."""
    datasets: tuple[str, ...] | None = None
    """Ids of all datasets that a group is to hold."""
