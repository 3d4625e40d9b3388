"""What a call of an action brings: JSON, a form, or, for actions that change nothing, the address."""

from __future__ import annotations

import json
from typing import Any

from flask import current_app, g, request
from werkzeug.datastructures import MultiDict

from api.ckan.errors import Malformed

ON_ITS_OWN = ("", "1")
"""What stands as the value of JSON that a client sent as the name of a form's field."""


def received(*, by_address: bool) -> dict[str, Any]:
    """The parameters of the call; raises Malformed for what holds none, or may not come by GET."""
    if request.method in ("GET", "HEAD"):
        if not by_address:
            raise _wrong("Invalid request. Please use POST method for your request")
        data: Any = _mixed(request.args)
    else:
        data = _body(by_address=by_address)
    if not isinstance(data, dict):
        raise _wrong(
            f"Request data JSON decoded to {repr(data)[:200]} but it needs to be a dictionary."
        )
    data.pop("callback", None)
    return data


def _body(*, by_address: bool) -> Any:
    if request.mimetype == "multipart/form-data":
        if g.identity.account_id is not None:
            request.max_content_length = current_app.extensions["weft"]["settings"].max_upload_bytes
        return _form()
    raw = request.get_data(cache=True, parse_form_data=False)
    if raw.lstrip()[:1] in (b"{", b"["):  # also from clients that call JSON a form, as curl does
        return _decoded(raw)
    if request.form or request.files:
        return _form()
    if by_address and request.args:
        return _mixed(request.args)
    return _decoded(raw) if raw.strip() else {}


def _form() -> Any:
    values = list(request.form.values())
    if len(values) == 1 and values[0] in ON_ITS_OWN:
        (name,) = request.form
        if name.lstrip()[:1] in ("{", "["):
            return _decoded(name)
    return {**_mixed(request.form), **dict(request.files.items())}


def _decoded(raw: bytes | str) -> Any:
    try:
        text = raw.decode() if isinstance(raw, bytes) else raw
        data = json.loads(text, parse_constant=_refuse)
        if "\\u" in text:
            json.dumps(data, ensure_ascii=False).encode()  # half a character is no text
    except (ValueError, RecursionError) as error:
        raise _wrong(f"Error decoding JSON data. Error: {str(error)[:300]}") from error
    return data


def _refuse(constant: str) -> None:
    raise ValueError(f"{constant} is no JSON")


def _mixed(given: MultiDict[str, str]) -> dict[str, Any]:
    """Each name with its value, or with the list of its values."""
    every = given.to_dict(flat=False)
    return {name: values[0] if len(values) == 1 else values for name, values in every.items()}


def _wrong(message: str) -> Malformed:
    return Malformed("JSON Error: %(message)s", message=message)
