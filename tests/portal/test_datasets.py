"""The page of a dataset: description, access, licence, freshness, tables, languages, problems."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.errors import Unreadable
from catalog.models.dataset import Dataset, Resource
from catalog.models.table import DataTable
from catalog.models.vocabulary import TableState
from catalog.permissions import SCHEDULER
from catalog.schemas.drafts import Origin
from catalog.services import datasets, tables
from portal.readers import Readers
from tests.make_dataset import (
    make_draft,
    make_organization,
    make_table,
    make_theme,
    put,
    retire_unseen,
)
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words
from tests.make_source import make_source
from tests.make_table_page import make_loaded_table


def make(name: str = "Air", **fields: Any) -> Dataset:
    """A dataset of the department `ecology`, as the page gets it."""
    make_organization()
    return datasets.show(SCHEDULER, put(name, **fields).dataset_id)


def fact(soup: Any, label: str) -> str:
    """The value beside a label of the facts."""
    for row in soup.select(".weft-facts__row, .govuk-summary-list__row"):
        if row.dt.get_text() == label:
            return " ".join(row.dd.get_text(" ").split())
    raise AssertionError(label)


@pytest.mark.parametrize(("lang", "title"), [("zh", "空气质量"), ("en", "Air quality")])
def test_a_dataset_shows_its_table_in_the_language_of_the_reader(
    client: FlaskClient, lang: str, title: str
) -> None:
    table = make_loaded_table([{"station": "A", "value": 1}, {"station": "B", "value": 2}])
    soup = page(client, f"/{lang}/datasets/air")
    assert one(soup, "h1").get_text() == title
    assert href(soup, ".weft-tables__open") == f"/{lang}/tables/{table}"
    assert [link["href"] for link in soup.select(".weft-tables__downloads a")] == [
        f"/api/v1/tables/{table}/download.{format_}"
        for format_ in ("csv", "xlsx", "json", "parquet")
    ]
    if lang == "en":
        assert words(soup, ".weft-tables .weft-meta span")[:2] == ["2 rows", "2 columns"]


def test_everything_that_is_known_is_shown(client: FlaskClient) -> None:
    make_theme()
    make(
        slug="air",
        themes=["environment"],
        tags=["smog", "city air"],
        description={"en": "Read [more](https://example.org) **here**.\n\n# Notes\n\n- one"},
        notice={"en": "Sample data."},
        license="CC-BY-4.0",
        license_text="with thanks",
        frequency="never",
        contact="air@example.org",
        landing_page="https://example.org/air",
        spatial="The city",
        temporal_start="2014-01-01",
        issued=datetime(2015, 2, 3, 20, tzinfo=UTC),
        modified=datetime(2020, 5, 6, 20, tzinfo=UTC),
        extras={"source_system": "AQ-7", "nested": {"not": "shown"}},
    )
    soup = page(client, "/en/datasets/air")
    assert fact(soup, "Licence") == "Creative Commons Attribution 4.0 with thanks"
    assert href(soup, "a[rel~=license]") == "https://creativecommons.org/licenses/by/4.0/"
    assert fact(soup, "Update frequency") == "Never"
    assert fact(soup, "Last updated") == "7 May 2020"  # four in the morning in the city
    assert fact(soup, "First published") == "4 February 2015"
    assert fact(soup, "Period") == "1 January 2014 – …"
    assert fact(soup, "Area covered") == "The city"
    assert fact(soup, "source_system") == "AQ-7"
    assert href(soup, 'a[href^="mailto:"]') == "mailto:air@example.org"
    assert fact(soup, "Page of the source") == "example.org"
    assert words(soup, ".weft-chip") == ["Environment", "smog", "city air"]
    assert words(soup, ".weft-prose h3, .weft-prose strong") == ["here", "Notes"]
    assert words(soup, ".weft-notice") == ["Sample data."]
    assert "Complete, not updated" in words(soup, ".weft-badge")
    assert "Bureau of ecology (2020). Air ." in words(soup, ".weft-cite")[0]
    assert one(soup, "meta[name=description]")["content"].startswith("Read more here. Notes")


@pytest.mark.parametrize(
    ("age", "badge", "note"),
    [
        (5, "Kept up to date", "The next update is due by"),
        (400, "Update overdue", "An update was due by"),
    ],
)
def test_whether_it_is_kept_is_said(client: FlaskClient, age: int, badge: str, note: str) -> None:
    make(slug="air", frequency="monthly", modified=datetime.now(UTC) - timedelta(days=age))
    soup = page(client, "/en/datasets/air")
    assert badge in words(soup, ".weft-badge")
    assert note in fact(soup, "Update frequency")


@pytest.mark.parametrize(
    ("access", "words_"), [("closed", "is not public"), ("on_application", "on application")]
)
def test_data_that_is_not_open_is_described_but_not_offered(
    client: FlaskClient, access: str, words_: str
) -> None:
    make_loaded_table([{"a": 1}], access=access, access_reason={"en": "Personal data"})
    soup = page(client, "/en/datasets/air")
    assert words_ in words(soup, ".weft-notice")[0]
    assert "Reason: Personal data" in words(soup, ".weft-notice")[0]
    assert not soup.select(".weft-tables")


def test_a_text_in_another_language_is_marked_and_others_are_offered(client: FlaskClient) -> None:
    make_organization()
    draft = make_draft(
        slug="lucht",
        title={"nl": "Luchtkwaliteit", "fr": "Qualité de l'air", "de-t-nl": "Luftqualität"},
        description={"nl": "Metingen.", "fr": "Mesures."},
    )
    datasets.put(SCHEDULER, draft)
    soup = page(client, "/en/datasets/lucht")
    assert (one(soup, "h1").get_text(), one(soup, "h1")["lang"]) == ("Qualité de l'air", "fr")
    assert words(soup, "details .weft-prose[lang=nl]") == ["Luchtkwaliteit Metingen."]
    assert words(soup, "details > summary") == [
        "In other languages: Deutsch (machine translation) · Nederlands"
    ]


def test_hostile_texts_are_shown_as_text(client: FlaskClient) -> None:
    make_organization(title={"en": HOSTILE})
    make_source("files", "https://example.org/")
    put(
        HOSTILE,
        slug="bad",
        description={"en": f"{HOSTILE} <img src=x onerror=alert(1)> [x](javascript:alert(1))"},
        notice={"en": HOSTILE},
        tags=[HOSTILE],
        contact=HOSTILE,
        landing_page='https://example.org/"><script>',
        resources=[
            {
                "key": "a",
                "title": {"en": HOSTILE},
                "format": "CSV",
                "url": "https://example.org/<script>",
            }
        ],
    )
    soup = page(client, "/en/datasets/bad")
    assert one(soup, "h1").get_text() == HOSTILE
    assert one(soup, "title").get_text().startswith(HOSTILE)
    assert not soup.select("img[onerror]")


def test_an_address_that_runs_a_script_is_no_link(client: FlaskClient) -> None:
    dataset = make(slug="bad")
    with transaction():
        db.session.get_one(Dataset, dataset.id).landing_page = "javascript:alert(1)"
        db.session.add(Resource(dataset_id=dataset.id, key="x", url="JaVaScRiPt:alert(1)"))
    soup = page(client, "/en/datasets/bad")
    assert not soup.select('[href^="java" i]')


def test_a_file_that_could_not_be_read_says_why(client: FlaskClient) -> None:
    dataset = make(
        slug="air",
        resources=[
            {"key": "a", "title": {"en": "File"}, "format": "CSV", "load": {"version": "1"}}
        ],
    )
    tables.fail(SCHEDULER, dataset.resources[0].id, Unreadable("row %(row)s has no end", row=7))
    assert words(page(client, "/en/datasets/air"), ".weft-notice") == [
        "No table could be read from it. Row 7 has no end."
    ]
    make_table(dataset.resources[0].id)
    assert (
        "an earlier one is shown. Row 7"
        in words(page(client, "/en/datasets/air"), ".weft-notice")[0]
    )


def test_tables_that_wait_or_failed_are_not_offered(client: FlaskClient) -> None:
    dataset = make(slug="air", resources=[{"key": "a", "format": "CSV", "load": {"version": "1"}}])
    assert "being loaded" in page(client, "/en/datasets/air").get_text()
    waiting, failed = (make_table(dataset.resources[0].id, key=key) for key in ("one", "two"))
    with transaction():
        db.session.get_one(DataTable, failed).state = TableState.FAILED
        db.session.get_one(DataTable, failed).problem = {"message": "it is gone"}
    soup = page(client, "/en/datasets/air")
    assert words(soup, ".weft-tables__name") == ["one", "two"]
    assert words(soup, ".weft-tables .weft-meta") == ["is being loaded", "It is gone."]
    assert not soup.select(".weft-tables__open")
    assert waiting in soup.select(".weft-tables__name")[0]["href"]


def test_many_tables_of_a_workbook_fold(client: FlaskClient) -> None:
    dataset = make(
        slug="book", resources=[{"key": "a", "format": "XLSX", "load": {"version": "1"}}]
    )
    for number in range(13):
        make_table(dataset.resources[0].id, key=f"sheet {number:02}")
    soup = page(client, "/en/datasets/book")
    assert len(soup.select(".weft-tables__row")) == 13
    assert words(soup, ".weft-resource__more summary") == ["3 more tables"]


def test_a_dataset_without_files_says_so(client: FlaskClient) -> None:
    make(slug="air")
    assert "This dataset has no files yet." in page(client, "/en/datasets/air").get_text()


def test_a_harvested_dataset_names_its_source(client: FlaskClient) -> None:
    source = make_source("files", "https://example.org/", slug="archive")
    make_organization()
    datasets.put(SCHEDULER, make_draft(slug="air"), origin=Origin(source.id, "air.csv"))
    soup = page(client, "/en/datasets/air")
    assert (fact(soup, "Harvested from"), fact(soup, "Record at the source")) == (
        "A source",
        "air.csv",
    )
    datasets.put(SCHEDULER, make_draft("Orphan", slug="orphan"), origin=Origin("gone", "x"))
    assert "Harvested from" not in page(client, "/en/datasets/orphan").get_text()


def test_an_id_leads_to_the_slug(client: FlaskClient) -> None:
    dataset = make(slug="air")
    response = client.get(f"/zh/datasets/{dataset.id}")
    assert (response.status_code, response.headers["Location"]) == (301, "/zh/datasets/air")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_withdrawn_dataset_is_gone_and_an_unknown_one_is_not_found(
    client: FlaskClient, lang: str
) -> None:
    make_organization()
    datasets.put(SCHEDULER, make_draft(slug="air"), origin=Origin("s", "k"))
    retire_unseen(SCHEDULER, "s", [])
    page(client, f"/{lang}/datasets/air", 410)
    page(client, f"/{lang}/datasets/nothing", 404)


def uses(dataset_id: str) -> int:
    db.session.rollback()  # so that this session sees what the request wrote
    return datasets.show(SCHEDULER, dataset_id).uses


def test_a_reader_is_counted_once_in_an_hour(
    client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    dataset = make(slug="air")
    client.head("/en/datasets/air")
    assert uses(dataset.id) == 0
    for _ in range(3):
        page(client, "/en/datasets/air")
    assert uses(dataset.id) == 1
    client.get("/en/datasets/air", environ_overrides={"REMOTE_ADDR": "192.0.2.8"})
    client.get("/en/datasets/air", headers={"User-Agent": "Another/1.0"})
    assert uses(dataset.id) == 3
    later = time.time() + 3601
    monkeypatch.setattr("time.time", lambda: later)
    page(client, "/en/datasets/air")
    assert uses(dataset.id) == 4


@pytest.mark.parametrize(
    ("browser", "counted"),
    [
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 0),
        ("Mozilla/5.0 (compatible; Baiduspider/2.0)", 0),
        ("CCBot/2.0", 0),
        ("Yahoo! Slurp", 0),
        ("my-crawler", 0),
        ("curl/8.5.0", 1),
        ("Mozilla/5.0 (Linux; Android 9; CUBOT X19)", 1),
        ("", 1),
    ],
)
def test_robots_are_no_readers(client: FlaskClient, browser: str, counted: int) -> None:
    dataset = make(slug="air")
    client.get("/en/datasets/air", headers={"User-Agent": browser})
    assert uses(dataset.id) == counted


def test_what_is_known_of_readers_ends_with_the_day(monkeypatch: pytest.MonkeyPatch) -> None:
    readers = Readers()
    assert readers.is_new("air", "192.0.2.8", "Browser")
    assert not readers.is_new("air", "192.0.2.8", "Browser")
    assert readers.is_new("water", "192.0.2.8", "Browser")
    key = readers._key
    readers._day = date(2020, 1, 1)  # as if it had been another day
    assert readers.is_new("air", "192.0.2.8", "Browser")
    assert readers._key != key
    assert "192.0.2.8" not in str(readers._seen._windows)


def test_files_without_tables_are_a_short_list(client: FlaskClient) -> None:
    links = [
        {
            "key": f"l{at}",
            "title": {"en": f"Budget {at}"},
            "format": "PDF",
            "url": f"https://files.example.org/{at}",
            "description": {"en": "*All* pages"} if at == 0 else {},
        }
        for at in range(22)
    ]
    dataset = make(
        slug="budget",
        resources=[
            {"key": "a", "format": "CSV", "title": {"en": "Data"}, "load": {"version": "1"}},
            *links,
            {"key": "z", "title": {"en": "On paper"}},
        ],
    )
    make_table(dataset.resources[0].id)
    soup = page(client, "/en/datasets/budget")
    assert words(soup, ".weft-resource__title") == ["Data"]
    rows = words(soup, ".weft-files__row")
    assert len(rows) == 23
    assert rows[0] == "Budget 0 All pages PDF files.example.org"
    assert rows[-1] == "On paper"
    assert words(soup, ".weft-files summary") == ["3 more files"]
    assert soup.select(".weft-files__row a")[1]["href"] == "https://files.example.org/1"


@pytest.mark.parametrize("lang", LANGUAGES)
def test_what_matters_most_stands_above_the_files(client: FlaskClient, lang: str) -> None:
    make(
        slug="air",
        license="CC-BY-4.0",
        frequency="monthly",
        modified=datetime(2020, 5, 6, 20, tzinfo=UTC),
    )
    soup = page(client, f"/{lang}/datasets/air")
    said = [" ".join(term.get_text().split()) for term in soup.select(".weft-key dd")]
    assert len(said) == 3
    assert said[2] == {"en": "7 May 2020", "zh": "2020年5月7日"}[lang]
    text = str(soup)
    assert text.index("weft-key") < text.index('id="data"')


def test_an_unknown_date_is_not_the_day_of_the_harvest(client: FlaskClient) -> None:
    make(slug="air", frequency="daily")
    soup = page(client, "/en/datasets/air")
    assert fact(soup, "Last updated") == "Not stated"
    assert "update date not stated" in one(soup, ".weft-meta--large").get_text()
    assert "(n.d.)" in one(soup, ".weft-cite").get_text()
    assert "Kept up to date" not in soup.get_text()
    chinese = page(client, "/zh/datasets/air")
    assert "(无日期)" in one(chinese, ".weft-cite").get_text()
    assert "更新日期未说明" in one(chinese, ".weft-meta--large").get_text()


def test_what_the_source_says_beyond_is_named_linked_or_folded(client: FlaskClient) -> None:
    make(
        slug="air",
        spatial="https://sws.geonames.org/2802361/",
        extras={
            "publisher": {"en": "Bureau", "nl": "Buro"},
            "uri": "http://example.org/" + "x" * 100,
            "maintainer_link": "https://example.org/a?b=<c>",
            "categories": ["Roads", "Parks"],
            "sources": [{"title": "World Bank", "path": "https://example.org/w"}, {"path": 3}],
            "usage": "See javascript:alert(1)",
            "odd_key": "odd",
            "empty": None,
            "deep": {"a": {"b": 1}},
        },
    )
    soup = page(client, "/en/datasets/air")
    assert fact(soup, "Publisher") == "Bureau"
    assert fact(soup, "Address of the entry at the source") == "example.org/…"
    assert fact(soup, "Categories at the source") == "Roads; Parks"
    assert fact(soup, "Made from") == "World Bank"
    assert fact(soup, "Area covered") == "Belgium"
    links = {link["href"] for link in soup.select("#more ~ dl a")}
    assert {"https://example.org/a?b=<c>", "https://example.org/w"} <= links
    fold = one(soup, "#more ~ details")
    assert fold.select_one("summary").get_text() == "Further fields of the source"  # type: ignore[union-attr] # it is there
    assert [dt.get_text() for dt in fold.select("dt")] == ["odd_key"]
    assert "比利时" in page(client, "/zh/datasets/air").get_text()


def test_a_file_without_a_name_of_its_own_is_called_as_its_dataset(client: FlaskClient) -> None:
    make("Outlines", slug="outlines", resources=[{"key": "a.geojson", "format": "GEOJSON"}])
    soup = page(client, "/en/datasets/outlines")
    assert words(soup, ".weft-files__words") == ["Outlines"]


def test_the_page_at_the_source_is_called_so(client: FlaskClient) -> None:
    make(slug="air", landing_page="https://github.com/example/air")
    assert fact(page(client, "/en/datasets/air"), "Page of the source") == "github.com"
