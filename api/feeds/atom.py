"""Atom feeds of what is new or has changed: all of it, or of an organization, a theme, a tag or a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from api.answers import this_call
from api.feeds.answers import answer, base, bp, current, tag_of, titles
from api.identity import language
from catalog.models.text import pick
from catalog.models.vocabulary import State
from catalog.permissions import ANYONE
from catalog.schemas.atom import MEDIA_TYPE, Entry, Feed, entry_xml, feed_xml, plain, stamp
from catalog.schemas.search import search_query
from catalog.search import SearchQuery
from catalog.services import catalogue, groups, organizations, search

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

ENTRIES = 50


@bp.get("/feeds/datasets.atom")
@bp.get("/feeds/dataset.atom")
def all_datasets() -> Response:
    """What changed last in the whole catalogue, and what was withdrawn."""
    return _changes(catalogue.Which(gone=True), "", "datasets")


@bp.get("/feeds/organizations/<slug>.atom")
@bp.get("/feeds/organization/<slug>.atom")
def of_organization(slug: str) -> Response:
    """What changed last of an organization and those below it."""
    found = organizations.show(ANYONE, slug)
    which = catalogue.Which(organization=found.slug, gone=True)
    return _changes(which, pick(found.title, language())[0], f"organizations/{found.slug}")


@bp.get("/feeds/themes/<slug>.atom")
@bp.get("/feeds/group/<slug>.atom")
def of_theme(slug: str) -> Response:
    """What changed last of a theme."""
    found = groups.show(ANYONE, slug)
    which = catalogue.Which(theme=found.slug, gone=True)
    return _changes(which, pick(found.title, language())[0], f"themes/{found.slug}")


@bp.get("/feeds/tags/<path:tag>.atom")
@bp.get("/feeds/tag/<path:tag>.atom")
def of_tag(tag: str) -> Response:
    """What changed last of those with a tag."""
    return _found({"tag": [tag]}, tag, urlencode({"tag": tag}))


@bp.get("/feeds/search.atom")
@bp.get("/feeds/custom.atom")
def of_search() -> Response:
    """What changed last of those that a search finds; its parameters are those of the search page."""
    asked = request.args.to_dict(flat=False)
    words = " ".join(asked.get("q", ()))
    parameters = request.query_string.decode("utf-8", "replace")
    return _found({**asked, "sort": ["modified"]}, words, parameters)


@bp.get("/feeds/")
def feeds() -> ResponseReturnValue:
    """Who asks for the feeds gets the one of everything."""
    return redirect(f"{request.script_root}/feeds/datasets.atom")


def _changes(which: catalogue.Which, name: str, page: str) -> Response:
    return _feed(catalogue.newest(ANYONE, which, limit=ENTRIES), name, page)


def _found(asked: Mapping[str, Sequence[str]], name: str, parameters: str) -> Response:
    query: SearchQuery = search_query({**asked, "limit": [str(ENTRIES)]}, language())
    hits = search.find(ANYONE, query).hits
    ids = [hit.card["id"] for hit in hits if hit.card.get("type", "dataset") == "dataset"]
    page = f"datasets?{parameters}" if parameters else "datasets"
    return _feed(catalogue.named(ANYONE, ids), name, page)


def _feed(datasets: Sequence[Dataset], name: str, page: str) -> Response:
    """The feed in the reader's language; it is current until one of its datasets or their organizations changes."""
    known = [(one.id, one.updated_at, one.organization.updated_at) for one in datasets]
    tag = tag_of(language(), name, known)
    updated = max((one.updated_at for one in datasets), default=catalogue.BEGINNING)
    same = current(tag, updated)
    if same is not None:
        return same
    title = pick(titles(), language())[0]
    head = Feed(
        this_call(),
        f"{title} – {name}" if name else title,
        language(),
        updated,
        this_call(),
        f"{base()}/{language()}/{page}",
        author=title,
    )
    response = answer(feed_xml(head, _entries(datasets)), MEDIA_TYPE, tag, updated)
    response.vary.add("Accept-Language")
    return response


def _entries(datasets: Iterable[Dataset]) -> Iterator[str]:
    for dataset in datasets:
        if dataset.state == State.WITHDRAWN:
            yield _tombstone(dataset)
        else:
            yield _entry(dataset)


def _entry(dataset: Dataset) -> str:
    chosen = language()
    title, tag = pick(dataset.title, chosen)
    address = f"datasets/{dataset.slug}"
    return entry_xml(
        Entry(
            _id(dataset),
            title,
            tag,
            dataset.updated_at,
            dataset.published_at or dataset.created_at,
            f"{base()}/{chosen}/{address}",
            pick(dataset.organization.title, chosen)[0],
            pick(dataset.description, chosen)[0],
            f"{base()}/{address}.ttl",
            [*dataset.tags, *(pick(theme.title, chosen)[0] for theme in dataset.themes)],
        )
    )


def _tombstone(dataset: Dataset) -> str:
    """What was withdrawn (RFC 6721), with the reason."""
    when = stamp(dataset.withdrawn_at or dataset.updated_at)
    reason = pick(dataset.withdrawn_reason or {}, language())[0]
    comment = f"<at:comment>{plain(reason)}</at:comment>" if reason else ""
    return f'<at:deleted-entry ref="{_id(dataset)}" when="{when}">{comment}</at:deleted-entry>\n'


def _id(dataset: Dataset) -> str:
    return f"urn:uuid:{dataset.id}"
