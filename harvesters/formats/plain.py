"""What formats of other portals share: their options, and plain values in our words."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from marshmallow import Schema, fields, validate

from catalog.errors import Unreadable
from harvesters.declaration import LANGUAGE, load_from
from harvesters.markdown import link, markdown
from harvesters.terms import MEDIA_TYPES, day_of, format_of

CATEGORIES = {
    "arts": "culture",
    "boundaries": "planning",
    "budget": "economy",
    "economy": "economy",
    "business": "economy",
    "education": "education",
    "elections": "government",
    "government": "government",
    "environment": "environment",
    "food": "health",
    "health": "health",
    "parks": "culture",
    "planning": "planning",
    "public safety": "safety",
    "real estate": "planning",
    "transportation": "transport",
}
"""How a category starts → slug of our theme."""
LONGEST_TEXT = 100_000
MOST_TAGS = 200
MOST_RESOURCES = 2000
_NUMBER = re.compile(r"-?(\d+\.?\d*|\.\d+)(e-?\d+)?", re.IGNORECASE | re.ASCII)
_LABELS = ("prefLabel", "title", "name", "fn", "label", "display_name", "notation", "@value", "@id")


class PortalOptions(Schema):
    """What a source whose records are in one language may be told."""

    language = fields.String(
        load_default="en", validate=LANGUAGE, metadata={"description": "Language of the records"}
    )
    themes = fields.Dict(
        keys=fields.String(),
        values=fields.String(),
        load_default=dict,
        metadata={"description": "Category → slug of a theme, over the usual ones"},
    )
    content = fields.Boolean(
        data_key="load_files",
        load_default=False,
        metadata={"description": "Whether the linked files are fetched and their tables read"},
    )


class PagedOptions(PortalOptions):
    """What a source that is asked page by page may be told."""

    page_size = fields.Integer(
        load_default=100,
        validate=validate.Range(1, 1000),
        metadata={"description": "Records in an answer"},
    )


OPTIONS = ("language", "themes", "content")
"""What describing a record needs to know of its source."""


def known(options: Mapping[str, Any]) -> dict[str, Any]:
    """What goes with each record."""
    return {name: options[name] for name in OPTIONS}


def check_all_came(total: int, count: int) -> None:
    """Raise Unreadable where fewer records came than the source says that there are."""
    if count < total:
        raise Unreadable(
            "the source says that there are %(total)s records, but gave %(count)s",
            total=total,
            count=count,
        )


def line(value: Any) -> str:
    """The value as one line of text; of a thing, what it is called."""
    if isinstance(value, Mapping):
        return next(filter(None, (line(value.get(name)) for name in _LABELS)), "")
    if isinstance(value, list):
        return next(filter(None, map(line, value)), "")
    return " ".join(str(value).split()) if value is not None else ""


def lines(value: Any) -> list[str]:
    """The values of a list, or of one value, as lines without repetitions."""
    values = value if isinstance(value, list) else [value]
    return list(dict.fromkeys(filter(None, map(line, values))))


def listed(value: Any) -> list[Mapping[str, Any]]:
    """The things of a list, or the one thing that stands for it."""
    values = value if isinstance(value, list) else [value]
    return [entry for entry in values if isinstance(entry, Mapping)]


def tags(value: Any) -> list[str]:
    """Keywords, as many and as long as may be."""
    return list(dict.fromkeys(word[:100] for word in lines(value)))[:MOST_TAGS]


def texts(value: Any, language: str, longest: int = LONGEST_TEXT) -> dict[str, str]:
    """A text in the source's language, its HTML as Markdown; a template that nobody filled in is none."""
    text = markdown(value if isinstance(value, str) else "\n\n".join(lines(value)))
    if not text or re.fullmatch(r"\{\{.*\}\}", text):
        return {}
    return {language: text[:longest]}


def titles(value: Any, language: str, longest: int = 500) -> dict[str, str]:
    """A title in the source's language."""
    text = line(value)[:longest]
    return {language: text} if text else {}


