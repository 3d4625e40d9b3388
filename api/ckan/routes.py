"""The addresses of CKAN's API."""

from __future__ import annotations

from flask import Blueprint, Response, g

from api.ckan import envelope
from api.ckan.download import download
from api.ckan.dump import dump
from api.ckan.errors import Malformed
from api.ckan.received import received
from api.ckan.registry import ACTIONS

bp = Blueprint("ckan", __name__)


@bp.route("/api/3", strict_slashes=False)
def version() -> Response:
    """The version of the API."""
    return envelope.answer({"version": 3})


@bp.route("/api/action/<name>", methods=["GET", "POST"])
@bp.route("/api/3/action/<name>", methods=["GET", "POST"])
def action(name: str) -> Response:
    """Call an action."""
    called = ACTIONS.get(name)
    if called is None:
        raise Malformed("Action name not known: %(name)s", name=name[:200])
    data = received(by_address=called.safe)
    return envelope.success(name, called.run(g.identity, data))


bp.add_url_rule("/datastore/dump/<name>", "dump", dump)
for path in ("", "/<filename>"):
    bp.add_url_rule(f"/dataset/<id_>/resource/<resource_id>/download{path}", "download", download)
