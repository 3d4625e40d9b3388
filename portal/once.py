"""Keeps a secret for the page after a redirect: sealed in a file, a few minutes, for one browser.

The session holds a ticket and the file what it opens: neither the cookie nor the disk gives the
secret away alone. A file serves every web process, and goes when its time is over or on `forget`.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import json
import secrets
import time
from pathlib import Path

from cryptography.fernet import Fernet, InvalidToken
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from flask import current_app, session

SECONDS = 300
"""How long it can be looked at."""
TICKET = "once"


def keep(shown: dict[str, str]) -> None:
    """Keep what the next page of this session shows; it replaces what was kept before."""
    forget()
    _sweep()
    ticket = secrets.token_urlsafe(32)
    _folder().mkdir(mode=0o700, parents=True, exist_ok=True)
    file = _file(ticket)
    file.touch(mode=0o600, exist_ok=False)
    file.write_bytes(_cipher(ticket).encrypt(json.dumps(shown).encode()))
    session[TICKET] = ticket


def kept() -> dict[str, str] | None:
    """What was kept for this session, while its time lasts."""
    ticket = session.get(TICKET)
    if not ticket:
        return None
    try:
        opened = _cipher(ticket).decrypt(_file(ticket).read_bytes(), ttl=SECONDS)
    except (FileNotFoundError, InvalidToken):
        forget()
        return None
    shown: dict[str, str] = json.loads(opened)
    return shown


def forget() -> None:
    """Remove what was kept for this session."""
    ticket = session.pop(TICKET, None)
    if ticket:
        _file(ticket).unlink(missing_ok=True)


def _sweep() -> None:
    """Remove what nobody came back for."""
    for file in _folder().glob("*"):
        with contextlib.suppress(FileNotFoundError):  # another process was first
            if file.stat().st_mtime < time.time() - SECONDS:
                file.unlink()


def _folder() -> Path:
    return Path(current_app.extensions["weft"]["settings"].data_dir) / "once"


def _file(ticket: str) -> Path:
    return _folder() / hashlib.sha256(ticket.encode()).hexdigest()


def _cipher(ticket: str) -> Fernet:
    key = f"{current_app.secret_key!s}/{ticket}".encode()
    derived = HKDF(SHA256(), 32, salt=None, info=b"weft shown once").derive(key)
    return Fernet(base64.urlsafe_b64encode(derived))
