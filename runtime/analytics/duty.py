"""The worker's part: counting goes on beside, at a pace that leaves the time to orders."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from time import monotonic

from orderloom.runtime.analytics.rollup import count_some
from orderloom.runtime.store.errors import StoreError
from orderloom.runtime.store.interface import Store

log = logging.getLogger(__name__)

#: seconds between two looks for something to count
PAUSE = 2.0
#: counting takes at most this share of the time while there is much to count
SHARE = 0.04


class Counting:
    """See `worker.duties.Duty`. Nothing waits for it: what is not counted is counted by the next report."""

    busy = False

    def __init__(self, store: Store) -> None:
        self._store = store
        self._step: asyncio.Task[None] | None = None
        self._next = monotonic() + PAUSE

    def attend(self, now: datetime) -> bool:
        if self._step is None and monotonic() >= self._next:
            self._step = asyncio.get_running_loop().create_task(self._count())
        return False

    def next_due(self) -> datetime | None:
        return None

    async def close(self, grace: float) -> None:
        if self._step is not None:
            await self._step

    async def _count(self) -> None:
        begun = monotonic()
        passed = 0
        try:
            passed = await asyncio.to_thread(count_some, self._store)
        except StoreError as error:
            log.warning("counting for analytics waits: %s", error)
        finally:
            took = monotonic() - begun
            self._next = monotonic() + (took / SHARE if passed else PAUSE)
            self._step = None
