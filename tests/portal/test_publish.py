"""The pages of publishers: the desk, the form of a dataset, decisions, history, what is withdrawn."""

from __future__ import annotations

from io import BytesIO

import pytest
from bs4 import BeautifulSoup
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db
from catalog.files import file_store
from catalog.models.account import Account
from catalog.models.vocabulary import MemberRole
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.services import collaborators, datasets, log, members, organizations, publishing
from tests.make_dataset import make_draft, make_organization, make_theme, put
from tests.make_office import make_person, send, signed_in
from tests.make_page import checked, page, words

FORM = {
    "organization": "ecology",
    "title_zh": "空气质量",
    "title_en": "Air quality",
    "description_en": "Hourly values",
    "license": "CC-BY-4.0",
    "access": "open",
    "frequency": "daily",
    "themes": "environment",
    "tags": "air\nwater",
    "spatial_box": "113.7, 22.4, 114.6, 22.9",
    "share_type": "conditional",
    "languages": "zh",
    "resources": "1",
    "resource_0_key": "k1",
    "resource_0_title_en": "Values",
    "resource_0_url": "https://example.org/a.csv",
    "resource_0_format": "csv",
}


@pytest.fixture
def office(app: Flask) -> str:
    make_theme()
    return make_organization("ecology").id


@pytest.fixture
def author(app: Flask, office: str) -> FlaskClient:
    make_person("li", office, MemberRole.EDITOR)
    return signed_in(app, "li")


@pytest.fixture
def approver(app: Flask, office: str) -> FlaskClient:
    make_person("wang", office, MemberRole.PUBLISHER)
    return signed_in(app, "wang")


def proposed(author: FlaskClient, **fields: str) -> str:
    answer = send(author, "/en/publish/datasets/new", {**FORM, "do": "submit", **fields})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def test_a_dataset_goes_from_the_form_to_the_public(
    author: FlaskClient, approver: FlaskClient, client: FlaskClient
) -> None:
    address = proposed(author)
    assert words(page(author, address), "h1") == ["New dataset Air quality"]
    said = dict(
        row.split(" ", 1)
        for row in words(page(author, address.replace("/en/", "/zh/")), ".weft-diff tr")
    )
    assert (said["主题"], said["提供部门"], said["更新周期"]) == ("环境", "ecology局", "每日")
    assert said["文件“Values”：格式"] == "CSV"
    assert client.get("/en/datasets/air-quality").status_code == 404
    desk = page(approver, "/en/publish?list=waiting")
    assert words(desk, ".weft-hit__title") == ["Air quality"]
    assert send(approver, address, {"do": "approve"}).status_code == 303
    shown = page(client, "/en/datasets/air-quality")
    assert "Hourly values" in shown.get_text()
    assert "https://example.org/a.csv" in str(shown)
    assert words(page(approver, "/en/publish/log"), "tbody tr td:nth-child(4)") == [
        "Dataset published",
        "Approved",
        "Submitted",
        "Draft saved",
        "Organization made",
    ]
    assert log.verify()[1] is None
    person = db.session.query(Account).filter_by(name="li").one()
    organization = organizations.show(ANYONE, "ecology")
    members.add(SCHEDULER, organization, person, MemberRole.PUBLISHER)
    collaborators.put(
        Identity(administrator=True), datasets.show(ANYONE, "air-quality"), person, "member"
    )
    told = words(page(approver, "/en/publish/log"), "tbody tr td:nth-child(5)")[:2]
    assert told == ["Air quality · li: may read", "Bureau of ecology · li: publisher"]


def test_what_is_missing_stands_at_its_field(author: FlaskClient) -> None:
    wrong = {**FORM, "do": "submit", "description_en": "", "spatial_code": "12x", "title_en": ""}
    answer = send(author, "/en/publish/datasets/new", {**wrong, "resource_0_url": "javascript:1"})
    assert answer.status_code == 422
    soup = checked(answer)
    links = [link["href"] for link in soup.select(".govuk-error-summary a")]
    assert links == ["#spatial_code", "#resource_0_url"]
    assert soup.select_one("#title_zh")["value"] == "空气质量"  # type: ignore[index] # it is there
    answer = send(
        author, "/en/publish/datasets/new", {**FORM, "do": "submit", "description_en": ""}
    )
    assert [one["href"] for one in checked(answer).select(".govuk-error-summary a")] == [
        "#description_zh"
    ]
    assert words(page(author, "/en/publish"), ".weft-desk__count")[0] == "0"


