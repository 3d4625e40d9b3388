"""The quality of a dataset's description and files, as points from 0 to 100.

A simple score that a publisher can check by hand (docs/reference/search.md has the table):

- completeness, 40: description 10 (5 below 50 characters), tags 5, theme 5, licence 5, contact 5,
  place 5, period 5;
- freshness, 20: updated within its promised time (half of it within twice the time); 10 where nothing
  is promised;
- openness, 20: open 10 (on application 5) and an open licence 10;
- machine readability, 20: a table that can be queried 20, a file of rows or an interface 15, a
  workbook 10, any other file 5.
"""

from __future__ import annotations

from datetime import UTC, datetime

from catalog.models.dataset import Dataset
from catalog.models.license import LICENSES
from catalog.models.vocabulary import FREQUENCY_DAYS, Access

LEVELS = {"high": 75, "good": 55, "fair": 35, "low": 0}
"""The least points of each level, best first."""
ROWS_FORMATS = frozenset(
    ["CSV", "TSV", "JSON", "JSONL", "GEOJSON", "XML", "RDF", "TTL", "PARQUET", "API", "SHP", "GPKG"]
)
WORKBOOK_FORMATS = frozenset(["XLSX", "XLS", "ODS"])
LONG_ENOUGH = 50
"""Characters of a description that says something."""


def score_of(dataset: Dataset, changed: datetime | None, today: datetime | None = None) -> int:
    """The points of a dataset whose resources, tables and themes are loaded."""
    moment = today or datetime.now(UTC)
    return (
        _completeness(dataset)
        + _freshness(dataset, changed, moment)
        + _openness(dataset)
        + _readability(dataset)
    )


def level_of(score: float) -> str:
    """The level of so many points: `high`, `good`, `fair` or `low`."""
    return next(level for level, least in LEVELS.items() if score >= least)


def _completeness(dataset: Dataset) -> int:
    longest = max(map(len, dataset.description.values()), default=0)
    described = 10 if longest >= LONG_ENOUGH else 5 if longest else 0
    stated = (
        bool(dataset.tags),
        bool(dataset.themes),
        dataset.license_id != "notspecified",
        bool(dataset.contact),
        bool(dataset.spatial or dataset.spatial_code or dataset.spatial_box),
        bool(dataset.temporal_start or dataset.temporal_end),
    )
    return described + 5 * sum(stated)


def _freshness(dataset: Dataset, changed: datetime | None, today: datetime) -> int:
    promised = FREQUENCY_DAYS.get(dataset.frequency)
    if promised is None:
        return 10
    if changed is None:
        return 0
    age = (today - changed).days
    return 20 if age <= promised else 10 if age <= 2 * promised else 0


def _openness(dataset: Dataset) -> int:
    access = {Access.OPEN: 10, Access.ON_APPLICATION: 5}.get(dataset.access, 0)
    license_ = LICENSES.get(dataset.license_id)
    return access + (10 if license_ is not None and license_.is_open else 0)


def _readability(dataset: Dataset) -> int:
    if any(resource.tables for resource in dataset.resources):
        return 20
    formats = {resource.format for resource in dataset.resources}
    if formats & ROWS_FORMATS:
        return 15
    return 10 if formats & WORKBOOK_FORMATS else 5 if formats else 0
