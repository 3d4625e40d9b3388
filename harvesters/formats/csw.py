"""A catalogue service of the OGC (CSW 2.0.2 or 3.0) whose records are in ISO 19115 or Dublin Core."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any, ClassVar
from xml.etree import ElementTree as ET
from xml.sax.saxutils import escape, quoteattr

from marshmallow import Schema, fields, validate

from catalog.errors import CatalogError, NotFound, Unreadable
from harvesters.addresses import shown
from harvesters.formats import metadata
from harvesters.harvester import Content, Files, Record, Source
from harvesters.http import Http
from harvesters.markup import LARGEST, line_of, tree
from harvesters.terms import moment_of

SCHEMAS = {
    "iso": "http://www.isotc211.org/2005/gmd",
    "iso3": "http://standards.iso.org/iso/19115/-3/mdb/2.0",
    "dc": "",
}
"""What records are asked for in → the address of the schema; none is the service's own, Dublin Core."""
NAMESPACES = {
    "2.0.2": ("http://www.opengis.net/cat/csw/2.0.2", "http://www.opengis.net/ogc"),
    "3.0.0": ("http://www.opengis.net/cat/csw/3.0", "http://www.opengis.net/fes/2.0"),
}
FULL_EVERY = 10
"""Runs after which everything is read again, whatever the service says has changed."""
BACK = timedelta(days=1)
"""How far before the newest date that was seen changes are asked for: dates of records are mostly days."""
MOST_PAGES = 200_000


class CSWOptions(metadata.MetadataOptions):
    """What a source of the kind `csw` may be told."""

    version = fields.String(
        load_default="2.0.2",
        validate=validate.OneOf(list(NAMESPACES)),
        metadata={"description": "Version of the service that is spoken"},
    )
    schema = fields.String(
        load_default="iso",
        validate=validate.OneOf(list(SCHEMAS)),
        metadata={"description": "What records are asked for in: iso, iso3 (19115-3) or dc"},
    )
    method = fields.String(
        load_default="get",
        validate=validate.OneOf(["get", "post"]),
        metadata={"description": "How the service is asked; some answer `post` only"},
    )
    constraint = fields.String(
        load_default="",
        validate=validate.Length(max=2000),
        metadata={"description": "Condition in CQL on the records that are taken"},
    )
    changed_by = fields.String(
        load_default="",
        validate=validate.OneOf(["", "dct:modified", "apiso:Modified"]),
        metadata={
            "description": "Queryable by which changes are asked for, if the service has one; all is read otherwise"
        },
    )
    page_size = fields.Integer(
        load_default=50,
        validate=validate.Range(1, 1000),
        metadata={"description": "Records that are asked for at once"},
    )


class CSW:
    """A format: each record of a catalogue service is a dataset."""

    kind = "csw"
    options: ClassVar[type[Schema]] = CSWOptions

    def records(self, source: Source, http: Http) -> Iterator[Record]:
        """All records, or those that changed and were removed since the last run, where the service tells."""
        service, before = _Service(source, http), source.memory.before
        if not source.options["changed_by"]:
            yield from service.found(source.options["constraint"])
        elif before.get("since") and before.get("runs", 0) < FULL_EVERY:
            yield from _changes(service, source)
        else:
            yield from _all(service, source)

    def describe(self, record: Record) -> dict[str, Any]:
        """The record in our words."""
        return metadata.described(record.body)

    def content(self, source: Source, http: Http, load: Mapping[str, Any], into: Path) -> Content:  # noqa: ARG002 # the protocol's signature
        """The file of an online resource."""
        return Files([http.download(load["part"]["url"], into)])


def _all(service: _Service, source: Source) -> Iterator[Record]:
    """All records; what is kept lets the next run read changes only."""
    yield from service.found(source.options["constraint"])
    since = _since(service.newest, service.clock)
    ids = sorted(service.ids()) if since else []
    if (
        set(ids) == service.seen
    ):  # else the list names records in another way than they name themselves
        source.memory.after.update({"since": since, "ids": ids, "runs": 0})


def _changes(service: _Service, source: Source) -> Iterator[Record]:
    """What is new, has changed, or is gone."""
    options, before = source.options, source.memory.before
    source.memory.partial = True
    known, ids = set(before["ids"]), service.ids()
    condition = f"{options['changed_by']} >= '{before['since'][:10]}'"
    if options["constraint"]:
        condition = f"({options['constraint']}) AND {condition}"
    yield from service.found(condition)
    for key in sorted(ids - known - service.seen):
        yield from service.one(key)
    for key in sorted(known - ids):
        yield Record(key, {}, gone=True)
    source.memory.after.update(
        {
            "since": max(before["since"], _since(service.newest, service.clock)),
            "ids": sorted(ids),
            "runs": before.get("runs", 0) + 1,
        }
    )


def _since(newest: str, clock: str) -> str:
    """The moment from which the next run asks: before the newest date, and not after the service's own clock."""
    found = [
        moment.astimezone(UTC) if moment.tzinfo else moment.replace(tzinfo=UTC)
        for text in (newest, clock)
        if text and (moment := datetime.fromisoformat(text))
    ]
    return (min(found) - BACK).isoformat() if found and newest else ""


@dataclass(frozen=True)
class _Page:
    """One answer to GetRecords."""

    elements: list[ET.Element]
    total: int
    following: int