def test_files_are_added_moved_and_removed_without_scripts(author: FlaskClient) -> None:
    path = "/en/publish/datasets/new"
    two = {**FORM, "resources": "2", "resource_1_key": "k2", "resource_1_url": "https://b.example"}

    def urls(do: str) -> list[str]:
        soup = checked(send(author, path, {**two, "do": do}))
        return [str(one["value"]) for one in soup.select("[name$=_url]")]

    assert urls("add") == ["https://example.org/a.csv", "https://b.example", ""]
    assert urls("down-0") == ["https://b.example", "https://example.org/a.csv"]
    assert urls("remove-0") == ["https://b.example"]
    assert urls("up-0") == ["https://example.org/a.csv", "https://b.example"]


def test_a_proposal_is_returned_corrected_and_scheduled(
    author: FlaskClient, approver: FlaskClient, client: FlaskClient
) -> None:
    address = proposed(author)
    assert send(approver, address, {"do": "return", "remarks": " "}).status_code == 422
    send(approver, address, {"do": "return", "remarks": "Say how often"})
    assert "Say how often" in page(author, "/en/publish").get_text()
    edit = "/en/publish/datasets/air-quality/edit"
    assert send(author, edit, {**FORM, "tags": "air", "do": "submit"}).status_code == 303
    for moment in ("soon", "2020-01-01T08:00"):
        wrong = send(approver, address, {"do": "approve", "publish_at": moment})
        assert wrong.status_code == 422
        assert checked(wrong).select_one("#publish_at-error")
    assert send(approver, address, {"do": "approve", "publish_at": "2999-01-01T08:00"}).location
    assert "To be published" in page(author, address).get_text()
    assert client.get("/en/datasets/air-quality").status_code == 404


def test_editors_are_not_offered_what_publishers_may_do(
    author: FlaskClient, approver: FlaskClient
) -> None:
    address = proposed(author)
    send(approver, address, {"do": "approve"})
    manage = "/en/publish/datasets/air-quality/manage"
    link = f'a[href="{manage}"]'
    for where in (address, "/en/datasets/air-quality"):
        assert not page(author, where).select(link)
        assert page(approver, where).select(link)
    assert author.get(manage).status_code == 403
    assert page(approver, manage).select("#withdraw")


def test_a_change_shows_what_differs_and_can_be_taken_back(
    author: FlaskClient, approver: FlaskClient, client: FlaskClient
) -> None:
    send(approver, proposed(author), {"do": "approve"})
    edit = "/en/publish/datasets/air-quality/edit"
    saved = send(author, edit, {**FORM, "title_en": "Air", "reason": "shorter", "do": "submit"})
    changes = words(page(approver, saved.location), ".weft-diff tbody tr")
    assert changes == ["Title in English Air quality Air"]
    send(approver, saved.location, {"do": "approve"})
    compared = page(client, "/en/datasets/air-quality/history?from=1&to=2")
    assert words(compared, ".weft-diff tbody tr") == ["Title in English Air quality Air"]
    assert not compared.select("form[method=post]")
    history = "/en/datasets/air-quality/history"
    back = send(author, history, {"number": "1"})
    assert words(page(author, back.location), ".weft-diff tbody tr") == [
        "Title in English Air Air quality"
    ]
    assert page(client, "/en/datasets/air-quality/history?from=1&to=3", 404)
    edited = page(author, edit)
    assert "may be out of date" in edited.get_text()


def test_a_withdrawn_dataset_leaves_a_page_with_the_reason(
    office: str, approver: FlaskClient, client: FlaskClient
) -> None:
    put("Air quality", slug="air")
    manage = "/en/publish/datasets/air/manage"
    assert send(approver, manage, {"do": "withdraw"}).status_code == 422
    send(approver, manage, {"do": "withdraw", "reason_zh": "数据有误", "reason_en": "Wrong data"})
    gone = page(client, "/en/datasets/air", 410)
    assert "Air quality" in gone.get_text()
    assert "Wrong data" in gone.get_text()
    assert "数据有误" in page(client, "/zh/datasets/air", 410).get_text()
    api = client.get("/api/v1/datasets/air")
    assert (api.status_code, api.json["code"]) == (410, "gone")
    send(approver, manage, {"do": "publish"})
    assert client.get("/en/datasets/air").status_code == 200


