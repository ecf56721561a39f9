"""The virtual clock: what happens when, and what was called off."""

from __future__ import annotations

from collections.abc import Hashable
from datetime import datetime
from heapq import heappop, heappush

from orderloom.engine.simulation.script import Happening


class Agenda:
    """Events by instant; those of one instant in the order in which they were put."""

    def __init__(self) -> None:
        self._heap: list[tuple[datetime, int, Hashable | None, Happening]] = []
        self._put = 0
        self._valid: dict[Hashable, int] = {}

    @property
    def next_at(self) -> datetime | None:
        return self._heap[0][0] if self._heap else None

    def put(self, at: datetime, event: Happening, key: Hashable | None = None) -> None:
        """Plans an event; with a key it replaces what stands under it and can be called off."""
        self._put += 1
        if key is not None:
            self._valid[key] = self._put
        heappush(self._heap, (at, self._put, key, event))

    def call_off(self, key: Hashable) -> None:
        self._valid.pop(key, None)

    def take(self) -> tuple[datetime, Happening | None]:
        """The next event and its instant; None for one that was called off or replaced."""
        at, number, key, event = heappop(self._heap)
        if key is None:
            return at, event
        if self._valid.get(key) != number:
            return at, None
        del self._valid[key]
        return at, event
