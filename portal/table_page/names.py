"""What tables are called beside each other: by their titles, and by their parts where titles are the same."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING

from flask import Flask

from portal.filters import text

if TYPE_CHECKING:
    from catalog.models.table import DataTable


def init_app(app: Flask) -> None:
    """Give the names of a resource's tables to all templates."""
    app.jinja_env.filters["called"] = called


def with_part(title: str, part: str) -> str:
    """The title of one of several tables, with the sheet or member that it is; not twice when they are alike."""
    return title if title.casefold() == part.casefold() else f"{title} · {part}"


def called(tables: Sequence[DataTable]) -> list[str]:
    """The names of a resource's tables in a list of them, no two the same."""
    titles = [text(table.title) or table.key for table in tables]
    counted = Counter(titles)
    return [
        with_part(title, table.key) if counted[title] > 1 else title
        for title, table in zip(titles, tables, strict=True)
    ]
