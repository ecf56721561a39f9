"""What operators allow a lane: calls at once, pace, paused task definitions; changed while it runs.

A lane without any restraint has none of this, and pays nothing for it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from orderloom.runtime.store.controls import EVERY_CONNECTOR, EVERY_PRIORITY, Controls, PacedRelease, Restraint
from orderloom.runtime.store.records import PendingCall

#: what may be caught up of a pace after the loop was busy
_SLACK = timedelta(milliseconds=100)
#: of orders: 0 highest … 4
PRIORITIES = 5

_Key = tuple[str, str, int]
#: rank, number and key of a call in the queue of its lane
Place = tuple[int, int, _Key, PendingCall]


@dataclass(slots=True)
class Gauge:
    """One limit that several lanes may share: what it allows, and what goes on under it."""

    at_once: int | None = None
    pace: timedelta | None = None
    #: when the next call may go, for a pace
    next_at: datetime | None = None
    running: int = 0

    def full(self) -> bool:
        return self.at_once is not None and self.running >= self.at_once

    def early(self, now: datetime) -> bool:
        return self.pace is not None and self.next_at is not None and now < self.next_at

    def take(self, now: datetime) -> None:
        if self.pace is not None:
            self.next_at = max(self.next_at or now, now - _SLACK) + self.pace


class Gauges:
    """All limits that are set, by connector and priority; they count what goes on while they are set and before."""

    def __init__(self) -> None:
        self._gauges: dict[tuple[str, int], Gauge] = {}

    def __bool__(self) -> bool:
        return bool(self._gauges)

    def read(self, limits: Mapping[tuple[str, int], Restraint], running: Mapping[str, list[int]]) -> None:
        """`running`: calls under way by connector, one number for each priority."""
        found: dict[tuple[str, int], Gauge] = {}
        for (connector, priority), limit in limits.items():
            gauge = self._gauges.get((connector, priority)) or Gauge(running=_counted(running, connector, priority))
            gauge.at_once = limit.at_once
            if gauge.pace != limit.pace:
                gauge.pace, gauge.next_at = limit.pace, None
            found[connector, priority] = gauge
        self._gauges = found

    def of(self, connector: str, priority: int) -> tuple[Gauge, ...]:
        """What is set for the connector, and for all of them, at this priority."""
        names = (connector, EVERY_CONNECTOR)
        return tuple(gauge for name in names if (gauge := self._gauges.get((name, priority))) is not None)


def _counted(running: Mapping[str, list[int]], connector: str, priority: int) -> int:
    lanes = running.values() if connector == EVERY_CONNECTOR else [running.get(connector, [0] * PRIORITIES)]
    return sum(sum(each) if priority == EVERY_PRIORITY else each[priority] for each in lanes)


@dataclass(slots=True)
class Restraints:
    """Those of one lane."""

    #: for all of its calls, and for those of each priority
    common: tuple[Gauge, ...]
    by_priority: list[tuple[Gauge, ...]]
    release: PacedRelease | None = None
    #: (bundle, definition) -> reason
    paused: Mapping[tuple[str, str], str] = field(default_factory=dict)
    #: calls put aside: of a priority whose limit is reached, and of definitions that are paused
    aside: list[list[Place]] = field(default_factory=lambda: [[] for _ in range(PRIORITIES)])
    resting: list[Place] = field(default_factory=list)

    def closed(self, now: datetime) -> bool:
        """Whether no call may go now, whatever its priority."""
        return any(gauge.full() or gauge.early(now) for gauge in self.common)

    def keeps(self, priority: int, now: datetime) -> bool:
        """Whether a limit of this priority is reached."""
        return any(gauge.full() or gauge.early(now) for gauge in self.by_priority[priority])

    def pause_of(self, call: PendingCall, bundle: str) -> str | None:
        """Why the call's task is paused, None where it is not."""
        definition = call.task.rpartition("/")[2]
        found = self.paused.get((bundle, definition))
        return self.paused.get(("", definition)) if found is None else found

    def resumes_at(self, now: datetime) -> datetime | None:
        """When the earliest pace lets another call go; None where none keeps any."""
        gauges = (*self.common, *(gauge for gauges in self.by_priority for gauge in gauges))
        return min((each.next_at for each in gauges if each.next_at is not None and each.early(now)), default=None)

    def __len__(self) -> int:
        """How many are put aside."""
        return len(self.resting) + sum(map(len, self.aside))

    def kept(self) -> list[Place]:
        """All that is put aside."""
        return [*self.resting, *(place for places in self.aside for place in places)]

    def begin(self, priority: int, now: datetime) -> None:
        for gauge in (*self.common, *self.by_priority[priority]):
            gauge.running += 1
            gauge.take(now)

    def end(self, priority: int) -> None:
        for gauge in (*self.common, *self.by_priority[priority]):
            gauge.running -= 1


def restraints_of(controls: Controls, gauges: Gauges, connector: str, former: Restraints | None) -> Restraints | None:
    """What operators want of a connector; None for nothing. The pace of a release goes on as it was."""
    common, release = gauges.of(connector, EVERY_PRIORITY), controls.releases.get(connector)
    by_priority = [gauges.of(connector, priority) for priority in range(PRIORITIES)]
    if release is not None:
        same = former is not None and former.release == release
        common += (former.common[-1] if former and same else Gauge(pace=release.pace),)
    if not common and not any(by_priority) and not controls.paused:
        return None
    return Restraints(common=common, by_priority=by_priority, release=release, paused=controls.paused)
