"""Maker of a real Elasticsearch server, which can be stopped and started again."""

from __future__ import annotations

import http.client
import socket
import subprocess
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from http import HTTPStatus
from pathlib import Path

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".services" / "elastic"
MISSING = (
    "no Elasticsearch on this machine: tests/services/install gets one, "
    "which needs Maven and a JDK of 21 or newer"
)
START_SECONDS = 180


@dataclass
class ElasticServer:
    """A server: where it is, and the folder with all it knows."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] | None = field(default=None, repr=False)
    shared_url: str = ""
    """The address of an index for tests that empty it themselves."""

    def __post_init__(self) -> None:
        self.shared_url = self.make_url()

    @property
    def address(self) -> str:
        """Host and port."""
        return f"127.0.0.1:{self.port}"

    def make_url(self) -> str:
        """The address of a new index, as the settings want it."""
        return f"elasticsearch+http://{self.address}/weft-{uuid.uuid4().hex[:12]}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        with (self.folder / "elastic.log").open("ab") as log:
            self.process = subprocess.Popen(
                [ROOT / "tests/services/elasticsearch/start", str(self.port), str(self.folder)],
                stdout=log,
                stderr=log,
            )
        until = time.monotonic() + START_SECONDS
        while time.monotonic() < until and self.process.poll() is None:
            if self._answers():
                return
            time.sleep(0.2)
        self.stop()
        said = (self.folder / "elastic.log").read_text()[-2000:]
        raise AssertionError(f"Elasticsearch did not start: {said}")

    def stop(self) -> None:
        """Stop it; what it acknowledged is still there at the next start."""
        if self.process is not None:
            self.process.terminate()
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(30)
            self.process.kill()
            self.process.wait()
            self.process = None

    def _answers(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        with closing(connection), suppress(OSError, http.client.HTTPException):
            connection.request("GET", "/_cluster/health?wait_for_status=yellow&timeout=2s")
            return connection.getresponse().status == HTTPStatus.OK
        return False


def elastic_is_there() -> bool:
    """Whether the server was installed."""
    return (HOME / "built").exists()


@contextmanager
def make_elastic(folder: Path) -> Iterator[ElasticServer]:
    """A server on a free port, without any index."""
    assert elastic_is_there(), MISSING
    folder.mkdir(parents=True, exist_ok=True)
    server = ElasticServer(_free_port(), folder)
    try:
        server.start()
        yield server
    finally:
        server.stop()


def _free_port() -> int:
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Gate:
    """A way to the server that a test can shut and open again, in a moment."""

    def __init__(self, port: int) -> None:
        self._behind = port
        self.port = _free_port()
        self._open: list[socket.socket] = []
        self.open()

    @property
    def address(self) -> str:
        """Host and port of the way."""
        return f"127.0.0.1:{self.port}"

    def open(self) -> None:
        """Let connections through."""
        self._listener = socket.create_server(("127.0.0.1", self.port))
        self._open = [self._listener]
        threading.Thread(target=self._accept, args=(self._listener,), daemon=True).start()

    def shut(self) -> None:
        """Break all connections and refuse new ones."""
        for one in self._open:
            with suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)
            one.close()

    def _accept(self, listener: socket.socket) -> None:
        with suppress(OSError):
            while True:
                client, _ = listener.accept()
                server = socket.create_connection(("127.0.0.1", self._behind))
                self._open += [client, server]
                for pair in ((client, server), (server, client)):
                    threading.Thread(target=_forward, args=pair, daemon=True).start()


def _forward(source: socket.socket, target: socket.socket) -> None:
    with suppress(OSError):
        while piece := source.recv(65_536):
            target.sendall(piece)
    for one in (source, target):
        with suppress(OSError):
            one.shutdown(socket.SHUT_RDWR)
