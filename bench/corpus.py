"""Real catalogues as datasets, for judging the search: about 35,000 records in Chinese, English and six more languages.

The records are read from where they lie, `../shared/data/dev` beside the checkout, and from the demo; nothing of them is
kept here. A record has a key that stays the same, made of a short name of its catalogue and its identifier there
(`socrata:data.bloomington.gov/nxsu-hufk`), so that judgements can name it. What the search engine gets is made by
`document_of`, as in the portal.
"""

from __future__ import annotations

from collections.abc import Iterator

from bench import chinese_catalogues, foreign_catalogues
from bench.entry import Entry


def entries() -> Iterator[Entry]:
    """All records, always in the same order, each key once."""
    seen: set[str] = set()
    for read in (*chinese_catalogues.READERS, *foreign_catalogues.READERS):
        for entry in read():
            if entry.key not in seen and any(text.strip() for text in entry.title.values()):
                seen.add(entry.key)
                yield entry
