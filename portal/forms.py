"""Forms of pages: what was typed, what came of it, and what to say beside which field."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

from flask import render_template, request
from flask.typing import ResponseReturnValue
from marshmallow import Schema, ValidationError

from catalog.errors import CatalogError, Invalid
from portal.languages import gettext

T = TypeVar("T")
Errors = dict[str, list[str]]


def form_fields(schema: Schema) -> dict[str, str]:
    """What was typed into the fields that a schema knows."""
    return {name: request.form[name] for name in schema.fields if name in request.form}


def attempt(
    schema: Schema, act: Callable[..., T], *, conflict: str = ""
) -> tuple[T | None, Errors, int]:
    """Load the form and act on it: the result, or what to say beside which field and the status."""
    try:
        return act(schema.load(form_fields(schema))), {}, 200
    except ValidationError as error:
        return None, translated(error.messages_dict), 422
    except Invalid as error:
        return None, translated(error.problems), error.status
    except CatalogError as error:
        field = conflict if error.status == 409 else ""
        sentence = gettext(error.message, **error.context)
        return None, {field: [sentence]}, 422 if error.status == 401 else error.status


def translated(problems: object) -> Errors:
    """Sentences beside fields, in the reader's language."""
    found = problems if isinstance(problems, dict) else {}
    return {
        str(name): [gettext(str(words)) for words in sentences] for name, sentences in found.items()
    }


def again(template: str, errors: Errors, status: int, **values: object) -> ResponseReturnValue:
    """The form once more, with what is wrong with it."""
    return render_template(template, errors=errors, **values), status


def address() -> str:
    """Where the request comes from, for counting attempts."""
    return request.remote_addr or ""


def next_page() -> str:
    """The page to go on to; only one of this portal."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted.replace("\\", "/"))
    own = wanted.startswith("/") and not wanted.startswith(("//", "/\\"))
    return wanted if own and not parts.netloc and not parts.scheme and wanted.isprintable() else ""
