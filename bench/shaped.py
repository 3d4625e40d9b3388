"""Catalogues of any size in the shape of real ones, always the same for the same seed.

Each description is put together from two real records (`bench.corpus`: 35,000 of them, in Chinese, English and other
languages): titles, sentences, tags, files and columns are theirs, so that words are as frequent and texts as long as in
life. Half are Chinese. Without the records at hand, the made-up descriptions of `bench.catalogues` stand in.
"""

from __future__ import annotations

import itertools
import random
import re
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from bench import catalogues, corpus
from bench.entry import REAL, Entry
from catalog.search import regions

CITIES, OFFICES, THEMES = 20, 19, 15
LICENSES = ("CC-BY-4.0", "CC-BY-4.0", "CC0-1.0", "ODC-PDDL-1.0", "notspecified")
FREQUENCIES = ("daily", "weekly", "monthly", "monthly", "annual", "annual", "irregular", "unknown")
ACCESS = ("open",) * 18 + ("on_application", "closed")
KINDS = ("CSV", "CSV", "JSON", "XLSX", "XML", "SHP", "API", "PDF")
END = re.compile(r"(?<=[.!?。！？；])\s*")
MOST_FILES, MOST_TAGS = 12, 15


def organizations() -> Iterator[tuple[str, dict[str, str], str]]:
    """Slug, title and the slug of the one above: 20 cities with 19 offices each."""
    for city in range(CITIES):
        zh, en = catalogues.PLACES[city % 10]
        yield f"city-{city}", {"zh": f"{zh}政府{city}", "en": f"City of {en} {city}"}, ""
        for office in range(OFFICES):
            zh, en = catalogues.TOPICS[office % len(catalogues.TOPICS)]
            title = {"zh": f"{zh}办公室{city}-{office}", "en": f"Office of {en} {city}-{office}"}
            yield f"city-{city}-office-{office}", title, f"city-{city}"


def themes() -> Iterator[tuple[str, dict[str, str]]]:
    """Slug and title of the groups."""
    for at, (zh, en) in enumerate(catalogues.TOPICS[:THEMES]):
        yield f"theme-{at}", {"zh": zh, "en": en.capitalize()}


def descriptions(seed: int = 1, start: int = 0) -> Iterator[dict[str, Any]]:
    """Datasets as `dataset_draft` reads them, without end; any of them can be made without those before."""
    for at in itertools.count(start):
        yield description(seed, at)


def description(seed: int, at: int) -> dict[str, Any]:
    """The dataset of this number."""
    chance = random.Random(seed * 1_000_000_007 + at)  # noqa: S311 # a benchmark's dice
    chinese, foreign = _records()
    records = chinese if at % 2 else foreign
    one, two = _any(chance, records), _any(chance, records)
    office = chance.randrange(CITIES * (OFFICES + 1)) * chance.random()  # the first have most
    city, rest = divmod(int(office), OFFICES + 1)
    place, code = _place(chance) if at % 2 else ("", "")
    return {
        "title": _title(chance, one, two, place),
        "description": _texts(one, two),
        "organization": f"city-{city}-office-{rest - 1}" if rest else f"city-{city}",
        "tags": list(dict.fromkeys(tag[:100] for tag in (*one.tags[: MOST_TAGS - 2], *two.tags[:2]))),
        "themes": [f"theme-{n}" for n in chance.sample(range(THEMES), chance.choice((0, 1, 1, 2)))],
        "license": chance.choice(LICENSES),
        "frequency": chance.choice(FREQUENCIES),
        "access": chance.choice(ACCESS),
        "identifier": f"{code or 'US'}/{at:06d}",
        "spatial": place,
        "spatial_code": code,
        "modified": f"{chance.randint(2009, 2025)}-{chance.randint(1, 12):02d}-{chance.randint(1, 28):02d}",
        "extras": {"source_id": one.key[:200]},
        "resources": _resources(chance, at, one),
    }  # fmt: skip


@cache
def _records() -> tuple[Sequence[Entry], Sequence[Entry]]:
    """Chinese records, and the others."""
    if not REAL.is_dir():
        entries = [
            _entry(made) for made, _ in zip(catalogues.made_up(), range(20_000), strict=False)
        ]
        return entries, entries
    chinese: list[Entry] = []
    foreign: list[Entry] = []
    for entry in corpus.entries():
        (chinese if any(tag.startswith("zh") for tag in entry.title) else foreign).append(entry)
    return chinese, foreign


def _entry(made: dict[str, Any]) -> Entry:
    files = tuple((one["title"]["zh"], one["format"]) for one in made["resources"])
    return Entry(
        made["title"]["en"],
        made["title"],
        made["description"],
        tags=tuple(made["tags"]),
        files=files,
    )


def _any(chance: random.Random, records: Sequence[Entry]) -> Entry:
    return records[chance.randrange(len(records))]


def _place(chance: random.Random) -> tuple[str, str]:
    codes = _codes()
    code = codes[chance.randrange(len(codes))]
    return "".join(map(regions.name_of, regions.line_of(code))), code


@cache
def _codes() -> Sequence[str]:
    return tuple(code for code in regions.names() if regions.line_of(code)[-1:] == (code,))


def _title(chance: random.Random, one: Entry, two: Entry, place: str) -> dict[str, str]:
    """The first words of one and the last of the other; Chinese ones of a place."""
    title = {}
    for tag, text in one.title.items():
        other = two.title.get(tag, text)
        made = f"{place}{text}" if place else f"{_half(text, 0)} {_half(other, 1)}"
        year = chance.choice(("", "", f" {chance.randint(2000, 2025)}"))
        title[tag] = f"{made}{year}"[:300]
    return title


def _half(text: str, which: int) -> str:
    words = text.split()
    middle = (len(words) + 1) // 2
    return " ".join(words[middle:] if which else words[:middle])


def _texts(one: Entry, two: Entry) -> dict[str, str]:
    """The sentences of both by turns."""
    texts = {}
    for tag, text in one.description.items():
        pairs = itertools.zip_longest(
            END.split(text), END.split(two.description.get(tag, "")), fillvalue=""
        )
        mixed = [sentence for pair in pairs for sentence in pair if sentence]
        texts[tag] = " ".join(mixed[: (len(mixed) + 1) // 2])
    return texts


def _resources(chance: random.Random, at: int, one: Entry) -> list[dict[str, Any]]:
    """The files of a record, the first with the names of the columns as harvested catalogues tell them."""
    language = next(iter(one.title))
    files = one.files[:MOST_FILES] or (("", ""),)
    columns = ", ".join(next(iter(texts.values()), name) for name, texts in one.columns)
    return [
        {
            "key": f"file-{number}",
            "title": {language: title[:900]} if title else {},
            "description": {language: columns[:2_000]} if columns and not number else {},
            "format": (format_ or chance.choice(KINDS))[:40],
            "url": f"https://data.example.org/files/{at}/{number}",
        }
        for number, (title, format_) in enumerate(files)
    ]
