"""Facets as the catalogue's page shows them: named values with counts, and what is chosen."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import NamedTuple

from flask import request
from markupsafe import Markup

from catalog.models.license import known
from catalog.models.text import pick
from catalog.schemas.narrowing import LABELS, Narrowing
from catalog.search import SearchPage, SearchQuery
from catalog.search.facets import FACETS, Facet
from catalog.search.regions import line_of, name_of
from catalog.services import search
from portal.filters import lang_attr
from portal.languages import current, gettext
from portal.paging import address_without

OPEN_VALUES = 6
"""Values of a facet that are shown before “more”."""
LISTED = 40
"""Values of a facet in all, the most frequent: reading on is slower than a word more. Organizations are listed whole."""


class Value(NamedTuple):
    """A value of a facet: how it is called, how many datasets have it, whether it is chosen.

    A page has two hundred of them: templates take them apart, which is quicker than asking for each part.
    """

    value: str
    label: str
    lang: Markup
    datasets: int
    chosen: bool
    level: int = 0
    """How many values of a tree it stands under."""


@dataclass(frozen=True, slots=True)
class Group:
    """A facet with its values; `more` are those behind a fold, a closed one is a fold itself."""

    name: str
    label: str
    values: tuple[Value, ...]
    more: tuple[Value, ...]
    closed: bool
    cut: bool = False
    """Whether there are values that are not listed."""


@dataclass(frozen=True, slots=True)
class Chip:
    """A choice and the address without it."""

    label: str
    lang: Markup
    facet: str
    address: str


def groups(query: SearchQuery, page: SearchPage) -> list[Group]:
    """The facets in their order; one without values is left out."""
    shown = []
    for facet in FACETS:
        names = _names(facet, query, page)
        values = tuple(_values(facet, query, page, names))
        if values:
            chosen = [at for at, value in enumerate(values, start=1) if value.chosen]
            fold = max(OPEN_VALUES, *chosen) if chosen else OPEN_VALUES
            fold = fold if len(values) > fold + 1 else len(values)
            closed = facet.folded and not chosen
            label = gettext(facet.label)
            cut = len(names) < len(page.facets.get(facet.name, ()))
            shown.append(Group(facet.name, label, values[:fold], values[fold:], closed, cut))
    return shown


def narrowed(narrowing: Narrowing) -> list[Chip]:
    """The place and the periods that are chosen, each with the address without it."""
    return [
        Chip(text, Markup(), gettext(LABELS[name]), address_without(name, request.args[name]))
        for name, text in narrowing.chosen().items()
    ]


def chips(query: SearchQuery) -> list[Chip]:
    """What is chosen, each with the address without it."""
    return [
        Chip(label, lang, gettext(facet.label), address_without(facet.name, value))
        for facet in FACETS
        for value in query.filters.get(facet.name, ())
        for label, lang in (_namer(facet)(value),)
    ]


def _names(facet: Facet, query: SearchQuery, page: SearchPage) -> list[str]:
    """Chosen values first, so that none of them is behind the fold; closed lists keep their order."""
    found = [bucket.value for bucket in page.facets.get(facet.name, ())]
    names = list(dict.fromkeys((*query.filters.get(facet.name, ()), *found)))
    if facet.values:
        return [name for name in facet.values if name in names]
    return names if facet.name == "organization" else names[:LISTED]


def _values(
    facet: Facet, query: SearchQuery, page: SearchPage, names: list[str]
) -> Iterator[Value]:
    counts = {bucket.value: bucket.count for bucket in page.facets.get(facet.name, ())}
    chosen = query.filters.get(facet.name, ())
    named = _namer(facet)
    for name, level in _tree(facet, names) if facet.tree else ((name, 0) for name in names):
        label, lang = named(name)
        yield Value(name, label, lang, counts.get(name, 0), name in chosen, level)


def _tree(facet: Facet, names: list[str]) -> list[tuple[str, int]]:
    """Each value below the nearest one that it belongs to, with how deep it stands there."""
    known = set(names)
    below: dict[str, list[str]] = {}
    above = _above_region if facet.name == "region" else partial(_above, search.parents())
    for name in names:
        parent = next((one for one in above(name) if one in known), "")
        below.setdefault(parent, []).append(name)
    ordered: list[tuple[str, int]] = []
    waiting = [(name, 0) for name in reversed(below.get("", []))]
    while waiting:
        name, level = waiting.pop()
        ordered.append((name, level))
        waiting.extend((child, level + 1) for child in reversed(below.get(name, ())))
    return ordered


def _above_region(code: str) -> list[str]:
    """The divisions that one lies in, the nearest first."""
    return [one for one in reversed(line_of(code)) if one != code]


def _above(parents: Mapping[str, str], value: str) -> list[str]:
    """What a value belongs to, the nearest first."""
    found: list[str] = []
    while value in parents and parents[value] not in found:
        value = parents[value]
        found.append(value)
    return found


def _namer(facet: Facet) -> Callable[[str], tuple[str, Markup]]:
    """Says how a value of the facet is called, and its `lang` attribute where that is another language."""
    plain, language = Markup(), current()
    if facet.values:
        return lambda value: (gettext(facet.values.get(value, value)), plain)
    if facet.name == "license":
        return lambda value: (license_title(value), plain)
    if facet.name == "region":
        chinese = lang_attr({"zh": "zh"})
        return lambda value: (name_of(value), chinese)
    titles: Mapping[str, Mapping[str, str]] = search.labels().get(facet.name, {})

    def named(value: str) -> tuple[str, Markup]:
        texts = titles.get(value)
        return (pick(texts, language)[0], lang_attr(texts)) if texts else (value, plain)

    return named


def license_title(license_id: str) -> str:
    """The name of a licence in the reader's language; an unknown one is called by its id."""
    found = known(license_id)
    if found is None:
        return license_id
    return found.title_zh if current() == "zh" else found.title_en
