"""Other systems' words for licences, frequencies, themes, formats and dates, in ours."""

from __future__ import annotations

import re
from datetime import UTC, date, datetime
from email.utils import parsedate_to_datetime

_LICENSE_MARKS = (
    ("CC0-1.0", r"\bcc[-_ ]?0|publicdomain/zero|cc-?zero|notice-cc-zero|commons 1\.0 universal"),
    (
        "CC-BY-4.0",
        r"\bcc[-_ ]?by[-_ ]?4|licenses/by/4|licence/cc_by_4|\bcc[-_ ]by$|attribution 4\.0 international",
    ),
    ("ODC-PDDL-1.0", r"pddl|commons public domain dedication"),
    ("Apache-2.0", r"apache[-_ ]?(licen[sc]e)?[-_ ,]*(version )?2"),
    ("MIT", r"^mit$|\bmit licen[sc]e|licenses?/mit\b"),
    ("WTFPL", r"wtfpl"),
)
_NO_LICENSE = re.compile(r"^(licen[sc]e )?(not ?specified|unknown|none|n/?a|-)?\.?$", re.IGNORECASE)
_RESTRICTED = re.compile(r"by[-_ ](nc|nd|sa)", re.IGNORECASE)  # codespell:ignore nd


def license_of(text: str) -> tuple[str, str]:
    """Licence id and the text to keep; a text that is no known licence is `other` with the text."""
    plain = " ".join(text.split())
    if _NO_LICENSE.match(plain):
        return "notspecified", ""
    if not _RESTRICTED.search(plain):
        for name, mark in _LICENSE_MARKS:
            if re.search(mark, plain, re.IGNORECASE):
                return name, ""
    return "other", plain[:1000]


_FREQUENCIES = {
    "continuous": "continuous continual cont real-time realtime streaming update_cont hourly 实时 每小时 pt1h r/pt1h r/pt1s 10min 15min 5min 30min 1min contínua continuo em_tempo_real tempo_real",
    "daily": "daily r/p1d p1d daily_2 12hrs 每日 每天 日 每工作日 diária diário diario diariamente quotidien täglich fourtimesaday threetimesaday semidaily",
    "weekly": "weekly weekly_2 weekly_3 r/p1w p1w r/p7d r/p3.5d r/p0.33w 每周 周 semanal semanalmente hebdomadaire wöchentlich fourtimesaweek threetimesaweek semiweekly",
    "monthly": "monthly monthly_2 monthly_3 r/p1m p1m r/p0.5m r/p0.33m biweekly fortnightly r/p2w 每月 月 mensal mensalmente mensual mensuel monatlich semimonthly threetimesamonth",
    "quarterly": "quarterly bimonthly r/p3m p3m r/p2m 每季度 每季 季 trimestral trimestralmente trimestriel bimestral quadrimestral vierteljährlich",
    "annual": "annual annually yearly annual_2 annual_3 semiannual biannual biannually r/p1y p1y r/p6m r/p0.5y 每年 年 每半年 半年 anual anualmente annuel jährlich semestral semestralmente semestriel threetimesayear",  # codespell:ignore anual
    "irregular": "irregular irreg asneeded as_needed as-needed not_planned notplanned biennial triennial r/p2y r/p3y 不定期 不定期更新 按需 按需更新 其他 eventual bienal sob_demanda ponctuel punctual as_required periodically occasionally quinquennial",
    "never": "never static historical 不更新 一次性 nunca not_updated no_updates not_currently_being_updated no_future_updates_planned no_updates_planned",
}
_FREQUENCY_OF = {word: name for name, words in _FREQUENCIES.items() for word in words.split()}


def frequency_of(text: str) -> str:
    """Our frequency for an EU authority code or address, an ISO 8601 repetition, or a plain word."""
    word = re.split(r"[/#](?![Pp][\d.T])", text.strip())[-1] if "://" in text else text.strip()
    return _FREQUENCY_OF.get(word.strip(". ").lower().replace(" ", "_"), "unknown")


EU_THEMES = {
    "AGRI": "agriculture",
    "ECON": "economy",
    "EDUC": "education",
    "ENER": "environment",
    "ENVI": "environment",
    "GOVE": "government",
    "HEAL": "health",
    "INTR": "government",
    "JUST": "safety",
    "REGI": "planning",
    "SOCI": "population",
    "TECH": "technology",
    "TRAN": "transport",
}
"""EU authority table `data-theme` → slugs of our themes."""

