"""A release as a file: made once, when first asked for, then kept, and the same bytes for everybody for ever.

A release file holds what the public sees of the release, whoever asks, so that its hash can be told; who may
see more gets it by a query. The key of a file is made of all that its bytes depend on: the release,
the columns as they are shown, the format and the libraries that write it. A change of any of them makes another file with another tag, and the old one is let go.
"""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from importlib.metadata import version as version_of_package
from itertools import chain
from typing import IO

from flask import Flask, current_app
from sqlalchemy import select

from catalog.db import db, transaction
from catalog.errors import NotFound, Unavailable
from catalog.files import file_store
from catalog.files.making import PIECE, Made, Reading, Recipe, makings
from catalog.models.base import now
from catalog.models.table import DataTable, Release, ReleaseFile
from catalog.permissions import Identity
from catalog.services.table_exports import name_of
from catalog.services.table_formats import (
    FORMATS,
    Content,
    Format,
    format_of,
    formats_for,
    meanings_of,
)
from catalog.services.table_lookup import Version, base_of, show, version_of
from catalog.tabular.query import TableQuery

FOLDER = "releases"
EDITION = 1
"""To be raised with every change of how files are written that changes their bytes."""
LIBRARIES = {"parquet": ("pyarrow",), "gpkg": ("pyogrio",)}
"""Packages whose version may change the bytes of a format."""
PACKED = ("csv.gz", "xlsx")
"""Formats whose bytes zlib may change."""
USED_STEP = timedelta(hours=1)
"""How exactly it is known when a file was used last: each use would be a write."""
PATIENCE_SECONDS = 300.0
"""How long a call waits for a file to be made."""


Part = tuple[bytes, int, int | None]
"""What stands before a part of a file, its first byte, and its length (None: to the end)."""


@dataclass(frozen=True)
class ReleaseFormat:
    """A release in a format: where the file is kept, how it is proven, and what is known of it so far."""

    table: DataTable
    release: Release
    version: Version
    format: Format
    digest: str
    made: Made | None
    """Bytes and hash, once the file was made; they stay when it is let go to save space."""
    kept: bool

    @property
    def key(self) -> str:
        """Key in the file store."""
        ending = self.format.name
        return f"{FOLDER}/{self.table.id}/{self.release.number}-{self.digest}.{ending}"

    @property
    def place(self) -> tuple[str, int, str]:
        """Table, release and format, which name its row in the database."""
        return self.table.id, self.release.number, self.format.name

    @property
    def tag(self) -> str:
        """Changes with the bytes, and is known before they are made."""
        return f"{self.digest}-{self.format.name}"

    @property
    def filename(self) -> str:
        """What the file is called where it is saved."""
        return f"{name_of(self.table)}-r{self.release.number}.{self.format.ending}"


def find(who: Identity, table_id: str, number: int | None, format: str) -> ReleaseFormat:  # noqa: A002 # the word that people use
    """A release (None: the newest) in a format, made or not; raises NotFound, Gone or Denied."""
    wanted = format_of(format)
    table, release, version = _published(who, table_id, number)
    if wanted.spatial and wanted not in formats_for(table, version.columns):
        raise NotFound("this table has no column of places, so there is no map file of it")
    return _known(table, release, version, [wanted])[0]


def find_all(who: Identity, table_id: str, number: int | None) -> list[ReleaseFormat]:
    """A release in all formats that it can be had in."""
    table, release, version = _published(who, table_id, number)
    return _known(table, release, version, formats_for(table, version.columns))


def stream(wanted: ReleaseFormat) -> Iterator[bytes]:
    """The whole file: from where it is kept, else while it is made; what cannot be made is raised here."""
    file = _opened(wanted)
    if file is not None:
        return Pieces(file, [(b"", 0, None)])
    reading = makings().reading(_recipe(wanted))
    try:
        first = next(reading, b"")
    except BaseException:
        reading.close()
        raise
    return Followed(first, reading)


def begin(wanted: ReleaseFormat) -> None:
    """Have its file made, without waiting for it; at once if it is kept."""
    if not wanted.kept:
        makings().reading(_recipe(wanted)).close()


def made(wanted: ReleaseFormat, *, seconds: float = PATIENCE_SECONDS) -> ReleaseFormat:
    """The same once its file is kept; raises Unavailable when that takes longer."""
    if wanted.kept and _opened(wanted, close=True):
        return wanted
    done = makings().finished(_recipe(wanted), seconds)
    with transaction():
        pass  # what this session sees is older than the file; now it sees that too
    return replace(wanted, made=done, kept=True)


def parts(wanted: ReleaseFormat, parts: Sequence[Part], *, end: bytes = b"") -> Iterator[bytes]:
    """Parts of a kept file, each after what stands before it, and what comes at the end."""
    file = _opened(wanted)
    if file is None:
        raise Unavailable("the file was let go a moment ago; try again")
    return Pieces(file, parts, end)


def forget(table_id: str, number: int, name: str) -> None:
    """Note that the store no longer has a file; what is known of it stays."""
    with transaction():
        row = _row(table_id, number, name)
        if row is not None:
            row.kept = False


