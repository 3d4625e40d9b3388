"""The format `csw`: paging, changes, removals, both versions, and services that do odd things."""

from __future__ import annotations

from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit
from xml.etree import ElementTree as ET

import pytest

from catalog.errors import CatalogError, Unavailable, Unreadable
from harvesters.formats.csw import CSW, FULL_EVERY
from harvesters.harvester import Files, Memory, Record, Source
from harvesters.http import Http
from tests.make_server import Asked, Served, plain, redirecting
from tests.make_source import draft_of, drafts, opened

FORMAT = CSW()
DATA = Path(__file__).parents[1] / "data" / "csw"
ENVELOPE = (
    '<csw:GetRecordsResponse xmlns:csw="{space}" xmlns:dc="http://purl.org/dc/elements/1.1/">'
    '<csw:SearchStatus timestamp="2030-01-01T00:00:00Z"/>'
    '<csw:SearchResults numberOfRecordsMatched="{total}" numberOfRecordsReturned="{count}"{following}>{records}'
    "</csw:SearchResults></csw:GetRecordsResponse>"
)


class Service:
    """A catalogue service over records of name and date; it pages by two and keeps what it was asked."""

    def __init__(self, **records: str) -> None:
        self.records = dict(sorted(records.items()))
        self.asked: list[dict[str, str]] = []
        self.says_next = True
        self.names_otherwise = False
        self.hidden = ""
        self.space = "http://www.opengis.net/cat/csw/2.0.2"

    def __call__(self, asked: Asked) -> None:
        query = {
            name.lower(): some[0] for name, some in parse_qs(urlsplit(asked.path).query).items()
        }
        if asked.body:
            root = ET.fromstring(asked.body)  # noqa: S314 # the test's own question
            query |= {name.lower(): value for name, value in root.attrib.items()}
            query["constraint"] = (
                "".join(root.itertext()).removeprefix("full").removeprefix("brief")
            )
            query["elementsetname"] = next(iter(root.itertext()))
        self.asked.append(query)
        if query.get("request") == "GetRecordById":
            asked.answer(self.by_id(query["id"]), media_type="application/xml")
        else:
            asked.answer(self.page(query), media_type="application/xml")

    def by_id(self, name: str) -> bytes:
        inner = self.one(name, full=True) if name in self.records.keys() - {self.hidden} else ""
        return f'<csw:GetRecordByIdResponse xmlns:csw="{self.space}">{inner}</csw:GetRecordByIdResponse>'.encode()

    def page(self, query: dict[str, str]) -> bytes:
        since = query.get("constraint", "").partition("Modified >= '")[2].strip("'")
        names = [name for name, date in self.records.items() if date >= since]
        start = int(query["startposition"])
        shown = names[start - 1 : start - 1 + 2]
        reached = start + len(shown)
        following = f' nextRecord="{reached if reached <= len(names) else 0}"'
        text = ENVELOPE.format(
            space=self.space,
            total=len(names),
            count=len(shown),
            following=following if self.says_next else "",
            records="".join(
                self.one(name, full=query["elementsetname"] == "full") for name in shown
            ),
        )
        return text.encode()

    def one(self, name: str, *, full: bool) -> str:
        if not full:
            called = f"urn:{name}" if self.names_otherwise else name
            return f"<BriefRecord><identifier>{called}</identifier></BriefRecord>"
        return (
            '<g:MD_Metadata xmlns:g="http://www.isotc211.org/2005/gmd" xmlns:c="http://www.isotc211.org/2005/gco">'
            f"<g:fileIdentifier><c:CharacterString>{name}</c:CharacterString></g:fileIdentifier>"
            f"<g:dateStamp><c:Date>{self.records[name]}</c:Date></g:dateStamp><g:identificationInfo><g:MD_DataIdentification>"
            f"<g:citation><g:CI_Citation><g:title><c:CharacterString>Title {name}</c:CharacterString></g:title></g:CI_Citation></g:citation>"
            "</g:MD_DataIdentification></g:identificationInfo></g:MD_Metadata>"
        )


@pytest.fixture
def service(server: Served) -> Service:
    made = Service(a="2024-01-01", b="2024-01-02", c="2024-01-03", d="2024-01-04", e="2024-01-05")
    server.behaviours["/csw"] = made
    return made


def run(
    server: Served, http: Http, before: Memory | None = None, **options: Any
) -> tuple[list[Record], Memory]:
    memory = Memory(before=before.after if before else {})
    found = opened(FORMAT, f"{server.url}/csw", **options)
    return list(FORMAT.records(Source(found.url, found.options, memory), http)), memory


def keys(records: list[Record]) -> str:
    return "".join(("-" if record.gone else "") + record.key for record in records)


@pytest.mark.parametrize("version", ["2.0.2", "3.0.0"])
@pytest.mark.parametrize("method", ["get", "post"])
@pytest.mark.parametrize("says_next", [True, False])
def test_all_pages_are_read(
    server: Served, http: Http, service: Service, version: str, method: str, says_next: bool
) -> None:
    service.says_next = says_next
    found = drafts(FORMAT, f"{server.url}/csw", http, version=version, method=method)
    assert {key: draft.title["en"] for key, draft in found.items()} == {
        key: f"Title {key}" for key in "abcde"
    }
    assert [asked["startposition"] for asked in service.asked] == ["1", "3", "5"]
    assert {asked["version"] for asked in service.asked} == {version}
    assert {asked.get("outputschema") for asked in service.asked} == {
        "http://www.isotc211.org/2005/gmd"
    }


