"""`python -m bench.judged`: how good the order of results is, by engine, language and kind of query.

About 400 queries over the real catalogues of `bench/corpus.py`, written by reading the records, name the records that answer
them with grades: 3 is exactly it, 2 a good answer, 1 related. They lie in `tests/data/judgements/`, with a README that says how
they were made. Printed are nDCG@10 (1.0: the ten best answers come first, in order) and the part of titles that come first when
they are asked for.
"""

from __future__ import annotations

import hashlib
import math
import tempfile
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import click

from bench.corpus import entries
from bench.entry import REAL, ROOT, Entry, document, loaded
from catalog.engines import open_search
from catalog.search import SearchEngine, SearchQuery, synonyms
from catalog.search.analysis import normal_title, use_synonyms

FOLDER = ROOT / "tests" / "data" / "judgements"
DEPTH = 10
"""Results of a page that count."""
LONGEST = 300
"""Characters of a title that can be asked for: a search takes no more."""


@dataclass(frozen=True)
class Judgement:
    """A query and the records that were read for it, with grades from 0 to 3; all others count as 0."""

    query: str
    language: str
    kind: str
    """Such as `topic`, `pinyin`, `code` or `misspelling`."""
    grades: Mapping[str, int]


@dataclass(frozen=True)
class Outcome:
    """What an engine found for a judged query: nDCG@10 and the keys in order."""

    judgement: Judgement
    ndcg: float
    found: tuple[str, ...]


def judgements() -> Iterator[Judgement]:
    """All judged queries, language by language."""
    for file in sorted(FOLDER.glob("*.yaml")):
        for item in loaded(file.read_text("utf-8")):
            grades = {key: grade for grade in (3, 2, 1, 0) for key in item.get(grade, ())}
            yield Judgement(item["query"], file.stem, item["kind"], grades)


def corpus(judged: Iterable[Judgement], *, share: int = 1) -> Iterator[Entry]:
    """The records that judgements name and one of `share` of the others, always the same ones."""
    named = {key for judgement in judged for key in judgement.grades}
    for entry in entries():
        digest = hashlib.sha256(entry.key.encode()).digest()
        if entry.key in named or int.from_bytes(digest[:4]) % share == 0:
            yield entry


def judge(engine: SearchEngine, judged: Iterable[Judgement]) -> list[Outcome]:
    """Ask every query."""
    outcomes = []
    for judgement in judged:
        query = SearchQuery(judgement.query, limit=DEPTH, facets=False, language=judgement.language)
        found = tuple(hit.id for hit in engine.search(query).hits)
        outcomes.append(Outcome(judgement, ndcg(found, judgement.grades), found))
    return outcomes


def ndcg(found: Iterable[str], grades: Mapping[str, int]) -> float:
    """Normalized discounted cumulative gain: a grade g gives 2^g - 1, less the later it comes."""
    best = _gain(sorted(grades.values(), reverse=True)[:DEPTH])
    return _gain([grades.get(key, 0) for key in found][:DEPTH]) / best


def _gain(grades: Iterable[int]) -> float:
    return sum((2.0**grade - 1) / math.log2(at + 2) for at, grade in enumerate(grades))


def means(outcomes: Iterable[Outcome], part: Callable[[Judgement], str]) -> dict[str, float]:
    """The mean nDCG@10 of each part of the queries, the parts in alphabetical order."""
    parts: dict[str, list[float]] = defaultdict(list)
    for outcome in outcomes:
        parts[part(outcome.judgement)].append(outcome.ndcg)
    return {name: sum(values) / len(values) for name, values in sorted(parts.items())}


def whole(_: Judgement) -> str:
    """The one part that holds all queries."""
    return "all"


