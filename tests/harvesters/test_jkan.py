"""The format `jkan`: front matter, free licences, HTML in texts."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from catalog.errors import Invalid, NotFound, Unreadable
from harvesters.formats.jkan import JKAN
from harvesters.harvester import Files
from harvesters.http import Http
from harvesters.markdown import markdown
from tests.harvesters.conftest import DEMO
from tests.make_server import Served, plain
from tests.make_source import draft_of, drafts, opened

FORMAT = JKAN()


def test_every_record_of_the_demo_is_taken(http: Http) -> None:
    found = drafts(FORMAT, str(DEMO / "intl-philadelphia-jkan"), http)
    assert len(found) == 70
    budget = found["city-operating-budget"]
    assert budget.title == {"en": "City Operating Budget"}
    assert (budget.license, budget.license_text) == ("other", "City of Philadelphia License")
    assert (budget.slug, budget.themes) == ("city-operating-budget", ("economy",))
    assert str(budget.issued)[:10] == "2015-03-02"
    assert budget.extras["publisher"] == "City of Philadelphia"
    assert len(budget.resources) == 18
    assert budget.resources[6].url.count(" ") == 0
    assert not any(resource.load for draft in found.values() for resource in draft.resources)


def record(folder: Path, http: Http, text: str, **options: object) -> Any:
    (folder / "a.md").write_text(text)
    (found,) = FORMAT.records(opened(FORMAT, str(folder), **options), http)
    return found.error or draft_of(FORMAT, found)


def test_a_small_record(folder: Path, http: Http) -> None:
    text = """---
title: "A: B"
modified: R/P1D
created: 2024-05-31
category: [Odd, "Health / Human Services"]
license:
source: not a page
resources:
- {name: A, url: "https://a.example/x y.csv", format: csv}
- {name: A, url: "https://a.example/x y.csv", format: csv}
- {url: "javascript:alert(1)"}
- nothing
---
text
"""
    draft = record(folder, http, text, themes={"Odd": "culture"}, load_files=True)
    assert (draft.title, draft.frequency, draft.themes) == (
        {"en": "A: B"},
        "daily",
        ("culture", "health"),
    )
    first, second, third = draft.resources
    assert first.key != second.key
    assert first.load["part"] == {"url": "https://a.example/x%20y.csv"}
    assert (third.title, third.url) == ({"en": "File"}, "")


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("no front matter", "has no front matter"),
        ("---\ntitle: x\n", "has no front matter"),
        ("---\na: [\n---\n", "is no YAML"),
        ("---\n- a\n---\n", "is no list of fields"),
        ("---\na: !!python/object/apply:os.system [ls]\n---\n", "is no YAML"),
        ("---\na: &a [x]\nb: [" + "*a, " * 60 + "]\n---\n", "repeats itself too often"),
        (
            "---\na: &a0 [x, x, x]\n"
            + "".join(f"b{n}: &a{n + 1} [*a{n}, *a{n}, *a{n}]\n" for n in range(16))
            + "---\n",
            "repeats itself too often",
        ),
        ("---\na: " + "[" * 40 + "]" * 40 + "\n---\n", "nested too deeply"),
        ("---\na: " + "[" * 5000 + "]" * 5000 + "\n---\n", "is no YAML|nested"),
        ("---\na: !!binary aGk=\n---\n", "no text, number or date"),
        ("---\na: 2024-99-99\n---\n", "is no YAML"),
    ],
)
def test_files_that_cannot_be_read_are_records_with_an_error(
    folder: Path, http: Http, text: str, words: str
) -> None:
    with pytest.raises(Unreadable, match=words):
        raise record(folder, http, text)


def test_a_file_in_another_encoding(folder: Path, http: Http) -> None:
    (folder / "a.md").write_bytes("---\ntitle: 上海\n---\n".encode("gb18030"))
    (folder / "b.txt").write_text("ignored")
    (found,) = FORMAT.records(opened(FORMAT, str(folder)), http)
    assert isinstance(found.error, Unreadable)
    (folder / "a.md").write_bytes(b"-" * 2_000_001)
    (found,) = FORMAT.records(opened(FORMAT, str(folder)), http)
    assert "larger than" in str(found.error)


def test_resources_that_are_no_list(folder: Path, http: Http) -> None:
    with pytest.raises(Invalid, match="is no list"):
        record(folder, http, "---\ntitle: x\nresources: {a: 1}\n---\n")


def test_a_missing_folder(folder: Path, http: Http) -> None:
    (folder / "x.md").write_text("")
    for place in ("none", "x.md"):
        with pytest.raises(NotFound):
            list(FORMAT.records(opened(FORMAT, str(folder / place)), http))


def test_linked_files_may_be_fetched(server: Served, http: Http, tmp_path: Path) -> None:
    server.behaviours["/a.csv"] = plain(b"x\n1\n")
    source = opened(FORMAT, "/unused")
    content = FORMAT.content(source, http, {"part": {"url": f"{server.url}/a.csv"}}, tmp_path)
    assert isinstance(content, Files)
    assert content.paths[0].read_text() == "x\n1\n"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("plain *text* [a](https://a.example)", "plain *text* [a](https://a.example)"),
        ("a < b & c > d", "a < b & c > d"),
        ("<p>One</p><p>Two<br>three</p>", "One\n\nTwo\n\nthree"),
        ('See <a href="https://a.example/x">here</a>.', "See [here](https://a.example/x)."),
        ('<a href="javascript:alert(1)">x</a>', "x"),
        ("<b>bold</b> <em>it</em>", "**bold** *it*"),
        ("<ul><li>a</li><li>b</li></ul>", "- a\n- b"),
        ("<script>alert(1)</script>safe<style>p{}</style>", "safe"),
        ("see <https://a.example/x>", "see [https://a.example/x](https://a.example/x)"),
        ("a &amp; b", "a & b"),
        ("</a></script><span>x</span>", "x"),
        ("<!DOCTYPE html><p>x<!-- <b>no</b> --></p>", "x"),
        ("<i>x</i><!-- cut off", "*x*"),
        ("<b>1</b> <2 and <a title=", "**1** <2 and <a title="),
        ("<b>x</b>" + "<a " * 50_000, "**x**" + ("<a " * 50_000).strip()),
        ("<a" * 200_000, "<a" * 200_000),
        (f"<b>x</b>{' ' * 100_000}y", f"**x**{' ' * 100_000}y"),
    ],
)
def test_html_becomes_markdown(text: str, expected: str) -> None:
    assert markdown(text) == expected


@given(st.text(alphabet="<>/ab&;=\"' \n-!", max_size=60))
def test_no_text_breaks_markdown(text: str) -> None:
    assert "<script" not in markdown(text)


def test_a_record_without_a_title_is_called_in_words(folder: Path, http: Http) -> None:
    (folder / "creal-program.md").write_text("---\ntitle:\n---\n", "utf-8")
    found = drafts(FORMAT, str(folder), http)
    assert found["creal-program"].title == {"en": "Creal program"}


def test_a_time_without_a_zone_is_left_to_whoever_knows_the_clock(folder: Path, http: Http) -> None:
    (folder / "a.md").write_text("---\ntitle: x\ncreated: '2023-08-04T16:03:32'\n---\n", "utf-8")
    (found,) = FORMAT.records(opened(FORMAT, str(folder)), http)
    assert FORMAT.describe(found)["issued"] == "2023-08-04T16:03:32"
