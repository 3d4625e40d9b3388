"""Data services: what is said of an interface → draft; row → JSON of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validate

from catalog.errors import Invalid
from catalog.models.license import LICENSES
from catalog.models.service import DataService
from catalog.models.vocabulary import Access
from catalog.schemas.dataset import moment_json
from catalog.schemas.details import ContactSchema
from catalog.schemas.texts import Line, Slug, Texts, WebAddress, chosen

MOST = 200


@dataclass(frozen=True)
class DataServiceDraft:
    """An interface as a form, the API or a file describes it."""

    slug: str
    organization: str
    title: Mapping[str, str]
    endpoint_url: str
    description: Mapping[str, str] = field(default_factory=dict)
    tags: tuple[str, ...] = ()
    endpoint_description: str = ""
    documentation: str = ""
    protocol: str = "REST"
    parameters: tuple[Mapping[str, Any], ...] = ()
    limits: Mapping[str, str] = field(default_factory=dict)
    conforms_to: tuple[str, ...] = ()
    license: str = "notspecified"
    access: Access = Access.OPEN
    access_reason: Mapping[str, str] = field(default_factory=dict)
    contact: Mapping[str, str] = field(default_factory=dict)
    check_url: str = ""
    datasets: tuple[str, ...] = ()
    """Slugs of the datasets that it serves."""
    machine: Mapping[str, Sequence[str]] = field(default_factory=dict)
    """Field → languages whose text a machine has written."""


class ParameterSchema(Schema):
    """A parameter of the interface."""

    name = Line(200, shortest=1, required=True)
    type = Line(60)
    required = fields.Boolean()
    description = Texts(2000)
    example = Line(500)


class DataServiceSchema(Schema):
    """A data service; unknown keys are errors."""

    slug = Slug(required=True)
    organization = Slug(required=True)
    title = Texts(500, required=True)
    endpoint_url = WebAddress(2000, shortest=1, required=True)
    description = Texts(100_000)
    tags = fields.List(Line(100, shortest=1), validate=validate.Length(max=MOST))
    endpoint_description = WebAddress(2000)
    documentation = WebAddress(2000)
    protocol = Line(40)
    parameters = fields.List(fields.Nested(ParameterSchema), validate=validate.Length(max=MOST))
    limits = Texts(5000)
    conforms_to = fields.List(WebAddress(2000), validate=validate.Length(max=MOST))
    license = fields.String(validate=validate.OneOf(LICENSES))
    access = fields.Enum(Access, by_value=True)
    access_reason = Texts(2000)
    contact = fields.Nested(ContactSchema)
    check_url = WebAddress(2000)
    datasets = fields.List(Slug(120, required=True), validate=validate.Length(max=2000))
    machine = fields.Dict(keys=Line(20), values=fields.List(Line(35)))

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> DataServiceDraft:
        """The draft."""
        for name in ("tags", "conforms_to", "datasets"):
            data[name] = tuple(dict.fromkeys(data.get(name, ())))
        data["parameters"] = tuple(data.get("parameters", ()))
        return DataServiceDraft(**data)


def data_service_draft(described: Mapping[str, Any]) -> DataServiceDraft:
    """The draft of a data service; raises Invalid with its problems by field."""
    try:
        draft: DataServiceDraft = DataServiceSchema().load(dict(described))
    except ValidationError as error:
        raise Invalid(
            "the description of this service cannot be used", problems=dict(error.messages_dict)
        ) from error
    return draft


def data_service_json(service: DataService, language: str) -> dict[str, Any]:
    """What the API says of a service whose organization is loaded."""
    return {
        "id": service.id,
        "slug": service.slug,
        "title": chosen(service.title, language),
        "description": chosen(service.description, language),
        "texts": {
            "title": service.title,
            "description": service.description,
            "limits": service.limits,
            "access_reason": service.access_reason,
        },
        "origins": service.text_origins,
        "organization": {
            "slug": service.organization.slug,
            "title": chosen(service.organization.title, language),
        },
        "tags": service.tags,
        "endpoint_url": service.endpoint_url,
        "endpoint_description": service.endpoint_description or None,
        "documentation": service.documentation or None,
        "protocol": service.protocol,
        "parameters": service.parameters,
        "limits": chosen(service.limits, language),
        "conforms_to": service.conforms_to,
        "license": service.license_id,
        "access": service.access,
        "access_reason": chosen(service.access_reason, language),
        "contact": service.contact or None,
        "checked_at": moment_json(service.checked_at),
        "updated_at": moment_json(service.updated_at),
    }
