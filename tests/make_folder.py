"""Makers of real servers of files: SFTP, FTP with and without TLS, and WebDAV, each over a folder of the test."""

from __future__ import annotations

import asyncio
import logging
import threading
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import asyncssh
from cheroot.wsgi import Server as CherootServer
from wsgidav.wsgidav_app import WsgiDAVApp

with warnings.catch_warnings():
    warnings.simplefilter("ignore", DeprecationWarning)  # of asyncore, which Python 3.12 took away
    from pyftpdlib.authorizers import DummyAuthorizer
    from pyftpdlib.handlers import FTPHandler
    from pyftpdlib.ioloop import IOLoop
    from pyftpdlib.servers import FTPServer

USER, PASSWORD = "reader", "nobody knows it"


@dataclass(frozen=True)
class FolderServer:
    """A running server."""

    port: int
    host_key: str = ""
    """Fingerprint of an SSH server."""

    @property
    def host(self) -> str:
        """Host and port, as the settings list them."""
        return f"127.0.0.1:{self.port}"


class _Reader(asyncssh.SSHServer):
    def begin_auth(self, username: str) -> bool:  # noqa: ARG002 # the signature is asyncssh's
        return True

    def password_auth_supported(self) -> bool:
        return True

    def validate_password(self, username: str, password: str) -> bool:
        return (username, password) == (USER, PASSWORD)

    def public_key_auth_supported(self) -> bool:
        return True

    def validate_public_key(self, username: str, key: asyncssh.SSHKey) -> bool:
        return username == USER and key in self.known

    known: tuple[asyncssh.SSHKey, ...] = ()


@contextmanager
def make_sftp(
    folder: Path,
    known: asyncssh.SSHKey | None = None,
    *,
    made: type[asyncssh.SFTPServer] = asyncssh.SFTPServer,
    is_mute: bool = False,
) -> Iterator[FolderServer]:
    """An SFTP server; it knows a password and perhaps a key. A mute one signs in, and then says nothing."""
    key = asyncssh.generate_private_key("ssh-ed25519")
    loop, ready, found = asyncio.new_event_loop(), threading.Event(), []
    kept = (known.convert_to_public(),) if known else ()

    connections: list[asyncssh.SSHServerConnection] = []

    class Reader(_Reader):
        known = kept

        def connection_made(self, conn: asyncssh.SSHServerConnection) -> None:
            connections.append(conn)

        def session_requested(self) -> Any:
            return loop.create_future() if is_mute else False

    async def start() -> asyncssh.SSHAcceptor:
        return await asyncssh.create_server(
            Reader,
            "127.0.0.1",
            0,
            server_host_keys=[key],
            sftp_factory=None if is_mute else lambda channel: made(channel, chroot=str(folder)),
        )

    def serve() -> None:
        asyncio.set_event_loop(loop)
        found.append(loop.run_until_complete(start()))
        ready.set()
        loop.run_forever()

    async def stop() -> None:
        found[0].close()
        for connection in connections:
            connection.abort()
            await connection.wait_closed()
        await found[0].wait_closed()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    assert ready.wait(10)
    try:
        yield FolderServer(found[0].get_port(), key.get_fingerprint())
    finally:
        asyncio.run_coroutine_threadsafe(stop(), loop).result(10)
        loop.call_soon_threadsafe(loop.stop)
        thread.join(10)
        loop.close()


@contextmanager
def make_ftp(folder: Path, *, without: tuple[str, ...] = ()) -> Iterator[FolderServer]:
    """An FTP server; `without` are commands that it does not know."""
    logging.getLogger("pyftpdlib").setLevel(logging.CRITICAL)
    authorizer = DummyAuthorizer()
    authorizer.add_user(USER, PASSWORD, str(folder), perm="elr")

    class Handler(FTPHandler):
        auth_failed_timeout = 0
        proto_cmds: ClassVar = {k: v for k, v in FTPHandler.proto_cmds.items() if k not in without}

    Handler.authorizer = authorizer
    server = FTPServer(("127.0.0.1", 0), Handler, ioloop=IOLoop())
    port = server.socket.getsockname()[1]
    stopping = threading.Event()

    def serve() -> None:
        while not stopping.is_set():
            server.serve_forever(timeout=0.01, blocking=False)

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield FolderServer(port)
    finally:
        stopping.set()
        thread.join(10)
        server.close_all()


@contextmanager
def make_webdav(folder: Path) -> Iterator[FolderServer]:
    """A WebDAV server that asks for a password."""
    config = {
        "provider_mapping": {"/": str(folder)},
        "http_authenticator": {
            "accept_basic": True,
            "accept_digest": False,
            "default_to_digest": False,
        },
        "simple_dc": {"user_mapping": {"*": {USER: {"password": PASSWORD}}}},
        "verbose": 0,
        "logging": {"enable": False},
    }
    server = CherootServer(("127.0.0.1", 0), WsgiDAVApp(config), numthreads=2)
    server.shutdown_timeout = 1
    server.prepare()
    thread = threading.Thread(target=server.serve, daemon=True)
    thread.start()
    try:
        yield FolderServer(server.bind_addr[1])
    finally:
        server.stop()
        thread.join(10)
