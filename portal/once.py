"""Keeps a secret for the page after a redirect: sealed in the session, a few minutes, for one browser.

Only the portal can open what the cookie holds, so that any web process, on any machine, shows it, and
nothing of it is kept on a server. Nobody reads it out of a cookie: the key is made of the portal's secret.
"""

from __future__ import annotations

import base64
import json

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app, session

from portal.identity import REMEMBERED

SECONDS = 300
"""How long it can be looked at."""
SEALED = "once"


def keep(shown: dict[str, str]) -> None:
    """Keep what the next page of this session shows; it replaces what was kept before."""
    session[SEALED] = _cipher().encrypt(json.dumps(shown).encode()).decode()


def kept() -> dict[str, str] | None:
    """What was kept for this session, while its time lasts."""
    sealed = session.get(SEALED)
    if not sealed:
        return None
    try:
        opened = _cipher().decrypt(sealed, ttl=SECONDS)
    except InvalidToken:
        forget()
        return None
    shown: dict[str, str] = json.loads(opened)
    return shown


def forget() -> None:
    """Remove what was kept for this session."""
    session.pop(SEALED, None)


def _cipher() -> Fernet:
    """What opens only what was kept for the account that is signed in."""
    key = f"{current_app.secret_key!s}/{session.get(REMEMBERED, '')}".encode()
    derived = HKDF(SHA256(), 32, salt=None, info=b"weft shown once").derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))
