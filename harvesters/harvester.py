"""What a harvest format is: it reads records and describes them; it saves nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar, Protocol

from marshmallow import Schema

from catalog.errors import CatalogError
from harvesters.http import Http


@dataclass
class Memory:
    """What a format remembers from one run that came to its end to the next, such as a moment or an ETag."""

    before: Mapping[str, Any] = field(default_factory=dict)
    """What the last run kept; nothing at the first, and when everything shall be read again."""
    after: dict[str, Any] = field(default_factory=dict)
    """What this run leaves: plain JSON, taken over only if the run comes to its end."""
    partial: bool = False
    """Whether only what changed is read: what does not come has not vanished then."""


@dataclass(frozen=True)
class Source:
    """A harvest source as formats see it: its address and its checked options, secrets in clear."""

    url: str
    options: Mapping[str, Any] = field(default_factory=dict)
    memory: Memory = field(default_factory=Memory)


@dataclass(frozen=True)
class Record:
    """One dataset, or a series of them, as the source has it; `body` is plain JSON, so that it can be kept raw."""

    key: str
    """Stable name of the record in its source."""
    body: Mapping[str, Any]
    error: CatalogError | None = None
    """Why the record could not be fetched; such a record is refused, but it has not vanished."""
    is_series: bool = False
    """Whether it is no dataset but a series of them, which `describe` describes in the fields of SeriesDraft."""
    series: tuple[str, ...] = ()
    """Keys of the series that the dataset belongs to; we know one, the first that could be taken."""
    gone: bool = False
    """Whether the source says that it has removed the record."""


@dataclass(frozen=True)
class Files:
    """Content that lies in files, to be read in this order."""

    paths: Sequence[Path]


@dataclass(frozen=True)
class Rows:
    """Content that comes as rows; `columns` is their order, if it is known."""

    rows: Iterable[Mapping[str, object]]
    columns: Sequence[str] | None = None


@dataclass(frozen=True)
class Columns:
    """Content that comes as batches of values by column: no Python for each row."""

    batches: Iterable[Sequence[Sequence[object]]]
    columns: Sequence[str]


Content = Files | Rows | Columns


class LinkedFiles:
    """What formats share whose content lies in files at addresses of the web."""

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """The file at the address."""
        return Files([http.download(load["part"]["url"], into)])


class Harvester(Protocol):
    """A kind of system that datasets are read from."""

    kind: str
    """Name in the catalogue and in forms: `files`, `dcat` …"""
    options: ClassVar[type[Schema]]
    """What a source of this kind may be told; fields with `metadata={"secret": True}` are encrypted."""

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """The source's records; an error that is raised here ends the run."""
        ...

    def describe(self, record: Record) -> dict[str, Any]:
        """The record in the fields of DatasetDraft, texts by language; the runner checks it."""
        ...

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:
        """The content that `load` (see ResourceDraft) names; files are fetched into the folder `into`."""
        ...