ISO_THEMES = {
    "farming": "agriculture",
    "biota": "environment",
    "boundaries": "planning",
    "climatologyMeteorologyAtmosphere": "environment",
    "disaster": "safety",
    "economy": "economy",
    "elevation": "planning",
    "environment": "environment",
    "extraTerrestrial": "technology",
    "geoscientificInformation": "environment",
    "health": "health",
    "imageryBaseMapsEarthCover": "planning",
    "inlandWaters": "environment",
    "intelligenceMilitary": "safety",
    "location": "planning",
    "oceans": "environment",
    "planningCadastre": "planning",
    "society": "population",
    "structure": "planning",
    "transportation": "transport",
    "utilitiesCommunication": "technology",
}
"""Topic categories of ISO 19115 → slugs of our themes."""


def format_of(text: str) -> str:
    """Upper-case short name of a format: from an authority address, a media type or a plain word."""
    plain = re.sub(r"\s*\([^()]*\)$", "", text.strip()) or text.strip()
    media = _MEDIA.get(plain.lower().strip(" .").partition(";")[0].removeprefix(_IANA))
    word = media or re.split(r"[/#]", plain)[-1]
    return re.sub(r"[^\w+.-]+", "-", word).strip("-.").upper()[:40]


_IANA = "https://www.iana.org/assignments/media-types/"
_MEDIA = {
    "text/csv": "CSV",
    "text/tab-separated-values": "TSV",
    "application/json": "JSON",
    "application/geo+json": "GEOJSON",
    "application/vnd.geo+json": "GEOJSON",
    "application/vnd.ms-excel": "XLS",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": "XLSX",
    "application/vnd.oasis.opendocument.spreadsheet": "ODS",
    "application/xml": "XML",
    "text/xml": "XML",
    "text/html": "HTML",
    "application/pdf": "PDF",
    "application/zip": "ZIP",
    "application/rdf+xml": "RDF",
    "text/turtle": "TURTLE",
    "application/ld+json": "JSON-LD",
    "application/vnd.google-earth.kml+xml": "KML",
    "application/vnd.google-earth.kmz": "KMZ",
    "application/vnd.ogc.wms_xml": "WMS",
    "application/vnd.ogc.wfs_xml": "WFS",
    "application/geopackage+sqlite3": "GPKG",
    "application/x-shapefile": "SHP",
    "application/vnd.apache.parquet": "PARQUET",
    "text/plain": "TXT",
    "web page": "HTML",
    "htm": "HTML",
    "ogc wms": "WMS",
    "ogc wfs": "WFS",
    "shapefile": "SHP",
    "esri shapefile": "SHP",
    "geopackage": "GPKG",
    "zip+csv": "CSV",
    "csv+zip": "CSV",
    "zip+xml": "XML",
    "xml+zip": "XML",
    "geo json": "GEOJSON",
    "excel": "XLSX",
}

MEDIA_TYPES = {
    "CSV": "text/csv",
    "TSV": "text/tab-separated-values",
    "JSON": "application/json",
    "JSONL": "application/x-ndjson",
    "GEOJSON": "application/geo+json",
    "XLSX": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "XLS": "application/vnd.ms-excel",
    "ODS": "application/vnd.oasis.opendocument.spreadsheet",
    "SHP": "application/x-shapefile",
    "GPKG": "application/geopackage+sqlite3",
    "PARQUET": "application/vnd.apache.parquet",
}
"""Short name → media type, for formats that tables are read from."""

_MONTHS = {
    name: number
    for number, names in enumerate(
        [
            "january jan",
            "february feb",
            "march mar",
            "april apr",
            "may",
            "june jun",
            "july jul",
            "august aug",
            "september sep sept",
            "october oct",
            "november nov",
            "december dec",
        ],
        start=1,
    )
    for name in names.split()
}


def moment_of(text: str) -> str:
    """The moment as ISO 8601, or nothing where the text is no date or can be read in two ways.

    It is in UTC if the text says its zone; a mere day begins in UTC. A time of day without a zone
    gets none here: it is of the source's own clock.
    """
    found = _moment(text)
    if found is None:
        return ""
    return (found.astimezone(UTC) if found.tzinfo else found).isoformat()


def day_of(text: str) -> str:
    """The day as ISO 8601, as it was written, or nothing."""
    found = _moment(text)
    return found.date().isoformat() if found else ""


def period_of(text: str) -> str:
    """A year or a month as it stands, else the day, or nothing."""
    plain = text.strip()
    if re.fullmatch(r"[12]\d{3}(-(0[1-9]|1[0-2]))?", plain):
        return plain
    return day_of(plain)


def _moment(text: str) -> datetime | None:
    plain = text.strip()
    found = _iso(plain) or _by_digits(plain) or _in_words(plain) or _mail(plain)
    return found if found and 1000 <= found.year <= 2999 else None


