"""gz and zip: unpacked into a folder, with limits on what they may become."""

from __future__ import annotations

import gzip
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import IO, cast
from uuid import uuid4

from catalog.errors import TooLarge, Unreadable
from catalog.tabular.reading.options import Limits
from catalog.tabular.reading.source import Source

BLOCK = 1 << 20
ENCRYPTED = 0x1
UTF8_NAME = 0x800
DEFLATE64 = 9
METHODS = {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
SHAPEFILE_PARTS = {".dbf", ".shx", ".prj", ".cpg", ".sbn", ".sbx", ".qix", ".qpj", ".xml", ".fix"}
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError)


class Unpacking:
    """Unpacks archives of one reading; what all of them become together is limited."""

    def __init__(self, folder: Path, limits: Limits) -> None:
        self._folder, self._limits = folder, limits
        self._left = limits.unpacked

    def gunzip(self, source: Source) -> Source:
        """The file inside a gz."""
        target = self._target()
        try:
            with gzip.open(source.path) as packed:
                self._copy(cast("IO[bytes]", packed), target, source.name)
        except (EOFError, zlib.error, gzip.BadGzipFile):
            raise Unreadable(
                "%(file)s is cut off or damaged: it does not unpack.", file=source.name
            ) from None
        return Source(target, source.name, source.key)

    def unzip(self, source: Source) -> Iterator[Source]:
        """The files inside a zip, one at a time."""
        try:
            archive = zipfile.ZipFile(source.path)
        except BROKEN:
            raise Unreadable(
                "%(file)s is cut off or damaged: it does not unpack.", file=source.name
            ) from None
        with archive:
            members = [member for member in archive.infolist() if _is_wanted(member)]
            if len(members) > self._limits.members:
                raise TooLarge(
                    "%(file)s holds more than %(limit)s files.",
                    file=source.name,
                    limit=self._limits.members,
                )
            if not members:
                raise Unreadable("%(file)s is an archive without any file.", file=source.name)
            maps = _maps({_name(member): member for member in members})
            taken = {part.filename for parts in maps.values() for part in parts}
            for member in sorted(members, key=_name):
                if _name(member) in maps:
                    yield self._map(archive, member, maps[_name(member)], source)
                elif member.filename not in taken:
                    yield self._member(archive, member, source, self._target())

    def _map(
        self,
        archive: zipfile.ZipFile,
        shape: zipfile.ZipInfo,
        parts: list[zipfile.ZipInfo],
        source: Source,
    ) -> Source:
        """A shapefile: its parts lie side by side in a folder of its own, under one name."""
        folder = self._target()
        folder.mkdir()
        for part in parts:
            target = folder / f"map{PurePosixPath(_name(part).lower()).suffix}"
            self._member(archive, part, source, target)
        name = _name(shape)
        return Source(folder / "map.shp", f"{source.name}/{name}", name, in_folder=True)

    def _member(
        self, archive: zipfile.ZipFile, member: zipfile.ZipInfo, source: Source, target: Path
    ) -> Source:
        name = f"{source.name}/{_name(member)}"
        if member.flag_bits & ENCRYPTED:
            raise Unreadable("%(file)s is protected with a password.", file=name)
        if member.compress_type == DEFLATE64:
            raise Unreadable(
                "%(file)s is packed with Deflate64, which few programs read; pack it as a normal zip.",
                file=name,
            )
        if member.compress_type not in METHODS:
            raise Unreadable("%(file)s is packed by a method that cannot be read.", file=name)
        try:
            with archive.open(member) as packed:
                self._copy(packed, target, name)
        except BROKEN:
            raise Unreadable(
                "%(file)s is cut off or damaged: it does not unpack.", file=name
            ) from None
        return Source(target, name, _name(member))

    def _copy(self, packed: IO[bytes], target: Path, name: str) -> None:
        with target.open("wb") as file:
            while block := packed.read(BLOCK):
                self._left -= len(block)
                if self._left < 0:
                    raise TooLarge(
                        "%(file)s unpacks to more than %(limit)s MB.",
                        file=name, limit=self._limits.unpacked >> 20,
                    )  # fmt: skip
                file.write(block)

    def _target(self) -> Path:
        return self._folder / uuid4().hex


def without_parts(paths: Sequence[Path]) -> list[Path]:
    """The paths without the parts of a shapefile that is one of them."""
    shapes = {path.with_suffix("") for path in paths if path.suffix.lower() == ".shp"}
    return [
        path
        for path in paths
        if path.suffix.lower() not in SHAPEFILE_PARTS or _stem(path) not in shapes
    ]


def _stem(path: Path) -> Path:
    path = path.with_suffix("") if path.suffix.lower() == ".xml" else path
    return path.with_suffix("")


def _maps(members: Mapping[str, zipfile.ZipInfo]) -> dict[str, list[zipfile.ZipInfo]]:
    """The shapefiles among the members by name, each with its parts: itself, and what is named like it."""
    stems = {
        str(PurePosixPath(name).with_suffix("")).lower(): name
        for name in members
        if name.lower().endswith(".shp")
    }
    maps: dict[str, list[zipfile.ZipInfo]] = {name: [members[name]] for name in stems.values()}
    for name, member in members.items():
        path = PurePosixPath(name.lower())
        stem = stems.get(str(path.with_suffix("").with_suffix("")))
        if path.suffix in SHAPEFILE_PARTS:
            stem = stems.get(str(path.with_suffix(""))) or stem
            if stem:
                maps[stem].append(member)
    return maps


def _is_wanted(member: zipfile.ZipInfo) -> bool:
    """Neither a folder nor what operating systems add."""
    path = PurePosixPath(member.filename)
    return not member.is_dir() and not path.name.startswith(".") and "__MACOSX" not in path.parts


def _name(member: zipfile.ZipInfo) -> str:
    """The name; old Chinese programs write it in GBK without saying so."""
    if member.flag_bits & UTF8_NAME:
        return member.filename
    raw = member.filename.encode("cp437", "replace")
    for encoding in ("ascii", "utf-8", "gb18030"):
        try:
            return raw.decode(encoding)
        except UnicodeDecodeError:
            continue
    return member.filename
