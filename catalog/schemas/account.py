"""Forms of accounts and keys → frozen drafts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

N_ = str
"""Marks a sentence for translation; it is translated where it is shown."""

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
"""Longer ones would only cost the time of hashing."""
EMAIL = re.compile(
    r"[^@\s\"(),:;<>\[\]\\\x00-\x1f]{1,64}@[^@\s\"(),:;<>\[\]\\\x00-\x1f]+\.[^@\s.]{2,}"
)
INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")
COMMON = frozenset(
    [
        "1234567890",
        "0123456789",
        "9876543210",
        "0987654321",
        "12345678910",
        "123456789a",
        "1234567891",
        "123456789q",
        "1q2w3e4r5t",
        "1qaz2wsx3edc",
        "qwertyuiop",
        "qwerty12345",
        "qwerty123456",
        "asdfghjkl1",
        "asdfghjkl;",
        "zxcvbnm123",
        "qazwsxedc1",
        "q1w2e3r4t5",
        "password12",
        "password123",
        "password1234",
        "passw0rd123",
        "passwordpassword",
        "p@ssw0rd123",
        "p@ssword123",
        "changeme123",
        "welcome123",
        "welcome1234",
        "letmein123",
        "letmein1234",
        "iloveyou123",
        "administrator",
        "admin12345",
        "admin123456",
        "adminadmin",
        "abcdefghij",
        "abcdefghijk",
        "abcd123456",
        "abc1234567",
        "abc123456789",
        "abcde12345",
        "a123456789",
        "aa12345678",
        "aaa123456789",
        "woaini1314",
        "woaini5201314",
        "woaini520520",
        "5201314520",
        "1314520520",
        "5201314aaa",
        "wo123456789",
        "nihao123456",
        "zhongguo123",
        "mima123456",
        "mimamima123",
        "qq123456789",
        "1357924680",
        "1122334455",
        "1234554321",
        "1231231230",
        "123123123123",
        "11223344556",
        "baseball123",
        "football123",
        "superman123",
        "princess123",
        "sunshine123",
        "dragon12345",
        "monkey12345",
        "shadow12345",
        "master12345",
        "trustno1trustno1",
        "correcthorsebatterystaple",
        "opendata123",
        "weftweftweft",
    ]
)
"""Passwords of ten characters or more that lists of leaked passwords start with."""


@dataclass(frozen=True)
class SignInDraft:
    """An address and a password that may be wrong."""

    email: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class RegisterDraft:
    """A new account."""

    email: str
    name: str
    password: str = field(repr=False)


@dataclass(frozen=True)
class PasswordDraft:
    """A change of password."""

    present: str = field(repr=False)
    password: str = field(repr=False)


@dataclass(frozen=True)
class KeyDraft:
    """A new API key."""

    name: str
    plan: str = "basic"


def normalized_email(text: str) -> str:
    """The one form of an address that is stored and compared."""
    return unicodedata.normalize("NFKC", text).strip().lower()


def normalized_password(text: str) -> str:
    """The same characters, however the keyboard composed them."""
    return unicodedata.normalize("NFC", text)


def weakness(password: str, email: str, name: str) -> str | None:
    """The sentence that says why a password is refused, or None."""
    plain = password.casefold()
    if len(password) < SHORTEST_PASSWORD:
        return N_("The password needs at least 10 characters")
    if len(password) > LONGEST_PASSWORD:
        return N_("The password may have at most 200 characters")
    if plain in COMMON or len(set(plain)) < 4:
        return N_("This password is one of the first that others would try")
    own = [
        word for word in (email.casefold(), email.split("@")[0].casefold(), name.casefold()) if word
    ]
    rest = plain
    for word in own:
        rest = rest.replace(word, "") if len(word) >= 3 else rest
    if len(rest) < 4:
        return N_("The password may not be made of your name or e-mail address")
    return None


class Email(fields.String):
    """An e-mail address, in the form that is stored."""

    default_error_messages = {  # noqa: RUF012 # marshmallow merges this dictionary over the classes
        "required": N_("Enter an e-mail address"),
        "email": N_("Enter an e-mail address like name@example.org"),
    }

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = normalized_email(super()._deserialize(value, attr, data, **kwargs) or "")
        if not text:
            raise self.make_error("required")
        if len(text) > 254 or not EMAIL.fullmatch(text):
            raise self.make_error("email")
        return text


class Password(fields.String):
    """A password as it was typed."""

    default_error_messages = {"required": N_("Enter a password")}  # noqa: RUF012 # marshmallow merges this dictionary over the classes

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        text = normalized_password(super()._deserialize(value, attr, data, **kwargs) or "")
        if not text:
            raise self.make_error("required")
        return text


class Name(fields.String):
    """A short text on one line."""

    default_error_messages = {  # noqa: RUF012 # marshmallow merges this dictionary over the classes
        "required": N_("Enter a name"),
        "long": N_("The name may have at most 100 characters"),
    }

    def _deserialize(
        self, value: Any, attr: str | None, data: Mapping[str, Any] | None, **kwargs: Any
    ) -> str:
        given = super()._deserialize(value, attr, data, **kwargs) or ""
        text = " ".join(INVISIBLE.sub(" ", unicodedata.normalize("NFC", given)).split())
        if not text:
            raise self.make_error("required")
        if len(text) > 100:
            raise self.make_error("long")
        return text


class SignInSchema(Schema):
    """The form for signing in."""

    email = Email(required=True)
    password = Password(required=True)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> SignInDraft:
        """The frozen draft."""
        return SignInDraft(**data)


class RegisterSchema(Schema):
    """The form for a new account."""

    name = Name(required=True)
    email = Email(required=True)
    password = Password(required=True)

    @validates_schema
    def refuse_weak(self, data: dict[str, Any], **_: Any) -> None:
        """Name what is wrong with the password, beside the password."""
        refuse(weakness(data["password"], data["email"], data["name"]), "password")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> RegisterDraft:
        """The frozen draft."""
        return RegisterDraft(**data)


class PasswordSchema(Schema):
    """The form for another password; what depends on the account is checked by the service."""

    present = Password(
        required=True, error_messages={"required": N_("Enter your present password")}
    )
    password = Password(required=True, error_messages={"required": N_("Enter a new password")})
    again = Password(required=True, error_messages={"required": N_("Enter the new password again")})

    @validates_schema
    def compare(self, data: dict[str, Any], **_: Any) -> None:
        """The new password must be typed twice alike, and differ from the present one."""
        if data["password"] != data["again"]:
            refuse(N_("This is not the password that you entered above"), "again")
        if data["password"] == data["present"]:
            refuse(N_("Choose a password other than the present one"), "password")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> PasswordDraft:
        """The frozen draft."""
        return PasswordDraft(present=data["present"], password=data["password"])


class KeySchema(Schema):
    """The form for a new API key."""

    name = Name(required=True, error_messages={"required": N_("Enter a name for the key")})
    plan = fields.String(load_default="basic")

    @validates_schema
    def know_plan(self, data: dict[str, Any], **_: Any) -> None:
        """Plans are a closed list."""
        if data["plan"] not in ("basic", "extended"):
            refuse(N_("There is no such plan"), "plan")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> KeyDraft:
        """The frozen draft."""
        return KeyDraft(**data)


def refuse(sentence: str | None, where: str) -> None:
    """Raise the sentence beside a field, if there is one."""
    if sentence:
        raise ValidationError(sentence, where)
