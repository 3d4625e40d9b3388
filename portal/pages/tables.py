"""The page of a table: rows, columns, chart, map, versions, downloads and examples for the API."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import cast
from urllib.parse import urlencode

from flask import Blueprint, Response, g, redirect, render_template, request, url_for

from catalog.errors import NotFound
from catalog.permissions import Action, allowed
from catalog.schemas.grid import VIEWS as NAMES
from catalog.schemas.grid import read_grid
from catalog.services import conformance, tables
from catalog.tabular.conformance import REASONS
from portal.readers import count_view
from portal.table_page.column_panel import panel_of
from portal.table_page.day_map import MapView
from portal.table_page.downloads import downloads
from portal.table_page.embeds import Embed, embedded
from portal.table_page.outline_map import OutlinesView
from portal.table_page.page import TablePage
from portal.table_page.pictures import ChartView
from portal.table_page.point_map import view_of
from portal.table_page.profiles import bar, profile_of
from portal.table_page.query_builder import QueryBuilder
from portal.table_page.rows_view import RowsView
from portal.table_page.versions import VersionsView
from portal.table_page.words import COMPARISONS

bp = Blueprint("tables", __name__)


@bp.get("/tables/<table_id>")
def show(table_id: str) -> str | Response:
    """One view of the table, chosen by `view`; `go` leads to a place among the rows, `number` to a row's place."""
    page = _page(table_id)
    if request.args.get("view", "") not in ("", *NAMES):
        raise NotFound("there is no such view of a table")
    row = page.row_to_go_to(request.args.get("go", ""))
    row = row or page.place_of(request.args.get("number", ""))
    if row:
        return cast("Response", redirect(page.at.row(row)))
    count_view(page.dataset.id)
    view = page.grid.view if page.loaded or page.grid.view == "api" else "rows"
    if (
        view == "map" and page.as_of and not page.has_map
    ):  # only the newest release has values by day
        return cast("Response", redirect(page.at.view("rows")))
    return VIEWS[view](page)


@bp.get("/tables/<table_id>/chart.<any(svg, png):format_>")
def picture(table_id: str, format_: str) -> Response:
    """The chart as a picture."""
    return ChartView(_page(table_id)).draw(format_)


@bp.get("/tables/<table_id>/chart.csv")
def points(table_id: str) -> Response:
    """The points of the chart."""
    return ChartView(_page(table_id)).csv()


@bp.get("/tables/<table_id>/chart/embed")
def embed(table_id: str) -> Response:
    """The chart alone, for frames on other sites."""
    return embedded(_page(table_id))


def _page(table_id: str) -> TablePage:
    return TablePage(tables.show(g.identity, table_id), read_grid(request.args))


def _rows(page: TablePage) -> str:
    rows = RowsView(page) if page.loaded else None
    return render_template(
        "tables/rows.html", page=page, rows=rows, panel=panel_of(page), comparisons=COMPARISONS
    )


def _columns(page: TablePage) -> str:
    if page.as_of:  # only the newest release is profiled
        page = TablePage(page.table, replace(page.grid, as_of=""))
    rows, columns = page.table.rows, page.columns
    elements = conformance.elements_of(page.table)
    profiles = [
        profile_of(c, rows, masked=columns[c.name].masked, element=elements.get(c.name))
        for c in page.table.columns
    ]
    may_write = allowed(g.identity, Action.TABLE_WRITE, page.dataset)
    return render_template(
        "tables/columns.html",
        page=page,
        profiles=profiles,
        bar=bar,
        may_write=may_write,
        reasons=REASONS,
    )


def _chart(page: TablePage) -> str:
    chart = ChartView(page).load()
    return render_template("tables/chart.html", page=page, chart=chart, embed=Embed(chart))


def _map(page: TablePage) -> str:
    if page.planned:
        return render_template("tables/map.html", page=page, map=MapView(page))
    if page.has_outlines:
        outlines = OutlinesView(page)
        if outlines.drawn:
            return render_template("tables/outlines.html", page=page, map=outlines)
    return render_template("tables/points.html", page=page, map=view_of(page))


def _versions(page: TablePage) -> str:
    return render_template("tables/versions.html", page=page, versions=VersionsView(page))


def _downloads(page: TablePage) -> str:
    offered = downloads(
        page.table.id,
        page.conditions.where,
        page.rows,
        located=tables.has_places(page.table, tuple(page.columns.values())),
        as_of=page.grid.as_of,
    )
    where = page.conditions.where
    matching = page.count(where) if where else page.rows
    cite = f"{url_for('releases.ask', table_id=page.table.id)}?{urlencode(page.at.kept('view'))}"
    return render_template(
        "tables/downloads.html", page=page, offered=offered, matching=matching, cite=cite
    )


def _api(page: TablePage) -> str:
    developers = f"{url_for('home.show')}developers"
    return render_template(
        "tables/api.html", page=page, builder=QueryBuilder(page), developers=developers
    )


VIEWS: dict[str, Callable[[TablePage], str]] = {
    "rows": _rows,
    "columns": _columns,
    "chart": _chart,
    "map": _map,
    "versions": _versions,
    "downloads": _downloads,
    "api": _api,
}
