"""Datasets: `package_show`, `package_list`, `package_search`, `package_create`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from flask import g

from api.ckan import dictized
from api.ckan.errors import Refused
from api.ckan.registry import action, signed_in
from api.ckan.resources import draft_of
from api.ckan.validators import ActionSchema, TextOrObject, Whole, checked
from catalog.errors import Gone, NotFound
from catalog.models.license import LICENSES
from catalog.permissions import Identity
from catalog.schemas.dataset import dataset_draft
from catalog.search import SearchQuery
from catalog.services import datasets, organizations, resources, search

MOST_NAMES = 1_000
MOST_RESULTS = 100
FACETS = {
    "organization": "organization",
    "groups": "theme",
    "res_format": "format",
    "license_id": "license",
}
"""Fields of CKAN's index that ours has under another name."""
SORTS = {"metadata_modified": "modified", "title_string": "title", "name": "title"}
_FIELD = re.compile(r'\+?(\w+):\s*(?:"([^"]*)"|\(([^)]*)\)|(\S+))')


class _ListSchema(ActionSchema):
    limit = Whole(natural=True, load_default=MOST_NAMES)
    offset = Whole(natural=True, load_default=0)


class _SearchSchema(ActionSchema):
    q = TextOrObject(load_default="")
    fq = TextOrObject(load_default="")
    sort = TextOrObject(load_default="")
    rows = Whole(natural=True, load_default=10)
    start = Whole(natural=True, load_default=0)


@action(safe=True)
def package_show(who: Identity, data: dict[str, Any]) -> Any:
    """Return the metadata of a dataset (package) and its resources.

    :param id: the id or name of the dataset
    """
    name = data.get("id") or data.get("name_or_id")
    if not isinstance(name, str):
        raise Refused({"id": ["Missing value"]})
    try:
        dataset = datasets.show(who, name)
    except Gone as error:
        raise NotFound("Dataset not found") from error
    return dictized.package(dataset)


@action(safe=True)
def package_list(who: Identity, data: dict[str, Any]) -> Any:
    """Return a list of the names of the site's datasets (packages).

    :param limit: at most so many names (default and most: 1000)
    :param offset: how many names to pass over
    """
    given = checked(_ListSchema(), data)
    limit = min(given["limit"], MOST_NAMES)
    return datasets.slugs(who, limit=limit, offset=given["offset"])


@action(safe=True)
def package_search(who: Identity, data: dict[str, Any]) -> Any:
    """Search for datasets.

    :param q: words to look for, also organization:name, groups:name, res_format:CSV, license_id:id;
        *:* finds all
    :param fq: the same, to narrow what is found
    :param rows: at most so many datasets (default 10, most 100)
    :param start: how many to pass over
    :param sort: score desc, metadata_modified desc or title_string asc
    """
    given = checked(_SearchSchema(), data)
    words, filters = _understood(f"{given['q']}", f"{given['fq']}")
    page = search.find(
        who,
        SearchQuery(
            text=words,
            filters=filters,
            sort=SORTS.get(str(given["sort"]).split(" ")[0], "relevance"),
            offset=given["start"],
            limit=min(given["rows"], MOST_RESULTS),
            facets=False,
            language=g.lang,
        ),
    )
    return {
        "count": page.total,
        "sort": given["sort"] or "score desc, metadata_modified desc",
        "facets": {},
        "search_facets": {},
        "results": [
            dictized.package(dataset) for hit in page.hits if (dataset := _there(who, hit.id))
        ],
    }


@action()
def package_create(who: Identity, data: dict[str, Any]) -> Any:
    """Create a new dataset (package).

    :param name: the name of the new dataset, of lower-case letters, digits, - and _
    :param title: the title (default: the name)
    :param owner_org: the id or name of the dataset's owning organization
    :param notes, url, license_id, tags, extras, private, author, maintainer, version: as in CKAN
    :param resources: the dataset's resources
    """
    signed_in(who, "package_create")
    if not data.get("name"):
        raise Refused({"name": ["Missing value"]})
    if not data.get("owner_org"):
        raise Refused({"owner_org": ["An organization must be provided"]})
    draft = dataset_draft(_described(who, data))
    if _there(who, draft.slug):
        raise Refused({"name": ["That URL is already in use."]})
    drafts = [draft_of(one) for one in data.get("resources") or ()]
    made = datasets.put(who, draft)
    for one, more in drafts:
        resources.add(who, made.dataset_id, one, extras=more)
    return dictized.package(datasets.show(who, made.dataset_id))


def _described(who: Identity, data: Mapping[str, Any]) -> dict[str, Any]:
    """A dataset in our words."""
    title, notes = data.get("title") or data["name"], data.get("notes") or ""
    extras = {
        str(one.get("key")): one.get("value")
        for one in data.get("extras") or ()
        if isinstance(one, Mapping)
    }
    own = {name: data[name] for name in dictized.OWN if data.get(name)}
    license_id = str(data.get("license_id") or "notspecified")
    known = {name.lower(): name for name in LICENSES}.get(license_id.lower())
    private = str(data.get("private", "")).lower() in ("true", "1", "yes", "t", "y")
    return {
        "slug": data["name"],
        "title": {g.lang: title},
        "description": {g.lang: notes} if notes else {},
        "organization": _organization(who, str(data["owner_org"])),
        "license": known or "other",
        "license_text": "" if known else license_id,
        "access": "closed" if private else "open",
        "tags": [_tag(tag) for tag in data.get("tags") or ()],
        "landing_page": data.get("url") or "",
        "extras": {**extras, **own},
    }


def _tag(tag: Any) -> str:
    return str(tag.get("name", "")) if isinstance(tag, Mapping) else str(tag)


def _organization(who: Identity, name: str) -> str:
    """The slug of the organization with this id or name."""
    try:
        return organizations.show(who, name).slug
    except NotFound:
        for one, _ in organizations.all(who):
            if one.id == name:
                return one.slug
    raise Refused({"owner_org": ["Organization does not exist"]})


def _there(who: Identity, name: str) -> Any:
    try:
        return datasets.show(who, name)
    except NotFound:
        return None


def _understood(*texts: str) -> tuple[str, dict[str, tuple[str, ...]]]:
    """The words, and the filters by facet; raises Refused for a field that the index does not have."""
    filters: dict[str, tuple[str, ...]] = {}

    def taken(found: re.Match[str]) -> str:
        facet = FACETS.get(found[1])
        if facet is None:
            raise Refused({"fq": [f"Unknown field: {found[1]}"]})
        values = found[2] or found[3] or found[4] or ""
        filters[facet] = tuple(one.strip('"') for one in re.split(r"\s+OR\s+", values))
        return " "

    words = " ".join(_FIELD.sub(taken, text.replace("*:*", " ")) for text in texts)
    return " ".join(words.split()), filters
