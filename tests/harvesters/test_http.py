"""Fetching: what is refused, what is tried again, and what is said."""

from __future__ import annotations

import gzip
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import (
    CatalogError,
    Denied,
    Invalid,
    NotFound,
    TooLarge,
    Unavailable,
    Unreadable,
)
from catalog.settings import Settings
from harvesters.addresses import AddressGuard, is_public, shown, web_address
from harvesters.http import Answer, Http, Limits
from tests.make_server import Asked, Served, failing, make_server, plain, redirecting

QUICK = Limits(
    file_bytes=100_000,
    page_bytes=50_000,
    read_seconds=0.5,
    total_seconds=2.0,
    redirects=3,
    backoff_seconds=0.01,
    longest_wait_seconds=0.5,
)


@pytest.fixture
def http(server: Served) -> Iterator[Http]:
    with Http(Settings(fetch_private_hosts=server.host), QUICK) as made:
        yield made


def test_an_answer_comes_with_its_headers(server: Served, http: Http) -> None:
    server.behaviours["/a"] = plain(b'{"a": 1}', headers={"ETag": '"7"'})
    answer = http.get(f"{server.url}/a", params={"q": "一 二"}, headers={"X-Key": "k"})
    assert answer.json() == {"a": 1}
    assert answer.version == 'etag:"7"'
    method, path, headers = server.asked[0]
    assert (method, path) == ("GET", "/a?q=%E4%B8%80+%E4%BA%8C")
    assert headers["X-Key"] == "k"


def test_a_compressed_answer_is_unpacked_and_counted(server: Served, http: Http) -> None:
    server.behaviours["/z"] = plain(gzip.compress(b"[1, 2]"), headers={"Content-Encoding": "gzip"})
    assert http.get(f"{server.url}/z").json() == [1, 2]
    server.behaviours["/bomb"] = plain(
        gzip.compress(bytes(5_000_000)), headers={"Content-Encoding": "gzip"}
    )
    with pytest.raises(TooLarge, match="larger than 50000 bytes"):
        http.get(f"{server.url}/bomb")
    server.behaviours["/lie"] = plain(b"no gzip at all", headers={"Content-Encoding": "gzip"})
    with pytest.raises(Unavailable, match="broke off or is no HTTP"):
        http.get(f"{server.url}/lie")


