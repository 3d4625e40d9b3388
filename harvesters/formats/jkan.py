"""A JKAN catalogue: a folder of Markdown files with YAML front matter, one dataset a file."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import date, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any, ClassVar

import yaml
from marshmallow import Schema, fields

from catalog.errors import CatalogError, Invalid, NotFound, Unreadable
from harvesters.declaration import LANGUAGE, load_from, titled
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Http
from harvesters.terms import MEDIA_TYPES, format_of, frequency_of, license_of, moment_of

LARGEST_FILE = 2_000_000
MOST_ALIASES = 50
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


class JKANOptions(Schema):
    """What a source of the kind `jkan` may be told."""

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


class JKAN:
    """A format: front matter describes, links are resources."""

    kind = "jkan"
    options: ClassVar[type[Schema]] = JKANOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """One record a Markdown file; a file that cannot be read is a record with its error."""
        folder = _folder(source, http)
        for name in http.folders.names(folder):
            if not name.lower().endswith((".md", ".markdown")):
                continue
            http.beat()
            key = name.rpartition(".")[0]
            try:
                front = _front_matter(http.folders.below(folder, name))
            except CatalogError as error:
                yield Record(key, {"file": name}, error)
                continue
            yield Record(key, {"file": name, "front": front, **source.options})

    def describe(self, record: Record) -> dict[str, Any]:
        """The front matter in our words; what has no place is kept in `extras`."""
        front, language = record.body["front"], record.body["language"]
        license_id, license_text = license_of(_line(front.get("license")))
        dataset = {
            "title": _texts(front.get("title") or _titled(record.key), language),
            "description": _texts(markdown(str(front.get("notes") or "")), language),
            "slug": _slug(record.key),
            "license": license_id,
            "license_text": license_text,
            "frequency": frequency_of(_line(front.get("modified"))),
            "tags": _list(front.get("tags")),
            "themes": _themes(_list(front.get("category")), record.body["themes"]),
            "landing_page": _web(front.get("source")),
            "contact": _line(front.get("maintainer"))[:500],
            "spatial": _line(front.get("area_of_interest"))[:500],
            "issued": moment_of(_line(front.get("created"))),
            "modified": moment_of(_line(front.get("modified")))
            or moment_of(_line(front.get("metadata_modified"))),
            "extras": _extras(front),
            "resources": _resources(front, record.body),
        }
        return {key: value for key, value in dataset.items() if value}

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """The linked file."""
        return Files([http.download(load["part"]["url"], into)])


def _folder(source: Source, http: Http) -> Path:
    folder = http.folders.place(source.url)
    if not folder.is_dir():
        raise NotFound("%(path)s is no folder", path=source.url)
    inner = folder / "_datasets"
    return inner if inner.is_dir() else folder


class _Loader(yaml.SafeLoader):
    """Safe YAML without the tricks that make a small file large."""

    aliases = 0

    def compose_node(self, parent: Any, index: Any) -> Any:
        if self.check_event(yaml.AliasEvent):
            self.aliases += 1
            if self.aliases > MOST_ALIASES:
                raise Unreadable("the front matter repeats itself too often")
        return super().compose_node(parent, index)


def _front_matter(path: Path) -> dict[str, Any]:
    if path.stat().st_size > LARGEST_FILE:
        raise Unreadable(
            "%(name)s is larger than %(limit)s bytes", name=path.name, limit=LARGEST_FILE
        )
    try:
        text = path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("%(name)s is not written in UTF-8", name=path.name) from error
    found = re.match(r"---[ \t]*\r?\n(.*?)^---[ \t]*$", text, re.DOTALL | re.MULTILINE)
    if not found:
        raise Unreadable("%(name)s has no front matter", name=path.name)
    try:
        front = _plain(yaml.load(found[1], _Loader))  # noqa: S506 # a subclass of SafeLoader
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable("the front matter of %(name)s is no YAML", name=path.name) from error
    if not isinstance(front, dict):
        raise Unreadable("the front matter of %(name)s is no list of fields", name=path.name)
    return front


def _plain(value: Any, depth: int = 0) -> Any:
    """The value as JSON can hold it."""
    if depth > 20:
        raise Unreadable("the front matter is nested too deeply")
    if isinstance(value, dict):
        return {str(key): _plain(inner, depth + 1) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner, depth + 1) for inner in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise Unreadable("the front matter holds values that are no text, number or date")


def _line(value: Any) -> str:
    return " ".join(str(value).split()) if value not in (None, [], {}) else ""


def _list(value: Any) -> list[str]:
    values = value if isinstance(value, list) else [value]
    return [_line(entry)[:100] for entry in values if _line(entry)]


def _texts(text: Any, language: str) -> dict[str, str]:
    return {language: str(text).strip()} if text and str(text).strip() else {}


def _titled(key: str) -> str:
    """A readable title of a record's name: `creal-program` is the “Creal program”."""
    words = titled(key)
    if " " not in words:
        words = words.replace("-", " ")
    return words[:1].upper() + words[1:]


