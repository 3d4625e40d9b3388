"""The schema of the Tantivy index, and items of the catalogue as its documents."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Iterable, Mapping
from datetime import datetime
from typing import Any

import orjson
import tantivy

from catalog.models.text import pick
from catalog.search import pinyin
from catalog.search.analysis import (
    folded,
    normal_title,
    runs_of,
    singles_of,
    sort_key,
    spelled_ways,
    terms_of,
)
from catalog.search.conditions import FIELDS, FieldKind
from catalog.search.engine import PUBLIC, Document
from catalog.search.facets import FACETS, Kind

VERSION = "3"
"""Raise it with every change of the schema or the analysis: an index of another version is rebuilt."""
KEYWORD_FIELDS = tuple(
    dict.fromkeys(
        [
            *(facet.field for facet in FACETS if facet.kind is Kind.KEYWORD),
            *(
                name
                for name, kind in FIELDS.items()
                if kind is FieldKind.KEYWORD and name not in ("id", "slug")
            ),
        ]
    )
)
DATE_FIELDS = tuple(
    name for name, kind in FIELDS.items() if kind is FieldKind.DATE and name != "modified"
)
BOX_FIELDS = ("west", "south", "east", "north")
DEGREE = 1_000_000
"""Parts of a degree that boxes are told apart by: a tenth of a metre."""
FIRST, LAST = -(2**33), 2**33
"""Moments, in seconds, that are told apart: years 1697 to 2242."""
UNDATED = -(2**34)
"""The moment of a document whose last change is unknown: before all others."""
TIE_BITS = 28
"""Bits of a document's tie-breaker below a moment (35 bits) or a count in one 63-bit number."""
END = " ¦ "
"""Stands between texts, so that no phrase reaches from one into another; no text has such a term."""
IS, HAS = "\x1f", "\x1e"
"""A fact's term is its name, IS and the value; that there is one at all is HAS and the name."""


def make_schema() -> tantivy.Schema:
    """Analysed fields hold terms that were cut already; raw ones whole values."""
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic")
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="position")
    for name in ("title", "tags"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in ("description", "place", "singles", "syllables"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field("initials", tokenizer_name="whitespace", index_option="position")
    for name in (
        "whole_title",
        "spelled_title",
        "codes",
        "facts",
        "visibility",
        "tag_start",
        "identity",
    ):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic")
    for name in (*KEYWORD_FIELDS, "slug", "by_title_zh", "by_title_en"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("modified", "uses", "score", "resources", *DATE_FIELDS, *BOX_FIELDS):
        builder.add_integer_field(name, indexed=True, fast=True)
    for name in ("by_modified", "by_uses", "by_created", "by_updated", "by_score", "version"):
        builder.add_integer_field(name, fast=True)
    builder.add_float_field("weight", fast=True)
    builder.add_bytes_field("card", stored=True, indexed=False)
    return builder.build()


def to_tantivy(document: Document, schema: tantivy.Schema) -> tantivy.Document:
    """The document for this schema; made by from_dict, as a wrongly typed one would lose a commit."""
    titles = list(document.titles.values())
    texts = [
        *titles,
        *document.descriptions.values(),
        *document.tags,
        *document.names,
        *document.codes,
        document.place,
        document.words,
    ]
    runs = [run for text in (*titles, *document.tags, *document.names) for run in runs_of(text)]
    fields: dict[str, list[Any]] = {
        "id": [document.id],
        "slug": [document.slug],
        "text": [END.join(" ".join(terms_of(text)) for text in texts if text)],
        "title": [_joined(titles, singles=True)],
        "tags": [_joined(document.tags, singles=True)],
        "description": [_joined(document.descriptions.values(), singles=True)],
        "place": [_joined([document.place], singles=True)],
        "singles": [" ".join(sorted(set().union(*map(singles_of, texts))))],
        "syllables": [" ".join({term for run in runs for term in pinyin.syllable_terms(run)})],
        "initials": [END.join(" ".join(pinyin.initial_terms(run)) for run in dict.fromkeys(runs))],
        "whole_title": sorted({normal_title(title) for title in titles} - {""}),
        "spelled_title": sorted({way for title in titles for way in spelled_ways(title)}),
        "codes": sorted({folded(code) for code in document.codes}),
        "tag_start": sorted({start for tag in document.tags for start in tag_starts(tag)}),
        "facts": sorted(_facts(document.facts)),
        "visibility": [] if PUBLIC in document.visibility else ["", *document.visibility],
        "card": [orjson.dumps(document.card)],
        "identity": [f"{document.id}{IS}{document.stamp}"],
        "version": [document.version],
        **_orders(document),
        **_box(document),
    }
    for name in KEYWORD_FIELDS:
        fields[name] = list(dict.fromkeys(document.keywords.get(name, ())))
    return tantivy.Document.from_dict(fields, schema)


def tag_starts(tag: str) -> tuple[str, ...]:
    """How somebody begins to type a tag, each with the tag behind IS."""
    return tuple(
        f"{way}{IS}{tag}" for way in dict.fromkeys((normal_title(tag), *spelled_ways(tag))) if way
    )


def seconds(moment: datetime | None) -> int:
    """The moment as a number that the index compares; UNDATED for none."""
    return min(max(int(moment.timestamp()), FIRST), LAST) if moment else UNDATED


def tie_of(id_: str) -> int:
    """A number that orders equal documents always in the same way."""
    return int.from_bytes(hashlib.sha256(id_.encode()).digest()[:4]) >> (32 - TIE_BITS)


def _orders(document: Document) -> dict[str, list[Any]]:
    """Numbers and dates to filter by, and what each order goes by: with a tie-breaker below."""
    tie = tie_of(document.id)
    uses = min(max(document.uses, 0), 2**33)
    modified = seconds(document.modified)
    score = int(document.numbers.get("score", 0))
    fields: dict[str, list[Any]] = {
        "uses": [uses],
        "modified": [modified],
        "score": [score],
        "resources": [int(document.numbers.get("resources", 0))],
        "by_modified": [(modified << TIE_BITS) + tie],
        "by_uses": [(uses << TIE_BITS) + tie],
        "by_score": [(score << TIE_BITS) + tie],
        "weight": [math.log1p(uses) * 1e-3 + tie / 2**TIE_BITS * 1e-3],
    }
    for name in ("created", "updated"):
        fields[f"by_{name}"] = [(seconds(document.dates.get(name)) << TIE_BITS) + tie]
    for name in DATE_FIELDS:
        if name in document.dates:
            fields[name] = [seconds(document.dates[name])]
    for language in ("zh", "en"):
        key = sort_key(pick(document.titles, language)[0])
        fields[f"by_title_{language}"] = [f"{key}\x00{document.id}"]
    return fields


def _box(document: Document) -> dict[str, list[Any]]:
    if document.box is None:
        return {}
    return {
        name: [round(degrees * DEGREE)]
        for name, degrees in zip(BOX_FIELDS, document.box, strict=True)
    }


def _facts(facts: Mapping[str, tuple[str, ...]]) -> Iterable[str]:
    for name, values in facts.items():
        if values:
            yield HAS + name
        for value in dict.fromkeys(values):
            yield f"{name}{IS}{value}"


def _joined(texts: Iterable[str], *, singles: bool = False) -> str:
    parts: list[str] = []
    for text in texts:
        parts.extend(terms_of(text))
        if singles:
            parts.extend(sorted(singles_of(text)))
    return " ".join(parts)
