"""Datasets: JSON or a harvester's description → frozen draft; row → JSON of the API."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from datetime import UTC, date, datetime, tzinfo
from typing import Any, ClassVar

from marshmallow import Schema, ValidationError, fields, post_load, validate, validates_schema

from catalog.errors import N_, Invalid
from catalog.models.dataset import Dataset, Resource
from catalog.models.license import LICENSES
from catalog.models.table import DataTable, TableColumn
from catalog.models.text import pick
from catalog.models.vocabulary import Access, ColumnAccess, Frequency
from catalog.schemas.details import DetailsSchema, HarvestedDetailsSchema
from catalog.schemas.drafts import DatasetDraft, ResourceDraft
from catalog.schemas.texts import Contact, JSONObject, Line, Slug, Texts, WebAddress
from catalog.search.documents import last_change

MOST_RESOURCES = 2000
MOST_TAGS = 200
GEOMETRIES = frozenset(
    (
        "Point", "MultiPoint", "LineString", "MultiLineString", "Polygon", "MultiPolygon", "GeometryCollection",
    )
)  # fmt: skip
PERIOD = re.compile(r"\d{4}(-\d{2}(-\d{2})?)?")


class Period(fields.String):
    """A year, a month or a day: `2024`, `2024-05` or `2024-05-31`; may be empty."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text: str = super()._deserialize(value, attr, data, **options).strip()
        if not text:
            return ""
        try:
            if not PERIOD.fullmatch(text):
                raise ValueError(text)
            date.fromisoformat((text + "-01-01")[:10])
        except ValueError as error:
            raise ValidationError("Must be a date such as 2024, 2024-05 or 2024-05-31.") from error
        return text


class Instant(fields.Field[datetime]):
    """A moment as ISO 8601 text or a datetime; without a time zone it is UTC."""

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 # the signature is marshmallow's
        data: Any,  # noqa: ARG002 # the signature is marshmallow's
        **options: Any,  # noqa: ARG002 # the signature is marshmallow's
    ) -> datetime:
        try:
            moment = value if isinstance(value, datetime) else datetime.fromisoformat(value)
            if moment.tzinfo is None:
                return moment.replace(tzinfo=UTC)
            return moment.astimezone(UTC)
        except (TypeError, ValueError, OverflowError) as error:
            raise ValidationError(
                "Must be a date such as 2024-05-31, or a moment such as 2024-05-31T08:00:00Z."
            ) from error


class Box(fields.Field[tuple[float, ...]]):
    """West, south, east and north in degrees of WGS-84, or nothing; a box over the antimeridian has its west east."""

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 # the signature is marshmallow's
        data: Any,  # noqa: ARG002 # the signature is marshmallow's
        **options: Any,  # noqa: ARG002 # the signature is marshmallow's
    ) -> tuple[float, ...]:
        if not value:
            return ()
        try:
            west, south, east, north = (float(number) for number in value)
        except (TypeError, ValueError) as error:
            raise ValidationError("Must be four numbers: west, south, east, north.") from error
        if not (max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90):
            raise ValidationError("Must be west, south, east, north in degrees of WGS-84.")
        return west, south, east, north


class Geometry(JSONObject):
    """A GeoJSON geometry in degrees of WGS-84, or nothing."""

    def _deserialize(
        self, value: Any, attr: str | None, data: Any, **options: Any
    ) -> dict[str, Any]:
        geometry = super()._deserialize(value, attr, data, **options)
        parts = "geometries" if geometry.get("type") == "GeometryCollection" else "coordinates"
        known = geometry.get("type") in GEOMETRIES and isinstance(geometry.get(parts), list)
        if geometry and not known:
            raise ValidationError("Must be a GeoJSON geometry such as a Point or a Polygon.")
        return geometry


class ResourceSchema(Schema):
    """A file or interface of a dataset."""

    class Meta:
        """`load` is a name of Schema, so that it cannot be declared as an attribute."""

        include: ClassVar = {"load": JSONObject(500_000)}

    key = Line(500, shortest=1, required=True)
    title = Texts(1000)
    description = Texts(20_000)
    format = Line(40)
    media_type = Line(100)
    url = WebAddress(8000)
    size = fields.Integer(strict=True, allow_none=True, validate=validate.Range(0, 2**53))
    id = fields.String(
        validate=validate.Regexp(
            r"([0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12})?$", error=N_("Must be a UUID.")
        )
    )
    extras = JSONObject(50_000, allow_none=True)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> ResourceDraft:
        """The draft, with the format in capitals."""
        data["format"] = data.get("format", "").upper()
        return ResourceDraft(**data)