def test_a_file_is_fetched_under_its_name(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/data/air%20quality.csv.gz"] = plain(b"x" * 60_000)
    beats: list[int] = []
    http.beat = lambda: beats.append(1)
    place = http.download(f"{server.url}/data/air%20quality.csv.gz?token=1", tmp_path / "in")
    assert place.name == "air_quality.csv.gz"
    assert place.stat().st_size == 60_000
    assert beats
    assert server.asked[0][2]["Accept-Encoding"] == "identity"


def test_a_fetch_that_fails_leaves_no_half_file(server: Served, http: Http, tmp_path: Path) -> None:
    def half(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", "1000")
        asked.end_headers()
        asked.wfile.write(b"half")
        asked.close_connection = True

    server.behaviours["/half.csv"] = half
    with pytest.raises(Unavailable, match="broke off"):
        http.download(f"{server.url}/half.csv", tmp_path)
    assert len(server.asked) == 3
    assert list(tmp_path.iterdir()) == []


def test_errors_of_a_server_are_tried_again(server: Served, http: Http) -> None:
    server.behaviours["/flaky"] = failing(2, b"[]")
    assert http.get(f"{server.url}/flaky").json() == []
    server.behaviours["/broken"] = failing(9, b"[]", status=503)
    with pytest.raises(Unavailable, match="answers with the error 503"):
        http.get(f"{server.url}/broken")


def test_a_server_that_asks_for_a_long_wait_is_left_alone(server: Served, http: Http) -> None:
    server.behaviours["/busy"] = plain(b"", status=429, headers={"Retry-After": "60"})
    with pytest.raises(Unavailable, match="429"):
        http.get(f"{server.url}/busy")
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("status", "error", "words"),
    [
        (401, Denied, "check the key or password"),
        (403, Denied, "refuses access"),
        (404, NotFound, "there is nothing at"),
        (410, NotFound, "410"),
        (418, Unreadable, "error 418"),
        (304, Unreadable, "error 304"),
    ],
)
def test_final_answers_are_not_tried_again(
    server: Served, http: Http, status: int, error: type[CatalogError], words: str
) -> None:
    server.behaviours["/no"] = plain(b"", status=status)
    with pytest.raises(error, match=words):
        http.get(f"{server.url}/no")
    assert len(server.asked) == 1


def test_a_source_that_is_down_is_named() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    with (
        Http(Settings(fetch_private_hosts=host), QUICK) as http,
        pytest.raises(Unavailable, match="cannot be reached: Connection refused"),
    ):
        http.get(f"http://{host}/")


def test_a_body_that_drips_ends_at_the_deadline(server: Served, http: Http) -> None:
    def drip(asked: Asked) -> None:
        asked.send_response(200)
        asked.send_header("Content-Length", "40000")
        asked.end_headers()
        while True:
            asked.wfile.write(b"x")
            asked.wfile.flush()
            time.sleep(0.1)

    server.behaviours["/drip"] = drip
    start = time.monotonic()
    with pytest.raises(Unavailable, match="took longer than 2 seconds in all"):
        http.get(f"{server.url}/drip")
    assert time.monotonic() - start < 4


def test_headers_that_drip_end_at_the_deadline(server: Served, http: Http) -> None:
    def drip(asked: Asked) -> None:
        asked.wfile.write(b"HTTP/1.1 200 OK\r\nX-Slow: ")
        while True:
            asked.wfile.write(b"x")
            asked.wfile.flush()
            time.sleep(0.1)

    server.behaviours["/drip"] = drip
    with pytest.raises(Unavailable, match="took longer than 2 seconds"):
        http.get(f"{server.url}/drip")


def test_silence_is_a_timeout(server: Served) -> None:
    server.behaviours["/silent"] = lambda _: time.sleep(1)
    limits = Limits(read_seconds=0.1, attempts=1)
    with (
        Http(Settings(fetch_private_hosts=server.host), limits) as http,
        pytest.raises(Unavailable, match=r"did not answer within 0\.1 seconds"),
    ):
        http.get(f"{server.url}/silent")


def test_an_endless_body_ends_at_the_limit(server: Served, http: Http, tmp_path: Path) -> None:
    def endless(asked: Asked) -> None:
        asked.send_response(200)
        asked.end_headers()
        asked.close_connection = True
        while True:
            asked.wfile.write(b"x" * 10_000)

    server.behaviours["/endless"] = endless
    with pytest.raises(TooLarge, match="larger than 100000 bytes"):
        http.download(f"{server.url}/endless", tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_body_that_says_it_is_huge_is_not_read(server: Served, http: Http) -> None:
    server.behaviours["/huge"] = plain(b"x" * 200_000)
    with pytest.raises(TooLarge):
        http.get(f"{server.url}/huge")


def test_redirects_are_followed_and_counted(server: Served, http: Http) -> None:
    server.behaviours["/old"] = redirecting("/new")
    server.behaviours["/new"] = plain(b"[1]")
    assert http.get(f"{server.url}/old").url == f"{server.url}/new"
    server.behaviours["/round"] = redirecting("/round")
    with pytest.raises(Unreadable, match="redirects more than 3 times"):
        http.get(f"{server.url}/round")


@pytest.mark.parametrize(
    "target",
    [
        "http://169.254.169.254/latest/meta-data",
        "http://127.0.0.1:1/",
        "http://[::1]:80/",
        "http://10.0.0.1/",
    ],
)
def test_a_redirect_inside_is_refused(server: Served, http: Http, target: str) -> None:
    server.behaviours["/trap"] = redirecting(target)
    with pytest.raises(Denied, match="its address is private"):
        http.get(f"{server.url}/trap")


@pytest.mark.parametrize(
    "target",
    ["file:///etc/passwd", "ftp://example.org/", "gopher://x/", "http://:80/", "http://[x"],
)
def test_a_redirect_to_another_scheme_is_refused(server: Served, http: Http, target: str) -> None:
    server.behaviours["/trap"] = redirecting(target)
    with pytest.raises(Invalid, match="no http or https address"):
        http.get(f"{server.url}/trap")


def test_keys_are_not_sent_to_another_server(server: Served) -> None:
    with make_server({"/there": plain(b"[]")}) as other:
        server.behaviours["/here"] = redirecting(f"{other.url}/there")
        with Http(Settings(fetch_private_hosts=f"{server.host},{other.host}"), QUICK) as http:
            http.get(f"{server.url}/here", headers={"X-API-Key": "secret"})
        assert server.asked[0][2]["X-API-Key"] == "secret"
        assert "X-API-Key" not in other.asked[0][2]


def test_private_addresses_are_refused_unless_listed(server: Served) -> None:
    with Http(Settings(), QUICK) as http, pytest.raises(Denied, match="WEFT_FETCH_PRIVATE_HOSTS"):
        http.get(f"{server.url}/")
    assert server.asked == []


def test_a_name_that_turns_private_is_refused(server: Served) -> None:
    """DNS rebinding: the name is public when first asked for and private for the next connection."""
    answers = [["93.184.216.34"], ["127.0.0.1"]]

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        found = answers.pop(0)
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port)) for address in found]

    guard = AddressGuard([], resolve)
    assert guard.permitted("rebind.example", 80) == ["93.184.216.34"]
    with pytest.raises(Denied):
        guard.permitted("rebind.example", 80)


