"""A folder of an SSH server (SFTP), which must show the key that the operator knows."""

from __future__ import annotations

import base64
import hashlib
import io
import stat
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

import paramiko
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa

from catalog.errors import CatalogError, Denied, Invalid, NotFound, Unavailable
from harvesters.addresses import shown
from harvesters.harvester import Source
from harvesters.http import Http
from harvesters.places.place import (
    CHUNK,
    Entry,
    Listed,
    checked,
    connect,
    entry,
    in_order,
    server_of,
    walked,
    written,
)

PORT = 22


@contextmanager
def opened(source: Source, http: Http) -> Iterator[SftpFolder]:
    """The folder on a connection that is closed afterwards."""
    host, port = server_of(source.url, PORT)
    parts = urlsplit(source.url)
    user = source.options["user"] or unquote(parts.username or "")
    with _said(source.url):
        transport = paramiko.Transport(connect(http, host, port))
        try:
            transport.banner_timeout = transport.auth_timeout = http.limits.read_seconds
            transport.start_client(timeout=http.limits.read_seconds)
            _check(transport, source.options["host_key"], host)
            _sign_in(transport, user, source.options)
            yield SftpFolder(_client(transport, source.url, http), http, unquote(parts.path))
        finally:
            transport.close()


def _client(transport: paramiko.Transport, url: str, http: Http) -> paramiko.SFTPClient:
    """What asks for files, with its answers limited in time; the library waits for the first one without end."""
    late = threading.Timer(http.limits.read_seconds, transport.close)
    late.daemon = True
    late.start()
    try:
        client = paramiko.SFTPClient.from_transport(transport)
        channel = client.get_channel() if client else None
        if client is None or channel is None:  # pragma: no cover # from_transport gives or raises
            raise Unavailable("%(url)s gives no files", url=shown(url))
        channel.settimeout(http.limits.read_seconds)
        return client
    finally:
        late.cancel()


def _check(transport: paramiko.Transport, known: str, host: str) -> None:
    """Raise Denied unless the server shows the key that is known."""
    digest = hashlib.sha256(transport.get_remote_server_key().asbytes()).digest()
    shown_key = "SHA256:" + base64.b64encode(digest).decode().rstrip("=")
    if known.strip().rstrip("=") != shown_key:
        raise Denied(
            "%(host)s shows the key %(key)s, which is not the host_key of this source: ask its operator whether it is "
            "the right one before you enter it",
            host=host,
            key=shown_key,
        )


def _sign_in(transport: paramiko.Transport, user: str, options: Mapping[str, Any]) -> None:
    if options["private_key"]:
        transport.auth_publickey(user, _key(options["private_key"], options["password"]))
    else:
        transport.auth_password(user, options["password"])


def _key(text: str, password: str) -> paramiko.PKey:
    """The key in any form that OpenSSH and OpenSSL write."""
    secret = password.encode() or None
    for load in (serialization.load_ssh_private_key, serialization.load_pem_private_key):
        try:
            key = load(text.strip().encode() + b"\n", secret)
        except (ValueError, TypeError, UnsupportedAlgorithm):
            continue
        if isinstance(key, rsa.RSAPrivateKey):
            return paramiko.RSAKey(key=key)
        if isinstance(key, ec.EllipticCurvePrivateKey):
            return paramiko.ECDSAKey(vals=(key, key.public_key()))
        if isinstance(key, ed25519.Ed25519PrivateKey):
            written = key.private_bytes(
                serialization.Encoding.PEM,
                serialization.PrivateFormat.OpenSSH,
                serialization.NoEncryption(),
            )
            return paramiko.Ed25519Key.from_private_key(io.StringIO(written.decode()))
    raise Invalid("the private key of this source cannot be read: it must be Ed25519, ECDSA or RSA")


class SftpFolder(Listed):
    """Files are known by size and moment of change."""

    def __init__(self, client: paramiko.SFTPClient, http: Http, path: str) -> None:
        self._client, self._http, self._path = client, http, path or "."

    def entries(self) -> list[Entry]:
        """The files, also of folders inside; links are not followed."""
        return in_order(walked(self._http, self._listed))

    def fetch(self, name: str, into: Path) -> Path:
        """The file."""
        place = f"{self._path.rstrip('/')}/{checked(name)}"
        with (
            _said(name),
            written(self._http, name, into) as (file, meter, path),
            self._client.open(place, "rb") as remote,
        ):
            size = min(remote.stat().st_size or 0, self._http.limits.file_bytes + 1)
            remote.prefetch(size, max_concurrent_requests=64)
            while part := remote.read(CHUNK):
                meter.got(len(part))
                file.write(part)
        return path

    def _listed(self, folder: str) -> Iterator[tuple[str, Entry | None]]:
        path = f"{self._path.rstrip('/')}/{folder}"
        for about in self._client.listdir_iter(
            path, read_aheads=1
        ):  # as they come, not all at once
            name, mode = folder + about.filename, about.st_mode or 0
            if stat.S_ISREG(mode):
                moment = datetime.fromtimestamp(about.st_mtime or 0, UTC).isoformat()
                yield name, entry(name, about.st_size or 0, moment)
            elif stat.S_ISDIR(mode):
                yield name, None


@contextmanager
def _said(url: str) -> Iterator[None]:
    """Turn what the server says into our errors."""
    place = shown(url)
    try:
        yield
    except CatalogError:
        raise
    except paramiko.AuthenticationException as error:
        raise Denied(
            "%(url)s refuses access (%(status)s): check the key or password of the source",
            url=place,
            status="SSH",
        ) from error
    except FileNotFoundError as error:
        raise NotFound("there is no file or folder %(path)s", path=place) from error
    except (paramiko.SSHException, EOFError, OSError, UnicodeError) as error:
        raise Unavailable(
            "%(url)s broke off: %(reason)s", url=place, reason=str(error)[:200] or "EOF"
        ) from error
