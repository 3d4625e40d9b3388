"""Maker of a CKAN: its answers to package_search and package_show, over real HTTP, from a list of packages."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.make_server import Asked, Served


def serve_packages(server: Served, packages: list[dict[str, Any]]) -> None:
    """Let the server answer as a CKAN with these packages; the list may be changed later."""
    server.behaviours["/api/3/action/package_search"] = _search(packages)


def _search(packages: list[dict[str, Any]]) -> Callable[[Asked], None]:
    def behave(asked: Asked) -> None:
        said = {name: some[0] for name, some in parse_qs(urlsplit(asked.path).query).items()}
        since = re.search(r"metadata_modified:\[(\S+) TO", said.get("fq", ""))
        found = [p for p in packages if not since or p["metadata_modified"] >= since[1].rstrip("Z")]
        by, _, order = said["sort"].partition(" ")
        found.sort(key=lambda package: package[by], reverse=order == "desc")
        start, rows = int(said.get("start", 0)), min(int(said["rows"]), 1000)
        result = {"count": len(found), "results": found[start : start + rows]}
        asked.answer(json.dumps({"success": True, "result": result}).encode())

    return behave
