"""In which encoding a text file is written: proven by rules, guessed only where they fail."""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import numpy as np
import pyarrow as pa
from charset_normalizer import from_bytes

from catalog.errors import Unreadable
from catalog.tabular.reading.mixed import HIGH, census_of, open_mixed

BLOCK = 1 << 20
SAMPLE = 1 << 20

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
WIDER = {
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "cp936": "gb18030",
    "utf-8": "utf-8-sig",
    "ascii": "utf-8-sig",
}
"""Encodings that read everything that the declared one can hold, and more."""
CHINESE_PAIR = re.compile(rb"[\x81-\xfe][\x40-\x7e\x80-\xfe]")
COMMON_GB = re.compile(rb"[\xa1-\xa9\xb0-\xd7][\xa1-\xfe]")
COMMON_BIG5 = re.compile(rb"[\xa1-\xc6][\x40-\x7e\xa1-\xfe]")
WESTERN = re.compile(r"[À-ÖØ-öø-ÿ€‚„…†‡‰Š‹ŒŽ‘’“”•–—™š›œžŸ\xa0¡£§©ª«®°±²³´µ¶·¹º»¼½¾¿×÷¢¥]")
MOSTLY = 0.8
COMMON_ENOUGH = 0.7
"""Chinese text has so much of its bytes in the 3,755 most frequent characters and in punctuation."""
LEAST_SURE = 10
"""So many good UTF-8 sequences for every bad byte make a damaged UTF-8 file, not another encoding."""
FOLLOWING, FIRST_OF_SEVERAL, FIRST_OF_THREE, FIRST_OF_FOUR = 0x80, 0xC0, 0xE0, 0xF0
"""The least bytes of UTF-8 that go on with a letter, and that begin one of so many bytes."""
MIXED = "mixed"
"""In the place of an error handler: bad lines of a UTF-8 file are read one by one."""


@dataclass(frozen=True)
class Encoding:
    """A codec, how it treats bytes that it cannot read, and how many of these there are."""

    codec: str
    errors: str = "strict"
    damaged: int = 0
    bad_lines: int = 0
    """Lines of a UTF-8 file that are none."""
    first: tuple[int, ...] = ()
    """Numbers of the first of them."""
    chinese: int = 0
    """How many of them are read as GB18030."""

    def open(self, path: Path) -> TextIO:
        """The text of the file, line ends untouched."""
        if self.errors == MIXED:
            return open_mixed(path, self.codec)
        return path.open(encoding=self.codec, errors=self.errors, newline="")


def encoding_of(path: Path, name: str, declared: str = "") -> Encoding:
    """The encoding of the file; Unreadable when it is declared wrongly or is none that is known."""
    if declared:
        return _declared(path, name, declared)
    with path.open("rb") as file:
        head = file.read(BLOCK)
    for bom, codec in BOMS:
        if head.startswith(bom):
            return _checked(path, name, codec)
    wide = _wide(head)
    if wide:
        return _checked(path, name, wide)
    if _decodes(path, "utf-8"):
        return Encoding("utf-8")
    return _by_rules(path, name, _high_sample(path))


def _declared(path: Path, name: str, declared: str) -> Encoding:
    try:
        codec = codecs.lookup(declared).name
    except LookupError:
        raise Unreadable("The encoding %(encoding)s is not known.", encoding=declared) from None
    codec = WIDER.get(codec, codec)
    if not _decodes(path, codec):
        raise Unreadable(
            "%(file)s is not written in the encoding %(encoding)s.", file=name, encoding=declared
        )
    return Encoding(codec)


def _checked(path: Path, name: str, codec: str) -> Encoding:
    if _decodes(path, codec):
        return Encoding(codec)
    if codec == "utf-8-sig":
        return _mixed(path, codec)
    raise Unreadable(
        "%(file)s begins as %(encoding)s text, but is damaged or cut off.",
        file=name,
        encoding=codec,
    )


def _by_rules(path: Path, name: str, sample: bytes) -> Encoding:
    if _is_damaged_utf8(sample) or census_of(path).is_utf8:
        return _mixed(path, "utf-8")
    codec = _rule(sample) or _guess(sample)
    if codec == "gb18030" and not _decodes(path, codec):
        return Encoding(codec, "replace", _count_damaged(path, codec))
    if codec is None or not _decodes(path, codec):
        raise Unreadable(
            "The encoding of %(file)s could not be recognised; name it in the reading options.",
            file=name,
        )
    return Encoding(codec)


