"""Whole answers of sources, and how much a fetch may take."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import orjson

from catalog.errors import Unreadable
from harvesters.addresses import shown


@dataclass(frozen=True)
class Limits:
    """How much a fetch may take."""

    file_bytes: int = 2_000_000_000
    page_bytes: int = 50_000_000
    """For answers that are held in memory."""
    read_seconds: float = 30.0
    page_seconds: float = 120.0
    """For a whole answer that is held in memory."""
    total_seconds: float = 3600.0
    """For a whole file."""
    least_rate: int = 1_000
    """Bytes a second that a file must bring on average, once it has taken `patience_seconds`."""
    patience_seconds: float = 60.0
    redirects: int = 5
    attempts: int = 3
    backoff_seconds: float = 0.5
    longest_wait_seconds: float = 20.0


@dataclass(frozen=True)
class Answer:
    """A whole answer in memory."""

    url: str
    content: bytes
    headers: Mapping[str, str]

    @property
    def version(self) -> str:
        """What the source says to tell one state of the content from another, or nothing."""
        return version_of(self.headers)

    def text(self) -> str:
        """The content as text; raises Unreadable when its encoding cannot be told."""
        charset = re.search(r"charset=[\"']?([\w.:-]+)", self.headers.get("content-type", ""))
        for encoding in ("utf-8-sig", charset[1] if charset else "", "gb18030"):
            try:
                return self.content.decode(encoding)
            except (UnicodeError, LookupError):
                continue
        raise Unreadable("the encoding of %(url)s cannot be told", url=shown(self.url))

    def json(self) -> Any:
        """The content as JSON; raises Unreadable with what came instead."""
        text = self.text()
        try:
            return orjson.loads(text)
        except orjson.JSONDecodeError as error:
            if text.lstrip()[:1] == "<":
                raise Unreadable(
                    "the source answered with a web page instead of JSON at %(url)s",
                    url=shown(self.url),
                ) from error
            raise Unreadable(
                "the answer at %(url)s is no whole JSON", url=shown(self.url)
            ) from error


def version_of(headers: Mapping[str, str]) -> str:
    """ETag, else moment of change and size, else nothing."""
    if headers.get("etag"):
        return f"etag:{headers['etag']}"
    if headers.get("last-modified"):
        return f"modified:{headers['last-modified']}:{headers.get('content-length', '')}"
    return ""
