"""Encodings are proven by what is in the file."""

from __future__ import annotations

from pathlib import Path

import pytest

from catalog.errors import Unreadable
from catalog.tabular.reading import encoding
from catalog.tabular.reading.encoding import encoding_of
from tests.make_reading import make_file, names_of, read_text, rows_of, said_by

CHINESE = "编码,名称,说明\n" + "".join(
    f"{at:04d},上海市浦东新区第{at}中学,地址在世纪大道{at}号，邮编未知\n" for at in range(40)
)
FRENCH = "nom,région\n" + "".join(
    f"Élise {at},Île-de-France où règne l’été à 20 €\n" for at in range(40)
)
TAIWAN = "代碼,名稱\n" + "".join(
    f"{at:04d},臺北市信義區國民小學，電話號碼與學生總數\n" for at in range(40)
)


@pytest.mark.parametrize(
    ("text", "encoding", "found"),
    [
        (CHINESE, "utf-8", "utf-8"),
        (CHINESE, "utf-8-sig", "utf-8-sig"),
        (CHINESE, "utf-16", "utf-16"),
        (CHINESE, "utf-16-le", "utf-16-le"),
        (CHINESE, "utf-16-be", "utf-16-be"),
        (CHINESE, "utf-32", "utf-32"),
        (CHINESE, "gb18030", "gb18030"),
        (CHINESE, "gbk", "gb18030"),
        (TAIWAN, "big5", "big5hkscs"),
        (FRENCH, "cp1252", "cp1252"),
        (FRENCH.replace("€", "e").replace("’", " "), "latin-1", "cp1252"),
    ],
)
def test_an_encoding_is_recognised_and_every_letter_comes_back(
    tmp_path: Path, text: str, encoding: str, found: str
) -> None:
    path = make_file(tmp_path, "t.csv", text.encode(encoding))
    recognised = encoding_of(path, "t.csv")
    assert (recognised.codec, recognised.damaged) == (found, 0)
    with recognised.open(path) as file:
        assert file.read() == text


def test_what_no_rule_knows_is_guessed(tmp_path: Path) -> None:
    text = "город,описание\n" + "Москва,это довольно длинное описание большого города\n" * 60
    path = make_file(tmp_path, "t.csv", text.encode("cp1251"))
    with encoding_of(path, "t.csv").open(path) as file:
        assert file.read() == text


def test_single_bad_bytes_in_utf8_are_kept_and_counted(tmp_path: Path) -> None:
    table = read_text(tmp_path, CHINESE.encode() + b"9999,caf\xe9,x\n")
    assert rows_of(table)[-1] == ("9999", "café", "x")
    assert "could not be read: 1" in said_by(table)
    table = read_text(tmp_path, b"\xef\xbb\xbf" + CHINESE.encode() + b"9999,caf\xe9,x\n")
    assert rows_of(table)[-1] == ("9999", "café", "x")


def test_a_half_character_in_gb18030_is_marked_and_counted(tmp_path: Path) -> None:
    table = read_text(tmp_path, CHINESE.encode("gb18030") + b"9999,abc\xff,x\n")
    assert rows_of(table)[-1] == ("9999", "abc\ufffd", "x")
    assert "could not be read: 1" in said_by(table)


def test_a_declared_encoding_must_be_known_and_right(tmp_path: Path) -> None:
    assert rows_of(read_text(tmp_path, "a,b\né,2\n".encode("cp1252"), encoding="cp1252")) == [
        ("é", 2)
    ]
    assert rows_of(read_text(tmp_path, "a,b\n㐀,2\n".encode("gb18030"), encoding="gb2312")) == [
        ("㐀", 2)
    ]
    with pytest.raises(Unreadable, match="The encoding nonsense is not known"):
        read_text(tmp_path, "a,b\n1,2\n", encoding="nonsense")
    with pytest.raises(Unreadable, match="not written in the encoding utf-8"):
        read_text(tmp_path, CHINESE.encode("gb18030"), encoding="utf-8")


def test_cut_utf16_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Unreadable, match="damaged or cut off"):
        read_text(tmp_path, "a,b\n1,2\n".encode("utf-16")[:-1])


def test_bytes_that_are_no_text_are_refused(tmp_path: Path) -> None:
    content = b"a,b\n" + bytes(range(128, 256)) * 20
    with pytest.raises(Unreadable, match="could not be recognised; name it"):
        read_text(tmp_path, content)


def test_a_line_of_another_encoding_is_read_alone_and_named(tmp_path: Path) -> None:
    lines = ["编码,名称", *(f"{at},上海" for at in range(3))]
    content = "\n".join(lines).encode() + "\n9,名称镕基\n".encode("gb18030") + "10,北京\n".encode()
    table = read_text(tmp_path, content)
    assert names_of(table) == ["编码", "名称"]
    assert [row[1] for row in rows_of(table)] == ["上海"] * 3 + ["名称镕基", "北京"]
    assert "1 lines are not (the first: 5); 1 of them were read as GB18030" in said_by(table)


def test_a_mixed_file_of_many_blocks_keeps_every_letter(tmp_path: Path) -> None:
    texts = [f"{at},上海市浦东新区第{at}中学" for at in range(60_000)]
    lines = [text.encode("gb18030" if at % 7 == 3 else "utf-8") for at, text in enumerate(texts)]
    table = read_text(tmp_path, b"n,name\n" + b"\n".join(lines))
    assert [f"{n},{name}" for n, name in rows_of(table)] == texts
    assert "(the first: 5, 12, 19, 26, 33)" in said_by(table)


def test_a_file_that_is_mostly_gb18030_stays_so(tmp_path: Path) -> None:
    content = CHINESE.encode("gb18030") + "9,上海市\n".encode()
    assert encoding_of(make_file(tmp_path, "t.csv", content), "t.csv").codec == "gb18030"


@pytest.mark.parametrize("letter", ["a", "é", "中", "𠮷"])
def test_utf8_is_recognised_wherever_a_block_ends_and_refused_where_it_is_cut(
    tmp_path: Path, letter: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(encoding, "BLOCK", 64)
    for before in range(60, 64):
        content = b"x" * before + letter.encode() * 40
        assert encoding._is_utf8(make_file(tmp_path, "t.csv", content))
        if len(letter.encode()) > 1:
            assert not encoding._is_utf8(make_file(tmp_path, "t.csv", content[:-1]))


@pytest.mark.parametrize(
    "bad", [b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\x80", b"\xbf" * 4, b"\xff"]
)
def test_bytes_that_only_look_like_utf8_are_refused(tmp_path: Path, bad: bytes) -> None:
    for content in (bad, b"ab" + bad, bad + b"ab"):
        assert not encoding._is_utf8(make_file(tmp_path, "t.csv", content))
