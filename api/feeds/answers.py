"""What all feeds have in common: where they stand, how long they may be kept, whether a copy is still current."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, Response, current_app, request

from api.answers import dated, is_conditional, site, unchanged
from api.feeds.dcat import Portal
from catalog.permissions import ANYONE
from catalog.services import catalogue, datasets, series

if TYPE_CHECKING:
    from catalog.models.dataset import Dataset
    from catalog.models.organization import Organization
    from catalog.models.series import DatasetSeries

bp = Blueprint("feeds", __name__)
FRESH_SECONDS = 60
"""How long a shared cache may hand out a feed without asking."""
PIECE_BYTES = 64_000
EDITION = 2
"""To be raised with every change of what feeds say, so that kept copies are not taken for current."""


def base() -> str:
    """Address of the portal without a slash at the end."""
    return f"{site()}{request.script_root}"


def titles() -> dict[str, str]:
    """What the portal is called."""
    settings = current_app.extensions["weft"]["settings"]
    return {"zh": settings.site_title_zh, "en": settings.site_title_en}


def portal_of(
    described: Iterable[Dataset] = (),
    organizations: Iterable[Organization] = (),
    listed: Iterable[DatasetSeries] = (),
) -> Portal:
    """The portal with what must be known to describe these datasets and the `listed` series."""
    some = list(described)
    known = {**catalogue.series_of(some), **{one.id: one for one in listed}}
    owners = [
        *(one.organization for one in some),
        *(one.organization for one in known.values()),
        *organizations,
    ]
    return Portal(
        base(),
        catalogue.above(owners),
        catalogue.files(some),
        known,
        series.neighbours(ANYONE, some),
        series.ends(ANYONE, known.values()),
    )


def tag_of(*parts: object) -> str:
    """A tag that changes with its parts, the address and where the portal stands."""
    known = (EDITION, base(), request.full_path, *parts)
    return hashlib.sha256(repr(known).encode()).hexdigest()[:24]


def current(tag: str, modified: datetime | None) -> Response | None:
    """304 where the caller's copy is still current."""
    same = unchanged(tag=tag, modified=modified) if is_conditional() else None
    return shared(same) if same is not None else None


def answer(
    pieces: Iterable[bytes] | bytes, media_type: str, tag: str, modified: datetime | None
) -> Response:
    """A feed, sent while it is written."""
    charset = "; charset=utf-8" if media_type.endswith(("xml", "turtle")) else ""
    body = pieces if isinstance(pieces, bytes) else gathered(pieces)
    response = Response(body, content_type=media_type + charset)
    return shared(dated(response, tag=tag, modified=modified))


def gathered(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The same in larger pieces: the server takes its time for each, and a feed is written a line at a time."""
    waiting: list[bytes] = []
    size = 0
    for piece in pieces:
        waiting.append(piece)
        size += len(piece)
        if size >= PIECE_BYTES:
            yield b"".join(waiting)
            waiting, size = [], 0
    if waiting:
        yield b"".join(waiting)


def shared(response: Response) -> Response:
    """Let caches keep it for a moment, and pages of other sites read it."""
    response.headers["Cache-Control"] = f"public, max-age={FRESH_SECONDS}"
    response.headers["Access-Control-Allow-Origin"] = "*"
    return response


def public_dataset(slug: str) -> Dataset:
    """The dataset as everybody sees it; raises NotFound, also Gone."""
    return datasets.show(ANYONE, slug)
