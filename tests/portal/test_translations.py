"""Chinese: every sentence is collected and translated, and no page says one in English."""

from __future__ import annotations

import ast
import json
import re
from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from urllib.parse import parse_qsl, urldefrag, urljoin, urlsplit

import pytest
from babel.messages import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.pofile import read_po
from bs4 import BeautifulSoup, Tag
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.models.base import new_id, now
from catalog.permissions import ANYONE
from catalog.schemas.account import RegisterDraft
from catalog.services import accounts
from harvesters.models import HarvestRecord, HarvestRun, HarvestSource, RunState
from portal.filters import sentence
from portal.languages import LANGUAGES, TRANSLATIONS
from tests.make_dataset import make_organization, make_theme, put
from tests.make_page import page
from tests.make_source import make_source
from tests.make_table_page import link_map, make_loaded_table, make_table_of_files

ROOT = Path(__file__).parents[2]
PACKAGES = ("catalog", "harvesters", "api", "portal")
PLACE = re.compile(r"%\((\w+)\)([sd])")
MARKUP = re.compile(r"</?[a-z][^>]*>")
PHRASE = re.compile(r"[A-Za-z]{2,}[,;:]?\s+[A-Za-z]{2,}")
"""Two English words: one alone may be a name, such as CSV."""
PASSWORD = "correct horse battery"
SAID = (
    "aria-label",
    "title",
    "alt",
    "placeholder",
    "data-label-play",
    "data-label-pause",
    "data-copy",
)
"""Attributes that people see or hear."""
MOST_PAGES = 600


@lru_cache(maxsize=1)
def catalogue() -> Catalog:
    """The Chinese sentences as they are kept."""
    with (TRANSLATIONS / "zh" / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file, locale="zh")


def messages() -> list[Message]:
    return [message for message in catalogue() if message.id]


def ids_of(message: Message) -> tuple[str, ...]:
    return tuple(message.id) if isinstance(message.id, list | tuple) else (message.id,)


def texts_of(message: Message) -> tuple[str, ...]:
    found = message.string
    return tuple(found) if isinstance(found, list | tuple) else (found or "",)


@lru_cache(maxsize=1)
def collected() -> frozenset[str]:
    """The sentences that the sources hold now."""
    with (TRANSLATIONS / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file, "babel.cfg")  # type: ignore[no-untyped-call] # Babel has no types for it
    given = (TRANSLATIONS / "keywords").read_text().replace("-k", " ").split()
    found = extract_from_dir(
        ROOT,
        methods,
        options,
        {**DEFAULT_KEYWORDS, **parse_keywords(given)},
        directory_filter=_is_source,
    )
    return frozenset(
        id_ for entry in found for id_ in (entry[2] if isinstance(entry[2], tuple) else (entry[2],))
    )


def _is_source(folder: str) -> bool:
    parts = Path(folder).relative_to(ROOT).parts
    return not parts or parts[0] in PACKAGES


# The file


def test_chinese_has_one_form_for_all_numbers() -> None:
    header = (TRANSLATIONS / "zh" / "LC_MESSAGES" / "messages.po").read_text().split("\n\n")[0]
    assert '"Language: zh\\n"' in header
    assert '"Plural-Forms: nplurals=1; plural=0;\\n"' in header
    assert catalogue().num_plurals == 1


def test_every_sentence_is_translated() -> None:
    assert not [m.id for m in messages() if m.fuzzy or not all(texts_of(m))]


def test_every_sentence_of_the_sources_is_there() -> None:
    known = {id_ for message in messages() for id_ in ids_of(message)}
    missing, needless = collected() - known, known - collected()
    assert not missing, "run `make messages` and translate these"
    assert not needless, "run `make messages`: these are not used any more"


def test_places_and_markup_are_kept() -> None:
    for message in messages():
        for text in texts_of(message):
            wanted = ids_of(message)[-1]
            assert sorted(PLACE.findall(text)) == sorted(PLACE.findall(wanted)), message.id
            assert sorted(MARKUP.findall(text)) == sorted(MARKUP.findall(wanted)), message.id
            assert text.count("%%") == wanted.count("%%"), message.id
            assert text.count("`") == wanted.count("`"), message.id


def test_sentences_end_as_their_originals_do() -> None:
    for message in messages():
        original = ids_of(message)[-1]
        ends = original.endswith(".") and not original.endswith(("...", "n.d."))
        assert texts_of(message)[0].endswith(("。", "……")) == ends, message.id


