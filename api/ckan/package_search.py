"""`package_search`: Solr's parameters as CKAN passes them on."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from flask import g

from api.ckan import licenses, prepared
from api.ckan.errors import Misread, Refused, SearchFailed
from api.ckan.given import text_of
from api.ckan.package_checks import is_yes
from api.ckan.registry import action
from api.ckan.search_fields import (
    FALLING,
    SORTS,
    condition_of,
    field_of,
    shown_value,
    words_of,
)
from api.ckan.solr_query import All, Clause, WrongQuery, parse
from api.ckan.validators import whole_or_refused
from catalog.errors import BadQuery
from catalog.models.text import pick
from catalog.permissions import Identity
from catalog.search import Count, SearchPage, SearchQuery
from catalog.search.conditions import And, Condition, Or, Term
from catalog.search.facets import MOST_OFFSET
from catalog.services import dataset_changes, search

MOST_ROWS, DEFAULT_ROWS = 1_000, 10
MOST_FACETS = 50
MOST_VALUES = 1_000_000
"""Of a facet: more than there are."""
RESOURCE_FIELDS = {
    "name": "name",
    "description": "description",
    "format": "format",
    "url": "url",
    "type": "resource_type",
}
"""Fields of resources in CKAN's index, `res_…` → those of a resource."""
DEFAULT_SORT = "score desc, metadata_modified desc"
TEXTS = ("q", "fq", "sort", "qf", "facet")
MOST_ORDERS = 4
"""Fields that results are sorted by, at most."""
KNOWN = frozenset(
    [
        "q",
        "fl",
        "fq",
        "rows",
        "sort",
        "start",
        "wt",
        "qf",
        "bf",
        "boost",
        "facet",
        "facet.mincount",
        "facet.limit",
        "facet.field",
        "extras",
        "fq_list",
        "tie",
        "defType",
        "mm",
        "df",
        "include_private",
        "include_drafts",
        "include_deleted",
        "use_default_schema",
        "callback",
    ]
)


@action(safe=True)
def package_search(who: Identity, data: dict[str, Any]) -> Any:
    """Searches for packages satisfying a given search criteria, in the query language of Solr.

    :param q: the query (default: "*:*"): words, or field:value with quotes, parentheses, AND, OR, NOT, +, -,
        ranges such as metadata_modified:[NOW-7DAYS TO *] and wildcards
    :param fq: any filter queries to apply
    :param fq_list: additional filter queries to apply
    :param sort: sorting of the search results (default: "score desc, metadata_modified desc")
    :param rows: the maximum number of datasets to return (default: 10, most: 1000)
    :param start: the offset in the complete result
    :param facet: whether to enable faceted results (default: True)
    :param facet.mincount: the minimum counts for facet fields that are included in the results
    :param facet.limit: the maximum number of values of a facet field (default: 50); negative: unlimited
    :param facet.field: the fields to facet upon, a list of strings
    :param include_drafts: include the caller's own draft datasets, for a sysadmin all
    :param include_deleted: taken and without effect: deleted datasets are not in the index
    :param include_private: include private datasets of the caller's organizations, for a sysadmin all
    :param use_default_schema: taken and without effect: there is one schema
    :param fl: fields to return instead of whole datasets
    """
    asked = _Asked(data)
    text, where = asked.conditions()
    (sort, reverse), *then = _sorted(asked.sort, text)
    query = SearchQuery(
        text=text,
        where=where,
        sort=sort,
        reverse=reverse,
        then=tuple(then),
        offset=asked.start,
        limit=asked.rows,
        facets=False,
        corrects=False,  # as Solr: what is misspelled is not found
        counts=tuple(Count(field_of(name), asked.limit, asked.least) for name in asked.facets),
        language=g.lang,
    )
    page, ids = _found(who, asked, query)
    return {
        "count": page.total,
        **_facets(page, asked.facets),
        "results": _results(who, ids, data.get("fl")),
        "sort": asked.sort,
    }


