"""CKAN's envelope: `{"help", "success", "result"}`, or `"error"` in the place of the result."""

from __future__ import annotations

import re
from typing import Any

import orjson
from flask import Response, current_app, request
from werkzeug.exceptions import HTTPException

from api.answers import address
from api.ckan.errors import Malformed, described
from api.ckan.registry import Changed
from api.errors import with_headers
from api.rows import plain
from catalog.errors import CatalogError

JSON = "application/json;charset=utf-8"
CALLBACK = re.compile(r"[A-Za-z_$][\w$.]{0,100}", re.ASCII)
"""A function's name; anything else in its place would be a stranger's script."""


def success(name: str, result: Any) -> Response:
    """What the action gave."""
    body: dict[str, Any] = {"help": help_of(name), "success": True, "result": result}
    if isinstance(result, Changed):
        body |= {"result": result.result, "changed_entities": result.entities}
    return answer(body)


def failure(error: CatalogError | HTTPException) -> Response:
    """What went wrong, with CKAN's status; a request that is no call gets the bare sentence."""
    if isinstance(error, HTTPException) and (error.response or (error.code or 500) < 400):
        return current_app.make_response(error.get_response())  # a redirect is no error
    if isinstance(error, Malformed):
        return with_headers(answer(f"Bad request: {error}", 400), error)
    status, said = described(error)
    if request.path.startswith("/datastore/"):
        return with_headers(_sentence(400 if status == 409 else status, said), error)
    name = (request.view_args or {}).get("name", "")
    body = {"help": help_of(name), "success": False, "error": said}
    return with_headers(answer(body, status), error)


def answer(body: Any, status: int = 200) -> Response:
    """The body as JSON, or as a call of the function that `callback` names (JSONP)."""
    packed = orjson.dumps(body, default=plain)
    callback = request.args.get("callback", "")
    if status == 200 and request.method == "GET" and CALLBACK.fullmatch(callback):
        script = b"%s(%s);" % (callback.encode(), packed)
        return Response(script, content_type="application/javascript;charset=utf-8")
    return Response(packed, status, content_type=JSON)


def help_of(name: str) -> str:
    """The address that explains an action."""
    return address("/api/3/action/help_show", {"name": name})


def _sentence(status: int, said: dict[str, Any]) -> Response:
    """Files have no envelope: one line for each thing that is wrong."""
    problems = {name: text for name, text in said.items() if name not in ("__type", "message")}
    lines = [f"{name}: {' '.join(map(str, texts))}" for name, texts in problems.items()]
    text = "\n".join(lines) or str(said.get("message", ""))
    return Response(text, status, content_type="text/plain; charset=utf-8")
