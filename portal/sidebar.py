"""Facets as the catalogue's page shows them: named values with counts, and what is chosen."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from flask_babel import gettext

from catalog.models.license import LICENSES
from catalog.models.text import pick
from catalog.search import SearchPage, SearchQuery
from catalog.search.facets import FACETS, Facet
from catalog.services import search
from portal.filters import lang_attr
from portal.languages import current
from portal.paging import address_without

OPEN_VALUES = 6
"""Values of a facet that are shown before “more”."""


@dataclass(frozen=True, slots=True)
class Value:
    """A value of a facet: how it is called, how many datasets have it, whether it is chosen."""

    value: str
    label: str
    lang: str
    count: int
    chosen: bool


@dataclass(frozen=True, slots=True)
class Group:
    """A facet with its values; `more` are those behind a fold."""

    name: str
    label: str
    values: tuple[Value, ...]
    more: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice and the address without it."""

    label: str
    lang: str
    facet: str
    address: str


def groups(query: SearchQuery, page: SearchPage) -> list[Group]:
    """The facets in their order; one without values is left out."""
    shown = []
    for facet in FACETS:
        values = tuple(_values(facet, query, page))
        if values:
            first = sum(1 for value in values if value.chosen)
            fold = max(OPEN_VALUES, first) if len(values) > OPEN_VALUES + 1 else len(values)
            shown.append(Group(facet.name, gettext(facet.label), values[:fold], values[fold:]))
    return shown


def chips(query: SearchQuery) -> list[Chip]:
    """What is chosen, each with the address without it."""
    return [
        Chip(label, lang, gettext(facet.label), address_without(facet.name, value))
        for facet in FACETS
        for value in query.filters.get(facet.name, ())
        for label, lang in (_label(facet, value),)
    ]


def _values(facet: Facet, query: SearchQuery, page: SearchPage) -> Iterator[Value]:
    """Chosen values first, so that none of them is behind the fold; closed lists keep their order."""
    counts = {bucket.value: bucket.count for bucket in page.facets.get(facet.name, ())}
    chosen = query.filters.get(facet.name, ())
    names = list(dict.fromkeys((*chosen, *counts)))
    if facet.values:
        names = [name for name in facet.values if name in names]
    for name in names:
        label, lang = _label(facet, name)
        yield Value(name, label, lang, counts.get(name, 0), name in chosen)


def _label(facet: Facet, value: str) -> tuple[str, str]:
    """How a value is called, and its `lang` attribute where that is another language."""
    if facet.values:
        return gettext(facet.values.get(value, value)), ""
    if facet.name == "license":
        return license_title(value), ""
    titles: Mapping[str, Mapping[str, str]] = search.labels().get(facet.name, {})
    texts = titles.get(value)
    if texts:
        return pick(texts, current())[0], str(lang_attr(texts))
    return value, ""


def license_title(license_id: str) -> str:
    """The name of a licence in the reader's language; an unknown one is called by its id."""
    known = LICENSES.get(license_id)
    if known is None:
        return license_id
    return known.title_zh if current() == "zh" else known.title_en
