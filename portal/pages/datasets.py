"""The page of a dataset."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

from flask import Blueprint, g, redirect, render_template, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from catalog.models.license import LICENSES
from catalog.models.text import pick
from catalog.permissions import ANYONE, Action, allowed
from catalog.schemas.schema_org import dataset_json
from catalog.search import Hit
from catalog.search.documents import last_change
from catalog.search.facets import FACET_BY_NAME
from catalog.services import data_services, datasets, inquiries, search, series
from catalog.services.datasets import Freshness
from catalog.tabular.extents import Extent, draw_extent
from harvesters import services as harvesting
from portal import details
from portal.dates import local
from portal.entries import Line
from portal.languages import LANGUAGES
from portal.paging import PER_PAGE, Pages, asked_page
from portal.readers import count_view
from portal.sidebar import license_title
from portal.site import inside_page, site_address, site_titles

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset
    from catalog.models.inquiry import Inquiry
    from catalog.models.service import DataService

bp = Blueprint("datasets", __name__)
OPEN_TABLES = 10
"""Tables of a resource that are shown before the fold."""
QUESTIONS = 5
"""Answered questions on the page itself; all of them have a page of their own."""


@dataclass(frozen=True)
class Page:
    """What the template shows beside the dataset itself."""

    readable: bool
    """Whether the reader may open its tables."""
    freshness: Freshness
    last: datetime | None
    """When its content last changed, if that is known."""
    today: date
    license_title: str
    license_url: str
    frequency: str
    source: harvesting.Named | None
    languages: tuple[str, ...]
    """Languages of the texts other than the reader's."""
    area: str
    box: str
    extent: Extent | None
    """A small map of where it lies."""
    details: list[Line]
    custom: list[Line]
    tag_labels: Mapping[str, Mapping[str, str]]
    """What tags are called, of those that have a name in a language."""
    series: series.Neighbours | None
    services: list[DataService]
    """Interfaces that serve it."""
    similar: tuple[Hit, ...]
    """Public datasets most like it."""
    questions: list[Inquiry]
    """The newest that were answered in public."""
    question_count: int
    edits: bool
    """Whether the reader may propose a change."""
    retires: bool
    """Whether the reader may withdraw, merge and rename it."""
    described: Markup
    """What search engines read, as JSON that may stand inside an HTML page."""
    has_rows: bool
    """Whether any table was loaded."""


@bp.get("/datasets/<slug>")
def show(slug: str) -> ResponseReturnValue:
    """The dataset; an id or an old way to write the slug leads to the slug."""
    dataset = datasets.show(g.identity, slug)
    if dataset.slug != slug:
        return redirect(url_for("datasets.show", slug=dataset.slug), 301)
    count_view(dataset.id)
    return render_template(
        "datasets/show.html", dataset=dataset, page=page_of(dataset), OPEN_TABLES=OPEN_TABLES
    )


@bp.get("/datasets/<slug>/questions")
def questions(slug: str) -> ResponseReturnValue:
    """The questions about a dataset that were answered in public."""
    dataset = datasets.show(g.identity, slug)
    if dataset.slug != slug:
        return redirect(url_for("datasets.questions", slug=dataset.slug), 301)
    number = asked_page()
    return render_template(
        "datasets/questions.html",
        dataset=dataset,
        questions=inquiries.of_dataset(dataset, limit=PER_PAGE, offset=(number - 1) * PER_PAGE),
        pages=Pages.of(inquiries.count_of_dataset(dataset), number),
    )


def page_of(dataset: Dataset) -> Page:
    """What is known about the dataset today."""
    today = local(datetime.now(UTC)).date()
    changed = last_change(dataset)
    asked = inquiries.of_dataset(dataset, limit=QUESTIONS + 1)
    license_ = LICENSES.get(dataset.license_id)
    return Page(
        readable=allowed(g.identity, Action.TABLE_READ, dataset),
        last=local(changed) if changed else None,
        freshness=datasets.freshness(dataset, today),
        today=today,
        license_title=license_title(dataset.license_id),
        license_url=license_.url if license_ else "",
        frequency=FACET_BY_NAME["frequency"].values[dataset.frequency],
        source=harvesting.named(g.identity, dataset.source_id) if dataset.source_id else None,
        languages=tuple(_languages(dataset)),
        similar=search.similar(g.identity, dataset.id),
        questions=asked[:QUESTIONS],
        question_count=inquiries.count_of_dataset(dataset)
        if len(asked) > QUESTIONS
        else len(asked),
        edits=datasets.may_edit(g.identity, dataset),
        retires=allowed(g.identity, Action.DATASET_RETIRE, dataset),
        described=inside_page(
            dataset_json(
                dataset,
                g.lang,
                site_address(),
                readable=allowed(ANYONE, Action.TABLE_READ, dataset),
                titles=site_titles(),
            )
        ),
        has_rows=any(table.release for resource in dataset.resources for table in resource.tables),
        area=details.area(dataset),
        box=details.box(dataset),
        extent=draw_extent(dataset.spatial_box, dataset.spatial_geometry),
        details=details.detail_lines(dataset),
        custom=details.custom_lines(dataset),
        tag_labels=search.labels()["tag"],
        series=series.around(g.identity, dataset),
        services=data_services.of_dataset(g.identity, dataset.id),
    )


def _languages(dataset: Dataset) -> Iterator[str]:
    """Languages that are worth offering here: those that the switch of the page does not reach."""
    chosen = {pick(dataset.title, g.lang)[1], pick(dataset.description, g.lang)[1]}
    for tag in sorted({*dataset.title, *dataset.description} - chosen):
        if tag not in LANGUAGES and (dataset.title.get(tag) or dataset.description.get(tag)):
            yield tag
