"""Titles made of names: sheets, members, files."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

HAN = re.compile("[\u3400-\u9fff]")
UNDETERMINED = "und"


def title_of(name: str) -> dict[str, str]:
    """The name as a title: Chinese when it holds Chinese characters, else of no known language."""
    text = " ".join(name.replace("_", " ").split())
    return {("zh" if HAN.search(text) else UNDETERMINED): text}


def stem_of(name: str) -> str:
    """The name of a file without its folders and endings."""
    path = PurePosixPath(name)
    while path.suffix and len(path.suffix) <= 8:
        path = path.with_suffix("")
    return path.name or name
