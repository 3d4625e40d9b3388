"""The schema of the Tantivy index, and datasets as its documents."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable
from datetime import datetime
from typing import Any

import orjson
import tantivy

from catalog.models.text import pick
from catalog.search.analysis import normal_title, singles_of, sort_key, terms_of
from catalog.search.engine import Document
from catalog.search.facets import FACETS, Kind

VERSION = "2"
"""Raise it with every change of the schema or the analysis: an index of another version is rebuilt."""
KEYWORD_FIELDS = tuple(facet.field for facet in FACETS if facet.kind is Kind.KEYWORD)
FIRST, LAST = -(2**33), 2**33
"""Moments, in seconds, that are told apart: years 1697 to 2242."""
UNDATED = -(2**34)
"""The moment of a document whose last change is unknown: before all others."""
TIE_BITS = 28
"""Bits of a document's tie-breaker below a moment (35 bits) or a count in one 63-bit number."""


def make_schema() -> tantivy.Schema:
    """Analysed fields hold terms that were cut already; raw ones whole values."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    for name in ("text", "title", "tags"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    builder.add_text_field("singles", tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field("whole_title", tokenizer_name="raw", index_option="basic")
    for name in KEYWORD_FIELDS:
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_integer_field("modified", indexed=True, fast=True)
    for name in ("by_modified", "by_uses"):
        builder.add_integer_field(name, fast=True)
    for name in ("by_title_zh", "by_title_en"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_float_field("weight", fast=True)
    builder.add_bytes_field("card", stored=True, indexed=False)
    return builder.build()


def to_tantivy(document: Document, schema: tantivy.Schema) -> tantivy.Document:
    """The document for this schema; made by from_dict, as a wrongly typed one would lose a commit."""
    titles = list(document.titles.values())
    texts = [*titles, *document.descriptions.values(), *document.tags, document.words]
    modified = _seconds(document.modified)
    tie = tie_of(document.id)
    fields: dict[str, list[Any]] = {
        "id": [document.id],
        "text": [_joined(texts)],
        "title": [_joined(titles, singles=True)],
        "tags": [_joined(document.tags, singles=True)],
        "singles": [" ".join(sorted(set().union(*map(singles_of, texts))))],
        "whole_title": sorted({normal_title(title) for title in titles} - {""}),
        "modified": [modified],
        "by_modified": [(modified << TIE_BITS) + tie],
        "by_uses": [(min(document.uses, 2**33) << TIE_BITS) + tie],
        "weight": [math.log1p(max(document.uses, 0)) * 1e-3 + tie / 2**TIE_BITS * 1e-3],
        "card": [orjson.dumps(document.card)],
    }
    for language in ("zh", "en"):
        key = sort_key(pick(document.titles, language)[0])
        fields[f"by_title_{language}"] = [f"{key}\x00{document.id}"]
    for name in KEYWORD_FIELDS:
        fields[name] = list(document.keywords.get(name, ()))
    return tantivy.Document.from_dict(fields, schema)


def _seconds(moment: datetime | None) -> int:
    return min(max(int(moment.timestamp()), FIRST), LAST) if moment else UNDATED


def tie_of(id_: str) -> int:
    """A number that orders equal documents always in the same way."""
    return int.from_bytes(hashlib.sha256(id_.encode()).digest()[:4]) >> (32 - TIE_BITS)


def _joined(texts: Iterable[str], *, singles: bool = False) -> str:
    parts: list[str] = []
    for text in texts:
        parts.extend(terms_of(text))
        if singles:
            parts.extend(sorted(singles_of(text)))
    return " ".join(parts)