def test_the_connection_goes_to_the_checked_address(server: Served) -> None:
    """The name is resolved by us alone: the checked address is dialled, the name is only sent along."""

    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        assert host == "portal.example"
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", port))]

    server.behaviours["/x"] = plain(b"[]")
    settings = Settings(fetch_private_hosts=f"portal.example:{server.port}")
    with Http(settings, QUICK, resolve=resolve) as http:
        http.get(f"http://portal.example:{server.port}/x")
    assert server.asked[0][2]["Host"] == f"portal.example:{server.port}"


def test_one_private_address_among_public_ones_is_enough_to_refuse() -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        return [(0, 0, 0, "", (address, port)) for address in ("93.184.216.34", "192.168.1.1")]

    with pytest.raises(Denied):
        AddressGuard([], resolve).permitted("mixed.example", 443)


def test_a_name_that_nobody_knows() -> None:
    def resolve(host: str, port: int, **_: Any) -> list[Any]:
        raise socket.gaierror(-2, "Name or service not known")

    with (
        Http(Settings(), QUICK, resolve=resolve, sleep=lambda _: None) as http,
        pytest.raises(Unavailable, match=r"name nowhere\.example cannot be found"),
    ):
        http.get("http://nowhere.example/")


def test_a_server_that_speaks_no_tls_is_named(server: Served, http: Http) -> None:
    with pytest.raises(Unavailable):
        http.get(f"https://{server.host}/")


def test_garbage_instead_of_http(server: Served, http: Http) -> None:
    def garbage(asked: Asked) -> None:
        asked.wfile.write(b"\x00\x01\x02 garbage\r\n\r\n")
        asked.close_connection = True

    server.behaviours["/g"] = garbage
    with pytest.raises(Unavailable, match="broke off or is no HTTP"):
        http.get(f"{server.url}/g")


