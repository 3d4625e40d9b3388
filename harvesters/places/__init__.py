"""Folders of files wherever they lie: one port, and what speaks each protocol behind it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from urllib.parse import urlsplit

from catalog.errors import Invalid
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.places import ftp, local, s3, sftp, web, webdav
from harvesters.places.place import Entry, Place

__all__ = ["Entry", "Place", "place_of"]

_Opener = Callable[[Source, Http], AbstractContextManager[Place]]

_BY_SCHEME: Mapping[str, _Opener] = {
    "": local.opened,
    "file": local.opened,
    "http": web.opened,
    "https": web.opened,
    "dav": webdav.opened,
    "davs": webdav.opened,
    "sftp": sftp.opened,
    "ftp": ftp.opened,
    "ftps": ftp.opened,
    "s3": s3.opened,
}


def place_of(source: Source, http: Http) -> AbstractContextManager[Place]:
    """The folder of the source, to be closed after use; raises Invalid for an address of another kind."""
    scheme = source.url.partition("://")[0] if "://" in source.url else urlsplit(source.url).scheme
    opener = _BY_SCHEME.get(scheme.lower())
    if opener is None:
        raise Invalid(
            "a folder may have an address of file, http, https, dav, davs, sftp, ftp, ftps or s3, not %(scheme)s",
            scheme=scheme[:40],
        )
    return opener(source, http)