def titles(records: Iterable[Entry], count: int) -> list[str]:
    """`count` titles to ask for, in all languages, each of one record only and always the same ones."""
    owners: dict[str, set[str]] = defaultdict(set)
    texts: dict[str, str] = {}
    for entry in records:
        for text in entry.title.values():
            same = normal_title(text)
            owners[same].add(entry.key)
            texts[same] = text
    asked = [
        texts[same]
        for same, keys in owners.items()
        if len(keys) == 1 and same and len(texts[same]) <= LONGEST
    ]
    return sorted(asked, key=lambda text: hashlib.sha256(text.encode()).digest())[:count]


def missed_titles(engine: SearchEngine, asked: Iterable[str]) -> list[tuple[str, str]]:
    """Titles that do not come first, with what does (empty: nothing was found)."""
    missed = []
    for title in asked:
        hits = engine.search(SearchQuery(title, limit=1, facets=False)).hits
        first = [str(text) for text in hits[0].card["title"].values()] if hits else []
        if normal_title(title) not in map(normal_title, first):
            missed.append((title, first[0] if first else ""))
    return missed


def print_table(name: str, outcomes: list[Outcome]) -> None:
    """nDCG@10 over all, by language and by kind, and the part of the results that somebody has read and graded."""
    print(f"\n{name}: nDCG@{DEPTH} of {len(outcomes)} queries")
    print(f"  {'':14} {'asked':>5} {'nDCG':>7} {'read':>6}")
    for part in (whole, _language, _kind):
        for value, mean in means(outcomes, part).items():
            asked = [outcome for outcome in outcomes if part(outcome.judgement) == value]
            found = [key in one.judgement.grades for one in asked for key in one.found]
            read = sum(found) / len(found) if found else 1.0
            print(f"  {value:14} {len(asked):5} {mean:7.3f} {read:6.0%}")


def _language(judgement: Judgement) -> str:
    return judgement.language


def _kind(judgement: Judgement) -> str:
    return judgement.kind


def print_worst(outcomes: list[Outcome], count: int, names: Mapping[str, str]) -> None:
    """The queries that are answered worst, with what came first and what should."""
    for outcome in sorted(outcomes, key=lambda outcome: outcome.ndcg)[:count]:
        judgement = outcome.judgement
        wanted = sorted(judgement.grades, key=lambda key: -judgement.grades[key])[:3]
        print(f"\n{judgement.query}  ({judgement.language}, {judgement.kind}) {outcome.ndcg:.2f}")
        for label, keys in (("came", outcome.found[:3]), ("wanted", wanted)):
            for key in keys:
                print(f"  {label:7} {names[key][:100]}  [{key[:60]}]")


@click.command()
@click.option(
    "--engine", "urls", multiple=True, help="Address of a search engine, as in search_url."
)
@click.option("--share", default=1, show_default=True, help="Take one of so many other records.")
@click.option("--worst", default=0, help="Also print so many of the worst answered queries.")
@click.option("--ask-titles", default=2_000, show_default=True, help="Titles to ask for.")
def main(urls: tuple[str, ...], share: int, worst: int, ask_titles: int) -> None:
    """Build an index on each engine, ask everything, print tables."""
    if not REAL.is_dir():
        raise click.ClickException("the catalogues in ../shared/data/dev are not at hand")
    use_synonyms(synonyms.read())
    judged = list(judgements())
    records = list(corpus(judged, share=share))
    names = {entry.key: " / ".join(entry.title.values()) for entry in records}
    asked = titles(records, ask_titles)
    with tempfile.TemporaryDirectory() as folder:
        for url in urls or (f"tantivy:{Path(folder) / 'index'}",):
            engine = open_search(url)
            engine.rebuild(document(entry) for entry in records)
            outcomes = judge(engine, judged)
            print_table(f"{url.partition(':')[0]}, {len(records)} records", outcomes)
            missed = missed_titles(engine, asked)
            print(f"  whole title first: {1 - len(missed) / len(asked):.2%} of {len(asked)}")
            for title, first in missed:
                print(f"    {title[:90]}  ->  {first[:90]}")
            print_worst(outcomes, worst, names)


if __name__ == "__main__":
    main()
