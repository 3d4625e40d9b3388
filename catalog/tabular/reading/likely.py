"""What the values of a column are beyond their type, when nearly all of them say so."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from catalog.models.vocabulary import ColumnType
from catalog.tabular import semantics
from catalog.tabular.reading.chunk import Kind

ENOUGH = 0.9
"""So much of the values must satisfy the standard; the others are listed as cells that do not."""
FEW = 20
PROBE = 200
PROMISING = 0.5
"""Of the first values: fewer, and the kind is not looked at any more."""
NUMERIC = frozenset([semantics.LONGITUDE, semantics.LATITUDE])
CODES = frozenset(semantics.SEMANTICS) - NUMERIC
KINDS = Kind.CELL | Kind.TEXT | Kind.INTEGER | Kind.NUMBER


class Likely:
    """Counts how many values of a column satisfy each standard that they may be of."""

    def __init__(self, name: str) -> None:
        self._name = name
        by_name = semantics.detected(name)
        self._good = dict.fromkeys([by_name] if by_name else sorted(CODES), 0)
        self._total = 0

    @property
    def open(self) -> bool:
        """Whether further values may decide anything."""
        return bool(self._good)

    def feed(self, values: pa.Array, kinds: Kind) -> None:
        """Look at further values, without those that mean nothing."""
        if not self._good or not kinds & KINDS:
            return
        if not self._total:
            self._drop(values[:PROBE])
        self._total += len(values)
        for semantic in self._good:
            self._good[semantic] += self._count(semantic, values)

    def found(self, type_: ColumnType) -> str:
        """The kind that nearly all values are of, if the column's type can hold it."""
        numeric = type_ in (ColumnType.INTEGER, ColumnType.NUMBER)
        for semantic, good in self._good.items():
            fits = numeric if semantic in NUMERIC else numeric or type_ is ColumnType.STRING
            if fits and good and good >= ENOUGH * self._total:
                return semantic
        return ""

    def _drop(self, probe: pa.Array) -> None:
        """Forget what the first values do not suggest."""
        texts = probe[:FEW].to_pylist()
        promising = [
            one for one in self._good if semantics.looks_like(one, texts) >= len(texts) / 2
        ]
        self._good = {
            semantic: 0
            for semantic in promising
            if self._count(semantic, probe) >= PROMISING * len(probe)
        }

    def _count(self, semantic: str, values: pa.Array) -> int:
        different, counts = values.value_counts().flatten()  # looking once at each is cheaper
        found = semantics.is_likely(semantic, self._name, different)
        return int(pc.sum(counts.filter(found)).as_py() or 0)
