"""Texts that may be out of date, of datasets and of columns."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import Unauthenticated
from catalog.permissions import ANYONE, SCHEDULER
from catalog.services import organizations, table_dictionary
from catalog.services.staleness import StaleText, stale_texts
from catalog.services.table_dictionary import Said
from tests.make_dataset import put
from tests.make_portal import make_served

pytestmark = pytest.mark.usefixtures("app")


def test_a_publisher_learns_which_texts_may_be_out_of_date(tmp_path: Path) -> None:
    served = make_served(tmp_path)
    put("Soil", title={"en": "Soil", "zh": "土壤"}, slug="soil")
    put("Soil", title={"en": "Soil of the city", "zh": "土壤"}, slug="soil")
    for english in ("Number", "Number of the station"):
        said = {"No": Said(label={"en": english, "zh": "编号"})}
        table_dictionary.describe(SCHEDULER, served.table, said)
    ours = organizations.show(ANYONE, "ecology")
    first, second = stale_texts(SCHEDULER, ours)
    assert (first.slug, first.field, first.language, first.column) == (
        "air-quality",
        "label",
        "zh",
        "No",
    )
    assert second == StaleText("soil", {"en": "Soil of the city", "zh": "土壤"}, "title", "zh")
    with pytest.raises(Unauthenticated):
        stale_texts(ANYONE, ours)
