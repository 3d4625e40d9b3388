"""Finding datasets, series and services: pages of hits, suggestions, similar ones, names of facets' values."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from time import monotonic

import structlog
from flask import current_app
from sqlalchemy import String, cast, func, select

from catalog.db import db
from catalog.errors import Unavailable
from catalog.models.base import Texts
from catalog.models.group import Group
from catalog.models.license import CKAN_LICENSES, LICENSES
from catalog.models.organization import Organization
from catalog.models.tag import Tag
from catalog.models.text import pick
from catalog.permissions import Identity
from catalog.search import (
    EVERYTHING,
    PUBLIC,
    Hit,
    SearchPage,
    SearchQuery,
    Suggestion,
    search_engine,
)
from catalog.search.analysis import normal_title, spelled_ways
from catalog.search.regions import name_of
from catalog.services.browsing import browse
from catalog.services.indexing import (
    changed,
    freshen,
    index_dataset,
    index_due_datasets,
    rebuild,
    rebuild_index,
    reindex,
    repair_index,
    whole,
)

__all__ = [
    "changed",
    "find",
    "find_or_browse",
    "forget_labels",
    "index_dataset",
    "index_due_datasets",
    "labels",
    "parents",
    "rebuild",
    "rebuild_index",
    "reindex",
    "repair_index",
    "similar",
    "suggest",
    "visible_to",
    "warm_up",
    "whole",
]

log = structlog.get_logger()
LABELS_SECONDS = 60.0
MOST_TAGS = 20_000
"""Tags with a name in some language that are kept."""
_LABELS = "weft_labels"
MOST_SUGGESTIONS = 20


@dataclass(frozen=True)
class _Labels:
    titles: Mapping[str, Mapping[str, Texts]]
    parents: Mapping[str, str]
    """Slug of an organization → slug of the one above it."""
    until: float

    @cached_property
    def beginnings(self) -> tuple[tuple[str, str, str], ...]:
        """How somebody begins to type a name, the facet, the value; only who types needs them."""
        return tuple(
            (way, facet, value)
            for facet in ("organization", "theme")
            for value, texts in self.titles[facet].items()
            for text in texts.values()
            for way in _ways(text)
        )


def find(
    who: Identity, query: SearchQuery, *, private: bool = False, drafts: bool = False
) -> SearchPage:
    """One page of what is public, with facets; raises BadQuery.

    With `private` the reader's organizations' private datasets are among it, with `drafts` the reader's own
    drafts; an administrator sees those of all.
    """
    freshen()
    return search_engine().search(
        replace(query, visible=visible_to(who, private=private, drafts=drafts))
    )


def find_or_browse(who: Identity, query: SearchQuery) -> SearchPage:
    """The same for people: while the engine is down, a page from the database that says so (`browsed`)."""
    try:
        return find(who, query)
    except Unavailable:
        log.warning("search_is_browsed")
        return browse(query)


def visible_to(who: Identity, *, private: bool = False, drafts: bool = False) -> tuple[str, ...]:
    """The visibilities of what somebody may find."""
    if not private and not drafts:
        return (PUBLIC,)
    if who.administrator:
        return (EVERYTHING,)
    own = (who.account_id,) if drafts and who.account_id else ()
    return (PUBLIC, *(who.organizations if private else ()), *own)


def similar(who: Identity, dataset_id: str, limit: int = 5) -> tuple[Hit, ...]:
    """What is public and most like a dataset; nothing while the engine is down."""
    try:
        return search_engine().similar(dataset_id, limit, visible_to(who))
    except Unavailable:
        return ()


def suggest(who: Identity, text: str, language: str, limit: int = 10) -> list[Suggestion]:
    """What somebody who types may have in mind: titles first, then organizations, themes and tags."""
    words = " ".join(text.split())[:100]
    start = normal_title(words)
    if not start:
        return []
    wanted = min(limit, MOST_SUGGESTIONS)
    names = list(_named(start, language))[: max(wanted // 3, 1)]
    found = _suggested(who, words, wanted)
    titles = [one for one in found if one.kind == "title"]
    tags = [one for one in found if one.kind != "title"]
    room = max(wanted - len(names) - len(tags), 0)
    shown = [replace(one, text=pick(one.texts, language)[0] or one.text) for one in titles[:room]]
    called = labels()["tag"]
    tags = [
        replace(one, text=pick(called[one.text], language)[0]) if one.text in called else one
        for one in tags
    ]
    return [*shown, *names, *tags][:wanted]


def _suggested(who: Identity, words: str, wanted: int) -> tuple[Suggestion, ...]:
    """Titles and tags; none while the engine is down: nobody who types wants to read about that."""
    try:
        freshen()
        return search_engine().suggest(words, wanted, visible_to(who))
    except Unavailable:
        return ()


def warm_up() -> None:
    """Read the dictionaries that the first searches would wait for: of characters, of their sound, of divisions."""
    spelled_ways(normal_title("气"))
    name_of("")


def labels() -> Mapping[str, Mapping[str, Texts]]:
    """Titles of the values of the facets that have any: facet → value → texts.

    They are kept for a minute, so that a search asks the database for nothing.
    """
    return _labels().titles


def parents() -> Mapping[str, str]:
    """Slug of an organization → slug of the one that it belongs to."""
    return _labels().parents


def forget_labels() -> None:
    """Read the titles of organizations and themes anew at the next search of this process."""
    current_app.extensions.pop(_LABELS, None)


def _labels() -> _Labels:
    kept: _Labels | None = current_app.extensions.get(_LABELS)
    if kept is None or kept.until < monotonic():
        kept = current_app.extensions[_LABELS] = _read_labels()
    return kept


def _tag_labels() -> dict[str, Texts]:
    """Tags that are called otherwise than their name; of equal names of two vocabularies one label counts."""
    called = func.length(cast(Tag.label, String)) > len("{}")
    rows = db.session.execute(select(Tag.name, Tag.label).where(called).limit(MOST_TAGS)).all()
    return dict(reversed([(row.name, row.label) for row in rows]))


def _read_labels() -> _Labels:
    organizations = db.session.execute(
        select(Organization.id, Organization.slug, Organization.title, Organization.parent_id)
    ).all()
    themes = db.session.execute(select(Group.slug, Group.title).order_by(Group.position)).all()
    titles: dict[str, Mapping[str, Texts]] = {
        "organization": {row.slug: row.title for row in organizations},
        "theme": {row.slug: row.title for row in themes},
        "license": {
            license_.id: {"zh": license_.title_zh, "en": license_.title_en}
            for license_ in (*CKAN_LICENSES.values(), *LICENSES.values())
        },
        "tag": _tag_labels(),
    }
    slugs = {row.id: row.slug for row in organizations}
    above = {row.slug: slugs[row.parent_id] for row in organizations if row.parent_id in slugs}
    return _Labels(titles, above, monotonic() + LABELS_SECONDS)


@lru_cache(maxsize=MOST_TAGS)
def _ways(text: str) -> tuple[str, ...]:
    """How a name is typed: as it is written, in pinyin, by its initials."""
    return tuple(dict.fromkeys((normal_title(text), *spelled_ways(text))))


def _named(start: str, language: str) -> Iterator[Suggestion]:
    """Organizations and themes whose name begins so, also in pinyin, each once."""
    kept = _labels()
    seen = set()
    joined = start.replace(" ", "")
    for way, facet, value in kept.beginnings:
        if way.startswith((start, joined)) and (facet, value) not in seen:
            seen.add((facet, value))
            texts = kept.titles[facet][value]
            yield Suggestion(facet, pick(texts, language)[0], value, texts)
