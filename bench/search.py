"""`python -m bench.search [COUNT…]`: CPU of searches in the engine alone, with all facets and cards.

Each search is asked for with the facets counted anew (no engine-side reuse), then once more as a
further page, where the counts are reused.
"""

from __future__ import annotations

import itertools
import resource
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

from bench.catalogues import drafts
from catalog.models.base import new_id
from catalog.models.dataset import Dataset, Resource
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import ColumnType
from catalog.schemas.drafts import DatasetDraft
from catalog.schemas.search import page_json, search_query
from catalog.search import Document, SearchQuery
from catalog.search.documents import document_of
from catalog.search.highlight import highlight
from catalog.search.tantivy_engine import TantivyEngine

QUERIES = {
    "nothing asked": SearchQuery(),
    "two Chinese characters": SearchQuery("空气"),
    "one Chinese character": SearchQuery("水"),
    "a long Chinese phrase": SearchQuery("浦东新区空气质量监测数据"),
    "one English word": SearchQuery("population", language="en"),
    "four English words": SearchQuery("traffic accidents in pudong", language="en"),
    "a word and two filters": SearchQuery(
        "monitoring", {"format": ("CSV", "JSON"), "frequency": ("daily",)}, language="en"
    ),
    "three filters": SearchQuery(
        "", {"format": ("CSV",), "access": ("open",), "updated": ("older", "year")}
    ),
    "by title": SearchQuery("", sort="title"),
    "by use": SearchQuery("data", sort="uses", language="en"),
    "page 50": SearchQuery("数据", offset=980),
}
COLUMNS = ("编号", "名称", "address", "value", "updated_at", "longitude", "latitude", "区县")


def documents(count: int) -> Iterator[Document]:
    """Documents of described datasets with an organization, a theme and a table."""
    themes = [
        Group(slug=f"theme-{n}", title={"zh": f"主题{n}", "en": f"Theme {n}"}) for n in range(15)
    ]
    for at, draft in enumerate(itertools.islice(drafts(), count)):
        dataset = _dataset(draft)
        dataset.uses = at * 7919 % 10_000
        dataset.themes = [themes[at % 15]]
        yield document_of(dataset)


def _dataset(draft: DatasetDraft) -> Dataset:
    resources = [
        Resource(key=r.key, title=dict(r.title), description={}, format=r.format, tables=[])
        for r in draft.resources
    ]
    if resources:
        columns = [TableColumn(name=name, label={}, type=ColumnType.STRING) for name in COLUMNS]
        resources[0].tables = [DataTable(title={}, rows=1000, release=1, columns=columns)]
    return Dataset(
        id=new_id(),
        slug="dataset",
        title=dict(draft.title),
        description=dict(draft.description),
        organization=Organization(slug=draft.organization, title={"en": draft.organization}),
        license_id=draft.license,
        frequency=draft.frequency,
        access=draft.access,
        tags=list(draft.tags),
        spatial="",
        modified=draft.modified,
        updated_at=datetime.now(UTC),
        resources=resources,
    )


def cpu(call: Callable[[], object], seconds: float = 0.3) -> float:
    """CPU milliseconds a call, of this process with all its threads."""
    call()
    start, times = time.process_time(), 0
    while time.process_time() - start < seconds:
        call()
        times += 1
    return (time.process_time() - start) / times * 1000


def measure(count: int) -> None:
    """Build an index of `count` datasets and search it."""
    with tempfile.TemporaryDirectory() as folder:
        engine = TantivyEngine(Path(folder))
        start = time.process_time()
        engine.rebuild(documents(count))
        built = time.process_time() - start
        size = sum(file.stat().st_size for file in Path(folder).rglob("*") if file.is_file())
        print(f"\n{count} datasets: built in {built:.1f} s CPU, {size / 1e6:.1f} MB on disk")
        print(f"{'CPU ms':34} {'found':>8} {'anew':>8} {'kept':>8}")
        for name, query in QUERIES.items():
            engine.search(query)

            def anew(query: SearchQuery = query) -> object:
                engine.forget()
                return engine.search(query)

            total = engine.search(query).total
            kept = cpu(lambda query=query: engine.search(query))  # type: ignore[misc] # bound per turn
            print(f"{name:34} {total:8} {cpu(anew):8.2f} {kept:8.2f}")
        one = next(documents(1))
        print(f"{'put one document':34} {'':8} {cpu(lambda: engine.put([one])):8.2f}")


def measure_python() -> None:
    """What surrounds the engine in a request."""
    parameters = {"q": ["空气质量 data"], "format": ["CSV"], "page": ["2"]}
    query = search_query(parameters, "zh")
    print(f"\n{'read the parameters':34} {cpu(lambda: search_query(parameters, 'zh')):8.3f}")
    with tempfile.TemporaryDirectory() as folder:
        engine = TantivyEngine(Path(folder))
        engine.put(documents(40))
        page = engine.search(SearchQuery("空气质量 data"))
        print(f"{'page as JSON of the API':34} {cpu(lambda: page_json(page, query)):8.3f}")

        def mark() -> None:
            for hit in page.hits:
                for texts in (hit.card["title"], hit.card["description"]):
                    highlight(next(iter(texts.values()), ""), query.text)

        print(f"{'mark 20 titles and descriptions':34} {cpu(mark):8.3f}")


if __name__ == "__main__":
    for wanted in sys.argv[1:] or ("2000", "100000"):
        measure(int(wanted))
    measure_python()
    print(f"\nlargest memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
