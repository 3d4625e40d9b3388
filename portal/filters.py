"""What templates say about values: texts, numbers, moments, sizes, Markdown; fast, since pages have many."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from urllib.parse import urlsplit

import nh3
from babel import Locale, UnknownLocaleError
from flask import Flask
from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup, escape

from catalog.errors import N_
from catalog.models.text import pick
from catalog.permissions import SCHEDULER
from catalog.schemas.sentences import take_apart
from catalog.search.highlight import highlight
from portal.dates import ago, format_date, format_moment, time_element
from portal.escaping import put
from portal.languages import HTML_LANGUAGES, current, gettext

UNITS = ("B", "kB", "MB", "GB", "TB")
THEME_ICONS = frozenset(
    (
        "people", "environment", "health", "map", "government", "economy", "education", "transport", "culture",
        "safety", "agriculture", "energy", "housing", "science", "calendar", "world", "justice", "tourism",
        "budget", "city",
    )
)  # fmt: skip
"""Drawings of themes in assets/images/icons.svg."""
NOTHING = Markup()
HARVEST = "harvest of "
REASONS = {
    "insert": N_("rows inserted"),
    "upsert": N_("rows inserted or updated"),
    "update": N_("rows updated"),
    "rows deleted": N_("rows deleted"),
    "columns changed": N_("columns changed"),
    "table made": N_("table made"),
}
"""What the portal writes where nobody gave a reason."""
TAGS = {
    "a", "b", "blockquote", "br", "code", "del", "em", "h3", "h4", "h5", "h6", "hr", "i", "li", "ol", "p",
    "pre", "strong", "sub", "sup", "table", "tbody", "td", "th", "thead", "tr", "ul",
}  # fmt: skip


def init_app(app: Flask) -> None:
    """Give the filters to all templates."""
    app.jinja_env.filters.update(
        text=text,
        lang_attr=lang_attr,
        text_tag=text_tag,
        language_name=language_name,
        number=number,
        compact=compact,
        date=format_date,
        moment=format_moment,
        time=time_element,
        ago=ago,
        filesize=filesize,
        markdown=markdown,
        sentence=sentence,
        why=why,
        maker=maker,
        field_sentences=field_sentences,
        icon_name=icon_name,
        plain=plain,
        highlight=marked,
        web=web,
        host=host,
        contact=contact,
        limits=limits,
    )


def text(texts: Mapping[str, str] | None) -> str:
    """The text in the reader's language, or in the best one there is."""
    return pick(texts, current())[0] if texts else ""


def text_tag(texts: Mapping[str, str] | None) -> str:
    """The language of the text that `text` chooses."""
    return pick(texts, current())[1] if texts else ""


def lang_attr(texts: Mapping[str, str] | None) -> Markup:
    """` lang="nl"` where the chosen text is not in the language of the page."""
    if not texts:
        return NOTHING
    tag = pick(texts, current())[1]
    return NOTHING if tag == current() else _lang_attr(tag)


@lru_cache(maxsize=256)
def _lang_attr(tag: str) -> Markup:
    return Markup(' lang="{}"').format(HTML_LANGUAGES.get(tag, tag))


def language_name(tag: str) -> str:
    """The own name of a language; a machine translation is called one."""
    name = _own_name(tag.partition("-t-")[0])
    if "-t-" not in tag:
        return name
    return str(gettext("%(language)s (machine translation)", language=name))


@lru_cache(maxsize=256)
def _own_name(tag: str) -> str:
    try:
        name = Locale.parse(tag, sep="-").get_display_name()
    except (UnknownLocaleError, ValueError):
        return tag
    return (name or tag)[:1].upper() + (name or tag)[1:]


def number(value: float | None) -> str:
    """Thousands are grouped by commas in both languages."""
    return "" if value is None else f"{value:,}"


def compact(value: int) -> str:
    """A large number in few characters, for figures: 14万 in Chinese, 140K in English."""
    steps = (
        ((10**8, "亿"), (10**4, "万"))
        if current() == "zh"
        else ((10**9, "B"), (10**6, "M"), (10**3, "K"))
    )
    for size, sign in steps:
        if value >= max(size, 100_000):
            digits = 0 if value >= size * 100 else 1 if value >= size * 10 else 2
            shown = f"{value / size:,.{digits}f}"
            return (shown.rstrip("0").rstrip(".") if digits else shown) + sign
    return f"{value:,}"


def filesize(value: int | None) -> str:
    """Bytes in decimal units, as people see them on disks and in downloads."""
    if value is None:
        return ""
    size, unit = float(value), 0
    while size >= 999.5 and unit < len(UNITS) - 1:
        size, unit = size / 1000, unit + 1
    digits = 0 if unit == 0 or size >= 99.5 else 1
    return f"{size:.{digits}f}".removesuffix(".0") + f" {UNITS[unit]}"


def why(reason: str) -> str:
    """The reason of a release; those that the portal writes itself are told in the reader's language."""
    if reason.startswith(HARVEST):
        return str(gettext("harvest of %(source)s", source=reason.removeprefix(HARVEST)))
    return str(gettext(REASONS[reason])) if reason in REASONS else reason


def maker(name: str) -> str:
    """Who made a release; the portal itself has a name in the reader's language."""
    return str(gettext("the portal")) if name == SCHEDULER.name else name


