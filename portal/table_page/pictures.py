"""The chart on the page: its form, its words, its picture and the table of its points."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from functools import cached_property
from typing import TYPE_CHECKING

from flask import Response, g, request

from catalog.errors import BadQuery
from catalog.schemas.chart import LONGEST_TITLE, chart_pairs, read_chart, read_title
from catalog.services import charts
from catalog.tabular.chart import NUMERIC, OTHER, TEMPORAL, TOPS, ChartQuery, ChartWords, Kind
from catalog.tabular.chart_spec import share, starts_at_zero
from portal.filters import number
from portal.languages import current, gettext, ngettext
from portal.table_page.cells import number_text
from portal.table_page.page import Heading, TablePage, in_words
from portal.table_page.words import AGGREGATES, CATEGORY_ORDERS, KINDS, UNITS

if TYPE_CHECKING:
    from catalog.services.charts import Chart

LISTED = 200
"""Points in the table below the chart; all of them are in the CSV."""
MEDIA = {"svg": "image/svg+xml", "png": "image/png"}
POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"
FORMULA = ("=", "+", "-", "@", "\t", "\r")
"""Texts that a spreadsheet would take for a formula start with one of these."""


class ChartView:
    """A chart of the page's rows; `problem` says why there is none."""

    kinds = KINDS
    aggregates = AGGREGATES
    units = UNITS
    tops = TOPS
    category_orders = CATEGORY_ORDERS
    longest_title = LONGEST_TITLE
    listed = LISTED
    chart: Chart | None = None
    """What `load` has read."""

    def __init__(self, page: TablePage) -> None:
        self.page = page
        self.problem: BadQuery | None = None
        self.query: ChartQuery | None = None
        self.own_title = read_title(request.args)
        try:
            self.query = read_chart(request.args, charts.opening(page.table, page.columns))
        except BadQuery as error:
            self.problem = error

    def load(self) -> ChartView:
        """Read the points; a chart that does not fit the columns becomes the problem."""
        try:
            self.chart = self._chart if self.query else None
        except BadQuery as error:
            self.problem = error
        return self

    def required(self) -> ChartView:
        """The same with its points; raises BadQuery when there is no chart."""
        self.chart = self._chart
        return self

    @property
    def problem_words(self) -> str:
        """Why there is no chart."""
        return in_words(self.problem) if self.problem else ""

    @property
    def x_choices(self) -> list[Heading]:
        """Columns that may be the horizontal axis, or the colours."""
        return [heading for heading in self.page.headings if heading.sortable]

    @property
    def y_choices(self) -> list[Heading]:
        """Columns that calculations may be made of: numbers first."""
        return sorted(self.x_choices, key=lambda heading: heading.type not in NUMERIC)

    @property
    def by_time(self) -> bool:
        """Whether the axis goes along the time, so that it has units."""
        return self._type_of_x in TEMPORAL

    @property
    def by_category(self) -> bool:
        """Whether there are categories, of which some may be left out."""
        if self.query is None:
            return False
        return self.query.kind is Kind.PIE or self._type_of_x not in NUMERIC | TEMPORAL

    @property
    def _type_of_x(self) -> str:
        heading = self.page.heading(self.query.x) if self.query else None
        return heading.type if heading else ""

    def label(self, name: str) -> str:
        """A column's label with its unit, else its name."""
        return self.page.label(name)

    @cached_property
    def words(self) -> ChartWords:
        """The words on the picture."""
        query = self._query
        series = self.label(query.series) if query.series else ""
        return ChartWords(
            title=self.title,
            x=self.label(query.x),
            series=series,
            empty=gettext("(no value)"),
            other=self._other,
            language=current(),
        )

    @property
    def _other(self) -> str:
        others = self._chart.data.others if self._query.with_other else 0
        if not others:
            return str(gettext("Other"))
        return str(gettext("Other (%(count)s)", count=number(others)))

    @property
    def title(self) -> str:
        """The reader's own title, else what is measured, by what."""
        return self.own_title or self.usual_title

    @property
    def usual_title(self) -> str:
        """What is measured, by what."""
        if self.query is None:
            return ""
        query = self._query
        x = self.label(query.x)
        if query.kind is Kind.SCATTER:
            return str(gettext("%(y)s and %(x)s", y=self.label(query.y), x=x))
        return str(gettext("%(measure)s by %(x)s", measure=self.measure, x=x))

    @property
    def measure(self) -> str:
        """The calculation in words."""
        query = self._query
        if query.kind is Kind.SCATTER:
            return self.label(query.y)
        if not query.y:
            return str(AGGREGATES["count"])
        calculation = str(AGGREGATES[query.aggregate])
        return str(
            gettext(
                "%(calculation)s of %(column)s", calculation=calculation, column=self.label(query.y)
            )
        )

    @property
    def alternative(self) -> str:
        """What the picture shows, for those who do not see it."""
        points = [p for p in self._chart.data.points if p.x != OTHER]
        if not points:
            return str(gettext("%(title)s: nothing to show", title=self.title))
        least = min(points, key=lambda point: point.value)
        greatest = max(points, key=lambda point: point.value)
        return str(
            gettext(
                "%(title)s. %(count)s points; least %(least)s (%(at_least)s), greatest %(greatest)s (%(at_most)s).",
                title=self.title,
                count=number(len(points)),
                least=_shown(least.value),
                at_least=" ".join(filter(None, (self._place(least.x), least.series))),
                greatest=_shown(greatest.value),
                at_most=" ".join(filter(None, (self._place(greatest.x), greatest.series))),
            )
        )

    @property
    def remarks(self) -> list[str]:
        """What the picture leaves out or folds, one sentence each."""
        data = self._chart.data
        unit_words = {
            "hour": gettext("Values are put together by hour."),
            "day": gettext("Values are put together by day."),
            "week": gettext("Values are put together by week, which begins on Monday."),
            "month": gettext("Values are put together by month."),
            "quarter": gettext("Values are put together by quarter."),
            "year": gettext("Values are put together by year."),
        }
        remarks = [unit_words.get(data.unit, "")]
        if data.step:
            step = number_text(data.step)
            remarks.append(gettext("Numbers are put together in steps of %(step)s.", step=step))
        if data.points and not starts_at_zero(self._query, data):
            remarks.append(gettext("The axis of values does not start at zero."))
        if data.others:
            remarks.append(
                ngettext(
                    "“Other” is calculated over all rows of %(count)s group that is not shown by itself.",
                    "“Other” is calculated over all rows of the %(count)s groups that are not shown by themselves.",
                    data.others,
                    count=number(data.others),
                )
            )
        if data.categories_left_out:
            remarks.append(
                ngettext(
                    "%(count)s other group is not shown.",
                    "%(count)s other groups are not shown.",
                    data.categories_left_out,
                    count=number(data.categories_left_out),
                )
            )
        if data.series_left_out:
            remarks.append(
                ngettext(
                    "%(count)s other series is not shown.",
                    "%(count)s other series are not shown.",
                    data.series_left_out,
                    count=number(data.series_left_out),
                )
            )
        if data.rows_of:
            remarks.append(
                gettext(
                    "A sample: %(sample)s rows drawn at random from the %(count)s that have both values.",
                    sample=number(data.sample),
                    count=number(data.rows_of),
                )
            )
        if data.cut:
            remarks.append(gettext("There are too many groups; only the first ones are shown."))
        return [remark for remark in remarks if remark]

    @property
    def points(self) -> Iterator[tuple[str, str, str]]:
        """The first points as text: place, series, value; of a pie also the share."""
        points = self._chart.data.points
        pie = self._query.kind is Kind.PIE
        total = sum(point.value for point in points) if pie else 0.0
        for point in points[:LISTED]:
            part = f" ({share(point.value, total)})" if pie else ""
            yield self._place(point.x), point.series, f"{_shown(point.value)}{part}"

    @property
    def count(self) -> int:
        """Number of all points."""
        return len(self._chart.data.points)

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The chart's own parameters."""
        if self.query is None:
            return []
        title = [("title", self.own_title)] if self.own_title else []
        return [*chart_pairs(self.query), *title]

    def picture(self, format_: str, size: str = "wide") -> str:
        """The address of the picture; it names the release, so that it may be kept."""
        extra = [*self.pairs, ("release", str(self.page.release))]
        if size != "wide":
            extra.append(("size", size))
        return self.page.at.part(f"chart.{format_}", extra)

    @property
    def csv_address(self) -> str:
        """The address of the points as CSV."""
        return self.page.at.part("chart.csv", self.pairs)

    def draw(self, format_: str) -> Response:
        """The picture."""
        content = charts.picture(
            g.identity,
            self.page.table.id,
            self._query,
            self.words,
            format_,
            where=self.page.conditions.where,
            size=request.args.get("size", "wide"),
            as_of=self.page.as_of,
        )
        response = Response(content, mimetype=MEDIA[format_])
        response.headers["Content-Security-Policy"] = POLICY
        return kept_for_a_while(response, self.page)

    def csv(self) -> Response:
        """All points, for a spreadsheet."""
        out = io.StringIO()
        out.write("\ufeff")
        writer = csv.writer(out)
        series = [self.words.series] if self._query.series else []
        writer.writerow([_plain(cell) for cell in (self.words.x, *series, self.measure)])
        for point in self._chart.data.points:
            place = self._place(point.x)
            cells = [place if self._chart.type in NUMERIC | TEMPORAL else _plain(place)]
            if series:
                cells.append(point.series if self._numbered else _plain(point.series))
            writer.writerow([*cells, number_text(point.value)])
        response = Response(out.getvalue(), mimetype="text/csv")
        response.headers["Content-Disposition"] = 'attachment; filename="chart.csv"'
        return kept_for_a_while(response, self.page)

    @property
    def _numbered(self) -> bool:
        """Whether the colours stand for numbers."""
        series = self._query.series
        return any(h.name == series and h.type in NUMERIC for h in self.page.headings)

    def _place(self, x: str | float | None) -> str:
        if x is None:
            return str(gettext("(no value)"))
        if x == OTHER:
            return self._other
        if isinstance(x, str):
            return _moment(x, self._chart.data.unit) if self._chart.type in TEMPORAL else x
        if self._chart.data.step:
            end = float(f"{x + self._chart.data.step:.12g}")
            return f"{number_text(x)} – < {number_text(end)}"
        return number_text(x)

    @property
    def _query(self) -> ChartQuery:
        if self.query is None:
            raise self.problem or BadQuery("this table has no columns to draw")
        return self.query

    @cached_property
    def _chart(self) -> Chart:
        where = self.page.conditions.where
        page = self.page
        return charts.show(g.identity, page.table.id, self._query, where=where, as_of=page.as_of)


def _moment(x: str, unit: str) -> str:
    """A moment, or the beginning of a unit of time, as people write it."""
    if unit == "quarter":
        return f"{x[:4]} Q{(int(x[5:7]) + 2) // 3}"
    return x.replace("T", " ")


def _plain(cell: str) -> str:
    return f"'{cell}" if cell.startswith(FORMULA) else cell


def _shown(value: float) -> str:
    rounded = float(f"{value:.6g}")
    return number(int(rounded) if rounded == int(rounded) else rounded)


def kept_for_a_while(response: Response, page: TablePage) -> Response:
    """Browsers may keep a picture of a release for a while; what is not open, no cache in between."""
    shared = "public" if page.dataset.access == "open" else "private"
    response.headers["Cache-Control"] = f"{shared}, max-age=300"
    response.add_etag()
    response.make_conditional(request)
    return response
