"""Fields that several schemas share: texts by language, slugs, web addresses, plain JSON."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import orjson
from babel.core import Locale, get_global
from marshmallow import ValidationError, fields, validate

from catalog.errors import N_
from catalog.models.text import pick

LANGUAGE_TAG = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{1,8}){0,5}")
SLUG = re.compile(r"[a-z0-9](?:[a-z0-9_-]*[a-z0-9])?")
CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff]")
"""Characters that no text needs and that PostgreSQL, XML or UTF-8 refuse."""
MOST_LANGUAGES = 40
REACHED = re.compile(
    r"[^@\s]+@[\w.-]+\.\w+|(https?://|www\.)[^\s/]+\.\w+|[+(（]?\d[\d ()（）–./-]*\d\d",
    re.IGNORECASE,
)
"""An e-mail address, an address of the web, or a telephone number of three digits at least."""
RESERVED = frozenset(("new", "edit", "search"))
"""Names in addresses that pages and CKAN's clients need for themselves."""
TAKEN_BY_PAGES = N_("This name is needed for a page of the portal: choose another one.")


def is_language(tag: str) -> bool:
    """Whether the tag begins with a code of ISO 639 (of two letters, or of three)."""
    first = tag.partition("-")[0].lower()
    return bool(LANGUAGE_TAG.fullmatch(first + tag[len(first) :])) and first in _language_codes()


@cache
def _language_codes() -> frozenset[str]:
    """What CLDR knows: its names of languages, codes that stand for others, and languages by their script."""
    likely = {tag.partition("_")[0] for tag in get_global("likely_subtags")}
    return frozenset([*Locale("en").languages, *get_global("language_aliases"), *likely])


def clean(text: str) -> str:
    """The text without control characters and outer blanks, composed (NFC)."""
    return unicodedata.normalize("NFC", CONTROL.sub("", text.replace("\r\n", "\n"))).strip()


class Line(fields.String):
    """A text of one line, cleaned, of `shortest` to `longest` characters."""

    def __init__(self, longest: int, *, shortest: int = 0, **options: Any) -> None:
        super().__init__(validate=validate.Length(shortest, longest), **options)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        return " ".join(clean(super()._deserialize(value, attr, data, **options)).split())


class Texts(fields.Field[dict[str, str]]):
    """The same text in several languages: `{"zh": …, "en": …}`; empty texts are dropped."""

    def __init__(self, longest: int, **options: Any) -> None:
        super().__init__(**options)
        self.longest = longest

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 # the signature is marshmallow's
        data: Any,  # noqa: ARG002 # the signature is marshmallow's
        **options: Any,  # noqa: ARG002 # the signature is marshmallow's
    ) -> dict[str, str]:
        if not isinstance(value, Mapping):
            raise ValidationError('Must be an object such as {"zh": "…", "en": "…"}.')
        if len(value) > MOST_LANGUAGES:
            raise ValidationError(f"At most {MOST_LANGUAGES} languages.")
        texts = {tag: self._text(tag, text) for tag, text in value.items()}
        kept = {tag: text for tag, text in texts.items() if text}
        if self.required and not kept:
            raise ValidationError("A text is needed in at least one language.")
        return kept

    def _text(self, tag: object, text: object) -> str:
        if not isinstance(tag, str) or not LANGUAGE_TAG.fullmatch(tag):
            raise ValidationError(f"{str(tag)[:40]!r} is no language tag such as zh, en or pt-br.")
        if not isinstance(text, str):
            raise ValidationError(f"The text in {tag!r} must be a string.")
        tidy = clean(text)
        if len(tidy) > self.longest:
            raise ValidationError(f"The text in {tag!r} is longer than {self.longest} characters.")
        return tidy


class Slug(fields.String):
    """A lower-case ASCII name of an address; an empty one is allowed unless it is required, some only if `reserved`."""

    def __init__(self, longest: int = 100, *, reserved: bool = True, **options: Any) -> None:
        super().__init__(validate=validate.Length(max=longest), **options)
        self.reserved = reserved

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        slug: str = super()._deserialize(value, attr, data, **options)
        if (slug or self.required) and not SLUG.fullmatch(slug):
            raise ValidationError("Use lower-case letters a to z, digits, - and _.")
        if slug in RESERVED and not self.reserved:
            raise ValidationError(TAKEN_BY_PAGES)
        return slug


class Contact(Line):
    """How somebody is reached: an e-mail address, a telephone number or a web address, with words around it."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        text = super()._deserialize(value, attr, data, **options)
        if text and not REACHED.search(text):
            raise ValidationError(
                "Name an e-mail address, a telephone number or a web address here."
            )
        return text


class LanguageCode(Line):
    """A language as a BCP 47 tag whose language is one of ISO 639."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        tag = super()._deserialize(value, attr, data, **options)
        if tag and not is_language(tag):
            raise ValidationError("Use codes of languages such as zh, en or yue.")
        return tag


class WebAddress(Line):
    """An http, https or ftp address; anything that a browser would run is refused."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **options: Any) -> str:
        address = super()._deserialize(value, attr, data, **options)
        try:
            parts = urlsplit(address)
            usable = parts.scheme in {"http", "https", "ftp"} and bool(parts.netloc)
        except ValueError:
            usable = False
        if address and not usable:
            raise ValidationError("Must be a web address that starts with https:// or http://.")
        return address


class JSONObject(fields.Field[dict[str, Any]]):
    """A JSON object of at most `largest` bytes, kept as it is."""

    def __init__(self, largest: int, **options: Any) -> None:
        super().__init__(**options)
        self.largest = largest

    def _deserialize(
        self,
        value: Any,
        attr: str | None,  # noqa: ARG002 # the signature is marshmallow's
        data: Any,  # noqa: ARG002 # the signature is marshmallow's
        **options: Any,  # noqa: ARG002 # the signature is marshmallow's
    ) -> dict[str, Any]:
        if not isinstance(value, Mapping):
            raise ValidationError("Must be an object.")
        try:
            packed = orjson.dumps(dict(value))
        except orjson.JSONEncodeError as error:
            raise ValidationError(f"Cannot be written as JSON: {error}.") from error
        if len(packed) > self.largest:
            raise ValidationError(f"Larger than {self.largest} bytes.")
        kept: dict[str, Any] = orjson.loads(packed.replace(b"\\u0000", b""))
        return kept


def chosen(texts: Mapping[str, str], language: str) -> str | None:
    """The text in a language or the best one there is; None when there is none."""
    return pick(texts, language)[0] or None
