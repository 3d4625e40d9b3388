"""Whether a port of this machine is free: asked before anything is installed, so only the standard library is used."""

from __future__ import annotations

import socket
import sys
from contextlib import closing


def is_free(port: int) -> bool:
    """Whether a server could listen on the port now."""
    with closing(socket.socket()) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except (OSError, OverflowError):
            return False
        return True


def any_free() -> int:
    """A port that is free now."""
    with closing(socket.socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def require_free(port: int) -> None:
    """End the program with one sentence unless the port is free."""
    if not 1 <= port <= 65535:
        sys.exit(f"{port} is no port: choose one from 1024 to 65535, as in: make demo PORT=8001")
    if not is_free(port):
        other = port + 1 if port < 65535 else 8001
        sys.exit(
            f"Port {port} is in use or not allowed: choose another one, as in: make demo PORT={other}"
        )


if __name__ == "__main__":
    if not sys.argv[1].isdigit():
        sys.exit(f"“{sys.argv[1]}” is no port: choose a number, as in: make demo PORT=8001")
    require_free(int(sys.argv[1]))
