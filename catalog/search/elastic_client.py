"""Calls of an Elasticsearch server: where it is, who asks, and what is said when it does not answer."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import urlsplit

import structlog
from elastic_transport import ConnectionTimeout, ObjectApiResponse, TransportError
from elasticsearch import ApiError, Elasticsearch, OrjsonSerializer

from catalog.errors import SettingsError, Unavailable
from catalog.search.breaker import Breaker
from catalog.settings import Settings

log = structlog.get_logger()

SCHEMES = ("elasticsearch+http", "elasticsearch+https")
PREFIX = re.compile(r"[a-z0-9][a-z0-9_-]{0,79}")
"""Names of indexes that Elasticsearch takes."""
SEARCH_SECONDS, WRITE_SECONDS = 10.0, 120.0
PAUSE_SECONDS = 3.0
"""How long callers are spared a server that does not answer."""
DOWN = (429, 502, 503, 504)
"""Answers of a server, or of a proxy before it, that cannot work now."""
T = TypeVar("T")


@dataclass(frozen=True)
class Address:
    """Where the server is and what the portal's indexes there begin with."""

    hosts: tuple[str, ...]
    prefix: str
    options: dict[str, Any] = field(repr=False)

    @classmethod
    def at(cls, url: str, settings: Settings) -> Address:
        """The address in `url`, such as `elasticsearch+https://one:9200,two:9200/weft`; raises SettingsError."""
        parts = urlsplit(url)
        if "@" in parts.netloc:  # it would be shown wherever the address is
            raise SettingsError(
                "WEFT_SEARCH_URL may hold no password: set WEFT_SEARCH_USER and WEFT_SEARCH_PASSWORD"
            )
        prefix = parts.path.strip("/")
        scheme = parts.scheme.partition("+")[2]
        hosts = [host for host in parts.netloc.split(",") if host]
        if parts.scheme not in SCHEMES or not hosts or not PREFIX.fullmatch(prefix):
            raise SettingsError(
                "WEFT_SEARCH_URL: %(url)s is no elasticsearch+http://<host>:<port>/<prefix>",
                url=url,
            )
        default = 443 if scheme == "https" else 9200
        return cls(
            tuple(f"{scheme}://{_with_port(host, default)}" for host in hosts),
            prefix,
            _options(settings, secure=scheme == "https"),
        )


class Caller:
    """Calls the server; raises Unavailable with a sentence where it cannot answer."""

    def __init__(self, address: Address) -> None:
        self._client = Elasticsearch(list(address.hosts), **address.options)
        self._patient = self._client.options(request_timeout=WRITE_SECONDS)
        self.breaker = Breaker(PAUSE_SECONDS)

    def call(self, ask: Callable[[Elasticsearch], T], *, patient: bool = False) -> T:
        """What `ask` answers; ApiError where the server refuses, as for an index that is not there."""
        if not self.breaker.lets_through():
            raise _silent()
        try:
            answer = ask(self._patient if patient else self._client)
        except TransportError as error:
            self._failed(error)
            raise _silent() from error
        except ApiError as error:
            self._refused(error)
            raise
        self.breaker.succeeded()
        return answer

    def _failed(self, error: TransportError) -> None:
        late = isinstance(error, ConnectionTimeout)
        if not self.breaker.is_open:
            log.warning("search engine", trouble=type(error).__name__)
        self.breaker.failed(late=late)

    def _refused(self, error: ApiError) -> None:
        """Raise Unavailable where the same call may succeed later, or with other settings."""
        status = error.status_code
        if status in DOWN:
            self.breaker.failed(late=status == 429)
            raise Unavailable("the search engine cannot work at the moment") from error
        self.breaker.succeeded()
        if status in (401, 403):
            log.warning("search engine", trouble="refused", status=status)
            raise Unavailable("the search engine refuses the portal's user") from error


def _silent() -> Unavailable:
    return Unavailable("the search engine does not answer", retry_after=math.ceil(PAUSE_SECONDS))


def body_of(answer: ObjectApiResponse[Any]) -> dict[str, Any]:
    """The answer without its envelope, whose every access costs a call."""
    body: dict[str, Any] = answer.body
    return body


def _with_port(host: str, default: int) -> str:
    bare = host.rpartition("]")[2]
    return host if ":" in bare else f"{host}:{default}"


def _options(settings: Settings, *, secure: bool) -> dict[str, Any]:
    options: dict[str, Any] = {
        "request_timeout": SEARCH_SECONDS,
        # A connection that the server has closed meanwhile is noticed only when it is used.
        "max_retries": 2,
        "retry_on_timeout": False,
        "retry_on_status": (),
        "connections_per_node": 32,
        "serializers": {"application/vnd.elasticsearch+json": _Json()},
    }
    if settings.search_password:
        options["basic_auth"] = (settings.search_user, settings.search_password)
    if secure and settings.search_ca:
        options["ca_certs"] = settings.search_ca
    return options


class _Json(OrjsonSerializer):
    """The client's fast JSON under the media type that it asks for."""

    mimetype = "application/vnd.elasticsearch+json"
