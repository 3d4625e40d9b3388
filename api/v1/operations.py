"""Endpoints that do one thing: what they take beside the language, what they answer, and how OpenAPI calls them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import wraps
from typing import Any

from flask import Response
from flask_smorest import Blueprint
from marshmallow import RAISE, Schema

from api.v1.parameters import Parameters

View = Callable[..., Response]
Answer = tuple[Mapping[str, Any], str]
"""The schema of an answer, and what it is called."""


def operation(  # noqa: PLR0913 # the parts of an endpoint
    bp: Blueprint,
    rule: str,
    answer: Answer,
    summary: str,
    name: str,
    *,
    tag: str,
    body: Schema | None = None,
    method: str = "POST",
) -> Callable[[View], View]:
    """Make a view an endpoint; it gets what the body says, if there is one, and what the address says."""
    schema, words = answer

    def register(view: View) -> View:
        @wraps(view)
        def called(parameters: object, *given: object, **named: object) -> Response:  # noqa: ARG001 # the language was taken already
            return view(*given, **named)

        steps = [
            bp.doc(summary=summary, operationId=name, tags=[tag]),
            bp.response(200, schema, description=words),
            *([bp.arguments(body, location="json", unknown=RAISE)] if body else []),
            bp.arguments(Parameters(), location="query", unknown=RAISE),
            bp.route(rule, methods=[method]),
        ]
        made: View = called
        for step in steps:
            made = step(made)
        return made

    return register
