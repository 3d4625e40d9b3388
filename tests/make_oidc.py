"""Maker of a real OpenID provider, which can be stopped and started again with other keys."""

from __future__ import annotations

import json
import shutil
import socket
import subprocess
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joserfc.jwk import RSAKey

ROOT = Path(__file__).parents[1]
HOME = ROOT / ".services" / "oidc"
MISSING = "no OpenID provider on this machine: tests/services/install gets one, which needs npm"
SITE = "http://weft.localhost"
"""Where the portal says that it is, for the provider to send readers back to."""


def oidc_is_there() -> bool:
    """Whether the provider was installed."""
    return shutil.which("node") is not None and (HOME / "node_modules" / "oidc-provider").is_dir()


def free_port() -> int:
    """A port of this machine that nobody listens at."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass
class OpenIDProvider:
    """A provider: where it is, and what it says of whom."""

    port: int
    people: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    site: str = SITE
    userinfo: bool = True
    """Say e-mail address and name only when asked for them, as the standard wants it."""
    process: subprocess.Popen[str] | None = field(default=None, repr=False)

    @property
    def issuer(self) -> str:
        """Its address."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it with a new key and wait until it answers."""
        options = {
            "issuer": self.issuer,
            "port": self.port,
            "redirect": f"{self.site}/oidc/callback",
            "back": f"{self.site}/",
            "people": self.people,
            "userinfo": self.userinfo,
            "key": RSAKey.generate_key(2048, {"use": "sig"}, auto_kid=True).as_dict(private=True),
        }
        self.process = subprocess.Popen(
            [
                "node",
                str(ROOT / "tests/services/oidc/provider.mjs"),
                str(HOME),
                json.dumps(options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        assert self.process.stdout
        assert any("ready" in line for line in self.process.stdout), "the provider did not start"

    def stop(self) -> None:
        """Stop it; it forgets all sessions and keys."""
        if self.process:
            self.process.kill()
            self.process.wait(20)
            if self.process.stdout:
                self.process.stdout.close()
            self.process = None


@contextmanager
def make_oidc(**how: Any) -> Iterator[OpenIDProvider]:
    """A running provider on a free port."""
    provider = OpenIDProvider(free_port(), **how)
    provider.start()
    try:
        yield provider
    finally:
        provider.stop()
