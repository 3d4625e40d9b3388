"""A folder on this machine."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

from catalog.errors import NotFound
from harvesters.folders import version_of
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.places.place import Entry


@contextmanager
def opened(source: Source, http: Http) -> Iterator[LocalFolder]:
    """The folder, if harvests may read it."""
    folder = http.folders.place(source.url)
    if not folder.is_dir():
        raise NotFound("%(path)s is no folder", path=source.url)
    yield LocalFolder(http, folder)


class LocalFolder:
    """Files are known by their content, and read where they lie."""

    def __init__(self, http: Http, folder: Path) -> None:
        self._http, self._folder = http, folder

    def entries(self) -> Iterator[Entry]:
        """The files."""
        for name in self._http.folders.names(self._folder):
            yield Entry(name)

    def known(self, entry: Entry) -> Entry:
        """The file with its size, moment of change and hash."""
        path = self._http.folders.below(self._folder, entry.name)
        about = path.stat()
        modified = datetime.fromtimestamp(int(about.st_mtime), UTC).isoformat()
        return Entry(entry.name, about.st_size, modified, version_of(path))

    def fetch(self, name: str, into: Path) -> Path:  # noqa: ARG002 # the port's signature
        """The file where it lies."""
        return self._http.folders.below(self._folder, name)
