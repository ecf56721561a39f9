"""The worker's duty to keep the clocks of work items."""

from __future__ import annotations

from datetime import datetime

from orderloom.runtime.sla.reckoning import Reckoning
from orderloom.runtime.store.timing import Clocks


class Clockwork:
    """Makes clocks for new items, and tells when their time is running out, has run out, and where they go then."""

    def __init__(self, store: Clocks, reckoning: Reckoning) -> None:
        self._store = store
        self._reckoning = reckoning

    @property
    def busy(self) -> bool:
        return False

    def attend(self, now: datetime) -> bool:
        return self._store.tend_clocks(self._reckoning, now) > 0

    def next_due(self) -> datetime | None:
        return self._store.next_clock()

    async def close(self, grace: float) -> None:
        """Nothing of it is ever under way."""