def test_a_condition_is_sent_along(server: Served, http: Http, service: Service) -> None:
    for method in ("get", "post"):
        run(server, http, constraint="a = '<&'", method=method)
    assert {asked["constraint"] for asked in service.asked} == {"a = '<&'"}


def test_changes_additions_and_removals_are_read_alone(
    server: Served, http: Http, service: Service
) -> None:
    options = {"changed_by": "apiso:Modified"}
    records, first = run(server, http, **options)
    assert (keys(records), first.partial) == ("abcde", False)
    assert first.after["since"].startswith("2024-01-04")
    del service.records["b"]
    service.records |= {"e": "2024-02-02", "old": "1999-01-01"}
    records, second = run(server, http, first, constraint="x = 1", **options)
    assert (keys(records), second.partial) == ("deold-b", True)
    asked = {asked.get("constraint", "") for asked in service.asked}
    assert asked == {"", "x = 1", "(x = 1) AND apiso:Modified >= '2024-01-04'"}
    records, third = run(server, http, second, **options)
    assert keys(records) == "e"
    assert third.after["ids"] == ["a", "c", "d", "e", "old"]
    assert draft_of(FORMAT, records[0]).title == {"en": "Title e"}
    third.after["runs"] = FULL_EVERY
    records, fourth = run(server, http, third, **options)
    assert (len(records), fourth.partial, fourth.after["runs"]) == (5, False, 0)


def test_a_date_in_the_future_does_not_hide_later_changes(
    server: Served, http: Http, service: Service
) -> None:
    service.records["e"] = "2999-01-01"
    _, memory = run(server, http, changed_by="apiso:Modified")
    assert memory.after["since"].startswith("2029-12-31")  # by the service's own clock


def test_no_changes_are_asked_for_where_the_list_names_records_otherwise(
    server: Served, http: Http, service: Service
) -> None:
    service.names_otherwise = True
    _, memory = run(server, http, changed_by="apiso:Modified")
    assert memory.after == {}


def test_an_added_record_that_does_not_come_is_refused_and_not_lost(
    server: Served, http: Http, service: Service
) -> None:
    _, first = run(server, http, changed_by="apiso:Modified")
    service.records["f"] = "1999-01-01"
    service.hidden = "f"
    records, _ = run(server, http, first, changed_by="apiso:Modified")
    assert "does not give the record f" in str(records[-1].error)


def test_dublin_core_as_pycsw_gives_it(server: Served, http: Http) -> None:
    content = (DATA / "dublin_core.xml").read_bytes().replace(b'Matched="53"', b'Matched="4"')
    server.behaviours["/csw"] = plain(content, media_type="application/xml")
    found = drafts(FORMAT, f"{server.url}/csw", http, schema="dc")
    assert len(found) == 4
    dtm = found["42c8e55a-2bf6-476d-a7c9-be3bcd697f13"]
    assert (dtm.title, dtm.description, dtm.themes) == ({"en": "DTM"}, {"en": "DTM"}, ("planning",))
    assert dtm.spatial_box == (19.0, 34.0, 30.0, 42.0)
    assert (dtm.license, dtm.license_text) == ("other", "otherRestrictions")
    assert str(dtm.modified)[:10] == "2009-10-07"
    assert [resource.url for resource in dtm.resources] == ["http://www.ypaat.gr"]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ((DATA / "refusal.xml").read_bytes(), "the service refuses: Invalid Filter syntax"),
        (b'<ExceptionReport><Exception exceptionCode="Odd"/></ExceptionReport>', "refuses: Odd"),
        (b"<other/>", "holds no search results"),
        (b"{}", "no whole XML"),
        (b'<R><SearchResults numberOfRecordsMatched="2" nextRecord="1"><dc/></SearchResults></R>', "a page came twice"),
        (b'<R><SearchResults numberOfRecordsMatched="2"/></R>', "2 records, but gave 0"),
        (b'<R><SearchResults numberOfRecordsMatched="1"><odd/></SearchResults></R>', "records of the kind odd"),
    ],
)  # fmt: skip
def test_answers_that_end_the_run(server: Served, http: Http, content: bytes, words: str) -> None:
    server.behaviours["/csw"] = plain(content, media_type="application/xml")
    with pytest.raises(Unreadable, match=words):
        run(server, http)


def test_a_question_is_asked_again_but_never_of_another_server(server: Served, http: Http) -> None:
    server.behaviours["/csw"] = redirecting("http://elsewhere.example/csw", 307)
    with pytest.raises(CatalogError, match="sends questions on to another server"):
        run(server, http, method="post")
    server.behaviours["/csw"] = plain(b"", status=503)
    with pytest.raises(Unavailable):
        run(server, http, method="post")
    assert [method for method, _, _ in server.asked] == ["POST"] * 4


def test_levels_and_content(server: Served, http: Http, service: Service, tmp_path: Path) -> None:
    assert len(run(server, http, levels=["dataset"])[0]) == 5
    options = {"levels": ["service"], "changed_by": "apiso:Modified"}
    records, first = run(server, http, **options)
    assert (records, first.after["ids"]) == ([], list("abcde"))
    service.records["f"] = "1999-01-01"
    assert run(server, http, first, **options)[0] == []
    server.behaviours["/t.csv"] = plain(b"a\n")
    load = {"part": {"url": f"{server.url}/t.csv"}}
    content = FORMAT.content(opened(FORMAT, server.url), http, load, tmp_path)
    assert isinstance(content, Files)
