"""The only place that opens the network: guarded, limited, and with a sentence for what went wrong.

A name is resolved once for each connection, its addresses are checked, and the connection goes to the
checked address (TLS still checks the name), so that neither a redirect nor a second answer of the name
server leads inside. Time is bounded for each read and for the whole fetch, also while headers drip in.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import unquote, urlsplit

import httpcore
import httpx  # noqa: TID251 # this is the place

from catalog.errors import (
    CatalogError,
    Denied,
    NotFound,
    TooLarge,
    Unavailable,
    Unreadable,
)
from catalog.settings import Settings
from harvesters.addresses import AddressGuard, Resolve, joined, shown, web_address
from harvesters.answers import Answer, Limits, version_of
from harvesters.deadlines import Deadline
from harvesters.folders import Folders, plain_name

__all__ = ["Answer", "Http", "Limits"]

T = TypeVar("T")

AGENT = "Weft-harvester/0.1 (open data portal)"
REDIRECTS = frozenset({301, 302, 303, 307, 308})
TRY_AGAIN = frozenset({408, 425, 429, 500, 502, 503, 504})


class _Stream(httpcore.NetworkStream):
    """A connection whose reads and writes also end at the deadline."""

    def __init__(self, stream: httpcore.NetworkStream, deadline: Deadline) -> None:
        self._stream, self._deadline = stream, deadline

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        content = self._stream.read(max_bytes, self._deadline.left(timeout))
        self._deadline.got(len(content))
        return content

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._stream.write(buffer, self._deadline.left(timeout))

    def close(self) -> None:
        self._stream.close()

    def start_tls(
        self,
        ssl_context: ssl.SSLContext,
        server_hostname: str | None = None,
        timeout: float | None = None,
    ) -> httpcore.NetworkStream:
        left = self._deadline.left(timeout)
        return _Stream(self._stream.start_tls(ssl_context, server_hostname, left), self._deadline)

    def get_extra_info(self, info: str) -> Any:
        return self._stream.get_extra_info(info)


class _Backend(httpcore.NetworkBackend):
    """Connects to checked addresses only."""

    def __init__(self, guard: AddressGuard, deadline: Deadline) -> None:
        self._guard, self._deadline = guard, deadline
        self._plain = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        failure: Exception = httpcore.ConnectError("the name has no address")
        for address in self._guard.permitted(host, port):
            try:
                left = self._deadline.left(timeout)
                stream = self._plain.connect_tcp(address, port, left, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout) as error:
                failure = error
                continue
            return _Stream(stream, self._deadline)
        raise failure


class _Transport(httpx.HTTPTransport):
    """httpx over the guarded backend."""

    def __init__(self, backend: _Backend) -> None:
        context = httpx.create_ssl_context(trust_env=False)
        super().__init__(verify=context, trust_env=False)
        if not isinstance(
            self._pool, httpcore.ConnectionPool
        ):  # pragma: no cover # a changed httpx
            raise RuntimeError("httpx keeps its connections elsewhere: the guard would be bypassed")
        # httpx has no argument for a network backend; its own pool is replaced before its first use.
        self._pool = httpcore.ConnectionPool(ssl_context=context, network_backend=backend)


class Http:
    """Fetches for one run, in one thread; `beat` is called whenever something arrived."""

    def __init__(
        self,
        settings: Settings,
        limits: Limits | None = None,
        *,
        beat: Callable[[], None] = lambda: None,
        resolve: Resolve = socket.getaddrinfo,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self.limits = limits or Limits(
            file_bytes=settings.max_fetch_bytes, read_seconds=settings.fetch_timeout_seconds
        )
        self.folders = Folders(settings.fetch_folders)
        self.guard = AddressGuard(settings.fetch_private_hosts.split(","), resolve)
        self.beat = beat
        self._sleep = sleep
        self._deadline = Deadline(self.limits)

    @cached_property
    def _client(self) -> httpx.Client:
        """Made when it is first needed: reading the certificates takes longer than many a local source."""
        return httpx.Client(
            transport=_Transport(_Backend(self.guard, self._deadline)),
            timeout=self.limits.read_seconds,
            trust_env=False,
        )

    def __enter__(self) -> Http:
        return self

    def __exit__(self, *_: object) -> None:
        if "_client" in self.__dict__:
            self._client.close()

    def get(
        self,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        most: int | None = None,
    ) -> Answer:
        """A whole answer in memory, at most `most` bytes of it (else TooLarge)."""
        address = web_address(url)
        if params:
            address = str(httpx.URL(address).copy_merge_params(dict(params)))
        limit = min(most or self.limits.page_bytes, self.limits.page_bytes)

        def fetch() -> Answer:
            with self._open(
                "GET", address, {**(headers or {}), "Accept-Encoding": "gzip"}
            ) as response:
                content = b"".join(self._chunks(response, limit))
                return Answer(str(response.url), content, _lower(response.headers))

        return self._tried(fetch)

    def post(
        self, url: str, *, content: bytes, headers: Mapping[str, str], most: int | None = None
    ) -> Answer:
        """As `get`, for a question that is too long for an address; asking twice must do no harm."""
        limit = min(most or self.limits.page_bytes, self.limits.page_bytes)

        def fetch() -> Answer:
            sent = {**headers, "Accept-Encoding": "gzip"}
            with self._open("POST", url, sent, content) as response:
                body = b"".join(self._chunks(response, limit))
                return Answer(str(response.url), body, _lower(response.headers))

        return self._tried(fetch)

    def ask(
        self, method: str, url: str, *, headers: Mapping[str, str], content: bytes = b""
    ) -> tuple[int, bytes]:
        """The status and body of one answer, whatever the status; nothing is tried again or followed."""
        address = web_address(url)
        self._deadline.start(is_file=False)
        with _sentences(address, self.limits, self._deadline):
            sent = {"User-Agent": AGENT, "Accept-Encoding": "gzip", **headers}
            request = self._client.build_request(method, address, headers=sent, content=content)
            response = self._client.send(request, stream=True, follow_redirects=False)
            try:
                body = b"".join(self._chunks(response, self.limits.page_bytes))
                return response.status_code, body
            finally:
                response.close()

    def version(self, url: str, *, headers: Mapping[str, str] | None = None) -> str:
        """What the source says about the state of a file, without fetching it; empty if nothing."""

        def ask() -> str:
            with self._open("HEAD", url, headers or {}) as response:
                return version_of(_lower(response.headers))

        try:
            return self._tried(ask)
        except CatalogError:
            return ""  # the fetch that follows says what is wrong

    def download(self, url: str, into: Path, *, headers: Mapping[str, str] | None = None) -> Path:
        """Fetch a file into a folder under its own name; a file that is there already is replaced."""
        into.mkdir(parents=True, exist_ok=True)
        place = into / plain_name(unquote(urlsplit(url).path.rstrip("/").rpartition("/")[2]))

        def fetch() -> Path:
            with (
                self._open(
                    "GET", url, {**(headers or {}), "Accept-Encoding": "identity"}
                ) as response,
                place.open("wb") as file,
            ):
                for chunk in self._chunks(response, self.limits.file_bytes):
                    file.write(chunk)
            return place

        try:
            return self._tried(fetch, is_file=True)
        except CatalogError:
            place.unlink(missing_ok=True)
            raise

    def _tried(self, call: Callable[[], T], *, is_file: bool = False) -> T:
        self._deadline.start(is_file=is_file)
        for attempt in range(1, self.limits.attempts + 1):
            self._deadline.attempt()
            try:
                return call()
            except Unavailable as error:
                wait = _wait(error, self.limits.backoff_seconds * 2 ** (attempt - 1))
                late = time.monotonic() + wait >= self._deadline.at
                if (
                    attempt == self.limits.attempts
                    or late
                    or self._deadline.slow
                    or wait > self.limits.longest_wait_seconds
                ):
                    raise
            self.beat()
            self._sleep(wait)
        raise AssertionError("unreachable")  # pragma: no cover # the last attempt returns or raises

    @contextmanager
    def _open(
        self, method: str, url: str, headers: Mapping[str, str], content: bytes = b""
    ) -> Iterator[httpx.Response]:
        """The answer after its redirects, its body not yet read; content goes to the same server only."""
        address, sent = web_address(url), dict(headers)
        with _sentences(address, self.limits, self._deadline):
            for _ in range(self.limits.redirects + 1):
                request = self._client.build_request(
                    method,
                    address,
                    headers={"User-Agent": AGENT, **sent},
                    content=content or None,
                )
                response = self._client.send(request, stream=True, follow_redirects=False)
                try:
                    target = response.headers.get("location", "")
                    if response.status_code not in REDIRECTS or not target:
                        _check_status(response, address)
                        yield response
                        return
                finally:
                    response.close()
                following = joined(address, target)
                if _origin(following) != _origin(address):
                    if content:
                        raise Unreadable(
                            "%(url)s sends questions on to another server", url=shown(address)
                        )
                    sent = {"Accept-Encoding": sent.get("Accept-Encoding", "identity")}
                address = following
            raise Unreadable(
                "%(url)s redirects more than %(limit)s times",
                url=shown(url),
                limit=self.limits.redirects,
            )

    def _chunks(self, response: httpx.Response, limit: int) -> Iterator[bytes]:
        """The body as it arrives; a body larger than the limit raises TooLarge."""
        size = 0
        if int(_digits(response.headers.get("content-length", ""))) > limit:
            size = limit + 1
        for chunk in response.iter_bytes() if size <= limit else ():
            size += len(chunk)
            if size > limit:
                break
            self.beat()
            yield chunk
        if size > limit:
            raise TooLarge(
                "%(url)s is larger than %(limit)s bytes", url=shown(str(response.url)), limit=limit
            )


@contextmanager
def _sentences(url: str, limits: Limits, deadline: Deadline) -> Iterator[None]:
    """Turn the failures of the network into our errors, each with its sentence."""
    place = shown(url)
    try:
        yield
    except httpx.TimeoutException as error:
        if deadline.slow:
            raise Unavailable(
                "%(url)s is too slow: it gives less than %(rate)s bytes a second",
                url=place,
                rate=limits.least_rate,
            ) from error
        if time.monotonic() >= deadline.at:
            raise Unavailable(
                "%(url)s took longer than %(seconds)s seconds in all",
                url=place,
                seconds=f"{deadline.seconds:g}",
            ) from error
        raise Unavailable(
            "%(url)s did not answer within %(seconds)s seconds",
            url=place,
            seconds=f"{limits.read_seconds:g}",
        ) from error
    except httpx.ConnectError as error:
        raise Unavailable(
            "%(url)s cannot be reached: %(reason)s", url=place, reason=_reason(error)
        ) from error
    except (httpx.TransportError, httpx.DecodingError) as error:
        raise Unavailable("the answer of %(url)s broke off or is no HTTP", url=place) from error
    except httpx.InvalidURL as error:
        raise Unreadable("%(url)s is no http or https address", url=place) from error


def _check_status(response: httpx.Response, url: str) -> None:
    status, place = response.status_code, shown(url)
    if status in TRY_AGAIN:
        wait = _digits(response.headers.get("retry-after", ""))
        raise Unavailable(
            "%(url)s answers with the error %(status)s",
            url=place,
            status=status,
            retry_after=int(wait),
        )
    if status in {401, 403}:
        raise Denied(
            "%(url)s refuses access (%(status)s): check the key or password of the source",
            url=place,
            status=status,
        )
    if status in {404, 410}:
        raise NotFound("there is nothing at %(url)s (%(status)s)", url=place, status=status)
    if not 200 <= status < 300:
        raise Unreadable("%(url)s answers with the error %(status)s", url=place, status=status)


def _reason(error: Exception) -> str:
    text = str(error)
    return text.partition("] ")[2] or text


def _wait(error: Unavailable, backoff: float) -> float:
    return max(backoff, float(str(error.context.get("retry_after", 0))))


def _digits(text: str) -> str:
    return text if text.isascii() and text.isdigit() and len(text) < 19 else "0"


def _origin(url: str) -> tuple[str, str | None, int | None]:
    parts = urlsplit(url)
    return parts.scheme, parts.hostname, parts.port


def _lower(headers: httpx.Headers) -> dict[str, str]:
    return {key.lower(): value for key, value in headers.items()}
