"""What templates say about values."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from flask import Flask, g
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from portal import dates, filters, languages


@pytest.fixture(params=["zh", "en"])
def lang(request: pytest.FixtureRequest, app: Flask) -> Iterator[str]:
    """Inside a request in each language."""
    with app.test_request_context(f"/{request.param}/"):
        g.lang = request.param
        yield request.param


@pytest.fixture
def english(app: Flask) -> Iterator[None]:
    """Inside a request in English."""
    with app.test_request_context("/en/"):
        g.lang = "en"
        yield


def test_a_text_is_chosen_and_its_language_marked(lang: str) -> None:
    both = {"zh": "空气", "en": "Air"}
    assert filters.text(both) == both[lang]
    assert filters.lang_attr(both) == ""
    assert filters.text({"nl": "Lucht"}) == "Lucht"
    assert filters.lang_attr({"nl": "Lucht"}) == ' lang="nl"'
    assert filters.lang_attr({'"><b>': "x"}) == ' lang="&#34;&gt;&lt;b&gt;"'
    assert filters.text({}) == filters.text(None) == ""
    assert filters.lang_attr(None) == ""


def test_a_chinese_text_on_an_english_page_is_marked_as_simplified_chinese(english: None) -> None:
    assert filters.lang_attr({"zh": "空气"}) == ' lang="zh-Hans"'


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("nl", "Nederlands"),
        ("zh", "中文"),
        ("fr-t-nl", "Français (machine translation)"),
        ("xx", "xx"),
        ("!", "!"),
    ],
)
def test_languages_have_their_own_names(english: None, tag: str, name: str) -> None:
    assert filters.language_name(tag) == name


@pytest.mark.parametrize(
    ("value", "shown"), [(0, "0"), (1234567, "1,234,567"), (-5, "-5"), (None, ""), (2.5, "2.5")]
)
def test_thousands_are_grouped(value: float | None, shown: str) -> None:
    assert filters.number(value) == shown


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (0, "0", "0"),
        (99_999, "99,999", "99,999"),
        (140_256, "14万", "140K"),
        (1_966_000, "197万", "1.97M"),
        (23_000_000, "2,300万", "23M"),
        (512_000_000, "5.12亿", "512M"),
        (7_000_000_000, "70亿", "7B"),
    ],
)
def test_large_figures_are_short(lang: str, value: int, zh: str, en: str) -> None:
    assert filters.compact(value) == {"zh": zh, "en": en}[lang]


@pytest.mark.parametrize(
    ("value", "zh", "en"),
    [
        (date(2026, 1, 2), "2026年1月2日", "2 January 2026"),
        ("2026-01-02", "2026年1月2日", "2 January 2026"),
        ("2026-01-01T20:00:00+00:00", "2026年1月2日", "2 January 2026"),
        (datetime(2026, 1, 1, 20, tzinfo=UTC), "2026年1月2日", "2 January 2026"),
        ("2014", "2014年", "2014"),
        ("2024-01", "2024年1月", "January 2024"),
        ("2024-13", "2024-13", "2024-13"),
        ("soon", "soon", "soon"),
        (None, "", ""),
    ],
)
def test_dates_are_said_in_the_time_of_the_city(
    lang: str, value: date | str | None, zh: str, en: str
) -> None:
    assert dates.format_date(value) == {"zh": zh, "en": en}[lang]


def test_moments_have_a_clock_and_dates_have_none(english: None) -> None:
    moment = datetime(2026, 1, 1, 20, 5, tzinfo=UTC)
    assert dates.format_moment(moment) == "2 January 2026 04:05 (UTC+8)"
    assert dates.format_moment("2026-01-02") == "2 January 2026"
    assert dates.format_moment("2026-01-01T20:05:00") == "2 January 2026 04:05 (UTC+8)"
    shown = dates.time_element(moment, clock=True)
    assert shown == '<time datetime="2026-01-01T20:05:00+00:00">2 January 2026 04:05 (UTC+8)</time>'
    assert dates.time_element("<b>") == "&lt;b&gt;"
    assert dates.time_element(None) == ""


@pytest.mark.parametrize(
    ("zone", "shown"),
    [("UTC", "UTC"), ("America/St_Johns", "UTC-3:30"), ("Asia/Kolkata", "UTC+5:30")],
)
def test_a_clock_names_its_zone(zone: str, shown: str) -> None:
    assert dates._zone_name(datetime(2026, 1, 1, tzinfo=ZoneInfo(zone))) == shown


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [
        (0, "just now"),
        (-30, "just now"),
        (59, "just now"),
        (60, "1 minute ago"),
        (3599, "59 minutes ago"),
        (3600, "1 hour ago"),
        (86399, "23 hours ago"),
        (86400, "1 day ago"),
        (29 * 86400, "29 days ago"),
        (31 * 86400, "1 May 2026"),
        (-3600, "1 June 2026"),
    ],
)
def test_how_long_ago(english: None, seconds: int, shown: str) -> None:
    now = datetime(2026, 6, 1, 12, tzinfo=UTC)
    assert dates.ago(now - timedelta(seconds=seconds), now=now) == shown


def test_how_long_ago_of_texts(english: None) -> None:
    assert dates.ago("2014-01-01") == "1 January 2014"
    assert dates.ago(datetime.now(UTC).replace(tzinfo=None).isoformat()) == "just now"
    assert dates.ago(None) == ""


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, ""),
        (0, "0 B"),
        (999, "999 B"),
        (1000, "1 kB"),
        (1549, "1.5 kB"),
        (99_449, "99.4 kB"),
        (999_499, "999 kB"),
        (999_600, "1 MB"),
        (12_345_678, "12.3 MB"),
        (5 * 10**15, "5000 TB"),
    ],
)
def test_sizes(value: int | None, shown: str) -> None:
    assert filters.filesize(value) == shown


def test_stored_problems_become_sentences(lang: str) -> None:
    full_stop = {"zh": "。", "en": "."}[lang]
    assert (
        filters.sentence({"message": "row %(row)s is odd", "context": {"row": 3}})
        == f"Row 3 is odd{full_stop}"
    )
    assert (
        filters.sentence({"message": "row %(row)s is odd", "context": {"line": 3}})
        == f"Row %(row)s is odd{full_stop}"
    )
    assert filters.sentence({"message": "100 % wrong!", "context": {}}) == "100 % wrong!"
    assert filters.sentence({}) == filters.sentence(None) == filters.sentence({"message": ""}) == ""


def test_markdown_is_cleaned(english: None) -> None:
    source = (
        "# One\n\n[a](https://x.example) [b](javascript:alert) <b onclick=x>bold</b><script>alert(1)</script>\n\n"
        "| h |\n| - |\n| c |\n\n###### deep"
    )
    html = filters.markdown(source)
    assert '<a href="https://x.example" rel="nofollow noopener">a</a>' in html
    assert "javascript" not in html.replace("(javascript:alert)", "")
    assert "<b>bold</b>" in html
    assert "<h3>One</h3>" in html
    assert "<h6>deep</h6>" in html
    assert "<td>c</td>" in html
    assert "script" not in html.replace("(javascript:alert)", "")
    assert filters.markdown(None) == filters.markdown("") == ""


@settings(
    max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(st.text(alphabet=st.sampled_from("<>&\"'/=:()[]*_`#\n ajscriptonerhf!-"), max_size=120))
def test_no_markdown_gives_a_tag_or_attribute_that_is_not_allowed(source: str) -> None:
    import re

    html = str(filters.markdown(source))
    for name, attributes in re.findall(r"<([a-z0-9]+)([^>]*)>", html):
        assert name in filters.TAGS
        assert re.fullmatch(r'( (href|rel|start)="[^"]*")*', attributes.rstrip("/ ")), html
    assert not re.search(r'href="\s*(?!https?:|mailto:|[^:"]*")', html)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("**Bold** and *thin*", "Bold and thin"),
        ("[site](https://x.example) end", "site end"),
        ("snake_case stays", "snake_case stays"),
        ("a ## Heading - item", "a Heading item"),
        ("<p>Text</p>", "Text"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_cards_show_words_only(source: str, shown: str) -> None:
    assert filters.plain(source) == shown


def test_what_was_found_is_marked_and_escaped() -> None:
    assert filters.marked("<b> air", "air") == "&lt;b&gt; <mark>air</mark>"
    assert filters.marked("<b>", "") == "&lt;b&gt;"


@pytest.mark.parametrize(
    ("address", "link", "host"),
    [
        ("https://x.example/a", "https://x.example/a", "x.example"),
        ("HTTP://x.example", "HTTP://x.example", "x.example"),
        ("javascript:alert(1)", "#", "javascript:alert(1)"),
        ("data:text/html,x", "#", "data:text/html,x"),
        ("http://[broken", "http://[broken", "http://[broken"),
    ],
)
def test_links_lead_to_the_web_only(address: str, link: str, host: str) -> None:
    assert filters.web(address) == link
    assert filters.host(address) == host


def test_contacts() -> None:
    assert (
        filters.contact("a@b.example")
        == '<a class="govuk-link" href="mailto:a@b.example">a@b.example</a>'
    )
    assert 'href="https://b.example/x"' in filters.contact("https://b.example/x")
    assert filters.contact("The <Office> a@b.example.") == (
        'The &lt;Office&gt; <a class="govuk-link" href="mailto:a@b.example">a@b.example</a>.'
    )
    assert filters.contact("<b>, Room 3") == "&lt;b&gt;, Room 3"


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        ("60/minute;3000/day", "60 per minute, 3,000 per day"),
        ("5 per hour", "5 per hour"),
        ("7/fortnight", "7 fortnight"),
    ],
)
def test_limits(english: None, value: str, shown: str) -> None:
    assert filters.limits(value) == shown


def test_outside_of_a_request_sentences_are_english() -> None:
    assert languages.current() == "en"


def test_sentences_of_templates_are_kept_but_not_without_limit(
    english: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(languages, "_MARKED", {})
    monkeypatch.setattr(languages, "MOST_MARKED", 3)
    for number in range(10):
        assert (
            languages.translated(f"<i>{number}</i> %(x)s", x="<b>") == f"<i>{number}</i> &lt;b&gt;"
        )
    assert len(languages._MARKED) <= 3
    assert languages.counted("%(num)d row", "%(num)d rows", 2) == "2 rows"


@pytest.mark.parametrize("words", ["http://127.0.0.1/x is odd.", "air.csv is odd."])
def test_a_sentence_that_begins_with_a_name_keeps_its_letters(words: str) -> None:
    assert filters.sentence({"message": words}) == words
    assert filters.sentence({"message": "it is odd"}) == "It is odd."


def test_reasons_that_the_portal_writes_are_told_in_the_readers_language(lang: str) -> None:
    chinese = lang == "zh"
    assert filters.why("harvest of air") == ("自 air 采集" if chinese else "harvest of air")
    assert filters.why("upsert") == ("新增或更新行" if chinese else "rows inserted or updated")
    assert filters.why("四月更正") == "四月更正"
    assert filters.maker("scheduler") == ("本平台" if chinese else "the portal")
    assert filters.maker("王") == "王"
