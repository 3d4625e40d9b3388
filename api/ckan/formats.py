"""Formats of resources as CKAN writes them, guessed from addresses where nobody says them."""

from __future__ import annotations

import mimetypes
from urllib.parse import urlsplit

SPELLED = {
    name.lower(): name
    for name in (
        "GeoJSON", "TopoJSON", "NetCDF", "dBase", "Esri REST", "Atom Feed", "WebM", "MrSID", "Perl", "JSON-LD",
        "ArcGIS Map Preview", "ArcGIS Map Service", "ArcGIS Online Map", "GeoTIFF", "GeoParquet", "GeoPackage",
    )
}  # fmt: skip
"""Names that are not all capitals."""
CAPITALS = frozenset(
    [
        "csv",
        "tsv",
        "xls",
        "xlsx",
        "ods",
        "pdf",
        "doc",
        "docx",
        "odt",
        "ppt",
        "pptx",
        "txt",
        "rtf",
        "json",
        "xml",
        "html",
        "rdf",
        "ttl",
        "n3",
        "owl",
        "kml",
        "kmz",
        "gml",
        "shp",
        "zip",
        "gz",
        "tar",
        "rar",
        "wms",
        "wfs",
        "wmts",
        "wcs",
        "api",
        "sql",
        "sqlite",
        "parquet",
        "png",
        "jpeg",
        "jpg",
        "gif",
        "svg",
        "tiff",
        "bmp",
        "mp3",
        "mp4",
        "mdb",
        "dbf",
        "dat",
        "rss",
        "gpx",
        "osm",
        "tei",
        "xsd",
        "md",
        "yaml",
        "gtfs",
        "sparql",
    ]
)
_OF_TYPES = {
    "text/csv": "CSV",
    "text/tab-separated-values": "TSV",
    "text/plain": "TXT",
    "text/html": "HTML",
    "text/xml": "XML",
    "text/turtle": "TTL",
    "application/json": "JSON",
    "application/geo+json": "GeoJSON",
    "application/ld+json": "JSON-LD",
    "application/xml": "XML",
    "application/rdf+xml": "RDF",
    "application/pdf": "PDF",
    "application/zip": "ZIP",
    "application/x-tar": "TAR",
    "application/gzip": "GZ",
    "application/sql": "SQL",
    "application/vnd.ms-excel": "XLS",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
    "application/msword": "DOC",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": "DOCX",
    "application/vnd.google-earth.kml+xml": "KML",
    "application/vnd.google-earth.kmz": "KMZ",
    "application/vnd.apache.parquet": "Parquet",
    "image/png": "PNG",
    "image/jpeg": "JPEG",
    "image/gif": "GIF",
    "image/svg+xml": "SVG",
    "image/tiff": "TIFF",
}
_OTHERS = {".geojson": "application/geo+json", ".parquet": "application/vnd.apache.parquet"}


def unified(given: str) -> str:
    """The format as CKAN spells it; one that it does not know stays as it was given."""
    lower = given.strip().lower().removeprefix(".")
    if lower in SPELLED:
        return SPELLED[lower]
    if lower in CAPITALS:
        return lower.upper()
    return _OF_TYPES.get(lower, given)


def spelled(stored: str) -> str:
    """A format that is kept in capitals, as CKAN spells it."""
    return SPELLED.get(stored.lower(), stored)


def guessed_type(address: str) -> str:
    """The media type that the end of an address or file name tells; empty where it tells none."""
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    ending = path[path.rfind(".") :].lower() if "." in path else ""
    return _OTHERS.get(ending) or mimetypes.guess_type(path)[0] or ""
