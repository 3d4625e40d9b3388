"""Indexes of a serving copy: which column gets which, decided from a look at its first rows."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular.column import Column
from catalog.tabular.lance_flags import NUMERIC
from catalog.tabular.lance_words import SUFFIX, TERMS, TRIED

MOST_INDEXES = 60
HEAD_ROWS = 50_000
"""So many rows show whether a column has too many values for bitmaps; counting all of them takes a second a million."""
LEAST_SHARE = 0.2
"""Share of texts with Chinese, or with several words, from which an index of them pays."""


def index(
    dataset: Any,
    columns: tuple[Column, ...],
    bitmaps_to: int,
    *,
    coded: frozenset[str] = frozenset(),
    ranked: bool = False,
) -> None:
    """Index every column that is not `coded`: few values in a bitmap, which answers filters in a third of a tree's time, many in a
    tree, and Chinese texts by pairs of letters, which find whole texts and their beginnings too. Texts with several
    words of other languages are indexed by their words besides. Of many numbers and moments there is no tree where
    keys in memory answer for them: the rows are `ranked`.
    """
    indexed = indexed_columns(columns)
    types = {column.stored: column.type for column in indexed}
    stored = [name for name in types if name not in coded]
    head = dataset.to_table(columns=stored, limit=HEAD_ROWS)
    for name in stored:
        if _few(dataset, name, head[name], bitmaps_to):
            dataset.create_scalar_index(name, "BITMAP", name=f"{name}_idx")
        elif _is_chinese(head[name]):
            _add_pairs(dataset, name)
        elif not (ranked and types[name] in NUMERIC):
            dataset.create_scalar_index(name, "BTREE", name=f"{name}_idx")
            if _has_words(head[name]):
                _add_terms(dataset, name)


def indexed_columns(columns: tuple[Column, ...]) -> list[Column]:
    """The columns that conditions are answered for by more than comparing all rows."""
    return [column for column in columns if column.type is not ColumnType.GEOMETRY][:MOST_INDEXES]


def _few(dataset: Any, name: str, head: pa.ChunkedArray, most: int) -> bool:
    """Whether the column has at most so many different values."""
    if pc.count_distinct(head).as_py() > most:
        return False
    if len(head) < HEAD_ROWS:
        return True
    return bool(pc.count_distinct(dataset.to_table(columns=[name])[name]).as_py() <= most)


def _is_chinese(values: pa.ChunkedArray) -> bool:
    """Whether a sample of the texts is Chinese often enough."""
    return _often(values, r"\p{Han}{2}")


def _has_words(values: pa.ChunkedArray) -> bool:
    """Whether a sample of the texts has several words often enough."""
    return _often(values, r"[A-Za-z]{2}[^\p{L}\p{N}]+[A-Za-z]{2}")


def _often(values: pa.ChunkedArray, pattern: str) -> bool:
    if not pa.types.is_string(values.type):
        return False
    sample = values.slice(0, TRIED).drop_null()
    found = pc.sum(pc.match_substring_regex(sample, pattern)).as_py() or 0
    return len(sample) > 0 and found >= LEAST_SHARE * len(sample)


def _add_pairs(dataset: Any, stored: str) -> None:
    """Index the pairs of letters of a column."""
    _add_texts(
        dataset,
        stored,
        SUFFIX,
        base_tokenizer="ngram",
        min_ngram_length=2,
        max_ngram_length=2,
        prefix_only=False,
    )


def _add_terms(dataset: Any, stored: str) -> None:
    """Index the words of a column, as they are: all forms of a word are asked for."""
    _add_texts(dataset, stored, TERMS, base_tokenizer="simple", max_token_length=None)


def _add_texts(dataset: Any, stored: str, suffix: str, **tokens: Any) -> None:
    dataset.create_scalar_index(
        stored,
        "INVERTED",
        name=f"{stored}{suffix}",
        with_position=False,
        **tokens,
        stem=False,
        remove_stop_words=False,
        lower_case=True,
        ascii_folding=False,
    )
