"""`python -m bench.rebuild --engine ADDRESS`: a whole index anew while somebody searches, on any engine.

The index holds a tenth of the documents before, so that a search without an answer shows a gap. CPU is
that of this process (reading what is made up, cutting texts, sending) and, for Elasticsearch, the server's.
"""

from __future__ import annotations

import http.client
import itertools
import resource
import threading
import time
from urllib.parse import urlsplit

import click
import orjson

from bench.search import QUERIES, documents
from catalog.engines import open_search
from catalog.search import SearchEngine, SearchQuery

EVERY_SECONDS = 0.5
"""Between two searches during the rebuild."""


@click.command()
@click.option(
    "--engine", "url", required=True, help="Address of a search engine, as in search_url."
)
@click.option("--datasets", default=500_000, help="Documents in the new index.")
def main(url: str, datasets: int) -> None:
    """Rebuild, search meanwhile, and print what it took."""
    engine = open_search(url)
    engine.rebuild(documents(datasets // 10))
    watch = Watch(engine)
    watch.start()
    server, own, began = server_seconds(url), time.process_time(), time.monotonic()
    engine.rebuild(documents(datasets))
    wall, spent = time.monotonic() - began, time.process_time() - own
    watch.stop()
    total = engine.search(SearchQuery(facets=False)).total
    print(f"{total:,} documents: {wall:.0f} s, CPU {spent:.0f} s here", end="")
    print(f" and {server_seconds(url) - server:.0f} s in the server" if server else "")
    print(f"searches meanwhile: {watch.asked}, without an answer: {watch.empty}")
    print(f"memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024:.0f} MB")
    for name, query in QUERIES.items():
        _measure(engine, name, query)


class Watch(threading.Thread):
    """Somebody who searches all the time."""

    def __init__(self, engine: SearchEngine) -> None:
        super().__init__(daemon=True)
        self._engine, self._end = engine, threading.Event()
        self.asked = self.empty = 0

    def run(self) -> None:
        """Search until told to stop."""
        while not self._end.wait(EVERY_SECONDS):
            self.asked += 1
            self.empty += not self._engine.search(SearchQuery("空气")).hits

    def stop(self) -> None:
        """Search no more."""
        self._end.set()
        self.join()


def server_seconds(url: str) -> float:
    """CPU that the nodes of Elasticsearch have used; 0 for an engine in this process."""
    address = urlsplit(url)
    if not address.scheme.startswith("elasticsearch"):
        return 0.0
    connection = http.client.HTTPConnection(address.netloc.split(",")[0])
    connection.request("GET", "/_nodes/stats/process")
    nodes = orjson.loads(connection.getresponse().read())["nodes"].values()
    return sum(float(node["process"]["cpu"]["total_in_millis"]) for node in nodes) / 1000


def _measure(engine: SearchEngine, name: str, query: SearchQuery) -> None:
    """CPU of this process and time of a search, the median of some that differ in their offset."""
    engine.search(query)
    times = []
    for offset in itertools.islice(itertools.count(20, 20), 9):
        began, own = time.perf_counter(), time.process_time()
        engine.search(SearchQuery(**{**vars(query), "offset": offset}))
        times.append((time.perf_counter() - began, time.process_time() - own))
    wall, spent = sorted(times)[4][0], sorted(one for _, one in times)[4]
    print(f"  {name:24} {wall * 1000:7.1f} ms, CPU {spent * 1000:6.2f} ms here")


if __name__ == "__main__":
    main()
