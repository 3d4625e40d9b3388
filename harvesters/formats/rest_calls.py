"""How a JSON interface is called: its key, signatures, and the ways of asking for one page after another."""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
import secrets
import time
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode, urljoin, urlsplit

import orjson
from marshmallow import Schema, fields, validate

from catalog.errors import Unreadable
from harvesters.addresses import shown
from harvesters.harvester import Source
from harvesters.http import Answer, Http

NAME = validate.Regexp(r"^[A-Za-z0-9_.-]{1,60}$")
PARTS = ("method", "path", "query", "timestamp", "nonce", "app", "key")


class PagingSchema(Schema):
    """How the pages of a list are asked for."""

    kind = fields.String(
        load_default="none",
        validate=validate.OneOf(["none", "page", "offset", "cursor", "next", "link"]),
    )
    """`next`: an address inside the answer; `link`: the header Link with rel="next"."""
    param = fields.String()
    """Parameter for the page's number, the offset or the cursor."""
    start = fields.Integer(load_default=None, allow_none=True)
    size_param = fields.String(load_default="")
    size = fields.Integer(load_default=500, validate=validate.Range(1, 100_000))
    following = fields.String(load_default="")
    """Dotted path of the next cursor or of the link to the next page."""
    total = fields.String(load_default="")
    """Dotted path of the number of all records; a walk that ends with fewer is refused."""
    most_pages = fields.Integer(load_default=10_000, validate=validate.Range(1, 1_000_000))


class SignSchema(Schema):
    """How calls are signed: an HMAC of declared parts, with the key as its secret."""

    parts = fields.List(
        fields.String(validate=validate.OneOf(PARTS)),
        load_default=lambda: ["method", "path", "query", "timestamp", "nonce"],
        validate=validate.Length(1, 20),
    )
    """In this order; `query` is sorted by name, `key` the secret itself, for interfaces that hash it along."""
    separator = fields.String(load_default="\n", validate=validate.Length(max=10))
    algorithm = fields.String(
        load_default="sha256", validate=validate.OneOf(["sha256", "sha512", "sha1", "sm3", "md5"])
    )
    encoding = fields.String(
        load_default="hex", validate=validate.OneOf(["hex", "upper", "base64"])
    )
    clock = fields.String(
        load_default="seconds", validate=validate.OneOf(["seconds", "milliseconds", "iso"])
    )
    app = fields.String(load_default="", validate=validate.Length(max=200))
    """What the interface calls us."""
    sent = fields.Dict(
        keys=fields.String(validate=validate.OneOf(["signature", "timestamp", "nonce", "app"])),
        values=fields.String(validate=NAME),
        load_default=lambda: {
            "signature": "X-Signature",
            "timestamp": "X-Timestamp",
            "nonce": "X-Nonce",
        },
    )
    """What is sent, and the name of its header or parameter."""
    sent_in = fields.String(load_default="header", validate=validate.OneOf(["header", "query"]))


def pages(source: Source, http: Http, declared: Mapping[str, Any]) -> Iterator[tuple[Answer, Any]]:
    """Answers in order, until the source has no more; a walk that turns in a circle is an error."""
    paging = declared["paging"]
    url = _address(source.url, declared["path"])
    params: dict[str, str] | None = {**declared["params"], **_first_params(paging)}
    seen: set[bytes] = set()
    for number in range(paging["most_pages"]):
        answer = _get(source, http, url, params or {})
        page = answer.json()
        rows = records_of(page, declared)
        mark = hashlib.sha256(orjson.dumps(rows)).digest()
        if rows and mark in seen:
            raise Unreadable(
                "the paging of %(url)s does not end: a page came twice", url=shown(url)
            )
        seen.add(mark)
        yield answer, page
        following = _following(paging, answer, page, len(rows), number)
        if following is None:
            return
        if paging["kind"] in {"next", "link"}:
            url, params = _same_origin(source.url, urljoin(answer.url, following)), None
        else:
            params = {**(params or {}), paging["param"]: following}
    raise Unreadable(
        "the paging of %(url)s does not end: more than %(limit)s pages",
        url=shown(url),
        limit=paging["most_pages"],
    )


def records_of(page: Any, declared: Mapping[str, Any]) -> list[Mapping[str, object]]:
    """The records of an answer; raises Unreadable when there is no list of them."""
    found = at_path(page, declared["records"])
    if not isinstance(found, list) or not all(isinstance(row, Mapping) for row in found):
        raise Unreadable(
            "the answer has no list of records at “%(path)s”", path=declared["records"] or "."
        )
    return found


