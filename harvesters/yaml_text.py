"""YAML of other systems, read without the tricks that make a small file large."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import yaml

from catalog.errors import Unreadable

LARGEST_FILE = 2_000_000
MOST_ALIASES = 50
MOST_VALUES = 100_000
"""Where there are aliases, each counted with all that it stands for."""
DEEPEST = 20


def text_of(path: Path) -> str:
    """The text of a file; raises Unreadable for one that is too large or not written in UTF-8."""
    if path.stat().st_size > LARGEST_FILE:
        raise Unreadable(
            "%(name)s is larger than %(limit)s bytes", name=path.name, limit=LARGEST_FILE
        )
    try:
        return path.read_text("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable("%(name)s is not written in UTF-8", name=path.name) from error


def fields_in(text: str, name: str) -> dict[str, Any]:
    """The fields that YAML lists, as JSON can hold them; `name` is the file's, for what is wrong with it."""
    try:
        _refuse_tricks(text)
        found = _plain(yaml.load(text, yaml.CSafeLoader))
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Unreadable("what stands in %(name)s is no YAML", name=name) from error
    if not isinstance(found, dict):
        raise Unreadable("what stands in %(name)s is no list of fields", name=name)
    return found


def _refuse_tricks(text: str) -> None:
    """Depth and aliases are counted before anything is made of them: the C library dies of a text that is too deep, and
    each alias of aliases multiplies what there is.
    """
    values, aliases = 0, 0
    begun: list[tuple[str | None, int]] = []
    sizes: dict[str | None, int] = {}
    for event in yaml.parse(text, yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionEndEvent):
            anchor, before = begun.pop()
            sizes[anchor] = values - before
        elif isinstance(event, yaml.AliasEvent):
            aliases += 1
            values += sizes.get(event.anchor, 1)
        elif isinstance(event, yaml.NodeEvent):
            values += 1
        if isinstance(event, yaml.CollectionStartEvent):
            begun.append((event.anchor, values))
        if len(begun) > DEEPEST:
            raise Unreadable("the YAML is nested too deeply")
        if aliases > MOST_ALIASES or (aliases and values > MOST_VALUES):
            raise Unreadable("the YAML repeats itself too often")


def _plain(value: Any) -> Any:
    """The value as JSON can hold it."""
    if isinstance(value, dict):
        return {str(key): _plain(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple | set):
        return [_plain(inner) for inner in value]
    if isinstance(value, datetime | date):
        return value.isoformat()
    if value is None or isinstance(value, str | bool | int | float):
        return value
    raise Unreadable("the YAML holds values that are no text, number or date")
