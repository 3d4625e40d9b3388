"""Classes of values for a map: limits that readers can remember, from quantiles."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Iterable

CLASSES = 5


def limits_of(counted: Iterable[tuple[float, int]], classes: int = CLASSES) -> tuple[float, ...]:
    """Lower limits of all classes but the first: round, rising, at most `classes - 1` of them.

    Zeros and what lies below stay out of the quantiles: where most values are zero, they would
    leave nothing to tell the others apart.
    """
    values = sorted(
        (value, count) for value, count in counted if math.isfinite(value) and count > 0
    )
    above = [(value, count) for value, count in values if value > 0]
    has_zero = len(above) < len(values)
    ranked = above if has_zero and above else values
    total = sum(count for _, count in ranked)
    limits: list[float] = []
    if has_zero and above:
        limits.append(_round(above[0][0]))
    parts = classes - len(limits)
    for at in range(1, parts):
        limit = _round(_quantile(ranked, total * at / parts)) if total else 0.0
        if total and limit > (limits[-1] if limits else ranked[0][0]):
            limits.append(limit)
    return tuple(limits)


def _quantile(ranked: list[tuple[float, int]], wanted: float) -> float:
    passed = 0
    for value, count in ranked:
        passed += count
        if passed >= wanted:
            return value
    return ranked[-1][0]


def _round(value: float) -> float:
    """The value with one significant figure more than needed to remember it: 1, 12, 350, 0.25."""
    if value == 0:
        return 0.0
    digits = 1 - math.floor(math.log10(abs(value)))
    rounded = round(value, digits)
    return int(rounded) if rounded == int(rounded) else rounded


def class_of(value: float, limits: tuple[float, ...]) -> int:
    """Number of the class of a value, from 0."""
    return bisect_right(limits, value)
