"""What readers do with a table without any script: search, sort, filter, choose, draw, build a query."""

from __future__ import annotations

import csv
import io
import json
from urllib.parse import parse_qs, parse_qsl, urlsplit

import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from catalog.models.vocabulary import ColumnAccess
from catalog.permissions import ANYONE, SCHEDULER
from catalog.services import table_columns, table_values
from catalog.tabular.query import Compare, Op
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words
from tests.make_table_page import make_loaded_table

STATIONS = ("东四", "顺义", "怀柔")
ROWS = [
    {
        "code": f"{at:05}",
        "station": STATIONS[at % 3] if at % 50 else None,
        "day": f"2020-{at % 12 + 1:02}-{at % 28 + 1:02}",
        "PM2.5": None if at % 10 == 0 else at / 4,
        "open": at % 2 == 0,
        "seen": f"2020-01-01 {at % 24:02}:00:00",
    }
    for at in range(250)
]


@pytest.fixture
def table_id(app: Flask) -> str:
    return make_loaded_table(ROWS, columns=list(ROWS[0]))


def values(soup: BeautifulSoup, column: int) -> list[str]:
    """The cells of a column of the grid."""
    return [row.select("td")[column].get_text() for row in soup.select("tbody tr")]


def submit(client: FlaskClient, form: Tag, *given: tuple[str, str]) -> BeautifulSoup:
    """The page that the form leads to when it is sent with these values beside its hidden ones."""
    hidden = [(str(f["name"]), str(f["value"])) for f in form.select("input[type=hidden]")]
    response = client.get(str(form["action"]), query_string=[*hidden, *given])
    assert response.status_code == 200
    return BeautifulSoup(response.text, "html.parser")


# Search


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_search_finds_texts_numbers_and_days(
    client: FlaskClient, table_id: str, lang: str
) -> None:
    form = one(page(client, f"/{lang}/tables/{table_id}?sort=code"), ".weft-search")
    found = submit(client, form, ("q", "  怀柔  2020-03-03 "))
    assert set(values(found, 1)) == {"怀柔"}
    assert set(values(found, 2)) == {"2020-03-03"}
    assert one(found, "#grid-words")["value"] == "怀柔 2020-03-03"
    assert "怀柔 2020-03-03" in one(found, ".weft-chip--remove").get_text()
    assert href(found, ".weft-chip--remove") == f"/{lang}/tables/{table_id}?sort=code"
    number = page(client, f"/{lang}/tables/{table_id}?q=2.25")
    assert values(number, 3) == ["2.25"]


