"""Maker of a real S3 server: S3Proxy, which keeps objects as files of a folder."""

from __future__ import annotations

import shutil
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from catalog.bucket import Bucket
from catalog.settings import Settings

ROOT = Path(__file__).parents[1]
JAVA = ("java", "-Xmx256m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1")
MISSING = (
    "no S3 server on this machine: tests/services/install gets one, which needs Java 17 and Maven"
)
KEY, SECRET = "weft-tests", "nobody knows it"
START_SECONDS = 60


@dataclass
class S3Server:
    """A running server: where it is, and the folder with a folder a bucket."""

    port: int
    folder: Path
    process: subprocess.Popen[bytes] = field(repr=False)

    def settings(self, **more: object) -> Settings:
        """Settings that reach the server, and nothing else of a portal."""
        endpoint = f"http://127.0.0.1:{self.port}"
        return Settings(s3_endpoint=endpoint, s3_key=KEY, s3_secret=SECRET, **more)

    def environment(self) -> dict[str, str]:
        """The same settings for a process of its own."""
        return {
            "WEFT_S3_ENDPOINT": f"http://127.0.0.1:{self.port}",
            "WEFT_S3_KEY": KEY,
            "WEFT_S3_SECRET": SECRET,
        }

    def make_bucket(self) -> str:
        """The name of a new bucket."""
        name = f"weft-{uuid.uuid4().hex[:12]}"
        (self.folder / name).mkdir()
        return name

    def open(self, url: str) -> Bucket:
        """A client of this bucket and prefix."""
        return Bucket.at("WEFT_FILES_URL", url, self.settings())


def s3proxy() -> Path | None:
    """The server's program, if it was installed and there is a Java to run it."""
    found = sorted((ROOT / ".services" / "s3").glob("s3proxy-*.jar"))
    return found[-1] if found and shutil.which("java") else None


@contextmanager
def make_s3(folder: Path) -> Iterator[S3Server]:
    """A server on a free port, which knows one key and its secret."""
    program = s3proxy()
    assert program is not None, MISSING
    objects = folder / "objects"
    objects.mkdir(parents=True)
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    said = {
        "s3proxy.endpoint": f"http://127.0.0.1:{port}",
        "s3proxy.authorization": "aws-v2-or-v4",
        "s3proxy.identity": KEY,
        "s3proxy.credential": SECRET,
        "jclouds.provider": "filesystem-nio2",
        "jclouds.filesystem.basedir": str(objects),
    }
    (folder / "s3.conf").write_text("".join(f"{name}={value}\n" for name, value in said.items()))
    with (folder / "s3.log").open("wb") as log:
        process = subprocess.Popen(
            [*JAVA, "-jar", str(program), "--properties", str(folder / "s3.conf")],
            stdout=log,
            stderr=log,
        )
    try:
        _wait(port, process, folder / "s3.log")
        yield S3Server(port, objects, process)
    finally:
        process.kill()
        process.wait()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and process.poll() is None:
        with closing(socket.socket()) as probe:
            if probe.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.1)
    raise AssertionError(f"the S3 server did not start: {log.read_text()[-2000:]}")
