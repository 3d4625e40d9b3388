"""Words that mean the same: groups in the package's file and in the portal's own."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from catalog.errors import SettingsError

FILE = Path(__file__).parent / "data" / "synonyms.txt"
MOST_WORDS = 12
"""Words of a group that are asked for beside the one that was typed."""


@dataclass(frozen=True)
class Synonyms:
    """Each word, as `key` gives it, with the others of its groups."""

    others: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    longest: int = 0
    """Characters of the longest word."""

    @classmethod
    def of(cls, lines: Iterable[str]) -> Synonyms:
        """The groups of lines such as `公交, 巴士, bus`; `#` begins a comment."""
        others: dict[str, dict[str, None]] = {}
        for words in _groups(lines):
            for word in words:
                rest = (other for other in words if key(other) != key(word))
                others.setdefault(key(word), {}).update(dict.fromkeys(rest))
        return cls(
            {word: tuple(rest)[:MOST_WORDS] for word, rest in others.items()},
            max(map(len, others), default=0),
        )


def key(word: str) -> str:
    """The word as it is looked up: lower case, single blanks."""
    return " ".join(word.casefold().split())


def read(file: Path | None = None) -> Synonyms:
    """The package's groups, and those of a file of the portal's own."""
    lines = FILE.read_text("utf-8").splitlines()
    if file is not None:
        try:
            lines += file.read_text("utf-8-sig").splitlines()
        except (OSError, ValueError) as error:
            raise SettingsError(
                "WEFT_SEARCH_SYNONYMS: %(file)s cannot be read", file=str(file)
            ) from error
    return Synonyms.of(lines)


def _groups(lines: Iterable[str]) -> Iterator[list[str]]:
    for line in lines:
        text, _, _ = line.partition("#")
        words = [word.strip() for word in text.replace("，", ",").split(",")]
        known = [word for word in words if word]
        if len(known) > 1:
            yield known
