"""A record of a catalogue, as the search may find it, and what is needed to read records."""

from __future__ import annotations

import re
import tarfile
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import yaml

from catalog.models.dataset import Dataset, Resource
from catalog.models.organization import Organization
from catalog.models.slug import slug_from
from catalog.models.table import DataTable, TableColumn
from catalog.models.vocabulary import Access, ColumnType, Frequency
from catalog.search import Document
from catalog.search.documents import document_of

ROOT = Path(__file__).resolve().parents[1]
REAL = ROOT.parent / "shared" / "data" / "dev"
MOST_TEXT, MOST_FILES, MOST_COLUMNS = 1_500, 20, 60
"""Characters of a description, resources and columns of a record that are kept: enough to find it, and quickly indexed."""
Texts = Mapping[str, str]
LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@dataclass(frozen=True)
class Entry:
    """A record of a catalogue: what the search may find it by."""

    key: str
    title: Texts
    description: Texts
    organization: str = ""
    tags: tuple[str, ...] = ()
    modified: str = ""
    spatial: str = ""
    files: tuple[tuple[str, str], ...] = ()
    """Title and format of each resource."""
    columns: tuple[tuple[str, Texts], ...] = ()
    """Name and labels of the columns of its table."""


def document(entry: Entry) -> Document:
    """The document of a record, made as the portal makes it; its id is the record's key."""
    table = DataTable(
        title={},
        rows=0,
        release=1,
        columns=[
            TableColumn(name=name, label=dict(label), type=ColumnType.STRING)
            for name, label in entry.columns[:MOST_COLUMNS]
        ],
    )
    resources = [
        Resource(key=str(at), title={"en": title}, description={}, format=format_, tables=[])
        for at, (title, format_) in enumerate(entry.files[:MOST_FILES] or (("", ""),))
    ]
    resources[0].tables = [table]
    name = entry.key.partition(":")[2].rpartition("/")[2]
    dataset = Dataset(
        id=entry.key,
        slug=slug_from(next(iter(entry.title.values()))),
        identifier=name if name.isascii() else "",
        title=dict(entry.title),
        description=dict(entry.description),
        organization=Organization(
            slug=slug_from(entry.organization), title={"en": entry.organization}
        ),
        license_id="notspecified",
        frequency=Frequency.UNKNOWN,
        access=Access.OPEN,
        tags=list(entry.tags),
        spatial=entry.spatial,
        modified=_moment(entry.modified),
        uses=0,
        themes=[],
        resources=resources,
    )
    return document_of(dataset)


def _moment(text: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def plain(text: object) -> str:
    """A text without the marks of HTML."""
    return re.sub(r"<[^>]{1,2000}>", " ", str(text or ""))[:MOST_TEXT]


def loaded(content: bytes | str) -> Any:
    """What a YAML text says; plain values only, read in C where that is built in."""
    return yaml.load(content, Loader=LOADER)  # noqa: S506 # both loaders are safe


def packed(path: str, ending: str) -> Iterator[tuple[str, bytes]]:
    """Files of an archive by name, in order."""
    with tarfile.open(REAL / path) as archive:
        members = {member.name: member for member in archive.getmembers() if member.isfile()}
        for name in sorted(members):
            if name.endswith(ending):
                content = archive.extractfile(members[name])
                yield name, content.read() if content else b""
