"""Errors as problem+json (RFC 9457), in the caller's language."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import orjson
from flask import Response, current_app, has_request_context, request
from flask_babel import force_locale, gettext
from marshmallow import ValidationError
from werkzeug.exceptions import HTTPException

from api.identity import language
from catalog.errors import N_, CatalogError, Invalid
from catalog.schemas.sentences import take_apart

TITLES = {
    400: N_("The request cannot be understood"),
    401: N_("Not signed in"),
    403: N_("Not allowed"),
    404: N_("Not found"),
    405: N_("Method not allowed"),
    406: N_("No such representation"),
    409: N_("Conflict"),
    410: N_("Withdrawn"),
    413: N_("Too large"),
    414: N_("The address is too long"),
    415: N_("Media type not supported"),
    422: N_("The request cannot be used"),
    429: N_("Too many calls"),
    500: N_("An error of this portal"),
    503: N_("Not available at the moment"),
}
DETAILS = {
    400: N_("the request is not built as this address expects it"),
    404: N_("there is nothing at this address"),
    405: N_("this address does not know this method"),
    413: N_("the request is too large"),
    500: N_("something went wrong here; the request id names it in our logs"),
}
CODES = {
    400: "bad_query",
    404: "not_found",
    405: "method_not_allowed",
    413: "too_large",
    500: "error",
}


def problem(error: CatalogError | HTTPException | ValidationError) -> Response:
    """The answer that tells a machine, and the person behind it, what went wrong."""
    if isinstance(error, HTTPException) and (error.response or (error.code or 500) < 400):
        return current_app.make_response(error.get_response())  # a redirect is no error
    with force_locale(language() if has_request_context() else "en"):
        status, body = _described(error)
    title = gettext_in(language(), TITLES.get(status, "")) or HTTPStatus(status).phrase
    settings = current_app.extensions["weft"]["settings"]
    site = settings.site_url or request.host_url.rstrip("/")
    whole = {
        "type": f"{site}/api/v1/#{body['code']}",
        "title": title,
        "status": status,
        **body,
        "instance": request.path,
    }
    response = Response(_json(whole), status, content_type="application/problem+json")
    return with_headers(response, error)


def _json(whole: Mapping[str, Any]) -> bytes:
    """The body; a text that repeats half a character, which UTF-8 does not know, is written with an escape."""
    try:
        return orjson.dumps(whole)
    except TypeError:
        return json.dumps(whole).encode()


def gettext_in(tag: str, message: str) -> str:
    """The sentence in a language."""
    if not message:
        return ""
    with force_locale(tag):
        return str(gettext(message))


def sentences(found: object) -> Any:
    """Problems by field with every sentence translated."""
    if isinstance(found, Mapping):
        return {str(name): sentences(inner) for name, inner in found.items()}
    if isinstance(found, Sequence) and not isinstance(found, str):
        return [sentences(inner) for inner in found]
    message, context = take_apart(str(found or ""))
    return gettext(message, **context) if message else ""


def _described(error: CatalogError | HTTPException | ValidationError) -> tuple[int, dict[str, Any]]:
    if isinstance(error, CatalogError):
        return error.status, _of_catalog(error)
    if isinstance(error, ValidationError):
        return 422, _of_fields(error.messages)
    status = error.code or 500
    messages = (getattr(error, "data", None) or {}).get("messages")
    if messages:  # webargs keeps what marshmallow said there, by location
        return 422, _of_fields(next(iter(messages.values()), {}))
    detail = DETAILS.get(status)
    code = CODES.get(status, f"http_{status}")
    return status, {"code": code, "detail": gettext(detail) if detail else error.description}


def _of_catalog(error: CatalogError) -> dict[str, Any]:
    body: dict[str, Any] = {"code": error.code, "detail": gettext(error.message, **error.context)}
    if isinstance(error, Invalid) and error.problems:
        body["problems"] = sentences(error.problems)
    if "line" in error.context:
        body["position"] = {name: error.context[name] for name in ("line", "column")}
    if "retry_after" in error.context:
        body["retry_after"] = error.context["retry_after"]
    return body


def _of_fields(messages: object) -> dict[str, Any]:
    detail = gettext("some parameters cannot be used; see problems")
    return {"code": "invalid", "detail": detail, "problems": sentences(messages)}


def with_headers(
    response: Response, error: CatalogError | HTTPException | ValidationError
) -> Response:
    """The answer with what belongs to a failure: not to be kept, when to try again, what is allowed."""
    response.headers["Cache-Control"] = "no-store"
    retry_after = getattr(error, "context", {}).get("retry_after")
    if retry_after is not None:
        response.headers["Retry-After"] = str(retry_after)
    if response.status_code == 401:
        response.headers["WWW-Authenticate"] = 'Bearer realm="Weft"'
    valid = getattr(error, "valid_methods", None)
    if valid:
        response.headers["Allow"] = ", ".join(sorted(valid))
    return response
