"""A clock that runs faster than the time of day, for demonstrations: timers come early, calls take what they take."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta


class AcceleratedClock:
    """Starts at the present and goes `speed` times as fast."""

    def __init__(self, speed: float) -> None:
        if not speed >= 1:
            raise ValueError(f"a clock goes at least as fast as the time of day, asked for {speed:g} times")
        self.speed = speed
        self._start = datetime.now(UTC)
        self._since = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._since) * self.speed)

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        """Returns when `woken` is set or after so many seconds of this clock."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds / self.speed):
                await woken.wait()
