"""Names and numbers on maps: every area that has room is named, small ones in a larger drawing."""

from __future__ import annotations

from dataclasses import dataclass

from hypothesis import given
from hypothesis import strategies as st

from portal.table_page.map_labels import atlas_of, fits


@dataclass(frozen=True)
class Place:
    name: str
    x: float
    y: float
    room: float
    tall: float
    level: int | None = None
    path: str = "M0,0Z"


LARGE = [Place("浦东新区", 480, 500, 290, 390, 4), Place("崇明区", 390, 150, 450, 270)]
SMALL = [Place("黄浦区", 340, 420, 30, 36), Place("静安区", 325, 386, 35, 68, 4)]


def test_what_fits_is_named_and_what_does_not_is_drawn_larger() -> None:
    atlas = atlas_of([*LARGE, *SMALL], 640, 770)
    assert [(label.text, label.light, label.only) for label in atlas.labels] == [
        ("浦东新区", True, ""),
        ("崇明区", False, ""),
    ]
    assert atlas.inset is not None
    assert [label.text for label in atlas.inset.labels] == ["黄浦区", "静安区"]
    assert not atlas.numbers


def test_areas_too_small_even_there_bear_numbers() -> None:
    long = [Place("a name that is far too long for it", 340, 420, 30, 36), SMALL[1]]
    atlas = atlas_of([*LARGE, *long], 640, 770)
    assert atlas.inset is not None
    assert [label.text for label in atlas.inset.labels] == ["1", "静安区"]
    assert atlas.numbers == {2: 1}


def test_small_areas_far_apart_bear_numbers_on_the_map() -> None:
    apart = [Place("黄浦区", 30, 30, 40, 40), Place("静安区", 600, 700, 40, 40)]
    atlas = atlas_of(apart, 640, 770)
    assert atlas.inset is None
    assert [label.text for label in atlas.labels] == ["1", "2"]


def test_a_name_that_fits_on_a_desk_only_is_a_number_on_a_phone() -> None:
    atlas = atlas_of([Place("长宁区", 300, 300, 70, 50)], 640, 770)
    assert [(label.text, label.only) for label in atlas.labels] == [
        ("长宁区", "wide"),
        ("1", "narrow"),
    ]


def test_areas_without_outlines_and_names_are_passed_over() -> None:
    assert atlas_of([Place("x", 0, 0, 0, 0, path="")], 640, 640).labels == ()
    assert atlas_of([], 640, 640).inset is None
    assert not fits(LARGE[0], "", 15)


SIZES = st.floats(0, 640)
PLACES = st.builds(Place, st.text(max_size=12), SIZES, SIZES, SIZES, SIZES)


@given(st.lists(PLACES, max_size=20))
def test_every_area_has_one_number_at_most(places: list[Place]) -> None:
    atlas = atlas_of(places, 640, 640)
    assert sorted(atlas.numbers.values()) == list(range(1, len(atlas.numbers) + 1))
