"""The OpenAPI description, made of the endpoints, in English or Chinese."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from copy import deepcopy
from typing import Any

import flask_smorest
import orjson
from flask import Blueprint, Flask, Response, current_app, g, redirect, request
from flask.typing import ResponseReturnValue
from flask_babel import force_locale, gettext

from api.answers import address, json_answer, site
from api.v1 import description as said
from api.v1 import release_description
from api.v1.examples import examples_here, with_examples

bp = Blueprint("v1", __name__, url_prefix="/api/v1")
TRANSLATED = ("description", "summary")


class Api(flask_smorest.Api):
    """flask-smorest without its handlers: they would take over the errors of the pages too.

    The description is made when it is asked for first: that takes as long as the rest of the start.
    """

    DEFAULT_ERROR_RESPONSE_NAME = None

    def __init__(self, app: Flask) -> None:
        super().__init__(app)
        self._app = app
        self._undescribed: list[flask_smorest.Blueprint] = []
        self._lock = threading.Lock()

    def register_blueprint(self, blp: flask_smorest.Blueprint, **options: Any) -> None:
        """Add the endpoints of a blueprint."""
        self._app.extensions["flask-smorest"]["blp_name_to_api"][blp.name] = self
        self._app.register_blueprint(blp, **options)
        self._undescribed.append(blp)

    def described(self) -> dict[str, Any]:
        """The description of all endpoints."""
        with self._lock:
            while self._undescribed:
                blp = self._undescribed[0]
                blp.register_views_in_doc(
                    self, self._app, self.spec, name=blp.name, parameters=None
                )
                self.spec.tag({"name": blp.name, "description": blp.description})
                self._undescribed.pop(0)
            whole: dict[str, Any] = self.spec.to_dict()
        return whole

    def _register_error_handlers(self) -> None:
        """Errors are shown by api.errors and portal.errors."""


def init_app(app: Flask, blueprints: tuple[flask_smorest.Blueprint, ...]) -> None:
    """Add the endpoints of the blueprints and describe them."""
    app.config.update(API_TITLE="Weft open data API", API_VERSION="1.0.0", OPENAPI_VERSION="3.1.0")
    api = Api(app)
    for name, schema in {**said.SCHEMAS, **release_description.SCHEMAS}.items():
        api.spec.components.schema(name, deepcopy(schema))
    for blueprint in blueprints:
        api.register_blueprint(blueprint)
    app.register_blueprint(bp)
    app.extensions["weft_openapi"] = {}
    app.extensions["weft_api"] = api


@bp.get("/openapi.json")
def openapi() -> Response:
    """The description of the API."""
    kept: dict[str, Any] = current_app.extensions["weft_openapi"]
    if g.lang not in kept:
        whole = completed(current_app.extensions["weft_api"].described())
        with force_locale(g.lang):
            kept[g.lang] = translated(whole)
    whole = {**kept[g.lang], "servers": [{"url": site() + request.script_root}]}
    return json_answer({**whole, "paths": with_examples(whole["paths"], examples_here())})


@bp.get("/")
def index() -> ResponseReturnValue:
    """The way on: to the readable documentation for people, to the description for machines."""
    best = request.accept_mimetypes.best_match(["application/json", "text/html"])
    if best == "text/html":
        response = redirect(f"{request.script_root}/{g.lang}/developers")
        response.headers["Vary"] = "Accept"
        return response
    names = {
        "openapi": "/api/v1/openapi.json",
        "datasets": "/api/v1/datasets",
        "organizations": "/api/v1/organizations",
        "documentation": f"/{g.lang}/developers",
    }
    response = json_answer({name: address(path) for name, path in names.items()})
    response.headers["Vary"] = "Accept"
    return response


def completed(spec: Mapping[str, Any]) -> dict[str, Any]:
    """The description with what all endpoints share: limits, errors, keys, languages."""
    whole: dict[str, Any] = orjson.loads(orjson.dumps(spec))
    components = whole.setdefault("components", {})
    components["headers"] = {
        name: {"schema": {key: value for key, value in schema.items() if key != "description"}}
        | {"description": schema["description"]}
        for name, schema in {**said.HEADERS, **said.CACHED}.items()
    }
    components["responses"] = {f"Problem{status}": _problem(words) for status, words in _errors()}
    components["securitySchemes"] = {
        "bearer": {
            "type": "http",
            "scheme": "bearer",
            "description": said.N_("An API key of your account, as Authorization: Bearer weft_…"),
        },
        "header": {
            "type": "apiKey",
            "in": "header",
            "name": "X-API-Key",
            "description": said.N_("The same key in a header of its own"),
        },
    }
    whole["info"]["description"] = said.DESCRIPTION
    whole["security"] = [{}, {"bearer": []}, {"header": []}]
    whole["tags"] = [{"name": name, "description": words} for name, words in said.TAGS]
    for path, operations in whole["paths"].items():
        for operation in operations.values():
            if isinstance(operation, dict):
                _complete(path, operation)
    return whole


def translated(part: Any) -> Any:
    """The same with every description in the current language."""
    if isinstance(part, list):
        return [translated(inner) for inner in part]
    if not isinstance(part, dict):
        return part
    return {
        name: gettext(inner)
        if name in TRANSLATED and isinstance(inner, str) and inner
        else translated(inner)
        for name, inner in part.items()
    }


def _errors() -> list[tuple[str, str]]:
    return [*said.ERRORS.items(), *said.ERRORS_OF_ONE.items()]


def _complete(path: str, operation: dict[str, Any]) -> None:
    one = "{" in path or path.endswith(("/sql", "/tables"))
    statuses = {**said.ERRORS, **(said.ERRORS_OF_ONE if one else {})}
    if not one:
        statuses.pop("404")
    operation["responses"]["200"]["headers"] = {name: _header(name) for name in _headers_of(path)}
    for status in sorted(statuses):
        operation["responses"][status] = {"$ref": f"#/components/responses/Problem{status}"}


def _headers_of(path: str) -> tuple[str, ...]:
    return (*said.HEADERS, *(said.CACHED if "/tables/" in path else ()))


def _header(name: str) -> dict[str, str]:
    return {"$ref": f"#/components/headers/{name}"}


def _problem(words: str) -> dict[str, Any]:
    if words == said.ERRORS["414"]:
        return {"description": words}
    return {
        "description": words,
        "headers": {name: _header(name) for name in said.HEADERS},
        "content": {"application/problem+json": {"schema": said.ref("Problem")}},
    }
