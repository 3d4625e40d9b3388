"""Resources as CKAN's clients describe them, as drafts."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from api.ckan import dictized, formats
from api.ckan.resource_checks import DATES, moment, scheme_of, whole_number
from api.ckan.texts import said
from catalog.schemas.drafts import ResourceDraft
from catalog.services import uploads

if TYPE_CHECKING:
    from catalog.models.dataset import Resource

OURS = frozenset(
    ("name", "description", "format", "mimetype", "url", "size", "package_id", "id", "upload")
)
MADE = frozenset(
    [
        "created",
        "position",
        "state",
        "datastore_active",
        "datastore_tables",
        "metadata_modified",
        "extras",
        "revision_timestamp",
        "tracking_summary",
        "clear_upload",
        "file",
        "nameless",
        "has_views",
    ]
)
"""What we say of a resource ourselves, or CKAN never takes."""
KEPT = ("hash", "cache_url", "cache_last_updated", "url_type", "last_modified")
"""Fields that stay where nothing is said of them."""
UPLOAD = "upload"
"""`url_type` of a resource whose file is here; the same name among its extras holds the file's name."""
NAMELESS = "nameless"
"""Stands among the extras of a resource that its client gave no name."""
LINKED = ("http", "https", "ftp")


def resource_draft(
    data: Mapping[str, Any], row: Resource | None, taken: Collection[str]
) -> ResourceDraft:
    """The draft of a new resource, or of what `row` shall be; `data` has been checked."""
    url = str(data.get("url") or "").strip()
    extras = _extras(data, row)
    format_ = _format(data, row, url)
    if format_ != formats.spelled(format_.upper()):
        extras["format"] = format_
    size = whole_number(data["size"]) if "size" in data else row.size if row else None
    return ResourceDraft(
        key=row.key if row else _key(data, taken),
        title=_name(data, row),
        description=_text(data.get("description"), row.description if row else {}),
        format=format_.upper()[:40],
        media_type=str(
            data.get("mimetype") or ("" if "mimetype" in data else formats.guessed_type(url))
        )[:100],
        url=_address(url, extras, row),
        size=size if isinstance(size, int) and 0 <= size < 2**53 else None,
        load=row.load if row else {},
        id="" if row else str(data.get("id") or ""),
        extras=extras,
    )


def _name(data: Mapping[str, Any], row: Resource | None) -> dict[str, str]:
    """The title; a resource that was shown by its key keeps having none."""
    title = row.title if row else {}
    if "name" not in data or (row is not None and not title and data["name"] == row.key):
        return dict(title)
    return _text(data["name"], title)


def _text(value: Any, texts: Mapping[str, str]) -> dict[str, str]:
    return said(texts, str(value if value is not None else "").strip())


def _extras(data: Mapping[str, Any], row: Resource | None) -> dict[str, Any]:
    """What only CKAN's clients know of it; fields of CKAN stay where nothing is said of them."""
    before = (row.extras or {}) if row else {}
    extras = {name: before[name] for name in KEPT if name in before and name not in data}
    for name, value in data.items():
        if name in DATES:
            value = moment(value)
        if name == "last_modified" and row is not None and value == dictized.loaded_at(row):
            continue  # it is said by the tables
        if name not in OURS and name not in MADE and value not in (None, ""):
            extras[str(name)] = value
    if (not data.get("name") and ("name" in data or row is None)) or (
        NAMELESS in before and "name" not in data
    ):
        extras[NAMELESS] = True
    return _with_file(extras, data.get(UPLOAD), before)


def _with_file(extras: dict[str, Any], sent: Any, before: Mapping[str, Any]) -> dict[str, Any]:
    """The extras with the file that was sent, or the one that is here already."""
    if isinstance(sent, uploads.Kept):
        return {**extras, **uploads.extras_of(sent)}
    if extras.get("url_type") != UPLOAD:
        return extras
    if uploads.KEY in before:
        return {**extras, **{name: before[name] for name in (uploads.NAME, uploads.KEY)}}
    del extras["url_type"]  # the file is elsewhere: its address is a link
    return extras


def _format(data: Mapping[str, Any], row: Resource | None, url: str) -> str:
    if "format" not in data and row is not None:
        return str((row.extras or {}).get("format") or formats.spelled(row.format))
    given = str(data.get("format") or "").strip()
    if not given and not data.get("id"):
        given = formats.guessed_type(url)
    return formats.unified(given)


def _address(url: str, extras: dict[str, Any], row: Resource | None) -> str:
    """The address of a link; of an uploaded file, and of what is no link, it stands among the extras."""
    if extras.get("url_type") == UPLOAD:
        return ""
    if row is not None and not row.url and "/datastore/dump/" in url:
        return ""
    if not url or scheme_of(url) in LINKED:
        return url
    if not scheme_of(url):
        return "http://" + url.lstrip("/")
    extras["url"] = url
    return ""


def _key(data: Mapping[str, Any], taken: Collection[str]) -> str:
    wanted = str(data.get("name") or data.get("url") or "data").strip()[:480] or "data"
    key, number = wanted, 1
    while key in taken:
        number += 1
        key = f"{wanted}-{number}"
    return key