def test_a_search_without_a_hit_leads_back_to_all_rows(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?q=nothing&sort=day")
    assert words(soup, "#count") == ["No rows satisfy these filters."]
    links = [str(a["href"]) for a in soup.select("a") if a.get_text() == "Show all rows"]
    assert links == [f"/en/tables/{table_id}?sort=day"]


def test_a_search_holds_for_charts_downloads_and_calls(client: FlaskClient, table_id: str) -> None:
    query = "q=东四"
    chart = page(client, f"/en/tables/{table_id}?view=chart&kind=bar&x=station&{query}")
    assert words(chart, ".govuk-details tbody th") == ["东四"]
    files = page(client, f"/en/tables/{table_id}?view=downloads&{query}")
    got = client.get(str(files.select(".weft-download a")[0]["href"]))
    assert {row["station"] for row in csv.DictReader(io.StringIO(got.text))} == {"东四"}
    call = page(client, f"/en/tables/{table_id}?view=api&{query}")
    assert "words(" in one(call, "#where").get_text()


def test_too_many_words_are_refused_in_a_sentence(client: FlaskClient, table_id: str) -> None:
    assert (
        client.get(f"/en/tables/{table_id}?q={'+'.join('abcdefghijklmnopqrstuvwxyz')}").status_code
        == 400
    )


# Order


def test_rows_are_sorted_by_several_columns(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?sort=open&sort=day&desc=0&desc=1&size=500")
    pairs = list(zip(values(soup, 4), values(soup, 2), strict=True))
    assert pairs == sorted(sorted(pairs, key=lambda p: p[1], reverse=True), key=lambda p: p[0])
    assert [one(soup, "[aria-sort]")["aria-sort"]] == ["ascending"]
    assert [mark.get_text(" ", strip=True) for mark in soup.select(".weft-grid__arrow")] == [
        "▼2 sorted, key 2",
        "▲1",
    ]
    assert one(soup, ".weft-tool__number").get_text() == "2"
    assert [str(s["id"]) for s in soup.select("[name=sort]") if s.name == "select"] == [
        "sort-column",
        "sort-column-2",
        "sort-column-3",
    ]


def test_the_form_for_the_order_adds_keys(client: FlaskClient, table_id: str) -> None:
    form = one(page(client, f"/en/tables/{table_id}?size=25"), ".weft-tool__form--rows")
    sent = (("sort", "station"), ("desc", "1"), ("sort", "day"), ("desc", "0"))
    soup = submit(client, form, *sent)
    chosen = [str(o["value"]) for o in soup.select("select[name=sort] option[selected]")]
    assert chosen == ["station", "day"]
    assert href(soup, "#page-next").endswith("sort=station&desc=1&sort=day&size=25&page=2")


def test_the_panel_of_a_column_sorts_and_sorts_further(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?sort=open&panel=column&on=day")
    links = {a.get_text(): str(a["href"]) for a in soup.select(".weft-panel__actions a")}
    base = f"/en/tables/{table_id}?sort="
    assert links == {
        "Sort rising": f"{base}day",
        "Sort falling": f"{base}day&desc=1",
        "Then by this, rising": f"{base}open&sort=day",
        "Then by this, falling": f"{base}open&desc=0&sort=day&desc=1",
        "As published": f"/en/tables/{table_id}",
        "Hide this column": f"{base}open&hide=day",
    }


# Filters of a column


def test_a_heading_opens_what_can_be_done_with_its_column(
    client: FlaskClient, table_id: str
) -> None:
    soup = page(client, f"/en/tables/{table_id}?size=25&page=2")
    opener = one(soup, "#menu-2")
    assert opener["aria-label"] == "Column station: filter, sort, hide"
    opened = page(client, str(opener["href"]))
    assert words(opened, "#panel-title") == ["station"]
    assert (
        words(opened, ".weft-pick") == ["怀柔 82", "东四 81", "顺义 82", "no value 5"]
        or [choice.split()[0] for choice in words(opened, ".weft-pick")][-1] == "no"
    )
    assert href(opened, ".weft-panel__close") == f"/en/tables/{table_id}?size=25&page=2"


def test_values_are_picked_and_mean_one_of_them(client: FlaskClient, table_id: str) -> None:
    form = one(page(client, f"/en/tables/{table_id}?panel=column&on=station"), ".weft-panel__form")
    soup = submit(client, form, ("pick", "东四"), ("pick", "怀柔"), ("none", "empty"))
    total = sum(row["station"] != "顺义" for row in ROWS)
    assert words(soup, "#count")[0].startswith(f"Rows 1 to 100 of {total} that match")
    assert [chip.split(" ×")[0] for chip in words(soup, ".weft-chip--remove")] == [
        "station = 东四",
        "or station = 怀柔",
        "or station is empty",
    ]
    assert "weft-grid__menu--set" in one(soup, "#menu-2")["class"]
    again = page(client, href(soup, "#menu-2"))
    checked = [str(box["value"]) for box in again.select(".weft-pick input[checked]")]
    assert sorted(checked) == ["empty", "东四", "怀柔"]


def test_the_counts_of_values_hold_under_the_other_filters(
    client: FlaskClient, table_id: str
) -> None:
    query = "column=open&op=is&value=true&column=station&op=is&value=gone&panel=column&on=station"
    soup = page(client, f"/en/tables/{table_id}?{query}")
    counts = dict(choice.rsplit(" ", 1) for choice in words(soup, ".weft-pick"))
    expected = sum(row["station"] == "东四" and bool(row["open"]) for row in ROWS)
    assert counts["东四"] == str(expected)
    assert counts["gone"] == "0"


@pytest.mark.parametrize(
    ("column", "sent", "least", "greatest"),
    [
        ("PM2.5", (("from", "10"), ("to", "20.5")), "10.25", "20.5"),
        ("day", (("from", "2020-06-01"), ("to", "2020-06-30")), "2020-06-02", "2020-06-26"),
    ],
)
def test_a_range_has_a_beginning_and_an_end(
    client: FlaskClient, table_id: str, column: str, sent: tuple[tuple[str, str], ...], least: str, greatest: str
) -> None:  # fmt: skip
    opened = page(client, f"/en/tables/{table_id}?panel=column&on={column}")
    soup = submit(client, one(opened, ".weft-panel__form"), *sent)
    at = list(ROWS[0]).index(column)
    found = sorted(values(soup, at), key=float if column == "PM2.5" else None)
    assert [found[0], found[-1]] == [least, greatest]
    again = page(client, href(soup, f"#menu-{at + 1}"))
    kept = [str(box["value"]) for box in again.select(".weft-panel__range input")]
    assert kept == [text for _, text in sent]


def test_a_part_of_a_text_is_asked_for(client: FlaskClient, table_id: str) -> None:
    opened = page(client, f"/zh/tables/{table_id}?panel=column&on=code")
    soup = submit(client, one(opened, ".weft-panel__form"), ("has", "0012"))
    assert values(soup, 0) == ["00012", *(f"{at:05}" for at in range(120, 130))]


@pytest.mark.parametrize("query", ["panel=column&on=gone", "panel=column", "panel=odd&on=day"])
def test_no_panel_opens_for_what_is_no_column(
    client: FlaskClient, table_id: str, query: str
) -> None:
    assert not page(client, f"/en/tables/{table_id}?{query}").select(".weft-panel")


def test_frequent_values_are_counted_exactly(table_id: str) -> None:
    where = Compare("open", Op.EQ, True)
    found = table_values.frequent(ANYONE, table_id, "station", where=where, most=2)
    assert len(found) == 2
    assert found[0].rows == sum(r["station"] == found[0].value and bool(r["open"]) for r in ROWS)


def test_a_column_of_too_many_values_is_not_counted(
    table_id: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(table_values, "TOO_MANY", 100)
    assert table_values.frequent(ANYONE, table_id, "code") == ()


# Columns


def test_columns_are_chosen_and_come_back(client: FlaskClient, table_id: str) -> None:
    opened = page(client, href(page(client, f"/en/tables/{table_id}?page=2"), "#choose-columns"))
    assert len(opened.select(".weft-pick input[checked]")) == len(ROWS[0])
    soup = submit(client, one(opened, ".weft-panel__form"), ("show", "day"), ("show", "open"))
    assert words(soup, "thead .weft-grid__name") == ["day", "open"]
    assert words(soup, "#count") == ["Rows 101 to 200 of 250"]
    assert words(soup, ".weft-tool__number") == ["2 of 6"]
    assert "hide=code&hide=station&hide=PM2.5&hide=seen" in href(soup, "#page-next")
    reopened = page(client, href(soup, "#choose-columns"))
    assert len(page(client, href(reopened, ".weft-panel__buttons a")).select("thead th")) == 7
    nothing = submit(client, one(opened, ".weft-panel__form"))
    assert len(nothing.select("thead th")) == 7


# Masked and hidden columns


def test_a_masked_column_offers_nothing_and_a_hidden_one_is_not_there(
    client: FlaskClient, table_id: str
) -> None:
    table_columns.set_access(SCHEDULER, table_id, "code", ColumnAccess.MASKED)
    table_columns.set_access(SCHEDULER, table_id, "day", ColumnAccess.HIDDEN)
    soup = page(client, f"/en/tables/{table_id}")
    assert "day" not in words(soup, "thead .weft-grid__name")
    assert "00001" not in soup.get_text()
    assert not soup.select("#menu-1, #sort-1")
    assert "masked" in soup.select("thead th")[1].get_text()
    choices = {str(option["value"]) for option in soup.select("select option")}
    assert not choices & {"code", "day"}
    for query in ("sort=code", "column=code&op=is&value=00001", "panel=column&on=code"):
        asked = page(client, f"/en/tables/{table_id}?{query}")
        assert "250" in one(asked, "#count").get_text()
        assert not asked.select(".weft-panel")
    assert "masked" in page(client, f"/en/tables/{table_id}?sort=code").get_text()
    profiles = page(client, f"/en/tables/{table_id}?view=columns").select(".weft-column")
    assert "masked" in profiles[0].get_text()
    assert not profiles[0].select("a, svg")
    assert client.get(f"/en/tables/{table_id}/chart.csv?kind=bar&x=code").status_code == 400
    build = page(client, f"/en/tables/{table_id}?view=api&ac=code&ao=is&av=00001&by=code")
    assert "masked" in one(build, ".govuk-error-summary").get_text()


# Profiles


def test_profiles_lead_to_rows_and_charts(client: FlaskClient, table_id: str) -> None:
    columns = page(client, f"/en/tables/{table_id}?view=columns").select(".weft-column")
    station = columns[1]
    value = station.select(".weft-top__link")[0]
    rows = page(client, str(value["href"]))
    assert set(values(rows, 1)) == {value.get_text()}
    empty = page(client, str(station.select("dd a")[0]["href"]))
    assert words(empty, "#count") == ["Rows 1 to 5 of 5 that match, of 250 in all"]
    histogram = one(columns[3], ".weft-histogram")
    assert histogram["role"] == "img"
    assert "most of them" in str(histogram["aria-label"])
    links = [str(a["href"]) for a in columns[2].select(".weft-column__links a")]
    assert page(client, links[0]).select("#panel-title")
    assert one(page(client, links[1]), "#chart-kind [selected]")["value"] == "line"


# Charts


def test_a_pie_tells_shares_and_has_no_colours_to_choose(
    client: FlaskClient, table_id: str
) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=chart&kind=pie&x=open&series=station")
    assert words(soup, ".govuk-details tbody td") == ["125 (50.0 %)", "125 (50.0 %)"]
    assert not soup.select("#chart-series")
    svg = client.get(str(one(soup, ".weft-chart")["src"]))
    assert "50.0 %" in svg.text


def test_other_is_told_in_the_picture_the_numbers_and_a_sentence(
    client: FlaskClient, app: Flask
) -> None:
    rows = [{"name": f"n{at % 9}"} for at in range(90)]
    table = make_loaded_table(rows, slug="nine")
    query = "kind=bar&x=name&top=5&other=1"
    soup = page(client, f"/en/tables/{table}?view=chart&{query}")
    assert words(soup, ".weft-remark") == [
        "“Other” is calculated over all rows of the 4 groups that are not shown by themselves."
    ]
    assert words(soup, ".govuk-details tbody tr")[-1] == "Other (4) 40"
    assert "Other (4),40" in client.get(f"/en/tables/{table}/chart.csv?{query}").text
    assert "Other (4)" in client.get(f"/en/tables/{table}/chart.svg?{query}").text
    assert one(soup, "[name=other]").has_attr("checked")


def test_moments_are_put_together_as_asked(client: FlaskClient, table_id: str) -> None:
    query = "view=chart&kind=bar&x=day&unit=quarter&agg=median&y=PM2.5"
    soup = page(client, f"/en/tables/{table_id}?{query}")
    assert words(soup, ".govuk-details tbody th") == [f"2020 Q{at}" for at in (1, 2, 3, 4)]
    assert "Values are put together by quarter." in words(soup, ".weft-remark")
    assert one(soup, "#chart-unit [selected]")["value"] == "quarter"
    assert client.get(f"/en/tables/{table_id}/chart.svg?{query}").status_code == 200
    weeks = page(client, f"/zh/tables/{table_id}?view=chart&kind=line&x=seen&unit=hour")
    assert words(weeks, ".govuk-details tbody th")[0] == "2020-01-01 00:00"


def test_an_axis_that_does_not_start_at_zero_is_told(client: FlaskClient, app: Flask) -> None:
    rows = [{"day": f"2020-01-{at:02}", "n": 1000 + at} for at in range(1, 20)]
    table = make_loaded_table(rows, slug="far")
    told = "The axis of values does not start at zero."
    line = page(client, f"/en/tables/{table}?view=chart&kind=line&x=day&agg=avg&y=n")
    assert told in words(line, ".weft-remark")
    bars = page(client, f"/en/tables/{table}?view=chart&kind=bar&x=day&agg=avg&y=n")
    assert told not in words(bars, ".weft-remark")


def test_a_chart_has_the_readers_own_title(client: FlaskClient, table_id: str) -> None:
    query = {"view": "chart", "kind": "bar", "x": "station", "title": f"  {HOSTILE}  " + "x" * 300}
    soup = BeautifulSoup(
        client.get(f"/en/tables/{table_id}", query_string=query).text, "html.parser"
    )
    assert str(one(soup, "#chart-title")["value"]).startswith(HOSTILE)
    assert len(str(one(soup, "#chart-title")["value"])) <= 160
    svg = client.get(str(one(soup, ".weft-chart")["src"]))
    assert "<script>" not in svg.text
    assert "alert(1)" in svg.text


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_chart_can_be_framed_and_only_the_chart(
    client: FlaskClient, table_id: str, lang: str
) -> None:
    query = "view=chart&kind=bar&x=station&column=open&op=is&value=true&title=Mine"
    soup = page(client, f"/{lang}/tables/{table_id}?{query}")
    assert client.get(f"/{lang}/tables/{table_id}?{query}").headers["X-Frame-Options"] == "DENY"
    code = [BeautifulSoup(c.get_text(), "html.parser") for c in soup.select(".weft-code code")]
    frame, image = one(code[0], "iframe"), one(code[1], "img")
    assert frame["title"] == "Mine"
    assert str(image["alt"]).startswith("Mine")
    address = str(frame["src"])
    assert address.startswith(f"http://localhost/{lang}/tables/{table_id}/chart/embed?")
    alone = client.get(address)
    assert alone.status_code == 200
    assert "X-Frame-Options" not in alone.headers
    assert "frame-ancestors *" in alone.headers["Content-Security-Policy"]
    assert "script-src" not in alone.headers["Content-Security-Policy"]
    shown = BeautifulSoup(alone.text, "html.parser")
    assert not shown.select("script, form, [style]")
    assert len(shown.select("tbody tr")) == 4
    assert client.get(str(one(shown, ".weft-chart")["src"])).mimetype == "image/svg+xml"
    assert client.get(str(image["src"])).mimetype == "image/svg+xml"
    source = dict(parse_qsl(urlsplit(href(shown, ".weft-embed__source a")).query))
    assert source.items() >= {"view": "chart", "x": "station", "column": "open"}.items()


def test_a_frame_of_no_chart_is_refused(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table(ROWS, slug="closed", access="closed")
    assert client.get(f"/en/tables/{table}/chart/embed?kind=bar&x=station").status_code in (
        302,
        401,
        403,
    )
    names = make_loaded_table([{"name": f"n{at}"} for at in range(9)], slug="names")
    assert client.get(f"/en/tables/{names}/chart/embed").status_code == 400
    none = client.get(f"/en/tables/{names}/chart/embed?kind=bar&x=name&q=nothing")
    assert "There is nothing to draw" in none.text


# Maps of points


@pytest.fixture
def places_id(app: Flask) -> str:
    rows = [
        {"name": f"站{at}", "lng": 121 + (at % 40) / 40, "lat": 31 + (at // 40) / 40, "n": at}
        for at in range(900)
    ]
    return make_loaded_table(rows, slug="places")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_many_points_are_circles_that_lead_closer(
    client: FlaskClient, places_id: str, lang: str
) -> None:
    soup = page(client, f"/{lang}/tables/{places_id}?view=map")
    assert "900" in one(soup, ".weft-count").get_text()
    circles = soup.select(".weft-points__link")
    assert len(circles) == len(soup.select(".weft-points__one")) > 20
    assert len(soup.select(".weft-legend li")) >= 2
    assert one(soup, ".weft-points")["role"] == "group"
    closer = page(client, str(circles[0]["href"]))
    spots = closer.select(".weft-points__one")
    assert 0 < len(spots) < 100
    assert "站" in str(spots[0]["data-said"])
    assert closer.select("#map-whole")
    assert one(closer, ".weft-points")["role"] == "img"
    assert "站" in words(closer, ".weft-values tbody th")[0]


def test_the_map_of_points_is_moved_by_links(client: FlaskClient, places_id: str) -> None:
    soup = page(client, f"/en/tables/{places_id}?view=map")
    for name in ("closer", "farther", "west", "east", "north", "south"):
        moved = page(client, href(soup, f"#map-{name}"))
        assert moved.select(".weft-points")
    far = href(soup, "#map-farther")
    for _ in range(12):
        far = href(page(client, far), "#map-farther")
    assert "900" in one(page(client, far), ".weft-count").get_text()


def test_the_map_of_points_keeps_filters_and_leads_to_its_rows(
    client: FlaskClient, places_id: str
) -> None:
    soup = page(
        client,
        f"/en/tables/{places_id}?view=map&column=n&op=at_most&value=79&box=121,31,121.5,31.02",
    )
    assert words(soup, ".weft-count") == ["42 of 80 points are in this part"]
    address = next(str(a["href"]) for a in soup.select("a") if a.get_text() == "Rows of this part")
    rows = page(client, address)
    assert words(rows, "#count")[0].startswith("Rows 1 to 42 of 42 that match")
    none = page(client, f"/en/tables/{places_id}?view=map&column=n&op=more&value=9999")
    assert one(none, ".govuk-inset-text")


def test_the_system_of_coordinates_is_told(client: FlaskClient, app: Flask) -> None:
    row = {"lng_gcj02": 121.5, "lat_gcj02": 31.2}
    mars = page(client, f"/en/tables/{make_loaded_table([row], slug='mars')}?view=map")
    assert "GCJ-02" in mars.get_text()
    unsaid = make_loaded_table([{"lng": 121.5, "lat": 31.2}], slug="unsaid")
    assert "do not say in which system" in page(client, f"/en/tables/{unsaid}?view=map").get_text()
    shape = json.dumps({"type": "Point", "coordinates": [-0.1, -51.5]})
    shapes = make_loaded_table([{"at": shape}], slug="shape", types={"at": "geojson"})
    soup = page(client, f"/en/tables/{shapes}?view=map")
    assert "Coordinates: WGS 84." in soup.get_text()
    assert not [a for a in soup.select("a") if a.get_text() == "Rows of this part"]
    assert len(soup.select(".weft-points__one")) == 1


# The query builder


def test_a_built_query_is_a_call_that_works(client: FlaskClient, table_id: str) -> None:
    form = one(page(client, f"/en/tables/{table_id}?view=api"), ".weft-build")
    soup = submit(
        client, form,
        ("ac", "PM2.5"), ("ao", "more"), ("av", "50"),
        ("ac", "station"), ("ao", "is"), ("av", "东四"), ("ja", "any"),
        ("bc", "open"), ("bo", "is"), ("bv", "true"),
        ("col", "code"), ("col", "PM2.5"), ("sc", "PM2.5"), ("sd", "1"), ("limit", "7"),
    )  # fmt: skip
    assert one(soup, "#where").get_text() == (
        "(\"PM2.5\" > 50.0 OR station = '东四') AND open = TRUE"
    )
    url = soup.select(".weft-code code")[0].get_text()
    asked = dict(parse_qsl(urlsplit(url).query))
    assert asked["select"] == "code,PM2.5"
    assert asked["order_by"] == "-PM2.5"
    answer = client.get(url).json
    assert answer is not None
    assert len(answer["rows"]) == 7
    preview = [row.get_text(" ", strip=True) for row in soup.select(".weft-grid--preview tbody tr")]
    first = answer["rows"][0]
    assert preview[0].split()[1:] == [first["code"], str(first["PM2.5"]).removesuffix(".0")]
    count = client.get(f"/api/v1/tables/{table_id}/count", query_string={"where": asked["where"]})
    assert words(soup, "#api .weft-count") == [f"{count.json['count']} rows in all"]  # type: ignore[index] # it has an answer
    kept = [(str(f["value"])) for f in soup.select(".weft-build [name=av]") if f.get("value")]
    assert kept == ["50", "东四"]


def test_groups_are_built_with_calculations(client: FlaskClient, table_id: str) -> None:
    query = "view=api&by=station&mf=avg&mc=PM2.5&mf=count&mc=&sc=avg_PM2.5&sd=1&format=csv"
    soup = page(client, f"/en/tables/{table_id}?{query}")
    url = soup.select(".weft-code code")[0].get_text()
    assert urlsplit(url).path.endswith("/group")
    assert dict(parse_qsl(urlsplit(url).query)) == {
        "group_by": "station",
        "measures": "avg(PM2.5),count(*)",
        "order_by": "-avg_PM2.5",
        "limit": "100",
    }
    answer = client.get(url).json
    assert answer is not None
    assert [f["name"] for f in answer["fields"]] == ["station", "avg_PM2.5", "count"]
    assert words(soup, ".weft-grid--preview thead th") == ["Row", "station", "avg_PM2.5", "count"]
    assert len(soup.select(".weft-grid--preview tbody tr")) == 4
    assert not soup.select("#build-format option[value=csv]")


def test_groups_can_be_left_out_and_json_asks_the_same(client: FlaskClient, table_id: str) -> None:
    query = (
        "view=api&by=station&mf=count&mc=&hc=count&ho=more&hv=5&sc=station&ac=open&ao=is&av=true"
    )
    soup = page(client, f"/en/tables/{table_id}?{query}")
    url = soup.select(".weft-code code")[0].get_text()
    assert dict(parse_qsl(urlsplit(url).query))["having"] == '"count" > 5'
    body = json.loads(soup.select(".weft-code code")[1].get_text())
    assert body["having"] == {"column": "count", "op": ">", "value": 5}
    rows = client.get(url).json
    same = client.post(f"/api/v1/tables/{table_id}/query", json=body).json
    assert rows is not None
    assert same is not None
    assert rows["rows"] == same["rows"]
    assert len(rows["rows"]) == len(soup.select(".weft-grid--preview tbody tr")) == 3
    wrong = page(client, f"/en/tables/{table_id}?{query}&hc=count&ho=is&hv=many")
    assert words(wrong, ".govuk-error-summary li")


def test_a_query_of_rows_is_json_too(client: FlaskClient, table_id: str) -> None:
    query = "view=api&col=code&col=PM2.5&sc=PM2.5&sd=1&limit=3&q=东四"
    soup = page(client, f"/en/tables/{table_id}?{query}")
    url, body = (code.get_text() for code in soup.select(".weft-code code")[:2])
    rows = client.get(url).json
    same = client.post(f"/api/v1/tables/{table_id}/query", json=json.loads(body)).json
    assert rows is not None
    assert same is not None
    assert rows["rows"] == same["rows"]


def test_a_file_is_downloaded_by_the_call(client: FlaskClient, table_id: str) -> None:
    soup = page(
        client, f"/en/tables/{table_id}?view=api&format=csv&col=code&ac=open&ao=is&av=true&limit=5"
    )
    url = soup.select(".weft-code code")[0].get_text()
    assert parse_qs(urlsplit(url).query) == {"select": ["code"], "where": ["open = TRUE"]}
    assert len(client.get(url).text.splitlines()) == 126
    code = [block.get_text() for block in soup.select(".weft-example code")]
    assert ["--output data.csv" in code[0], "iter_content" in code[1]] == [True, True]
    assert ["blob" in code[2], 'path = "data.csv"' in code[3]] == [True, True]


def test_a_query_that_cannot_be_is_explained(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=api&ac=PM2.5&ao=is&av=much&mf=sum&mc=station")
    told = words(soup, ".govuk-error-summary li")
    assert len(told) == 2
    assert not soup.select(".weft-grid--preview")
    nothing = page(client, f"/en/tables/{table_id}?view=api&ac=code&ao=is&av=none")
    assert "No rows satisfy these conditions." in nothing.get_text()


def test_examples_run_as_python(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=api&ac=code&ao=is&av=a%27b%22c")
    compile(soup.select(".weft-example code")[1].get_text(), "example", "exec")