def test_chinese_has_chinese_punctuation() -> None:
    halves = re.compile(
        r"[\u4e00-\u9fff][,;:?!](?!\w)|[,;?!][\u4e00-\u9fff]|[\u4e00-\u9fff]\.(?!\w)"
    )
    assert not [m.id for m in messages() for text in texts_of(m) if halves.search(text)]


# The sources

COLLECTED = {word.partition(":")[0] for word in (TRANSLATIONS / "keywords").read_text().split()} - {
    "-k",
    "ValidationError",
}


@pytest.mark.parametrize("package", PACKAGES)
def test_errors_are_raised_with_sentences_that_can_be_collected(package: str) -> None:
    """An f-string is filled before anybody can translate it; validation has sentences.py for that."""
    for path in sorted((ROOT / package).rglob("*.py")):
        if path.is_relative_to(ROOT / "api" / "ckan"):
            continue  # CKAN's clients look for words of CKAN's own sentences, which stay English
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in COLLECTED:
                assert not any(isinstance(said, ast.JoinedStr) for said in node.args[:1]), (
                    f"{path}:{node.lineno}"
                )


@pytest.mark.parametrize(
    "path", sorted((ROOT / "portal" / "assets" / "js").glob("*.js")), ids=lambda path: path.name
)
def test_scripts_take_their_words_from_the_page(path: Path) -> None:
    code = re.sub(r"(?m)^\s*//.*$", "", path.read_text())
    words = re.findall(r"""(?:textContent|innerText|innerHTML|title)\s*=\s*["'`]([^"'`]*)""", code)
    words += re.findall(r"""setAttribute\("aria-\w+",\s*["'`]([^"'`]*)""", code)
    assert not [said for said in words if PHRASE.search(said) or said.istitle()]


# The pages


@lru_cache(maxsize=1)
def english() -> tuple[tuple[str, str], ...]:
    """What no Chinese page may say: the fixed parts of every sentence with two words, and the sentence."""
    found: dict[str, str] = {}
    for message in messages():
        text = texts_of(message)[0].casefold()
        for id_ in ids_of(message):
            for part in re.split(r"%\(\w+\)[sd]|<[^>]*>|%%", id_):
                piece = " ".join(part.split()).strip(" .:;,()“”").casefold()
                if PHRASE.search(piece) and piece not in text:
                    found[piece] = id_
    return tuple(found.items())


def said_in_english(words: str) -> list[str]:
    text = " ".join(words.split()).casefold()
    return [
        id_
        for piece, id_ in english()
        if piece in text and re.search(rf"\b{re.escape(piece)}", text)
    ]


def visible(soup: BeautifulSoup) -> str:
    """What people read and hear of a page, without scripts, code and content in other languages."""
    for element in soup.select('script, style, [lang="en"]:not(html), [translate="no"]'):
        element.decompose()
    said = [str(element[name]) for name in SAID for element in soup.select(f"[{name}]")]
    said += [str(element["content"]) for element in soup.select('meta[name="description"]')]
    return " | ".join([*said, soup.get_text(" | ")])


def here(address: str, base: str) -> str | None:
    """The path of a link to another Chinese page, else nothing."""
    parts = urlsplit(urldefrag(urljoin(base, address)).url)
    if parts.netloc not in ("", "localhost") or not parts.path.startswith("/zh/"):
        return None
    if re.search(r"\.\w+$|/sign-out", parts.path):
        return None
    return f"{parts.path}?{parts.query}" if parts.query else parts.path


def kind_of(address: str) -> tuple[str, ...]:
    """Pages that differ in values only are of one kind."""
    parts = urlsplit(address)
    pairs = sorted(
        f"{name}={value}" if name in {"view", "kind", "agg"} else name
        for name, value in parse_qsl(parts.query)
    )
    return (re.sub(r"[0-9a-f-]{30,}", "id", parts.path), *pairs)


def walk(client: FlaskClient, *starts: str) -> Iterator[tuple[str, BeautifulSoup]]:
    """The pages that links lead to, one of each kind."""
    waiting, seen = deque(starts), {kind_of(start) for start in starts}
    while waiting and len(seen) < MOST_PAGES:
        address = waiting.popleft()
        response = client.get(address, follow_redirects=True)
        assert response.status_code == 200, (address, response.status_code)
        soup = BeautifulSoup(response.text, "html.parser")
        assert isinstance(soup.html, Tag)
        assert soup.html["lang"] == "zh-Hans", address
        for link in soup.select("a[href]"):
            found = here(str(link["href"]), f"http://localhost{address}")
            if found and kind_of(found) not in seen:
                seen.add(kind_of(found))
                waiting.append(found)
        yield address, soup


