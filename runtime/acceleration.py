"""A clock that runs faster than the time of day, for demonstrations: timers come early, calls take what they take."""

from __future__ import annotations

import asyncio
import contextlib
import time
from datetime import UTC, datetime, timedelta

#: seconds of real time that a wait takes at least, so that waiting costs little
_SHORTEST = 0.005


class AcceleratedClock:
    """Starts at the present, goes `speed` times as fast, and can skip time in which nothing happens."""

    def __init__(self, speed: float) -> None:
        if not speed >= 1:
            raise ValueError(f"a clock goes at least as fast as the time of day, asked for {speed:g} times")
        self.speed = speed
        self._start = datetime.now(UTC)
        self._since = time.monotonic()

    def now(self) -> datetime:
        return self._start + timedelta(seconds=(time.monotonic() - self._since) * self.speed)

    def skip_to(self, instant: datetime) -> None:
        """Goes on at that instant; one that has passed changes nothing."""
        self._start += max(instant - self.now(), timedelta(0))

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        """Returns when `woken` is set or after so many seconds of this clock."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(seconds / self.speed, _SHORTEST)):
                await woken.wait()
