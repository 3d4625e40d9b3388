"""The readable documentation of the API, with examples that work on this portal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from flask import Blueprint, current_app, g, render_template

from catalog.errors import CatalogError
from catalog.search import SearchQuery
from catalog.search.facets import FACETS, Facet
from catalog.services import datasets, search
from portal.site import Site

if TYPE_CHECKING:
    from catalog.models.table import DataTable

bp = Blueprint("developers", __name__)

PLANS = ("anonymous", "basic", "extended")


@dataclass(frozen=True)
class Example:
    """A table of this portal that the examples read: its id and the quoted names of two columns."""

    table: str = "TABLE_ID"
    column: str = "station"
    number: str = '"PM2.5"'


@bp.get("/developers")
def show() -> str:
    """Keys, limits, errors, endpoints and how to ask."""
    settings = current_app.extensions["weft"]["settings"]
    return render_template(
        "developers/show.html",
        api=f"{Site().origin()}/api/v1",
        example=example(),
        limits={plan: getattr(settings, f"limit_{plan}") for plan in PLANS},
        facets=FACETS,
        facet_hint=facet_hint,
    )


def facet_hint(facet: Facet) -> str:
    """The closed list of values of a facet, if it has one."""
    return ", ".join(facet.values)


def example() -> Example:
    """A table of one of the most used datasets; a made-up one on an empty portal."""
    try:
        page = search.find(g.identity, SearchQuery(sort="uses", limit=10, facets=False))
        for hit in page.hits:
            if hit.card["tables"] and hit.card["access"] == "open":
                dataset = datasets.show(g.identity, hit.id)
                return _example_of([table for part in dataset.resources for table in part.tables])
    except CatalogError:
        return Example()  # the documentation is readable also while an engine is down
    return Example()


def _example_of(tables: list[DataTable]) -> Example:
    largest = max(tables, key=lambda table: table.rows)
    texts = [column.name for column in largest.columns if column.type == "string"]
    numbers = [column.name for column in largest.columns if column.type in ("integer", "number")]
    names = [column.name for column in largest.columns]
    if not names:
        return Example(largest.id)
    return Example(largest.id, quoted((texts or names)[0]), quoted((numbers or names)[-1]))


def quoted(name: str) -> str:
    """The name as `where` takes it."""
    if name.isidentifier() and name.isascii():
        return name
    return '"' + name.replace('"', '""') + '"'
