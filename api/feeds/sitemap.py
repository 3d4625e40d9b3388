"""Maps of the site for search engines, and how browsers search it (OpenSearch)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import datetime
from html import escape

from flask import Response, stream_with_context

from api.feeds.answers import answer, base, bp, current, tag_of, titles
from api.identity import language
from catalog.errors import NotFound
from catalog.models.text import pick
from catalog.permissions import ANYONE
from catalog.schemas.atom import stamp
from catalog.services import catalogue, organizations

LANGUAGES = {"zh": "zh-Hans", "en": "en"}
"""Language of the address → language tag of the page."""
EACH = 10_000
"""Datasets in a map: with two languages 20,000 addresses and some 15 MB, of 50,000 and 50 MB that may be."""
BATCH = 1000
PLACES = ("", "datasets", "organizations", "developers", "about")
"""Pages without a dataset."""
SPACES = (
    'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:xhtml="http://www.w3.org/1999/xhtml"'
)
HEAD = '<?xml version="1.0" encoding="UTF-8"?>\n'


@bp.get("/sitemap.xml")
def index() -> Response:
    """The map of the maps."""
    size = catalogue.size(ANYONE)
    tag = tag_of(size)
    same = current(tag, size.changed)
    if same is not None:
        return same
    names = ["pages", *map(str, range(1, -(-size.datasets // EACH) + 1))]
    lines = [
        f"<sitemap><loc>{base()}/sitemaps/{name}.xml</loc><lastmod>{stamp(size.changed)}</lastmod></sitemap>\n"
        for name in names
    ]
    body = f"{HEAD}<sitemapindex {SPACES.partition(' ')[0]}>\n{''.join(lines)}</sitemapindex>\n"
    return answer(body.encode(), "application/xml", tag, size.changed)


@bp.get("/sitemaps/pages.xml")
def pages() -> Response:
    """The pages that are no datasets."""
    size = catalogue.size(ANYONE)
    paths = [
        *PLACES,
        *(f"organizations/{one.slug}" for one, _ in organizations.all(ANYONE)),
    ]
    tag = tag_of(size, paths)
    same = current(tag, size.changed)
    if same is not None:
        return same
    body = f"{HEAD}<urlset {SPACES}>\n{_places((path, None) for path in paths)}</urlset>\n"
    return answer(body.encode(), "application/xml", tag, size.changed)


@bp.get("/sitemaps/<int(max=100000):number>.xml")
def datasets(number: int) -> Response:
    """A map of datasets, sent while it is read."""
    size = catalogue.size(ANYONE)
    if not 1 <= number <= -(-size.datasets // EACH):
        raise NotFound("there is no map %(number)s of this site", number=number)
    tag = tag_of(size)
    same = current(tag, size.changed)
    if same is not None:
        return same
    pieces = stream_with_context(_map((number - 1) * EACH))
    return answer(pieces, "application/xml", tag, size.changed)


@bp.get("/opensearch.xml")
def opensearch() -> Response:
    """How a browser searches the catalogue in the reader's language."""
    chosen = language()
    title = escape(pick(titles(), chosen)[0])
    tag = tag_of(chosen, title)
    same = current(tag, None)
    if same is not None:
        return same
    search = f"{base()}/{chosen}/datasets?q={{searchTerms}}&amp;page={{startPage?}}"
    feed = f"{base()}/feeds/search.atom?q={{searchTerms}}&amp;lang={chosen}"
    body = (
        f'{HEAD}<OpenSearchDescription xmlns="http://a9.com/-/spec/opensearch/1.1/">\n'
        f"<ShortName>{title[:16]}</ShortName>\n<LongName>{title[:48]}</LongName>\n"
        f"<Description>{title}</Description>\n"
        f'<Url type="text/html" template="{search}"/>\n'
        f'<Url type="application/atom+xml" template="{feed}"/>\n'
        f'<Url type="application/opensearchdescription+xml" rel="self" '
        f'template="{base()}/opensearch.xml?lang={chosen}"/>\n'
        f"<Language>{LANGUAGES[chosen]}</Language>\n<InputEncoding>UTF-8</InputEncoding>\n"
        f"<OutputEncoding>UTF-8</OutputEncoding>\n</OpenSearchDescription>\n"
    )
    response = answer(body.encode(), "application/opensearchdescription+xml", tag, None)
    response.vary.add("Accept-Language")
    return response


def _map(offset: int) -> Iterator[bytes]:
    yield f"{HEAD}<urlset {SPACES}>\n".encode()
    after = catalogue.id_at(ANYONE, offset - 1) if offset else ""
    for _ in range(0, EACH, BATCH):
        found = catalogue.addresses(ANYONE, after=after, limit=BATCH)
        if not found:
            break
        after = found[-1].id
        yield _places((f"datasets/{one.slug}", one.changed) for one in found).encode()
    yield b"</urlset>\n"


def _places(of: Iterable[tuple[str, datetime | None]]) -> str:
    """Pages in each language, and when each last changed, if that is known."""
    start = base()
    heads = [f"<url><loc>{start}/{name}/" for name in LANGUAGES]
    links = [
        f'<xhtml:link rel="alternate" hreflang="{tag}" href="{start}/{name}/'
        for name, tag in LANGUAGES.items()
    ]
    made = []
    for path, changed in of:
        when = f"<lastmod>{stamp(changed)}</lastmod>" if changed else ""
        others = "".join(f'{link}{path}"/>' for link in links)
        made += [f"{head}{path}</loc>{when}{others}</url>\n" for head in heads]
    return "".join(made)
