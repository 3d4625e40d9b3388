"""Suggestions as the search field lists them: what each is, and where it leads."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlencode

from flask import url_for

from catalog.search import Suggestion
from catalog.search.facets import FACET_BY_NAME
from portal.languages import gettext

PLACES = {"dataset": "datasets", "series": "series", "service": "services"}
"""Type of an item → first part of its address."""


def lines(found: Iterable[Suggestion]) -> list[dict[str, str]]:
    """For each its text, its kind in the reader's language (none for a dataset), and its address."""
    return [{"text": one.text, "kind": _kind(one), "address": _address(one)} for one in found]


def _kind(one: Suggestion) -> str:
    if one.kind != "title":
        return str(gettext(FACET_BY_NAME[one.kind].label))
    return str(gettext(FACET_BY_NAME["type"].values[one.type])) if one.type != "dataset" else ""


def _address(one: Suggestion) -> str:
    catalogue = str(url_for("search.show"))
    if one.kind == "title":
        home = catalogue.removesuffix("datasets")
        return f"{home}{PLACES.get(one.type, 'datasets')}/{one.value}"
    return f"{catalogue}?{urlencode({one.kind: one.value})}"
