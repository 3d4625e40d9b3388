"""Local folders: nothing outside of what the operator allows."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from catalog.errors import CatalogError, Denied, NotFound, TooLarge
from harvesters import folders as module
from harvesters.folders import Folders, plain_name, version_of


@pytest.fixture
def base(tmp_path: Path) -> Path:
    (tmp_path / "open" / "deep").mkdir(parents=True)
    (tmp_path / "open" / "a.csv").write_text("a")
    (tmp_path / "open" / "deep" / "b.csv").write_text("b")
    (tmp_path / "open" / ".hidden").write_text("h")
    (tmp_path / "secret.csv").write_text("s")
    (tmp_path / "open" / "link.csv").symlink_to(tmp_path / "secret.csv")
    (tmp_path / "open" / "inner.csv").symlink_to(tmp_path / "open" / "a.csv")
    (tmp_path / "open" / "away").symlink_to(tmp_path)
    return tmp_path


def test_files_below_an_allowed_folder_are_listed(base: Path) -> None:
    folders = Folders(f"{base / 'open'}:{base / 'none'}")
    assert list(folders.names(folders.place(str(base / "open")))) == [
        "a.csv",
        "inner.csv",
        "deep/b.csv",
    ]
    assert folders.place((base / "open" / "a.csv").as_uri()) == base / "open" / "a.csv"
    assert folders.below(base / "open", "deep/b.csv").read_text() == "b"


@pytest.mark.parametrize(
    "path", ["{base}/secret.csv", "{base}/open/../secret.csv", "{base}/open/link.csv", "{base}/open/away/secret.csv", "open/a.csv", "/", "/etc/passwd"]
)  # fmt: skip
def test_nothing_outside_is_read(base: Path, path: str) -> None:
    with pytest.raises(Denied, match="WEFT_FETCH_FOLDERS"):
        Folders(str(base / "open")).place(path.format(base=base))


def test_no_folder_is_allowed_by_default(base: Path) -> None:
    with pytest.raises(Denied):
        Folders("").place(str(base / "open"))


def test_names_stay_inside_their_folder(base: Path) -> None:
    folders = Folders(str(base))
    for name in ("../secret.csv", "/etc/passwd", "link.csv"):
        with pytest.raises(CatalogError):
            folders.below(base / "open", name)


def test_what_is_missing_is_named(base: Path) -> None:
    with pytest.raises(NotFound, match=r"no file or folder .*gone"):
        Folders(str(base)).place(str(base / "gone"))


def test_too_many_files(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MOST_FILES", 2)
    with pytest.raises(TooLarge, match="more than 2 files"):
        list(Folders(str(base)).names(base / "open"))


def test_versions_follow_the_content(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    file = base / "open" / "a.csv"
    first = version_of(file)
    os.utime(file, (1, 1))
    assert version_of(file) == first
    file.write_text("b")
    assert version_of(file) != first
    monkeypatch.setattr(module, "HASHED_BYTES", 0)
    assert version_of(file).startswith("size:1:")


def test_names_in_gb18030_are_readable_and_found_again(base: Path) -> None:
    odd = os.fsencode(base / "open") + b"/" + "年报".encode("gb18030")
    Path(os.fsdecode(odd)).mkdir()
    Path(os.fsdecode(odd + "/人口.csv".encode("gb18030"))).write_text("x")
    (base / "open" / "深").mkdir()
    Path(os.fsdecode(os.fsencode(base / "open" / "深") + b"/\xff.csv")).write_text("y")
    folders = Folders(str(base))
    names = list(folders.names(base / "open"))
    assert "年报/人口.csv" in names
    assert folders.below(base / "open", "年报/人口.csv").read_text() == "x"
    (broken,) = (name for name in names if name.startswith("深/"))
    assert broken.encode()
    with pytest.raises(NotFound):
        folders.below(base / "open", broken)


def test_names_of_fetched_files_are_such_as_every_disk_takes() -> None:
    assert plain_name("../人口 2024.csv") == "_人口_2024.csv"
    assert plain_name("...") == "content"
    long = plain_name("公" * 300 + ".csv")
    assert long.endswith("公.csv")
    assert len(long.encode()) <= 255
