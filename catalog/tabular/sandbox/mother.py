"""The program that all children come from, started as a file of its own with the paths to import from.

It loads what a child needs, runs no statement itself, and for each order makes a copy of itself that answers
one statement and ends. A copy is ready in milliseconds, where a fresh Python would need most of a second.
It ends its children when their time is over, and itself when the portal is gone or nothing is asked for long.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections.abc import Sequence

IDLE = 300.0
"""Seconds without an order before its memory is given back."""
GRACE = 1.0
"""Seconds that a child may have more than its own alarm allows it."""
LOOK = 0.2


class Mother:
    """Makes a child for each order that comes over `orders`."""

    def __init__(
        self, orders: socket.socket, idle: float = IDLE, *, left: Sequence[str] = ()
    ) -> None:
        self.orders = orders
        self.idle = idle
        self.left = left
        self.children: dict[int, float] = {}

    def serve(self) -> None:
        """Answer orders until there are none for long, or nobody who could give some."""
        last = time.monotonic()
        while self.children or time.monotonic() - last < self.idle:
            self._look_after()
            if not select.select([self.orders], [], [], LOOK if self.children else self.idle)[0]:
                continue
            order, files, _, _ = socket.recv_fds(self.orders, 200, 1)
            if not order:
                return
            last = time.monotonic()
            self._bear(float(json.loads(order)["seconds"]), files[0])

    def end(self) -> None:
        """End the children that are left."""
        for child in self.children:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)

    def _bear(self, seconds: float, handle: int) -> None:
        child = os.fork()
        if child == 0:
            self.orders.close()
            answer_and_end(socket.socket(fileno=handle), seconds, self.left)
        os.close(handle)
        self.children[child] = time.monotonic() + seconds + GRACE

    def _look_after(self) -> None:
        for child, until in list(self.children.items()):
            if time.monotonic() > until:
                os.kill(child, signal.SIGKILL)
            if os.waitpid(child, os.WNOHANG)[0]:
                del self.children[child]


def answer_and_end(caller: socket.socket, seconds: float, left: Sequence[str]) -> None:
    """What a child does; it never comes back. `left` is what the mother had given up already."""
    from catalog.tabular.sandbox import child, rights

    try:
        rights.end_with_parent()
        memory = rights.open_memory()  # while it can be opened
        given_up = rights.give_up(seconds)
        child.answer(caller, [*left, *given_up], memory)
    except BaseException as error:  # noqa: BLE001 # whatever it is ends this process and no other
        sys.stderr.write(f"a statement failed: {type(error).__name__}: {error}"[:500] + "\n")
    finally:
        os._exit(0)


def main() -> None:
    """Load what children need, then serve."""
    sys.path[:] = json.loads(sys.argv[1])
    sys.setrecursionlimit(5000)
    os.nice(5)  # pages come before statements
    orders = socket.socket(fileno=int(sys.argv[2]))
    from catalog.tabular.sandbox import child, rights

    child.load()
    left = rights.leave_the_network()
    orders.sendall(b"ready")
    mother = Mother(orders, float(sys.argv[3]), left=left)
    try:
        mother.serve()
    finally:
        mother.end()
        os._exit(0)  # the engine would list what it has not given back


if __name__ == "__main__":
    main()
