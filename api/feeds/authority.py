"""Our words as the addresses that the EU's authority tables, the IANA and others have for them."""

from __future__ import annotations

from collections.abc import Mapping

from catalog.models.vocabulary import Access, Frequency

EU = "http://publications.europa.eu/resource/authority/"
IANA = "https://www.iana.org/assignments/media-types/"
FREQUENCIES = {
    Frequency.CONTINUOUS: "CONT",
    Frequency.DAILY: "DAILY",
    Frequency.WEEKLY: "WEEKLY",
    Frequency.MONTHLY: "MONTHLY",
    Frequency.QUARTERLY: "QUARTERLY",
    Frequency.ANNUAL: "ANNUAL",
    Frequency.IRREGULAR: "IRREG",
    Frequency.NEVER: "NEVER",
    Frequency.UNKNOWN: "UNKNOWN",
}
ACCESS = {
    Access.OPEN: "PUBLIC",
    Access.ON_APPLICATION: "RESTRICTED",
    Access.CLOSED: "NON_PUBLIC",
}
LANGUAGES = {
    "zh": "ZHO", "en": "ENG", "nl": "NLD", "fr": "FRA", "de": "DEU", "es": "SPA", "it": "ITA", "ja": "JPN", "ko": "KOR",
    "pt": "POR", "ru": "RUS", "ar": "ARA", "pl": "POL", "sv": "SWE", "da": "DAN", "fi": "FIN",
}  # fmt: skip
FORMATS = {
    "CSV": "CSV", "TSV": "TSV", "JSON": "JSON", "GEOJSON": "GEOJSON", "JSON-LD": "JSON_LD", "XLSX": "XLSX", "XLS": "XLS",
    "ODS": "ODS", "XML": "XML", "PDF": "PDF", "HTML": "HTML", "ZIP": "ZIP", "RDF": "RDF_XML", "TURTLE": "RDF_TURTLE",
    "SHP": "SHP", "GPKG": "GPKG", "PARQUET": "PARQUET", "TXT": "TXT", "GML": "GML", "KML": "KML", "WMS": "WMS_SRVC",
    "WFS": "WFS_SRVC", "DOCX": "DOCX", "DOC": "DOC", "PNG": "PNG", "JPEG": "JPEG", "SQL": "SQL",
}  # fmt: skip
"""Formats that the authority table `file-type` has."""
THEMES = {
    "agriculture": "AGRI",
    "economy": "ECON",
    "education": "EDUC",
    "environment": "ENVI",
    "government": "GOVE",
    "health": "HEAL",
    "planning": "REGI",
    "population": "SOCI",
    "safety": "JUST",
    "technology": "TECH",
    "transport": "TRAN",
}
"""Slugs of themes → the authority table `data-theme`."""
MEDIA_TYPES: Mapping[str, str] = {
    "CSV": "text/csv",
    "TSV": "text/tab-separated-values",
    "JSON": "application/json",
    "GEOJSON": "application/geo+json",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "XLS": "application/vnd.ms-excel",
    "ODS": "application/vnd.oasis.opendocument.spreadsheet",
    "XML": "application/xml",
    "PDF": "application/pdf",
    "HTML": "text/html",
    "ZIP": "application/zip",
    "PARQUET": "application/vnd.apache.parquet",
    "GPKG": "application/geopackage+sqlite3",
    "TXT": "text/plain",
}


def media_type_of(format_: str, stated: str = "") -> str:
    """The media type that is stated, else the usual one of the format, else nothing."""
    return stated or MEDIA_TYPES.get(format_, "")


def primary(tag: str) -> str:
    """The language of a tag: `fr` of `fr-t-nl`."""
    return tag.partition("-")[0]