def at_path(value: Any, path: str) -> Any:
    """The value at a dotted path of keys and positions; None where there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list) and step.isdecimal() and int(step) < len(value):
            value = value[int(step)]
        else:
            return None
    return value


def _get(source: Source, http: Http, url: str, params: Mapping[str, str]) -> Answer:
    """One answer, with the key and the signature that the options ask for."""
    options = source.options
    headers, asked = {"Accept": "application/json"}, dict(params)
    if options["key"] and options["key_in"] == "query":
        asked[options["key_param"]] = options["key"]
    elif options["key"] and options["key_in"] == "header":
        headers[options["key_header"]] = options["key_prefix"] + options["key"]
    elif options["key_in"] == "signed":
        sign = options["sign"] or SignSchema().load({})
        signed = _signed(sign, options["key"], url, asked)
        (headers if sign["sent_in"] == "header" else asked).update(signed)
    return http.get(url, headers=headers, params=asked)


def _signed(
    sign: Mapping[str, Any], key: str, url: str, params: Mapping[str, str]
) -> dict[str, str]:
    """What is sent beside the call, by the name that the interface gives it."""
    address = urlsplit(url)
    query = {**dict(parse_qsl(address.query, keep_blank_values=True)), **params}
    parts = {
        "method": "GET",
        "path": address.path or "/",
        "timestamp": _moment(sign["clock"]),
        "nonce": secrets.token_hex(16),
        "app": sign["app"],
        "key": key,
    }
    if sign["sent_in"] == "query":
        query |= {name: parts[part] for part, name in sign["sent"].items() if part in parts}
    parts["query"] = urlencode(sorted(query.items()), quote_via=quote)
    text = sign["separator"].join(parts[part] for part in sign["parts"])
    digest = hmac.new(key.encode(), text.encode(), sign["algorithm"]).digest()
    parts["signature"] = _encoded(digest, sign["encoding"])
    return {name: parts[part] for part, name in sign["sent"].items()}


def _moment(clock: str) -> str:
    if clock == "iso":
        return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
    return str(time.time_ns() // (10**9 if clock == "seconds" else 10**6))


def _encoded(digest: bytes, encoding: str) -> str:
    if encoding == "base64":
        return base64.b64encode(digest).decode()
    return digest.hex().upper() if encoding == "upper" else digest.hex()


def _address(base: str, path: str) -> str:
    """The path below the base, with the queries of both."""
    place, _, query = base.partition("#")[0].partition("?")
    url = urljoin(place.rstrip("/") + "/", path.lstrip("/"))
    return url + ("&" if "?" in url else "?") + query if query else url


_PARAMS = {"page": "page", "offset": "offset", "cursor": "cursor"}


def _first_params(paging: dict[str, Any]) -> dict[str, str]:
    kind = paging["kind"]
    paging.setdefault("param", _PARAMS.get(kind, ""))
    params: dict[str, str] = {}
    if kind in {"page", "offset"}:
        params[paging["param"]] = str(_start(paging))
    if paging["size_param"]:
        params[paging["size_param"]] = str(paging["size"])
    return params


def _start(paging: Mapping[str, Any]) -> int:
    if paging["start"] is not None:
        return int(paging["start"])
    return 1 if paging["kind"] == "page" else 0


def _following(
    paging: Mapping[str, Any], answer: Answer, page: Any, rows: int, number: int
) -> str | None:
    """What asks for the next page, or None after the last one."""
    match paging["kind"]:
        case "page" if rows >= paging["size"]:
            return str(_start(paging) + number + 1)
        case "offset" if rows >= paging["size"]:
            return str(_start(paging) + (number + 1) * paging["size"])
        case "cursor" | "next" if rows:
            found = at_path(page, paging["following"])
            return str(found) if found not in (None, "", False) else None
        case "link" if rows:
            return _next_link(answer.headers.get("link", ""))
    return None


def _next_link(header: str) -> str | None:
    """The target of rel="next" in a Link header (RFC 8288)."""
    for target, parameters in re.findall(r"<([^>]*)>([^<]*)", header):
        relation = re.search(r";\s*rel\s*=\s*\"?([^\";,]+)", parameters, re.IGNORECASE)
        if relation and "next" in relation[1].lower().split():
            return str(target)
    return None


def _same_origin(first: str, following: str) -> str:
    """The next page's address, which must stay on the same server: the key is sent along."""
    if first.split("/")[:3] != following.split("/")[:3]:
        raise Unreadable(
            "the link to the next page leads to another server: %(url)s", url=shown(following)
        )
    return following
