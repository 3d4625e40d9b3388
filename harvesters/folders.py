"""Guarded access to local folders: only below the folders that the operator allows."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import unquote, urlsplit

from catalog.errors import Denied, NotFound, TooLarge

MOST_FILES = 10_000
HASHED_BYTES = 256_000_000
"""Larger files are known by size and moment of change, for hashing them each night is slow."""


class Folders:
    """Local folders that harvests may read; nothing outside, also not through a symbolic link."""

    def __init__(self, allowed: str) -> None:
        self._roots = tuple(Path(part).resolve() for part in allowed.split(":") if part.strip())

    def place(self, url: str) -> Path:
        """The file or folder that a path or a `file:` address names; raises Denied or NotFound."""
        text = unquote(urlsplit(url).path) if url.startswith("file:") else url
        path = Path(text)
        real = path.resolve()
        inside = any(real.is_relative_to(root) for root in self._roots)
        if "\0" in text or not path.is_absolute() or not inside:
            raise Denied(
                "harvests may not read %(path)s: it is not below a folder in WEFT_FETCH_FOLDERS",
                path=text,
            )
        if not real.exists():
            raise NotFound("there is no file or folder %(path)s", path=text)
        return real

    def below(self, folder: Path, name: str) -> Path:
        """The file with this name from `names` below a folder; raises Denied when it lies elsewhere."""
        place = folder
        for step in name.split("/"):
            place = _step(place, step)
        real = self.place(str(place))
        if not real.is_relative_to(folder.resolve()):
            raise Denied("%(name)s lies outside the folder of the source", name=name)
        return real

    def names(self, folder: Path) -> Iterator[str]:
        """Relative names of the files below a folder, sorted; hidden ones and outward links are left out."""
        count = 0
        for here, inner, files in os.walk(folder):
            inner[:] = sorted(name for name in inner if not name.startswith("."))
            for name in sorted(files):
                path = Path(here) / name
                if name.startswith(".") or not self._is_inside(path, folder):
                    continue
                count += 1
                if count > MOST_FILES:
                    raise TooLarge("the folder has more than %(limit)s files", limit=MOST_FILES)
                yield "/".join(map(_readable, path.relative_to(folder).parts))

    @staticmethod
    def _is_inside(path: Path, folder: Path) -> bool:
        real = path.resolve()
        return real.is_relative_to(folder.resolve()) and real.is_file()


def _readable(name: str) -> str:
    """A file's name as text: one that is not written in UTF-8 is taken for GB18030."""
    try:
        name.encode()
    except UnicodeEncodeError:
        return os.fsencode(name).decode("gb18030", "replace")
    return name


def _step(folder: Path, name: str) -> Path:
    """The file or folder that `_readable` calls so."""
    plain = folder / name
    if plain.exists():
        return plain
    other = folder / os.fsdecode(name.encode("gb18030", "replace"))
    return other if other.exists() else plain


def plain_name(name: str) -> str:
    """A name for a fetched file that every disk takes; its ending is kept, for it says what the file is."""
    plain = re.sub(r"[^\w.()+-]+", "_", name).lstrip(".")[-120:]
    return plain.encode()[-240:].decode(errors="ignore") or "content"


def version_of(path: Path) -> str:
    """A text that changes when the file's content does."""
    about = path.stat()
    if about.st_size > HASHED_BYTES:
        return f"size:{about.st_size}:{about.st_mtime_ns}"
    with path.open("rb") as file:
        return "sha256:" + hashlib.file_digest(file, "sha256").hexdigest()
