"""Callouts on their way: one lane a connector, and what operators want of them."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from orderloom.runtime.store.controls import Controls, Drain
from orderloom.runtime.store.interface import Store
from orderloom.runtime.worker.lane import Lane, Surroundings
from orderloom.runtime.worker.restraint import Gauges, restraints_of

#: seconds between two notes of failures that change no breaker's state
_NOTED = 1.0


class Lanes:
    """All lanes by connector; a lane is made when its first call comes."""

    def __init__(self, store: Store, around: Surroundings) -> None:
        self._store = store
        self._around = around
        self._lanes: dict[str, Lane] = {}
        #: nothing is known yet
        self._controls = Controls(version=-1)
        self._gauges = Gauges()
        self._noted = 0.0

    def __getitem__(self, connector: str) -> Lane:
        lane = self._lanes.get(connector)
        if lane is None:
            lane = self._lanes[connector] = Lane(name=connector, store=self._store, around=self._around)
            self._apply(lane)
        return lane

    def __iter__(self) -> Iterator[Lane]:
        return iter(self._lanes.values())

    @property
    def running(self) -> int:
        return sum(lane.running for lane in self._lanes.values())

    @property
    def answered(self) -> int:
        return sum(lane.answered for lane in self._lanes.values())

    @property
    def drained(self) -> Drain | None:
        """What an operator said where nothing is to be sent."""
        return self._controls.drain

    def recover(self) -> None:
        """Takes up the calls that have no recorded answer."""
        for connector in self._store.pending_connectors():
            self[connector].refill()

    def read_controls(self) -> None:
        """What operators want takes effect, if anything is new."""
        if self._store.controls_version() == self._controls.version:
            return
        self._controls = self._store.controls()
        self._gauges.read(self._controls.limits, {lane.name: lane.running_of for lane in self._lanes.values()})
        for lane in self._lanes.values():
            self._apply(lane)

    def _apply(self, lane: Lane) -> None:
        controls = self._controls
        reason = controls.held.get(lane.name)
        lane.hold = "" if reason is None else f"`{lane.name}` is offline: {reason or 'held by an operator'}"
        lane.restrain(restraints_of(controls, self._gauges, lane.name, lane.restraints))
        row = controls.breakers.get(lane.name)
        if row is None:
            return
        if lane.breaker is None:
            lane.breaker_row = row
        elif row.asked:
            lane.turn_breaker(row.asked, lane.breaker)
            lane.breaker_row = row

    def note(self, moment: float) -> None:
        """Tells the store what became of breakers and of releases; `moment` is of the monotonic clock."""
        failures_too = moment >= self._noted + _NOTED
        if failures_too:
            self._noted = moment
        moved = [row for lane in self._lanes.values() if (row := lane.breaker_moved(failures_too=failures_too))]
        if moved:
            self._store.save_breakers(moved)
        for name, release in self._controls.releases.items():
            if failures_too and not self._store.calls_before(name, release.at):
                self._store.end_release(name, release.at)

    def pump(self) -> None:
        for lane in self._lanes.values():
            lane.pump()

    def resume_at(self) -> datetime | None:
        """The earliest moment at which an open breaker or a pace lets a call pass."""
        moments = [moment for lane in self._lanes.values() if (moment := lane.resumes_at()) is not None]
        return min(moments, default=None)

    async def drain(self, seconds: float) -> None:
        for lane in self._lanes.values():
            await lane.drain(seconds)
