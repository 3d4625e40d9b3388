"""A catalogue of any size in the shape of real ones: `python -m bench.catalogue [--datasets N] [--search ADDRESS]`.

Datasets are saved as harvests save them, the search index is made anew while somebody searches, and a real web process
is asked over HTTP. Figures are CPU of the whole server process (user and system, all threads and children) for a call,
cold and warm as in the other benchmarks; the client's own CPU is not in them. With `--folder` the catalogue is kept, and the
next run with the same folder begins with it.
"""

from __future__ import annotations

import itertools
import resource
import shutil
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import click
import orjson
from sqlalchemy import func, select

from bench import shaped
from bench.calls import Call
from bench.measure import Report, measure
from bench.portal import Client, Portal, Running
from bench.rebuild import Watch, server_seconds
from bench.search import documents
from catalog.db import db
from catalog.models.dataset import Dataset
from catalog.permissions import SCHEDULER
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.drafts import Origin
from catalog.search import search_engine
from catalog.services import datasets, groups, organizations, search

SOURCE = "bench"
TOGETHER = 100
"""Records that a harvest saves at once."""
LARGE = 100_000
"""From so many datasets on, the targets of a large catalogue hold."""
LOADED_A_SECOND, REBUILT_SECONDS = 300.0, 600.0
CREATED_MS = 10.0
SIZE = 40
"""Different questions of a kind."""
FACETS = (
    "organization",
    "groups",
    "tags",
    "res_format",
    "license_id",
    "owner_org",
    "type",
    "state",
)
WORDS = (
    "人口", "空气质量", "工业 企业", "water", "population census", "交通", "教育", "health", "市 指标", "traffic",
    "boundaries", "medical", "财政", "parcels 2020", "农业", "sewer lines", "投资", "schools", "年末", "zoning",
)  # fmt: skip


@click.command()
@click.option("--datasets", "count", default=2_000, show_default=True)
@click.option("--port", default=28767, show_default=True)
@click.option(
    "--folder", default=None, help="Where the catalogue stays (a temporary folder otherwise)."
)
@click.option("--search", "url", default="", help="Address of the search engine, as in search_url.")
@click.option("--rebuilt/--as-it-is", default=True, help="Make the index anew before asking.")
def main(count: int, port: int, folder: str | None, url: str, *, rebuilt: bool) -> None:
    """Generate, save, index, ask, print."""
    with tempfile.TemporaryDirectory(prefix="weft-catalogue-") as made:
        home = Path(folder or made)
        home.mkdir(parents=True, exist_ok=True)
        portal = Portal(home, port, search_url=url)
        report = Report()
        with portal.prepare().app_context():
            report.head(
                f"{count:,} datasets in the shape of real ones, search by {url or 'Tantivy'}"
            )
            report.reference()
            save(report, count)
            if rebuilt:
                rebuild(report, url)
        with portal.web() as web, portal.worker() as worker:
            worker.settle()
            ask(report, portal, web, count)
            report.figure(
                "memory of web, of worker",
                f"{web.megabytes():.0f}, {worker.megabytes():.0f} MB peak",
            )
        sizes(report, portal)
        report.reference()
        print(f"\n{report.missed} figures beyond their target")


def save(report: Report, count: int) -> None:
    """Organizations, themes and those of the datasets that are not there yet, in batches as a harvest's."""
    for slug, title, above in shaped.organizations():
        organizations.put(SCHEDULER, slug, title=title, parent=above)
    for slug, title in shaped.themes():
        groups.put(SCHEDULER, slug, title=title)
    have = db.session.scalar(select(func.count()).select_from(Dataset)) or 0
    made = itertools.islice(shaped.descriptions(start=have), max(count - have, 0))
    numbered = enumerate(made, start=have)
    spent, began = 0.0, time.monotonic()
    while batch := list(itertools.islice(numbered, TOGETHER)):
        own = time.process_time()
        drafts = [(dataset_draft(one), Origin(SOURCE, str(at))) for at, one in batch]
        datasets.put_all(SCHEDULER, drafts)
        spent += time.process_time() - own
        db.session.expunge_all()
    if count > have:
        rate = (count - have) / spent
        report.least(
            "saved, datasets a CPU second",
            rate,
            LOADED_A_SECOND,
            f"{time.monotonic() - began:.0f} s wall",
        )


