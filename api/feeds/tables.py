"""The tables of a dataset as files whose bytes never change: what packages and recipes for machines refer to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from api.feeds.answers import base
from catalog.errors import Denied, NotFound, Unavailable
from catalog.permissions import ANYONE
from catalog.services import catalogue, release_files
from catalog.services.release_keeping import SMALL_ROWS

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset, Resource
    from catalog.models.table import DataTable
    from catalog.services.release_files import ReleaseFormat

MOST_TABLES = 100
MOST_MADE = 10
"""Files that one call waits for; the worker makes those of small tables soon after a release."""


@dataclass(frozen=True)
class Published:
    """A table as the public sees it, and its newest release as CSV."""

    name: str
    """Differs from those of the other tables of the dataset, and stays."""
    table: DataTable
    resource: Resource
    file: ReleaseFormat

    @property
    def address(self) -> str:
        """Where the release is downloaded, the same bytes for ever."""
        number = self.file.release.number
        return f"{base()}/api/v1/tables/{self.table.id}/releases/{number}/download.csv"


def published(dataset: Dataset) -> list[Published]:
    """The tables that the public may read, in order; raises NotFound where there is none."""
    found: list[Published] = []
    if catalogue.is_readable(ANYONE, dataset):
        made = 0
        for resource in dataset.resources:
            for table in resource.tables:
                if table.release and len(found) < MOST_TABLES:
                    file, is_new = _file(table, may_make=made < MOST_MADE)
                    made += is_new
                    if file is not None:
                        name = f"table-{len(found) + 1}-{table.id[:8]}"
                        found.append(Published(name, file.table, resource, file))
    if not found:
        raise NotFound("this dataset has no table that the public may read")
    return found


def _file(table: DataTable, *, may_make: bool) -> tuple[ReleaseFormat | None, bool]:
    """The newest release as CSV, and whether this call has it made; a large one is not waited for."""
    try:
        file = release_files.find(ANYONE, table.id, None, "csv")
        if file.made is not None:
            return file, False
        if not may_make:
            return file, False
        if table.rows > SMALL_ROWS:
            release_files.begin(file)
            return file, True
        return release_files.made(file), True
    except (Unavailable, Denied):  # it is being loaded, or its dataset was closed just now
        return None, False