def make_map(tmp_path: Path) -> str:
    """A table whose areas have outlines."""
    ring = [[121, 31], [122, 31], [122, 32], [121, 32], [121, 31]]
    feature = {
        "type": "Feature",
        "properties": {"name": "黄浦区"},
        "geometry": {"type": "Polygon", "coordinates": [ring]},
    }
    outlines = tmp_path / "outlines.geojson"
    outlines.write_text(json.dumps({"type": "FeatureCollection", "features": [feature]}))
    drawn = make_table_of_files([outlines], slug="outlines", title={"zh": "区界"})
    rows = [
        {"day": f"2020-01-0{day}", "name": name, "cases": day}
        for day in (1, 2, 3)
        for name in ("黄浦区", "境外")
    ]
    counts = make_loaded_table(rows, slug="counts", title={"zh": "病例"}, frequency="daily")
    link_map(counts, drawn, join=[["name", "name"]], day="day", value="cases")
    return counts


def make_runs() -> None:
    """Sources whose runs are in every state, with problems of several sorts."""
    for at, state in enumerate(RunState):
        kinds = ("dcat", "datapackage", "jkan", "sql")
        make_run(
            make_source(kinds[at % 4], "https://example.org/x", f"source-{state.value}"), state
        )


def make_run(source: HarvestSource, state: RunState) -> None:
    """A run with problems of records and files."""
    problem = {
        "message": "%(url)s is larger than %(limit)s bytes",
        "context": {"url": "x", "limit": 1},
    }
    refused = {
        "message": "the description of this dataset cannot be used",
        "context": {},
        "problems": {
            "title": ["Missing data for required field.", "At most 40 languages."],
            "resources": {"0": {"key": ["Length must be between 1 and 500."]}},
        },
    }
    run = HarvestRun(
        id=new_id(), source_id=source.id, state=state, created_at=now(), ended_at=now(),
        seen=3, created=1, changed=1, same=1, refused=1, retired=1, to_load=2, loaded=1,
        load_failed=1, notes=[problem], problem=problem if state is RunState.FAILED else None,
    )  # fmt: skip
    with transaction():
        db.session.add(run)
        db.session.flush()
        for step in ("record", "load"):
            fields = {"key": "1", "step": step, "error": refused, "raw": '{"a": 1}'}
            db.session.add(HarvestRecord(run_id=run.id, **fields))
        db.session.get_one(HarvestSource, source.id).last_run_id = run.id


@pytest.fixture
def filled(app: Flask, tmp_path: Path) -> str:
    """A portal with something on every page; the id of a table."""
    make_organization("ecology", title={"zh": "生态局"}, description={"zh": "**环境**"})
    make_organization("bank", title={"zh": "世界银行"}, kind="external")
    make_theme("environment", title={"zh": "环境"})
    for access in ("open", "on_application", "closed"):
        put(
            access, slug=f"access-{access}", title={"zh": "空气", "nl": "Lucht"}, access=access,
            themes=["environment"], tags=["空气"], license="CC-BY-4.0", frequency="daily",
            spatial="上海", temporal_start="2020", issued="2020-01-01T00:00:00Z",
            modified="2020-01-01T00:00:00Z", landing_page="https://example.org/", contact="a@example.org",
            access_reason={"zh": "保密"}, description={"zh": "每日"},
            resources=[{"key": "a", "format": "CSV", "url": "https://example.org/a.csv"}],
        )  # fmt: skip
    for number in range(25):
        put(f"n{number}", slug=f"n{number}", title={"zh": f"数据{number}"}, frequency="never")
    make_runs()
    return make_map(tmp_path)


def test_no_page_says_a_sentence_in_english(client: FlaskClient, filled: str) -> None:
    table = f"/zh/tables/{filled}"
    starts = (
        "/zh/",
        f"{table}?page=2&size=1",
        f"{table}?column=cases&op=at_least&value=much",
        f"{table}?filter=cases&view=chart&kind=scatter&x=name&y=name",
        f"{table}?view=chart&kind=bar&x=name&agg=avg&y=cases&series=name",
        "/zh/sources/source-failed",
        "/zh/datasets?q=qqqq&format=CSV",
        "/zh/datasets?organization=ecology&access=open&sort=title",
    )
    seen = {}
    for address, soup in walk(client, *starts):
        seen[address] = said_in_english(visible(soup))
    assert len(seen) > 60
    assert not {address: said for address, said in seen.items() if said}
    paths = {urlsplit(address).path for address in seen}
    assert {
        "/zh/organizations",
        "/zh/sources/source-failed",
        "/zh/developers",
        "/zh/accessibility",
    } <= paths


