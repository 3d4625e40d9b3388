"""The page of a table: every view, in both languages, without any script."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from urllib.parse import parse_qs, quote, urlencode, urlsplit

import pyarrow as pa
import pytest
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from catalog.permissions import ANYONE
from catalog.services import maps, tables
from portal.table_page.cells import LONG, body
from portal.table_page.downloads import downloads
from portal.table_page.profiles import histogram
from tests.make_page import HOSTILE, LANGUAGES, href, one, page, words
from tests.make_table_page import link_map, make_loaded_table, make_table_of_files

STATIONS = ("东四", "顺义", "怀柔")
ROWS = [
    {
        "code": f"{at:05}",
        "station": STATIONS[at % 3],
        "day": f"2020-{at % 12 + 1:02}-{at % 28 + 1:02}",
        "PM2.5": None if at % 10 == 0 else at / 4,
        "long": 9007199254740993 + at,
        "open": at % 2 == 0,
        "seen": f"2020-01-01 {at % 24:02}:00:00",
    }
    for at in range(250)
]
ABOUT = {
    "PM2.5": {
        "label": {"zh": "细颗粒物", "en": "Fine particles"},
        "unit": "µg/m³",
        "description": {"en": "Particles of at most 2.5 micrometres"},
    }
}
VIEWS = ("rows", "columns", "chart", "downloads", "api")


@pytest.fixture
def table_id(app: Flask) -> str:
    return make_loaded_table(
        ROWS,
        columns=list(ROWS[0]),
        load={"columns": ABOUT},
        notice={"zh": "样例数据", "en": "Sample data"},
    )


def cells(soup: BeautifulSoup, row: int) -> list[str]:
    """The values of a row of the grid, as written."""
    return [cell.get_text() for cell in one(soup, f"#row-{row}").select("td")]


# All views


@pytest.mark.parametrize("lang", LANGUAGES)
@pytest.mark.parametrize("view", VIEWS)
def test_every_view_says_what_table_it_is(
    client: FlaskClient, table_id: str, lang: str, view: str
) -> None:
    soup = page(client, f"/{lang}/tables/{table_id}?view={view}")
    assert words(soup, "h1") == ["空气质量" if lang == "zh" else "Air quality"]
    assert "250" in one(soup, ".weft-band .weft-meta").get_text()
    assert "样例数据" in one(soup, ".weft-notice").get_text() or lang == "en"
    assert href(soup, ".govuk-breadcrumbs li:last-child a") == f"/{lang}/datasets/air"
    assert one(soup, ".weft-views [aria-current=page]")["href"].endswith(
        "" if view == "rows" else f"view={view}"
    )  # type: ignore[union-attr] # one value
    assert len(soup.select(".weft-views a")) == 6  # no map


def test_an_unknown_table_and_an_unknown_map_are_not_found(
    client: FlaskClient, table_id: str
) -> None:
    page(client, "/en/tables/nowhere", 404)
    page(client, f"/en/tables/{table_id}?view=map", 404)
    assert client.get("/en/tables/nowhere/chart.svg").status_code == 404


def test_an_unknown_view_is_not_found(client: FlaskClient, table_id: str) -> None:
    page(client, f"/en/tables/{table_id}?view=secret", 404)
    assert page(client, f"/en/tables/{table_id}?view=").select(".weft-grid")


def test_views_and_languages_keep_filters_order_page_and_day(
    client: FlaskClient, table_id: str
) -> None:
    kept = "column=open&op=is&value=true&sort=day&size=25&page=2&day=2020-01-01"
    soup = page(client, f"/en/tables/{table_id}?{kept}")
    for link in soup.select("#views a"):
        query = parse_qs(urlsplit(str(link["href"])).query)
        query.pop("view", None)
        assert query == parse_qs(kept)
    assert href(soup, "#language a") == f"/zh/tables/{table_id}?{kept}"
    assert one(soup, "#rows")["hx-select-oob:inherited"] == "#views,#language"


@pytest.mark.parametrize("view", ["rows", "chart"])
def test_an_unknown_column_to_sort_by_is_told(
    client: FlaskClient, table_id: str, view: str
) -> None:
    soup = page(client, f"/en/tables/{table_id}?sort=gone&view={view}")
    assert words(soup, ".govuk-error-summary li") == ["There is no column “gone” to sort by."]
    assert words(soup, ".govuk-error-summary h2") == ["The rows are not sorted"]


def test_a_row_that_is_asked_for_has_an_address_of_its_own(
    client: FlaskClient, table_id: str
) -> None:
    there = client.get(f"/en/tables/{table_id}?sort=day&size=25&go=+150")
    assert there.status_code == 302
    assert there.location == f"/en/tables/{table_id}?sort=day&size=25&row=150#row-150"
    filtered = f"/en/tables/{table_id}?column=station&op=is&value=顺义&go=9,999"
    assert client.get(filtered).location.endswith("row=83#row-83")
    for none in ("x", "0", "-1", "9" * 30, ""):
        assert client.get(f"/en/tables/{table_id}?go={none}").status_code == 200


def test_only_what_cannot_be_sent_while_it_is_made_is_said_to_take_a_moment(
    client: FlaskClient,
) -> None:
    with client.application.test_request_context("/en/"):
        assert not any(one.slow for one in downloads("t", None, 20_000, located=True))
        slow = [one.title for one in downloads("t", None, 20_001, located=True) if one.slow]
    assert slow == ["GeoPackage"]


def test_shapes_are_shown_in_few_words_and_open(client: FlaskClient, map_id: str) -> None:
    outlines = _outlines_of(map_id)
    soup = page(client, f"/en/tables/{outlines}")
    assert words(soup, "#row-1 summary") == ["Polygon, 5 points"]
    assert '"Polygon"' in one(soup, "#row-1 details div").get_text()
    odd = cells_body(["{}", "no shape", None, '{"type": "Point", "coordinates": [1, 2]}'])
    assert [cell.get_text(" ", strip=True).split("…")[0] for cell in odd][:3] == [
        "{}",
        "no shape",
        "–",
    ]
    assert odd[3].select("summary")[0].get_text() == "Point, 1 point"


def test_a_closed_table_shows_no_rows(client: FlaskClient, app: Flask) -> None:
    closed = make_loaded_table(ROWS, slug="closed", access="closed")
    for path in ("", "?view=chart", "/chart.svg", "/chart.csv"):
        assert client.get(f"/en/tables/{closed}{path}").status_code in (302, 401, 403)


def test_hostile_values_and_titles_stay_text(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table(
        [{HOSTILE: HOSTILE, "b": 1}, {HOSTILE: "x" * 100 + HOSTILE, "b": 2}],
        slug="hostile",
        title={"zh": HOSTILE, "en": HOSTILE},
    )
    query = f"column={quote(HOSTILE)}&op=is&value={quote(HOSTILE)}&sort={quote(HOSTILE)}"
    for view in VIEWS:
        soup = page(client, f"/en/tables/{table}?view={view}&{query}")
        assert HOSTILE in one(soup, "h1").get_text()
    assert cells(page(client, f"/en/tables/{table}?{query}"), 1)[0] == HOSTILE
    assert (
        client.get(f"/en/tables/{table}/chart.svg?x={quote(HOSTILE)}&kind=bar").status_code == 200
    )


# Rows


def test_values_are_shown_exactly_as_they_are(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}")
    assert cells(soup, 2) == [
        "00001",
        "顺义",
        "2020-02-02",
        "0.25",
        "9007199254740994",
        "false",
        "2020-01-01 01:00:00",
    ]
    assert cells(soup, 1)[3] == "–"
    assert cells(soup, 5)[3] == "1"
    assert one(soup, "#row-1").select("td")[3]["class"] == ["z", "n"]
    assert words(soup, "#count") == ["Rows 1 to 100 of 250"]
    assert one(soup, ".weft-grid")["tabindex"] == "0"
    assert one(soup, ".weft-grid caption").get_text()


def test_headings_have_labels_names_and_units(client: FlaskClient, table_id: str) -> None:
    heading = page(client, f"/zh/tables/{table_id}").select("thead th")[4]
    assert " ".join(heading.get_text(" ").split()) == "细颗粒物 PM2.5 · µg/m³"


def test_pages_lead_to_their_neighbours_and_an_end(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?page=2")
    assert words(soup, "#count") == ["Rows 101 to 200 of 250"]
    assert href(soup, "#page-first") == f"/en/tables/{table_id}"
    assert href(soup, "#page-last") == href(soup, "#page-next") == f"/en/tables/{table_id}?page=3"
    last = page(client, href(soup, "#page-last"))
    assert words(last, "#count") == ["Rows 201 to 250 of 250"]
    assert not last.select("#page-next")
    beyond = page(client, f"/en/tables/{table_id}?page=99999")
    assert words(beyond, "#count") == ["Rows 201 to 250 of 250"]


def test_a_row_number_leads_to_that_row(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?row=150&size=25")
    assert words(soup, "#count") == ["Rows 126 to 150 of 250 · Row 150 is marked"]
    assert one(soup, ".weft-grid__marked")["id"] == "row-150"


def test_headings_sort_up_down_and_not(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}")
    up = page(client, href(soup, "#sort-4"))
    assert cells(up, 1)[3] == "0.25"
    assert one(up, "[aria-sort]")["aria-sort"] == "ascending"
    down = page(client, href(up, "#sort-4"))
    assert cells(down, 1)[3] == "62.25"
    assert one(down, "[aria-sort]")["aria-sort"] == "descending"
    assert href(down, "#sort-4") == f"/en/tables/{table_id}"


def test_filters_add_up_and_come_off_one_by_one(client: FlaskClient, table_id: str) -> None:
    two = "column=station&op=is&value=东四&column=PM2.5&op=more&value=50"
    soup = page(client, f"/en/tables/{table_id}?{two}&sort=PM2.5")
    assert words(soup, "#count") == ["Rows 1 to 15 of 15 that match, of 250 in all"]
    assert [chip.split(" ×")[0] for chip in words(soup, ".weft-chip--remove")] == [
        "station = 东四",
        "Fine particles > 50",
    ]
    fewer = page(client, str(soup.select(".weft-chip--remove")[1]["href"]))
    assert words(fewer, "#count") == ["Rows 1 to 84 of 84 that match, of 250 in all"]
    assert "sort=PM2.5" in str(soup.select(".weft-chip--remove")[1]["href"])
    assert href(soup, ".weft-filters__all") == f"/en/tables/{table_id}?sort=PM2.5"


def test_the_filter_form_carries_what_is_set_already(client: FlaskClient, table_id: str) -> None:
    soup = page(
        client, f"/en/tables/{table_id}?column=open&op=is&value=true&sort=day&desc=1&size=50&page=2"
    )
    form = one(soup, "[data-filter-form]")
    carried = [(field["name"], field["value"]) for field in form.select("input[type=hidden]")]
    assert carried == [
        ("column", "open"),
        ("op", "is"),
        ("value", "true"),
        ("sort", "day"),
        ("desc", "1"),
        ("size", "50"),
    ]
    assert form["method"] == "get"
    assert {option["value"] for option in form.select("#filter-column option")} == set(ROWS[0])


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_filter_that_makes_no_sense_is_explained_and_the_others_hold(
    client: FlaskClient, table_id: str, lang: str
) -> None:
    wrong = "column=PM2.5&op=is&value=abc&column=station&op=is&value=东四&column=gone&op=is&value=1"
    soup = page(client, f"/{lang}/tables/{table_id}?{wrong}")
    assert len(soup.select(".govuk-error-summary li")) == 2
    assert len(soup.select(".weft-chip--wrong")) == 2
    assert one(soup, ".weft-tool[open]")
    assert "84" in one(soup, "#count").get_text()


def test_no_match_is_said(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?column=code&op=is&value=nothing")
    assert words(soup, "#count") == ["No rows satisfy these filters."]
    assert not soup.select(".weft-grid")


def test_long_texts_open_and_very_long_ones_lead_to_the_api(
    client: FlaskClient, app: Flask
) -> None:
    table = make_loaded_table(
        [{"a": "短"}, {"a": "长" * 200}, {"a": "x" * (LONG + 1)}], slug="long"
    )
    soup = page(client, f"/en/tables/{table}")
    assert one(soup, "#row-2 details div").get_text() == "长" * 200
    assert href(soup, "#row-3 details a") == f"/api/v1/tables/{table}/rows?offset=2&limit=1"
    assert not soup.select("#row-1 details")


def test_wide_tables_are_turned_like_pages(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table([{f"c{at}": at for at in range(130)}], slug="wide")
    soup = page(client, f"/en/tables/{table}")
    assert len(soup.select("thead th")) == 61
    links = soup.select(".weft-turn a")
    second = page(client, str(links[0]["href"]))
    assert words(second, ".weft-turn span")[0] == "Columns 61 to 120 of 130"
    assert len(second.select(".weft-turn a")) == 2
    third = page(client, str(second.select(".weft-turn a")[1]["href"]))
    assert len(third.select("thead th")) == 11


def test_a_table_without_rows_says_so(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table([], columns=["a", "b"], slug="empty")
    assert words(page(client, f"/en/tables/{table}"), "#count") == ["This table has no rows."]
    for view in VIEWS:
        page(client, f"/en/tables/{table}?view={view}")


# Columns


def test_columns_show_their_profiles(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=columns")
    column = soup.select(".weft-column")[3]
    said = " ".join(column.get_text(" ").split())
    for part in (
        "Fine particles",
        "PM2.5 · Number · µg/m³",
        "Particles of at most",
        "Least 0.25",
        "Greatest 62.25",
        "Empty 25 (10.0 %)",
    ):
        assert part in said
    assert len(column.select(".weft-histogram rect")) == 20
    station = soup.select(".weft-column")[1]
    assert (
        words(station, "tbody th") == ["东四", "怀柔", "顺义"]
        or len(station.select("tbody th")) == 3
    )
    assert not station.select(".weft-histogram")


def test_what_the_reader_of_a_file_saw_is_told(client: FlaskClient, app: Flask) -> None:
    books = Path(__file__).parents[2] / "demo" / "intl-gfdrr-excel"
    table = make_table_of_files([books / "Table_D3_Costs_V1.1.0.xlsx"], slug="costs")
    soup = page(client, f"/en/tables/{table}?view=columns")
    assert "holds no table" in one(soup, ".weft-notes").get_text()


@pytest.mark.parametrize("bins", [[], [["a", "b", 1]], [[0, 1, 0], [1, 2, 0]]])
def test_too_few_bins_make_no_histogram(bins: list[list[object]]) -> None:
    assert histogram(bins) == ""


# Chart


def test_the_chart_has_a_picture_words_numbers_and_files(
    client: FlaskClient, table_id: str
) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=chart&kind=bar&x=station&agg=avg&y=PM2.5")
    image = one(soup, ".weft-chart")
    assert str(image["alt"]).startswith(
        "Average of Fine particles (µg/m³) by station. 3 points; least 31"
    )
    assert len(soup.select(".govuk-details tbody tr")) == 3
    svg = client.get(str(image["src"]))
    assert svg.status_code == 200
    assert svg.mimetype == "image/svg+xml"
    assert "东四" in svg.text
    assert "sandbox" in svg.headers["Content-Security-Policy"]
    again = client.get(str(image["src"]), headers={"If-None-Match": svg.headers["ETag"]})
    assert again.status_code == 304
    narrow = one(soup, "source")["srcset"]
    assert "size=narrow" in str(narrow)
    assert client.get(str(narrow)).data != svg.data
    saved = {
        str(link["href"]).split("?")[0].rsplit(".", 1)[1]: str(link["href"])
        for link in soup.select(".weft-save a")
    }
    assert client.get(saved["png"]).data.startswith(b"\x89PNG")
    rows = list(csv.reader(io.StringIO(client.get(saved["csv"]).data.decode("utf-8-sig"))))
    assert rows[0] == ["station", "Average of Fine particles (µg/m³)"]
    assert len(rows) == 4


def test_the_chart_carries_filters_and_colours(client: FlaskClient, table_id: str) -> None:
    query = "view=chart&kind=line&x=day&agg=sum&y=PM2.5&series=station&column=open&op=is&value=true"
    soup = page(client, f"/zh/tables/{table_id}?{query}")
    src = parse_qs(urlsplit(str(one(soup, ".weft-chart")["src"])).query)
    assert (src["series"], src["column"], src["value"]) == (["station"], ["open"], ["true"])
    assert len(soup.select(".govuk-details thead th")) == 3
    saved = client.get(f"/zh/tables/{table_id}/chart.csv?{query}").data.decode("utf-8-sig")
    assert {row[1] for row in csv.reader(io.StringIO(saved))} == {"station", *STATIONS}


def test_a_table_opens_with_a_sensible_chart(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=chart")
    assert one(soup, "#chart-kind [selected]")["value"] == "line"
    assert one(soup, "#chart-x [selected]")["value"] == "day"


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("kind=globe", "There is no such kind of chart."),
        ("kind=bar&x=gone", "The table has no column “gone” to draw."),
        ("kind=line&x=day&agg=avg&y=station", "Choose a column of numbers for this calculation."),
    ],
)
def test_a_chart_that_cannot_be_is_explained(
    client: FlaskClient, table_id: str, query: str, sentence: str
) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=chart&{query}")
    assert words(soup, ".govuk-error-summary li") == [sentence]
    assert not soup.select(".weft-chart")
    for name in ("chart.svg", "chart.png", "chart.csv"):
        assert client.get(f"/en/tables/{table_id}/{name}?{query}").status_code == 400


def test_a_chart_of_no_rows_says_that_there_is_nothing(client: FlaskClient, table_id: str) -> None:
    query = "kind=bar&x=station&column=code&op=is&value=nothing"
    soup = page(client, f"/en/tables/{table_id}?view=chart&{query}")
    assert one(soup, ".govuk-inset-text")
    assert client.get(f"/en/tables/{table_id}/chart.svg?{query}").status_code == 200


def test_what_a_chart_leaves_out_is_said(
    client: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = [
        {
            "name": f"n{at:02}",
            "part": f"p{at % 11}",
            "n": at,
            "when": f"20{at // 30:02}-01-{at % 28 + 1:02} 00:{at % 60:02}:00",
        }
        for at in range(2000)
    ]
    table = make_loaded_table(
        [{**row, "name": f"n{at % 40:02}"} for at, row in enumerate(rows)], slug="many"
    )
    soup = page(client, f"/en/tables/{table}?view=chart&kind=bar&x=name&series=part")
    assert words(soup, ".weft-remark") == [
        "10 other groups are not shown.",
        "3 other series are not shown.",
    ]
    soup = page(client, f"/en/tables/{table}?view=chart&kind=line&x=when&agg=sum&y=n")
    assert words(soup, ".weft-remark") == ["Values are put together by month."]
    soup = page(client, f"/en/tables/{table}?view=chart&kind=line&x=n")
    assert words(soup, ".weft-remark") == [
        "There are too many groups; only the first ones are shown."
    ]
    assert "The first 200 of 1,500 points" in soup.get_text()
    query = "view=chart&kind=scatter&x=n&y=n"
    monkeypatch.setattr("catalog.services.charts.SAMPLE", 100)
    soup = page(client, f"/en/tables/{table}?{query}")
    assert words(soup, ".weft-remark") == [
        "A sample: 100 rows drawn at random from the 2,000 that have both values."
    ]


def test_formulas_in_the_csv_of_a_chart_are_defused(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table([{"name": "=1+1"}, {"name": "ok"}, {"name": None}], slug="formula")
    rows = list(
        csv.reader(
            io.StringIO(
                client.get(f"/en/tables/{table}/chart.csv?kind=bar&x=name").data.decode("utf-8-sig")
            )
        )
    )
    assert {row[0] for row in rows[1:]} == {"'=1+1", "ok", "(no value)"}


def test_negative_numbers_in_the_csv_of_a_chart_stay_numbers(
    client: FlaskClient, app: Flask
) -> None:
    table = make_loaded_table(
        [{"x": -0.7, "y": -4, "s": "-a"}, {"x": 2.5, "y": 1, "s": "b"}], slug="cold"
    )
    for query in ("kind=scatter&x=x&y=y", "kind=bar&x=x&agg=sum&y=y"):
        got = client.get(f"/en/tables/{table}/chart.csv?{query}").data.decode("utf-8-sig")
        assert "-0.7,-4" in got.splitlines()
    coloured = client.get(f"/en/tables/{table}/chart.csv?kind=scatter&x=x&y=y&series=s")
    assert "-0.7,'-a,-4" in coloured.text.splitlines()
    numbered = client.get(f"/en/tables/{table}/chart.csv?kind=scatter&x=x&y=y&series=y")
    assert "-0.7,-4,-4" in numbered.text.splitlines()


def test_a_chart_of_many_numbers_has_steps(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table([{"n": at} for at in range(400)], slug="numbers")
    soup = page(client, f"/en/tables/{table}?view=chart&kind=bar&x=n")
    assert words(soup, ".weft-remark") == ["Numbers are put together in steps of 20."]
    assert words(soup, ".govuk-details tbody th")[:2] == ["0 – < 20", "20 – < 40"]


def test_a_table_of_keys_says_why_it_has_no_chart(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table([{"name": f"n{at}"} for at in range(9)], slug="names")
    soup = page(client, f"/en/tables/{table}?view=chart")
    assert one(soup, ".govuk-inset-text").get_text().startswith("No column suggests a chart")
    assert not soup.select(".weft-chart")


# Map


@pytest.fixture
def map_id(app: Flask, tmp_path: Path) -> str:
    outlines = tmp_path / "outlines.geojson"
    ring = [[121, 31], [122, 31], [122, 32], [121, 32], [121, 31]]
    features = [
        {
            "type": "Feature",
            "id": code,
            "properties": {"name": name},
            "geometry": {"type": "Polygon", "coordinates": [[[x + at, y] for x, y in ring]]},
        }
        for at, (code, name) in enumerate([("1", "黄浦区"), ("2", "浦东新区"), ("3", "崇明区")])
    ]
    outlines.write_text(json.dumps({"type": "FeatureCollection", "features": features}))
    drawn = make_table_of_files(
        [outlines],
        slug="outlines",
        title={"zh": "区界", "en": "Districts"},
        notice={"zh": "样例轮廓，无审图号", "en": "Sample outlines, no approved base map"},
    )
    rows = [
        {"day": f"2020-01-0{day}", "code": str(code), "name": name, "cases": day * code}
        for day in (1, 2, 3)
        for code, name in ((1, "黄浦区"), (2, "浦东新区"), (9, "境外输入"))
    ]
    counts = make_loaded_table(rows, slug="counts")
    link_map(counts, drawn, join=[["code", "id"], ["name", "name"]], day="day", value="cases")
    return counts


def cells_body(values: list[str | None], type_: str = "geojson") -> list[Tag]:
    """Cells of a column of shapes, or of another type."""
    made = body(pa.table({"g": values}), [type_], offset=0, marked=0, whole="/w?o=OFFSET")
    return BeautifulSoup(f"<table>{made}</table>", "html.parser").select("td")


@pytest.mark.parametrize("odd", ["", "a\0b", "\0"])
def test_each_text_of_a_column_stays_in_its_cell(odd: str) -> None:
    values = ["<b>&amp;</b>", odd, "\"'", "路灯" * 40]
    cells_ = cells_body([*values], "string")
    assert [cell.get_text() for cell in cells_] == values


def test_the_map_says_that_filters_do_not_apply(client: FlaskClient, map_id: str) -> None:
    query = "view=map&column=name&op=is&value=黄浦区"
    soup = page(client, f"/en/tables/{map_id}?{query}")
    assert words(soup, ".weft-remark") == [
        "Filters do not apply to the map: it shows all values of the day."
    ]
    assert soup.select(".weft-chip--remove")
    assert "column=name" in href(soup, "#day-previous")
    assert not page(client, f"/en/tables/{map_id}?view=map").select(".weft-remark")


@pytest.mark.parametrize("lang", LANGUAGES)
def test_a_table_of_outlines_has_a_map_of_its_own(
    client: FlaskClient, map_id: str, lang: str
) -> None:
    outlines = _outlines_of(map_id)
    soup = page(client, f"/{lang}/tables/{outlines}?view=map&column=name&op=is&value=黄浦区")
    assert [title.get_text() for title in soup.select(".weft-map__area title")] == [
        "黄浦区",
        "浦东新区",
        "崇明区",
    ]
    assert words(soup, ".weft-values tbody th") == ["黄浦区", "浦东新区", "崇明区"]
    assert len(soup.select(".weft-map__names text")) == 3
    assert one(soup, ".weft-notice")
    assert len(soup.select(".weft-remark")) == 1


def test_shapes_without_a_place_draw_nothing(client: FlaskClient, app: Flask) -> None:
    table = make_loaded_table([{"n": 1, "at": "{}"}], slug="points", types={"at": "geojson"})
    soup = page(client, f"/en/tables/{table}?view=map")
    assert words(soup, ".govuk-inset-text") == [
        "No row that the filters leave has a place to draw."
    ]


@pytest.mark.parametrize("lang", LANGUAGES)
def test_the_map_shows_a_day_and_says_what_its_outlines_are(
    client: FlaskClient, map_id: str, lang: str
) -> None:
    soup = page(client, f"/{lang}/tables/{map_id}?view=map&day=2020-01-02")
    notice = one(soup, ".weft-mapping__map .weft-notice")
    assert ("无审图号" if lang == "zh" else "no approved base map") in notice.get_text()
    assert [
        path.title.get_text()
        for path in soup.select(".weft-map__area")
        if isinstance(path.title, Tag)
    ] == [
        "黄浦区: 2",
        "浦东新区: 4",
        "崇明区: –",
    ]
    listed = [words(table, "tbody tr") for table in soup.select(".weft-values")]
    assert listed == [["浦东新区 4", "黄浦区 2", "崇明区 –"], ["境外输入 18"]]
    assert one(soup, ".weft-map [id=map-title]").get_text()
    assert href(soup, "#day-previous").endswith("view=map&day=2020-01-01")
    assert href(soup, "#day-next").endswith("view=map&day=2020-01-03")


def test_the_days_end_where_they_end(client: FlaskClient, map_id: str) -> None:
    last = page(client, f"/en/tables/{map_id}?view=map")
    assert not last.select("#day-next, #day-last")
    first = page(client, href(last, "#day-first"))
    assert not first.select("#day-previous, #day-first")
    assert one(first, "#day")["min"] == "2020-01-01"
    assert one(first, "#map")["data-days"] == "2020-01-01 2020-01-02 2020-01-03"


def test_a_map_whose_outlines_are_gone_still_tells_its_values(
    client: FlaskClient, app: Flask
) -> None:
    rows = [{"day": "2020-01-01", "name": "黄浦区", "cases": 0.5}]
    counts = make_loaded_table(rows, slug="counts")
    link_map(counts, "gone", join=[["name", "name"]], day="day", value="cases")
    soup = page(client, f"/en/tables/{counts}?view=map")
    assert words(soup, ".weft-values tbody tr") == ["黄浦区 0.5"]


@pytest.mark.parametrize(
    ("values", "legend"),
    [
        ((1, 1), ["1", "no value"]),
        ((0, 7), ["≥ 7", "< 7", "no value"]),
        ((0, 1), ["≥ 1", "0", "no value"]),
        ((0.5, 0.25), ["≥ 0.5", "< 0.5", "no value"]),
    ],
)
def test_a_map_with_few_values_has_few_classes(
    client: FlaskClient, map_id: str, values: tuple[float, float], legend: list[str]
) -> None:
    rows = [
        {"day": "2020-01-01", "name": name, "n": n}
        for name, n in zip(("黄浦区", "浦东新区"), values, strict=True)
    ]
    counts = make_loaded_table(rows, slug="few", load={"columns": {"n": {"unit": "人"}}})
    link_map(counts, _outlines_of(map_id), join=[["name", "name"]], day="day", value="n")
    soup = page(client, f"/en/tables/{counts}?view=map")
    assert one(soup, ".weft-subtitle").get_text() == "n (人)"
    assert words(soup, ".weft-legend__range") == legend


def _outlines_of(table_id: str) -> str:
    plan = maps.plan_of(tables.show(ANYONE, table_id))
    assert plan is not None
    return plan.geometry


def test_the_legend_covers_all_values(client: FlaskClient, map_id: str) -> None:
    soup = page(client, f"/en/tables/{map_id}?view=map&day=2020-01-03")
    entries = words(soup, ".weft-legend li")
    assert entries[-1] == "no value 1 area"
    assert sum(int(entry.split()[-2]) for entry in entries) == 3


# Downloads and examples


def test_downloads_are_offered_for_all_rows_and_for_those_that_match(
    client: FlaskClient, table_id: str
) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=downloads")
    links = [str(link["href"]) for link in soup.select(".weft-download a")]
    assert [link.rsplit("/", 1)[1] for link in links] == [
        "download.csv",
        "download.csv?bom=1",
        "download.xlsx",
        "download.json",
        "download.jsonl",
        "download.csv.gz",
        "download.parquet",
    ]
    soup = page(client, f"/en/tables/{table_id}?view=downloads&column=station&op=is&value=东四")
    filtered = str(soup.select(".weft-download a")[0]["href"])
    assert parse_qs(urlsplit(filtered).query) == {"where": ["\"station\" = '东四'"]}
    assert "84 rows match the filters" in one(soup, ".weft-lead").get_text()
    got = client.get(filtered)
    assert got.status_code == 200
    assert len(got.text.splitlines()) == 85


def test_the_empty_form_and_its_call_ask_the_same(client: FlaskClient, table_id: str) -> None:
    soup = page(client, f"/en/tables/{table_id}?view=api")
    call = f"http://localhost/api/v1/tables/{table_id}/rows?limit=100"
    assert soup.select(".weft-code code")[0].get_text() == call
    assert not soup.select("#where")
    form = one(soup, ".weft-build")
    assert not [box for box in form.select("input[name=av], input[name=bv]") if box["value"]]
    sent = [(str(f["name"]), "") for f in form.select("[name]") if f["name"] not in ("limit", "ao")]
    again = page(client, f"/en/tables/{table_id}?view=api&{urlencode(sent)}")
    assert again.select(".weft-code code")[0].get_text() == call


def test_examples_name_this_table_and_a_filter_that_finds_something(
    client: FlaskClient, table_id: str
) -> None:
    empty = page(client, f"/en/tables/{table_id}?view=api")
    links = [str(a["href"]) for a in empty.select(".weft-build a")]
    soup = page(client, links[0])
    filled = [str(box["value"]) for box in soup.select(".weft-build [name=av]") if box["value"]]
    assert filled == ["东四"]
    assert words(soup, ".weft-example h3") == ["curl", "Python", "JavaScript", "R"]
    address = f"http://localhost/api/v1/tables/{table_id}"
    assert all(
        address in code
        for code in (block.get_text() for block in soup.select(".weft-example code"))
    )
    where = one(soup, "#where").get_text()
    assert client.get(f"/api/v1/tables/{table_id}/count", query_string={"where": where}).json == {
        "table": table_id,
        "release": 1,
        "count": 84,
    }


def test_the_readers_filter_is_in_the_examples(client: FlaskClient, table_id: str) -> None:
    soup = page(
        client,
        f"/en/tables/{table_id}?view=api&column=PM2.5&op=more&value=50&column=code&op=is&value=a%22b",
    )
    assert one(soup, "#where").get_text() == '"PM2.5" > 50.0 AND code = \'a"b\''
    assert '\'where="PM2.5"' in soup.select(".weft-example code")[0].get_text()


def test_an_example_condition_is_found_for_any_table(client: FlaskClient, app: Flask) -> None:
    found = []
    for slug, rows in (("numbers", [{"n": 1}, {"n": 3}]), ("days", [{"d": "2020-01-01"}])):
        soup = page(client, f"/en/tables/{make_loaded_table(rows, slug=slug)}?view=api")
        filled = page(client, str(soup.select(".weft-build a")[0]["href"]))
        found.append(one(filled, "#where").get_text())
    assert found == ["n >= 2", "d IS NOT NULL"]
