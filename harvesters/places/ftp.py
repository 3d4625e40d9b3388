"""A folder of an FTP server, in clear or under TLS (explicit, `ftps`)."""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import unquote, urlsplit

from catalog.errors import CatalogError, Denied, NotFound, Unavailable
from harvesters.addresses import shown
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.places.place import (
    CHUNK,
    MOST_LISTED,
    Entry,
    Listed,
    checked,
    connect,
    entry,
    in_order,
    is_plain,
    server_of,
    size_of,
    too_many,
    walked,
    written,
)

PORT = 21


@contextmanager
def opened(source: Source, http: Http) -> Iterator[FtpFolder]:
    """The folder on a connection that is closed afterwards."""
    host, port = server_of(source.url, PORT)
    parts = urlsplit(source.url)
    with _said(source.url):
        connection = connect(http, host, port)
        server = _server(parts.scheme)
        try:
            server.encoding, server.timeout = source.options["encoding"], http.limits.read_seconds
            _take(server, connection, host)
            server.login(source.options["user"] or "anonymous", source.options["password"])
            if isinstance(server, ftplib.FTP_TLS):
                server.prot_p()
            yield FtpFolder(server, http, unquote(parts.path).rstrip("/"))
        finally:
            with suppress(OSError, EOFError, ftplib.Error):
                server.quit()
            server.close()
            connection.close()


class _Client(ftplib.FTP):
    """A client that gives up a listing without end."""

    def retrlines(self, cmd: str, callback: Callable[[str], object] | None = None) -> str:
        """The lines of a listing, so many as are looked at."""
        count = 0

        def got(line: str) -> None:
            nonlocal count
            count += 1
            if count > MOST_LISTED:
                raise too_many(MOST_LISTED)
            if callback is not None:
                callback(line)

        return super().retrlines(cmd, got)


class _UnderTls(_Client, ftplib.FTP_TLS):
    """The same under TLS."""


def _server(scheme: str) -> ftplib.FTP:
    """A client; departments have servers in clear on networks of their own, and it is the operator who says so."""
    if scheme == "ftps":
        return _UnderTls(context=ssl.create_default_context())
    return _Client()


def _take(server: ftplib.FTP, connection: object, host: str) -> None:
    """What FTP.connect does, over a connection that is there; data connections go to its address, whatever is said."""
    server.sock, server.host = connection, host  # type: ignore[assignment] # a socket
    server.af = server.sock.family  # type: ignore[union-attr] # just set
    server.file = server.sock.makefile("r", encoding=server.encoding)  # type: ignore[union-attr] # just set
    server.welcome = server.getresp()


class FtpFolder(Listed):
    """Files are known by size and moment of change."""

    def __init__(self, server: ftplib.FTP, http: Http, path: str) -> None:
        self._server, self._http, self._path = server, http, path or "/"

    def entries(self) -> list[Entry]:
        """The files, also of folders inside."""
        return in_order(walked(self._http, self._listed))

    def fetch(self, name: str, into: Path) -> Path:
        """The file."""
        place = f"{self._path.rstrip('/')}/{checked(name)}"
        with _said(name), written(self._http, name, into) as (file, meter, path):

            def got(part: bytes) -> None:
                meter.got(len(part))
                file.write(part)

            self._server.retrbinary(f"RETR {place}", got, CHUNK)
        return path

    def _listed(self, folder: str) -> Iterator[tuple[str, Entry | None]]:
        for step, facts in self._with_facts(f"{self._path.rstrip('/')}/{folder}"):
            name = folder + step
            if facts.get("type") == "file":
                size, moment = size_of(facts.get("size", "")), _moment(facts.get("modify", ""))
                yield name, entry(name, size, moment)
            elif facts.get("type") == "dir":
                yield name, None

    def _with_facts(self, path: str) -> Iterator[tuple[str, dict[str, str]]]:
        """Names with their facts; servers that know no MLSD are asked for each name that is wanted."""
        try:
            yield from self._server.mlsd(path)
            return
        except ftplib.error_perm as error:
            if not str(error).startswith("50"):
                raise
        for name in self._names(path):
            step = name.rpartition("/")[2]
            if is_plain(step):
                yield step, self._facts(f"{path.rstrip('/')}/{step}")

    def _names(self, path: str) -> list[str]:
        try:
            return self._server.nlst(path)
        except ftplib.error_perm as error:
            if str(error).startswith("550"):  # some servers say so of an empty folder
                return []
            raise

    def _facts(self, place: str) -> dict[str, str]:
        try:
            self._server.voidcmd("TYPE I")
            size = self._server.size(place)
            changed = self._server.voidcmd(f"MDTM {place}").partition(" ")[2]
        except ftplib.error_perm:
            return {"type": "dir"}
        return {"type": "file", "size": str(size or 0), "modify": changed}


def _moment(text: str) -> str:
    try:
        return datetime.strptime(text[:14], "%Y%m%d%H%M%S").replace(tzinfo=UTC).isoformat()
    except ValueError:
        return ""


@contextmanager
def _said(url: str) -> Iterator[None]:
    """Turn what the server says into our errors."""
    place = shown(url)
    try:
        yield
    except CatalogError:
        raise
    except ftplib.error_perm as error:
        code, reason = str(error)[:3], str(error)[4:200]
        if code in {"530", "532"}:
            raise Denied(
                "%(url)s refuses access (%(status)s): check the key or password of the source",
                url=place,
                status=code,
            ) from error
        raise NotFound("%(url)s cannot be read: %(reason)s", url=place, reason=reason) from error
    except (ftplib.Error, EOFError, OSError, UnicodeError) as error:
        raise Unavailable(
            "%(url)s broke off: %(reason)s", url=place, reason=str(error)[:200] or "EOF"
        ) from error