def sentence(problem: Mapping[str, object] | None) -> str:
    """The sentence of a stored problem: `{"message": msgid, "context": {…}}`, translated and filled."""
    if not problem or not problem.get("message"):
        return ""
    context = problem.get("context")
    return fill(str(problem["message"]), context if isinstance(context, Mapping) else None)


def field_sentences(problem: Mapping[str, object] | None) -> list[tuple[str, str]]:
    """The problems by field that are kept with an error, translated: (field, sentence)."""
    problems = (problem or {}).get("problems")
    return list(_walk("", problems)) if isinstance(problems, Mapping) else []


def _walk(name: str, value: object) -> Iterator[tuple[str, str]]:
    if isinstance(value, Mapping):
        for key, inner in value.items():
            label = "" if key == "_schema" else str(key)
            yield from _walk(f"{name}.{label}" if name and label else name or label, inner)
    elif isinstance(value, list | tuple):
        for inner in value:
            yield from _walk(name, inner)
    else:
        yield name, fill(*take_apart(str(value)))


def fill(message: str, context: Mapping[str, object] | None) -> str:
    """A msgid translated, its places filled, as a sentence; one that does not fit stays as it is."""
    words = str(gettext(message)) if message else ""
    if not _NAME.match(words):
        words = words[:1].upper() + words[1:]  # before values are in it: names keep their letters
    with contextlib.suppress(KeyError, TypeError, ValueError):
        if context:
            words = words % {name: _said(value) for name, value in context.items()}
    return _closed(words)


_NAME = re.compile(r"[\w+-]+://|[^\s/]+\.\w")
"""An address or the name of a file: its letters stay as they are."""


def _said(value: object) -> object:
    """A sentence inside of a sentence is translated too."""
    return sentence(value) if isinstance(value, Mapping) else value


def _closed(words: str) -> str:
    """With a full stop: messages of errors have none."""
    if not words or words[-1] in ".。!！?？…":
        return words
    return words + ("。" if current() == "zh" else ".")


_MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])


def markdown(source: str | None) -> Markup:
    """Markdown or simple HTML of a publisher as safe HTML; headings start below those of the page."""
    return _rendered(source) if source else Markup()


@lru_cache(maxsize=2048)
def _rendered(source: str) -> Markup:
    tokens = _MARKDOWN.parse(source)
    for token in tokens:
        _lower(token)
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    clean = nh3.clean(
        html,
        tags=TAGS,
        attributes={"a": {"href"}, "ol": {"start"}},
        url_schemes={"http", "https", "mailto"},
        link_rel="nofollow noopener",
    )
    return Markup(clean)  # noqa: S704 # nh3 has just cleaned it


def _lower(token: Token) -> None:
    if token.type in ("heading_open", "heading_close"):
        token.tag = f"h{min(6, int(token.tag[1]) + 2)}"


def icon_name(name: str) -> str:
    """The drawing of a theme; a name without one gets a plain drawing."""
    return name if name in THEME_ICONS else "layers"


_MARKS = re.compile(
    r"<[^>]{0,500}>|^#{1,6}\s+|^\s*[-+]\s+|[*`]+|(?<!\w)_{1,3}(?=\S)|(?<=\S)_{1,3}(?!\w)",
    re.MULTILINE,
)
_LINKS = re.compile(r"!?\[([^\]]{0,300})\]\([^)]{0,2000}\)")


@lru_cache(maxsize=4096)
def plain(source: str) -> str:
    """The words of a short Markdown text, for cards; what is left is escaped by the template."""
    words = _MARKS.sub("", _LINKS.sub(r"\1", source))
    return " ".join(words.replace(" ## ", " ").replace(" - ", " ").split())


def marked(words: str, asked: str) -> Markup:
    """The text with what the search has found in `<mark>`."""
    if not asked:
        return escape(words)
    parts = ((put(part), found) for part, found in highlight(words, asked))
    return Markup("".join(f"<mark>{part}</mark>" if found else part for part, found in parts))  # noqa: S704 # each was escaped


def web(address: str) -> str:
    """An address for a link: only of the web, so that none runs a script."""
    return address if address.lower().startswith(("http://", "https://", "ftp://")) else "#"


def host(address: str) -> str:
    """The part of an address that people know."""
    try:
        return urlsplit(address).hostname or address
    except ValueError:
        return address


_MAIL = re.compile(r"[^@\s<>\"',;:()]{1,100}@[\w.-]{1,200}\w")


def contact(value: str) -> Markup:
    """A text with its e-mail address as a link, or an address of the web as a link."""
    if web(value) != "#" and " " not in value:
        return Markup('<a class="govuk-link" href="{}" rel="nofollow noopener">{}</a>').format(
            value, host(value)
        )
    found = _MAIL.search(value)
    if found is None:
        return escape(value)
    mail = found.group()
    link = Markup('<a class="govuk-link" href="mailto:{0}">{0}</a>').format(mail)
    return escape(value[: found.start()]) + link + escape(value[found.end() :])


def limits(value: str) -> str:
    """Limits such as `60/minute;3000/day` in words."""
    words = {
        "second": gettext("per second"),
        "minute": gettext("per minute"),
        "hour": gettext("per hour"),
        "day": gettext("per day"),
    }
    said = []
    for part in value.replace(",", ";").split(";"):
        count, _, unit = part.strip().partition("/")
        said.append(
            f"{number(int(count))} {words.get(unit, unit)}" if count.isdecimal() else part.strip()
        )
    return ("；" if current() == "zh" else ", ").join(said)
