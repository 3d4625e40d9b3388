"""Organizations and themes."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.errors import Denied, Invalid, NotFound, Unauthenticated
from catalog.models.vocabulary import MemberRole
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.search import SearchQuery
from catalog.services import datasets, groups, organizations, search
from tests.make_dataset import make_organization, make_theme, put

pytestmark = pytest.mark.usefixtures("app")
TITLE = {"zh": "局", "en": "Bureau"}


def test_an_organization_is_created_then_changed() -> None:
    first = organizations.put(SCHEDULER, "ecology", title=TITLE, homepage="https://example.org/")
    again = organizations.put(SCHEDULER, "ecology", title={"en": "Ecology"}, kind="external")
    assert first.id == again.id
    shown = organizations.show(ANYONE, "ecology")
    assert (shown.title, shown.kind, shown.homepage) == ({"en": "Ecology"}, "external", "")
    with pytest.raises(NotFound):
        organizations.show(ANYONE, "nobody")


def test_a_new_name_is_found_and_shown_on_cards() -> None:
    make_organization("ecology", title={"en": "Old name"})
    make_theme("environment", title={"en": "Old theme"})
    put(themes=["environment"])
    assert search.labels()["organization"] == {"ecology": {"en": "Old name"}}
    make_organization("ecology", title={"en": "Ministry"})
    make_organization("ecology", title={"en": "Ministry"})
    make_theme("environment", title={"en": "Surroundings"})
    make_theme("environment", title={"en": "Surroundings"})
    card = search.find(ANYONE, SearchQuery("ministry surroundings")).hits[0].card
    assert card["organization"]["title"] == {"en": "Ministry"}
    assert card["themes"] == [{"slug": "environment", "title": {"en": "Surroundings"}}]
    titles = search.labels()
    assert titles["organization"] == {"ecology": {"en": "Ministry"}}
    assert titles["theme"] == {"environment": {"en": "Surroundings"}}
    assert titles["license"]["MIT"]["en"] == "MIT License"
    assert search.labels() is search.labels()


def test_lists_count_published_datasets() -> None:
    make_organization("ecology")
    make_organization("empty")
    make_organization("bank", kind="external")
    make_theme("later", position=2)
    make_theme("environment", position=1)
    for key in ("r1", "r2", "r3"):
        put(key=key, themes=["environment"])
    datasets.retire_unseen(SCHEDULER, "s1", ["r1", "r2"])
    listed = [(o.slug, count) for o, count in organizations.all(ANYONE)]
    assert listed == [("ecology", 2), ("empty", 0), ("bank", 0)]
    assert [(g.slug, count) for g, count in groups.all(ANYONE)] == [
        ("environment", 2),
        ("later", 0),
    ]


def test_a_theme_is_shown_by_its_slug() -> None:
    make_theme("environment", icon="leaf", description={"en": "All around"})
    assert groups.show(ANYONE, "environment").icon == "leaf"
    with pytest.raises(NotFound):
        groups.show(ANYONE, "nothing")


@pytest.mark.parametrize(
    "fields",
    [
        {"slug": "Größe"},
        {"title": {}},
        {"title": {"en": "x" * 301}},
        {"kind": "club"},
        {"homepage": "www"},
    ],
)
def test_what_an_organization_cannot_be(fields: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as refusal:
        organizations.put(SCHEDULER, **{"slug": "ecology", "title": TITLE, **fields})
    assert list(refusal.value.problems) == list(fields)


def test_what_a_theme_cannot_be() -> None:
    with pytest.raises(Invalid):
        groups.put(SCHEDULER, "environment", title=TITLE, position=-1)


def test_who_may_write() -> None:
    ours = make_organization("ecology")
    publisher = Identity("a1", organizations={ours.id: MemberRole.PUBLISHER})
    organizations.put(publisher, "ecology", title=TITLE)
    with pytest.raises(Denied):
        organizations.put(publisher, "transport", title=TITLE)
    with pytest.raises(Denied):
        groups.put(publisher, "environment", title=TITLE)
    with pytest.raises(Unauthenticated):
        organizations.put(ANYONE, "ecology", title=TITLE)
    with pytest.raises(NotFound):
        organizations.show(ANYONE, "transport")
