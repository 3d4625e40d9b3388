"""Secrets among a source's options: encrypted at rest, in clear only while a format works."""

from __future__ import annotations

import base64
from collections.abc import Mapping
from typing import Any

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from marshmallow import Schema, ValidationError

from catalog.errors import Invalid, Unreadable
from harvesters.harvester import Harvester, Source

SEAL = "sealed"


def seal(
    harvester: Harvester, options: Mapping[str, Any], kept: Mapping[str, Any], key: str
) -> dict[str, Any]:
    """The options for the database; a secret that is not given stays as it was in `kept`."""
    sealed = dict(options)
    for name in _secrets(harvester.options()):
        given = options.get(name)
        if isinstance(given, str) and given:
            old = _clear(kept[name], key) if name in kept else None
            sealed[name] = (
                kept[name]
                if old == given
                else {SEAL: _cipher(key).encrypt(given.encode()).decode()}
            )
        elif name in kept and given is None:
            sealed[name] = kept[name]
    return sealed


def source_of(harvester: Harvester, url: str, options: Mapping[str, Any], key: str) -> Source:
    """The source as the format sees it; raises Invalid when its options cannot be used."""
    opened = {}
    for name, value in options.items():
        opened[name] = (
            _opened(value, key) if isinstance(value, Mapping) and set(value) == {SEAL} else value
        )
    return Source(url, checked(harvester, opened))


def checked(harvester: Harvester, options: Mapping[str, Any]) -> dict[str, Any]:
    """The options with defaults filled in; raises Invalid with the problems by field."""
    try:
        found: dict[str, Any] = harvester.options().load(dict(options))
    except ValidationError as error:
        raise Invalid(
            "the options of this source cannot be used", problems=dict(error.messages_dict)
        ) from error
    return found


def _secrets(schema: Schema) -> list[str]:
    return [name for name, field in schema.fields.items() if field.metadata.get("secret")]


def _clear(value: Any, key: str) -> str | None:
    try:
        return _opened(value, key)
    except Unreadable:
        return None


def _opened(value: Any, key: str) -> str:
    try:
        return _cipher(key).decrypt(str(value[SEAL])).decode()
    except InvalidToken as error:
        raise Unreadable(
            "the password of this source was sealed with another secret key: enter it again"
        ) from error


def _cipher(key: str) -> Fernet:
    derived = HKDF(SHA256(), 32, salt=None, info=b"weft harvest options").derive(key.encode())
    return Fernet(base64.urlsafe_b64encode(derived))
