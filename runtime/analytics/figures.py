"""What reports are made of: facts of two windows, now and before, and of each period."""

from __future__ import annotations

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from orderloom.runtime.analytics.periods import Span
from orderloom.runtime.store.codec import micros
from orderloom.runtime.store.facts import HOUR, Stretch, Tally
from orderloom.runtime.store.histograms import percentile
from orderloom.runtime.store.interface import Store

#: a cell of a report: text, a number, seconds, a share of 1, or a series of numbers for a sparkline; None for nothing
Cell = str | int | float | tuple[float | None, ...] | None
_NOTHING = Tally()
#: hours
_DAY = 24


@dataclass(frozen=True, slots=True)
class Column:
    """A column; `unit` is "" for texts and counts, `s` (seconds), `share` (of 1), `change` (relative), `points` (a
    difference of shares), `trend` (a number for each period), or `row`: the unit stands in the row's column `unit`."""

    name: str
    unit: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """A number that stands for a whole report, now and in the window before."""

    name: str
    unit: str
    now: float | None
    before: float | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """A table, and what it is about."""

    name: str
    period: str
    #: of the periods
    zone: str
    product: str
    since: datetime
    until: datetime
    #: start of the window that it is compared with; it ends at `since`
    before: datetime
    #: rows of the journal and the like that are not counted yet
    uncounted: int
    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    figures: tuple[Figure, ...] = ()


@dataclass(slots=True)
class Facts:
    """Tallies by measure and subject: of the window, of the one before, and of each period."""

    now: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    before: dict[tuple[str, str], Tally] = field(default_factory=lambda: defaultdict(Tally))
    each: list[dict[tuple[str, str], Tally]] = field(default_factory=list)

    def subjects(self, *measures: str) -> list[str]:
        """Subjects of these measures in either window, by name."""
        return sorted({subject for part in (self.now, self.before) for measure, subject in part if measure in measures})

    def count(self, measure: str, subject: str = "", *, before: bool = False) -> int:
        """How often, in the window or in the one before."""
        return (self.before if before else self.now).get((measure, subject), _NOTHING).count

    def total(self, measure: str, *, before: bool = False) -> int:
        """How often with all subjects together."""
        part = self.before if before else self.now
        return sum(tally.count for (name, _), tally in part.items() if name == measure)

    def counts(self, measure: str, subject: str = "") -> tuple[float | None, ...]:
        """How often in each period."""
        return tuple(each.get((measure, subject), _NOTHING).count for each in self.each)

    def totals(self, measure: str) -> tuple[float | None, ...]:
        """The same with all subjects together."""
        return tuple(sum(tally.count for (name, _), tally in each.items() if name == measure) for each in self.each)

    def seconds(self, share: float, measure: str, subject: str = "", *, before: bool = False) -> float | None:
        """A percentile of its spans."""
        return _seconds((self.before if before else self.now).get((measure, subject), _NOTHING), share)

    def mean(self, measure: str, subject: str = "") -> float | None:
        """Mean seconds."""
        tally = self.now.get((measure, subject), _NOTHING)
        timed = sum(tally.bins.values())
        return tally.total / timed / 1e6 if timed else None

    def trend(self, share: float, measure: str, subject: str = "") -> tuple[float | None, ...]:
        """A percentile of each period."""
        return tuple(_seconds(each.get((measure, subject), _NOTHING), share) for each in self.each)


def read_facts(store: Store, measures: Sequence[str], product: str, spans: Sequence[Span], window: int) -> Facts:
    """Facts of the last `window` spans, and of those before them."""
    starts = [_hour(span.start) for span in spans]
    found = Facts(each=[defaultdict(Tally) for _ in range(window)])
    first = len(spans) - window
    for key, tally in store.facts(measures, product, stretches(spans)):
        place = bisect_right(starts, key.hour) - 1 - first
        name = (key.measure, key.subject)
        if place < 0:
            found.before[name].add(tally)
        else:
            found.now[name].add(tally)
            found.each[place][name].add(tally)
    return found


def stretches(spans: Sequence[Span]) -> list[Stretch]:
    """How to read these spans: whole days of UTC as days, what is left of each span by hours."""
    found: list[Stretch] = []
    for span in spans:
        start, end = _hour(span.start), _hour(span.end)
        first, last = -(-start // _DAY) * _DAY, end // _DAY * _DAY
        parts = [(start, end, 1)] if last <= first else [(start, first, 1), (first, last, _DAY), (last, end, 1)]
        for part in parts:
            if part[0] >= part[1]:
                continue
            if found and found[-1].end == part[0] and found[-1].hours == part[2]:
                found[-1] = found[-1]._replace(end=part[1])
            else:
                found.append(Stretch(*part))
    return found


def _hour(instant: datetime) -> int:
    """The first full hour since 1970 that does not begin before an instant."""
    return -(-(micros(instant) or 0) // HOUR)


def share(part: float, whole: float) -> float | None:
    """None of nothing."""
    return part / whole if whole else None


def change(now: float | None, before: float | None) -> float | None:
    """Relative to what was before; None where there was nothing."""
    return None if now is None or not before else now / before - 1


def _seconds(tally: Tally, share: float) -> float | None:
    found = percentile(tally.bins, share)
    return None if found is None else found / 1e6
