"""Words of other systems in ours."""

from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.models.license import LICENSES
from catalog.models.vocabulary import Frequency
from harvesters.terms import (
    _FREQUENCIES,
    _LICENSE_MARKS,
    day_of,
    format_of,
    frequency_of,
    license_of,
    moment_of,
    plain_tag,
    texts_of,
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2024-05-31", "2024-05-31"),
        ("2024-05-31T23:30:00-02:00", "2024-06-01"),
        ("2024-05-31+02:00", "2024-05-31"),
        ("2024-05-31Z", "2024-05-31"),
        ("2015-03-02T17:48:11.428980", "2015-03-02"),
        ("2024", "2024-01-01"),
        ("2024-05", "2024-05-01"),
        ("20240531", "2024-05-31"),
        ("2024年5月31日", "2024-05-31"),
        ("2024年5月", "2024-05-01"),
        ("2024/5/31", "2024-05-31"),
        ("31/05/2024", "2024-05-31"),
        ("05/31/2024", "2024-05-31"),
        ("04/04/2024", "2024-04-04"),
        ("31.05.2024", "2024-05-31"),
        ("May 31, 2024", "2024-05-31"),
        ("31 May 2024", "2024-05-31"),
        ("31st May 2024", "2024-05-31"),
        ("May 2024", "2024-05-01"),
        ("Wed, 21 Oct 2015 07:28:00 GMT", "2015-10-21"),
        ("05/06/2024", ""),
        ("2024-13-40", ""),
        ("31/02/2024", ""),
        ("R/P1D", ""),
        ("recently", ""),
        ("2011 - present", ""),
        ("May June 2024", ""),
        ("", ""),
        ("0000-01-01", ""),
        ("99/99/2024", ""),
        ("Wed, 21 Oct 2015 07:28:00 +999999999999999999", ""),
    ],
)
def test_dates_of_every_form(text: str, expected: str) -> None:
    assert moment_of(text)[:10] == expected


@given(st.text(max_size=40))
def test_no_text_breaks_dates(text: str) -> None:
    assert moment_of(text) == "" or moment_of(text).endswith("+00:00")


@given(st.dates(min_value=date(1000, 1, 2), max_value=date(2999, 12, 30)))
def test_iso_days_stay_what_they_are(day: date) -> None:
    assert moment_of(str(day))[:10] == str(day)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://publications.europa.eu/resource/authority/licence/CC0", "CC0-1.0"),
        ("https://creativecommons.org/licenses/by/4.0/", "CC-BY-4.0"),
        ("http://publications.europa.eu/resource/authority/licence/CC_BY_4_0", "CC-BY-4.0"),
        ("CC-BY-4.0", "CC-BY-4.0"),
        ("ODC-PDDL-1.0 http://opendatacommons.org/licenses/pddl/", "ODC-PDDL-1.0"),
        ("MIT", "MIT"),
        ("Apache License 2.0", "Apache-2.0"),
        ("WTFPL v2", "WTFPL"),
        ("CC-BY-NC-4.0", "other"),
        ("https://creativecommons.org/licenses/by-sa/4.0/", "other"),
        ("City of Philadelphia License", "other"),
        ("License Not Specified", "notspecified"),
        ("", "notspecified"),
        ("n/a", "notspecified"),
    ],
)
def test_licences(text: str, expected: str) -> None:
    found, kept = license_of(text)
    assert found == expected
    assert bool(kept) == (expected == "other")


def test_every_licence_and_frequency_is_known_to_the_catalogue() -> None:
    assert {name for name, _ in _LICENSE_MARKS} <= set(LICENSES)
    assert set(_FREQUENCIES) <= set(Frequency)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://publications.europa.eu/resource/authority/frequency/ANNUAL", "annual"),
        ("http://purl.org/cld/freq/monthly", "monthly"),
        ("R/P1D", "daily"),
        ("Weekly", "weekly"),
        ("As needed", "irregular"),
        ("每年", "annual"),
        ("2024-01-01", "unknown"),
        ("", "unknown"),
    ],
)
def test_frequencies(text: str, expected: str) -> None:
    assert frequency_of(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("http://publications.europa.eu/resource/authority/file-type/XLSX", "XLSX"),
        ("https://www.iana.org/assignments/media-types/text/csv", "CSV"),
        ("application/geo+json", "GEOJSON"),
        ("text/csv; charset=utf-8", "CSV"),
        ("GeoJSON", "GEOJSON"),
        ("esri rest", "ESRI-REST"),
        (".csv", "CSV"),
        ("csv.", "CSV"),
        ("zip+csv", "CSV"),
        ("Web Page", "HTML"),
        ("OGC WMS", "WMS"),
        ("CSV (Comma-Separated Values)", "CSV"),
        ("(x)", "X"),
        ("", ""),
    ],
)
def test_formats(text: str, expected: str) -> None:
    assert format_of(text) == expected


def test_machine_translations_keep_their_own_tag() -> None:
    assert plain_tag("nl-t-en", "en") == "nl-t-en"
    assert plain_tag("en-GB", "zh") == "en"
    assert plain_tag("", "zh") == "zh"
    assert plain_tag("und", "zh") == "zh"
    assert plain_tag("pt_BR", "zh") == "pt"
    texts = texts_of([("nl-t-en", "vertaald"), ("en", "own"), ("en", "again"), ("fr", " ")], "en")
    assert texts == {"nl-t-en": "vertaald", "en": "again"}


def test_a_time_without_a_zone_keeps_its_own_clock() -> None:
    assert moment_of("2023-08-04T16:03:32") == "2023-08-04T16:03:32"
    assert moment_of("2023-08-04T16:03:32+02:00") == "2023-08-04T14:03:32+00:00"
    assert moment_of("2023-08-04") == "2023-08-04T00:00:00+00:00"
    assert day_of("2023-08-04T00:30:00+02:00") == "2023-08-04"
