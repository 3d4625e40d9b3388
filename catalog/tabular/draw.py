"""Draws Vega-Lite specs: the program of the child process, started as a file of its own.

It imports nothing of the portal. A line of JSON in (`{"spec": …, "format": "svg" | "png"}`), a line of
JSON out (`{"bytes": n}` and then n bytes, or `{"error": "…"}`). It ends when its input ends, after
`IDLE` seconds without work, or when it has grown too large.
"""

from __future__ import annotations

import json
import os
import select
import sys
from pathlib import Path
from typing import IO, Any

IDLE = 60.0
TOO_LARGE_KB = 500_000
SCALE = 2.0
"""Dots of a PNG for each unit of the chart."""


def draw(order: dict[str, Any]) -> bytes:
    """The picture; imports the drawing library when it is first needed."""
    import vl_convert

    if order["format"] == "png":
        png: bytes = vl_convert.vegalite_to_png(order["spec"], scale=SCALE, allowed_base_urls=[])
        return png
    svg: str = vl_convert.vegalite_to_svg(order["spec"], allowed_base_urls=[])
    return svg.encode()


def answer(line: bytes, out: IO[bytes]) -> None:
    """Draw one order and write the answer; a spec that cannot be drawn gives its reason."""
    try:
        picture = draw(json.loads(line))
    except (ValueError, KeyError, TypeError) as error:
        out.write(json.dumps({"error": str(error)[:500]}).encode() + b"\n")
    else:
        out.write(json.dumps({"bytes": len(picture)}).encode() + b"\n")
        out.write(picture)
    out.flush()


def serve(orders: IO[bytes], out: IO[bytes], idle: float = IDLE) -> None:
    """Answer orders until there are none for `idle` seconds."""
    while select.select([orders], [], [], idle)[0]:
        line = orders.readline()
        if not line:
            return
        answer(line, out)
        if size_kb() > TOO_LARGE_KB:
            return


def size_kb() -> int:
    """Memory in use. The peak that `getrusage` tells is no use: it starts with that of the parent."""
    try:
        pages = int(Path("/proc/self/statm").read_text().split()[1])
    except OSError:
        return 0  # not Linux: the end of idleness has to do
    return pages * os.sysconf("SC_PAGE_SIZE") // 1024


if __name__ == "__main__":
    os.nice(5)  # pages come before pictures
    serve(sys.stdin.buffer, sys.stdout.buffer, float(sys.argv[1]) if len(sys.argv) > 1 else IDLE)
