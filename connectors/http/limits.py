"""How many calls at once, and how many per second."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from time import monotonic

from orderloom.models.integration import Limit


class Gate:
    """Lets calls through within a Limit; those beyond it wait their turn."""

    def __init__(self, limit: Limit) -> None:
        self._slots = asyncio.Semaphore(limit.concurrent) if limit.concurrent else None
        self._bucket = TokenBucket(limit.per_second) if limit.per_second else None

    @asynccontextmanager
    async def turn(self) -> AsyncIterator[None]:
        """Waits for a turn, and holds it."""
        if self._slots is None:
            await self._wait()
            yield
            return
        async with self._slots:
            await self._wait()
            yield

    async def _wait(self) -> None:
        if self._bucket is not None and (pause := self._bucket.take(monotonic())) > 0:
            await asyncio.sleep(pause)


class TokenBucket:
    """A bucket that fills with `per_second` tokens a second and holds a tenth of that, at least one."""

    def __init__(self, per_second: float) -> None:
        self._rate = per_second
        self._size = max(1.0, per_second / 10)
        self._tokens = self._size
        self._filled: float | None = None

    def take(self, now: float) -> float:
        """Takes a token; how long to wait for it, in seconds. Takers queue: each later one waits longer."""
        if self._filled is not None:
            self._tokens = min(self._size, self._tokens + (now - self._filled) * self._rate)
        self._filled = now
        self._tokens -= 1
        return max(0.0, -self._tokens / self._rate)
