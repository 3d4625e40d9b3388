"""Series, data services and the standard of data elements: reading them; catalogue_writing.py writes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from flask import Response, g
from marshmallow import RAISE, fields, validate

from api.answers import address, json_answer, this_call
from api.v1.description import ANYTHING, N_, many, maybe, number, record, text
from api.v1.parameters import Parameters, blueprint, said
from catalog.schemas.data_service import data_service_json
from catalog.schemas.dataset import moment_json
from catalog.schemas.element import code_list_json, element_json
from catalog.schemas.series import series_json
from catalog.schemas.texts import chosen
from catalog.search.facets import MOST_TEXT
from catalog.services import data_elements, data_services, series, uptime

if TYPE_CHECKING:
    from catalog.models.element import DataElement
    from catalog.models.series import DatasetSeries
    from catalog.models.service import DataService

bp = blueprint("catalogue")
DEEPEST = 100_000


class ListParameters(Parameters):
    """A page of a list."""

    limit = fields.Integer(
        load_default=50, validate=validate.Range(0, 500), metadata=said(N_("At most 500"))
    )
    offset = fields.Integer(
        load_default=0,
        validate=validate.Range(0, DEEPEST),
        metadata=said(N_("How many to pass over")),
    )


class ElementParameters(ListParameters):
    """A page of the data elements."""

    q = fields.String(
        load_default="",
        validate=validate.Length(max=MOST_TEXT),
        metadata=said(N_("Words that stand in its code, name or source")),
    )


def _listed(words: str) -> dict[str, Any]:
    return record(
        words,
        total=number(),
        results=many(ANYTHING),
        next=maybe(text(N_("Address of the next page"))),
    )


def _page(asked: Mapping[str, Any], total: int, results: list[dict[str, Any]]) -> Response:
    end = asked["offset"] + len(results)
    more = this_call(offset=str(end)) if results and end < total else None
    return json_answer({"total": total, "results": results, "next": more})


@bp.route("/series")
@bp.arguments(ListParameters(), location="query", unknown=RAISE)
@bp.response(200, _listed(N_("One page of series")), description=N_("One page of series"))
@bp.doc(summary=N_("List series"), operationId="listSeries", tags=["catalogue"])
def list_series(asked: Mapping[str, Any]) -> Response:
    """Series with the number of their datasets."""
    found, total = series.listed(g.identity, limit=asked["limit"], offset=asked["offset"])
    results = [
        {
            **series_json(one, g.lang),
            "datasets": count,
            "url": address(f"/api/v1/series/{one.slug}"),
        }
        for one, count in found
    ]
    return _page(asked, total, results)


@bp.route("/series/<name>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, {**ANYTHING, "description": N_("A series")}, description=N_("The series"))
@bp.doc(summary=N_("Show a series"), operationId="showSeries", tags=["catalogue"])
def show_series(parameters: Mapping[str, Any], name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """A series with its first 500 datasets in order."""
    return series_answer(series.show(g.identity, name))


def series_answer(one: DatasetSeries) -> Response:
    """A series with its first 500 datasets in order."""
    members, total = series.members(g.identity, one)
    return json_answer({**series_json(one, g.lang, members), "total": total})


@bp.route("/services")
@bp.arguments(ListParameters(), location="query", unknown=RAISE)
@bp.response(200, _listed(N_("One page of services")), description=N_("One page of services"))
@bp.doc(summary=N_("List data services"), operationId="listServices", tags=["catalogue"])
def list_services(asked: Mapping[str, Any]) -> Response:
    """Data services."""
    found, total = data_services.listed(g.identity, limit=asked["limit"], offset=asked["offset"])
    results = [
        {**data_service_json(one, g.lang), "url": address(f"/api/v1/services/{one.slug}")}
        for one in found
    ]
    return _page(asked, total, results)


@bp.route("/services/<name>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, {**ANYTHING, "description": N_("A service")}, description=N_("The service"))
@bp.doc(summary=N_("Show a data service"), operationId="showService", tags=["catalogue"])
def show_service(parameters: Mapping[str, Any], name: str) -> Response:  # noqa: ARG001 # the language was taken already
    """A data service with the datasets that it serves and whether it answers."""
    return service_answer(data_services.show(g.identity, name))


def service_answer(service: DataService) -> Response:
    """A data service with the datasets that it serves and whether it answers."""
    seen = uptime.of(g.identity, service.id)
    return json_answer(
        {
            **data_service_json(service, g.lang),
            "datasets": [
                {"slug": one.slug, "title": chosen(one.title, g.lang)}
                for one in service.datasets
                if one.state == "published" and not one.private
            ],
            "uptime": {
                "shares": dict(seen.shares),
                "median_ms": seen.median,
                "days": [asdict(day) for day in seen.days if day.checks],
                "last": moment_json(seen.last.at) if seen.last else None,
            },
        }
    )


@bp.route("/standards/elements")
@bp.arguments(ElementParameters(), location="query", unknown=RAISE)
@bp.response(
    200, _listed(N_("One page of data elements")), description=N_("One page of data elements")
)
@bp.doc(summary=N_("List data elements"), operationId="listElements", tags=["catalogue"])
def list_elements(asked: Mapping[str, Any]) -> Response:
    """Data elements of the standard."""
    found, total = data_elements.listed(
        g.identity, words=asked["q"], limit=asked["limit"], offset=asked["offset"]
    )
    return _page(asked, total, [element_json(one, g.lang) for one in found])


@bp.route("/standards/elements/<code>")
@bp.arguments(ListParameters(), location="query", unknown=RAISE)
@bp.response(
    200, {**ANYTHING, "description": N_("A data element")}, description=N_("The data element")
)
@bp.doc(summary=N_("Show a data element"), operationId="showElement", tags=["catalogue"])
def show_element(asked: Mapping[str, Any], code: str) -> Response:
    """A data element with its codes and a page of the columns that are bound to it."""
    element = data_elements.show(g.identity, code)
    return element_answer(element, limit=asked["limit"], offset=asked["offset"])


@bp.route("/standards/codes")
@bp.arguments(ListParameters(), location="query", unknown=RAISE)
@bp.response(
    200, _listed(N_("One page of lists of codes")), description=N_("One page of lists of codes")
)
@bp.doc(summary=N_("List the lists of codes"), operationId="listCodes", tags=["catalogue"])
def list_codes(asked: Mapping[str, Any]) -> Response:
    """Lists of codes without their entries."""
    found = data_elements.code_lists(g.identity, limit=asked["limit"], offset=asked["offset"])
    results = [
        {
            "code": one.code,
            "title": one.title,
            "source": one.source,
            "total": len(one.entries),
            "url": address(f"/api/v1/standards/codes/{one.code}"),
        }
        for one in found
    ]
    return _page(asked, data_elements.count_code_lists(g.identity), results)


@bp.route("/standards/codes/<code>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(
    200, {**ANYTHING, "description": N_("A list of codes")}, description=N_("The list of codes")
)
@bp.doc(summary=N_("Show a list of codes"), operationId="showCodes", tags=["catalogue"])
def show_codes(parameters: Mapping[str, Any], code: str) -> Response:  # noqa: ARG001 # the language was taken already
    """A list of codes with all that it holds."""
    return json_answer(code_list_json(data_elements.show_codes(g.identity, code)))


def element_answer(element: DataElement, *, limit: int = 50, offset: int = 0) -> Response:
    """A data element with its codes and a page of the columns that are bound to it."""
    uses, total = data_elements.uses(g.identity, element, limit=limit, offset=offset)
    return json_answer(
        {
            **element_json(element, g.lang),
            "codes": code_list_json(element.code_list) if element.code_list else None,
            "total": total,
            "columns": [
                {
                    "dataset": use.dataset.slug,
                    "table": use.table.id,
                    "column": use.column.name,
                    "conformance": use.column.conformance or None,
                }
                for use in uses
            ],
        }
    )
