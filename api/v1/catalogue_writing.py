"""Series, data services and the standard of data elements: writing them with a key."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from flask import Response, g
from marshmallow import RAISE, Schema, ValidationError, post_load

from api.answers import json_answer
from api.v1.catalogue import element_answer, series_answer, service_answer
from api.v1.description import ANYTHING, N_, record, text
from api.v1.parameters import Parameters, blueprint, said
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


@bp.route("/series/<name>", methods=["PUT"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(SeriesBody(), location="json", unknown=RAISE)
@bp.response(200, {**ANYTHING, "description": N_("A series")}, description=N_("The series"))
@bp.doc(summary=N_("Write a series"), operationId="putSeries", tags=["catalogue"])
def put_series(parameters: Mapping[str, Any], draft: SeriesDraft, name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Create the series or make it what is sent; datasets say themselves which series they belong to."""
    series.put(g.identity, replace(draft, slug=_checked(_NAME, name)))
    return series_answer(series.show(g.identity, name))


@bp.route("/series/<name>/rename", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(NameBody(), location="json", unknown=RAISE)
@bp.response(200, {**ANYTHING, "description": N_("A series")}, description=N_("The series"))
@bp.doc(summary=N_("Rename a series"), operationId="renameSeries", tags=["catalogue"])
def rename_series(parameters: Mapping[str, Any], body: Mapping[str, Any], name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Give it another name in addresses."""
    series.rename(g.identity, name, body["slug"])
    return series_answer(series.show(g.identity, body["slug"]))


@bp.route("/series/<name>/withdraw", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, _GONE, description=N_("It is withdrawn"))
@bp.doc(summary=N_("Withdraw a series"), operationId="withdrawSeries", tags=["catalogue"])
def withdraw_series(parameters: Mapping[str, Any], name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Take it away; its datasets stay."""
    series.withdraw(g.identity, name)
    return json_answer({"id": name})


@bp.route("/services/<name>", methods=["PUT"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(DataServiceBody(), location="json", unknown=RAISE)
@bp.response(200, {**ANYTHING, "description": N_("A service")}, description=N_("The service"))
@bp.doc(summary=N_("Write a data service"), operationId="putService", tags=["catalogue"])
def put_service(parameters: Mapping[str, Any], draft: DataServiceDraft, name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Create the service or make it what is sent."""
    data_services.put(g.identity, replace(draft, slug=_checked(_NAME, name)))
    return service_answer(data_services.show(g.identity, name))


@bp.route("/services/<name>/rename", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(NameBody(), location="json", unknown=RAISE)
@bp.response(200, {**ANYTHING, "description": N_("A service")}, description=N_("The service"))
@bp.doc(summary=N_("Rename a data service"), operationId="renameService", tags=["catalogue"])
def rename_service(parameters: Mapping[str, Any], body: Mapping[str, Any], name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Give it another name in addresses."""
    data_services.rename(g.identity, name, body["slug"])
    return service_answer(data_services.show(g.identity, body["slug"]))


@bp.route("/services/<name>/withdraw", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(ReasonBody(), location="json", unknown=RAISE)
@bp.response(200, _GONE, description=N_("It is withdrawn"))
@bp.doc(summary=N_("Withdraw a data service"), operationId="withdrawService", tags=["catalogue"])
def withdraw_service(parameters: Mapping[str, Any], body: Mapping[str, Any], name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Its address answers 410 with the reason."""
    data_services.withdraw(g.identity, name, body["reason"])
    return json_answer({"id": name})


@bp.route("/standards/elements/<code>", methods=["PUT"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(ElementBody(), location="json", unknown=RAISE)
@bp.response(
    200, {**ANYTHING, "description": N_("A data element")}, description=N_("The data element")
)
@bp.doc(summary=N_("Write a data element"), operationId="putElement", tags=["catalogue"])
def put_element(parameters: Mapping[str, Any], draft: ElementDraft, code: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Define the element or change it; columns that are bound to it are measured anew."""
    named = replace(draft, code=_checked(ElementSchema().fields["code"], code))
    data_elements.put(g.identity, named)
    return element_answer(data_elements.show(g.identity, code))


@bp.route("/standards/elements/<code>/retire", methods=["POST"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(
    200, {**ANYTHING, "description": N_("A data element")}, description=N_("The data element")
)
@bp.doc(summary=N_("Retire a data element"), operationId="retireElement", tags=["catalogue"])
def retire_element(parameters: Mapping[str, Any], code: str) -> Response:  # noqa: ARG001 # the language was taken already
    """No other column can be bound to it; those that are keep it."""
    data_elements.retire(g.identity, code)
    return element_answer(data_elements.show(g.identity, code))


@bp.route("/standards/codes/<code>", methods=["PUT"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.arguments(CodeListBody(), location="json", unknown=RAISE)
@bp.response(
    200, {**ANYTHING, "description": N_("A list of codes")}, description=N_("The list of codes")
)
@bp.doc(summary=N_("Write a list of codes"), operationId="putCodes", tags=["catalogue"])
def put_codes(parameters: Mapping[str, Any], draft: CodeListDraft, code: str) -> Response:  # noqa: ARG001 # the language was taken already
    """Define the list or change it; columns whose element uses it are measured anew."""
    named = replace(draft, code=_checked(CodeListSchema().fields["code"], code))
    return json_answer(code_list_json(data_elements.put_codes(g.identity, named)))


@bp.route("/standards/codes/<code>", methods=["DELETE"])
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, _GONE, description=N_("It is deleted"))
@bp.doc(summary=N_("Delete a list of codes"), operationId="deleteCodes", tags=["catalogue"])
def delete_codes(parameters: Mapping[str, Any], code: str) -> Response:  # noqa: ARG001 # the language was taken already
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
