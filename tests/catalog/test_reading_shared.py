"""Real files as they lie: each becomes the table that a person sees in it, or a sentence says why not.

The table of expectations was made by reading and checked by eye, file for file. What it holds against the look
of a file: some text files have no row of names that any program could tell from data (`mdr_*.txt`,
`written_complains`), and the header of `iwfg09_Phos_river` is shifted against its columns.
"""

from __future__ import annotations

import csv
import tarfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.errors import CatalogError
from catalog.tabular.reading import ReadOptions, read_files
from tests.make_reading import said_by

SHARED = Path(__file__).parents[3] / "shared" / "data" / "dev"
EXPECTED = Path(__file__).parents[1] / "data" / "shared_files.tsv"
needs_shared = pytest.mark.skipif(
    not SHARED.is_dir(), reason="the shared files are not beside this checkout"
)


def expectations() -> dict[str, list[tuple[str, str]]]:
    """File → its tables with their sizes, or one sentence under no name."""
    found: dict[str, list[tuple[str, str]]] = {}
    with EXPECTED.open(encoding="utf-8", newline="") as file:
        for line in file:
            if not line.startswith("#"):
                name, table, what = line.rstrip("\n").split("\t")
                found.setdefault(name, []).append((table, what))
    return found


def seen(path: Path, into: Path) -> list[tuple[str, str]]:
    """The tables of a file with their sizes, or the sentence that says why there is none."""
    try:
        return [
            (table.key, f"{table.rows} x {len(table.columns)}")
            for table in read_files([path], ReadOptions(), into)
        ]
    except CatalogError as error:
        return [("", str(error))]


def files_of(folder: str, unpacked: Path) -> Iterator[tuple[str, Path]]:
    """The files of a folder, unpacked where they lie in tar archives, under the names of the expectations."""
    for path in sorted((SHARED / folder).iterdir()):
        if path.name.endswith(".tar.gz"):
            place = unpacked / path.name.removesuffix(".tar.gz")
            with tarfile.open(path) as archive:
                archive.extractall(place, filter="data")
        elif path.name != "SOURCE.md":
            yield f"{folder}/{path.name}", path
    for path in sorted(unpacked.rglob("*")):
        if path.is_file():
            yield f"{folder}/{path.relative_to(unpacked)}", path


@needs_shared
@pytest.mark.parametrize("folder", ["messy-files", "moe-colleges-xls", "taiwan-population"])
def test_every_shared_file_is_the_table_it_looks_like_or_has_a_sentence(
    folder: str, tmp_path: Path
) -> None:
    wanted = {name: what for name, what in expectations().items() if name.startswith(f"{folder}/")}
    found = {
        name: seen(path, tmp_path / "read") for name, path in files_of(folder, tmp_path / "files")
    }
    assert found == wanted


@needs_shared
def test_the_yearbook_has_every_row_and_column_of_its_files(tmp_path: Path) -> None:
    """One file of each of the 196 themes; each row is counted by another reader of CSV."""
    by_theme = {path.parent: path for _, path in files_of("nbs-yearbook-csv", tmp_path / "files")}
    assert len(by_theme) == 196
    for path in by_theme.values():
        with path.open(encoding="utf-8", newline="") as file:
            names, *rows = [row for row in csv.reader(file) if any(row)]
        assert seen(path, tmp_path / "read") == [("data", f"{len(rows)} x {len(names)}")]


@needs_shared
def test_a_list_of_colleges_keeps_its_long_codes_and_its_provinces(tmp_path: Path) -> None:
    path = SHARED / "moe-colleges-xls" / "全国普通高等学校名单.xls"
    (table,) = read_files([path], ReadOptions(), tmp_path)
    types = {column.name: column.type.value for column in table.columns}
    assert types["学校标识码"] == "string"
    assert "Rows that hold only a heading became the column section: 31" in said_by(table)