def _found(who: Identity, asked: _Asked, query: SearchQuery) -> tuple[SearchPage, list[str]]:
    """The page, and the ids of its datasets; those far down a list of all are read from the database."""
    deep = asked.start > MOST_OFFSET and asked.is_for_all() and query.sort in dataset_changes.ORDERS
    if deep:
        query = replace(query, offset=0, limit=0)
    try:
        page = search.find(who, query, private=asked.private, drafts=asked.drafts)
    except BadQuery as error:
        raise SearchFailed("Search error: %(said)s", said=repr(str(error))) from error
    if not deep:
        return page, [hit.id for hit in page.hits]
    falling = query.reverse != (query.sort in FALLING)
    ids = dataset_changes.page_of_ids(
        query.sort, reverse=falling, limit=asked.rows, offset=asked.start
    )
    return page, ids


class _Asked:
    """The parameters after CKAN's rules; raises Refused, or Misread for those that Solr does not know."""

    def __init__(self, data: Mapping[str, Any]) -> None:
        problems: dict[str, Any] = {}

        def whole(name: str, default: int, *, natural: bool = True) -> int:
            return whole_or_refused(data.get(name), default, problems, name, natural=natural)

        self.q, self.fq = text_of(data.get("q")), text_of(data.get("fq"))
        self.fq_list = data.get("fq_list") or []
        self.rows = min(whole("rows", DEFAULT_ROWS), MOST_ROWS)
        self.start = whole("start", 0)
        self.least = max(whole("facet.mincount", 1), 1)
        self.limit = min(whole("facet.limit", 50, natural=False), MOST_VALUES)
        self.facets = _names(data.get("facet.field"), problems)
        if problems:
            raise Refused(problems)
        unknown = [name for name in data if name not in KNOWN and not name.startswith("ext_")]
        if unknown:
            raise _misread(f"Invalid search parameters: {unknown}")
        if str(data.get("facet", "true")).lower() == "false":
            self.facets = []
        self.private = is_yes(data.get("include_private"))
        self.wanted = is_yes(data.get("include_drafts"))
        self.drafts = self.wanted or "state:draft" in self._filters()
        given = text_of(data.get("sort"))
        self.sort = DEFAULT_SORT if given in ("", "rank") else given

    def is_for_all(self) -> bool:
        """Whether nothing narrows the search."""
        return (
            self.q in ("", "*:*") and not self._filters() and not self.private and not self.drafts
        )

    def _filters(self) -> str:
        listed = self.fq_list if isinstance(self.fq_list, list) else [self.fq_list]
        return " ".join([self.fq, *map(text_of, listed)]).strip()

    def conditions(self) -> tuple[str, Condition]:
        """The free words, and what else must be fulfilled."""
        listed = self.fq_list if isinstance(self.fq_list, list) else [self.fq_list]
        filters = [self.fq, *map(text_of, listed)]
        text, rest = words_of(_parsed(self.q, "q"))
        parts = [condition_of(rest), *(condition_of(_parsed(one, "fq")) for one in filters)]
        parts.append(Term("type", "dataset"))
        if "state:" not in self._filters():
            states = [Term("state", "published")]
            if self.wanted:
                states.append(Term("state", "draft"))
            parts.append(_either(states))
        if not self.private:
            parts.append(Term("private", "false"))
        return text, And(tuple(part for part in parts if part != And(())))


def _either(parts: list[Term]) -> Condition:
    return parts[0] if len(parts) == 1 else Or(tuple(parts))


def _parsed(text: str, name: str) -> Clause:
    if text in ('""', "''"):
        return All(())
    try:
        return parse(text, name=name)
    except WrongQuery as error:
        raise SearchFailed("Search error: %(said)s", said=repr(str(error))) from error


def _sorted(asked: str, text: str) -> list[tuple[str, bool]]:
    """Our orders for those fields of CKAN's that we can sort by, each with whether it is the other way round."""
    found: dict[str, bool] = {}
    for part in asked.split(","):
        name, _, direction = part.strip().partition(" ")
        direction = direction.strip().lower()
        if direction not in ("asc", "desc"):
            raise _misread('Invalid "sort" parameter')
        ours = SORTS.get(name)
        if ours is not None and (ours != "relevance" or text):
            found.setdefault(ours, (direction == "asc") == (ours in FALLING))
    return list(found.items())[:MOST_ORDERS] or [("updated", False)]


