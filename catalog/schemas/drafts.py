"""Frozen drafts: the only thing that services accept for writing."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from catalog.models.vocabulary import Access, Frequency

Texts = Mapping[str, str]


@dataclass(frozen=True)
class ResourceDraft:
    """A file or interface of a dataset; with `load` its tables are read after the commit."""

    key: str
    title: Texts = field(default_factory=dict)
    description: Texts = field(default_factory=dict)
    format: str = ""
    media_type: str = ""
    url: str = ""
    size: int | None = None
    load: Mapping[str, Any] = field(default_factory=dict)
    """`part`: what the harvest format needs to find the content again; `read`: options for reading;
    `version`: anything that changes when the content does; `columns`: {name: {label, description, unit}};
    `tables`: {key of a table: its title}; `chart`, `map`: how the table opens (see DataTable)."""
    id: str = ""
    """Wanted id of a new resource; empty means any."""
    extras: Mapping[str, Any] | None = None
    """What CKAN's clients say of it beyond our own fields; None leaves what is there."""


@dataclass(frozen=True)
class DatasetDraft:
    """A dataset as a form, the API or a harvester describes it."""

    title: Texts
    organization: str
    """Slug of the organization."""
    slug: str = ""
    """Wanted address; empty means one made from the title."""
    description: Texts = field(default_factory=dict)
    notice: Texts = field(default_factory=dict)
    license: str = "notspecified"
    license_text: str = ""
    frequency: Frequency = Frequency.UNKNOWN
    access: Access = Access.OPEN
    access_reason: Texts = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
    """Slugs of groups."""
    landing_page: str = ""
    contact: str = ""
    spatial: str = ""
    temporal_start: str = ""
    temporal_end: str = ""
    issued: datetime | None = None
    modified: datetime | None = None
    extras: Mapping[str, Any] = field(default_factory=dict)
    identifier: str = ""
    spatial_code: str = ""
    spatial_box: tuple[float, ...] = ()
    """West, south, east, north in degrees of WGS-84."""
    spatial_geometry: Mapping[str, Any] = field(default_factory=dict)
    vocabulary_tags: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    details: Mapping[str, Any] = field(default_factory=dict)
    """As schemas/details.py has them."""
    custom: Mapping[str, Any] = field(default_factory=dict)
    series: str = ""
    """Slug of a series."""
    series_position: int = 0
    private: bool = False
    machine: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field → languages whose text a machine has written: `{"title": ["en"]}`."""
    confirmed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Field → languages whose text stays and is still right although another language changed."""
    resources: tuple[ResourceDraft, ...] = ()


@dataclass(frozen=True)
class Origin:
    """Where a harvested dataset comes from: a harvest source and the record's key there."""

    source_id: str
    record_key: str
