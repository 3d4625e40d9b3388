"""What sources say of a dataset beyond the fields that all datasets have, in words for people."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from flask import Flask
from markupsafe import Markup, escape

from catalog.models.text import pick
from portal.filters import host, lang_attr, web
from portal.languages import current, lazy_gettext

LABELS = {
    "publisher": lazy_gettext("Publisher"),
    "identifier": lazy_gettext("Identifier at the source"),
    "uri": lazy_gettext("Address of the entry at the source"),
    "title_as_published": lazy_gettext("Title as published"),
    "categories": lazy_gettext("Categories at the source"),
    "period": lazy_gettext("Period as published"),
    "usage": lazy_gettext("Terms of use as published"),
    "access_constraints": lazy_gettext("Limits of access as published"),
    "maintainer_link": lazy_gettext("Page of the maintainer"),
    "version": lazy_gettext("Version"),
    "sources": lazy_gettext("Made from"),
    "name": lazy_gettext("Name at the source"),
    "collection": lazy_gettext("Collection"),
}
"""The keys of `extras` that the harvest formats write."""
PLACES = {"sws.geonames.org/2802361": lazy_gettext("Belgium")}
"""Names of areas that catalogues name by an address, without scheme and last slash."""
MOST_FURTHER = 100
LONGEST, LONGEST_ADDRESS = 2000, 80


@dataclass(frozen=True)
class Line:
    """A field of the source: how it is called and what it says."""

    label: str
    value: Markup


def init_app(app: Flask) -> None:
    """Give templates the filters."""
    app.jinja_env.filters.update(known_extras=known, further_extras=further, place=place)


def known(extras: Mapping[str, Any]) -> list[Line]:
    """The fields that have a name here, in one order for all datasets."""
    lines = ((label, shown(extras.get(key))) for key, label in LABELS.items())
    return [Line(str(label), value) for label, value in lines if value]


def further(extras: Mapping[str, Any]) -> list[Line]:
    """The other fields, under the names that the source gave them."""
    lines = ((key, shown(value)) for key, value in extras.items() if key not in LABELS)
    return [Line(key, value) for key, value in lines if value][:MOST_FURTHER]


def place(value: str) -> str:
    """The name of an area; one that is not known stays as it is."""
    name = PLACES.get(value.partition("://")[2].rstrip("/"))
    return str(name) if name else value


def shown(value: Any) -> Markup:
    """A value as people read it: addresses are links, lists are separated; nothing for what is empty."""
    if isinstance(value, Mapping):
        return _object(value)
    if isinstance(value, Sequence) and not isinstance(value, str):
        between = Markup("；") if current() == "zh" else Markup("; ")
        return between.join(_each(value))
    if value is None or isinstance(value, bool):
        return Markup()
    text = str(value)[:LONGEST]
    if web(text) != "#" and " " not in text:
        return _link(text, text)
    return escape(text)


def _each(values: Sequence[Any]) -> Iterator[Markup]:
    for value in values:
        words = shown(value)
        if words:
            yield words


def _object(value: Mapping[str, Any]) -> Markup:
    """Texts by language, or a thing with a title and an address."""
    title, address = value.get("title") or value.get("name"), value.get("path") or value.get("url")
    if title and address and web(str(address)) != "#":
        return _link(str(address), str(title))
    texts = {tag: text for tag, text in value.items() if isinstance(text, str)}
    if not texts:
        return Markup()
    return Markup("<span{}>{}</span>").format(lang_attr(texts), pick(texts, current())[0])


def _link(address: str, words: str) -> Markup:
    """A link; an address that is long is shortened to what people know of it."""
    if words == address and len(address) > LONGEST_ADDRESS:
        words = f"{host(address)}/…"
    return Markup('<a class="govuk-link" href="{}" rel="nofollow noopener">{}</a>').format(
        address, words
    )
