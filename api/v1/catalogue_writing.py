"""Series, data services and the standard of data elements: writing them with a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from flask import Response, g
from marshmallow import Schema, ValidationError, post_load

from api.answers import json_answer
from api.v1.catalogue import element_answer, series_answer, service_answer
from api.v1.description import ANYTHING, N_, record, text
from api.v1.operations import operation
from api.v1.parameters import blueprint, said
from api.v1.publishing_bodies import ReasonBody
from catalog.errors import Invalid
from catalog.schemas.data_service import DataServiceDraft, DataServiceSchema
from catalog.schemas.element import (
    CodeListDraft,
    CodeListSchema,
    ElementDraft,
    ElementSchema,
    code_list_json,
)
from catalog.schemas.series import SeriesDraft, SeriesSchema
from catalog.schemas.texts import Slug
from catalog.services import data_elements, data_services, series

bp = blueprint("catalogue", "catalogue_writing")
_does = partial(operation, bp, tag="catalogue")
_SERIES = ({**ANYTHING, "description": N_("A series")}, N_("The series"))
_SERVICE = ({**ANYTHING, "description": N_("A service")}, N_("The service"))
_ELEMENT = ({**ANYTHING, "description": N_("A data element")}, N_("The data element"))
_NAME = Slug(required=True)
_GONE = record("", id=text())


class SeriesBody(SeriesSchema):
    """A series; its name stands in the address."""

    class Meta:
        exclude = ("slug",)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> SeriesDraft:
        """The draft, whose name the address says."""
        draft: SeriesDraft = super().to_draft({"slug": "", **data})
        return draft


class DataServiceBody(DataServiceSchema):
    """A data service; its name stands in the address."""

    class Meta:
        exclude = ("slug",)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> DataServiceDraft:
        """The draft, whose name the address says."""
        draft: DataServiceDraft = super().to_draft({"slug": "", **data})
        return draft


class ElementBody(ElementSchema):
    """A data element; its code stands in the address."""

    class Meta:
        exclude = ("code",)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> ElementDraft:
        """The draft, whose code the address says."""
        draft: ElementDraft = super().to_draft({"code": "", **data})
        return draft


class CodeListBody(CodeListSchema):
    """A list of codes; its own code stands in the address."""

    class Meta:
        exclude = ("code",)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> CodeListDraft:
        """The draft, whose code the address says."""
        draft: CodeListDraft = super().to_draft({"code": "", **data})
        return draft


class NameBody(Schema):
    """Another address."""

    slug = Slug(
        required=True, metadata=said(N_("The new name in addresses; the one of before leads there"))
    )


@_does(
    "/series/<name>", _SERIES, N_("Write a series"), "putSeries", body=SeriesBody(), method="PUT"
)
def put_series(draft: SeriesDraft, name: str) -> Response:
    """Create the series or make it what is sent; datasets say themselves which series they belong to."""
    series.put(g.identity, replace(draft, slug=_checked(_NAME, name)))
    return series_answer(series.show(g.identity, name))


@_does("/series/<name>/rename", _SERIES, N_("Rename a series"), "renameSeries", body=NameBody())
def rename_series(body: Mapping[str, Any], name: str) -> Response:
    """Give it another name in addresses."""
    series.rename(g.identity, name, body["slug"])
    return series_answer(series.show(g.identity, body["slug"]))


@_does(
    "/series/<name>/withdraw",
    (_GONE, N_("It is withdrawn")),
    N_("Withdraw a series"),
    "withdrawSeries",
)
def withdraw_series(name: str) -> Response:
    """Take it away; its datasets stay."""
    series.withdraw(g.identity, name)
    return json_answer({"id": name})


@_does(
    "/services/<name>",
    _SERVICE,
    N_("Write a data service"),
    "putService",
    body=DataServiceBody(),
    method="PUT",
)
def put_service(draft: DataServiceDraft, name: str) -> Response:
    """Create the service or make it what is sent."""
    data_services.put(g.identity, replace(draft, slug=_checked(_NAME, name)))
    return service_answer(data_services.show(g.identity, name))


@_does(
    "/services/<name>/rename",
    _SERVICE,
    N_("Rename a data service"),
    "renameService",
    body=NameBody(),
)
def rename_service(body: Mapping[str, Any], name: str) -> Response:
    """Give it another name in addresses."""
    data_services.rename(g.identity, name, body["slug"])
    return service_answer(data_services.show(g.identity, body["slug"]))


@_does(
    "/services/<name>/withdraw",
    (_GONE, N_("It is withdrawn")),
    N_("Withdraw a data service"),
    "withdrawService",
    body=ReasonBody(),
)
def withdraw_service(body: Mapping[str, Any], name: str) -> Response:
    """Its address answers 410 with the reason."""
    data_services.withdraw(g.identity, name, body["reason"])
    return json_answer({"id": name})


@_does(
    "/standards/elements/<code>",
    _ELEMENT,
    N_("Write a data element"),
    "putElement",
    body=ElementBody(),
    method="PUT",
)
def put_element(draft: ElementDraft, code: str) -> Response:
    """Define the element or change it; columns that are bound to it are measured anew."""
    named = replace(draft, code=_checked(ElementSchema().fields["code"], code))
    data_elements.put(g.identity, named)
    return element_answer(data_elements.show(g.identity, code))


@_does("/standards/elements/<code>/retire", _ELEMENT, N_("Retire a data element"), "retireElement")
def retire_element(code: str) -> Response:
    """No other column can be bound to it; those that are keep it."""
    data_elements.retire(g.identity, code)
    return element_answer(data_elements.show(g.identity, code))


@_does(
    "/standards/codes/<code>",
    ({**ANYTHING, "description": N_("A list of codes")}, N_("The list of codes")),
    N_("Write a list of codes"),
    "putCodes",
    body=CodeListBody(),
    method="PUT",
)
def put_codes(draft: CodeListDraft, code: str) -> Response:
    """Define the list or change it; columns whose element uses it are measured anew."""
    named = replace(draft, code=_checked(CodeListSchema().fields["code"], code))
    return json_answer(code_list_json(data_elements.put_codes(g.identity, named)))


@_does(
    "/standards/codes/<code>",
    (_GONE, N_("It is deleted")),
    N_("Delete a list of codes"),
    "deleteCodes",
    method="DELETE",
)
def delete_codes(code: str) -> Response:
    """A list that an element uses stays (409)."""
    data_elements.drop_codes(g.identity, code)
    return json_answer({"id": code})


def _checked(field: Any, name: str) -> str:
    """A name or code of an address as the field takes it; raises Invalid."""
    try:
        checked: str = field.deserialize(name)
    except ValidationError as error:
        raise Invalid(
            "this address cannot be used", problems={"address": error.messages}
        ) from error
    return checked
