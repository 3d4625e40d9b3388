"""The addresses of the catalogue and its datasets as RDF: by ending, or by what the caller accepts."""

from __future__ import annotations

import re

from flask import Flask, Response, redirect, request
from flask.typing import ResponseReturnValue

from api.feeds.answers import answer, base, bp, current, portal_of, public_dataset, tag_of, titles
from api.feeds.dcat import dataset_node, series_node
from api.feeds.dcat_catalogue import (
    Page,
    catalogue_nodes,
    interface_node,
    page_address,
    service_node,
)
from api.feeds.rdf import SYNTAXES
from catalog.errors import NotFound
from catalog.permissions import ANYONE
from catalog.services import catalogue

ENDINGS = "<any(ttl, jsonld, rdf, xml):ending>"
ACCEPTED = {
    "text/turtle": "ttl",
    "application/x-turtle": "ttl",
    "application/ld+json": "jsonld",
    "application/rdf+xml": "rdf",
}
PAGES = {"datasets.show", "root_datasets_of", "root_dataset_of"}
"""Endpoints of the page of a dataset."""
MOST_PAGES = 1_000_000
ID = re.compile(r"[0-9A-Za-z-]{0,36}")


def init_app(app: Flask) -> None:
    """Let the address of a dataset's page answer in RDF too."""
    app.before_request(negotiate)
    app.after_request(vary)


def negotiate() -> ResponseReturnValue | None:
    """Send who would rather have RDF than a page to the description (303: the page is no description of itself)."""
    if request.endpoint not in PAGES or request.method not in {"GET", "HEAD"}:
        return None
    ending = accepted(pages=True)
    if ending is None:
        return None
    slug = (request.view_args or {}).get("slug", "")
    response = redirect(f"{request.script_root}/datasets/{slug}.{ending}", 303)
    response.vary.add("Accept")
    return response


def vary(response: Response) -> Response:
    """Tell caches that the address of a page answers in several ways."""
    if request.endpoint in PAGES:
        response.vary.add("Accept")
    return response


def accepted(*, pages: bool) -> str | None:
    """The ending of the syntax that the caller likes best; None where a page is liked as much."""
    sent = request.headers.get("Accept", "")
    if not any(media in sent for media in ACCEPTED):
        return None
    offered = (["text/html"] if pages else []) + list(ACCEPTED)
    best = request.accept_mimetypes.best_match(offered)
    return ACCEPTED.get(best or "")


@bp.get("/catalog")
def negotiated() -> ResponseReturnValue:
    """The catalogue in the syntax that is asked for; Turtle where none is."""
    query = request.query_string.decode("utf-8", "replace")
    target = f"{request.script_root}/catalog.{accepted(pages=False) or 'ttl'}"
    response = redirect(f"{target}?{query}" if query else target, 303)
    response.vary.add("Accept")
    return response


@bp.get(f"/catalog.{ENDINGS}")
def page(ending: str) -> Response:
    """A page of the catalogue."""
    size = catalogue.size(ANYONE)
    number, after = _number(), _after()
    if number > size.pages and not after:
        raise NotFound("there is no page %(number)s of the catalogue", number=number)
    tag = tag_of(size)
    same = current(tag, size.changed)
    if same is not None:
        return same
    offset = (number - 1) * catalogue.PAGE
    found = catalogue.page(ANYONE, after=after, offset=0 if after else offset)
    services = catalogue.services(ANYONE, offset=offset)
    series = catalogue.series(ANYONE, offset=offset)
    portal = portal_of(found, [one.organization for one in services], series)
    here = Page(number, ending, size, after, found[-1].id if found else after)
    members = [
        *(dataset_node(one, portal, readable=catalogue.is_readable(ANYONE, one)) for one in found),
        *(series_node(one, portal) for one in series),
        *(service_node(one, portal) for one in services),
        *([interface_node(portal, titles())] if number == 1 else ()),
    ]
    syntax = SYNTAXES[ending]
    response = answer(
        syntax.write(catalogue_nodes(here, portal, titles(), members)),
        syntax.media_type,
        tag,
        size.changed,
    )
    if number < size.pages:
        following = page_address(here, portal, number + 1, here.last)
        response.headers["Link"] = f'<{following}>; rel="next"'
    return response


@bp.get(f"/datasets/<slug>.{ENDINGS}")
@bp.get(f"/dataset/<slug>.{ENDINGS}")
def dataset(slug: str, ending: str) -> ResponseReturnValue:
    """The description of a dataset."""
    found = public_dataset(slug)
    portal = portal_of([found])
    owners = [(one.id, one.updated_at) for one in portal.organizations.values()]
    made = [(*key, one.sha256) for key, one in portal.files.items()]
    beside = [
        sorted((one.id, one.updated_at) for one in portal.series.values()),
        sorted(portal.places.items()),
        sorted(portal.ends.items()),
    ]
    tag = tag_of(found.id, found.updated_at, sorted(owners), sorted(made), beside)
    same = current(tag, found.updated_at)
    if same is not None:
        return same
    node = dataset_node(found, portal, readable=catalogue.is_readable(ANYONE, found))
    syntax = SYNTAXES[ending]
    response = answer(syntax.write([node]), syntax.media_type, tag, found.updated_at)
    response.headers["Link"] = f'<{base()}/datasets/{found.slug}>; rel="describes"'
    return response


def _after() -> str:
    """The id behind which a page begins; it goes into the addresses of the next one."""
    text = request.args.get("after", "")
    if not ID.fullmatch(text):
        raise NotFound("there is no page %(number)s of the catalogue", number=text[:20])
    return text


def _number() -> int:
    text = request.args.get("page", "1")
    if not (text.isascii() and text.isdigit() and 0 < int(text[:8]) <= MOST_PAGES):
        raise NotFound("there is no page %(number)s of the catalogue", number=text[:20])
    return int(text[:8])