def _mixed(path: Path, codec: str) -> Encoding:
    found = census_of(path)
    return Encoding(codec, MIXED, found.damaged, found.bad, found.first, found.chinese)


def _rule(sample: bytes) -> str | None:
    pairs = CHINESE_PAIR.findall(sample)
    runs = HIGH.findall(sample)
    high = sum(map(len, runs))
    paired = sum(1 for run in runs if len(run) % 2 == 0)
    if paired >= MOSTLY * len(runs) and _share(COMMON_GB, pairs, high) >= COMMON_ENOUGH:
        return "gb18030"
    if sum(1 for run in runs if len(run) == 1) >= MOSTLY * high:
        return _latin(sample)
    if _share(COMMON_BIG5, pairs, high) >= MOSTLY:
        return "big5hkscs"
    return None


def _share(common: re.Pattern[bytes], pairs: list[bytes], high: int) -> float:
    """How much of the bytes above 127 is explained by common characters."""
    good = sum(sum(byte > 127 for byte in pair) for pair in pairs if common.fullmatch(pair))
    return good / high if high else 0.0


def _latin(sample: bytes) -> str | None:
    """Windows' Western European letters, when that is what the bytes would be."""
    try:
        text = sample.decode("cp1252")
    except UnicodeDecodeError:
        return None
    letters = [letter for letter in text if letter > "\x7f"]
    good = sum(1 for letter in letters if WESTERN.match(letter))
    return "cp1252" if good >= 0.95 * len(letters) else None


def _guess(sample: bytes) -> str | None:
    best = from_bytes(sample[: SAMPLE // 4]).best()
    return best.encoding if best else None


def _is_damaged_utf8(sample: bytes) -> bool:
    text = sample.decode("utf-8", "surrogateescape")
    bad = len(re.findall("[\udc80-\udcff]", text))
    good = sum(1 for letter in text if letter > "\x7f") - bad
    return good >= LEAST_SURE * bad


def _wide(head: bytes) -> str | None:
    """UTF-16 without its mark: zeros stand at the even or at the odd places only."""
    even, odd = head[0:4096:2].count(0), head[1:4096:2].count(0)
    if odd > 2 and not even:
        return "utf-16-le"
    if even > 2 and not odd:
        return "utf-16-be"
    return None


def _decodes(path: Path, codec: str) -> bool:
    if codec in ("utf-8", "utf-8-sig"):
        return _is_utf8(path)
    decoder = codecs.getincrementaldecoder(codec)()
    try:
        with path.open("rb") as file:
            while block := file.read(BLOCK):
                decoder.decode(block)
            decoder.decode(b"", final=True)
    except UnicodeError:
        return False
    return True


def _is_utf8(path: Path) -> bool:
    """As decoding it, in a fifth of the time: blocks are checked where they lie, up to their last whole letter."""
    rest = b""
    with path.open("rb") as file:
        while block := file.read(BLOCK):
            block, rest = _split(rest + block)
            if not _is_text(block):
                return False
    return not rest


def _split(block: bytes) -> tuple[bytes, bytes]:
    """What may be whole, and the beginning of a letter at the end."""
    for back in range(1, min(4, len(block) + 1)):
        byte = block[-back]
        if byte >= FIRST_OF_SEVERAL:
            needed = 2 + (byte >= FIRST_OF_THREE) + (byte >= FIRST_OF_FOUR)
            return (block[:-back], block[-back:]) if back < needed else (block, b"")
        if byte < FOLLOWING:
            break
    return block, b""


def _is_text(block: bytes) -> bool:
    ends = pa.py_buffer(np.array([0, len(block)], np.int32))
    try:
        text = pa.Array.from_buffers(pa.string(), 1, [None, ends, pa.py_buffer(block)])
        text.validate(full=True)
    except pa.ArrowInvalid:
        return False
    return True


def _count_damaged(path: Path, codec: str) -> int:
    with path.open(encoding=codec, errors="replace", newline="") as file:
        return sum(block.count("\ufffd") for block in iter(lambda: file.read(BLOCK), ""))


def _high_sample(path: Path) -> bytes:
    """The lines with bytes above 127, until there is enough of them."""
    lines, size = [], 0
    with path.open("rb") as file:
        while size < SAMPLE and (block := file.read(BLOCK)):
            found = [line for line in block.splitlines(keepends=True) if HIGH.search(line)]
            lines += found
            size += sum(map(len, found))
    return b"".join(lines)[: 4 * SAMPLE]