def test_old_addresses_and_merged_datasets_lead_on(
    office: str, approver: FlaskClient, client: FlaskClient
) -> None:
    put("Air quality", slug="air")
    put("Air of the city", slug="air-2")
    send(approver, "/en/publish/datasets/air/manage", {"do": "rename", "slug": "Air!"})
    send(approver, "/en/publish/datasets/air/manage", {"do": "rename", "slug": "clean-air"})
    answer = client.get("/en/datasets/air")
    assert (answer.status_code, answer.location) == (301, "/en/datasets/clean-air")
    into = {"do": "merge", "into": "http://localhost/en/datasets/clean-air"}
    send(approver, "/en/publish/datasets/air-2/manage", into)
    answer = client.get("/en/datasets/air-2")
    assert (answer.status_code, answer.location) == (301, "/en/datasets/clean-air")


def test_nobody_outside_sees_the_desk_or_drafts(
    app: Flask, office: str, author: FlaskClient
) -> None:
    address = proposed(author)
    visitor = app.test_client()
    assert visitor.get("/en/publish").status_code == 302
    other = make_organization("water").id
    make_person("zhao", other, MemberRole.PUBLISHER)
    stranger = signed_in(app, "zhao")
    assert stranger.get(address).status_code == 404, "nobody hears of drafts"
    assert stranger.get("/en/publish/datasets/air-quality/edit").status_code == 404
    assert stranger.get("/en/publish/log?organization=ecology").status_code == 403
    assert words(page(stranger, "/en/publish?list=waiting"), ".weft-hit__title") == []
    assert author.get("/en/publish/log").status_code == 403


@pytest.mark.parametrize("lang", ["zh", "en"])
@pytest.mark.parametrize("name", ["mine", "waiting", "late", "wrong", "asked"])
def test_every_list_says_what_to_do_when_it_is_empty(
    author: FlaskClient, lang: str, name: str
) -> None:
    assert words(page(author, f"/{lang}/publish?list={name}"), ".weft-empty p")


def test_late_and_wrong_datasets_are_listed_with_what_is_wrong(
    office: str, author: FlaskClient
) -> None:
    put("Air", slug="air", frequency="daily", modified="2020-01-01", license="CC0-1.0")
    put("Fresh", slug="fresh", frequency="never", title={"zh": "新", "en": "Fresh"},
        description={"en": "x"}, license="CC0-1.0")  # fmt: skip
    assert words(page(author, "/en/publish?list=late"), ".weft-hit__title") == ["Air"]
    wrong = page(author, "/en/publish?list=wrong")
    assert words(wrong, ".weft-hit__title") == ["Air"]
    assert words(wrong, ".weft-hit .weft-badge") == [
        "The description is missing",
        "The title is missing in one language",
    ]


def test_the_page_of_the_log_names_the_newest_hash(client: FlaskClient, office: str) -> None:
    put("Air")
    number, digest, _ = log.newest()
    soup = page(client, "/en/about/log")
    assert digest in soup.get_text()
    assert number == 3  # the theme, the organization and its dataset


def test_a_harvested_dataset_is_changed_at_its_source(office: str, author: FlaskClient) -> None:
    put("Air", slug="air", key="r1")
    assert author.get("/en/publish/datasets/air/edit").status_code == 409


def test_a_draft_is_given_up(author: FlaskClient) -> None:
    address = proposed(author)
    send(author, address, {"do": "discard"})
    assert author.get(address).status_code == 404
    assert publishing.put(SCHEDULER, make_draft("Air quality")).dataset_id


def test_values_of_own_fields_are_chosen_and_typed(
    office: str, author: FlaskClient, approver: FlaskClient
) -> None:
    organizations.set_fields(
        SCHEDULER,
        "ecology",
        [
            {"name": "cost", "label": {"en": "Cost"}, "type": "number"},
            {"name": "checked", "label": {"en": "Checked"}, "type": "boolean"},
            {
                "name": "level",
                "label": {"en": "Level"},
                "type": "choice",
                "choices": [{"value": "a", "label": {"en": "High"}}, {"value": "b"}],
            },
        ],
    )
    typed = {"custom_cost": "1.5", "custom_checked": "false", "custom_level": "a"}
    wrong = send(author, "/en/publish/datasets/new", {**FORM, "do": "save", "custom_cost": "much"})
    assert [one["href"] for one in checked(wrong).select(".govuk-error-summary a")] == [
        "#custom_cost"
    ]
    address = proposed(author, **typed)
    assert send(approver, address, {"do": "approve"}).status_code == 303
    db.session.rollback()  # what the requests wrote is looked for
    assert datasets.show(ANYONE, "air-quality").custom == {
        "cost": 1.5,
        "checked": False,
        "level": "a",
    }
    form = page(author, "/en/publish/datasets/air-quality/edit")
    shown = {name: form.select_one(f"[name={name}]") for name in typed}
    assert shown["custom_cost"]["value"] == "1.5"  # type: ignore[index] # it is there
    chosen = [one.get_text() for one in form.select("select[name^=custom_] [selected]")]
    assert chosen == ["No", "High"]


