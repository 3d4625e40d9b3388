"""Organizations and themes: what may be said of them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from marshmallow import Schema, ValidationError, fields, validate

from catalog.errors import N_, Invalid
from catalog.models.organization import Organization
from catalog.schemas.texts import Line, Slug, Texts, WebAddress, chosen

KINDS = ("department", "external")


class OrganizationSchema(Schema):
    """A department, or a body outside of the city."""

    slug = Slug(required=True)
    title = Texts(300, required=True)
    description = Texts(20_000)
    kind = fields.String(validate=validate.OneOf(KINDS))
    homepage = WebAddress(2000)


class GroupSchema(Schema):
    """A theme that people browse by."""

    slug = Slug(required=True)
    title = Texts(300, required=True)
    description = Texts(20_000)
    icon = Line(40)
    position = fields.Integer(strict=True, validate=validate.Range(0, 100_000))


def organization_fields(described: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned fields of an organization; raises Invalid with its problems."""
    return _load(
        OrganizationSchema(), described, N_("the description of this organization cannot be used")
    )


def group_fields(described: Mapping[str, Any]) -> dict[str, Any]:
    """The cleaned fields of a theme; raises Invalid with its problems."""
    return _load(GroupSchema(), described, N_("the description of this theme cannot be used"))


def organization_json(organization: Organization, language: str) -> dict[str, Any]:
    """What the API says of an organization."""
    return {
        "slug": organization.slug,
        "title": chosen(organization.title, language),
        "description": chosen(organization.description, language),
        "texts": {"title": organization.title, "description": organization.description},
        "kind": organization.kind,
        "homepage": organization.homepage or None,
    }


def _load(schema: Schema, described: Mapping[str, Any], message: str) -> dict[str, Any]:
    try:
        cleaned: dict[str, Any] = schema.load(dict(described))
    except ValidationError as error:
        raise Invalid(message, problems=dict(error.messages_dict)) from error
    return cleaned