def _iso(text: str) -> datetime | None:
    if not re.match(r"\d{4}-\d", text):
        return None
    try:
        found = datetime.fromisoformat(text)
        return found.replace(tzinfo=UTC) if len(text) <= len("2024-05-31") else found
    except ValueError:
        day = re.match(
            r"\d{4}-\d{2}-\d{2}(?=Z|[+-]\d{2}:\d{2}|$)", text
        )  # xsd:date with a time zone
        return _day(*map(int, day[0].split("-"))) if day else None


def _by_digits(text: str) -> datetime | None:
    """Years, months and days written with digits in any of the usual ways."""
    chinese = re.fullmatch(r"(\d{4})年(?:(\d{1,2})月(?:(\d{1,2})日)?)?", text)
    ordered = re.fullmatch(r"(\d{4})(?:[-/.](\d{1,2})(?:[-/.](\d{1,2}))?)?", text)
    packed = re.fullmatch(r"(\d{4})(\d{2})(\d{2})", text)
    if match := chinese or ordered or packed:
        return _day(*(int(part or 1) for part in match.groups()))
    if match := re.fullmatch(r"(\d{1,2})[-/.](\d{1,2})[-/.](\d{4})", text):
        first, second, year = map(int, match.groups())
        if first == second or first > 12:
            return _day(year, second, first)
        return _day(year, first, second) if second > 12 else None
    return None


def _in_words(text: str) -> datetime | None:
    """`1 May 2014`, `May 1, 2014`, `May 2014`."""
    words = [word for word in re.split(r"[\s,.]+", text.lower()) if word]
    months = [_MONTHS[word] for word in words if word in _MONTHS]
    others = [word for word in words if word not in _MONTHS]
    digits = [re.sub(r"(st|nd|rd|th)$", "", word) for word in others]  # codespell:ignore nd
    if len(months) != 1 or not digits or not all(word.isdecimal() for word in digits):
        return None
    years = [int(word) for word in digits if len(word) == 4]
    days = [int(word) for word in digits if len(word) <= 2]
    if len(years) != 1 or len(years) + len(days) != len(digits) or len(days) > 1:
        return None
    return _day(years[0], months[0], *(days or [1]))


def _mail(text: str) -> datetime | None:
    try:
        return parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None


def _day(year: int, month: int, day: int) -> datetime | None:
    try:
        found = date(year, month, day)
    except ValueError:
        return None
    return datetime(found.year, found.month, found.day, tzinfo=UTC)


def plain_tag(tag: str, default: str) -> str:
    """The language tag under which a text is kept.

    `en-GB` is English, but `nl-t-en` (a machine translation) is not Dutch and keeps its own tag.
    """
    lower = tag.strip().lower().replace("_", "-")
    if not lower or lower == "und":
        return default
    if "-t-" in lower:
        return lower[:35]
    return lower.partition("-")[0][:8]


_LANGUAGES = dict(
    pair.split(":")
    for pair in ["ENG:en", "ZHO:zh", "CHI:zh", "NLD:nl", "DUT:nl", "FRA:fr", "FRE:fr", "DEU:de", "GER:de", "SPA:es", "ITA:it", "JPN:ja", "KOR:ko", "POR:pt", "RUS:ru", "ARA:ar", "POL:pl", "SWE:sv", "DAN:da", "FIN:fi", "BUL:bg", "CES:cs", "CZE:cs", "ELL:el", "GRE:el", "EST:et", "GLE:ga", "HRV:hr", "HUN:hu", "LAV:lv", "LIT:lt", "MLT:mt", "RON:ro", "RUM:ro", "SLK:sk", "SLV:sl", "NOR:no", "NOB:nb", "NNO:nn", "ISL:is", "TUR:tr", "UKR:uk", "CAT:ca", "EUS:eu", "GLG:gl"]
)  # fmt: skip


def language_of(text: str) -> str:
    """The language tag of an authority's address or code (`…/language/DEU`, `ger`, `de-AT`), or nothing."""
    word = re.split(r"[/#]", text.strip().rstrip("/"))[-1]
    if word.upper() in _LANGUAGES:
        return _LANGUAGES[word.upper()]
    tag = word.replace("_", "-")
    return tag if re.fullmatch(r"[a-z]{2}(-[A-Za-z]{2,4})*", tag) else ""


def texts_of(pairs: list[tuple[str, str]], default: str) -> dict[str, str]:
    """Texts by language; of several texts in one language the first in order is kept."""
    texts: dict[str, str] = {}
    for tag, text in sorted(pairs):
        if text.strip():
            texts.setdefault(plain_tag(tag, default), text.strip())
    return texts