def test_publication_by_people_dates_a_dataset_and_shows_what_was_approved(
    office: str, author: FlaskClient, approver: FlaskClient, client: FlaskClient
) -> None:
    first = proposed(author, issued="2024-05-31")
    send(approver, first, {"do": "approve"})
    db.session.rollback()  # what the requests wrote is looked for
    dataset = datasets.show(ANYONE, "air-quality")
    assert str(dataset.issued)[:10] == "2024-05-31"
    assert dataset.modified == dataset.published_at or dataset.modified > dataset.published_at
    edit = "/en/publish/datasets/air-quality/edit"
    form = page(author, edit)
    assert form.select_one("#issued")["value"] == "2024-05-31"  # type: ignore[index] # it is there
    assert form.select_one("#modified")["value"] == ""  # type: ignore[index] # it is there
    same = {**FORM, "issued": "2024-05-31", "do": "save", "seen": seen(form)}
    refused = send(author, edit, same)
    assert refused.status_code == 409
    assert "Nothing has changed" in refused.text
    second = str(send(author, edit, {**same, "tags": "air", "do": "submit"}).location)
    send(approver, second, {"do": "approve"})
    assert words(page(author, second), ".weft-diff tbody th") == ["Tags"]
    assert "Air quality" in page(author, first).select(".weft-diff")[0].get_text()
    updated = words(page(client, "/en/datasets?updated=week"), ".weft-hit__title")
    assert updated == ["Air quality"]


def test_a_text_that_is_still_right_is_no_longer_marked(
    office: str, author: FlaskClient, approver: FlaskClient
) -> None:
    send(approver, proposed(author), {"do": "approve"})
    edit = "/en/publish/datasets/air-quality/edit"
    for fields in ({"title_en": "Air"}, {"title_en": "Air", "still_right_title_zh": "1"}):
        form = page(author, edit)
        sent = send(author, edit, {**FORM, **fields, "do": "submit", "seen": seen(form)})
        assert sent.status_code == 303
        send(approver, str(sent.location), {"do": "approve"})
        marked = page(author, edit).select("[name^=still_right]")
        assert [one["name"] for one in marked] == (
            [] if "still_right_title_zh" in fields else ["still_right_title_zh"]
        )


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("languages", "klingon"),
        ("contact", "ask somebody"),
        ("slug", "new"),
        ("issued", "soon"),
        ("spatial_geometry", '{"type": "Feature"}'),
    ],
)
def test_what_is_no_code_contact_name_day_or_outline_is_refused_at_its_field(
    author: FlaskClient, field: str, value: str
) -> None:
    answer = send(author, "/en/publish/datasets/new", {**FORM, "do": "save", field: value})
    assert answer.status_code == 422
    links = [one["href"] for one in checked(answer).select(".govuk-error-summary a")]
    assert links == [f"#{field}"]
    (said,) = words(checked(answer), ".govuk-error-summary a")
    label = words(checked(answer), f"label[for={field}]")[0]
    assert said.startswith(f"{label}: ")


def test_who_may_not_decide_is_told_so(
    office: str, approver: FlaskClient, client: FlaskClient
) -> None:
    address = proposed(approver)
    refused = send(approver, address, {"do": "approve"}, form_at="/en/publish/datasets/new")
    assert refused.status_code == 403
    assert words(checked(refused), "h1") == ["You may not do this"]
    put("Air", slug="air")
    renamed = send(approver, "/en/publish/datasets/air/manage", {"do": "rename", "slug": "new"})
    assert renamed.status_code == 422


