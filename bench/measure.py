"""Asking, counting CPU, and the lines of the report."""

from __future__ import annotations

import itertools
import math
import statistics
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from bench.calls import Call, quantile, questions
from bench.portal import Client, Running

LEAST_SECONDS = 1.0
"""CPU that one warm measurement should add up to: the kernel counts in steps of 10 ms."""
MOST_CALLS = 2_000
SLOW_MS = 500.0
FEW = 6
"""So many questions are enough where each takes so long."""


@dataclass
class Report:
    """Prints a table and keeps what missed its target."""

    missed: int = 0

    def reference(self) -> None:
        """What a fixed piece of work takes now: CPU figures grow when others use the same caches and memory."""
        values = np.random.default_rng(1).random(2_000_000)
        spent = statistics.median(cpu_seconds(lambda: np.sort(values)) for _ in range(5))
        self.figure("reference: sorting 2,000,000 numbers, CPU ms", f"{spent * 1000:.0f}")

    def head(self, title: str) -> None:
        """The columns of figures that follow."""
        print(
            f"\n{title}\n{'':<40} {'cold':>9} {'warm':>9} {'target':>8} {'floor':>8} {'ratio':>6}  [CKAN]"
        )

    def call(self, name: str, cold: float, warm: float | None, call: Call, floor: float) -> None:
        """A call in CPU milliseconds; the target is compared with the first asking."""
        self.missed += cold > call.target
        mark = " " if cold <= call.target else "!"
        target = f"≤ {call.target:g}" if call.target < math.inf else ""
        warmed = f"{warm:9.2f}" if warm is not None else f"{'':>9}"
        ratio = f"{cold / floor:6.1f}" if floor else f"{'':>6}"
        print(
            f"{name:<40} {cold:9.2f} {warmed} {target:>8} {floor:8.2f} {ratio}{mark} [{call.ckan}]",
            flush=True,
        )

    def limit(self, name: str, value: float, most: float, note: str = "") -> None:
        """A figure that is not to be greater than its target."""
        self.missed += value > most
        mark = "" if value <= most else "! "
        self.figure(name, f"{value:,.2f}", f"≤ {most:g}", mark + note)

    def least(self, name: str, value: float, least: float, note: str = "") -> None:
        """A figure that is not to be smaller than its target."""
        self.missed += value < least
        mark = "" if value >= least else "! "
        self.figure(name, f"{value:,.0f}", f"≥ {least:g}", mark + note)

    def figure(self, name: str, value: str, target: str = "", note: str = "") -> None:
        """Anything else."""
        print(f"{name:<40} {value:>19} {target:>8} {note}", flush=True)


def measure(report: Report, web: Running, client: Client, call: Call) -> None:
    """Cold: each question for the first time in this process. Warm: the same questions again."""
    paths = questions(call)
    if len(paths) == 1:
        paths *= 300
    # Another question first, for code, connections and files, but not for the answer.
    if _cpu(web, client, [paths[0].replace("limit=100", "limit=99")]) > SLOW_MS:
        paths = paths[1 : 1 + FEW]
    cold = _cpu(web, client, paths)
    again = itertools.islice(itertools.cycle(paths), _enough(len(paths), cold / 1000))
    warm = _cpu(web, client, list(again))
    report.call(call.name, cold, warm, call, floor_of(call) if call.floor else 0.0)


def floor_of(call: Call) -> float:
    """CPU milliseconds of the engine alone, in this process."""
    ask = call.floor
    if ask is None:
        return 0.0
    ask(0)
    once = cpu_seconds(lambda: ask(1)) * 1000
    count = FEW if once > SLOW_MS else min(call.different, 40) if call.different > 1 else 40
    began = time.process_time()
    for at in range(count):
        ask(at)
    return (time.process_time() - began) / count * 1000


def _cpu(web: Running, client: Client, paths: Sequence[str]) -> float:
    before = web.cpu_seconds()
    for path in paths:
        client.ask(path)
    return (web.cpu_seconds() - before) / len(paths) * 1000


def _enough(least: int, seconds: float) -> int:
    return max(least, min(MOST_CALLS, int(LEAST_SECONDS / max(seconds, 0.0005))))


def cpu_seconds(do: Callable[[], object]) -> float:
    """CPU seconds of this process for doing it."""
    began = time.process_time()
    do()
    return time.process_time() - began


def walls(port: int, paths: Sequence[str], clients: int) -> tuple[float, float]:
    """Median and 95th percentile of wall milliseconds a call, asked by so many clients at once."""
    found: list[float] = []

    def work(mine: Sequence[str]) -> None:
        client = Client(port)
        for path in mine:
            began = time.perf_counter()
            client.ask(path)
            found.append((time.perf_counter() - began) * 1000)

    threads = [threading.Thread(target=work, args=(paths[at::clients],)) for at in range(clients)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return statistics.median(found), quantile(found, 0.95)
