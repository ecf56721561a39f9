"""What the worker does for those who work queues: leases that run out, and items that wait for somebody."""

from __future__ import annotations

from datetime import datetime

from orderloom.runtime.desk.people import People
from orderloom.runtime.store.interface import Store


class DeskDuty:
    """Looks only after something was written, or when a lease runs out; all that it knows is in the store."""

    busy = False

    def __init__(self, store: Store) -> None:
        self._store = store
        #: what was written when it looked last; -1 for never
        self._seen = -1
        #: the latest deed then
        self._deed = -1
        self._due: datetime | None = None

    def attend(self, now: datetime) -> bool:
        store = self._store
        seen = store.changed_by_anybody()
        if seen == self._seen and (self._due is None or now < self._due):
            return False
        self._seen = seen
        done = store.lapse(now)
        deed = store.last_deed()
        if self._deed < 0 or (deed > self._deed and store.people_changed(self._deed)):
            done += store.seek_again(People(store).works, now)
        self._deed = deed
        done += store.assign_open(now)
        self._due = store.next_lease()
        return done > 0

    def next_due(self) -> datetime | None:
        return self._due

    async def close(self, grace: float) -> None:
        """Nothing is ever under way."""
