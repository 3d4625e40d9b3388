"""Finding datasets and showing one."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, replace
from datetime import UTC, datetime
from typing import Any

from flask import Response, g
from flask_babel import gettext
from marshmallow import RAISE

from api.answers import address, json_answer, this_call
from api.v1.description import N_, ref
from api.v1.parameters import (
    Parameters,
    SearchParameters,
    SimilarParameters,
    SuggestParameters,
    blueprint,
)
from catalog.schemas.dataset import dataset_json
from catalog.schemas.search import card_json
from catalog.schemas.texts import chosen
from catalog.search import Hit, SearchPage, SearchQuery
from catalog.search.facets import FACET_BY_NAME, MOST_OFFSET
from catalog.search.regions import name_of
from catalog.services import catalogue, datasets, search, usage

bp = blueprint("datasets")


@bp.route("/datasets")
@bp.arguments(SearchParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("DatasetPage"), description=N_("One page of what was found"))
@bp.doc(summary=N_("Search datasets"), operationId="searchDatasets", tags=["datasets"])
def find(query: SearchQuery) -> Response:
    """One page of datasets with facets."""
    page = search.find(g.identity, replace(query, language=g.lang))
    return json_answer(
        {
            "total": page.total,
            "partial": page.partial,
            "meant": page.meant or None,
            "offset": query.offset,
            "limit": query.limit,
            "results": [_card(hit) for hit in page.hits],
            "facets": facets_json(page),
            "next": _next(page, query),
        }
    )


@bp.route("/suggestions")
@bp.arguments(SuggestParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Suggestions"), description=N_("The suggestions"))
@bp.doc(summary=N_("Suggest while typing"), operationId="suggest", tags=["datasets"])
def suggest(parameters: Mapping[str, Any]) -> Response:
    """Titles, organizations, themes and tags that begin so, also in pinyin or its initials."""
    found = search.suggest(g.identity, parameters["q"], g.lang, parameters["limit"])
    return json_answer(
        {
            "results": [
                {"kind": one.kind, "text": one.text, "value": one.value, "type": one.type}
                for one in found
            ]
        }
    )


@bp.route("/datasets/<slug>/similar")
@bp.arguments(SimilarParameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Similar"), description=N_("The datasets"))
@bp.doc(summary=N_("Find similar datasets"), operationId="similarDatasets", tags=["datasets"])
def similar(parameters: Mapping[str, Any], slug: str) -> Response:
    """The datasets that share most with this one, in title, tags and description."""
    dataset = datasets.show(g.identity, slug)
    found = search.similar(g.identity, dataset.id, parameters["limit"])
    return json_answer({"results": [_card(hit) for hit in found]})


@bp.route("/datasets/<slug>")
@bp.arguments(Parameters(), location="query", unknown=RAISE)
@bp.response(200, ref("Dataset"), description=N_("The dataset"))
@bp.doc(summary=N_("Show a dataset"), operationId="showDataset", tags=["datasets"])
def show(parameters: Mapping[str, Any], slug: str) -> Response:  # noqa: ARG001 # the language was taken already
    """The dataset with its resources, tables and columns; by its name in addresses or its id."""
    dataset = datasets.show(g.identity, slug)
    kept = asdict(datasets.freshness(dataset, datetime.now(UTC).date()))
    usage.count(dataset.id, "call")
    readable = catalogue.is_readable(g.identity, dataset)
    return json_answer(dataset_json(dataset, g.lang, readable=readable, kept=kept))


def facets_json(page: SearchPage) -> dict[str, list[dict[str, Any]]]:
    """For each facet its values with labels and counts."""
    titles = search.labels()
    return {
        name: [
            {
                "value": bucket.value,
                "label": _label(titles, name, bucket.value),
                "count": bucket.count,
            }
            for bucket in buckets
        ]
        for name, buckets in page.facets.items()
    }


def _card(hit: Hit) -> dict[str, Any]:
    return card_json(hit.card, g.lang) | {"url": address(f"/api/v1/datasets/{hit.card['slug']}")}


def _label(
    titles: Mapping[str, Mapping[str, Mapping[str, str]]], name: str, value: str
) -> str | None:
    known = titles.get(name, {}).get(value)
    if known:
        return chosen(known, g.lang)
    if name == "region":
        return name_of(value)
    facet = FACET_BY_NAME.get(name)
    label = facet.values.get(value) if facet else None
    return gettext(label) if label else value


def _next(page: SearchPage, query: SearchQuery) -> str | None:
    after = query.offset + query.limit
    if not query.limit or after >= page.total or after > MOST_OFFSET:
        return None
    return this_call(offset=after)
