"""The log of changes: what is written, and that an altered line is found."""

from __future__ import annotations

import pytest
from click.testing import CliRunner
from flask import Flask
from sqlalchemy import delete, update

from catalog.db import db, transaction
from catalog.models.log import LogEntry
from catalog.permissions import SCHEDULER, Identity
from catalog.services import datasets, log
from catalog.settings import Settings
from tests.make_dataset import make_draft, make_organization
from wsgi import weft

pytestmark = pytest.mark.usefixtures("app")

SUBJECT = log.Subject("dataset", "d1", "o1")


def lines(count: int = 3) -> None:
    for number in range(count):
        log.append(Identity("a1", "王芳"), "dataset.changed", SUBJECT, {"revision": number})


def alter(number: int, **values: object) -> None:
    with transaction():
        db.session.execute(update(LogEntry).where(LogEntry.number == number).values(**values))


def test_an_empty_log_holds() -> None:
    assert log.verify() == (0, None)
    assert log.newest() == (0, log.NOTHING, None)


def test_lines_are_numbered_and_chained() -> None:
    lines()
    assert log.verify() == (3, None)
    newest = log.of(SUBJECT, limit=2)
    assert [line.number for line in newest] == [3, 2]
    assert newest[0].previous == newest[1].hash
    assert log.newest()[:2] == (3, newest[0].hash)
    assert log.of(log.Subject("dataset", "other"), limit=10) == []


@pytest.mark.parametrize(
    "values",
    [
        {"actor": "somebody else"},
        {"data": {"revision": 7}},
        {"action": "dataset.created"},
        {"hash": "f" * 64},
        {"organization_id": None},
    ],
)
def test_an_altered_line_is_found(values: dict[str, object]) -> None:
    lines()
    alter(2, **values)
    assert log.verify() == (1, log.Break(2, "altered"))


def test_a_line_that_was_written_anew_breaks_the_one_after_it() -> None:
    lines()
    forged = db.session.get(LogEntry, 2)
    assert forged is not None
    forged.actor = "somebody else"
    alter(2, actor="somebody else", hash=log.hash_of(forged))
    assert log.verify() == (2, log.Break(3, "missing"))


@pytest.mark.parametrize("gone", [1, 2])
def test_a_missing_line_is_found(gone: int) -> None:
    lines()
    with transaction():
        db.session.execute(delete(LogEntry).where(LogEntry.number == gone))
    assert log.verify() == (gone - 1, log.Break(gone + 1, "missing"))


def test_a_line_of_a_change_that_failed_is_not_kept() -> None:
    def fail() -> None:
        with transaction():
            lines()
            raise RuntimeError

    with pytest.raises(RuntimeError):
        fail()
    assert log.verify() == (0, None)


def test_changes_of_datasets_leave_lines(app: Flask) -> None:
    make_organization()
    first = datasets.put(SCHEDULER, make_draft("Air", slug="air"))
    datasets.put(SCHEDULER, make_draft("Air", slug="air", tags=["air"]))
    datasets.put(SCHEDULER, make_draft("Air", slug="air", tags=["air"]))
    said = log.of(log.Subject("dataset", first.dataset_id), limit=10)
    assert [(line.action, line.data.get("fields")) for line in said] == [
        ("dataset.changed", ["tags"]),
        ("dataset.created", None),
    ]
    assert said[0].data["revision"] == 2


def test_a_command_proves_that_the_log_holds_and_names_the_line_that_does_not(
    app: Flask, settings: Settings
) -> None:
    lines()
    given = {"WEFT_DATA_DIR": settings.data_dir, "WEFT_QUEUE_URL": "immediate:"}
    held = CliRunner().invoke(weft, ["verify-log"], env=given)
    assert held.exit_code == 0, held.output
    assert f"3 lines hold. The last is 3 of {log.newest()[2]}: {log.newest()[1]}" in held.output
    alter(3, actor="somebody else")
    broken = CliRunner().invoke(weft, ["verify-log"], env=given)
    assert broken.exit_code == 1
    assert "Line 3 of the log does not follow from the 2 lines before it" in broken.output


def test_the_chain_goes_on_after_a_savepoint_that_was_undone(app: Flask) -> None:
    subject = log.Subject("dataset", "d1")
    with transaction():
        log.append(SCHEDULER, "dataset.created", subject, {})
        savepoint = db.session.begin_nested()
        log.append(SCHEDULER, "dataset.changed", subject, {})
        db.session.flush()
        savepoint.rollback()
        log.append(SCHEDULER, "dataset.renamed", subject, {})
    assert log.verify() == (2, None)
