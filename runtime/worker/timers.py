"""Timers that are due soon, in memory; all others are rows that nobody holds."""

from __future__ import annotations

import heapq
from datetime import datetime, timedelta

from orderloom.runtime.store.interface import Store
from orderloom.runtime.store.records import Timer

_Key = tuple[str, str, str]


class TimerWindow:
    """A heap of the timers due within a window, read from the store when the window has passed."""

    def __init__(self, store: Store, window: timedelta = timedelta(seconds=30), limit: int = 10_000) -> None:
        self._store = store
        self._window = window
        self._limit = limit
        #: all timers due until then are here
        self._known_until: datetime | None = None
        self._live: dict[_Key, Timer] = {}
        self._heap: list[tuple[datetime, int, Timer]] = []
        self._number = 0
        #: fired, but the rows are still there until their batch is durable
        self._firing: set[tuple[_Key, int]] = set()

    def start(self, timer: Timer) -> None:
        """A timer whose row is durable; it replaces one of the same task and kind."""
        self._live.pop(_key(timer), None)
        if self._known_until is not None and timer.due <= self._known_until:
            self._push(timer)

    def cancel(self, order: str, task: str, kind: str) -> None:
        self._live.pop((order, task, kind), None)

    def settled(self, timer: Timer) -> None:
        """A fired timer's row is gone."""
        self._firing.discard((_key(timer), timer.attempt))

    def fire(self, now: datetime) -> list[Timer]:
        """The timers that are due."""
        if self._known_until is None or now > self._known_until:
            self._read(now)
        due: list[Timer] = []
        while self._heap and self._heap[0][0] <= now:
            timer = heapq.heappop(self._heap)[2]
            key = _key(timer)
            if self._live.get(key) is timer:
                del self._live[key]
                self._firing.add((key, timer.attempt))
                due.append(timer)
        return due

    def next_due(self, now: datetime) -> datetime:
        """When to look again."""
        while self._heap and self._live.get(_key(self._heap[0][2])) is not self._heap[0][2]:
            heapq.heappop(self._heap)
        if self._heap:
            return self._heap[0][0]
        return self._known_until or now

    def _read(self, now: datetime) -> None:
        self._live.clear()
        self._heap.clear()
        found = self._store.timers(now + self._window, self._limit)
        self._known_until = found[-1].due if len(found) == self._limit else now + self._window
        for timer in found:
            if (_key(timer), timer.attempt) not in self._firing:
                self._push(timer)

    def _push(self, timer: Timer) -> None:
        self._live[_key(timer)] = timer
        self._number += 1
        heapq.heappush(self._heap, (timer.due, self._number, timer))


def _key(timer: Timer) -> _Key:
    return timer.order, timer.task, timer.kind.value
