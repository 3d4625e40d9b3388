"""Addresses that stay, and the texts that cite what is under them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from flask import current_app, g, request

from catalog.schemas.citation import citation_texts
from catalog.services import tables
from catalog.tabular.where_text import order_text, where_text
from portal.dates import local
from portal.site import Site

if TYPE_CHECKING:
    from portal.table_page.page import TablePage


class CiteForm:
    """What will be cited: the release, the filters, the columns and the order."""

    def __init__(self, page: TablePage) -> None:
        self.page = page
        as_of = request.args.get("as_of") or None
        where = page.conditions.where
        self.release = tables.release_as_of(g.identity, page.table.id, as_of)
        self.matching = tables.count(g.identity, page.table.id, where, as_of=as_of)
        self.columns = [
            (column.name, page.label(column.name), column.name not in page.grid.hidden)
            for column in tables.columns(g.identity, page.table.id, None, as_of=as_of)
        ]
        self.where = where_text(where) if where else ""
        self.order = order_text(page.grid.order_by(page.columns))


def permanent(path: str) -> str:
    """The whole address of something that stays, without a language."""
    return f"{Site().origin()}{request.script_root}{path}"


def citation_of(dataset: Any, number: int, made_at: datetime, address: str) -> dict[str, str]:
    """The texts that cite a release or a query on it."""
    settings = current_app.extensions["weft"]["settings"]
    return citation_texts(
        publisher=dataset.organization.title,
        title=dataset.title,
        site={"zh": settings.site_title_zh, "en": settings.site_title_en},
        number=number,
        made_at=local(made_at),
        today=local(datetime.now(UTC)),
        url=address,
    )
