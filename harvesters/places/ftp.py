"""A folder of an FTP server, in clear or under TLS (explicit, `ftps`)."""

from __future__ import annotations

import ftplib
import ssl
from collections.abc import Iterator
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
    DEEPEST,
    Entry,
    Listed,
    checked,
    connect,
    entry,
    in_order,
    is_plain,
    written,
)

PORT = 21


@contextmanager
def opened(source: Source, http: Http) -> Iterator[FtpFolder]:
    """The folder on a connection that is closed afterwards."""
    parts = urlsplit(source.url)
    host, port = parts.hostname or "", parts.port or PORT
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


def _server(scheme: str) -> ftplib.FTP:
    """A client; departments have servers in clear on networks of their own, and it is the operator who says so."""
    if scheme == "ftps":
        return ftplib.FTP_TLS(context=ssl.create_default_context())  # noqa: S321 # under TLS
    return ftplib.FTP()  # noqa: S321 # what the source's address asks for


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
        return in_order(self._below("", 0))

    def fetch(self, name: str, into: Path) -> Path:
        """The file."""
        place = f"{self._path.rstrip('/')}/{checked(name)}"
        with _said(name), written(self._http, name, into) as (file, meter, path):

            def got(part: bytes) -> None:
                meter.got(len(part))
                file.write(part)

            self._server.retrbinary(f"RETR {place}", got, CHUNK)
        return path

    def _below(self, folder: str, depth: int) -> Iterator[Entry]:
        self._http.beat()
        for step, facts in self._listed(f"{self._path.rstrip('/')}/{folder}"):
            if not is_plain(step):
                continue
            if facts.get("type") == "file":
                yield entry(
                    folder + step, int(facts.get("size") or 0), _moment(facts.get("modify", ""))
                )
            elif facts.get("type") == "dir" and depth < DEEPEST:
                yield from self._below(f"{folder}{step}/", depth + 1)

    def _listed(self, path: str) -> list[tuple[str, dict[str, str]]]:
        """Names with their facts; servers that know no MLSD are asked for each name."""
        try:
            return list(self._server.mlsd(path))
        except ftplib.error_perm as error:
            if not str(error).startswith("50"):
                raise
        return [(name.rpartition("/")[2], self._facts(path, name)) for name in self._names(path)]

    def _names(self, path: str) -> list[str]:
        try:
            return self._server.nlst(path)
        except ftplib.error_perm as error:
            if str(error).startswith("550"):  # some servers say so of an empty folder
                return []
            raise

    def _facts(self, path: str, name: str) -> dict[str, str]:
        place = f"{path.rstrip('/')}/{name.rpartition('/')[2]}"
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
