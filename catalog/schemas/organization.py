"""Organizations and themes: what may be said of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from marshmallow import Schema, ValidationError, fields, validate

from catalog.errors import N_, Invalid
from catalog.models.organization import Organization
from catalog.schemas.custom_fields import CustomFields
from catalog.schemas.details import ContactSchema
from catalog.schemas.texts import JSONObject, Line, Slug, Texts, WebAddress, chosen

KINDS = ("city", "department", "office", "external")
"""A body of the city as a whole, its departments, their offices, and bodies outside of it."""


class OrganizationSchema(Schema):
    """A department, a body above or below it, or one outside of the city."""

    slug = Slug(required=True)
    title = Texts(300, required=True)
    description = Texts(20_000)
    kind = fields.String(validate=validate.OneOf(KINDS))
    homepage = WebAddress(2000)
    parent = Slug()
    image_url = WebAddress(2000)
    contact = fields.Nested(ContactSchema)
    review = fields.Boolean()
    fields_ = CustomFields(data_key="fields")
    extras = JSONObject(200_000)


class GroupSchema(Schema):
    """A theme that people browse by."""

    slug = Slug(required=True)
    title = Texts(300, required=True)
    description = Texts(20_000)
    icon = Line(40)
    position = fields.Integer(strict=True, validate=validate.Range(0, 100_000))


def organization_fields(described: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned fields of an organization; raises Invalid with its problems."""
    cleaned = _load(
        OrganizationSchema(), described, N_("the description of this organization cannot be used")
    )
    if "fields_" in cleaned:
        cleaned["fields"] = cleaned.pop("fields_")
    return cleaned


def group_fields(described: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned fields of a theme; raises Invalid with its problems."""
    return _load(GroupSchema(), described, N_("the description of this theme cannot be used"))


class ListedOrganization(NamedTuple):
    """What lists say of an organization: a page of hundreds needs no rows that SQLAlchemy looks after."""

    id: str
    slug: str
    title: dict[str, str]
    description: dict[str, str]
    kind: str
    homepage: str
    parent_id: str | None
    image_url: str
    contact: dict[str, Any]
    fields: list[Any]


def organization_json(
    organization: Organization | ListedOrganization,
    language: str,
    *,
    above: Sequence[Organization] = (),
) -> dict[str, Any]:
    """What the API says of an organization; `above` are those that it belongs to, the nearest last."""
    return {
        "slug": organization.slug,
        "title": chosen(organization.title, language),
        "description": chosen(organization.description, language),
        "texts": {"title": organization.title, "description": organization.description},
        "kind": organization.kind,
        "homepage": organization.homepage or None,
        "image_url": organization.image_url or None,
        "contact": organization.contact or None,
        "fields": organization.fields,
        "parents": [
            {"slug": one.slug, "title": chosen(one.title, language), "texts": {"title": one.title}}
            for one in above
        ],
    }


def _load(schema: Schema, described: Mapping[str, Any], message: str) -> dict[str, Any]:
    try:
        cleaned: dict[str, Any] = schema.load(dict(described))
    except ValidationError as error:
        raise Invalid(message, problems=dict(error.messages_dict)) from error
    return cleaned
