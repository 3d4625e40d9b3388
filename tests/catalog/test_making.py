from __future__ import annotations

import fcntl
import hashlib
import os
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from catalog.errors import Unavailable
from catalog.files import LocalFiles
from catalog.files.making import Made, Making, Makings, Recipe

PIECES = [bytes([at]) * 300_000 for at in range(7)]
WHOLE = b"".join(PIECES)
MADE = Made(len(WHOLE), hashlib.sha256(WHOLE).hexdigest())
KEY = "releases/t/1.csv"


class Kitchen:
    """A recipe whose pieces come when a test lets them, and what became of it."""

    def __init__(self, folder: Path) -> None:
        self.store = LocalFiles(folder / "files")
        self.makings = Makings(folder / "making", self.store)
        self.listed: dict[str, Made] = {}
        self.times = 0
        self.go = threading.Event()
        self.go.set()

    def recipe(self, pieces: Callable[[], Iterator[bytes]] | None = None) -> Recipe:
        def finished(made: Made) -> None:
            self.listed[KEY] = made

        return Recipe(KEY, pieces or self.pieces, finished, lambda: self.listed.get(KEY))

    def pieces(self) -> Iterator[bytes]:
        self.times += 1
        yield PIECES[0]
        self.go.wait(20)
        yield from PIECES[1:]

    def settled(self) -> None:
        for thread in threading.enumerate():
            if thread.name == "making":
                thread.join(20)


@pytest.fixture
def kitchen(tmp_path: Path) -> Iterator[Kitchen]:
    made = Kitchen(tmp_path)
    yield made
    made.go.set()
    made.settled()
    assert list(made.makings.folder.glob("*")) == []  # no test leaves an unfinished file


def test_a_reader_gets_the_first_piece_before_the_others_are_made(kitchen: Kitchen):
    kitchen.go.clear()
    reading = kitchen.makings.reading(kitchen.recipe())
    assert next(reading) == PIECES[0]
    assert kitchen.listed == {}
    kitchen.go.set()
    assert b"".join(reading) == WHOLE[len(PIECES[0]) :]


def test_a_finished_file_is_kept_and_told_with_its_size_and_hash(kitchen: Kitchen):
    assert kitchen.makings.finished(kitchen.recipe(), 20) == MADE
    assert kitchen.listed == {KEY: MADE}
    assert kitchen.store.get(KEY) == WHOLE


def test_two_readers_share_one_maker(kitchen: Kitchen):
    kitchen.go.clear()
    first = kitchen.makings.reading(kitchen.recipe())
    assert next(first) == PIECES[0]
    second = kitchen.makings.reading(kitchen.recipe())
    kitchen.go.set()
    assert b"".join(second) == WHOLE
    assert PIECES[0] + b"".join(first) == WHOLE
    assert kitchen.times == 1


def test_a_reader_who_breaks_off_does_not_lose_the_work(kitchen: Kitchen):
    kitchen.go.clear()
    reading = kitchen.makings.reading(kitchen.recipe())
    next(reading)
    reading.close()
    assert list(reading) == []
    kitchen.go.set()
    kitchen.settled()
    assert kitchen.store.get(KEY) == WHOLE
    assert kitchen.listed == {KEY: MADE}


def test_waiting_for_the_whole_file_ends_with_a_time_to_try_again(kitchen: Kitchen):
    kitchen.go.clear()
    with pytest.raises(Unavailable, match="still being made") as caught:
        kitchen.makings.finished(kitchen.recipe(), 0.01)
    assert caught.value.context["retry_after"] > 0


def test_what_fails_once_is_written_again_from_its_beginning(kitchen: Kitchen):
    def pieces() -> Iterator[bytes]:
        kitchen.times += 1
        yield from PIECES[:3]
        if kitchen.times == 1:
            raise Unavailable("the engine was away")
        yield from PIECES[3:]

    assert b"".join(kitchen.makings.reading(kitchen.recipe(pieces))) == WHOLE
    assert kitchen.store.get(KEY) == WHOLE


