"""The schema of the Tantivy index, and items of the catalogue as its documents."""

from __future__ import annotations

import math
from typing import Any

import orjson
import tantivy

from catalog.search.engine import Document
from catalog.search.indexed import (
    BOX_FIELDS,
    DATE_FIELDS,
    IS,
    KEYWORD_FIELDS,
    TIE_BITS,
    UNDATED,
    numbers_of,
    tie_of,
    title_keys,
    values_of,
    words_of,
)

VERSION = "7"
"""Raise it with every change of the schema or the analysis: an index of another version is rebuilt."""


WHOLES = {
    "whole_title": "\x01title",
    "spelled_title": "\x01spelled",
    "title_sound": "\x01sound",
    "codes": "\x01code",
    "tag_start": "\x01tag",
    "visibility": "\x01seen",
}
"""Exact values that share the field of facts, each under a name that no fact has."""
STAMP = "\x01stamp"


def make_schema() -> tantivy.Schema:
    """Analysed fields hold terms that were cut already; raw ones whole values.

    Each indexed field costs a third of a millisecond in every commit: hence numbers are only columns, and
    all that is compared whole without being counted shares `facts`.
    """
    builder = tantivy.SchemaBuilder()
    builder.add_text_field("id", tokenizer_name="raw", index_option="basic", fast=True)
    builder.add_text_field("text", tokenizer_name="whitespace", index_option="position")
    for name in ("title", "tags"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="freq")
    for name in ("description", "place", "singles", "syllables"):
        builder.add_text_field(name, tokenizer_name="whitespace", index_option="basic")
    builder.add_text_field("initials", tokenizer_name="whitespace", index_option="position")
    builder.add_text_field("facts", tokenizer_name="raw", index_option="basic")
    for name in (*KEYWORD_FIELDS, "slug", "by_title_zh", "by_title_en"):
        builder.add_text_field(name, tokenizer_name="raw", index_option="basic", fast=True)
    for name in ("modified", "uses", "score", "resources", *DATE_FIELDS, *BOX_FIELDS):
        builder.add_integer_field(name, fast=True)
    for name in ("by_modified", "by_uses", "by_created", "by_updated", "by_score", "version"):
        builder.add_integer_field(name, fast=True)
    builder.add_float_field("weight", fast=True)
    builder.add_bytes_field("card", stored=True, indexed=False)
    return builder.build()


def to_tantivy(document: Document, schema: tantivy.Schema) -> tantivy.Document:
    """The document for this schema; made by from_dict, as a wrongly typed one would lose a commit."""
    values = values_of(document)
    facts = values["facts"]
    for field in WHOLES:
        facts.extend(exactly(field, value) for value in values.pop(field))
    facts.append(f"{STAMP}{IS}{document.id}{IS}{document.stamp}")
    fields: dict[str, list[Any]] = {
        "id": [document.id],
        "slug": [document.slug],
        **{name: [text] for name, text in words_of(document).items()},
        **values,
        **{name: [number] for name, number in numbers_of(document).items()},
        "card": [orjson.dumps(document.card)],
        "version": [document.version],
        **_orders(document),
    }
    return tantivy.Document.from_dict(fields, schema)


def exactly(field: str, value: str) -> str:
    """The term in `facts` of a fact's value, or of another exact value (WHOLES)."""
    return f"{WHOLES.get(field, field)}{IS}{value}"


def _orders(document: Document) -> dict[str, list[Any]]:
    """What each order goes by: with a tie-breaker below."""
    tie = tie_of(document.id)
    numbers = numbers_of(document)
    fields: dict[str, list[Any]] = {
        f"by_{name}": [(numbers.get(name, UNDATED) << TIE_BITS) + tie]
        for name in ("modified", "uses", "score", "created", "updated")
    }
    for language, key in title_keys(document).items():
        fields[f"by_title_{language}"] = [f"{key}\x00{document.id}"]
    fields["weight"] = [math.log1p(numbers["uses"]) * 1e-3 + tie / 2**TIE_BITS * 1e-3]
    return fields
