"""Folders of files on other machines, each on a real server."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Any

import asyncssh
import pytest

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
from harvesters.formats.files import FilesFolder
from harvesters.harvester import Files
from harvesters.http import Http
from harvesters.places import ftp, place_of, s3
from harvesters.places import place as place_module
from harvesters.places.place import Meter, checked
from tests.harvesters.conftest import QUICK
from tests.make_folder import PASSWORD, USER, make_ftp, make_sftp, make_webdav
from tests.make_s3 import KEY, MISSING, SECRET, make_s3, s3proxy
from tests.make_server import Served, plain
from tests.make_source import drafts, opened

FILES = FilesFolder()
NAMES = ["deep/公园 2024.csv", "parks.csv"]
Opened = tuple[str, str, dict[str, Any]]
"""Address, host to allow, options."""


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("shared") / "files"
    (folder / "open" / "deep").mkdir(parents=True)
    (folder / "open" / "parks.csv").write_text("id,name\n1,世纪公园\n")
    (folder / "open" / "deep" / "公园 2024.csv").write_text("id\n2\n")
    (folder / "open" / ".hidden.csv").write_text("id\n3\n")
    (folder / "secret.csv").write_text("no")
    return folder


@pytest.fixture(scope="module")
def places(shared: Path) -> Iterator[Callable[[str], Opened]]:
    """Starts each kind of server when it is first asked for."""
    known: dict[str, Opened] = {}
    signed = {"user": USER, "password": PASSWORD}
    with ExitStack() as stack:

        def start(kind: str) -> Opened:
            if kind == "sftp":
                made = stack.enter_context(make_sftp(shared))
                return f"sftp://{made.host}/open", made.host, {**signed, "host_key": made.host_key}
            if kind.startswith("ftp"):
                without = ("MLSD", "MLST") if kind == "ftp-old" else ()
                made = stack.enter_context(make_ftp(shared, without=without))
                return f"ftp://{made.host}/open", made.host, signed
            if kind == "dav":
                made = stack.enter_context(make_webdav(shared))
                return f"dav://{made.host}/open/", made.host, signed
            if s3proxy() is None:
                pytest.skip(MISSING)
            server = stack.enter_context(make_s3(shared.parent))
            bucket = server.make_bucket()
            (server.folder / bucket / "open").symlink_to(shared / "open")
            host = f"127.0.0.1:{server.port}"
            options = {"user": KEY, "password": SECRET, "endpoint": f"http://{host}"}
            return f"s3://{bucket}/open", host, options

        def ask(kind: str) -> Opened:
            if kind not in known:
                known[kind] = start(kind)
            return known[kind]

        yield ask


def fetcher(*hosts: str, **limits: Any) -> Http:
    settings = Settings(fetch_private_hosts=",".join(hosts))
    return Http(settings, replace(QUICK, read_seconds=5.0, **limits))


@pytest.mark.parametrize("kind", ["sftp", "ftp", "ftp-old", "dav", "s3"])
class TestPlaces:
    """What holds for all of them."""

    def test_files_are_listed_known_by_their_state_and_fetched(
        self, places: Callable[[str], Opened], shared: Path, tmp_path: Path, kind: str
    ) -> None:
        url, host, options = places(kind)
        with fetcher(host) as http:
            found = drafts(FILES, url, http, language="zh", **options)
            assert sorted(found) == NAMES
            (resource,) = found["parks.csv"].resources
            assert (resource.format, resource.url, resource.size) == (
                "CSV", "", (shared / "open" / "parks.csv").stat().st_size,
            )  # fmt: skip
            assert resource.load["version"].startswith(("listed:", "etag:"))
            assert PASSWORD not in str(found)
            assert drafts(FILES, url, http, language="zh", **options) == found
            source = opened(FILES, url, **options)
            load = {"part": {"files": NAMES}}
            content = FILES.content(source, http, load, tmp_path)
            assert isinstance(content, Files)
            assert [path.read_text() for path in content.paths] == [
                "id\n2\n",
                "id,name\n1,世纪公园\n",
            ]

    def test_a_private_address_that_is_not_listed_is_refused(
        self, places: Callable[[str], Opened], kind: str
    ) -> None:
        url, _, options = places(kind)
        with fetcher() as http, pytest.raises(Denied, match="WEFT_FETCH_PRIVATE_HOSTS"):
            drafts(FILES, url, http, **options)

    def test_a_wrong_password_is_said(self, places: Callable[[str], Opened], kind: str) -> None:
        url, host, options = places(kind)
        with fetcher(host) as http, pytest.raises(Denied, match="refuses access"):
            drafts(FILES, url, http, **{**options, "password": "wrong"})

    def test_a_file_that_is_gone_outside_or_too_large_is_not_fetched(
        self, places: Callable[[str], Opened], tmp_path: Path, kind: str
    ) -> None:
        url, host, options = places(kind)
        with (
            fetcher(host, file_bytes=5) as http,
            place_of(opened(FILES, url, **options), http) as place,
        ):
            with pytest.raises(CatalogError):
                place.fetch("gone.csv", tmp_path / "a")
            with pytest.raises(Denied, match="lies outside"):
                place.fetch("../secret.csv", tmp_path / "b")
            with pytest.raises(TooLarge):
                place.fetch("parks.csv", tmp_path / "c")
        assert not list(tmp_path.rglob("*.csv"))

    def test_a_server_that_is_down_is_said(
        self, places: Callable[[str], Opened], kind: str
    ) -> None:
        url, host, options = places(kind)
        down = "127.0.0.1:9"
        options = {**options, "endpoint": f"http://{down}"} if kind == "s3" else options
        with fetcher(down) as http, pytest.raises(Unavailable, match="cannot be reached"):
            drafts(FILES, url.replace(host, down), http, **options)


def test_an_ssh_server_must_show_the_key_that_is_known(places: Callable[[str], Opened]) -> None:
    url, host, options = places("sftp")
    with fetcher(host) as http, pytest.raises(Denied, match="host_key") as error:
        drafts(FILES, url, http, **{**options, "host_key": "SHA256:other"})
    assert error.value.context["key"] == options["host_key"]


@pytest.mark.parametrize("kind", ["ssh-ed25519", "ecdsa-sha2-nistp256", "ssh-rsa"])
def test_a_private_key_opens_an_ssh_server(shared: Path, kind: str) -> None:
    key = asyncssh.generate_private_key(kind)
    pem = key.export_private_key("openssh").decode()
    with make_sftp(shared, key) as made, fetcher(made.host) as http:
        options = {"user": USER, "host_key": made.host_key}
        url = f"sftp://{made.host}/open"
        assert sorted(drafts(FILES, url, http, private_key=pem, **options)) == NAMES
        with pytest.raises(Invalid, match="private key"):
            drafts(FILES, url, http, private_key="no key", **options)


def test_ftps_speaks_tls_before_it_says_who_it_is(places: Callable[[str], Opened]) -> None:
    url, host, options = places("ftp")
    with fetcher(host) as http, pytest.raises(NotFound, match="cannot be read"):
        drafts(FILES, url.replace("ftp:", "ftps:"), http, **options)  # the server knows no TLS


def test_an_ssh_server_that_falls_silent_is_given_up(shared: Path) -> None:
    with make_sftp(shared, is_mute=True) as made, fetcher(made.host) as http:
        http.limits = replace(http.limits, read_seconds=1.0)
        options = {"user": USER, "password": PASSWORD, "host_key": made.host_key}
        with pytest.raises(Unavailable, match="broke off"):
            drafts(FILES, f"sftp://{made.host}/open", http, **options)


class _Boasting(asyncssh.SFTPServer):
    """Says that its files are larger than any disk."""

    def fstat(self, file_obj: object) -> asyncssh.SFTPAttrs:
        attributes = asyncssh.SFTPAttrs.from_local(super().fstat(file_obj))  # type: ignore[arg-type] # os.stat_result
        attributes.size = 1 << 62
        return attributes


def test_no_more_is_asked_of_an_ssh_server_than_may_come(shared: Path, tmp_path: Path) -> None:
    with make_sftp(shared, made=_Boasting) as made, fetcher(made.host, file_bytes=1000) as http:
        options = {"user": USER, "password": PASSWORD, "host_key": made.host_key}
        source = opened(FILES, f"sftp://{made.host}/open", **options)
        with place_of(source, http) as place:
            assert place.fetch("parks.csv", tmp_path).read_text() == "id,name\n1,世纪公园\n"


@pytest.mark.parametrize("kind", ["sftp", "ftp", "ftp-old", "dav"])
def test_a_folder_without_end_is_given_up(
    places: Callable[[str], Opened], monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    for module in (place_module, ftp):
        monkeypatch.setattr(module, "MOST_LISTED", 1)
    url, host, options = places(kind)
    with fetcher(host) as http, pytest.raises(TooLarge, match="more than 1 files"):
        drafts(FILES, url, http, **options)


def test_links_of_a_web_folder_that_are_no_addresses_are_passed_over(server: Served) -> None:
    page = b'<a href="http://[x">?</a><a href="a.csv">a</a>'
    server.behaviours["/w/"] = plain(page, media_type="text/html")
    server.behaviours["/w/a.csv"] = plain(b"id\n1\n")
    with fetcher(server.host) as http:
        assert sorted(drafts(FILES, f"{server.url}/w/", http)) == ["a.csv"]


def test_what_is_no_ssh_server_is_said(server: Served) -> None:
    with fetcher(server.host) as http, pytest.raises(Unavailable, match="broke off"):
        drafts(FILES, f"sftp://{server.host}/", http)


def test_addresses_of_other_kinds_and_without_a_host_are_refused() -> None:
    with fetcher() as http:
        for url, words in (
            ("gopher://x.example/", "gopher"), ("s3://", "bucket"), ("ftp:///x", "no host"), ("sftp://h:99999/x", "no host"),
        ):  # fmt: skip
            with pytest.raises(Invalid, match=words):
                drafts(FILES, url, http)


@pytest.mark.parametrize(
    ("status", "content", "error"),
    [
        (404, b"", NotFound),
        (500, b"", Unavailable),
        (207, b"<a", Unreadable),
        (207, b'<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>', Unreadable),
        (207, '<!DOCTYPE x [<!ENTITY a "b">]><x>&a;</x>'.encode("utf-16"), Unreadable),
    ],
)
def test_bad_answers_of_a_webdav_server(
    server: Served, status: int, content: bytes, error: type[CatalogError]
) -> None:
    server.behaviours["/f/"] = plain(content, status=status, media_type="application/xml")
    with fetcher(server.host) as http, pytest.raises(error):
        drafts(FILES, f"dav://{server.host}/f", http)


def test_a_bucket_that_everybody_may_read_is_listed_page_by_page(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    def page(name: str, following: str) -> bytes:
        return (
            f"<ListBucketResult><Contents><Key>p/{name}</Key><Size>1</Size></Contents>"
            f"<NextContinuationToken>{following}</NextContinuationToken></ListBucketResult>"
        ).encode()

    def behave(asked: Any) -> None:
        last = "continuation-token" in asked.path
        asked.answer(
            page("b.csv", "") if last else page("a.csv", "t"), media_type="application/xml"
        )

    server.behaviours["/bucket"] = behave
    with fetcher(server.host) as http:
        found = drafts(FILES, "s3://bucket/p", http, endpoint=server.url)
        assert sorted(found) == ["a.csv", "b.csv"]
        assert "Authorization" not in server.asked[0][2]
        counter = iter(range(10**6))
        server.behaviours["/bucket"] = lambda asked: asked.answer(page("a.csv", str(next(counter))))
        monkeypatch.setattr(s3, "MOST_FILES", 1000)
        with pytest.raises(Unreadable, match="does not end"):
            drafts(FILES, "s3://bucket/p", http, endpoint=server.url)


def test_a_file_that_takes_too_long_or_brings_too_little_is_given_up() -> None:
    with fetcher(total_seconds=-1.0) as http, pytest.raises(Unavailable, match="in all"):
        Meter(http, "f").got(1)
    slow = {"patience_seconds": -1.0, "least_rate": 10**12}
    with fetcher(**slow) as http, pytest.raises(Unavailable, match="too slow"):
        Meter(http, "f").got(1)
    assert checked("a/b.csv") == "a/b.csv"