def test_english_is_noticed(client: FlaskClient, app: Flask) -> None:
    for path in ("/en/", "/en/datasets", "/en/about", "/en/account/sign-in", "/en/nothing"):
        soup = BeautifulSoup(client.get(path).text, "html.parser")
        assert len(said_in_english(visible(soup))) > 3, path


def test_no_page_of_an_account_says_a_sentence_in_english(client: FlaskClient, app: Flask) -> None:
    draft = RegisterDraft("wang@example.org", "王小明", PASSWORD)
    accounts.register(ANYONE, draft, address="192.0.2.7")
    answers = [client.get("/zh/account/sign-in").text, client.get("/zh/account/register").text]
    for path, values in (
        ("register", {"name": "", "email": "x", "password": "1"}),
        ("register", {"name": "王", "email": "wang@example.org", "password": PASSWORD + "!"}),
        ("sign-in", {"email": "", "password": ""}),
        ("sign-in", {"email": "wang@example.org", "password": "wrong password"}),
        ("sign-in", {"email": "wang@example.org", "password": PASSWORD}),
        ("password", {"present": "wrong", "password": "short", "again": "other"}),
        ("keys", {"name": ""}),
        ("keys", {"name": "钥匙"}),
    ):
        answers.append(sent(client, f"/zh/account/{path}", values))
    answers += [client.get(f"/zh/account/{path}").text for path in ("", "password")]
    revoke = re.search(r'href="(/zh/account/keys/[^"]+)"', client.get("/zh/account/").text)
    assert revoke is not None
    answers.append(client.get(revoke[1]).text)
    answers.append(sent(client, revoke[1], {}))
    for answer in answers:
        assert not said_in_english(visible(BeautifulSoup(answer, "html.parser")))


def sent(client: FlaskClient, path: str, values: dict[str, str]) -> str:
    """What follows when the form is sent."""
    at = path if client.get(path).status_code == 200 else "/zh/account/"
    token = re.search(r'name="csrf_token" value="([^"]+)"', client.get(at).text)
    assert token is not None, path
    response = client.post(path, data={"csrf_token": token[1], **values}, follow_redirects=True)
    assert response.status_code < 500
    return response.text


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/zh/nothing", 404),
        ("/zh/datasets/nothing", 404),
        ("/zh/tables/nothing", 404),
        ("/zh/datasets?updated=x", 400),
        ("/zh/sources/nothing", 404),
    ],
)
def test_no_error_page_says_a_sentence_in_english(
    client: FlaskClient, app: Flask, path: str, status: int
) -> None:
    assert not said_in_english(visible(page(client, path, status)))


@pytest.mark.parametrize(
    "path",
    [
        "nothing",
        "datasets?limit=x&nothing=1",
        "datasets?limit=1000&sort=x&updated=x",
        "datasets/nothing",
        "tables/{table}/rows?where=nothing%3D1",
        "tables/{table}/rows?where=%28%28",
        "tables/{table}/rows?cursor=x",
        "tables/{table}/rows?order_by=nothing&limit=0",
        "tables/{table}/group?measures=avg(name)",
        "tables/{table}/download.zip",
    ],
)
def test_no_problem_of_the_api_is_in_english(client: FlaskClient, app: Flask, path: str) -> None:
    table = make_loaded_table([{"name": "黄浦区"}])
    response = client.get(
        f"/api/v1/{path.format(table=table)}", headers={"Accept-Language": "zh-CN"}
    )
    assert 400 <= response.status_code < 500
    found = response.get_json()
    said = json.dumps([found["title"], found["detail"], found.get("problems")], ensure_ascii=False)
    assert not said_in_english(said)
    assert re.search(r"[\u4e00-\u9fff]", found["title"])
    assert re.search(r"[\u4e00-\u9fff]", found["detail"])


def test_the_description_of_the_api_is_chinese(client: FlaskClient) -> None:
    whole = client.get("/api/v1/openapi.json?lang=zh").get_json()
    assert not said_in_english(json.dumps(whole["paths"], ensure_ascii=False))
    assert not said_in_english(whole["info"]["description"])


def test_a_problem_inside_of_a_note_is_translated(app: Flask) -> None:
    inner = {"message": "%(file)s is empty.", "context": {"file": "a.csv"}}
    kept = {"message": "Left out: %(problem)s", "context": {"problem": inner}}
    with app.test_request_context("/zh/"):
        app.preprocess_request()
        assert sentence(kept) == "已略去：a.csv 是空文件。"


def test_languages_are_those_of_the_portal() -> None:
    kept = {path.parent.parent.name for path in TRANSLATIONS.glob("*/LC_MESSAGES/*.po")}
    assert kept | {"en"} == set(LANGUAGES)
