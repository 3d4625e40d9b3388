"""The query builder: a form without scripts, the call of the API that it amounts to, and what comes back."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import g, request
from markupsafe import Markup

from catalog.errors import CatalogError
from catalog.schemas.condition import condition_json
from catalog.schemas.query_form import (
    DOWNLOADS,
    FORMATS,
    GREATEST_LIMIT,
    MOST_GROUPINGS,
    MOST_HAVING,
    MOST_LINES,
    MOST_MEASURES,
    MOST_ORDERS,
    Conditions,
    form_pairs,
    read_form,
    says_nothing,
)
from catalog.services import tables
from catalog.tabular.filters import all_of
from catalog.tabular.sql import result_columns
from catalog.tabular.where_text import (
    measures_text,
    names_text,
    order_text,
    short_where_text,
    where_text,
)
from portal.site import Site
from portal.table_page.cells import body
from portal.table_page.examples import Call, Example, example_condition, examples
from portal.table_page.page import in_words
from portal.table_page.query_reach import Reach, join_json
from portal.table_page.words import AGGREGATES, COMPARISONS, FORMAT_WORDS

if TYPE_CHECKING:
    from catalog.services.tables import RowPage
    from catalog.tabular.column import Column
    from catalog.tabular.query import Condition, TableQuery
    from portal.table_page.page import TablePage

PREVIEWED = 10
"""Rows or groups that are shown of the answer."""
LEAST_LINES = (2, 1)


class QueryBuilder:
    """What the form of the page asks for, for this table."""

    comparisons = COMPARISONS
    aggregates = AGGREGATES
    formats = FORMAT_WORDS
    greatest_limit = GREATEST_LIMIT
    downloads = DOWNLOADS

    def __init__(self, page: TablePage) -> None:
        self.page = page
        asked = request.args.to_dict(flat=False)
        self.form = read_form(asked)
        self.unused = says_nothing(asked)
        self.address = f"{Site().origin()}/api/v1/tables/{page.table.id}"

    @cached_property
    def reach(self) -> Reach:
        """The release and the tables that are asked."""
        return Reach(self.page, self.form)

    @cached_property
    def _asked(self) -> tuple[Condition | None, tuple[CatalogError, ...]]:
        found, wrong = self.form.where(self.reach.columns)
        chosen = self.page.conditions.where
        return all_of([part for part in (chosen, found) if part is not None]), wrong

    @property
    def example(self) -> str:
        """The address of a form that finds something; empty where one is filled in."""
        columns = self.page.columns
        open_ = [c for c in self.page.table.columns if c.name in columns]
        found = example_condition([c for c in open_ if not columns[c.name].masked])
        if not self.unused or found is None or self.page.grid.filters or self.page.grid.words:
            return ""
        return self.page.at.part(
            "", [("view", "api"), *zip(("ac", "ao", "av"), found, strict=True)]
        )

    @property
    def mistakes(self) -> dict[str, list[str]]:
        """What is wrong with the question, as sentences by field."""
        wrong = self.reach.mistakes
        conditions = [*self._asked[1], *self._having[1]]
        conditions += [self._refusal] if self._refusal else []
        return wrong | ({"build-a1c": list(map(in_words, conditions))} if conditions else {})

    @property
    def where(self) -> str:
        """The conditions as the API takes them."""
        condition = self._asked[0]
        columns = tuple(self.reach.columns.values())
        return short_where_text(condition, columns) if condition else ""

    @cached_property
    def query(self) -> TableQuery:
        """What is asked."""
        return replace(self._plain, having=self._having[0])

    @cached_property
    def _plain(self) -> TableQuery:
        asked = self.form.query(self.reach.columns, self._asked[0])
        return replace(asked, join=self.reach.join)

    @cached_property
    def _results(self) -> dict[str, Column]:
        """The columns of the groups."""
        columns = tuple(self.reach.columns.values())
        try:
            return {column.name: column for column in result_columns(self._plain, columns)}
        except CatalogError:
            return {}  # the preview says why

    @cached_property
    def _having(self) -> tuple[Condition | None, tuple[CatalogError, ...]]:
        if not self.form.groups:
            return None, ()
        return self.form.groups_kept(self._results)

    @property
    def format(self) -> str:
        """The format of the answer."""
        return FORMATS[0] if self.no_files and self.form.format in DOWNLOADS else self.form.format

    @property
    def no_files(self) -> bool:
        """Whether the answer comes as JSON only, as groups and rows of two tables do."""
        return self.form.groups or self.form.other is not None

    @cached_property
    def call(self) -> Call:
        """The call of the API."""
        query, form = self.query, self.form
        if query.join:
            sent = self._said | ({"format": "arrays"} if self.format == "arrays" else {})
            return Call(f"{self.address}/query", (), paged=not form.groups, body=sent)
        file = self.format in DOWNLOADS
        texts = {
            "select": names_text(query.select),
            "group_by": names_text(query.group_by),
            "measures": measures_text(query.measures),
            "where": self.where,
            "having": where_text(query.having) if query.having else "",
            "order_by": order_text(query.order_by),
            "limit": "" if file else str(query.limit),
            "format": self.format if self.format == "arrays" else "",
            "as_of": self.reach.as_of,
        }
        parameters = tuple((name, text) for name, text in texts.items() if text)
        if form.groups:
            return Call(f"{self.address}/group", parameters)
        if file:
            name = f"{self.page.table.key or 'table'}.{self.format}"
            return Call(f"{self.address}/download.{self.format}", parameters, file=name)
        return Call(f"{self.address}/rows", parameters, paged=True)

    @property
    def body(self) -> str:
        """The same as JSON, for `POST /query`."""
        return json.dumps(self.call.body or self._said, ensure_ascii=False, indent=2)

    @property
    def _said(self) -> dict[str, Any]:
        query = self.query
        parts: dict[str, Any] = {
            "join": join_json(query.join) if query.join else None,
            "as_of": self.reach.as_of,
            "select": list(query.select),
            "where": condition_json(query.where) if query.where else None,
            "group_by": list(query.group_by),
            "measures": [measures_text([measure]) for measure in query.measures],
            "having": condition_json(query.having) if query.having else None,
            "order_by": [order_text([order]) for order in query.order_by],
        }
        asked = {name: part for name, part in parts.items() if part}
        return {**asked, "limit": query.limit}

    @property
    def examples(self) -> list[Example]:
        """The call in the languages of programs."""
        return examples(self.call)

    @cached_property
    def _preview(self) -> tuple[RowPage | None, CatalogError | None]:
        if not self.page.loaded or self.reach.mistakes:
            return None, None
        as_of, counted = self.reach.as_of or None, not self.form.groups
        try:
            few = _few(self.query)
            found = tables.ask(g.identity, self.page.table.id, few, total=counted, as_of=as_of)
        except CatalogError as error:
            return None, error
        return found, None

    @property
    def _refusal(self) -> CatalogError | None:
        return self._preview[1]

    @property
    def headings(self) -> list[tuple[str, bool]]:
        """Names of the answer's columns, and whether they are numbers."""
        found = self._preview[0]
        return [(c.name, c.type in ("integer", "number")) for c in found.columns] if found else []

    @property
    def preview(self) -> Markup:
        """The first rows of the answer as HTML; empty when there are none."""
        found = self._preview[0]
        if found is None or not found.data.num_rows:
            return Markup()
        types = ["string" if c.masked else str(c.type) for c in found.columns]
        whole = f"/api/v1/tables/{self.page.table.id}/rows?{self.reach.whole}offset=OFFSET"
        return body(found.data, types, offset=0, marked=0, whole=whole)

    @property
    def total(self) -> int | None:
        """Number of rows that satisfy the conditions; None for groups."""
        return self._preview[0].total if self._preview[0] else None

    @property
    def kept(self) -> list[tuple[str, str]]:
        """What the form carries along."""
        return self.page.at.kept("as_of")

    @property
    def pairs(self) -> list[tuple[str, str]]:
        """The parameters of the form."""
        return form_pairs(self.form)

    @property
    def groups_of_lines(self) -> list[tuple[str, Conditions, list[Any]]]:
        """The two groups of conditions: letter, what is set, and the lines of the form, one of them empty."""
        pairs = (("a", self.form.first), ("b", self.form.second))
        return [
            (letter, conditions, _padded(conditions.lines, least, MOST_LINES))
            for (letter, conditions), least in zip(pairs, LEAST_LINES, strict=True)
        ]

    @property
    def groupings(self) -> list[str]:
        """Columns to group by, and one empty choice."""
        return [name or "" for name in _padded(self.form.group_by, 1, MOST_GROUPINGS)]

    @property
    def measures(self) -> list[tuple[str, str]]:
        """Calculations and their columns, and one empty choice."""
        lines = _padded(self.form.measures, 1, MOST_MEASURES)
        return [(line[0].value, line[1]) if line else ("", "") for line in lines]

    @property
    def having(self) -> list[Any]:
        """What groups must satisfy, and one empty line."""
        return _padded(self.form.having, 1, MOST_HAVING)

    @property
    def orders(self) -> list[tuple[str, bool]]:
        """Names to sort by and whether they fall, and one empty choice."""
        lines = _padded(self.form.orders, 1, MOST_ORDERS)
        return [(line.column, line.descending) if line else ("", False) for line in lines]

    @property
    def order_choices(self) -> list[tuple[str, str]]:
        """What the answer can be sorted by: names and labels."""
        if self.form.groups:
            labels = {h.name: h.called for h in self.reach.headings}
            names = [*self.query.group_by, *(m.name for m in self.query.measures)]
            return [(name, labels.get(name, name)) for name in names]
        return [(h.name, h.called) for h in self.reach.headings if h.sortable]


def _padded(lines: Sequence[Any], least: int, most: int) -> list[Any]:
    wanted = min(most, max(least, len(lines) + 1))
    return [*lines, *[None] * (wanted - len(lines))]


def _few(query: TableQuery) -> TableQuery:
    return replace(query, limit=min(PREVIEWED, query.limit))
