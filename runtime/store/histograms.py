"""Spans of time counted in bins whose width grows with them, so that any two histograms add up.

Bin k holds the spans above g^(k-1) and up to g^k microseconds, with g = (1 + e) / (1 - e). A percentile read from the
bins differs from the exact one by at most the share e of it (DDSketch, Masson, Rim and Lee, VLDB 2019).
"""

from __future__ import annotations

import math
import sys
from array import array
from collections.abc import Mapping
from typing import TypeAlias

#: e: percentiles are exact to 1%
ERROR = 0.01
_GROWTH = (1 + ERROR) / (1 - ERROR)
_SCALE = 1 / math.log(_GROWTH)

#: bin -> how many; bin 0 holds spans under a microsecond, bin k + 1 is bin k above
Bins: TypeAlias = dict[int, int]


def bin_of(micros: int) -> int:
    """The bin of a span."""
    return 0 if micros < 1 else 1 + math.ceil(math.log(micros) * _SCALE)


def span_of(bin: int) -> float:
    """The microseconds that stand for a bin."""
    return 0.0 if not bin else 2 * _GROWTH ** (bin - 1) / (_GROWTH + 1)


def add(into: Bins, other: Mapping[int, int]) -> None:
    """Counts the other ones too."""
    for bin, number in other.items():
        into[bin] = into.get(bin, 0) + number


def percentile(bins: Mapping[int, int], share: float) -> float | None:
    """Microseconds that this share (0 … 1) of the spans does not exceed, by nearest rank; None for no spans."""
    wanted = max(1, math.ceil(share * sum(bins.values())))
    seen = 0
    for bin in sorted(bins):
        seen += bins[bin]
        if seen >= wanted:
            return span_of(bin)
    return None


def packed(bins: Mapping[int, int]) -> bytes:
    """Pairs of little-endian 32-bit numbers: bin, how many."""
    found = array("I", [number for pair in sorted(bins.items()) for number in pair])
    if sys.byteorder == "big":
        found.byteswap()
    return found.tobytes()


def unpacked(data: bytes) -> Bins:
    """Reads what `packed` wrote."""
    found = array("I")
    found.frombytes(data)
    if sys.byteorder == "big":
        found.byteswap()
    return dict(zip(found[::2], found[1::2], strict=True))
