"""Addresses of built files: `static_asset('app.css')` gives the name with the hash of its content."""

from __future__ import annotations

import json
from functools import lru_cache
from pathlib import Path

from flask import Flask, Response, current_app, g, request

YEAR = 365 * 24 * 3600


def init_app(app: Flask) -> None:
    """Give templates `static_asset`; built files may be kept by browsers for ever."""
    app.jinja_env.globals["static_asset"] = static_asset
    app.after_request(let_keep)


def static_asset(name: str) -> str:
    """The address of a built file; before `make static` has run, one that does not exist."""
    built = _built().get(name, f"build/{name}")
    return f"{request.script_root}{current_app.static_url_path}/{built}"


def _built() -> dict[str, str]:
    """The files by name, looked up once a request."""
    if "built" not in g:
        manifest = Path(current_app.static_folder or "static") / "build" / "manifest.json"
        try:
            g.built = _read(manifest, manifest.stat().st_mtime_ns)
        except FileNotFoundError:
            g.built = {}
    built: dict[str, str] = g.built
    return built


@lru_cache(maxsize=4)
def _read(manifest: Path, changed: int) -> dict[str, str]:  # noqa: ARG001 # a new time is a new reading
    content: dict[str, str] = json.loads(manifest.read_bytes())
    return content


def let_keep(response: Response) -> Response:
    """Names of built files change with their content, so a copy never gets old."""
    if response.status_code == 200 and request.path.startswith(
        f"{current_app.static_url_path}/build/"
    ):
        response.headers["Cache-Control"] = f"public, max-age={YEAR}, immutable"
    return response