def rebuild(report: Report, url: str) -> None:
    """The whole index from the database, while somebody searches: where there was none, in made-up documents."""
    if not search_engine().ids():
        search_engine().rebuild(documents(1_000))
    watch = Watch(search_engine())
    watch.start()
    server, own, began = server_seconds(url), time.process_time(), time.monotonic()
    search.rebuild_index()
    took, spent = time.monotonic() - began, time.process_time() - own
    watch.stop()
    beside = f", {server_seconds(url) - server:.0f} in the server" if url else ""
    report.limit("index made anew, s wall", took, REBUILT_SECONDS, f"CPU s {spent:.0f}{beside}")
    report.limit("searches meanwhile without an answer", watch.empty, 0, f"of {watch.asked}")
    memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000
    report.figure("memory of the process that does so", f"{memory:.0f} MB peak")


def ask(report: Report, portal: Portal, web: Running, count: int) -> None:
    """Everything that is asked of it over HTTP."""
    client = Client(portal.port)
    known = list(db_slugs(portal, count))
    report.head("over HTTP, CPU ms a call")
    for call in calls(known, large=count >= LARGE):
        measure(report, web, client, call)
    create(report, portal, web, client)


def db_slugs(portal: Portal, count: int) -> Iterator[str]:
    """Addresses of datasets from everywhere in the catalogue."""
    with portal.app().app_context():
        keys = [str(at * max(count // (4 * SIZE), 1)) for at in range(4 * SIZE)]
        wanted = select(Dataset.slug).where(
            Dataset.source_id == SOURCE, Dataset.record_key.in_(keys)
        )
        yield from db.session.scalars(wanted.order_by(Dataset.record_key))


def calls(slugs: list[str], *, large: bool) -> list[Call]:
    """What is asked, in the order of the report."""

    def slug(at: int, turn: int) -> str:
        return slugs[(at * 4 + turn) % len(slugs)]

    def words(at: int) -> str:
        return f"{WORDS[at % len(WORDS)]}{'' if at < len(WORDS) else ' data'}"

    def path(address: str, **given: object) -> str:
        return f"{address}?{urlencode(given)}"

    facets = orjson.dumps(FACETS).decode()
    search_target = 15 if large else 5
    more = [
        ("home page", "/zh/", ""),
        ("organizations, page", "/zh/organizations", ""),
        ("organizations (API)", "/api/v1/organizations?", ""),
        ("organization page", "/en/organizations/city-{}?", ""),
        ("sitemap index", "/sitemap.xml?{}", ""),
        ("first sitemap", "/sitemaps/1.xml?{}", ""),
        ("Atom feed", "/feeds/datasets.atom?{}", ""),
        ("DCAT, first page", "/catalog.ttl?{}", ""),
        ("OAI-PMH, first page", "/oai?verb=ListRecords&metadataPrefix=oai_dc&{}", ""),
        ("package_list, 100 names", "/api/3/action/package_list?limit=100&offset={}", ""),
        (
            "current_package_list…, 10",
            "/api/3/action/current_package_list_with_resources?limit=10&offset={}",
            "",
        ),
        ("organization_list", "/api/3/action/organization_list?offset={}", ""),
        ("tag_list of a word", "/api/3/action/tag_list?query=wa&offset={}", ""),
        ("status_show", "/api/3/action/status_show?{}", ""),
    ]
    return [
        Call(
            "package_search, eight facets", search_target, "18–33",
            lambda at: path("/api/3/action/package_search", **{"q": words(at), "rows": 20, "facet.field": facets}),
            different=SIZE,
        ),
        Call(
            "package_search of all, eight facets", search_target, "18–33",
            lambda at: path("/api/3/action/package_search", **{"rows": 20, "facet.field": facets, "start": at}),
            different=SIZE,
        ),
        Call("package_show", 2, "14–17", lambda at: path("/api/3/action/package_show", id=slug(at, 0)), different=SIZE),
        Call("dataset page", 8, "129–167", lambda at: f"/{'zh' if at % 2 else 'en'}/datasets/{slug(at, 1)}", different=SIZE),
        Call("search page", 10, "79–175", lambda at: path(f"/{'zh' if at % 2 else 'en'}/datasets", q=words(at)), different=SIZE),
        Call("search (API), all facets", search_target, "", lambda at: path("/api/v1/datasets", q=words(at)), different=SIZE),
        Call("suggestions", float("inf"), "", lambda at: path("/api/v1/suggestions", q=words(at)[:3]), different=SIZE),
        *(
            Call(name, float("inf"), ckan, lambda at, start=start: start.format(at % 20), different=20 if "{}" in start else 1)
            for name, start, ckan in more
        ),
    ]  # fmt: skip


def create(report: Report, portal: Portal, web: Running, client: Client) -> None:
    """Datasets by package_create, each searched for at once: what was written is found by the very next search."""
    with portal.app().app_context():
        key = {"Authorization": portal.key().removeprefix("Bearer ")}
    run = f"{time.time_ns():x}"
    bodies = [body(at, run) for at in range(240)]
    for one in bodies[:40]:
        client.ask("/api/3/action/package_create", one, key)
    before = web.cpu_seconds()
    for one in bodies[40:]:
        client.ask("/api/3/action/package_create", one, key)
    spent = (web.cpu_seconds() - before) / 200 * 1000
    report.limit("package_create, CPU ms", spent, CREATED_MS, "[146]")
    client.ask("/api/3/action/package_search?rows=0")
    more = [body(at, f"{run}s") for at in range(100)]
    before, missed = web.cpu_seconds(), 0
    for one in more:
        client.ask("/api/3/action/package_create", one, key)
        found = client.ask(path_of_name(one["name"]))
        missed += orjson.loads(found)["result"]["count"] != 1
    spent = (web.cpu_seconds() - before) / len(more) * 1000
    report.figure("… and a search that finds it, CPU ms", f"{spent:.2f}")
    report.limit("created but not found by the next search", missed, 0, f"of {len(more)}")


def path_of_name(name: str) -> str:
    """The search for one dataset by its name."""
    return f"/api/3/action/package_search?fq=name:{name}&rows=1"


def body(at: int, run: str) -> dict[str, Any]:
    """A dataset as CKAN's clients write it, in the shape of a real one."""
    made = shaped.description(7, at)
    return {
        "name": f"bench-{run}-{at}",
        "title": next(iter(made["title"].values())),
        "notes": next(iter(made["description"].values()), ""),
        "owner_org": made["organization"],
        "license_id": "cc-by",
        "url": "https://data.example.org/",
        "tags": [{"name": tag} for tag in ("air", "water", "环境", "交通", f"n{at % 50}")],
        "groups": [{"name": slug} for slug in made["themes"]],
        "extras": [{"key": "source_id", "value": str(at)}, {"key": "coverage", "value": "city"}],
        "resources": [
            {"name": f"file {number}", "url": one["url"], "format": one["format"]}
            for number, one in enumerate(made["resources"][:3])
        ],
    }


def sizes(report: Report, portal: Portal) -> None:
    """Bytes on disk."""
    data = Path(portal.settings.data_dir)
    for name in ("catalog.sqlite", "search"):
        place = data / name
        files = [place] if place.is_file() else [one for one in place.rglob("*") if one.is_file()]
        size = sum(one.stat().st_size for one in files)
        report.figure(f"size of {name}", f"{size / 1e6:,.0f} MB")
    report.figure("free disk", f"{shutil.disk_usage(data).free / 1e9:,.0f} GB")


if __name__ == "__main__":
    main()