def _names(given: Any, problems: dict[str, Any]) -> list[str]:
    """Fields as a list, or as JSON of one, or one by itself."""
    if given in (None, ""):
        return []
    if isinstance(given, str):
        try:
            given = json.loads(given)
        except (ValueError, RecursionError):
            problems["facet.field"] = ["Could not parse as valid JSON"]
            return []
    if not isinstance(given, list):
        problems["facet.field"] = ["Not a list"]
        return []
    wrong = next((one for one in given if not isinstance(one, str)), None)
    if wrong is not None:
        problems["facet.field"] = [f"Not a string: {wrong}"]
        return []
    return given[:MOST_FACETS]


def _misread(said: str) -> Misread:
    return Misread("Search Query is invalid: %(said)s", said=repr(said))


def _results(who: Identity, ids: list[str], fields: Any) -> list[Any]:
    shown = prepared.packages(who, ids) if ids else {}
    found = [shown[id_] for id_ in ids if id_ in shown]
    if not fields:
        return found
    names = fields if isinstance(fields, list) else text_of(fields).replace(",", " ").split()
    documents = [_document(prepared.read(one)) for one in found]
    return [{name: one[name] for name in names if one.get(name) is not None} for one in documents]


def _document(package: Mapping[str, Any]) -> dict[str, Any]:
    """The dataset as CKAN's index keeps it: names of what it belongs to, lists of its resources' fields, moments with Z."""
    extras = {one["key"]: one["value"] for one in package["extras"]}
    resources = {
        f"res_{name}": [one.get(of) or "" for one in package["resources"]]
        for name, of in RESOURCE_FIELDS.items()
    }
    return {
        **extras,
        **{f"extras_{key}": value for key, value in extras.items()},
        **package,
        **resources,
        **_tags(package),
        "groups": [group["name"] for group in package["groups"]],
        "organization": package["organization"]["name"],
        "dataset_type": package["type"],
        "capacity": "private" if package["private"] else "public",
        **{name: f"{package[name][:23]}Z" for name in ("metadata_created", "metadata_modified")},
    }


def _tags(package: Mapping[str, Any]) -> dict[str, list[str]]:
    """Free tags as `tags`, those of a vocabulary under its name."""
    tags: dict[str, list[str]] = {"tags": []}
    closed = [tag for tag in package["tags"] if tag["vocabulary_id"]]
    known = dataset_changes.vocabularies() if closed else {}
    for tag in package["tags"]:
        of = tag["vocabulary_id"]
        tags.setdefault(f"vocab_{known[of]}" if of else "tags", []).append(tag["name"])
    return tags


def _facets(page: SearchPage, names: list[str]) -> dict[str, Any]:
    facets: dict[str, Any] = {}
    shown: dict[str, Any] = {}
    for name in names:
        field = field_of(name)
        buckets = page.counts.get(field, ())
        facets[name] = {shown_value(field, one.value): one.count for one in buckets}
        display = _displays(field)
        items = [
            {"name": value, "display_name": display(value), "count": count}
            for value, count in facets[name].items()
        ]
        items.sort(key=_display_name, reverse=True)
        shown[name] = {"title": name, "items": items}
    return {"facets": facets, "search_facets": shown}


def _display_name(item: Mapping[str, Any]) -> str:
    return str(item["display_name"])


def _displays(field: str) -> Callable[[str], str]:
    """How values of a field are called."""
    if field in ("publisher", "theme"):
        titles = search.labels().get("organization" if field == "publisher" else "theme", {})
        language = g.lang
        return lambda value: pick(titles.get(value, {}), language)[0] or value
    return _license_title if field == "license" else str


def _license_title(value: str) -> str:
    known = licenses.known(value)
    return known.title_en if known else value