class DatasetSchema(Schema):
    """A dataset with its resources; unknown keys are errors."""

    title = Texts(500, required=True)
    organization = Slug(required=True)
    slug = Slug(reserved=False)
    description = Texts(100_000)
    notice = Texts(5000)
    license = fields.String(
        validate=validate.OneOf(
            LICENSES, error=N_("Unknown licence; use `other` and license_text.")
        )
    )
    license_text = Line(1000)
    frequency = fields.Enum(Frequency, by_value=True)
    access = fields.Enum(Access, by_value=True)
    access_reason = Texts(2000)
    tags = fields.List(Line(100), validate=validate.Length(max=MOST_TAGS))
    themes = fields.List(Slug(required=True), validate=validate.Length(max=50))
    landing_page = WebAddress(2000)
    contact: fields.Field[str] = Contact(500)
    spatial = Line(500)
    temporal_start = Period()
    temporal_end = Period()
    issued = Instant(allow_none=True)
    modified = Instant(allow_none=True)
    extras = JSONObject(200_000)
    identifier = Line(200)
    spatial_code = fields.String(
        validate=validate.Regexp(
            r"(\d{2}|\d{4}|\d{6}|\d{9}|\d{12})?$",
            error=N_("Use a division code of 2, 4, 6, 9 or 12 digits."),
        )
    )
    spatial_box = Box()
    spatial_geometry: fields.Field[dict[str, Any]] = Geometry(500_000)
    vocabulary_tags = fields.Dict(
        keys=Line(100, shortest=1),
        values=fields.List(Line(100, shortest=1)),
        validate=validate.Length(max=100),
    )
    details = fields.Nested(DetailsSchema)
    custom = JSONObject(100_000)
    series = Slug()
    series_position = fields.Integer(strict=True, validate=validate.Range(0, 1_000_000))
    private = fields.Boolean()
    machine = fields.Dict(
        keys=fields.String(
            validate=validate.OneOf(("title", "description", "notice", "access_reason"))
        ),
        values=fields.List(Line(35)),
    )
    confirmed = fields.Dict(
        keys=fields.String(
            validate=validate.OneOf(("title", "description", "notice", "access_reason"))
        ),
        values=fields.List(Line(35)),
    )
    resources = fields.List(
        fields.Nested(ResourceSchema), validate=validate.Length(max=MOST_RESOURCES)
    )

    @validates_schema
    def check_keys(self, data: dict[str, Any], **_: Any) -> None:
        """Two resources of a dataset must not have the same key."""
        keys = Counter(resource.key for resource in data.get("resources", ()))
        twice = [key for key, count in keys.items() if count > 1]
        if twice:
            raise ValidationError(f"Two resources have the key {twice[0]!r}.", "resources")

    @validates_schema
    def check_period(self, data: dict[str, Any], **_: Any) -> None:
        """A period must not end before it starts."""
        start, end = data.get("temporal_start", ""), data.get("temporal_end", "")
        shared = min(len(start), len(end))
        if shared and end[:shared] < start[:shared]:
            raise ValidationError("The period ends before it starts.", "temporal_end")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> DatasetDraft:
        """The draft; tags and themes lose their repetitions and keep their order."""
        for name in ("tags", "themes"):
            data[name] = tuple(dict.fromkeys(text for text in data.get(name, ()) if text))
        data["resources"] = tuple(data.get("resources", ()))
        for name in ("vocabulary_tags", "machine", "confirmed"):
            data[name] = {
                key: tuple(dict.fromkeys(some)) for key, some in data.get(name, {}).items() if some
            }
        return DatasetDraft(**data)


class HarvestedSchema(DatasetSchema):
    """A dataset as its source describes it: whatever name, contact, languages and outline that has."""

    slug = Slug()
    details = fields.Nested(HarvestedDetailsSchema)
    contact = Line(500)
    spatial_geometry = JSONObject(500_000)


_SCHEMA, _HARVESTED = DatasetSchema(), HarvestedSchema()


def dataset_draft(
    described: Mapping[str, Any], *, zone: tzinfo = UTC, harvested: bool = False
) -> DatasetDraft:
    """The draft of what a form, the API or a harvester describes; raises Invalid with its problems.

    A moment with a time of day but no time zone is one of `zone`, the clock of whoever wrote it.
    """
    moments = {
        name: _in_zone(described[name], zone)
        for name in ("issued", "modified")
        if name in described
    }
    try:
        schema = _HARVESTED if harvested else _SCHEMA
        draft: DatasetDraft = schema.load({**described, **moments})
    except ValidationError as error:
        raise Invalid(
            "the description of this dataset cannot be used", problems=dict(error.messages_dict)
        ) from error
    return draft


def _in_zone(value: Any, zone: tzinfo) -> Any:
    """The moment with its zone, if it lacks one; a day, and what is no moment, stay as they are."""
    try:
        moment = datetime.fromisoformat(value) if isinstance(value, str) else value
    except ValueError:
        return value
    if not isinstance(moment, datetime) or moment.tzinfo or len(str(value)) <= len("2024-05-31"):
        return value
    return moment.replace(tzinfo=zone)


