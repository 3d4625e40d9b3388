"""Forms of accounts and keys → frozen drafts."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from marshmallow import Schema, ValidationError, fields, post_load, validates_schema

from catalog.models.vocabulary import MemberRole
from catalog.schemas.common_passwords import COMMON

N_ = str
"""Marks a sentence for translation; it is translated where it is shown."""

SHORTEST_PASSWORD = 10
LONGEST_PASSWORD = 200
"""Longer ones would only cost the time of hashing."""
EMAIL = re.compile(
    r"[^@\s\"(),:;<>\[\]\\\x00-\x1f]{1,64}@[^@\s\"(),:;<>\[\]\\\x00-\x1f]+\.[^@\s.]{2,}"
)
USER_NAME = re.compile(r"[a-z0-9_-]{2,100}")
INVISIBLE = re.compile(r"[\x00-\x1f\x7f\u200b-\u200f\u202a-\u202e\u2060-\u2069\ufeff]")


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
class ProfileDraft:
    """What others see of an account."""

    name: str
    slug: str
    about: str


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


class NewPasswordSchema(Schema):
    """The form for a password after an address was proved; what depends on the account is checked by the service."""

    password = Password(required=True, error_messages={"required": N_("Enter a new password")})
    again = Password(required=True, error_messages={"required": N_("Enter the new password again")})

    @validates_schema
    def compare(self, data: dict[str, Any], **_: Any) -> None:
        """The password must be typed twice alike."""
        if data["password"] != data["again"]:
            refuse(N_("This is not the password that you entered above"), "again")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> str:
        """The password."""
        return str(data["password"])


class AddressSchema(Schema):
    """The form that asks for a mail with which the password is set anew."""

    email = Email(required=True)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> str:
        """The address."""
        return str(data["email"])


class InvitedSchema(Schema):
    """The form for the account of somebody who was invited: the address is known already."""

    name = Name(required=True)
    password = Password(required=True)

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> tuple[str, str]:
        """Name and password."""
        return data["name"], data["password"]


class InvitationSchema(Schema):
    """The form that invites somebody to an organization."""

    email = Email(required=True)
    role = fields.String(load_default=str(MemberRole.EDITOR))

    @validates_schema
    def know_role(self, data: dict[str, Any], **_: Any) -> None:
        """Roles are a closed list."""
        if data["role"] not in set(MemberRole):
            refuse(N_("There is no such role"), "role")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> tuple[str, MemberRole]:
        """Address and role."""
        return data["email"], MemberRole(data["role"])


class ProfileSchema(Schema):
    """The form of what others see of an account."""

    name = Name(required=True)
    slug = Name(required=True, error_messages={"required": N_("Enter a user name")})
    about = fields.String(load_default="")

    @validates_schema
    def check(self, data: dict[str, Any], **_: Any) -> None:
        """User names are parts of addresses; a text about oneself is short."""
        if not USER_NAME.fullmatch(data["slug"]):
            refuse(
                N_("A user name has 2 to 100 small letters, digits, hyphens and underscores"),
                "slug",
            )
        if len(data["about"]) > 2000:
            refuse(N_("This may have at most 2000 characters"), "about")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> ProfileDraft:
        """The frozen draft."""
        about = unicodedata.normalize("NFC", data["about"]).replace("\r\n", "\n").strip()
        return ProfileDraft(data["name"], data["slug"], about)


class SavedSearchSchema(Schema):
    """The form of a saved search: its name, and whether mails tell what is new."""

    name = Name(required=True)
    mails = fields.String(load_default="")

    @post_load
    def to_draft(self, data: dict[str, Any], **_: Any) -> tuple[str, bool]:
        """Name, and whether mails are wanted."""
        return data["name"], bool(data["mails"])


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
