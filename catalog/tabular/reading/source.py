"""A file to read, whatever archive it came out of."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from pathlib import Path, PurePosixPath


@dataclass(frozen=True)
class Source:
    """`path` is where the bytes are, `name` what people call it: `archive.zip/member.csv`."""

    path: Path
    name: str
    key: str = "data"
    in_folder: bool = False
    """Whether the folder of the file is its own, with what belongs to it."""

    @property
    def suffix(self) -> str:
        """The ending of the name, without that of a compression."""
        name = PurePosixPath(self.name.lower())
        return PurePosixPath(name.stem).suffix if name.suffix == ".gz" else name.suffix

    def remove(self) -> None:
        """Remove the file from disk, with what belongs to it."""
        if self.in_folder:
            shutil.rmtree(self.path.parent, ignore_errors=True)
        self.path.unlink(missing_ok=True)
