"""Choosing the language of a text."""

from __future__ import annotations

from collections.abc import Mapping


def pick(texts: Mapping[str, str], language: str) -> tuple[str, str]:
    """The text in `language`, else English, Chinese, or any other; with the tag of what was chosen.

    Machine translations carry BCP 47 tags such as `fr-t-nl` and are taken only when nothing else is
    there.
    """
    for wanted in (language, "en", "zh"):
        if texts.get(wanted):
            return texts[wanted], wanted
    for tag in sorted(texts, key=lambda tag: ("-t-" in tag, tag)):
        if texts[tag]:
            return texts[tag], tag
    return "", language
