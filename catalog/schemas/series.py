"""Series of datasets: what is said of one → draft; row → JSON of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load

from catalog.errors import Invalid
from catalog.models.dataset import Dataset
from catalog.models.series import DatasetSeries
from catalog.models.vocabulary import Frequency
from catalog.schemas.dataset import moment_json
from catalog.schemas.texts import Line, Slug, Texts, chosen


@dataclass(frozen=True)
class SeriesDraft:
    """A series as a form, the API or a file describes it."""

    slug: str
    organization: str
    title: Mapping[str, str]
    description: Mapping[str, str] = field(default_factory=dict)
    frequency: Frequency = Frequency.UNKNOWN
    machine: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field → languages whose text a machine has written."""


class SeriesSchema(Schema):
    """A series; unknown keys are errors."""

    slug = Slug(required=True)
    organization = Slug(required=True)
    title = Texts(500, required=True)
    description = Texts(100_000)
    frequency = fields.Enum(Frequency, by_value=True)
    machine = fields.Dict(keys=Line(20), values=fields.List(Line(35)))

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> SeriesDraft:
        """The draft."""
        return SeriesDraft(**data)


def series_draft(described: Mapping[str, Any]) -> SeriesDraft:
    """The draft of a series; raises Invalid with its problems by field."""
    try:
        draft: SeriesDraft = SeriesSchema().load(dict(described))
    except ValidationError as error:
        raise Invalid(
            "the description of this series cannot be used", problems=dict(error.messages_dict)
        ) from error
    return draft


def series_json(
    series: DatasetSeries, language: str, members: Sequence[Dataset] | None = None
) -> dict[str, Any]:
    """What the API says of a series whose organization is loaded, with its datasets where they are given."""
    said = {
        "id": series.id,
        "slug": series.slug,
        "title": chosen(series.title, language),
        "description": chosen(series.description, language),
        "texts": {"title": series.title, "description": series.description},
        "origins": series.text_origins,
        "frequency": series.frequency,
        "organization": {
            "slug": series.organization.slug,
            "title": chosen(series.organization.title, language),
        },
        "updated_at": moment_json(series.updated_at),
    }
    if members is None:
        return said
    return {
        **said,
        "datasets": [
            {
                "slug": one.slug,
                "title": chosen(one.title, language),
                "position": one.series_position,
                "temporal": {"start": one.temporal_start or None, "end": one.temporal_end or None},
            }
            for one in members
        ],
    }
