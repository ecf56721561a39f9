"""Where the host reads the time: the system's clock, or one that a test sets."""

from __future__ import annotations

import asyncio
import contextlib
from datetime import UTC, datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    """The instants of events and timers come from here, never from the system directly."""

    def now(self) -> datetime:
        """The present instant, aware, in UTC."""

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        """Returns when `woken` is set or after so many seconds of this clock; may return early."""


class SystemClock:
    """The time of day."""

    def now(self) -> datetime:
        return datetime.now(UTC)

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await woken.wait()


class VirtualClock:
    """Stands still until it is told to go on; for tests and simulations."""

    def __init__(self, start: datetime = datetime(2026, 1, 1, tzinfo=UTC)) -> None:
        self._now = start

    def now(self) -> datetime:
        return self._now

    def advance(self, span: timedelta) -> None:
        """Goes on by so much; negative spans are refused with ValueError."""
        if span < timedelta(0):
            raise ValueError(f"a clock does not go back, asked to go on by {span}")
        self._now += span

    async def wait(self, woken: asyncio.Event, seconds: float) -> None:
        """Waits a moment of real time only, for what other processes and connections may bring."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(min(seconds, 0.002)):
                await woken.wait()
