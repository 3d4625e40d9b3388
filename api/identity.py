"""Who calls: the key of `Authorization: Bearer` or `X-API-Key`, else anyone. Cookies count for nothing.

On CKAN's addresses keys come as CKAN's clients send them: bare in `Authorization`, or in `X-CKAN-API-Key`;
and a key that is not known makes a caller anyone, as it does there.
"""

from __future__ import annotations

from urllib.parse import unquote_plus

from flask import Flask, g, request

from catalog.errors import BadQuery, CatalogError, Unauthenticated
from catalog.permissions import ANYONE
from catalog.services import keys

LANGUAGES = ("zh", "en")
CKAN = ("/api/3/", "/api/action/", "/datastore/")
"""Where CKAN's clients call."""


def init_app(app: Flask) -> None:
    """Set `g.identity` before each call of the API; a bad key is refused after it was counted."""
    app.before_request(identify)


def is_call() -> bool:
    """Whether this request is one of the API."""
    return request.path.startswith(("/api/", "/datastore/"))


def is_ckan() -> bool:
    """Whether this request is one of CKAN's API."""
    return request.path.startswith(CKAN)


def identify() -> None:
    """Set the identity and the language of a call; what is wrong with its key waits in `g.refusal`."""
    if not is_call():
        return
    g.lang = language()
    g.identity, g.refusal = ANYONE, None
    try:
        secret = sent_key()
        if secret is not None:
            g.identity = keys.identify(secret)
    except Unauthenticated as error:
        g.refusal = None if is_ckan() else error
    except CatalogError as error:
        g.refusal = error


def refuse() -> None:
    """Raise what was wrong with the key."""
    if is_call() and g.refusal is not None:
        raise g.refusal


def sent_key() -> str | None:
    """The key that was sent, or None; raises BadQuery for one in the address."""
    if has_key_in_address():
        raise BadQuery(
            "Send the key in the header Authorization or X-API-Key: addresses end up in logs. "
            "Revoke this key and make a new one."
        )
    if is_ckan():
        return ckan_key()
    given = request.headers.get("Authorization")
    if given is None:
        return request.headers.get("X-API-Key")
    scheme, _, secret = given.partition(" ")
    if scheme.lower() != "bearer":
        raise Unauthenticated("send the key as Authorization: Bearer KEY")
    return secret.strip()


def ckan_key() -> str | None:
    """The key as CKAN takes it; none where a page of another site asks by JSONP, as there."""
    if "callback" in request.args:
        return None
    named = ("Authorization", "X-CKAN-API-Key", "X-API-Key")
    given = next((request.headers[name] for name in named if request.headers.get(name)), None)
    if given is None:
        return None
    scheme, _, secret = given.partition(" ")
    return secret.strip() if scheme.lower() == "bearer" else given.strip()


def has_key_in_address() -> bool:
    """Whether the decoded address holds a whole key, or a parameter made for one."""
    asked = request.query_string
    if b"weft" not in asked and b"%" not in asked and "weft_" not in request.path:
        return "api_key" in request.args or "apikey" in request.args
    whole = f"{request.path}?{unquote_plus(asked.decode('latin-1'))}"
    return bool(keys.IN_TEXT.search(whole)) or "api_key" in request.args or "apikey" in request.args


def language() -> str:
    """The language of sentences: the parameter `lang`, else Accept-Language, else English."""
    asked = request.args.get("lang")
    if asked in LANGUAGES:
        return asked
    if "Accept-Language" not in request.headers:
        return "en"
    return request.accept_languages.best_match(LANGUAGES) or "en"
