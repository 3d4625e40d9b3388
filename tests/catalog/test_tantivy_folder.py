"""The folder of the index: kills, ruins, locks, other processes."""

from __future__ import annotations

import fcntl
import multiprocessing
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import Unavailable
from catalog.search import Document, SearchQuery, tantivy_folder
from catalog.search.tantivy_engine import TantivyEngine
from tests.make_document import make_document


@pytest.fixture
def engine(tmp_path: Path) -> TantivyEngine:
    made = TantivyEngine(tmp_path)
    made.put([make_document("first")])
    return made


def current(folder: Path) -> Path:
    return next(folder.glob("index-*"))


def write_without_end(folder: str) -> None:
    engine = TantivyEngine(Path(folder))
    n = 0
    while True:
        n += 1
        engine.put([make_document(f"n{n % 50}")])
        if n % 7 == 0:
            engine.rebuild([make_document("first"), make_document("second")])


def test_kills_leave_an_index_that_can_be_read_and_written(
    engine: TantivyEngine, tmp_path: Path
) -> None:
    spawn = multiprocessing.get_context("spawn")
    for turn in range(4):
        writer = spawn.Process(target=write_without_end, args=(str(tmp_path),))
        writer.start()
        writer.join(1.2 + turn * 0.13)
        writer.kill()
        writer.join()
        assert writer.exitcode == -9
        assert "first" in engine.ids()
        engine.put([make_document("first"), make_document(f"after{turn}")])
        assert f"after{turn}" in engine.ids()
    engine.rebuild([make_document("only")])
    assert engine.ids() == {"only"}
    assert len(list(tmp_path.glob("index-*"))) == 1


def test_a_writer_that_waits_too_long_says_so(
    engine: TantivyEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tantivy_folder, "PATIENCE_SECONDS", 0.05)
    with (tmp_path / "writer.lock").open("ab") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        with pytest.raises(Unavailable, match="another process"):
            engine.put([make_document("second")])
    engine.put([make_document("second")])
    assert engine.ids() == {"first", "second"}


@pytest.mark.parametrize("ruin", [b"", b"[]", b"{}", b'{"index": "index-x", "version": "1"}'])
def test_a_ruined_pointer_is_unavailable_until_a_rebuild(
    engine: TantivyEngine, tmp_path: Path, ruin: bytes
) -> None:
    (tmp_path / "current").write_bytes(ruin)
    with pytest.raises(Unavailable):
        engine.search(SearchQuery())
    engine.rebuild([make_document("again")])
    assert engine.ids() == {"again"}


def test_ruined_files_are_unavailable_until_a_rebuild(
    engine: TantivyEngine, tmp_path: Path
) -> None:
    (current(tmp_path) / "meta.json").write_bytes(b"{")
    for asked in (engine, TantivyEngine(tmp_path)):
        with pytest.raises(Unavailable):
            asked.search(SearchQuery())
        with pytest.raises(Unavailable):
            asked.put([make_document("second")])
    engine.rebuild([make_document("again")])
    assert engine.ids() == {"again"}


def test_a_reader_keeps_what_was_removed_under_it(engine: TantivyEngine, tmp_path: Path) -> None:
    other = TantivyEngine(tmp_path)
    assert other.ids() == {"first"}
    engine.rebuild([make_document("second")])
    assert other.ids() == {"second"}
    shutil.rmtree(current(tmp_path))
    with pytest.raises(Unavailable):
        other.search(SearchQuery())


def test_after_a_fork_the_index_is_opened_anew(engine: TantivyEngine) -> None:
    before = engine._folder.snapshot()
    assert engine._folder.snapshot() is before
    engine._folder._process = -1
    after = engine._folder.snapshot()
    assert after is not before
    assert engine._folder.snapshot() is after


def test_a_failing_put_changes_nothing(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    bad = make_document("second")
    object.__setattr__(bad, "card", {"id": object()})
    with pytest.raises(TypeError):
        engine.put([make_document("third"), bad])
    engine.put([make_document("fourth")])
    assert engine.ids() == {"first", "fourth"}


def test_a_search_whose_files_fail_is_unavailable(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("disk")

    monkeypatch.setattr(engine, "_search", fail)
    with pytest.raises(Unavailable):
        engine.search(SearchQuery())


def test_counts_are_kept_for_a_limited_number_of_searches(
    engine: TantivyEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("catalog.search.tantivy_engine.KEPT_COUNTS", 2)
    for text in ("a", "b", "c", "c"):
        engine.search(SearchQuery(text))
    assert len(engine._counts) == 2
    engine.forget()
    assert len(engine._counts) == 0


def test_what_is_written_during_a_rebuild_is_in_the_new_index(
    engine: TantivyEngine, tmp_path: Path
) -> None:
    other = TantivyEngine(tmp_path)

    def documents() -> Iterator[Document]:
        yield make_document("a", en="Old")
        yield make_document("b")
        other.put([make_document("a", en="New"), make_document("c")])
        other.delete(["b"])
        assert other.ids() == {"first", "a", "c"}
        yield make_document("d")

    engine.rebuild(documents())
    assert engine.ids() == {"a", "c", "d"}
    assert engine.search(SearchQuery("new")).total == 1
    assert not (tmp_path / "spool").exists()


def test_only_one_process_rebuilds(engine: TantivyEngine, tmp_path: Path) -> None:
    def documents() -> Iterator[Document]:
        yield make_document("a")
        with pytest.raises(Unavailable, match="another process"):
            TantivyEngine(tmp_path).rebuild([])

    engine.rebuild(documents())
    assert engine.ids() == {"a"}


def test_what_a_killed_rebuild_has_left_is_removed(engine: TantivyEngine, tmp_path: Path) -> None:
    (tmp_path / "spool").write_bytes(b"left")
    engine.put([make_document("second")])
    assert not (tmp_path / "spool").exists()
    assert engine.ids() == {"first", "second"}


def test_the_overlay_lets_go_of_what_is_indexed(engine: TantivyEngine) -> None:
    engine.show([make_document("second", version=2)], gone=["third"])
    assert set(engine._overlay.layer().hidden) == {"second", "third"}
    engine.put([make_document("second", version=2)])
    assert engine.search(SearchQuery()).total == 2
    assert engine._overlay.layer().hidden == ("third",)
    engine._overlay._gone["third"] = 0.0
    engine.put([make_document("fourth")])
    assert engine.search(SearchQuery()).total == 3
    assert engine._overlay.layer().hidden == ()


def test_after_a_fork_the_overlay_is_empty(engine: TantivyEngine) -> None:
    engine.show([make_document("second")])
    engine._overlay._process = -1
    assert engine.search(SearchQuery()).total == 1
    engine.show([make_document("third")])
    assert engine.search(SearchQuery()).total == 2
