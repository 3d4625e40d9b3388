"""Small things that many descriptions name: addresses with their class, concepts, texts, days and moments."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from api.feeds.rdf import Node, Text


def typed(address: str, kind: str) -> Node:
    """A thing of another vocabulary, with the class that shapes ask for."""
    return Node(address, (kind,))


def concept(address: str, labels: Mapping[str, str] | None = None) -> Node:
    """A concept of another vocabulary; where no label is known, the end of its address is one."""
    node = typed(address, "skos:Concept")
    end = re.split(r"[/#]", address.rstrip("/#"))[-1]
    node.texts("skos:prefLabel", labels or {"en": end})
    return node


def date_text(text: str) -> Text:
    """A year, a month or a day as a value of its type."""
    return Text(text, type={4: "xsd:gYear", 7: "xsd:gYearMonth"}.get(len(text), "xsd:date"))


def moment_text(moment: datetime | None) -> Text | None:
    """A moment in UTC."""
    if moment is None:
        return None
    return Text(moment.astimezone(UTC).isoformat(timespec="seconds"), type="xsd:dateTime")
