"""TLS: the checked address is dialled, but the certificate must be that of the name."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Iterator
from datetime import timedelta
from http.server import ThreadingHTTPServer
from pathlib import Path
from typing import Any

import httpx  # noqa: TID251 # the certificates that it trusts are replaced
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from catalog.errors import Unavailable
from catalog.models.base import now
from catalog.settings import Settings
from harvesters.http import Http
from tests.harvesters.conftest import QUICK
from tests.make_server import Asked

NAME = "portal.example"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate of `portal.example` that signs itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(NAME)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("tls") / "both.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(private + made.public_bytes(serialization.Encoding.PEM))
    return file


@pytest.fixture
def port(certificate: Path) -> Iterator[int]:
    """Port of a TLS server that answers `[1]` to everything."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)

    class Server(ThreadingHTTPServer):
        daemon_threads = True
        behaviours = {"/x": lambda asked: asked.answer(b"[1]")}  # noqa: RUF012 # read only
        asked: list[Any] = []  # noqa: RUF012 # nobody looks

        def handle_error(self, request: Any, client_address: Any) -> None:
            """Nothing: clients that refuse the certificate hang up."""

    with Server(("127.0.0.1", 0), Asked) as server:
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def fetch(name: str, port: int) -> Any:
    def resolve(host: str, at: int, **_: Any) -> list[Any]:
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", at))]

    with Http(Settings(fetch_private_hosts=f"{name}:{port}"), QUICK, resolve=resolve) as http:
        return http.get(f"https://{name}:{port}/x").json()


@pytest.fixture
def trusted(certificate: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The certificate is trusted for the time of the test."""
    context = ssl.create_default_context(cafile=str(certificate))
    monkeypatch.setattr(httpx, "create_ssl_context", lambda **_: context)


@pytest.mark.usefixtures("trusted")
def test_the_name_is_checked_although_the_address_is_dialled(port: int) -> None:
    assert fetch(NAME, port) == [1]


@pytest.mark.usefixtures("trusted")
def test_a_certificate_of_another_name_is_refused(port: int) -> None:
    with pytest.raises(Unavailable, match="certificate verify failed: Hostname mismatch"):
        fetch("other.example", port)


def test_a_certificate_that_nobody_vouches_for_is_refused(port: int) -> None:
    with pytest.raises(Unavailable, match="certificate verify failed: self-signed"):
        fetch(NAME, port)
