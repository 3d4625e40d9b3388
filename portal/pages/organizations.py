"""Organizations: the list, and each with its datasets."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from catalog.search import SearchQuery
from catalog.services import organization_tree, organizations, search
from catalog.services.organization_tree import Node
from portal.filters import text
from portal.languages import gettext
from portal.paging import PER_PAGE, Pages, asked_page

bp = Blueprint("organizations", __name__)
LISTED = 60
"""Organizations on a page of the list."""


@bp.get("/organizations")
def index() -> str:
    """The organizations as they belong to each other: the city and its departments first, then others."""
    nodes = organization_tree.tree(organizations.all(g.identity))
    cards = list(_cards(nodes))
    number = asked_page()
    return render_template(
        "organizations/index.html",
        cards=cards[(number - 1) * LISTED : number * LISTED],
        pages=Pages.of(len(cards), number, LISTED),
    )


def _cards(nodes: Sequence[Node]) -> Iterator[Node]:
    """What has a card of its own: all but those that belong to a department, which stand in its card."""
    for node in nodes:
        yield node
        if node.organization.kind == "city":
            yield from _cards(node.children)


@bp.get("/organizations/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """An organization with what is above and below it, and its datasets, series and data services, the newest first."""
    organization = organizations.show(g.identity, slug)
    if organization.slug != slug:
        return redirect(url_for("organizations.show", slug=organization.slug), 301)
    number = asked_page()
    page = search.find_or_browse(
        g.identity,
        SearchQuery(
            filters={"organization": (organization.slug,)},
            sort="modified",
            offset=(number - 1) * PER_PAGE,
            limit=PER_PAGE,
            facets=False,
            language=g.lang,
        ),
    )
    return render_template(
        "organizations/show.html",
        organization=organization,
        line=[
            (gettext("Departments"), url_for("organizations.index")),
            *(
                (text(one.title), url_for("organizations.show", slug=one.slug))
                for one in reversed(organization_tree.above(organization))
            ),
        ],
        node=organizations.with_all_below(g.identity, organization),
        page=page,
        pages=Pages.of(page.total, number),
    )
