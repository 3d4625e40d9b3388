"""Organizations and themes."""

from __future__ import annotations

from typing import Any

import pytest

from catalog.db import transaction
from catalog.errors import Denied, Invalid, NotFound, Unauthenticated
from catalog.models.base import now
from catalog.models.vocabulary import MemberRole
from catalog.permissions import ANYONE, SCHEDULER, Identity
from catalog.search import SearchQuery
from catalog.services import (
    addresses,
    groups,
    log,
    organization_tree,
    organizations,
    search,
)
from tests.make_dataset import make_organization, make_theme, put, retire_unseen

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
    retire_unseen(SCHEDULER, "s1", ["r1", "r2"])
    listed = [(o.slug, count) for o, count in organizations.all(ANYONE)]
    assert listed == [("ecology", 2), ("empty", 0), ("bank", 0)]
    assert [(g.slug, count) for g, count in groups.all(ANYONE)] == [
        ("environment", 2),
        ("later", 0),
    ]


def test_a_theme_is_shown_by_its_slug() -> None:
    make_theme("environment", icon="leaf", description={"en": "All around"})
    theme = groups.show(ANYONE, "environment")
    assert theme.icon == "leaf"
    make_theme("environment", icon="tree")
    lines = log.of(log.Subject("theme", theme.id), limit=9)
    assert [line.action for line in lines] == ["theme.changed", "theme.created"]
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


def test_organizations_form_a_tree_without_circles() -> None:
    make_organization("city", kind="city")
    make_organization("ecology", parent="city")
    office = make_organization("laboratory", parent="ecology", kind="office")
    put()
    put("Readings", organization="laboratory")
    assert [one.slug for one in organization_tree.above(office)] == ["ecology", "city"]
    city = organizations.show(ANYONE, "city")
    assert [one.slug for one in organization_tree.below(city)] == ["ecology", "laboratory"]
    with pytest.raises(Invalid) as refusal:
        make_organization("city", parent="laboratory", kind="city")
    assert list(refusal.value.problems) == ["parent"]
    with pytest.raises(Invalid):
        make_organization("ecology", parent="nobody")
    nodes = organization_tree.tree(organizations.all(ANYONE))
    (root,) = nodes
    assert (root.organization.slug, root.datasets, root.whole) == ("city", 0, 2)
    found = organizations.with_all_below(ANYONE, organizations.show(ANYONE, "ecology"))
    assert (found.organization.slug, found.datasets, found.whole) == ("ecology", 1, 2)
    assert [one.organization.slug for one in found.children] == ["laboratory"]
    assert [one.slug for one, _ in organizations.first(ANYONE, 5)] == [
        one.slug for one, count in organizations.all(ANYONE) if count
    ]


def test_what_is_not_said_of_an_organization_stays() -> None:
    fields = [
        {"name": "level", "label": {"en": "Level"}, "type": "choice", "choices": [{"value": "A"}]}
    ]
    make_organization("city", kind="city")
    make_organization("ecology", parent="city", contact={"phone": "12345"}, fields=fields)
    make_organization("ecology", title={"en": "Other"})
    shown = organizations.show(ANYONE, "ecology")
    assert shown.contact == {"phone": "12345"}
    assert shown.fields[0]["choices"] == [{"value": "A", "label": {}}]
    assert organization_tree.above(shown)
    make_organization("ecology", parent="", fields=[])
    shown = organizations.show(ANYONE, "ecology")
    assert (organization_tree.above(shown), shown.fields) == ([], [])
    lines = log.of(log.Subject("organization", shown.id), limit=9)
    assert [line.action for line in lines] == [
        *["organization.changed"] * 2,
        "organization.created",
    ]


def test_another_parent_is_found_in_search() -> None:
    make_organization("city", kind="city")
    make_organization("ecology")
    put()
    query = SearchQuery(filters={"organization": ("city",)})
    assert search.find(ANYONE, query).total == 0
    make_organization("ecology", parent="city")
    assert search.find(ANYONE, query).total == 1


FIELDS = [
    {"name": "level", "label": {"en": "Level"}, "type": "choice", "choices": [{"value": "A"}]},
    {"name": "cost", "label": {"en": "Cost"}, "type": "number"},
    {"name": "begun", "label": {"en": "Begun"}, "type": "date", "required": True},
    {"name": "checked", "label": {"en": "Checked"}, "type": "boolean"},
    {"name": "note", "label": {"en": "Note"}},
]


@pytest.mark.parametrize(
    ("values", "wrong"),
    [
        ({"begun": "2024-02-29", "level": "A", "cost": 1.5, "checked": False, "note": "x"}, []),
        ({}, ["begun"]),
        ({"begun": "2024-02-30"}, ["begun"]),
        ({"begun": "2024-02-29", "level": "B", "cost": True}, ["level", "cost"]),
        ({"begun": "2024-02-29", "checked": "perhaps", "note": 3}, ["checked", "note"]),
        ({"begun": "2024-02-29", "colour": "red"}, ["colour"]),
    ],
)
def test_values_of_custom_fields_are_checked(values: dict[str, Any], wrong: list[str]) -> None:
    make_organization("ecology", fields=FIELDS)
    if not wrong:
        put(custom=values)
        return
    with pytest.raises(Invalid) as refusal:
        put(custom=values)
    problems: Any = refusal.value.problems["custom"]
    assert sorted(problems) == sorted(wrong)


@pytest.mark.parametrize(
    "fields",
    [
        [{"name": "A", "label": {"en": "x"}}],
        [{"name": "a", "label": {}}],
        [{"name": "a", "label": {"en": "x"}, "type": "colour"}],
        [{"name": "a", "label": {"en": "x"}, "type": "choice"}],
        [{"name": "a", "label": {"en": "x"}}] * 2,
        "none",
    ],
)
def test_what_custom_fields_cannot_be(fields: Any) -> None:
    make_organization("ecology")
    with pytest.raises(Invalid) as refusal:
        organizations.set_fields(SCHEDULER, "ecology", fields)
    assert list(refusal.value.problems) == ["fields"]


def test_a_closed_organization_is_gone_and_an_old_address_leads_on() -> None:
    ours = make_organization("ecology")
    with transaction():
        addresses.keep("organization", "old-ecology", ours.id)
    assert organizations.show(ANYONE, "old-ecology").slug == "ecology"
    with transaction():
        ours.deleted_at = now()
    with pytest.raises(NotFound):
        organizations.show(ANYONE, "ecology")
    assert organizations.all(ANYONE) == []
