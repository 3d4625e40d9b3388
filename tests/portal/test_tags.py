"""What tags are called: on the search page, on pages of datasets, and where operators write it."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from catalog.db import db, transaction
from catalog.errors import Denied, Invalid, NotFound
from catalog.models.tag import Tag, Vocabulary
from catalog.permissions import SCHEDULER, Identity
from catalog.services import search, tags
from tests.make_dataset import make_organization, put
from tests.make_office import make_person, send, signed_in
from tests.make_page import href, one, page, words


@pytest.fixture
def operator(app: Flask) -> FlaskClient:
    make_organization()
    put("Air", tags=["air", "hourly"])
    with transaction():
        db.session.add(
            Vocabulary(name="colours", title={"en": "Colours"}, tags=[Tag(name="green")])
        )
    make_person("root")
    return signed_in(app, "root")


def tag_id(name: str) -> str:
    found = tags.find(name)
    assert found is not None
    return found.id


def test_operators_name_tags_and_readers_see_them_in_their_language(
    operator: FlaskClient, client: FlaskClient
) -> None:
    air = tag_id("air")
    typed = {f"{air}:zh": "空气 ", f"{air}:en": "Clean air", "nothing": "x"}
    assert send(operator, "/en/standards/tags", typed).status_code == 303
    for lang, said in (("zh", "空气"), ("en", "Clean air")):
        facet = page(client, f"/{lang}/datasets")
        assert (
            said in words(facet, "label[for^=tag], .weft-facet label") or said in facet.get_text()
        )
        aside = page(client, f"/{lang}/datasets/air")
        assert said in facet.get_text()
        aside = page(client, f"/{lang}/datasets/air")
        assert said in words(aside, "aside .weft-chip")
        assert "hourly" in words(aside, "aside .weft-chip")
        assert href(aside, "aside a[href*='tag=air']") == f"/{lang}/datasets?tag=air"
    found = client.get("/api/v1/datasets?lang=zh").get_json()["facets"]["tag"]
    assert {"value": "air", "label": "空气", "count": 1} in found
    suggested = search.suggest(SCHEDULER, "hour", "zh") + search.suggest(SCHEDULER, "air", "zh")
    assert {(s.kind, s.text) for s in suggested} >= {("tag", "hourly"), ("tag", "空气")}


def test_what_changed_in_one_language_marks_the_other(operator: FlaskClient) -> None:
    air = tag_id("air")
    assert tags.label(SCHEDULER, air, {"zh": "空气", "en": "Air"})
    assert not tags.label(SCHEDULER, air, {"zh": "空气"})
    assert tags.label(SCHEDULER, air, {"en": "Air quality"})
    shown = page(operator, "/en/standards/tags?q=air")
    assert len(shown.select(".weft-badge--late")) == 1
    assert tags.label(SCHEDULER, air, {"zh": "", "en": ""})
    assert search.labels()["tag"] == {}


def test_others_only_read_the_list_also_of_a_vocabulary(
    operator: FlaskClient, client: FlaskClient
) -> None:
    shown = page(client, "/en/standards/tags?vocabulary=colours")
    assert words(shown, "tbody th") == ["green"]
    assert not shown.select("table input")
    assert words(page(client, "/en/standards/tags?q=nothing"), "tbody th") == []
    assert one(page(client, "/en/standards"), "a[href$='/standards/tags']")
    with pytest.raises(Denied):
        tags.label(Identity("a1", "li"), tag_id("air"), {"en": "x"})
    with pytest.raises(NotFound):
        tags.label(SCHEDULER, "none", {"en": "x"})
    with pytest.raises(Invalid):
        tags.label(SCHEDULER, tag_id("air"), {"en": "x" * 201})