def test_a_file_is_sent_in_the_form_and_a_table_once_it_is_approved(
    office: str, author: FlaskClient, approver: FlaskClient, client: FlaskClient
) -> None:
    fields = {
        name: text
        for name, text in FORM.items()
        if name not in ("resource_0_url", "resource_0_title_en")
    }
    file = (BytesIO(b"station,value\nA,1\nB,2\n"), "站点 Values.csv")
    new = "/en/publish/datasets/new"
    refused = send(
        author,
        new,
        {**fields, "do": "submit", "title_zh": "", "title_en": "", "resource_0_file": file},
    )
    assert refused.status_code == 422
    assert list(file_store().keys("uploads", unchanged_for=0.0)) == []
    file = (BytesIO(b"station,value\nA,1\nB,2\n"), "站点 Values.csv")
    saved = send(author, new, {**fields, "do": "save", "resource_0_file": file})
    form = page(author, "/en/publish/datasets/air-quality/edit")
    assert "There is: zhan-dian-values.csv." in " ".join(form.get_text().split())
    sent = send(author, str(saved.location), {"do": "submit"})
    assert client.get("/api/v1/datasets/air-quality").status_code == 404
    send(approver, str(sent.location), {"do": "approve"})
    (resource,) = client.get("/api/v1/datasets/air-quality?lang=en").json["resources"]
    assert (resource["format"], resource["title"], resource["tables"][0]["rows"]) == (
        "CSV",
        "站点 Values.csv",
        2,
    )
    link = page(client, "/en/datasets/air-quality").select_one("a[download][href^='/dataset/']")
    assert client.get(str(link["href"])).data == b"station,value\nA,1\nB,2\n"  # type: ignore[index] # it is there
    only_words = {"title_en": "Air", "tags": "air", "resource_0_format": "CSV"}
    kept = {"resource_0_key": resource["key"], "resource_0_title_en": resource["title"]}
    again = {**fields, **only_words, **kept, "do": "submit"}
    changed = send(author, "/en/publish/datasets/air-quality/edit", again)
    said = ["Tags air, water air", "Title in English Air quality Air"]
    assert words(page(author, changed.location), ".weft-diff tbody tr") == said
    send(approver, changed.location, {"do": "approve"})
    history = "/en/datasets/air-quality/history"
    assert words(page(client, f"{history}?from=1&to=2"), ".weft-diff tbody tr") == said
    back = send(author, history, {"number": "1"})
    assert len(words(page(author, back.location), ".weft-diff tbody tr")) == 2


def test_nobody_overwrites_or_approves_what_they_have_not_seen(
    office: str, author: FlaskClient, approver: FlaskClient
) -> None:
    put("Air quality", slug="air-quality")
    path = "/en/publish/datasets/air-quality/edit"
    first = {**FORM, "do": "save", "seen": seen(page(author, path))}
    late = {**first, "title_en": "Written later", "seen": seen(page(approver, path))}
    assert send(author, path, first).status_code == 303
    refused = send(approver, path, late)
    assert refused.status_code == 409
    soup = checked(refused)
    assert soup.select_one("#title_en")["value"] == "Written later"  # type: ignore[index] # it is there
    address = str(send(author, path, {**first, "do": "submit", "seen": seen(soup)}).location)
    opened = seen(page(approver, address))
    send(approver, address, {"do": "return", "remarks": "again"})
    changed = {**first, "do": "submit", "title_en": "Another", "seen": seen(page(author, path))}
    assert send(author, path, changed).status_code == 303
    assert send(approver, address, {"do": "approve", "seen": opened}).status_code == 409
    again = seen(page(approver, address))
    assert send(approver, address, {"do": "approve", "seen": again}).status_code == 303


def seen(soup: BeautifulSoup) -> str:
    return str(soup.select_one("[name=seen]")["value"])  # type: ignore[index] # it is there


def test_a_collaborator_edits_a_dataset_in_the_form(
    app: Flask, office: str, author: FlaskClient
) -> None:
    put("Air quality", slug="air-quality")
    dataset = datasets.show(ANYONE, "air-quality")
    person = make_person("helper", make_organization("water").id, MemberRole.MEMBER)
    helper = db.session.get_one(Account, person.account_id)
    root = Identity("root", "Root", administrator=True)
    collaborators.put(root, dataset, helper, "editor")
    client = signed_in(app, "helper")
    path = "/en/publish/datasets/air-quality/edit"
    fields = {**FORM, "do": "submit", "seen": seen(page(client, path))}
    answer = send(client, path, fields)
    assert answer.status_code == 303
    assert words(page(client, str(answer.location)), "h1") == ["Change to a dataset Air quality"]
