"""Atom, maps of the site, OpenSearch, copies of the catalogue."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import orjson
import pyarrow.parquet as pq
import pytest
from flask.testing import FlaskClient
from lxml import etree

from catalog.permissions import SCHEDULER
from catalog.services import catalogue_copies, publishing
from tests.make_dataset import make_organization, put
from tests.make_feeds import make_catalogue

ATOM = {"a": "http://www.w3.org/2005/Atom", "at": "http://purl.org/atompub/tombstones/1.0"}
MAP = {"s": "http://www.sitemaps.org/schemas/sitemap/0.9", "x": "http://www.w3.org/1999/xhtml"}


def xml(client: FlaskClient, path: str) -> etree._Element:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return etree.fromstring(answer.data)


def titles(feed: etree._Element) -> list[str]:
    return [str(text) for text in feed.xpath("a:entry/a:title/text()", namespaces=ATOM)]


def test_the_feed_lists_what_changed_last_first_with_all_that_atom_asks_for(
    client: FlaskClient,
) -> None:
    make_organization()
    for name in ("First", "Second"):
        put(name)
    put("First", slug="first", description={"en": "Changed & <b>"})
    feed = xml(client, "/feeds/datasets.atom")
    assert titles(feed) == ["First", "Second"]
    for element in (feed, *feed.xpath("a:entry", namespaces=ATOM)):
        for needed in ("id", "title", "updated", "author/a:name", "link[@rel='alternate']"):
            assert element.xpath(f"a:{needed}", namespaces=ATOM), needed
    ids = feed.xpath("//a:id/text()", namespaces=ATOM)
    assert len(ids) == len(set(ids))
    assert feed.xpath("string(a:entry[1]/a:summary)", namespaces=ATOM) == "Changed & <b>"


def test_what_was_withdrawn_leaves_the_feed_with_the_reason(client: FlaskClient) -> None:
    make_organization()
    put("Stays")
    made = put("Goes", slug="goes")
    publishing.withdraw(SCHEDULER, made.dataset_id, {"en": "It was wrong."})
    feed = xml(client, "/feeds/datasets.atom")
    assert titles(feed) == ["Stays"]
    [gone] = feed.xpath("at:deleted-entry", namespaces=ATOM)
    assert gone.get("ref") == f"urn:uuid:{made.dataset_id}"
    assert gone.xpath("string(at:comment)", namespaces=ATOM) == "It was wrong."


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("/feeds/organizations/ecology.atom", 3),
        ("/feeds/organization/ecology.atom", 3),
        ("/feeds/themes/environment.atom", 1),
        ("/feeds/group/environment.atom", 1),
        ("/feeds/tags/空气.atom", 1),
        ("/feeds/tag/air.atom", 1),
        ("/feeds/custom.atom?q=closed", 1),
        ("/feeds/search.atom?access=closed", 1),
        ("/feeds/search.atom?q=xyzzy", 0),
        ("/feeds/dataset.atom?lang=zh", 3),
    ],
)
def test_a_part_of_the_catalogue_has_a_feed(
    client: FlaskClient, tmp_path: Path, path: str, found: int
) -> None:
    make_catalogue(tmp_path)
    assert len(titles(xml(client, path))) == found


@pytest.mark.parametrize("path", ["/feeds/organizations/none.atom", "/feeds/themes/none.atom"])
def test_what_is_not_there_has_no_feed(client: FlaskClient, path: str) -> None:
    assert client.get(path).status_code == 404


def test_the_map_leads_to_every_dataset_in_each_language(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    maps = xml(client, "/sitemap.xml").xpath("s:sitemap/s:loc/text()", namespaces=MAP)
    assert maps == ["http://localhost/sitemaps/pages.xml", "http://localhost/sitemaps/1.xml"]
    found = xml(client, "/sitemaps/1.xml")
    places = set(found.xpath("s:url/s:loc/text()", namespaces=MAP))
    assert places == {
        f"http://localhost/{tag}/datasets/{slug}"
        for tag in ("zh", "en")
        for slug in ("air", "closed", "files")
    }
    others = found.xpath("s:url[1]/x:link/@hreflang", namespaces=MAP)
    assert others == ["zh-Hans", "en"]
    for place in xml(client, "/sitemaps/pages.xml").xpath("s:url/s:loc/text()", namespaces=MAP):
        assert client.get(place.removeprefix("http://localhost")).status_code == 200, place
    assert client.get("/sitemaps/2.xml").status_code == 404


def test_a_browser_learns_how_to_search(client: FlaskClient) -> None:
    space = {"o": "http://a9.com/-/spec/opensearch/1.1/"}
    found = xml(client, "/opensearch.xml?lang=en")
    [template] = found.xpath("o:Url[@type='text/html']/@template", namespaces=space)
    address = template.replace("{searchTerms}", "air").replace("{startPage?}", "1")
    assert client.get(address.removeprefix("http://localhost")).status_code == 200
    assert "/opensearch.xml?lang=zh" in client.get("/zh/").text


def test_the_whole_catalogue_comes_as_json_lines_and_parquet(
    client: FlaskClient, tmp_path: Path
) -> None:
    make_catalogue(tmp_path)
    lines = gzip.decompress(client.get("/catalog.jsonl.gz").data).splitlines()
    described = {one["slug"]: one for one in map(orjson.loads, lines)}
    assert described.keys() == {"air", "closed", "files"}
    assert described["air"] == orjson.loads(client.get("/api/v1/datasets/air").data) | {
        "freshness": None
    }
    table = pq.read_table(io.BytesIO(client.get("/catalog.parquet").data)).to_pylist()
    assert {row["slug"]: row["title_zh"] for row in table}["air"] == "空气质量"
    assert [orjson.loads(row["json"])["id"] for row in table] == [row["id"] for row in table]


def test_a_copy_can_be_had_in_parts(client: FlaskClient, tmp_path: Path) -> None:
    make_catalogue(tmp_path)
    whole = client.get("/catalog.parquet")
    size, tag = len(whole.data), whole.headers["ETag"]
    part = client.get("/catalog.parquet", headers={"Range": "bytes=4-9", "If-Range": tag})
    assert (part.status_code, part.data) == (206, whole.data[4:10])
    assert part.headers["Content-Range"] == f"bytes 4-9/{size}"
    other = client.get("/catalog.parquet", headers={"Range": "bytes=4-9", "If-Range": '"x"'})
    assert (other.status_code, other.data) == (200, whole.data)
    beyond = client.get("/catalog.parquet", headers={"Range": f"bytes={size}-"})
    assert (beyond.status_code, beyond.headers["Content-Range"]) == (416, f"bytes */{size}")
    head = client.head("/catalog.parquet")
    assert (head.headers["Content-Length"], head.data) == (str(size), b"")
    assert client.get("/catalog.parquet", headers={"If-None-Match": tag}).status_code == 304


def test_the_worker_makes_the_copy_of_what_is_new_and_the_old_one_goes(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_organization()
    put("One")
    catalogue_copies.keep_catalogue_copies()
    put("Two")
    monkeypatch.setattr(catalogue_copies, "GRACE_SECONDS", 0)
    catalogue_copies.keep_catalogue_copies()
    assert len(catalogue_copies._kept("parquet")) == 1
    assert pq.read_table(io.BytesIO(client.get("/catalog.parquet").data)).num_rows == 2
