"""gz and zip: unpacked within limits, or refused with a sentence."""

from __future__ import annotations

import gzip
import io
import tarfile
import zipfile
from pathlib import Path

import pytest

from catalog.errors import TooLarge, Unreadable
from catalog.tabular.reading import Limits
from tests.make_reading import make_file, make_xlsx, make_zip, read, rows_of, said_by

TABLE = "a,b\n1,2\n"


def patched(path: Path, name: str, offset: int, value: bytes) -> Path:
    """The archive with other bytes in both headers of a member."""
    content = bytearray(path.read_bytes())
    for start, shift in ((b"PK\x03\x04", 0), (b"PK\x01\x02", 2)):
        at = content.index(start) + offset + shift
        content[at : at + len(value)] = value
    return make_file(path.parent, name, bytes(content))


def test_a_gz_is_read_by_its_content(tmp_path: Path) -> None:
    path = make_file(tmp_path, "t.csv.gz", gzip.compress(TABLE.encode()) + gzip.compress(b"3,4\n"))
    (table,) = read(path, tmp_path / "out")
    assert (table.key, rows_of(table)) == ("data", [(1, 2), (3, 4)])


def test_members_of_a_zip_are_tables(tmp_path: Path) -> None:
    path = make_zip(
        tmp_path / "t.zip",
        {
            "2020/one.csv": TABLE,
            "two.csv.gz": gzip.compress(TABLE.encode()),
            "__MACOSX/._one.csv": b"x",
            ".hidden": "x",
            "readme.pdf": b"%PDF-1.4",
            "folder/": "",
        },
    )
    one, two = read(path, tmp_path / "out")
    assert (one.key, two.key, dict(one.title)) == ("2020/one.csv", "two.csv.gz", {"und": "one"})
    assert "Left out: t.zip/readme.pdf is a PDF file" in said_by(two)
    assert not list((tmp_path / "out").glob(".*"))


def test_members_with_equal_columns_become_one_table(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "t.zip", {"a.csv": TABLE, "b.csv": TABLE, "readme.pdf": b"%PDF-1.4"})
    (table,) = read(path, tmp_path / "out", one_table=True)
    assert table.rows == 2
    broken = make_zip(tmp_path / "u.zip", {"a.csv": TABLE, "b.csv": ""})
    with pytest.raises(Unreadable, match=r"u\.zip/b\.csv is empty"):
        read(broken, tmp_path / "out", one_table=True)


def test_workbooks_and_archives_inside_archives(tmp_path: Path) -> None:
    book = make_xlsx(tmp_path / "t.xlsx", {"S": [["a", "b"], [1, 2]]}).read_bytes()
    inner = make_zip(tmp_path / "inner.zip", {"x.csv": TABLE}).read_bytes()
    path = make_zip(tmp_path / "t.zip", {"t.xlsx": book, "inner.zip": inner})
    assert [table.rows for table in read(path, tmp_path / "out")] == [1, 1]
    deep = make_zip(tmp_path / "deep.zip", {"t.zip": path.read_bytes()})
    with pytest.raises(TooLarge, match="nested more than 2 deep"):
        read(deep, tmp_path / "out")


def test_a_member_named_in_gbk(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "t.zip", {"xxxx.csv": TABLE, "y.csv": TABLE})
    raw = path.read_bytes().replace(b"xxxx.csv", "人口".encode("gb18030") + b".csv")
    (one, two) = read(make_file(tmp_path, "u.zip", raw), tmp_path / "out")
    assert {one.key, two.key} == {"人口.csv", "y.csv"}
    named = make_zip(tmp_path / "v.zip", {"人口.csv": TABLE, "y.csv": TABLE})
    assert "人口.csv" in {table.key for table in read(named, tmp_path / "out")}


def test_what_unpacks_to_too_much_is_refused(tmp_path: Path) -> None:
    bomb = make_file(tmp_path, "t.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * 3_000_000))
    with pytest.raises(TooLarge, match="unpacks to more than 5 MB"):
        read(bomb, tmp_path / "out", limits=Limits(unpacked=5 << 20))
    bombs = make_zip(
        tmp_path / "t.zip", {f"{at}.csv": b"a,b\n" + b"1,2\n" * 1_000_000 for at in range(2)}
    )
    with pytest.raises(TooLarge, match=r"t\.zip/1\.csv unpacks to more than 5 MB"):
        read(bombs, tmp_path / "out", limits=Limits(unpacked=5 << 20))
    with pytest.raises(TooLarge, match="holds more than 1 files"):
        read(bombs, tmp_path / "out", limits=Limits(members=1))


def test_damaged_archives_get_one_sentence(tmp_path: Path) -> None:
    packed = gzip.compress(("a,b\n" + "".join(f"{at},{at * 7}\n" for at in range(9_000))).encode())
    broken = bytearray(packed)
    broken[len(packed) // 2] ^= 0xFF
    for content in (
        packed[: len(packed) // 2],
        packed[:-4],
        bytes(broken),
        packed + b"trash",
        packed[:5],
    ):
        with pytest.raises(Unreadable, match="cut off or damaged"):
            read(make_file(tmp_path, "t.csv.gz", content), tmp_path / "out")
    zipped = make_zip(tmp_path / "t.zip", {"a.csv": TABLE * 999}).read_bytes()
    wrong = bytearray(zipped)
    wrong[60] ^= 0xFF
    for content in (zipped[: len(zipped) // 2], bytes(wrong)):
        with pytest.raises(Unreadable, match="cut off or damaged"):
            read(make_file(tmp_path, "u.zip", content), tmp_path / "out")


def test_archives_that_cannot_be_read_say_why(tmp_path: Path) -> None:
    path = make_zip(tmp_path / "t.zip", {"a.csv": TABLE * 99})
    for name, offset, value, said in [
        ("deflate64.zip", 8, b"\x09\x00", "packed with Deflate64"),
        ("strange.zip", 8, b"\x63\x00", "by a method that cannot be read"),
        ("secret.zip", 6, b"\x01\x00", "protected with a password"),
    ]:
        with pytest.raises(Unreadable, match=said):
            read(patched(path, name, offset, value), tmp_path / "out")
    with pytest.raises(Unreadable, match="archive without any file"):
        read(make_zip(tmp_path / "empty.zip", {}), tmp_path / "out")


def test_a_tar_inside_a_gz_is_refused(tmp_path: Path) -> None:
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        archive.add(make_file(tmp_path, "a.csv", TABLE), "a.csv")
    with pytest.raises(Unreadable, match="is a tar archive"):
        read(make_file(tmp_path, "t.tar.gz", packed.getvalue()), tmp_path / "out")


def test_a_zip_stored_without_packing(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "t.zip", "w") as archive:
        archive.writestr("a.csv", TABLE)
    (table,) = read(tmp_path / "t.zip", tmp_path / "out")
    assert rows_of(table) == [(1, 2)]
