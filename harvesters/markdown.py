"""Texts that other systems write in HTML, as Markdown."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from typing import Any

_MARKS = {"b": "**", "strong": "**", "i": "*", "em": "*", "code": "`"}
_BLOCKS = {
    "p": "\n\n",
    "div": "\n\n",
    "ul": "\n\n",
    "ol": "\n\n",
    "br": "\n\n",
    "h1": "\n\n",
    "h2": "\n\n",
}
_BLOCKS |= {"h3": "\n\n", "h4": "\n\n", "li": "\n- ", "tr": "\n"}
_COMMENT = re.compile(r"<!--.*?(?:-->|\Z)|<[!?][^<>]*>", re.DOTALL)
_NO_TAG = re.compile(r"<(?!/?[a-zA-Z][^<>]*>)")
"""A sign that begins no tag: the parser would look for its end through the whole text, from each of them."""


class _Markdown(HTMLParser):
    """Writes the HTML in a text as Markdown and leaves the rest as it is."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.parts: list[str] = []
        self._targets: list[str] = []
        self._hidden = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag in {"script", "style"}:
            self._hidden += 1
        elif tag == "a":
            self._targets.append(link(dict(attrs).get("href")))
            self.parts.append("[" if self._targets[-1] else "")
        else:
            self.parts.append(_MARKS.get(tag) or _BLOCKS.get(tag, ""))

    def handle_endtag(self, tag: str) -> None:
        if tag in {"script", "style"}:
            self._hidden = max(0, self._hidden - 1)
        elif tag == "a" and self._targets:
            target = self._targets.pop()
            self.parts.append(f"]({target})" if target else "")
        else:
            self.parts.append(_MARKS.get(tag) or ("\n\n" if tag in _BLOCKS and tag != "li" else ""))

    def handle_data(self, data: str) -> None:
        if not self._hidden:
            self.parts.append(data)


def link(value: Any) -> str:
    """A web address without blanks, or nothing."""
    text = re.sub(r"\s", "%20", str(value or "").strip())
    return text if re.match(r"https?://[^/]", text) else ""


def markdown(text: str) -> str:
    """The text as Markdown: tags that it holds are written as Markdown, scripts are dropped."""
    text = re.sub(r"<(https?://[^\s<>]+)>", r"[\1](\1)", text)
    if not re.search(r"</?[a-zA-Z][^<>]*>|&\w+;", text):
        return text.strip()
    writer = _Markdown()
    writer.feed(_NO_TAG.sub("&lt;", _COMMENT.sub("", text)))
    writer.close()
    return re.sub(r"(?<![ \t])[ \t]*\n[ \t]*\n\s*", "\n\n", "".join(writer.parts)).strip()
