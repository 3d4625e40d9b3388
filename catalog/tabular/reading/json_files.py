"""JSON documents, JSON lines and GeoJSON as tables of their records."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, TextIO

from catalog.errors import N_, Unreadable
from catalog.tabular.reading.cells import Geometry, chunks_of, compact
from catalog.tabular.reading.chunk import Chunk, Part
from catalog.tabular.reading.encoding import Encoding, encoding_of
from catalog.tabular.reading.geometry import called, is_wgs84, moved
from catalog.tabular.reading.json_stream import Broken, Walker
from catalog.tabular.reading.notes import note, shortened
from catalog.tabular.reading.options import ReadOptions
from catalog.tabular.reading.source import Source

DEEPEST = 6
"""So deep a document is searched for its array of records."""
VALUE = "value"
"""The column of an array of plain values."""


@dataclass
class Outline:
    """What a first walk through a document found."""

    arrays: dict[str, tuple[int, bool]] = field(default_factory=dict)
    """Dotted path → how many elements, and whether they are objects."""
    scalars: dict[str, Any] = field(default_factory=dict)
    kind: str = ""
    """The member `type` of the document: that of GeoJSON."""
    lines: bool = False
    """Whether a second value follows the first."""


def json_file(source: Source, options: ReadOptions) -> Part:
    """The records of a JSON, JSON lines or GeoJSON file."""
    encoding = encoding_of(source.path, source.name, options.encoding)
    part = Part(source.name, source.key, iter(()))
    part.chunks = _chunks(source, encoding, options, part)
    return part


def _chunks(
    source: Source, encoding: Encoding, options: ReadOptions, part: Part
) -> Iterator[Chunk]:
    try:
        outline = _outline(source, encoding, options)
        with encoding.open(source.path) as text:
            walker = _walker(text, options)
            rows = (
                _lines(walker)
                if outline.lines
                else _document(source, options, outline, walker, part)
            )
            yield from chunks_of(rows, options.missing)
    except Broken as error:
        message = (
            N_("%(file)s is cut off: the JSON ends in the middle, at character %(position)s.")
            if error.cut
            else N_("%(file)s is not valid JSON from character %(position)s on.")
        )
        raise Unreadable(message, file=source.name, position=error.position) from None


def _walker(text: TextIO, options: ReadOptions) -> Walker:
    return Walker(text, options.limits.row)


def _lines(walker: Walker) -> Iterator[Mapping[str, Any]]:
    while walker.peek():
        yield _record(walker.value())


def _document(
    source: Source, options: ReadOptions, outline: Outline, walker: Walker, part: Part
) -> Iterator[Mapping[str, Any]]:
    if walker.peek() == "[":
        yield from _array(walker)
    elif outline.kind == "Feature":
        yield _record(walker.value())
    else:
        if walker.peek() != "{":
            walker.value()  # Whatever it is, it is said if it is not even a value.
        yield from _inside(source, options, outline, walker, part)
    if walker.peek():
        raise Broken(walker.position)


def _array(walker: Walker) -> Iterator[Mapping[str, Any]]:
    for _ in walker.items():
        yield _record(walker.value())


def _record(value: object) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        return {VALUE: value}
    return _feature(value) if value.get("type") == "Feature" and "geometry" in value else value


def _inside(
    source: Source, options: ReadOptions, outline: Outline, walker: Walker, part: Part
) -> Iterator[Mapping[str, Any]]:
    """The records of the array that was named or is the only one that can be meant."""
    path = _path(source, options, outline)
    geo = outline.kind == "FeatureCollection" and path == "features"
    if geo and outline.scalars.get("UTF8Encoding"):
        raise Unreadable(
            "%(file)s is a map of ECharts with packed coordinates, not plain GeoJSON.",
            file=source.name,
        )
    carried = _carried(source, options, outline)
    others = sorted(set(outline.arrays) - {path})
    if others and not options.records and not geo:
        part.notes.append(
            note(
                "The records are in %(path)s; also there: %(others)s.",
                path=path,
                others=", ".join(others),
            )
        )
    crs = _crs(outline, part) if geo else ""
    for _ in _seek(walker, path):
        record = _record(walker.value())
        if crs and isinstance(record.get("geometry"), Geometry):
            shape = moved(record["geometry"], crs, source.name)
            record = {**record, "geometry": Geometry(shape)}
        yield {**carried, **_without(record, carried)} if carried else record


def _crs(outline: Outline, part: Part) -> str:
    """The coordinate system, where the document names another one than WGS-84, as GeoJSON once could."""
    crs = str(outline.scalars.get("crs.properties.name", ""))
    if is_wgs84(crs):
        return ""
    part.notes.append(note("Coordinates were converted from %(crs)s to WGS-84.", crs=called(crs)))
    return crs


def _without(record: Mapping[str, Any], carried: Mapping[str, Any]) -> Mapping[str, Any]:
    """The record; what it names like a carried value gets a number."""
    if not carried.keys() & record.keys():
        return record
    return {f"{name}_2" if name in carried else name: value for name, value in record.items()}


def _path(source: Source, options: ReadOptions, outline: Outline) -> str:
    if options.records:
        if options.records not in outline.arrays:
            raise Unreadable(
                "%(file)s has no array at %(path)s; there are: %(found)s.",
                file=source.name,
                path=options.records,
                found=shortened(", ".join(outline.arrays) or "–"),
            )
        return options.records
    if not outline.arrays:
        raise Unreadable("%(file)s is a JSON object without an array of records.", file=source.name)
    if outline.kind == "FeatureCollection" and "features" in outline.arrays:
        return "features"
    return max(outline.arrays, key=lambda path: (outline.arrays[path][1], outline.arrays[path][0]))


def _carried(source: Source, options: ReadOptions, outline: Outline) -> dict[str, Any]:
    for path in options.carry:
        if path not in outline.scalars:
            raise Unreadable(
                "%(file)s has no single value at %(path)s.", file=source.name, path=path
            )
    return {path.rpartition(".")[2]: outline.scalars[path] for path in options.carry}


def _outline(source: Source, encoding: Encoding, options: ReadOptions) -> Outline:
    """What is where in a document that is an object, and whether it is one of JSON lines."""
    outline = Outline(lines=options.format == "jsonl")
    with encoding.open(source.path) as text:
        walker = Walker(text, options.limits.row, exact=bool(options.carry))
        if walker.peek() == "{" and not outline.lines:
            _explore(walker, "", outline, 0)
            outline.kind = str(outline.scalars.get("type", ""))
            outline.lines = bool(walker.peek())
    return outline


def _explore(walker: Walker, path: str, outline: Outline, depth: int) -> None:
    start = walker.peek()
    if start == "{" and depth < DEEPEST:
        for name in walker.members():
            _explore(walker, f"{path}.{name}" if path else name, outline, depth + 1)
    elif start == "[":
        count, objects = 0, False
        for _ in walker.items():
            objects = objects or walker.peek() == "{"
            walker.value()
            count += 1
        outline.arrays[path] = (count, objects)
    else:
        outline.scalars[path] = walker.value()


def _seek(walker: Walker, wanted: str, path: str = "") -> Iterator[None]:
    """Stand before each element of the wanted array, then move to the end of the document."""
    for name in walker.members():
        here = f"{path}.{name}" if path else name
        if here == wanted and walker.peek() == "[":
            yield from walker.items()
        elif wanted.startswith(f"{here}.") and walker.peek() == "{":
            yield from _seek(walker, wanted, here)
        else:
            walker.skip()


def _feature(value: Mapping[str, Any]) -> Mapping[str, Any]:
    """A feature's id, its properties and its geometry."""
    geometry = value.get("geometry")
    properties = value.get("properties") or {}
    row = {} if value.get("id") is None else {"id": value["id"]}
    for name, item in properties.items():
        row[f"{name}_2" if name in row or name == "geometry" else name] = item
    row["geometry"] = Geometry(compact(geometry)) if isinstance(geometry, dict) else geometry
    return row
