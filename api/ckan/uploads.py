"""Files that come with a call: kept before what refers to them is written, forgotten if that fails."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

from werkzeug.datastructures import FileStorage

from api.ckan import formats
from catalog.services import uploads

FIELD = "upload"


class Files:
    """The files of a call, in the order of their resources."""

    def __init__(self, resources: Any) -> None:
        listed = resources if isinstance(resources, list) else ()
        self._resources = [one for one in listed if isinstance(one, dict)]
        self.keys: list[str] = []
        self._taken: list[tuple[dict[str, Any], FileStorage]] = []

    def store(self) -> None:
        """Keep each file and say of its resource what CKAN says of one with a file."""
        for one in self._resources:
            file = one.get(FIELD)
            if isinstance(file, FileStorage) and file.filename:
                self._store(one, file)
            elif one.get("clear_upload") and one.get("url_type") == FIELD:
                one["url_type"] = ""

    def keep(self, dataset_id: str) -> None:
        """What was written refers to the files: load them as tables."""
        if self.keys:
            uploads.load_new(dataset_id, self.keys)

    def forget(self) -> None:
        """Remove what was kept, and have the resources as they came: the call may begin again."""
        uploads.forget(self.keys)
        for resource, file in self._taken:
            file.stream.seek(0)
            resource[FIELD] = file

    def _store(self, resource: dict[str, Any], file: FileStorage) -> None:
        name = uploads.file_name(str(file.filename))
        kept = uploads.keep(name, file.stream)
        self._taken.append((resource, file))
        self.keys.append(kept.key)
        resource[FIELD] = kept
        moment = datetime.now(UTC).replace(tzinfo=None).isoformat(timespec="microseconds")
        resource |= {"url": name, "url_type": FIELD, "size": kept.size, "last_modified": moment}
        if not resource.get("mimetype"):
            resource["mimetype"] = formats.guessed_type(name)


@contextmanager
def of(resources: Any) -> Iterator[Files]:
    """The files among these resources; they are forgotten where the block fails."""
    files = Files(resources)
    try:
        yield files
    except BaseException:
        files.forget()
        raise
