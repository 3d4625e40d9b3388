"""Where and when a record of ISO 19115 lies: boxes, outlines in GML, names of places, periods."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from typing import Any
from xml.etree import ElementTree as ET

import orjson
import shapely

from harvesters.markup import all_of, line_of, text_of
from harvesters.terms import period_of

LARGEST_SHAPE = 100_000
"""Characters of an outline that is kept; of a larger one its box is."""
MOST_POINTS = 200_000
_EDGES = (
    "westBoundLongitude/*",
    "southBoundLatitude/*",
    "eastBoundLongitude/*",
    "northBoundLatitude/*",
)
_BEGIN = ("beginPosition", "begin/*/timePosition", "timePosition")
_END = ("endPosition", "end/*/timePosition", "timePosition")


def extents_in(about: ET.Element, texts: Callable[..., list[list[str]]]) -> dict[str, Any]:
    """What the extents say, as plain JSON."""
    extents = about.findall("extent/*")
    times = [
        time
        for extent in extents
        for time in all_of(extent, "temporalElement/*/extent/*")
        if time.tag in {"TimePeriod", "TimeInstant"}
    ]
    return {
        "places": [
            *texts(*(one for extent in extents for one in extent.iterfind("description"))),
            *texts(
                *(
                    one
                    for extent in extents
                    for one in extent.iterfind("geographicElement/*/geographicIdentifier/*/code")
                )
            ),
        ],
        "boxes": [
            [line_of(box, edge) for edge in _EDGES]
            for extent in extents
            for box in extent.iterfind("geographicElement/EX_GeographicBoundingBox")
        ],
        "outlines": [
            outline
            for extent in extents
            for shape in extent.iterfind("geographicElement/EX_BoundingPolygon/polygon/*")
            if (outline := _outline(shape))
        ],
        "periods": [[line_of(time, *_BEGIN), line_of(time, *_END)] for time in times],
    }


def _outline(shape: ET.Element) -> dict[str, Any]:
    """Rings of numbers as they are written, and the reference system that they are said to be in."""
    rings, count = [], 0
    for polygon in shape.iter("Polygon"):
        outer = [_numbers(ring) for ring in all_of(polygon, "exterior/*", "outerBoundaryIs/*")]
        inner = [_numbers(ring) for ring in all_of(polygon, "interior/*", "innerBoundaryIs/*")]
        count += sum(map(len, outer + inner))
        if outer and outer[0] and count <= 2 * MOST_POINTS:
            rings.append([outer[0], *filter(None, inner)])
    named = (element.get("srsName", "") for element in shape.iter())
    return {"rings": rings, "system": next(filter(None, named), "")} if rings else {}


def _numbers(ring: ET.Element) -> list[float]:
    """The numbers of a ring in any of GML's ways; nothing when one of them is no number."""
    parts = [text_of(one) for one in ring.iter() if one.tag in {"posList", "pos", "coordinates"}]
    try:
        found = [float(part) for part in " ".join(parts).replace(",", " ").split()]
    except ValueError:
        return []
    sizes = [one.get("srsDimension", "") for one in ring.iter()]
    if "3" in sizes and len(found) % 3 == 0:
        found = [number for place, number in enumerate(found) if place % 3 != 2]
    return found if len(found) >= 8 and len(found) % 2 == 0 else []


def places_of(said: Mapping[str, Any]) -> dict[str, Any]:
    """`spatial_box` and `spatial_geometry`, as far as they can be told."""
    boxes = [box for box in map(_box, said["boxes"]) if box]
    shapes = [shape for outline in said["outlines"] for shape in _shapes(outline, boxes)]
    found: dict[str, Any] = {}
    if len(boxes) == 1:
        found["spatial_box"] = boxes[0]
    elif boxes:
        straight = [box for box in boxes if box[0] <= box[2]] or boxes
        found["spatial_box"] = [
            pick(box[place] for box in straight) for place, pick in enumerate((min, min, max, max))
        ]
    elif shapes:
        found["spatial_box"] = [round(edge, 6) for edge in shapely.total_bounds(shapes)]
    if shapes:
        whole = shapes[0] if len(shapes) == 1 else shapely.MultiPolygon(shapes)
        written = shapely.to_geojson(whole)
        if len(written) <= LARGEST_SHAPE:
            found["spatial_geometry"] = orjson.loads(written)
    return found


def _box(edges: list[str]) -> list[float]:
    """West, south, east, north, or nothing where they are no place on earth."""
    try:
        west, south, east, north = (float(edge) for edge in edges)
    except ValueError:
        return []
    if not all(map(math.isfinite, (west, south, east, north))):
        return []
    if south > north:
        south, north = north, south
    on_earth = max(abs(west), abs(east)) <= 180 and south >= -90 and north <= 90
    return [west, south, east, north] if on_earth else []


def _shapes(outline: Mapping[str, Any], boxes: list[list[float]]) -> Iterator[Any]:
    """The polygons in longitude and latitude; those that are on no place on earth are left out."""
    for rings in outline["rings"]:
        pairs = [list(zip(ring[::2], ring[1::2], strict=True)) for ring in rings]
        try:
            shape = shapely.Polygon(pairs[0], pairs[1:])
        except (ValueError, shapely.errors.ShapelyError):
            continue
        turned = shapely.transform(shape, lambda xy: xy[:, ::-1])
        order = (turned, shape) if _latitude_first(outline["system"]) else (shape, turned)
        fitting = [one for one in order if _on_earth(one)]
        if boxes:  # what the record's own box holds tells the order of the axes better than a name
            wide = shapely.box(*_widened(boxes[0]))
            fitting = [one for one in fitting if wide.contains(one)] or fitting
        if fitting and fitting[0].is_valid:
            yield fitting[0]


def _latitude_first(system: str) -> bool:
    """Whether the axes are latitude, then longitude: so the addresses and names of EPSG say, short codes do not."""
    return "EPSG" in system and not system.upper().startswith("EPSG:")


def _widened(box: list[float]) -> tuple[float, float, float, float]:
    west, south, east, north = box
    return west - 0.1, south - 0.1, east + 0.1, north + 0.1


def _on_earth(shape: Any) -> bool:
    west, south, east, north = shape.bounds
    return bool(-180 <= west <= east <= 180 and -90 <= south <= north <= 90)


def times_of(said: Mapping[str, Any]) -> tuple[str, str]:
    """Begin and end of the whole period; an end before its begin is left out."""
    begins = [text for begin, _ in said["periods"] if (text := period_of(begin))]
    ends = [text for _, end in said["periods"] if (text := period_of(end))]
    start, end = min(begins, default=""), max(ends, default="")
    shared = min(len(start), len(end))
    return start, "" if shared and end[:shared] < start[:shared] else end
