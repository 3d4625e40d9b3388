"""The format `oaipmh`: tokens, deletions, changes, three standards, and repositories with faults."""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from catalog.errors import Unreadable
from harvesters.formats import oaipmh as module
from harvesters.formats.oaipmh import OAIPMH
from harvesters.harvester import Memory, Record, Source
from harvesters.http import Http
from tests.make_server import Asked, Served
from tests.make_source import draft_of, opened

FORMAT = OAIPMH()
DC = "<oai_dc:dc xmlns:oai_dc='o'><title xml:lang='en'>T</title><subject>health</subject><identifier>10.5555/x</identifier><rights>CC0</rights></oai_dc:dc>"
DATACITE = (
    "<resource><identifier identifierType='DOI'>10.5555/y</identifier><titles><title xml:lang='fr'>Titre</title></titles>"
    "<creators><creator><creatorName>Li</creatorName></creator></creators><publicationYear>2020</publicationYear>"
    "<dates><date dateType='Updated'>2021-02-03</date><date dateType='Collected'>2001/2003</date></dates>"
    "<rightsList><rights rightsURI='https://creativecommons.org/licenses/by/4.0/'>BY</rights></rightsList>"
    "<resourceType resourceTypeGeneral='Dataset'/></resource>"
)
ISO = (
    "<MD_Metadata><identificationInfo><MD_DataIdentification><citation><CI_Citation><title><CharacterString>Iso</CharacterString>"
    "</title></CI_Citation></citation></MD_DataIdentification></identificationInfo></MD_Metadata>"
)


def record(key: str, inside: str = DC, status: str = "") -> str:
    said = f' status="{status}"' if status else ""
    return (
        f"<record><header{said}><identifier>{key}</identifier><datestamp>2024-01-02</datestamp></header>"
        f"<metadata>{inside}</metadata></record>"
    )


class Repository:
    """Answers what is at a token (empty for the first page) and keeps what it was asked."""

    def __init__(
        self, *pages: str, deleted: str = "persistent", granularity: str = "YYYY-MM-DDThh:mm:ssZ"
    ) -> None:
        self.pages = {str(place or ""): page for place, page in enumerate(pages)}
        self.identity = f"<Identify><deletedRecord>{deleted}</deletedRecord><granularity>{granularity}</granularity></Identify>"
        self.asked: list[dict[str, str]] = []
        self.wants_prefix = False

    def __call__(self, asked: Asked) -> None:
        query = dict(parse_qsl(urlsplit(asked.path).query))
        self.asked.append(query)
        token = query.get("resumptionToken", "")
        if query["verb"] == "Identify":
            inner = self.identity
        elif self.wants_prefix and "metadataPrefix" not in query:
            inner = "<error code='badArgument'>Missing metadataPrefix</error>"
        else:
            inner = self.pages[token]
        text = f"<OAI-PMH xmlns='http://www.openarchives.org/OAI/2.0/'><responseDate>2030-01-01T00:00:30Z</responseDate>{inner}</OAI-PMH>"
        asked.answer(text.encode(), media_type="text/xml")


def page(*records: str, token: str | None = None, size: int = 0) -> str:
    after = (
        ""
        if token is None
        else f"<resumptionToken completeListSize='{size}'>{token}</resumptionToken>"
    )
    return f"<ListRecords>{''.join(records)}{after}</ListRecords>"


def run(
    server: Served, http: Http, made: Repository, before: Memory | None = None, **options: Any
) -> tuple[list[Record], Memory]:
    server.behaviours["/oai"] = made
    memory = Memory(before=before.after if before else {})
    found = opened(FORMAT, f"{server.url}/oai?x=1", **options)
    return list(FORMAT.records(Source(found.url, found.options, memory), http)), memory


