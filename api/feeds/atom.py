"""Atom feeds of what is new or has changed: all of it, or of an organization, a theme, a tag or a search."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING
from urllib.parse import urlencode

from flask import Response, redirect, request
from flask.typing import ResponseReturnValue

from api.answers import this_call
from api.feeds.answers import answer, base, bp, current, tag_of, titles
from api.feeds.things import plain, stamp
from api.identity import language
from catalog.models.text import pick
from catalog.models.vocabulary import State
from catalog.permissions import ANYONE
from catalog.schemas.search import search_query
from catalog.search import SearchQuery
from catalog.services import catalogue, groups, organizations, search

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset

ENTRIES = 50
NAMESPACES = 'xmlns="http://www.w3.org/2005/Atom" xmlns:at="http://purl.org/atompub/tombstones/1.0"'
MEDIA_TYPE = "application/atom+xml"


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
    """The feed in the reader's language; it is current until one of its datasets changes."""
    tag = tag_of(language(), [(one.id, one.updated_at) for one in datasets])
    updated = max((one.updated_at for one in datasets), default=catalogue.BEGINNING)
    same = current(tag, updated)
    if same is not None:
        return same
    title = pick(titles(), language())[0]
    head = _head(f"{title} – {name}" if name else title, page, updated)
    pieces = [head, *_entries(datasets), "</feed>\n"]
    response = answer("".join(pieces).encode(), MEDIA_TYPE, tag, updated)
    response.vary.add("Accept-Language")
    return response


def _head(title: str, page: str, updated: datetime) -> str:
    here = this_call()
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<feed {NAMESPACES} xml:lang="{language()}">\n'
        f"<id>{plain(here)}</id>\n<title>{plain(title)}</title>\n<updated>{stamp(updated)}</updated>\n"
        f'<link rel="self" type="{MEDIA_TYPE}" href="{plain(here)}"/>\n'
        f'<link rel="alternate" type="text/html" href="{plain(f"{base()}/{language()}/{page}")}"/>\n'
        f"<author><name>{plain(pick(titles(), language())[0])}</name></author>\n"
    )


def _entries(datasets: Iterable[Dataset]) -> Iterator[str]:
    for dataset in datasets:
        if dataset.state == State.WITHDRAWN:
            yield _tombstone(dataset)
        else:
            yield _entry(dataset)


def _entry(dataset: Dataset) -> str:
    chosen = language()
    title, tag = pick(dataset.title, chosen)
    about = pick(dataset.description, chosen)[0]
    owner = pick(dataset.organization.title, chosen)[0]
    page = f"{base()}/{chosen}/datasets/{dataset.slug}"
    subjects = [*dataset.tags, *(pick(theme.title, chosen)[0] for theme in dataset.themes)]
    return "".join(
        (
            f'<entry xml:lang="{tag}">\n<id>{_id(dataset)}</id>\n<title>{plain(title)}</title>\n',
            f"<updated>{stamp(dataset.updated_at)}</updated>\n",
            f"<published>{stamp(dataset.published_at or dataset.created_at)}</published>\n",
            f'<link rel="alternate" type="text/html" href="{page}"/>\n',
            f'<link rel="enclosure" type="text/turtle" href="{base()}/datasets/{dataset.slug}.ttl"/>\n',
            f"<author><name>{plain(owner)}</name></author>\n",
            *(f'<category term="{plain(term)}"/>\n' for term in subjects if term),
            f"<summary>{plain(about or title)}</summary>\n</entry>\n",
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
