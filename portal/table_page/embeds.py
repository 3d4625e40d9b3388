"""A chart on other people's pages: the page of the chart alone, and the code that puts it there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from flask import Response, render_template
from markupsafe import Markup

from portal.security import FRAMED
from portal.site import Site
from portal.table_page.pictures import ChartView, kept_for_a_while

if TYPE_CHECKING:
    from portal.table_page.page import TablePage

HEIGHT = 560
"""Pixels that a chart with its title and its source take."""
POLICY = "; ".join(
    (
        "default-src 'none'",
        "style-src 'self'",
        "img-src 'self'",
        FRAMED,
        "base-uri 'none'",
        "form-action 'none'",
    )
)
"""Only this page may be framed by others: it holds no script, no form and nothing of who looks at it."""


class Embed:
    """The addresses of a chart for other pages; they show the newest release, unless the page is of another one."""

    def __init__(self, chart: ChartView) -> None:
        self.chart = chart
        self.at = chart.page.at
        self.origin = Site().origin()

    @property
    def frame_address(self) -> str:
        """The address of the chart alone."""
        return self.origin + self.at.part("chart/embed", self.chart.pairs)

    def image_address(self, format_: str) -> str:
        """The address of the picture."""
        return self.origin + self.at.part(f"chart.{format_}", self.chart.pairs)

    @property
    def frame_code(self) -> str:
        """HTML that shows the chart with its title, its source and its numbers."""
        return str(
            Markup(
                '<iframe src="{}" title="{}" width="100%" height="{}" loading="lazy" style="border:0"></iframe>'
            ).format(self.frame_address, self.chart.title, HEIGHT)
        )

    @property
    def image_code(self) -> str:
        """HTML that shows the picture alone."""
        return str(
            Markup('<img src="{}" alt="{}" style="max-width:100%">').format(
                self.image_address("svg"), self.chart.alternative
            )
        )


def embedded(page: TablePage) -> Response:
    """The chart alone, for a frame on another site; raises BadQuery when there is none to draw."""
    chart = ChartView(page).required()
    response = Response(
        render_template("tables/embed.html", page=page, chart=chart, origin=Site().origin())
    )
    response.headers["Content-Security-Policy"] = POLICY
    return kept_for_a_while(response, page)