def test_pages_and_then_changes_since_the_last_run(server: Served, http: Http) -> None:
    made = Repository(page(record("a"), token="1"), page(record("b", status="deleted"), token=""))
    records, first = run(server, http, made, set="s")
    assert [(one.key, one.gone) for one in records] == [("a", False), ("b", True)]
    assert (first.partial, first.after) == (False, {"since": "2029-12-31T23:59:30Z"})
    assert made.asked[1] == {
        "x": "1",
        "verb": "ListRecords",
        "metadataPrefix": "oai_dc",
        "set": "s",
    }
    assert made.asked[2] == {"x": "1", "verb": "ListRecords", "resumptionToken": "1"}
    nothing = Repository("<error code='noRecordsMatch'/>")
    records, second = run(server, http, nothing, first)
    assert (records, second.partial) == ([], True)
    assert nothing.asked[1]["from"] == "2029-12-31T23:59:30Z"


def test_a_repository_that_forgets_deletions_is_read_whole(server: Served, http: Http) -> None:
    before = Memory(after={"since": "2024-01-01"})
    _, memory = run(server, http, Repository(page(record("a")), deleted="no"), before)
    assert (memory.partial, memory.after) == (False, {})


def test_a_day_is_asked_for_where_the_repository_counts_days(server: Served, http: Http) -> None:
    _, memory = run(server, http, Repository(page(record("a")), granularity="YYYY-MM-DD"))
    assert memory.after == {"since": "2029-12-31"}


def test_a_list_that_begins_anew_after_its_end_and_wants_the_prefix_each_time(
    server: Served, http: Http
) -> None:
    made = Repository(
        page(record("a"), token="1", size=2),
        page(record("b"), token="2", size=2),
        page(record("a"), token="1", size=2),
    )
    made.wants_prefix = True
    records, _ = run(server, http, made)
    assert [one.key for one in records] == ["a", "b"]


def test_an_empty_page_is_not_the_end_of_a_list_that_goes_on(
    server: Served, http: Http, monkeypatch: pytest.MonkeyPatch
) -> None:
    pages = [page(record("a"), token="1"), page(token="2"), page(record("b"), token="")]
    records, _ = run(server, http, Repository(*pages))
    assert [one.key for one in records] == ["a", "b"]
    monkeypatch.setattr(module, "MOST_EMPTY", 0)
    with pytest.raises(Unreadable, match="does not end"):
        run(server, http, Repository(*pages))


@pytest.mark.parametrize(
    ("pages", "words"),
    [
        ([page(record("a"), token="1", size=3), page(token="2", size=3)], "a page came twice"),
        ([page(record("a"), token="1", size=9), page(record("b"), token="1", size=9)], "a page came twice"),
        ([page(record("a"), token="1"), "<error code='badResumptionToken'/>"], "forgets where a list goes on"),
        (["<error code='cannotDisseminateFormat'>No</error>"], "refuses: cannotDisseminateFormat No"),
    ],
)  # fmt: skip
def test_faults_end_the_run(server: Served, http: Http, pages: list[str], words: str) -> None:
    with pytest.raises(Unreadable, match=words):
        run(server, http, Repository(*pages))


def test_standards_are_described_and_odd_records_refused(server: Served, http: Http) -> None:
    made = Repository(
        page(record("a"), record("b", DATACITE), record("c", ISO), record("d", "<odd/>"))
    )
    records, _ = run(server, http, made)
    assert "no metadata of a known standard" in str(records[3].error)
    plain, cited, geo = (draft_of(FORMAT, one) for one in records[:3])
    assert (plain.title, plain.license, plain.themes) == ({"en": "T"}, "CC0-1.0", ("health",))
    assert plain.landing_page == "https://doi.org/10.5555/x"
    assert (cited.title, cited.license) == ({"fr": "Titre"}, "CC-BY-4.0")
    assert (cited.temporal_start, cited.temporal_end) == ("2001", "2003")
    assert (str(cited.issued)[:4], str(cited.modified)[:10]) == ("2020", "2021-02-03")
    assert cited.details["creator"] == {"name": "Li"}
    assert geo.title == {"en": "Iso"}
    assert [one.key for one in run(server, http, made, levels=["service"])[0]] == ["d"]
