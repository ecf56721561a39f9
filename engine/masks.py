"""Sets of rules (or table rows) as bit masks, selected by a value: one hash look-up or bisection for all of them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from orderloom.models.values import Value


def _written(values: frozenset[Value]) -> list[str]:
    return sorted(str(value).lower() if isinstance(value, bool) else str(value) for value in values)


@dataclass(frozen=True, slots=True, kw_only=True)
class OneOf:
    """Accepts any of these values."""

    values: frozenset[Value]

    def accepts(self, value: Value) -> bool:
        return value in self.values

    def __str__(self) -> str:
        return " or ".join(_written(self.values)) or "nothing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Between:
    """Accepts an interval; None is unbounded."""

    low: Any
    high: Any
    low_included: bool = True
    high_included: bool = True

    def accepts(self, value: Any) -> bool:
        if self.low is not None and (value < self.low or (value == self.low and not self.low_included)):
            return False
        return self.high is None or value < self.high or (value == self.high and self.high_included)

    def __str__(self) -> str:
        bounds = []
        if self.low is not None:
            bounds.append(f"{'at least' if self.low_included else 'more than'} {self.low}")
        if self.high is not None:
            bounds.append(f"{'at most' if self.high_included else 'less than'} {self.high}")
        return " and ".join(bounds) or "anything"


@dataclass(frozen=True, slots=True, kw_only=True)
class Except:
    """Accepts any present value but these."""

    values: frozenset[Value]

    def accepts(self, value: Value) -> bool:
        return value not in self.values

    def __str__(self) -> str:
        return f"anything but {' or '.join(_written(self.values))}"


@dataclass(frozen=True, slots=True)
class Present:
    """Accepts every present value."""

    def accepts(self, value: Value) -> bool:
        return True

    def __str__(self) -> str:
        return "any value"


#: what one rule accepts of a present value; an absent one is accepted by no test
Test = OneOf | Except | Between | Present

#: from a present value to the mask of the rules that accept it
Selector = Callable[[Any], int]


def bits(mask: int) -> Iterator[int]:
    """The places of the set bits, lowest first."""
    while mask:
        low = mask & -mask
        yield low.bit_length() - 1
        mask ^= low


def intersect(left: Test, right: Test) -> Test | None:
    """What accepts exactly the values that both accept; None if no single test does."""
    match left, right:
        case Present(), _:
            return right
        case _, Present():
            return left
        case OneOf(), _:
            return OneOf(values=frozenset(value for value in left.values if right.accepts(value)))
        case _, OneOf():
            return OneOf(values=frozenset(value for value in right.values if left.accepts(value)))
        case Between(), Between():
            low, low_included = _tighter(left, right, of_low=True)
            high, high_included = _tighter(left, right, of_low=False)
            return Between(low=low, high=high, low_included=low_included, high_included=high_included)
        case Except(), Except():
            return Except(values=left.values | right.values)
    return None


def _tighter(left: Between, right: Between, *, of_low: bool) -> tuple[Any, bool]:
    first, second = (
        ((left.low, left.low_included), (right.low, right.low_included))
        if of_low
        else ((left.high, left.high_included), (right.high, right.high_included))
    )
    if first[0] is None or second[0] is None:
        return second if first[0] is None else first
    if first[0] == second[0]:
        return first[0], first[1] and second[1]
    return first if (first[0] > second[0]) == of_low else second


def selector(tests: Sequence[Test | None]) -> Selector:
    """The mask of all places whose test accepts a value; places with None accept anything."""
    default = 0
    values: dict[Value, int] = {}
    excluded: dict[Value, int] = {}
    intervals: list[tuple[int, Between]] = []
    for place, test in enumerate(tests):
        bit = 1 << place
        match test:
            case None | Present():
                default |= bit
            case OneOf():
                for value in test.values:
                    values[value] = values.get(value, 0) | bit
            case Except():
                default |= bit
                for value in test.values:
                    excluded[value] = excluded.get(value, 0) | bit
            case Between():
                intervals.append((bit, test))
    chosen = {value: (default & ~excluded.get(value, 0)) | values.get(value, 0) for value in (*values, *excluded)}
    find = chosen.get
    if not intervals:
        return lambda value: find(value, default)
    if not chosen:
        return _regions(intervals, default)
    within = _regions(intervals, 0)
    return lambda value: find(value, default) | within(value)


def _regions(intervals: Sequence[tuple[int, Between]], default: int) -> Selector:
    """By the regions into which the bounds of some intervals cut a line: each bound, and what lies between."""
    bounds: list[Any] = sorted({bound for _, test in intervals for bound in (test.low, test.high) if bound is not None})
    place = {bound: index for index, bound in enumerate(bounds)}
    last = 2 * len(bounds)
    toggles = [0] * (last + 2)
    for bit, test in intervals:
        first = 0 if test.low is None else 2 * place[test.low] + (1 if test.low_included else 2)
        end = last if test.high is None else 2 * place[test.high] + (1 if test.high_included else 0)
        if first <= end:
            toggles[first] ^= bit
            toggles[end + 1] ^= bit
    masks = []
    mask = default
    for toggle in toggles[:-1]:
        mask ^= toggle
        masks.append(mask)
    count = len(bounds)

    def select(value: Any) -> int:
        index = bisect_left(bounds, value)
        return masks[2 * index + 1 if index < count and bounds[index] == value else 2 * index]

    return select
