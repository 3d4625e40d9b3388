"""Registering many datasets at once by a workbook, and giving a department's catalogue out as one."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sqlalchemy import func, select

from catalog.db import db, transaction
from catalog.errors import N_, CatalogError, Conflict, Invalid
from catalog.models.dataset import Dataset
from catalog.models.group import Group
from catalog.models.organization import Organization
from catalog.models.series import DatasetSeries
from catalog.models.vocabulary import State
from catalog.permissions import Action, Identity, require
from catalog.schemas.dataset import dataset_draft
from catalog.schemas.dataset_fields import (
    RESOURCE_FIELDS,
    Content,
    Field,
    content_after,
    field_of,
    problems_at,
    values_of,
)
from catalog.schemas.drafts import DatasetDraft
from catalog.services import (
    bulk_workbook,
    completeness,
    dataset_content,
    datasets,
    organizations,
    publishing,
    revisions,
)
from catalog.services.bulk_workbook import (
    DATASETS,
    KEY,
    MOST_ROWS,
    OF_DATASET,
    RESOURCES,
    Read,
    Row,
)
from catalog.services.indexing import whole

NO_CHOICE = N_("“%(value)s” cannot be chosen here. There is: %(known)s")
SEPARATORS = re.compile("[;；\n]")
MOST_OFFERED = 30
"""Choices that a wrong cell is told of."""


@dataclass(frozen=True)
class WrongCell:
    """A cell that cannot be used: where it is, and why."""

    sheet: str
    row: int
    column: str
    """Letter of the column; empty where the whole line is meant."""
    label: str
    message: str
    context: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Report:
    """What became of the lines of a workbook."""

    new: int = 0
    changed: int = 0
    same: int = 0
    wrong: tuple[WrongCell, ...] = ()
    kept: bool = True
    """Whether anything was kept: nothing is where a cell is wrong, unless only the right lines were asked for."""


@dataclass(frozen=True)
class _Line:
    """A line that is to become a draft."""

    row: Row
    content: Content
    dataset: Dataset | None
    resource_rows: tuple[int, ...]
    wrong: bool = False
    """Whether a cell of it was named already."""


class _Nothing(Exception):
    """Rolls everything back."""


def template(who: Identity, organization_slug: str) -> bytes:
    """The empty template of an organization, with its own fields."""
    organization = _own(who, organization_slug)
    return bulk_workbook.write(_fields(organization), ())


def export(who: Identity, organization_slug: str, *, part: int = 1) -> bytes:
    """The catalogue of an organization in the template, MOST_ROWS datasets in a part; harvested ones are not in it."""
    organization = _own(who, organization_slug)
    page = _listed(organization).limit(MOST_ROWS).offset((max(1, part) - 1) * MOST_ROWS)
    found = db.session.scalars(page.options(*whole()).execution_options(populate_existing=True))
    fields = _fields(organization)
    return bulk_workbook.write(fields, (_values(dataset, fields) for dataset in found))


def parts(who: Identity, organization_slug: str) -> int:
    """How many parts the export of an organization has."""
    listed = _listed(_own(who, organization_slug)).order_by(None)
    total = db.session.scalar(select(func.count()).select_from(listed.subquery())) or 0
    return max(1, -(-int(total) // MOST_ROWS))


def load(who: Identity, organization_slug: str, body: bytes, *, only_right: bool = False) -> Report:
    """Make drafts of the lines of a workbook; with `only_right` those without a wrong cell only.

    Raises TooLarge and Unreadable for what is no such workbook.
    """
    organization = _own(who, organization_slug)
    fields = _fields(organization)
    read = bulk_workbook.read(body, fields)
    loading = _Loading(organization, fields, read)
    report = Report()
    try:
        with transaction():
            loading.hold()
            for line in loading.lines():
                report = loading.kept(who, line, report)
            if loading.wrong and not only_right:
                raise _Nothing
    except _Nothing:
        return Report(wrong=tuple(loading.wrong), kept=False)
    return replace(report, wrong=tuple(loading.wrong))


class _Loading:
    """One workbook on its way into drafts; `wrong` collects what cannot be used."""

    def __init__(self, organization: Organization, fields: Sequence[Field], read: Read) -> None:
        self.organization, self.fields, self.read = organization, fields, read
        self.labels = {one.name: one.label for one in (*fields, OF_DATASET, KEY)}
        self.wrong: list[WrongCell] = [
            WrongCell(sheet, 1, column, words, N_("This heading is no field of the template."))
            for sheet, column, words in read.unknown
        ]
        self.files = self._files()
        self.themes = {
            name.casefold(): slug
            for slug, title in db.session.execute(_themes())
            for name in (slug, *(title or {}).values())
        }

    def hold(self) -> None:
        """Let nobody else change the datasets meanwhile: asked for one by one, two such files could wait for each other."""
        slugs = [row.cells.get("slug", "") for row in self.read.datasets]
        named = select(Dataset.id).where(Dataset.slug.in_(slugs)).order_by(Dataset.id)
        db.session.execute(named.with_for_update()).all()

    def lines(self) -> Iterator[_Line]:
        """The lines with the content that they describe."""
        seen: set[str] = set()
        for row in self.read.datasets:
            slug = row.cells.get("slug", "")
            if slug and slug in seen:
                self._cell(
                    DATASETS, row.number, "slug", N_("This name stands on another line too.")
                )
                continue
            seen.add(slug)
            dataset = self._known(slug)
            base = dataset_content.described(dataset) if dataset else {"resources": []}
            yield self._line(row, dataset, base)

    def kept(self, who: Identity, line: _Line, report: Report) -> Report:
        """The report with this line in it: a draft was made, nothing is new, or a cell is wrong."""
        try:
            if line.dataset is not None:
                require(who, Action.DATASET_WRITE, line.dataset)
            draft = dataset_draft(line.content)
            fields = datasets.organization_named(draft.organization).fields
            draft = dataset_content.fitted(draft, fields)  # a cell that is missing is named here
            _require_reason(draft)
            if line.wrong:
                return report
            if line.dataset is not None and completeness.is_same(line.dataset, draft):
                return replace(report, same=report.same + 1)
            if line.dataset is not None:
                _leave_to_others(who, line.dataset)
            with db.session.begin_nested():  # one line may fail without the others
                publishing.propose(who, draft, dataset_id=line.dataset.id if line.dataset else "")
        except Invalid as error:
            self._problems(line, error)
            return report
        except CatalogError as error:
            self._cell(DATASETS, line.row.number, "", error.message, **error.context)
            return report
        if line.dataset is None:
            return replace(report, new=report.new + 1)
        return replace(report, changed=report.changed + 1)

    def _line(self, row: Row, dataset: Dataset | None, base: Content) -> _Line:
        given, before = dict(row.cells), len(self.wrong)
        for one in self.fields:
            if one.name in given and (one.choices or one.kind == "choice"):
                given[one.name] = self._chosen(row, one, given[one.name])
        if given.get("themes"):
            given["themes"] = self._themes_named(row, given["themes"])
        wrong = len(self.wrong) > before
        content = content_after(base, given, self.fields)
        content.setdefault("organization", self.organization.slug)
        content["private"] = (
            bool(given["private"]) if "private" in given else content.get("private", False)
        )
        if dataset is not None:
            content["slug"] = dataset.slug
        files = [
            *self.files.get(str(row.number), ()),
            *self.files.get(row.cells.get("slug", "") or "-", ()),
        ]
        if files:
            known = {str(one["key"]): one for one in base["resources"]}
            content["resources"] = [_resource(one, known) for one in files]
        return _Line(row, content, dataset, tuple(one.number for one in files), wrong)

    def _chosen(self, row: Row, field: Field, text: str) -> str:
        """The value that a cell means; nothing for one that is named as wrong."""
        value = bulk_workbook.chosen(field, text)
        if not value or any(value == known for known, _, _ in field.choices):
            return value
        offered = [f"{zh} {en}" if zh != en else zh for _, zh, en in field.choices[:MOST_OFFERED]]
        self._cell(
            DATASETS,
            row.number,
            field.name,
            NO_CHOICE,
            value=text[:100],
            known="；".join(offered) or "–",
        )
        return ""

    def _themes_named(self, row: Row, text: str) -> str:
        """The themes of a cell by their names in addresses, whatever name they were given by."""
        slugs = []
        for name in filter(None, (part.strip() for part in SEPARATORS.split(text))):
            slug = self.themes.get(name.casefold())
            if slug is None:
                self._cell(
                    DATASETS,
                    row.number,
                    "themes",
                    N_("there is no theme “%(slug)s”"),
                    slug=name[:100],
                )
            else:
                slugs.append(slug)
        return "\n".join(slugs)

    def _files(self) -> dict[str, list[Row]]:
        """Lines of files by what they say of their dataset: its name in addresses, or the number of its line."""
        slugs = {row.cells.get("slug", "") for row in self.read.datasets}
        numbers = {str(row.number) for row in self.read.datasets}
        files: dict[str, list[Row]] = defaultdict(list)
        for row in self.read.resources:
            of = row.cells.get(OF_DATASET.name, "")
            if not of or of not in slugs | numbers:
                self._cell(
                    RESOURCES,
                    row.number,
                    OF_DATASET.name,
                    N_("No line of the datasets has this name or number."),
                )
            files[of].append(row)
        return files

    def _known(self, slug: str) -> Dataset | None:
        if not slug:
            return None
        named = select(Dataset).where(Dataset.slug == slug).options(*whole())
        return db.session.scalars(named.execution_options(populate_existing=True)).first()

    def _problems(self, line: _Line, error: Invalid) -> None:
        found = list(problems_at(error.problems)) or [((), error.message)]
        for path, message in found:
            if path[:1] == ("resources",) and len(path) > 1 and path[1].isdecimal():
                at = int(path[1])
                number = line.resource_rows[at] if at < len(line.resource_rows) else line.row.number
                name = field_of(path).removeprefix(f"resource_{at}_")
                self._cell(RESOURCES, number, name, message)
            else:
                self._cell(DATASETS, line.row.number, field_of(path), message)

    def _cell(self, sheet: str, row: int, name: str, message: str, /, **context: Any) -> None:
        label = self.labels.get(name) or next(
            (f.label for f in RESOURCE_FIELDS if f.name == name), None
        )
        words = f"{label.zh} {label.en}" if label else ""
        column = self.read.columns.get((sheet, name), "")
        self.wrong.append(WrongCell(sheet, row, column, words, message, context))


def _resource(row: Row, known: Mapping[str, Content]) -> Content:
    key = row.cells.get(KEY.name) or row.cells.get("url") or f"line-{row.number}"
    return content_after(known.get(key, {"key": key}), row.cells, RESOURCE_FIELDS)


def _require_reason(draft: DatasetDraft) -> None:
    """Raise Invalid for what is not open without a reason: a form may be filled later, a workbook is whole."""
    problems = completeness.without_reason(draft.access, draft.access_reason)
    if problems:
        raise Invalid("this dataset is not complete yet", problems=problems)


def _leave_to_others(who: Identity, dataset: Dataset) -> None:
    """Raise Conflict where somebody else has begun a change of what is public: the line knows nothing of that."""
    begun = revisions.open_proposal(dataset.id) if dataset.state != State.DRAFT else None
    if begun is not None and begun.made_by != who.account_id:
        raise Conflict("%(name)s has begun a change to this dataset", name=begun.made_by_name)


def _values(
    dataset: Dataset, fields: Sequence[Field]
) -> tuple[dict[str, str], list[dict[str, str]]]:
    content = dataset_content.described(dataset)
    files = [
        {KEY.name: str(one["key"]), **values_of(one, RESOURCE_FIELDS)}
        for one in content["resources"]
    ]
    return values_of(content, fields), files


def _listed(organization: Organization) -> Any:
    return (
        select(Dataset)
        .where(
            Dataset.organization_id == organization.id,
            Dataset.source_id.is_(None),
            Dataset.state != State.WITHDRAWN,
        )
        .order_by(Dataset.slug)
    )


def _own(who: Identity, slug: str) -> Organization:
    organization = organizations.show(who, slug)
    require(who, Action.DATASET_WRITE, organization)
    return organization


def _fields(organization: Organization) -> tuple[Field, ...]:
    """The fields with what may be chosen here."""
    series = select(DatasetSeries.slug, DatasetSeries.title).where(
        DatasetSeries.organization_id == organization.id
    )
    choices = {
        "organization": ((organization.slug, *_both(organization.slug, organization.title)),),
        "series": tuple(
            (slug, *_both(slug, title)) for slug, title in db.session.execute(series.limit(500))
        ),
    }
    listed = "\n".join(
        f"{slug} {title.get('zh') or ''} {title.get('en') or ''}"
        for slug, title in db.session.execute(_themes())
    )
    return tuple(
        replace(one, choices=choices.get(one.name, one.choices), hint=_hint(one, listed))
        for one in bulk_workbook.fields_for(organization.fields)
    )


def _themes() -> Any:
    return select(Group.slug, Group.title).order_by(Group.position, Group.slug).limit(500)


def _hint(one: Field, themes: str) -> Any:
    return replace(one.hint, en=f"{one.hint.en}:\n{themes}") if one.name == "themes" else one.hint


def _both(slug: str, title: Mapping[str, str]) -> tuple[str, str]:
    return title.get("zh") or title.get("en") or slug, title.get("en") or title.get("zh") or slug
