"""Files in a folder: what only they do; tests/contracts/test_file_store.py has the rest."""

import tempfile
from pathlib import Path

import pytest

from catalog.files import LocalFiles


def test_a_file_has_a_path(tmp_path: Path):
    files = LocalFiles(tmp_path)
    files.put("charts/a.svg", b"<svg/>")
    assert files.path("charts/a.svg") == tmp_path / "charts" / "a.svg"


def test_a_broken_write_leaves_no_stray_file(tmp_path: Path):
    files = LocalFiles(tmp_path)
    files.put("a", b"old")

    def broken() -> None:
        with files.writing("a") as file:
            file.write(b"ne")
            raise RuntimeError("the power went")

    with pytest.raises(RuntimeError):
        broken()
    assert [place.name for place in tmp_path.iterdir()] == ["a"]


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
