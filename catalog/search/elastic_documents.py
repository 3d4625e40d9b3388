"""The mapping of the Elasticsearch index, and datasets as its documents.

Texts are cut by us, as for every engine, and joined by blanks: the server splits them again there and
nothing else, so that the totals of all engines agree.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from datetime import datetime
from typing import Any

from catalog.models.text import pick
from catalog.search.analysis import normal_title, singles_of, sort_key, terms_of
from catalog.search.engine import Document
from catalog.search.facets import FACETS, Kind

VERSION = "1"
"""Raise it with every change of the mapping or the analysis: an index of another version is rebuilt."""
KEYWORD_FIELDS = tuple(facet.field for facet in FACETS if facet.kind is Kind.KEYWORD)
FIRST, LAST = -(2**33), 2**33
"""Moments, in seconds, that are told apart: years 1697 to 2242."""
UNDATED = -(2**34)
"""The moment of a document whose last change is unknown: before all others."""
LONGEST_KEYWORD = 8000
"""Characters of an exact value; Lucene takes four times as many bytes, and refuses the document beyond."""
WORDS = {"type": "text", "analyzer": "whitespace"}
EXACT = {"type": "keyword", "ignore_above": LONGEST_KEYWORD}
ORDER = {"type": "keyword", "index": False}


def make_mapping() -> dict[str, Any]:
    """What the index knows of a document; a field that is not here is refused.

    Of what was sent only the card is kept; the texts are large, and the database has them.
    """
    return {
        "dynamic": "strict",
        "_source": {"includes": ["card", "version", "stamp"]},
        "properties": {
            "id": {"type": "keyword"},
            "gone": {"type": "boolean"},
            "version": {"type": "long", "index": False, "doc_values": False},
            "stamp": {"type": "keyword", "index": False},
            "card": {"type": "object", "enabled": False},
            "text": WORDS,
            "title": WORDS,
            "tags": WORDS,
            "singles": {**WORDS, "index_options": "docs", "norms": False},
            "whole_title": EXACT,
            **dict.fromkeys(KEYWORD_FIELDS, EXACT),
            "modified": {"type": "long"},
            "uses": {"type": "long", "index": False},
            "tie": {"type": "integer", "index": False},
            "by_title_zh": ORDER,
            "by_title_en": ORDER,
        },
    }


def make_settings(shards: int) -> dict[str, Any]:
    """Settings of a new index without copies. Whoever writes also refreshes, so nothing else has to."""
    return {
        "number_of_shards": shards,
        "number_of_replicas": 0,
        "refresh_interval": "-1",
        "max_result_window": 20_000,
    }


def to_elastic(document: Document) -> dict[str, Any]:
    """The document for that mapping."""
    titles = list(document.titles.values())
    texts = [*titles, *document.descriptions.values(), *document.tags, document.words]
    return {
        "id": document.id,
        "card": document.card,
        "version": document.version,
        "stamp": document.stamp,
        "text": _joined(texts),
        "title": _joined(titles, singles=True),
        "tags": _joined(document.tags, singles=True),
        "singles": " ".join(sorted(set().union(*map(singles_of, texts)))),
        "whole_title": sorted({normal_title(title) for title in titles} - {""}),
        **{name: list(document.keywords.get(name, ())) for name in KEYWORD_FIELDS},
        "modified": _seconds(document.modified),
        "uses": min(document.uses, 2**33),
        "tie": tie_of(document.id),
        **{
            f"by_title_{language}": sort_key(pick(document.titles, language)[0])
            for language in ("zh", "en")
        },
    }


def tie_of(id_: str) -> int:
    """A number that orders equal documents always in the same way."""
    return int.from_bytes(hashlib.sha256(id_.encode()).digest()[:4]) >> 4


def _seconds(moment: datetime | None) -> int:
    return min(max(int(moment.timestamp()), FIRST), LAST) if moment else UNDATED


def _joined(texts: Iterable[str], *, singles: bool = False) -> str:
    parts: list[str] = []
    for text in texts:
        parts.extend(terms_of(text))
        if singles:
            parts.extend(sorted(singles_of(text)))
    return " ".join(parts)