def dataset_json(
    dataset: Dataset, language: str, *, readable: bool, kept: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What the API says of a dataset from datasets.show; `kept` is its freshness.

    `readable` says whether the reader may have the data: without it no address that leads there is told.

    Texts stand twice: chosen for `language` at the top, and in all languages under `texts`.
    """
    organization = dataset.organization
    return {
        "id": dataset.id,
        "slug": dataset.slug,
        **_chosen(language, title=dataset.title, description=dataset.description),
        **_chosen(language, notice=dataset.notice, access_reason=dataset.access_reason),
        "texts": {
            "title": dataset.title,
            "description": dataset.description,
            "notice": dataset.notice,
            "access_reason": dataset.access_reason,
        },
        "origins": dataset.text_origins,
        "organization": {
            "slug": organization.slug,
            **_chosen(language, title=organization.title),
            "texts": {"title": organization.title},
        },
        "themes": [
            {"slug": t.slug, **_chosen(language, title=t.title), "texts": {"title": t.title}}
            for t in dataset.themes
        ],
        "tags": dataset.tags,
        "license": _license_json(dataset, language),
        "access": dataset.access,
        "frequency": dataset.frequency,
        "freshness": dict(kept) if kept else None,
        "landing_page": dataset.landing_page or None,
        "contact": dataset.contact or None,
        "spatial": dataset.spatial or None,
        "temporal": {"start": dataset.temporal_start or None, "end": dataset.temporal_end or None},
        "state": dataset.state,
        "issued": moment_json(dataset.issued),
        "modified": moment_json(last_change(dataset)),
        "created_at": moment_json(dataset.created_at),
        "updated_at": moment_json(dataset.updated_at),
        "uses": dataset.uses,
        "extras": dataset.extras,
        "identifier": dataset.identifier or None,
        "spatial_code": dataset.spatial_code or None,
        "spatial_box": dataset.spatial_box or None,
        "spatial_geometry": dataset.spatial_geometry or None,
        "vocabulary_tags": dataset.vocabulary_tags,
        "details": dataset.details,
        "custom": dataset.custom,
        "resources": [resource_json(one, language, readable=readable) for one in dataset.resources],
    }


def resource_json(resource: Resource, language: str, *, readable: bool) -> dict[str, Any]:
    """What the API says of a resource and its tables; how it is loaded stays inside."""
    return {
        "id": resource.id,
        "key": resource.key,
        **_chosen(language, title=resource.title, description=resource.description),
        "texts": {"title": resource.title, "description": resource.description},
        "format": resource.format,
        "media_type": resource.media_type or None,
        "url": (resource.url or None) if readable else None,
        "size": resource.size,
        "problem": (resource.problem or None) if readable else None,
        "tables": [table_json(table, language) for table in resource.tables],
    }


def table_json(table: DataTable, language: str, *, hidden: bool = False) -> dict[str, Any]:
    """What the API says of a table of a dataset, with its columns but without their profiles.

    Hidden columns are left out, unless the table was narrowed already to what the reader may see (`hidden`).
    """
    columns = [c for c in table.columns if hidden or c.access != ColumnAccess.HIDDEN]
    return {
        "id": table.id,
        "key": table.key,
        **_chosen(language, title=table.title),
        "texts": {"title": table.title},
        "state": table.state,
        "problem": table.problem or None,
        "rows": table.rows,
        "bytes": table.bytes,
        "release": table.release,
        "kept_cells": table.kept_cells,
        "loaded_at": moment_json(table.loaded_at),
        "columns": [_column_json(column, language) for column in columns],
    }


def moment_json(moment: datetime | None) -> str | None:
    """ISO 8601 in UTC, to the second."""
    return moment.astimezone(UTC).isoformat(timespec="seconds") if moment else None


def _column_json(column: TableColumn, language: str) -> dict[str, Any]:
    return {
        "name": column.name,
        "type": column.type,
        **_chosen(language, label=column.label, description=column.description),
        "texts": {"label": column.label, "description": column.description},
        "origins": column.label_origins,
        "unit": column.unit or None,
        "semantic": column.semantic or None,
        "crs": (column.info or {}).get("crs") or None,
    }


def _license_json(dataset: Dataset, language: str) -> dict[str, Any]:
    known = LICENSES.get(dataset.license_id, LICENSES["other"])
    return {
        "id": dataset.license_id,
        "title": known.title_zh if language == "zh" else known.title_en,
        "url": known.url or None,
        "is_open": known.is_open,
        "text": dataset.license_text or None,
    }


def _chosen(language: str, **texts: Mapping[str, str]) -> dict[str, str | None]:
    return {name: pick(by_tag, language)[0] or None for name, by_tag in texts.items()}