def test_the_version_of_a_file_is_asked_for_without_fetching(server: Served, http: Http) -> None:
    modified = {"Last-Modified": "Wed, 21 Oct 2015 07:28:00 GMT"}
    server.behaviours["/f"] = plain(b"12345", headers=modified)
    assert http.version(f"{server.url}/f") == "modified:Wed, 21 Oct 2015 07:28:00 GMT:5"
    assert server.asked[0][0] == "HEAD"
    assert http.version(f"{server.url}/none") == ""
    server.behaviours["/plain"] = plain(b"")
    assert http.version(f"{server.url}/plain") == ""


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"<!doctype html><p>Sign in</p>", "a web page instead of JSON"),
        (b'{"half": [1, 2', "no whole JSON"),
        (b"", "no whole JSON"),
    ],
)
def test_what_is_no_json_is_named(content: bytes, words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        Answer("http://x.example/a?key=1", content, {}).json()


def test_encodings_of_answers() -> None:
    def text(content: bytes, media: str = "") -> str:
        return Answer("http://x.example/", content, {"content-type": media}).text()

    assert text("\ufeff上海".encode()) == "上海"
    assert text("上海".encode("gb18030")) == "上海"
    assert text("é".encode("latin-1"), "text/csv; charset=ISO-8859-1") == "é"
    assert text("é".encode(), 'text/csv; charset="utf-8"') == "é"
    assert text("上海市".encode("gbk"), "text/html; charset=nonsense") == "上海市"
    with pytest.raises(Unreadable, match="encoding"):
        text(b"\xff\xff\xff")


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.0.1", "169.254.169.254", "0.0.0.0",  # noqa: S104 # an address that must be refused
 "224.0.0.1",
        "100.64.0.1", "255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "ff02::1",
        "::ffff:127.0.0.1", "2002:7f00:1::", "64:ff9b::7f00:1", "2001:db8::1",
    ],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize(
    "address", ["93.184.216.34", "2606:2800:220:1::1", "::ffff:8.8.8.8", "64:ff9b::808:808"]
)
def test_addresses_that_are_public(address: str) -> None:
    assert is_public(address)


@given(st.ip_addresses(v=4))
def test_wrapping_an_address_does_not_make_it_public(address: Any) -> None:
    assert is_public(f"::ffff:{address}") == is_public(str(address))
    assert is_public(f"64:ff9b::{address}") == is_public(str(address))


@pytest.mark.parametrize(
    "url",
    [
        "",
        "x",
        "http://",
        "javascript:alert(1)",
        "http://a b/",
        "http://a\n/",
        "http://[::1",
        "http://h:0/",
        "http://h:x/",
    ],
)
def test_what_is_no_web_address(url: str) -> None:
    with pytest.raises(Invalid):
        web_address(url)


def test_shown_addresses_hold_no_secrets() -> None:
    assert shown("https://user:pass@host:8/path?key=1#x") == "https://host:8/path"
    assert shown("/local/path") == "/local/path"


def dripping(asked: Asked) -> None:
    """One byte each 50 milliseconds."""
    asked.send_response(200)
    asked.send_header("Content-Length", "1000")
    asked.end_headers()
    for _ in range(100):
        asked.wfile.write(b" ")
        time.sleep(0.05)


def test_a_slow_page_is_given_up_long_before_a_file(server: Served) -> None:
    server.behaviours["/slow"] = dripping
    limits = Limits(read_seconds=1.0, page_seconds=0.5, total_seconds=60.0)
    began = time.monotonic()
    with (
        Http(Settings(fetch_private_hosts=server.host), limits) as http,
        pytest.raises(Unavailable, match=r"took longer than 0\.5 seconds in all"),
    ):
        http.get(f"{server.url}/slow")
    assert time.monotonic() - began < 3
    assert len(server.asked) == 1


def test_a_file_must_bring_enough_bytes_a_second(server: Served, tmp_path: Path) -> None:
    server.behaviours["/slow.csv"] = dripping
    server.behaviours["/good.csv"] = plain(b"x" * 500_000)
    limits = Limits(read_seconds=1.0, patience_seconds=0.4)
    with Http(Settings(fetch_private_hosts=server.host), limits) as http:
        with pytest.raises(
            Unavailable, match="is too slow: it gives less than 1000 bytes a second"
        ):
            http.download(f"{server.url}/slow.csv", tmp_path)
        assert len(server.asked) == 1
        assert list(tmp_path.iterdir()) == []
        http.beat = lambda: time.sleep(0.1)
        assert http.download(f"{server.url}/good.csv", tmp_path).stat().st_size == 500_000


def test_the_limits_of_the_portal_are_not_endless() -> None:
    limits = Http(Settings()).limits
    assert (limits.page_seconds, limits.least_rate, limits.patience_seconds) == (120, 1000, 60)
