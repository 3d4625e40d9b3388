"""How a delimited text is written: which character parts the cells, which one quotes them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from dataclasses import dataclass

from catalog.tabular.reading.options import ReadOptions

DELIMITERS = (",", "\t", ";", "|", "\x01", "^", "~", ":")
SAMPLE_ROWS = 300
HINTED = 0.3
"""What the name of a file or its declared format is worth against the count of cells."""


@dataclass(frozen=True)
class Dialect:
    """What csv.reader needs to know."""

    delimiter: str
    quote: str = '"'


def dialect_of(sample: str, options: ReadOptions, suffix: str) -> Dialect:
    """The dialect in which most rows of the sample have the same number of cells."""
    quotes = [options.quote] if options.quote else _quotes(sample)
    hint = "\t" if options.format == "tsv" or suffix in {".tsv", ".tab"} else ""
    if options.delimiter:
        return Dialect(options.delimiter, quotes[0])
    best, chosen = 0.0, Dialect(hint or ",", quotes[0])
    for quote in quotes:
        for delimiter in DELIMITERS:
            if delimiter in sample:
                score = _score(parsed(sample, Dialect(delimiter, quote))) + HINTED * (
                    delimiter == hint
                )
                if score > best:
                    best, chosen = score, Dialect(delimiter, quote)
    return chosen


def parsed(sample: str, dialect: Dialect) -> list[list[str]]:
    """The first rows that are not empty; none when the sample cannot be read so."""
    lines = io.StringIO(sample, newline="")
    reader = csv.reader(lines, delimiter=dialect.delimiter, quotechar=dialect.quote)
    rows: list[list[str]] = []
    try:
        for row in reader:
            if any(row):
                rows.append(row)
            if len(rows) >= SAMPLE_ROWS:
                break
    except csv.Error:
        return []
    return rows


def _score(rows: list[list[str]]) -> float:
    widths = Counter(len(row) for row in rows)
    width, count = max(widths.items(), key=lambda item: (item[1], item[0]), default=(0, 0))
    if width < 2:
        return 0.0
    return count / len(rows) + 0.2 * (len(rows[0]) == width) + min(width, 20) / 200


def _quotes(sample: str) -> list[str]:
    """The double quote, unless cells are clearly enclosed in single ones."""
    single = len(re.findall(r"(?m)(?:^|[,;\t|])'[^'\n]*'(?=[,;\t|]|\r?$)", sample))
    double = sample.count('"')
    return ["'"] if single > 4 and single > double else ['"']
