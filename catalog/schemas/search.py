"""Searches: parameters of an address → SearchQuery; a page of hits → JSON of the API."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from marshmallow import EXCLUDE, Schema, ValidationError, fields, post_load

from catalog.errors import BadQuery
from catalog.models.text import pick
from catalog.schemas.narrowing import DESCRIPTIONS, Narrowing
from catalog.schemas.texts import clean
from catalog.search import SearchPage, SearchQuery
from catalog.search.facets import FACETS, MOST_HITS, MOST_OFFSET, MOST_TEXT, SORTS, check_query

PAGE_HITS = 20


class Words(fields.String):
    """What is searched for, cleaned to one line."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        return " ".join(clean(super()._deserialize(value, attr, data, **options)).split())


class Whole(fields.Integer):
    """A whole number from `least` to `most`, as a parameter of an address."""

    def __init__(self, least: int, most: int, **options: Any) -> None:
        super().__init__(**options)
        self.least, self.most = least, most

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 # the signature is marshmallow's
        data: Any,  # noqa: ARG002 # the signature is marshmallow's
        **options: Any,  # noqa: ARG002 # the signature is marshmallow's
    ) -> int:
        try:
            number = int(str(value)) if len(str(value)) < 20 else None
        except ValueError:
            number = None
        if number is None or not self.least <= number <= self.most:
            raise ValidationError(f"Must be a whole number from {self.least} to {self.most}.")
        return number


class _BaseSearchSchema(Schema):
    q = Words(metadata={"description": f"Words to find, at most {MOST_TEXT} characters."})
    sort = fields.String(metadata={"description": "One of " + ", ".join(SORTS) + "."})
    limit = Whole(0, MOST_HITS, metadata={"description": "Datasets in the answer."})
    offset = Whole(0, MOST_OFFSET, metadata={"description": "Datasets to skip."})
    page = Whole(
        1, MOST_OFFSET, metadata={"description": "Page of `limit` datasets, instead of offset."}
    )

    @post_load
    def to_query(self, data: dict[str, Any], **_: Any) -> SearchQuery:
        """The query; empty values of facets are dropped and repeated ones taken once."""
        limit = data.get("limit", PAGE_HITS)
        offset = (data["page"] - 1) * limit if "page" in data else data.get("offset", 0)
        filters = {
            facet.name: tuple(dict.fromkeys(value for value in data[facet.name] if value))
            for facet in FACETS
            if any(data.get(facet.name, ()))
        }
        return SearchQuery(
            text=data.get("q", ""),
            filters=filters,
            sort=data.get("sort") or "relevance",
            offset=offset,
            limit=limit,
            where=Narrowing.of(data).condition(),
        )


_FACET_FIELDS = {
    facet.name: fields.List(
        fields.String(), metadata={"description": f"{facet.label}; repeat it for several values."}
    )
    for facet in FACETS
}
_NARROWING_FIELDS = {
    name: Words(metadata={"description": words}) for name, words in DESCRIPTIONS.items()
}
SearchSchema: type[Schema] = type(
    "SearchSchema", (_BaseSearchSchema,), {**_NARROWING_FIELDS, **_FACET_FIELDS}
)
"""The parameters of a search: `q`, `sort`, `limit`, `offset` or `page`, place and time, and each facet."""

_STRICT, _LENIENT = SearchSchema(), SearchSchema(unknown=EXCLUDE)


def search_query(
    parameters: Mapping[str, Sequence[str]], language: str, *, strict: bool = False
) -> SearchQuery:
    """The query of an address's parameters (name → values); raises BadQuery.

    Unknown parameters are errors if `strict` (the API) and are left alone otherwise (pages, whose
    addresses get parameters from newsletters and search engines).
    """
    lists = {facet.name for facet in FACETS}
    given = {
        name: list(values) if name in lists else values[-1]
        for name, values in parameters.items()
        if values and (name in lists or values[-1] != "")
    }
    try:
        query: SearchQuery = (_STRICT if strict else _LENIENT).load(given)
    except ValidationError as error:
        raise BadQuery(
            "this search cannot be understood", problems=dict(error.messages_dict)
        ) from error
    check_query(query)
    return SearchQuery(**{**vars(query), "language": language})


def card_json(card: Mapping[str, Any], language: str) -> dict[str, Any]:
    """A hit as the API shows it: texts chosen for `language`, and all of them under `texts`."""
    organization = card["organization"]
    return {
        **card,
        "title": pick(card["title"], language)[0],
        "description": pick(card["description"], language)[0] or None,
        "texts": {"title": card["title"], "description": card["description"]},
        "organization": {
            "slug": organization["slug"],
            "title": pick(organization["title"], language)[0],
        },
        "themes": [
            {"slug": theme["slug"], "title": pick(theme["title"], language)[0]}
            for theme in card["themes"]
        ],
    }


def page_json(page: SearchPage, query: SearchQuery) -> dict[str, Any]:
    """A page of hits as the API shows it."""
    return {
        "total": page.total,
        "partial": page.partial,
        "meant": page.meant or None,
        "offset": query.offset,
        "limit": query.limit,
        "datasets": [card_json(hit.card, query.language) for hit in page.hits],
        "facets": {
            name: [{"value": bucket.value, "count": bucket.count} for bucket in buckets]
            for name, buckets in page.facets.items()
        },
    }
