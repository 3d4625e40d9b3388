import tempfile
from pathlib import Path

import pytest

from catalog.errors import NotFound
from catalog.files import LocalFiles


def test_what_was_put_comes_back(tmp_path: Path):
    files = LocalFiles(tmp_path)
    files.put("charts/a.svg", b"<svg/>")
    assert files.get("charts/a.svg") == b"<svg/>"
    assert files.path("charts/a.svg") == tmp_path / "charts" / "a.svg"


def test_a_deleted_file_is_not_found(tmp_path: Path):
    files = LocalFiles(tmp_path)
    files.put("a", b"1")
    files.delete("a")
    files.delete("a")
    assert files.path("a") is None
    with pytest.raises(NotFound):
        files.get("a")


def test_a_broken_write_leaves_the_old_content_and_no_stray_file(tmp_path: Path):
    files = LocalFiles(tmp_path)
    files.put("a", b"old")

    def broken() -> None:
        with files.writing("a") as file:
            file.write(b"ne")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        broken()
    assert files.get("a") == b"old"
    assert [place.name for place in tmp_path.iterdir()] == ["a"]


@pytest.mark.parametrize("key", ["../outside", "a/../../outside", "/etc/passwd"])
def test_a_key_cannot_leave_the_folder(tmp_path: Path, key: str):
    with pytest.raises(NotFound):
        LocalFiles(tmp_path / "inside").get(key)


@pytest.mark.parametrize("elsewhere", [None, "/dev/shm"])  # noqa: S108 # another disk, where there is one
def test_a_finished_file_is_taken_over_also_from_another_disk(
    tmp_path: Path, elsewhere: str | None
):
    files = LocalFiles(tmp_path / "files")
    with tempfile.TemporaryDirectory(dir=elsewhere or tmp_path) as folder:
        finished = Path(folder) / "part"
        finished.write_bytes(b"0123456789")
        files.adopt("releases/t/1.csv", finished)
        assert not finished.exists()
    with files.open("releases/t/1.csv") as file:
        file.seek(7)
        assert file.read() == b"789"


def test_a_file_that_is_not_there_cannot_be_opened(tmp_path: Path):
    with pytest.raises(NotFound):
        LocalFiles(tmp_path).open("nothing")


def test_keys_are_those_of_whole_files_below_a_folder(tmp_path: Path):
    files = LocalFiles(tmp_path)
    for key in ("releases/t/1.csv", "releases/u/2.csv", "charts/a.svg"):
        files.put(key, b"1")
    with files.writing("releases/t/3.csv"):
        assert list(files.keys("releases")) == ["releases/t/1.csv", "releases/u/2.csv"]
    assert list(files.keys("nothing")) == []
