"""What benchmarks measure with: the same rows for the same seed, and conditions that find some of them."""

from __future__ import annotations

from itertools import islice
from pathlib import Path

import pyarrow as pa
import pyarrow.csv as pacsv

from bench.calls import calls, questions
from bench.generated import COLUMNS, batches, changed, upserts, write_csv


def test_a_seed_makes_the_same_rows_and_a_department_others() -> None:
    first, again, other = (
        list(batches(1_000, department=department)) for department in (0, 0, 1)
    )  # fmt: skip
    assert first == again
    assert first != other
    assert first[0].schema.names == list(COLUMNS)


def test_a_later_release_changes_few_rows() -> None:
    before = next(batches(5_000))
    after = next(changed(batches(5_000), release=2))
    different = sum(a != b for a, b in zip(before.to_pylist(), after.to_pylist(), strict=True))
    assert 1 <= different <= 5


def test_the_file_holds_the_rows(tmp_path: Path) -> None:
    write_csv(tmp_path / "t.csv", batches(500))
    assert pacsv.read_csv(tmp_path / "t.csv").num_rows == 500


def test_one_record_of_ten_is_new() -> None:
    made = upserts(1_000, 50, seed=3)
    known = set(pa.Table.from_batches(batches(1_000))[COLUMNS[0]].to_pylist())
    assert sum(record[COLUMNS[0]] not in known for record in made) == 5


def test_questions_of_a_call_differ() -> None:
    for call in calls("t", 1_000_000, None):
        asked = questions(call)
        assert len(asked) == len(set(asked)) == call.different
        assert all(path.startswith("/api/v1/tables/t/") for path in islice(asked, 3))
