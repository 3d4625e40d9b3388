"""Serving copies on disk: which there are, which positions of the journal each can show, and whether it is whole.

    <folder>/<table>/000003.lance/            a copy that began at journal position 3
    <folder>/<table>/000003.lance/weft.json   its files with their sizes, and position → version of the dataset
    <folder>/<table>/000003.lance/weft/       numbers of the rows that each position took out of the beginning,
                                              and the rows that a large copy began with, see lance_rows
    <folder>/<table>/.writing-…/              a copy that is being made; the next writer removes it

Lance never syncs a file: everything is synced here before the listing names it.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import orjson

from catalog.tabular.lance_layout import Numbers

LISTING = "weft.json"
OURS = "weft"


@dataclass(frozen=True)
class Copy:
    """What the listing of a copy says."""

    place: Path
    versions: dict[int, int]
    """Journal position → version of the Lance dataset."""
    rows: int
    """Rows that the copy began with."""
    end: int
    """All numbers of the rows that it began with are below this one."""
    fragments: int
    """Fragments that the copy began with; those of the tail have greater ids."""
    files: dict[str, int]

    @property
    def position(self) -> int:
        """The newest position that the copy shows."""
        return max(self.versions)

    @property
    def whole(self) -> bool:
        """Whether every file is there in the length that it was written in."""
        try:
            return all(
                (self.place / name).stat().st_size == size for name, size in self.files.items()
            )
        except OSError:
            return False

    def gone(self, position: int) -> Numbers:
        """Sorted numbers below `end` that the beginning lacks at a position."""
        parts = [
            np.load(self.place / OURS / f"{at:06d}.npy")
            for at in sorted(self.versions)
            if at <= position and f"{OURS}/{at:06d}.npy" in self.files
        ]
        return np.unique(np.concatenate(parts)) if parts else np.empty(0, np.int64)

    def with_version(self, position: int, version: int, gone: Numbers) -> Copy:
        """The copy as it is once it shows another position; written down and durable when this returns."""
        _keep_gone(self.place, position, gone)
        changed = replace(self, versions={**self.versions, position: version})
        return changed.written()

    def written(self) -> Copy:
        """List all files with their sizes, durably, and take the place of the listing before."""
        files = _synced(self.place, self.files)
        about = {
            "files": files,
            "versions": {str(at): version for at, version in self.versions.items()},
            "rows": self.rows,
            "end": self.end,
            "fragments": self.fragments,
        }
        beside = self.place / f".{LISTING}"
        beside.write_bytes(orjson.dumps(about))
        sync(beside)
        beside.rename(self.place / LISTING)
        sync(self.place)
        return replace(self, files=files)


def new_copy(
    place: Path,
    position: int,
    version: int,
    numbers: Iterable[Numbers] | None,
    rows: int,
    fragments: int,
) -> Copy:
    """The listing of a copy that was just written to `place`; `numbers` are those of its rows, unless from 0 on."""
    end = rows
    if numbers is not None:
        there = np.concatenate([np.empty(0, np.int64), *numbers])
        end = int(there[-1]) + 1 if len(there) else 0
        _keep_gone(place, position, np.setdiff1d(np.arange(end, dtype=np.int64), there))
    return Copy(place, {position: version}, rows, end, fragments, {}).written()


def copies(home: Path) -> list[Copy]:
    """The copies of a table, the one that began last first; what has no readable listing is left out."""
    found = sorted(home.glob("*.lance"), key=lambda place: place.name, reverse=True)
    return [copy for copy in map(_read, found) if copy is not None]


def copy_with(home: Path, position: int) -> Copy | None:
    """The copy that shows a position."""
    return next((copy for copy in copies(home) if position in copy.versions), None)


def _read(place: Path) -> Copy | None:
    try:
        about = orjson.loads((place / LISTING).read_bytes())
        versions = {int(at): int(version) for at, version in about["versions"].items()}
        return Copy(
            place, versions, about["rows"], about["end"], about["fragments"], about["files"]
        )
    except (OSError, ValueError, KeyError):
        return None


def _keep_gone(place: Path, position: int, gone: Numbers) -> None:
    if len(gone):
        (place / OURS).mkdir(exist_ok=True)
        np.save(place / OURS / f"{position:06d}.npy", gone)


def _synced(folder: Path, known: dict[str, int]) -> dict[str, int]:
    """All files with their sizes; those that were not listed before are made durable."""
    sizes: dict[str, int] = {}
    touched: set[Path] = {folder}
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        name = file.relative_to(folder).as_posix()
        if file.name.lstrip(".") == LISTING:
            continue
        sizes[name] = file.stat().st_size
        if known.get(name) != sizes[name]:
            sync(file)
            touched.update(parent for parent in file.parents if parent.is_relative_to(folder))
    for inner in touched:
        sync(inner)
    return sizes


def sync(path: Path) -> None:
    """Make a file, or the names in a folder, survive a power cut."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