def slug_of(name: str) -> str:
    """The name as our addresses are written."""
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:100].strip("-")


def themes(categories: Iterable[str], declared: Mapping[str, str]) -> list[str]:
    """Slugs of the themes that the categories belong to."""
    found = [declared.get(category) or _theme(category) for category in categories]
    return [slug for slug in dict.fromkeys(found) if slug]


def _theme(category: str) -> str:
    lower = category.lower()
    return next((slug for start, slug in CATEGORIES.items() if lower.startswith(start)), "")


def contact(name: str, mail: str) -> str:
    """A person or body with its address, as our contacts are written."""
    return " ".join(filter(None, (name, f"<{mail}>" if mail and name else mail)))[:500]


def mail_of(value: Any) -> str:
    """A mail address without what links put before it, or nothing."""
    text = line(value)
    plain = re.sub(r"^mailto:\s*", "", text, flags=re.IGNORECASE)
    return plain[:254] if re.fullmatch(r"[^@\s]+@[^@\s]+", plain) else ""


def box_of(text: str) -> list[float]:
    """West, south, east, north from “-84.3,39.1,-83.9,39.4”, or nothing."""
    edges = re.split(r"\s*[\s,]\s*", text.strip())
    if len(edges) != 4 or not all(map(_NUMBER.fullmatch, edges)):
        return []
    west, south, east, north = (round(float(edge), 6) for edge in edges)
    inside = max(abs(west), abs(east)) <= 180 and -90 <= south <= north <= 90
    return [west, south, east, north] if inside else []


def period(start: Any, end: Any) -> dict[str, str]:
    """`temporal_start` and `temporal_end`; an end before the start is left out."""
    first, last = day_of(line(start)), day_of(line(end))
    return {"temporal_start": first, "temporal_end": last if not first or last >= first else ""}


def kept(values: Mapping[str, Any]) -> dict[str, Any]:
    """What says anything."""
    return {key: value for key, value in values.items() if value not in (None, "", [], {}, ())}


def resource(said: Mapping[str, Any], body: Mapping[str, Any], version: str = "") -> dict[str, Any]:
    """A resource from `key`, `title`, `description`, `format`, `media`, `url` and `size`, the first four as they are there."""
    language, url = body["language"], link(said.get("url"))
    media = line(said.get("media")).lower()
    kind = format_of(line(said.get("format")) or media)
    title = line(said.get("title")) or kind or "File"
    made: dict[str, Any] = {
        "key": line(said.get("key")),
        "title": {language: title[:1000]},
        "description": texts(said.get("description"), language, 20_000),
        "format": kind,
        "media_type": MEDIA_TYPES.get(kind, "")
        or (media if re.fullmatch(r"[\w.+-]+/[\w.+-]+", media) and len(media) <= 100 else ""),
        "url": url,
    }
    size = str(said.get("size") or "").partition(".")[0]
    if size.isascii() and size.isdigit() and 0 < len(size) < 16:
        made["size"] = int(size)
    if body["content"] and url and kind in MEDIA_TYPES:
        made["load"] = load_from({}, {"url": url}, version)
    return made


def keyed(resources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The resources, each with a key of its own: its title, with its address where several are called so, at last with a number."""
    made = list(resources)
    named = Counter(_name(one) for one in made)
    for one in made:
        name = _name(one)
        one["key"] = one["key"] or (name if named[name] == 1 else f"{name} {one['url']}".strip())
    return unique(made)


def unique(resources: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    """The resources, as many as may be; keys that occur again get a number."""
    made, counts = list(resources)[:MOST_RESOURCES], Counter[str]()
    for one in made:
        key = one["key"][:480]
        counts[key] += 1
        one["key"] = key if counts[key] == 1 else f"{key} ({counts[key]})"
    return made


def _name(one: Mapping[str, Any]) -> str:
    title: str = next(iter(one["title"].values()))
    return title if one["format"] in {"", title.upper()} else f"{title} {one['format']}"