class _Service:
    """Asks one catalogue service."""

    def __init__(self, source: Source, http: Http) -> None:
        self._url, self._options, self._http = source.url.partition("#")[0], source.options, http
        self.clock = ""
        """What the service's clock said at its first answer."""
        self.newest = ""
        """The newest date of the records that came."""
        self.seen: set[str] = set()
        """Names of the records that came, also of those that are not taken."""

    def found(self, condition: str) -> Iterator[Record]:
        """The records that a condition finds, each described in the standard that was asked for."""
        for element in self._elements(condition, SCHEMAS[self._options["schema"]], "full"):
            record = self._record(element)
            if record is not None:
                yield record

    def ids(self) -> set[str]:
        """Names of all records that the source takes."""
        found = self._elements(self._options["constraint"], "", "brief")
        return {name for one in found if (name := line_of(one, "identifier"))}

    def one(self, key: str) -> Iterator[Record]:
        """The record of this name, if it is taken; what keeps it away is its error."""
        asked = {
            "request": "GetRecordById",
            "id": key,
            "elementSetName": "full",
            **self._schema(SCHEMAS[self._options["schema"]]),
        }
        try:
            root = self._answer(asked, b"")
            found = next(iter(root), None) if root.tag == "GetRecordByIdResponse" else root
            if found is None:
                raise NotFound("the service does not give the record %(key)s", key=key)
            record = self._record(found)
        except CatalogError as error:
            record = Record(key, {}, error)
        if record is not None:
            yield record

    def _record(self, element: ET.Element) -> Record | None:
        said = metadata.said_in(element, self._options)
        key = str(said["id"])[:500]
        self.seen.add(key)
        self.newest = max(self.newest, moment_of(str(said["stamp"])))
        return Record(key, said) if metadata.is_wanted(said, self._options) else None

    def _elements(self, condition: str, schema: str, size: str) -> Iterator[ET.Element]:
        """The records page by page; a walk that ends too early, or never, is an error."""
        start, count, total = 1, 0, 0
        for _ in range(MOST_PAGES):
            page = self._page(condition, schema, size, start)
            count, total = count + len(page.elements), page.total
            yield from page.elements
            if not page.following:
                break
            if page.following <= start:
                raise Unreadable(
                    "the paging of %(url)s does not end: a page came twice", url=shown(self._url)
                )
            start = page.following
        if count < total:
            raise Unreadable(
                "the source says that there are %(total)s records, but gave %(count)s",
                total=total,
                count=count,
            )

    def _page(self, condition: str, schema: str, size: str, start: int) -> _Page:
        asked = {
            "request": "GetRecords",
            "typeNames": "csw:Record",
            "resultType": "results",
            "elementSetName": size,
            "startPosition": str(start),
            "maxRecords": str(self._options["page_size"]),
            **self._schema(schema),
        }
        if condition:
            asked |= {
                "constraintLanguage": "CQL_TEXT",
                "constraint_language_version": "1.1.0",
                "constraint": condition,
            }
        root = self._answer(asked, _query(self._options["version"], asked))
        results = root.find("SearchResults")
        if results is None:
            raise Unreadable("the answer of %(url)s holds no search results", url=shown(self._url))
        status = root.find("SearchStatus")
        if status is not None and not self.clock:
            self.clock = moment_of(status.get("timestamp", ""))
        return _of_page(results, start)

    def _schema(self, schema: str) -> dict[str, str]:
        return {"outputSchema": schema or NAMESPACES[self._options["version"]][0]}

    def _answer(self, asked: Mapping[str, str], body: bytes) -> ET.Element:
        if body and self._options["method"] == "post":
            answer = self._http.post(
                self._url, content=body, headers={"Content-Type": "application/xml"}, most=LARGEST
            )
        else:
            params = {"service": "CSW", "version": self._options["version"], **asked}
            answer = self._http.get(self._url, params=params, most=LARGEST)
        root = tree(answer)
        if root.tag in {"ExceptionReport", "ServiceExceptionReport"}:
            reason = line_of(root, ".//ExceptionText", ".//ServiceException") or next(
                (one.get("exceptionCode", "") for one in root.iter("Exception")), ""
            )
            raise Unreadable("the service refuses: %(reason)s", reason=reason[:500])
        return root


def _of_page(results: ET.Element, start: int) -> _Page:
    """The page; where the service does not say where the next one begins, it is reckoned."""
    elements = list(results)
    total = _number(results.get("numberOfRecordsMatched", ""))
    following = _number(results.get("nextRecord", ""))
    reached = start + len(elements)
    if "nextRecord" not in results.attrib and elements and reached <= total:
        following = reached
    return _Page(elements, total, 0 if following > total else following)


def _number(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() else 0


def _query(version: str, asked: Mapping[str, str]) -> bytes:
    """GetRecords as a document."""
    csw, ogc = NAMESPACES[version]
    results = ' resultType="results"' if version == "2.0.2" else ""  # 3.0 has done away with it
    condition = ""
    if "constraint" in asked:
        condition = (
            f'<csw:Constraint version="1.1.0"><csw:CqlText>{escape(asked["constraint"])}'
            "</csw:CqlText></csw:Constraint>"
        )
    return (
        f'<csw:GetRecords xmlns:csw="{csw}" xmlns:ogc="{ogc}" service="CSW" version="{version}"{results}'
        f' startPosition="{asked["startPosition"]}" maxRecords="{asked["maxRecords"]}"'
        f' outputFormat="application/xml" outputSchema={quoteattr(asked["outputSchema"])}>'
        f'<csw:Query typeNames="csw:Record"><csw:ElementSetName>{asked["elementSetName"]}</csw:ElementSetName>'
        f"{condition}</csw:Query></csw:GetRecords>"
    ).encode()
