"""What a built query reaches: the release, and another table beside this one."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from flask import g
from markupsafe import Markup

from catalog.errors import CatalogError
from catalog.services import releases, tables
from catalog.tabular.query import Join, JoinKind
from portal.dates import format_date
from portal.filters import text
from portal.languages import gettext
from portal.table_page.names import with_part
from portal.table_page.page import Heading, in_words

if TYPE_CHECKING:
    from catalog.models.table import DataTable
    from catalog.schemas.query_form import QueryForm
    from catalog.services.tables import Joinable
    from catalog.tabular.column import Column
    from portal.table_page.page import TablePage

NAME = "other"
"""What the API calls the other table."""
MOST_RELEASES = 100


class Reach:
    """The release and the tables that the form of a query names."""

    def __init__(self, page: TablePage, form: QueryForm) -> None:
        self.page = page
        self.form = form

    @cached_property
    def _release(self) -> tuple[str, CatalogError | None]:
        if not self.form.as_of or not self.page.loaded:
            return "", None
        try:
            tables.columns(g.identity, self.page.table.id, None, as_of=self.form.as_of)
        except CatalogError as error:
            return "", error
        return self.form.as_of, None

    @property
    def as_of(self) -> str:
        """The release that is asked for; empty for the newest one, and for one that cannot be read."""
        return self._release[0]

    @property
    def whole(self) -> str:
        """A part of the address of one row as it is in this release."""
        return f"as_of={self.as_of}&" if self.as_of else ""

    @cached_property
    def _other(self) -> tuple[DataTable | None, CatalogError | None]:
        if self.form.other is None or not self.page.loaded:
            return None, None
        try:
            return tables.show(g.identity, self.form.other.id), None
        except CatalogError as error:
            return None, error

    @cached_property
    def pairs(self) -> list[tuple[str, str, str]]:
        """Key columns of the other table, how they are called, and the columns of this one that go with them."""
        other = self._other[0]
        if other is None or self.form.other is None:
            return []
        chosen = dict(enumerate(self.form.other.columns))
        labels = {column.name: text(column.label) for column in other.columns}
        return [
            (key, labels.get(key) or key, self._mine(chosen.get(at, ""), key))
            for at, key in enumerate(other.primary_key)
        ]

    def _mine(self, chosen: str, key: str) -> str:
        """The column that was chosen, else the one of the same name."""
        columns = self.page.columns
        name = chosen if chosen in columns else key
        return name if name in columns and not columns[name].masked else ""

    @cached_property
    def _joined(self) -> tuple[Join | None, tuple[Column, ...], CatalogError | None]:
        other, error = self._other
        if other is None or self.form.other is None:
            return None, (), error
        on = tuple((mine, key) for key, _, mine in self.pairs if mine)
        join = Join(other.id, on, self.form.other.kind, NAME)
        as_of = self.as_of or None
        try:
            return join, tables.columns(g.identity, self.page.table.id, join, as_of=as_of), None
        except CatalogError as wrong:
            return None, (), wrong

    @property
    def join(self) -> Join | None:
        """The join, if it can be made."""
        return self._joined[0]

    @property
    def mistakes(self) -> dict[str, list[str]]:
        """What is wrong with the release and with the join, as sentences by field."""
        errors = {"build-as-of": self._release[1], "build-other": self._joined[2]}
        return {field: [in_words(error)] for field, error in errors.items() if error}

    @cached_property
    def columns(self) -> Mapping[str, Column]:
        """What conditions, groups and the order may name."""
        if self.join:
            found = self._joined[1]
        elif self.as_of:
            found = tables.columns(g.identity, self.page.table.id, None, as_of=self.as_of)
        else:
            return self.page.columns
        return {column.name: column for column in found}

    @cached_property
    def headings(self) -> list[Heading]:
        """The columns as people see them; those of the other table after its title."""
        known = {heading.name: heading for heading in self.page.headings}
        labels = self._labels
        return [
            known.get(name)
            or Heading(name, labels.get(name, ""), str(column.type), "", column.masked)
            for name, column in self.columns.items()
        ]

    @property
    def _labels(self) -> dict[str, str]:
        other = self._other[0]
        if other is None:
            return {}
        title = self._title(other)
        return {
            f"{NAME}.{column.name}": f"{title}: {text(column.label) or column.name}"
            for column in other.columns
        }

    @staticmethod
    def _title(table: DataTable) -> str:
        resource = table.resource
        return text(table.title) or text(resource.title) or text(resource.dataset.title)

    def options(self, selected: str = "") -> Markup:
        """What can be grouped by and calculated, as choices of a form."""
        choice = Markup('<option value="{}">{}</option>')
        chosen = Markup('<option value="{}" selected>{}</option>')
        return Markup("").join(
            (chosen if heading.name == selected else choice).format(heading.name, heading.called)
            for heading in self.headings
            if heading.sortable
        )

    @cached_property
    def releases(self) -> list[tuple[str, str]]:
        """Releases to choose from, the newest first: what to ask for, and words."""
        listed = releases.listed(g.identity, self.page.table.id, limit=MOST_RELEASES).releases
        found = [
            (
                str(info.number),
                gettext("Release %(number)s", number=info.number)
                + f" · {format_date(info.created_at)}",
            )
            for info in listed
            if info.expired_at is None
        ]
        asked = self.form.as_of
        known = {number for number, _ in found}
        return found if not asked or asked in known else [*found, (asked, asked)]

    @cached_property
    def others(self) -> list[tuple[str, str]]:
        """Tables with a key to choose from: ids and titles."""
        found = [(one.id, _called(one)) for one in tables.joinable(g.identity, self.page.table.id)]
        asked = self.form.other.id if self.form.other else ""
        if asked and asked not in {name for name, _ in found}:
            other = self._other[0]
            found.append((asked, self._title(other) if other else asked))
        return found

    @property
    def left(self) -> bool:
        """Whether rows without a match are kept."""
        return self.form.other is not None and self.form.other.kind is JoinKind.LEFT


def join_json(join: Join) -> dict[str, Any]:
    """A join as the API takes it."""
    kind = {"kind": join.kind.value} if join.kind is not JoinKind.INNER else {}
    return {"table": join.table, "on": [list(pair) for pair in join.on], **kind}


def _called(table: Joinable) -> str:
    """The dataset, and the table where the dataset is not called so."""
    titles = [text(title) for title in table.titles]
    own = next((title for title in titles if title), table.key)
    dataset = titles[-1] or own
    return own if own == dataset else with_part(dataset, own)
