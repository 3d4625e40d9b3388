"""How a release is cited: the texts that people put below their papers."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime


def citation_texts(
    *,
    publisher: Mapping[str, str],
    title: Mapping[str, str],
    site: Mapping[str, str],
    number: int,
    made_at: datetime,
    today: datetime,
    url: str,
) -> dict[str, str]:
    """The citation in the form of GB/T 7714 (in Chinese) and of APA (in English), where texts in them exist."""
    chinese = {
        name: texts.get("zh") or _any(texts) for name, texts in _named(publisher, title, site)
    }
    english = {
        name: texts.get("en") or _any(texts) for name, texts in _named(publisher, title, site)
    }
    return {
        "gbt7714": (
            f"{chinese['publisher']}. {chinese['title']}: 第{number}版[DS/OL]. "
            f"{chinese['site']}, ({made_at:%Y-%m-%d})[{today:%Y-%m-%d}]. {url}."
        ),
        "apa": (
            f"{english['publisher']}. ({made_at:%Y, %B} {made_at.day}). {english['title']} "
            f"(Release {number}) [Data set]. {english['site']}. {url}"
        ),
    }


def _named(
    publisher: Mapping[str, str], title: Mapping[str, str], site: Mapping[str, str]
) -> list[tuple[str, Mapping[str, str]]]:
    return [("publisher", publisher), ("title", title), ("site", site)]


def _any(texts: Mapping[str, str]) -> str:
    return next(iter(texts.values()), "")
