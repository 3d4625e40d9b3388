"""What somebody may mean who types: `package_autocomplete`, `format_autocomplete`."""

from __future__ import annotations

from typing import Any

from flask import g

from api.ckan.errors import Refused
from api.ckan.given import text_of
from api.ckan.registry import action
from api.ckan.validators import ActionSchema, Whole, checked
from catalog.models.text import pick
from catalog.permissions import Identity
from catalog.search import SearchQuery
from catalog.search.conditions import And, Like, Or, Term, Words
from catalog.services import resources, search

MOST = 1_000


class _Schema(ActionSchema):
    limit = Whole(natural=True)


@action(safe=True)
def package_autocomplete(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of datasets (packages) whose names or titles contain a string.

    :param q: the string to search for
    :param limit: the maximum number of datasets to return (optional, default: 10)
    """
    text, limit = _asked(data, 10)
    parts = (Like("slug", f"*{text.lower()}*"), Like("title", f"*{text}*"), Words("title", text))
    where = And((Term("type", "dataset"), Term("state", "published"), Or(parts)))
    query = SearchQuery(where=where, sort="slug", limit=limit, facets=False, language=g.lang)
    hits = search.find(who, query, private=True).hits if text and limit else ()
    return [_named(hit.card, text.lower()) for hit in hits]


@action(safe=True)
def format_autocomplete(who: Identity, data: dict[str, Any]) -> Any:  # noqa: ARG001 # all actions have one signature
    """Return a list of resource formats whose names contain a string.

    :param q: the string to search for
    :param limit: the maximum number of resource formats to return (optional, default: 5)
    """
    text, limit = _asked(data, 5)
    return [name.lower() for name in resources.formats(text, limit)]


def _asked(data: dict[str, Any], default: int) -> tuple[str, int]:
    if data.get("q") is None:
        raise Refused({"q": ["Missing value"]})
    limit = checked(_Schema(), data).get("limit", default)
    return text_of(data["q"]), min(limit, MOST)


def _named(card: Any, text: str) -> dict[str, Any]:
    name, title = card["slug"], pick(card["title"], g.lang)[0]
    by_name = text in name
    return {
        "name": name,
        "title": title,
        "match_field": "name" if by_name else "title",
        "match_displayed": name if by_name else f"{title} ({name})",
    }
