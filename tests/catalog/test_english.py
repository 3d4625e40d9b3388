"""Words of one stem, found by all of their forms."""

from __future__ import annotations

import pytest

from catalog.tabular.english import forms_of, is_word, stem_of

FAMILIES = (
    "book books booked booking bookings",
    "city cities",
    "plan plans planned planning",
    "agree agreed agreeing agrees",
    "tie ties tied tying",
    "policy policies",
    "relate relates related relating relation relations relational relative relatively",
    "organize organizes organized organizing organization organizations organizer organizers",
    "initial initials initially initialize initialized initializing initialization",
    "able ability abilities",
    "happy happiness happily",
    "communicate communicates communicating communication communications communicator",
    "generous generously generousness",
    "depend depends depended dependent dependently dependence",
    "hope hopes hoped hoping hopeful hopefully",
    "café cafés",
)


@pytest.mark.parametrize("family", FAMILIES)
def test_every_word_of_a_family_finds_the_others_of_its_stem(family: str) -> None:
    words = family.split()
    for word in words:
        same = {other for other in words if stem_of(other) == stem_of(word)}
        assert same <= set(forms_of(word)), word


def test_forms_have_the_stem_and_no_other_word_is_among_them() -> None:
    forms = forms_of("Running")
    assert {"run", "runs", "running"} <= set(forms)
    assert {stem_of(form) for form in forms} == {"run"}
    assert not {"ran", "rune", "ruin", "rung"} & set(forms)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [("book", True), ("café", True), ("v4", False), ("", False), ("a" * 41, False)],
)
def test_only_words_of_letters_have_stems(text: str, is_one: bool) -> None:
    assert is_word(text) is is_one
