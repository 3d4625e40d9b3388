"""A repository that is read by OAI-PMH 2.0: in Dublin Core, DataCite or ISO 19115."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET

from marshmallow import Schema, fields, validate

from catalog.errors import CatalogError, Unreadable
from harvesters.addresses import shown
from harvesters.formats import metadata
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Http
from harvesters.markup import LARGEST, line_of, tree
from harvesters.terms import moment_of

BACK = timedelta(minutes=1)
"""How far before the repository's own moment the next run asks."""
MOST_PAGES = 1_000_000
MOST_EMPTY = 100
"""Pages without a record, one after the other, that a list without a stated size may have: some leave out what is hidden."""
MOST_RESTARTS = 2
"""How often a list is begun again whose token the repository has forgotten."""


class OAIOptions(metadata.MetadataOptions):
    """What a source of the kind `oaipmh` may be told."""

    prefix = fields.String(
        load_default="oai_dc",
        validate=validate.Regexp(r"^[A-Za-z0-9_.!~*'()-]{1,100}$"),
        metadata={"description": "Metadata prefix: oai_dc, oai_datacite, or one for ISO 19115"},
    )
    set = fields.String(
        load_default="",
        validate=validate.Length(max=500),
        metadata={"description": "Set that is read; everything if none is named"},
    )


class OAIPMH:
    """A format: each record of a repository is a dataset."""

    kind = "oaipmh"
    options: ClassVar[type[Schema]] = OAIOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """All records, or those since the last run where the repository keeps track of deletions."""
        repository = _Repository(source, http)
        identity = repository.ask({"verb": "Identify"})
        tracks = line_of(identity, "Identify/deletedRecord") in {"persistent", "transient"}
        days = "T" not in line_of(identity, "Identify/granularity")
        now = moment_of(line_of(identity, "responseDate"))
        since = str(source.memory.before.get("since", ""))
        if tracks and now:
            source.memory.after["since"] = _since(now, days=days)
        source.memory.partial = tracks and bool(since)
        yield from repository.records(since if source.memory.partial else "")

    def describe(self, record: Record) -> dict[str, Any]:
        """The record in our words."""
        return metadata.described(record.body)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """The file of a link."""
        return Files([http.download(load["part"]["url"], into)])


def _since(now: str, *, days: bool) -> str:
    """A little before now, as the repository writes moments."""
    moment = datetime.fromisoformat(now) - BACK
    return moment.strftime("%Y-%m-%d" if days else "%Y-%m-%dT%H:%M:%SZ")


class _Forgotten(Exception):
    """The repository no longer knows a resumption token."""


class _WithoutPrefix(Exception):
    """The repository wants the prefix beside a token, against the protocol, as pycsw does."""


class _Repository:
    """Asks one repository."""

    def __init__(self, source: Source, http: Http) -> None:
        self._url, self._options, self._http = source.url.partition("#")[0], source.options, http
        self._seen: set[str] = set()
        self._walked: set[str] = set()
        """Names that came since the list was begun."""

    def ask(self, asked: Mapping[str, str]) -> ET.Element:
        """An answer; an empty list is one, any other error is raised in the repository's words."""
        root = tree(self._http.get(self._url, params=asked, most=LARGEST))
        for error in root.iterfind("error"):
            code = error.get("code", "")
            if code == "badResumptionToken":
                raise _Forgotten
            if (
                code == "badArgument"
                and "resumptionToken" in asked
                and "metadataPrefix" not in asked
            ):
                raise _WithoutPrefix
            if code != "noRecordsMatch":
                reason = line_of(error, ".")
                raise Unreadable(
                    "the repository refuses: %(reason)s", reason=f"{code} {reason}".strip()[:500]
                )
        return root

    def records(self, since: str) -> Iterator[Record]:
        """The records since a moment, each once, although the list has to be begun again."""
        for _ in range(MOST_RESTARTS + 1):
            try:
                for element in self._listed(since):
                    yield from self._record(element)
                return
            except _Forgotten:
                continue
        raise Unreadable(
            "%(url)s forgets where a list goes on before it can be asked for it",
            url=shown(self._url),
        )

    def _listed(self, since: str) -> Iterator[ET.Element]:
        asked = {"verb": "ListRecords", "metadataPrefix": self._options["prefix"]}
        asked |= {"set": self._options["set"]} if self._options["set"] else {}
        asked |= {"from": since} if since else {}
        self._walked = set()
        first, tokens, count, empty = asked, set[str](), 0, 0
        for _ in range(MOST_PAGES):
            page = self._page(asked, first)
            found = page.findall("record")
            new = {line_of(one, "header/identifier") for one in found} - self._walked
            self._walked |= new
            count += len(new)
            yield from found
            token = line_of(page, "resumptionToken")
            size = max((_number(one) for one in page.iterfind("resumptionToken")), default=0)
            is_over = not new and count >= size and (found or size)  # some begin anew after the end
            if not token or is_over:
                return
            empty = 0 if found else empty + 1
            if token in tokens or empty > MOST_EMPTY or (not new and size):
                raise Unreadable(
                    "the paging of %(url)s does not end: a page came twice", url=shown(self._url)
                )
            tokens.add(token)
            asked = {"verb": "ListRecords", "resumptionToken": token}

    def _page(self, asked: Mapping[str, str], first: Mapping[str, str]) -> ET.Element:
        """The list of one answer, an empty one if there is none."""
        try:
            root = self.ask(asked)
        except _WithoutPrefix:
            root = self.ask({**first, **asked})
        found = root.find("ListRecords")
        return ET.Element("ListRecords") if found is None else found

    def _record(self, element: ET.Element) -> Iterator[Record]:
        header = element.find("header")
        key = line_of(element, "header/identifier")[:500]
        if key in self._seen:
            return
        self._seen.add(key)
        if header is not None and header.get("status") == "deleted":
            yield Record(key, {}, gone=True)
            return
        try:
            record = _inside(element)
            said = metadata.said_in(record, self._options)
        except CatalogError as error:
            yield Record(key, {}, error)
            return
        said["id"] = said["id"] or key
        said["stamp"] = said["stamp"] or line_of(element, "header/datestamp")
        if metadata.is_wanted(said, self._options):
            yield Record(key, said)


def _number(token: ET.Element) -> int:
    size = token.get("completeListSize", "")
    return int(size) if size.isascii() and size.isdigit() else 0


def _inside(element: ET.Element) -> ET.Element:
    """The record of a known standard in what the repository gives."""
    inside = element.find("metadata")
    found = None if inside is None else metadata.record_element(inside)
    if found is None:
        raise Unreadable("the record has no metadata of a known standard")
    return found