def _slug(key: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", key.lower()).strip("-")[:100].strip("-")


def _themes(categories: list[str], declared: Mapping[str, str]) -> list[str]:
    found = [declared.get(category) or _theme(category) for category in categories]
    return [slug for slug in dict.fromkeys(found) if slug]


def _theme(category: str) -> str:
    lower = category.lower()
    return next((slug for start, slug in CATEGORIES.items() if lower.startswith(start)), "")


def _web(value: Any) -> str:
    """A web address without blanks, or nothing."""
    text = re.sub(r"\s", "%20", str(value or "").strip())
    return text if re.match(r"https?://[^/]", text) else ""


def _extras(front: Mapping[str, Any]) -> dict[str, Any]:
    kept = {
        "publisher": front.get("organization"),
        "categories": front.get("category"),
        "period": front.get("time_period"),
        "usage": front.get("usage"),
        "access_constraints": front.get("access_constraints"),
        "maintainer_link": front.get("maintainer_link"),
    }
    return {key: value for key, value in kept.items() if value}


def _resources(front: Mapping[str, Any], body: Mapping[str, Any]) -> list[dict[str, Any]]:
    stated = front.get("resources") or []
    if not isinstance(stated, list):
        raise Invalid("the field “resources” is no list")
    made = [_resource(entry, body) for entry in stated if isinstance(entry, dict)]
    counts: dict[str, int] = {}
    for resource in made:
        counts[resource["key"]] = counts.get(resource["key"], 0) + 1
        if counts[resource["key"]] > 1:
            resource["key"] = f"{resource['key'][:480]} ({counts[resource['key']]})"
    return made


def _resource(entry: Mapping[str, Any], body: Mapping[str, Any]) -> dict[str, Any]:
    language, url, kind = (
        body["language"],
        _web(entry.get("url")),
        format_of(_line(entry.get("format"))),
    )
    title = _line(entry.get("name")) or kind or "File"
    resource: dict[str, Any] = {
        "key": f"{title} {url}"[:490],
        "title": {language: title[:1000]},
        "description": _texts(markdown(str(entry.get("description") or "")), language),
        "format": kind,
        "media_type": MEDIA_TYPES.get(kind, ""),
        "url": url,
    }
    if body["content"] and url and kind in MEDIA_TYPES:
        resource["load"] = load_from({}, {"url": url}, "")
    return resource


_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
_BLOCKS = {
    "p": "\n\n",
    "div": "\n\n",
    "ul": "\n\n",
    "ol": "\n\n",
    "br": "\n\n",
    "h1": "\n\n",
    "h2": "\n\n",
}
_BLOCKS |= {"h3": "\n\n", "h4": "\n\n", "li": "\n- ", "tr": "\n"}


class _Markdown(HTMLParser):
    """Writes the HTML in a text as Markdown and leaves the rest as it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._targets: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "a":
            self._targets.append(_web(dict(attrs).get("href")))
            self.parts.append("[" if self._targets[-1] else "")
        else:
            self.parts.append(_MARKS.get(tag) or _BLOCKS.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._targets:
            target = self._targets.pop()
            self.parts.append(f"]({target})" if target else "")
        else:
            self.parts.append(_MARKS.get(tag) or ("\n\n" if tag in _BLOCKS and tag != "li" else ""))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def markdown(text: str) -> str:
    """The text as Markdown: tags that it holds are written as Markdown, scripts are dropped."""
    text = re.sub(r"<(https?://[^\s<>]+)>", r"[\1](\1)", text)
    if not re.search(r"</?[a-zA-Z][^>]*>|&\w+;", text):
        return text.strip()
    writer = _Markdown()
    writer.feed(text)
    writer.close()
    return re.sub(r"[ \t]*\n[ \t]*\n\s*", "\n\n", "".join(writer.parts)).strip()