class Pieces:
    """Parts of an open file, piece by piece; closing it closes the file."""

    def __init__(self, file: IO[bytes], parts: Sequence[Part], end: bytes = b"") -> None:
        self._file, self._pieces = file, _pieces_of(file, parts, end)

    def __iter__(self) -> Pieces:
        return self

    def __next__(self) -> bytes:
        piece = next(self._pieces, b"")
        if not piece:
            self.close()
            raise StopIteration
        return piece

    def close(self) -> None:
        """Close the file."""
        self._pieces.close()
        self._file.close()


def _pieces_of(file: IO[bytes], parts: Sequence[Part], end: bytes) -> Generator[bytes, None, None]:
    for before, start, length in parts:
        if before:
            yield before
        file.seek(start)
        while length is None or length:
            piece = file.read(PIECE if length is None else min(PIECE, length))
            if not piece:
                break
            if length is not None:
                length -= len(piece)  # what is left of it
            yield piece
    if end:
        yield end


class Followed:
    """A file that is being made, whose first piece was read already."""

    def __init__(self, first: bytes, reading: Reading) -> None:
        self._pieces, self._reading = chain([first], reading), reading

    def __iter__(self) -> Followed:
        return self

    def __next__(self) -> bytes:
        return next(self._pieces)

    def close(self) -> None:
        """Leave the file to its maker."""
        self._reading.close()


def _published(
    who: Identity, table_id: str, number: int | None
) -> tuple[DataTable, Release, Version]:
    """What the public sees of the release, for anybody who may read the table."""
    table = show(who, table_id)
    table = table.narrow or table
    wanted = table.release if number is None else number
    if not table.head:
        raise Unavailable("this table has not been loaded yet")
    release = db.session.scalar(
        select(Release).where(Release.table_id == table_id, Release.number == wanted)
    )
    if release is None:
        raise NotFound("there is no release %(number)s of this table", number=wanted)
    return table, release, version_of(table, release)


def _known(
    table: DataTable, release: Release, version: Version, formats: list[Format]
) -> list[ReleaseFormat]:
    """Each format with what the database knows of its file."""
    listed = select(ReleaseFile).where(
        ReleaseFile.table_id == table.id, ReleaseFile.release == release.number
    )
    rows = {row.format: row for row in db.session.scalars(listed)}
    found = []
    for format_ in formats:
        digest = _digest(table, release, version, format_.name)
        one = ReleaseFormat(table, release, version, format_, digest, None, kept=False)
        row = rows.get(format_.name)
        if row is not None and row.path == one.key:
            one = replace(one, made=Made(row.bytes, row.sha256), kept=row.kept)
        found.append(one)
    return found


def _digest(table: DataTable, release: Release, version: Version, name: str) -> str:
    libraries = [(one, version_of_package(one)) for one in LIBRARIES.get(name, ())]
    if name in PACKED:
        libraries.append(("zlib", zlib.ZLIB_RUNTIME_VERSION))
    columns = [repr(column) for column in version.columns]
    if FORMATS[name].spatial:
        columns.append(repr(sorted(meanings_of(table).items())))
    parts = (EDITION, version.table_id, release.number, name, libraries, columns)
    return hashlib.sha256(repr(parts).encode("utf-8", "surrogatepass")).hexdigest()[:24]


def _opened(wanted: ReleaseFormat, *, close: bool = False) -> IO[bytes] | None:
    """The kept file, or None; the moment of its use is noted."""
    if not wanted.kept:
        return None
    try:
        file = file_store().open(wanted.key)
    except NotFound:
        forget(*wanted.place)
        return None
    if close:
        file.close()
    _note_use(wanted)
    return file


def _row(table_id: str, number: int, name: str) -> ReleaseFile | None:
    return db.session.scalar(
        select(ReleaseFile).where(
            ReleaseFile.table_id == table_id,
            ReleaseFile.release == number,
            ReleaseFile.format == name,
        )
    )


def _note_use(wanted: ReleaseFormat) -> None:
    row = _row(*wanted.place)
    if row is not None and now() - row.used_at > USED_STEP:
        with transaction():
            row.used_at = now()


def _recipe(wanted: ReleaseFormat) -> Recipe:
    """How the file is made by a thread that has neither this call's session nor its application context."""
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined] # werkzeug's documented way
    content = Content(
        base_of(wanted.version),
        TableQuery(limit=0),
        wanted.release.created_at,
        meanings_of(wanted.table),
    )

    def finished(made: Made) -> None:
        with app.app_context():
            _list(wanted, made)

    def known() -> Made | None:
        with app.app_context():
            row = _row(*wanted.place)
            if row is None or not row.kept or row.path != wanted.key:
                return None
            return Made(row.bytes, row.sha256)

    return Recipe(wanted.key, lambda: wanted.format.stream(content), finished, known)


def _list(wanted: ReleaseFormat, made: Made) -> None:
    """List a file that the store has; a file that it replaces is let go."""
    with transaction() as tx:
        row = _row(*wanted.place)
        if row is None:
            row = ReleaseFile(
                table_id=wanted.table.id, release=wanted.release.number, format=wanted.format.name
            )
            db.session.add(row)
        elif row.path != wanted.key:
            tx.after_commit(file_store().delete, row.path)
        row.path, row.kept = wanted.key, True
        row.bytes, row.sha256 = made.bytes, made.sha256
        row.made_at = row.used_at = now()