def test_what_cannot_be_made_is_raised_where_it_is_read_and_leaves_nothing(kitchen: Kitchen):
    def pieces() -> Iterator[bytes]:
        yield PIECES[0]
        raise ZeroDivisionError

    reading = kitchen.makings.reading(kitchen.recipe(pieces))
    with pytest.raises(ZeroDivisionError):
        list(reading)
    with pytest.raises(ZeroDivisionError):
        kitchen.makings.finished(kitchen.recipe(pieces), 20)
    reading.close()
    assert kitchen.store.path(KEY) is None
    assert kitchen.listed == {}


def test_a_file_that_another_process_is_making_is_followed(kitchen: Kitchen, tmp_path: Path):
    place = kitchen.makings.folder / KEY.replace("/", "_")
    place.parent.mkdir(parents=True)
    with place.open("w+b") as theirs:
        fcntl.flock(theirs, fcntl.LOCK_EX)
        theirs.write(PIECES[0])
        theirs.flush()
        reading = kitchen.makings.reading(kitchen.recipe())
        assert next(reading) == PIECES[0]
        theirs.write(WHOLE[len(PIECES[0]) :])
        theirs.flush()
        kitchen.store.adopt(KEY, place)
        kitchen.listed[KEY] = MADE
        fcntl.flock(theirs, fcntl.LOCK_UN)
        assert PIECES[0] + b"".join(reading) == WHOLE
    assert kitchen.times == 0


def test_a_maker_that_is_killed_is_replaced_in_the_middle_of_a_download(kitchen: Kitchen):
    place = kitchen.makings.folder / KEY.replace("/", "_")
    place.parent.mkdir(parents=True)
    script = (
        "import fcntl, sys, time\n"
        f"file = open({str(place)!r}, 'w+b')\n"
        "fcntl.flock(file, fcntl.LOCK_EX)\n"
        "file.write(bytes(1) * 300_000); file.flush(); print('begun', flush=True); time.sleep(60)\n"
    )
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE) as other:
        assert other.stdout is not None
        assert other.stdout.readline() == b"begun\n"
        reading = kitchen.makings.reading(kitchen.recipe())
        assert next(reading) == PIECES[0]
        other.kill()
    assert PIECES[0] + b"".join(reading) == WHOLE
    assert kitchen.listed == {KEY: MADE}
    assert kitchen.times == 1


def test_who_comes_when_the_file_was_just_finished_reads_the_kept_one(kitchen: Kitchen):
    kitchen.store.put(KEY, WHOLE)
    kitchen.listed[KEY] = MADE
    assert b"".join(kitchen.makings.reading(kitchen.recipe())) == WHOLE
    assert kitchen.makings.finished(kitchen.recipe(), 20) == MADE
    assert kitchen.times == 0


def test_what_a_killed_process_left_is_swept_and_what_is_being_made_is_not(tmp_path: Path):
    makings = Makings(tmp_path, LocalFiles(tmp_path / "files"))
    assert makings.sweep() == []
    (tmp_path / "left.csv").write_bytes(b"half")
    with (tmp_path / "made.csv").open("w+b") as busy:
        fcntl.flock(busy, fcntl.LOCK_EX)
        assert makings.sweep() == ["left.csv"]
    assert [place.name for place in tmp_path.glob("*.csv")] == ["made.csv"]


def test_a_file_is_closed_with_its_last_user(tmp_path: Path):
    kitchen = Kitchen(tmp_path)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208 # names are enough
    for _ in range(3):
        assert b"".join(kitchen.makings.reading(kitchen.recipe())) == WHOLE
    kitchen.settled()
    assert len(os.listdir("/proc/self/fd")) == before  # noqa: PTH208 # names are enough


def test_a_finished_making_can_be_asked_again(tmp_path: Path):
    kitchen = Kitchen(tmp_path)
    making = Making(kitchen.recipe(), tmp_path / "place", kitchen.store)
    making.enter()
    making.run()
    assert making.wait(0) == MADE
    assert making.read(len(WHOLE)) == b""
    making.leave()
