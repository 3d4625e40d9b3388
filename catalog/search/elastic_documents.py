"""The mapping of the Elasticsearch index, and items of the catalogue as its documents.

Texts are cut by us, as for every engine, and joined by blanks: the server splits them again there and
nothing else, so that the totals of all engines agree.
"""

from __future__ import annotations

from typing import Any

from catalog.search.engine import Document
from catalog.search.indexed import (
    BOX_FIELDS,
    DATE_FIELDS,
    KEYWORD_FIELDS,
    numbers_of,
    tie_of,
    title_keys,
    values_of,
    words_of,
)

VERSION = "4"
"""Raise it with every change of the mapping or the analysis: an index of another version is rebuilt."""
LONGEST_KEYWORD = 8000
"""Characters of an exact value; Lucene takes four times as many bytes, and refuses the document beyond."""
WORDS = {"type": "text", "analyzer": "whitespace"}
PLAIN_WORDS = {**WORDS, "index_options": "docs", "norms": False}
"""Words that are looked for and do not count for the order."""
EXACT = {"type": "keyword", "ignore_above": LONGEST_KEYWORD}
FOUND = {**EXACT, "doc_values": False}
"""Values that are looked for, and neither sorted by nor counted."""
ORDER = {"type": "keyword", "index": False}
NUMBER = {"type": "long"}


def make_mapping() -> dict[str, Any]:
    """What the index knows of a document; a field that is not here is refused.

    Of what was sent only what answers show is kept; the texts are large, and the database has them.
    """
    return {
        "dynamic": "strict",
        "_source": {"includes": ["card", "version"]},
        "properties": {
            "id": {"type": "keyword"},
            "slug": EXACT,
            "gone": {"type": "boolean"},
            "card": {"type": "object", "enabled": False},
            "version": {"type": "long", "index": False, "doc_values": False},
            "stamp": ORDER,
            "text": {**WORDS, "index_options": "positions"},
            "title": {**WORDS, "index_options": "freqs"},
            "tags": {**WORDS, "index_options": "freqs"},
            **dict.fromkeys(("description", "place", "singles", "syllables"), PLAIN_WORDS),
            "initials": {**PLAIN_WORDS, "index_options": "positions"},
            **dict.fromkeys(
                ("whole_title", "spelled_title", "title_sound", "codes", "visibility"), FOUND
            ),
            **dict.fromkeys(("facts", "tag_start", *KEYWORD_FIELDS), EXACT),
            **dict.fromkeys(
                ("modified", "uses", "score", "resources", *DATE_FIELDS, *BOX_FIELDS), NUMBER
            ),
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
    """The document for that mapping; what is empty is left out, so that nothing counts as being there."""
    words = {name: text for name, text in words_of(document).items() if text}
    values = {name: values for name, values in values_of(document).items() if values}
    return {
        "id": document.id,
        "slug": document.slug,
        "card": document.card,
        "version": document.version,
        "stamp": document.stamp,
        **words,
        **values,
        **numbers_of(document),
        "tie": tie_of(document.id),
        **{f"by_title_{language}": key for language, key in title_keys(document).items()},
    }
