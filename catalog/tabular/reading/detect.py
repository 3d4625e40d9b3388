"""What a file is, by its first bytes; its name is asked last."""

from __future__ import annotations

import codecs
import re
import zipfile
from enum import StrEnum
from pathlib import Path

from catalog.errors import Unreadable
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.source import Source
from catalog.tabular.reading.spatial import is_complete

HEAD = 8192


class Content(StrEnum):
    """Which reader a file is for."""

    GZIP = "gzip"
    ZIP = "zip"
    WORKBOOK = "workbook"
    JSON = "json"
    DELIMITED = "delimited"
    SPATIAL = "spatial"
    PARQUET = "parquet"


REFUSED: tuple[tuple[bytes, str], ...] = (
    (b"%PDF", "PDF"),
    (b"\x89PNG", "PNG"),
    (b"\xff\xd8\xff", "JPEG"),
    (b"GIF8", "GIF"),
    (b"II*\0", "TIFF"),
    (b"MM\0*", "TIFF"),
    (b"Rar!", "RAR"),
    (b"7z\xbc\xaf", "7z"),
    (b"BZh", "bzip2"),
    (b"\xfd7zXZ", "xz"),
    (b"\x28\xb5\x2f\xfd", "Zstandard"),
    (b"SQLite format 3", "SQLite"),
    (b"{\\rtf", "RTF"),
    (b"BEGIN:VCALENDAR", "iCalendar"),
    (b"BEGIN:VCARD", "vCard"),
    (b"\x7fELF", "ELF"),
    (b"MZ\x90", "EXE"),
    (b"\t\x00\x04\x00", "Excel 2"),
    (b"\t\x02\x06\x00", "Excel 3"),
    (b"\t\x04\x06\x00", "Excel 4"),
)
HTML = re.compile(
    rb"^\s*(<!--.*?-->\s*)*<(!doctype\s+html|html|head|body|table)\b",
    re.IGNORECASE | re.DOTALL,
)
XML = re.compile(rb"^\s*<(\?xml|!DOCTYPE)", re.IGNORECASE)
ELEMENT = re.compile(rb"^\s*<[a-z][\w:.-]*[\s/>]", re.IGNORECASE)
TAIL = 64
SHAPEFILE = b"\x00\x00\x27\x0a"
GPKG_AT = 68
"""Where SQLite keeps the mark of the application whose file it is."""
GPKG = (b"GPKG", b"GP10", b"GP11")
OLE = b"\xd0\xcf\x11\xe0"
JSON_START = re.compile(r"""^\s*(\{\s*["}]|\[\s*([\[{"\]\d-]|true|false|null))""")
TAR = b"ustar"
WIDE = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)
JSON_SUFFIXES = {".json", ".jsonl", ".ndjson", ".geojson"}
DELIMITED_SUFFIXES = {".csv", ".tsv", ".tab"}


def content_of(source: Source, options: ReadOptions) -> Content:
    """Which reader reads the file; Unreadable when none does."""
    if not source.path.is_file():
        raise Unreadable("%(file)s is not there.", file=source.name)
    with source.path.open("rb") as file:
        head = file.read(HEAD)
    known = _packed(source, head) or _stored(source, head)
    if known:
        return known
    _refuse_known(source, head)
    return _text(source, head, options)


def _packed(source: Source, head: bytes) -> Content | None:
    if head.startswith(b"\x1f\x8b"):
        return Content.GZIP
    if head.startswith(OLE):
        return Content.WORKBOOK
    if head.startswith((b"PK\x03\x04", b"PK\x05\x06")):
        return Content.WORKBOOK if _is_workbook(source.path) else Content.ZIP
    return None


def _stored(source: Source, head: bytes) -> Content | None:
    """Formats of columns and of maps."""
    if head.startswith(b"PAR1"):
        return Content.PARQUET
    if head.startswith(b"SQLite format 3") and head[GPKG_AT:].startswith(GPKG):
        return Content.SPATIAL
    if not head.startswith(SHAPEFILE):
        return None
    if source.path.suffix == ".shp" and is_complete(source.path):
        return Content.SPATIAL
    raise Unreadable(
        "%(file)s is only one part of a shapefile; put it into a zip with its .dbf, .shx and .prj.",
        file=source.name,
    )


def _is_workbook(path: Path) -> bool:
    try:
        with zipfile.ZipFile(path) as archive:
            names = set(archive.namelist())
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError):
        return False
    return "content.xml" in names or any(name.startswith("xl/workbook.") for name in names)


def _refuse_known(source: Source, head: bytes) -> None:
    for start, kind in REFUSED:
        if head.startswith(start):
            raise Unreadable(
                "%(file)s is a %(kind)s file, not a table.", file=source.name, kind=kind
            )
    if head[257:262] == TAR:
        raise Unreadable("%(file)s is a tar archive; only gz and zip are read.", file=source.name)
    if HTML.match(head.removeprefix(codecs.BOM_UTF8)):
        raise Unreadable("%(file)s is a web page (HTML), not a table.", file=source.name)


def _text(source: Source, head: bytes, options: ReadOptions) -> Content:
    text = _decoded(source, head)
    if not text.strip("\ufeff \t\r\n\0"):
        if len(head) == HEAD:
            raise Unreadable("%(file)s begins with nothing but white space.", file=source.name)
        raise Unreadable("%(file)s is empty.", file=source.name)
    text = text.lstrip("\ufeff")
    if HTML.match(text.encode()):
        raise Unreadable("%(file)s is a web page (HTML), not a table.", file=source.name)
    if XML.match(text.encode()) or _is_one_element(source, text):
        raise Unreadable("%(file)s is an XML or HTML document, not a table.", file=source.name)
    if options.format in {"json", "jsonl", "geojson"}:
        return Content.JSON
    if options.format in {"csv", "tsv"}:
        return Content.DELIMITED
    if source.suffix in DELIMITED_SUFFIXES:
        return Content.DELIMITED
    is_json = source.suffix in JSON_SUFFIXES or JSON_START.match(text)
    return Content.JSON if is_json else Content.DELIMITED


def _is_one_element(source: Source, text: str) -> bool:
    """Whether it begins and ends with a tag; a table may have a tag in the name of its first column."""
    if not ELEMENT.match(text.encode()):
        return False
    with source.path.open("rb") as file:
        file.seek(max(0, source.path.stat().st_size - TAIL))
        return file.read().rstrip(b"\0 \t\r\n").endswith(b">")


def _decoded(source: Source, head: bytes) -> str:
    """The beginning as text, in letters good enough to recognise it by."""
    if head.startswith(WIDE):
        return head[: len(head) // 2 * 2].decode("utf-16", "replace")
    even, odd = head[::2].count(0), head[1::2].count(0)
    if not even and not odd:
        return head.decode("utf-8", "replace")
    if head.startswith((codecs.BOM_UTF32_LE, codecs.BOM_UTF32_BE)):
        return head[: len(head) // 4 * 4].decode("utf-32", "replace")
    if not head.strip(b"\0"):
        return ""
    if even and odd:
        raise Unreadable(
            "%(file)s is a binary file of an unknown kind, not a table.", file=source.name
        )
    return head[: len(head) // 2 * 2].decode("utf-16-le" if odd else "utf-16-be", "replace")
