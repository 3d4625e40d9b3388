"""What CKAN answers when a call fails: its `__type`, its status, its sentences.

CKAN's own sentences stay English in every language, since its clients look for words of them.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from flask_babel import gettext
from werkzeug.exceptions import HTTPException

from api.errors import sentences
from catalog.errors import (
    CatalogError,
    Conflict,
    Denied,
    Invalid,
    NotFound,
    TooLarge,
    TooMany,
    Unauthenticated,
    Unavailable,
    Unreadable,
)

_KINDS: tuple[tuple[type[CatalogError], int, str], ...] = (
    (Invalid, 409, "Validation Error"),
    (Conflict, 409, "Validation Error"),
    (Unreadable, 409, "Validation Error"),
    (Denied, 403, "Authorization Error"),
    (Unauthenticated, 403, "Authorization Error"),
    (NotFound, 404, "Not Found Error"),
    (TooLarge, 413, "Request Too Large Error"),
    (TooMany, 429, "Too Many Requests Error"),
    (Unavailable, 503, "Service Unavailable Error"),
)
_OPENINGS = {403: "Access denied", 404: "Not found"}


class Refused(Invalid):
    """What was sent breaks the action's rules: the fields and what is wrong with each, as CKAN says it."""

    def __init__(self, problems: Mapping[str, Any]) -> None:
        super().__init__("the call cannot be used", problems=dict(problems))


class Malformed(CatalogError):
    """The request is no call of an action; CKAN answers with a bare sentence."""

    status, code = 400, "bad_request"


class Unfit(CatalogError):
    """A value is of a kind that the action cannot even look at."""

    status, code = 400, "integrity"


class Misread(CatalogError):
    """Parameters of a search that Solr does not know, or not so."""

    status, code = 400, "bad_query"


class SearchFailed(CatalogError):
    """A query that Solr could not have run."""

    status, code = 409, "bad_query"


def described(error: CatalogError | HTTPException) -> tuple[int, dict[str, Any]]:
    """The status and CKAN's `error` object."""
    if isinstance(error, Refused):
        return 409, {**error.problems, "__type": "Validation Error"}
    if isinstance(error, Unfit):
        return 400, {"__type": "Integrity Error", "message": str(error)}
    if isinstance(error, Misread):
        return 400, {"__type": "Search Query Error", "message": str(error)}
    if isinstance(error, SearchFailed):
        return 409, {"__type": "Search Error", "message": str(error)}
    if isinstance(error, HTTPException):
        status = error.code or 500
        phrase = _phrase(status).removesuffix(" Error")
        return status, {"__type": f"{phrase} Error", "message": error.description}
    for kind, status, name in _KINDS:
        if isinstance(error, kind):
            return status, {"__type": name, **_said(error, status)}
    return 500, {"__type": "Internal Server Error", "message": "Internal Server Error"}


def message_of(error: CatalogError) -> str:
    """The sentence in the caller's language."""
    return str(gettext(error.message, **error.context))


def problems_by_field(error: Invalid) -> dict[str, Any]:
    """Each field's problems in the caller's language; custom fields are plain fields to CKAN's clients."""
    problems: dict[str, Any] = sentences(error.problems)
    custom = problems.pop("custom", {})
    return {**problems, **custom} if isinstance(custom, dict) else {**problems, "custom": custom}


def _said(error: CatalogError, status: int) -> dict[str, Any]:
    if isinstance(error, Invalid) and error.problems:
        return problems_by_field(error)
    said = message_of(error) if error.message else ""
    opening = _OPENINGS.get(status, "")
    return {"message": f"{opening}: {said}" if opening and said else opening or said}


def _phrase(status: int) -> str:
    try:
        return HTTPStatus(status).phrase
    except ValueError:
        return "Unknown"
