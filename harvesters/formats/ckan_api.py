"""Asking a CKAN for its packages: all of them or only those that changed, also where it is old."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import quote

from catalog.errors import CatalogError, Denied, NotFound, Unreadable
from harvesters.addresses import shown
from harvesters.formats.plain import check_all_came
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.terms import moment_of

MOST_PAGES = 100_000
MOST_PARTIAL = 20
"""Runs that read only what changed, before one reads everything again."""
Package = Any
"""A package as JSON: a portal may give anything."""


class API:
    """The actions of one portal; `base` is its address."""

    def __init__(self, source: Source, http: Http) -> None:
        self.base = re.sub(r"(/api(/.*)?)?/?$", "", source.url.partition("?")[0])
        self._filter: str = source.options["filter"]
        self._size: int = source.options["page_size"]
        self._key: str = source.options["key"]
        self._http = http

    def search(
        self, *, since: str = "", start: int = 0, rows: int | None = None, sort: str = "id asc"
    ) -> Mapping[str, Any]:
        """A page of packages with the number of all; only those that changed since then."""
        limits = [self._filter, f"metadata_modified:[{since} TO *]" if since else ""]
        params = {
            "fq": " AND ".join(
                f"({one})" if self._filter and since else one for one in limits if one
            ),
            "sort": sort,
            "rows": str(self._size if rows is None else rows),
            "start": str(start),
        }
        found = self.call("package_search", {name: text for name, text in params.items() if text})
        if (
            not isinstance(found, Mapping)
            or not isinstance(found.get("results"), list)
            or not isinstance(found.get("count"), int)
        ):
            raise _no_answer(self.base)
        return found

    def call(self, action: str, params: Mapping[str, str]) -> Any:
        """The result of an action."""
        return self._result(self.get(f"/api/3/action/{action}", params))

    def get(self, path: str, params: Mapping[str, str] | None = None) -> Any:
        """The JSON at a path of the portal."""
        headers = {"Accept": "application/json"}
        if self._key:
            headers["Authorization"] = self._key
        return self._http.get(f"{self.base}{path}", headers=headers, params=params).json()

    def _result(self, answer: Any) -> Any:
        if not isinstance(answer, Mapping) or answer.get("success") is not True:
            raise _no_answer(self.base)
        return answer.get("result")

    def found(self, since: str = "") -> Iterator[Package]:
        """Packages page by page, each once; raises Unreadable when there are fewer than the portal says.

        Pages are cut again at each call: what was removed meanwhile moves others over a cut, and a second walk finds those.
        """
        seen: set[str] = set()
        for _ in range(2):
            total, walked = 0, set[str]()
            for page in self._pages(since):
                total = page["count"]
                ids = set(map(_id, page["results"]))
                if ids <= walked:  # a portal that ignores `start` has no end
                    break
                walked |= ids
                fresh = [package for package in page["results"] if _id(package) not in seen]
                seen.update(map(_id, fresh))
                yield from fresh
            if len(seen) >= total:
                return
        check_all_came(total, len(seen))

    def _pages(self, since: str) -> Iterator[Mapping[str, Any]]:
        start = 0
        for _ in range(MOST_PAGES):
            page = self.search(since=since, start=start)
            yield page
            start += len(page["results"])
            if not page["results"] or start >= page["count"]:
                return

    def listed(self) -> Iterator[Package | tuple[str, CatalogError]]:
        """Packages of a portal that cannot be searched; where one cannot be read, its name with the error."""
        try:
            yield from self._with_resources()
        except (NotFound, Unreadable, Denied):
            yield from self._one_by_one()

    def _with_resources(self) -> Iterator[Package]:
        seen: set[str] = set()
        for page in range(MOST_PAGES):
            params = {"limit": str(self._size), "offset": str(page * self._size)}
            found = self.call("current_package_list_with_resources", params)
            if not isinstance(found, list):
                raise _no_answer(self.base)
            fresh = [package for package in found if _id(package) not in seen]
            seen.update(map(_id, fresh))
            yield from fresh
            if not fresh:  # an old portal gives everything at once, whatever the offset
                return

    def _one_by_one(self) -> Iterator[Package | tuple[str, CatalogError]]:
        names, show = self._names()
        for name in names:
            try:
                found = show(name)
            except (NotFound, Unreadable, Denied) as error:
                yield name, error
                continue
            yield found

    def _names(self) -> tuple[list[str], Callable[[str], Any]]:
        """Names of all packages, and what shows one: by actions, else as before there were any."""
        try:
            names, show = self.call("package_list", {}), self._shown
        except (NotFound, Unreadable, Denied):
            names, show = self.get("/api/2/rest/dataset"), self._shown_before_actions
        if not isinstance(names, list):
            raise _no_answer(self.base)
        return [str(name) for name in names], show

    def _shown(self, name: str) -> Any:
        return self.call("package_show", {"id": name})

    def _shown_before_actions(self, name: str) -> Any:
        return self.get(f"/api/2/rest/dataset/{quote(name, safe='')}")


def packages(api: API, source: Source) -> Iterator[Package | tuple[str, CatalogError]]:
    """All packages, or only those that changed since the last run, where nothing was removed meanwhile.

    The moment to ask from is the portal's own: that of its newest package when the run began.
    """
    memory = source.memory
    before = memory.before
    try:
        newest = api.search(rows=1, sort="metadata_modified desc")
    except (NotFound, Unreadable, Denied):
        yield from api.listed()
        return
    state = {
        "newest": _said(next(iter(newest["results"]), None), "metadata_modified"),
        "count": newest["count"],
    }
    partial, seen = int(before.get("partial", 0)) + 1, set[str]()
    last = _moment(before.get("newest"))
    if last is not None and partial <= MOST_PARTIAL:
        added = 0
        for package in api.found(f"{last - timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"):
            seen.add(_id(package))
            added += (_moment(_said(package, "metadata_created")) or last) > last
            yield package
        if state["count"] == before["count"] + added:  # else something was removed
            memory.partial, memory.after = True, {**state, "partial": partial}
            return
    yield from (package for package in api.found() if _id(package) not in seen)
    memory.after = state


def _said(package: Package, name: str) -> str:
    """A field of a package as text; nothing of what is no package."""
    return str(package.get(name) or "") if isinstance(package, Mapping) else ""


def _moment(stated: Any) -> datetime | None:
    """The moment in UTC, which is the zone of CKAN's clocks where it names none."""
    found = moment_of(str(stated or ""))
    if not found:
        return None
    moment = datetime.fromisoformat(found)
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _id(package: Any) -> str:
    return _said(package, "id") or _said(package, "name")


def _no_answer(base: str) -> Unreadable:
    return Unreadable("there is no CKAN at %(url)s, or it refuses to be asked", url=shown(base))
