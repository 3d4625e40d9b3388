"""Texts of CKAN's clients, who send one where the portal keeps one in each language."""

from __future__ import annotations

import re
from collections.abc import Mapping

from flask import g, request

from catalog.models.text import pick

HAN = re.compile("[\u3400-\u9fff]")


def said(texts: Mapping[str, str], given: str) -> dict[str, str]:
    """The texts after somebody wrote this where they were shown in one language."""
    shown, _ = pick(texts or {}, g.lang)
    if given == shown:
        return dict(texts)
    written = language_of(given, texts)
    kept = {tag: text for tag, text in texts.items() if tag != written}
    return {**kept, written: given} if given else {}


def language_of(given: str, texts: Mapping[str, str]) -> str:
    """The language that a text is kept in: the caller's, who reads it again in it.

    Most clients name none. What they write in Chinese is Chinese, unless it takes the place of a text in
    the language that they are answered in.
    """
    if not _is_named() and g.lang not in texts and HAN.search(given):
        return "zh"
    return str(g.lang)


def _is_named() -> bool:
    return "lang" in request.args or "Accept-Language" in request.headers
