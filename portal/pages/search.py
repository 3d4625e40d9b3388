"""The catalogue: search, facets, results."""

from __future__ import annotations

from dataclasses import replace

import orjson
from flask import Blueprint, Response, g, make_response, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from catalog.schemas.narrowing import Narrowing
from catalog.schemas.search import search_query
from catalog.search import SearchQuery
from catalog.search.facets import MOST_TEXT, SORTS
from catalog.services import groups, search
from portal import sidebar, suggestions
from portal.paging import PER_PAGE, Pages, address_with, asked_page

bp = Blueprint("search", __name__)
PAGING = frozenset(("page", "offset", "limit"))
"""Parameters that pages read themselves, or not at all."""


@bp.get("/datasets")
def show() -> Response:
    """A page of datasets under what was asked; htmx gets the tidy address to remember."""
    query, number = asked()
    page = search.find_or_browse(g.identity, query)
    narrowing = Narrowing.of(request.args)
    response = make_response(
        render_template(
            "search.html",
            query=query,
            page=page,
            pages=Pages.of(page.total, number),
            facets=sidebar.groups(query, page),
            chips=[*sidebar.chips(query), *sidebar.narrowed(narrowing)],
            narrowing=narrowing,
            meant=page.meant,
            meant_address=address_with(page=None, q=page.meant) if page.meant else "",
            sorts=SORTS,
            longest=MOST_TEXT,
            usual=_usual_sort(query.text),
            themes=groups.all(g.identity) if not page.total else [],
        )
    )
    if request.headers.get("HX-Request"):
        response.headers["HX-Push-Url"] = address_with(page=None, sort=_sort_in_address(query))
        response.vary.add("HX-Request")
    return response


@bp.get("/suggestions")
def suggest() -> Response:
    """What somebody who types in a search field may have in mind, for the page's script."""
    found = search.suggest(g.identity, request.args.get("q", ""), g.lang)
    response = make_response(orjson.dumps(suggestions.lines(found)))
    response.mimetype = "application/json"
    return response


@bp.get("/themes/<slug>")
def theme(slug: str) -> ResponseReturnValue:
    """A theme's datasets are the catalogue with the theme chosen."""
    found = groups.show(g.identity, slug)
    return redirect(url_for("search.show", theme=found.slug), 301)


def asked() -> tuple[SearchQuery, int]:
    """What the address asks for: the query and the number of the page."""
    number = asked_page()
    parameters = {name: values for name, values in request.args.lists() if name not in PAGING}
    query = search_query(parameters, g.lang)
    sort = _usual_sort(query.text) if query.sort == "relevance" else query.sort
    return replace(query, sort=sort, offset=(number - 1) * PER_PAGE, limit=PER_PAGE), number


def _usual_sort(text: str) -> str:
    """Without words nothing is more relevant than anything else."""
    return "relevance" if text else "modified"


def _sort_in_address(query: SearchQuery) -> str | None:
    return None if query.sort == _usual_sort(query.text) else query.sort
