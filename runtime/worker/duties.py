"""What a worker does beside orders: leases that run out, notifications, bulk work, and whatever else has its time."""

from __future__ import annotations

from datetime import datetime
from typing import Protocol


class Duty(Protocol):
    """One such thing. The worker calls it on its event loop, about twenty times a second and before it comes to rest.

    What it has to do are rows of the store, so that the worker may end anywhere. What takes time is a task of its own,
    and `busy` while it runs.
    """

    @property
    def busy(self) -> bool:
        """Something is under way that a worker must not come to rest before."""

    def attend(self, now: datetime) -> bool:
        """Does what is due, in short; returns whether anything was done. To be cheap where nothing is."""

    def next_due(self) -> datetime | None:
        """When there is something to do again, as far as that is known; None for not before something happens."""

    async def close(self, grace: float) -> None:
        """Lets what is under way end, for at most so many seconds."""


class Duties:
    """All of them, looked at no more often than is of use."""

    def __init__(self, duties: list[Duty], pause: float) -> None:
        """`pause`: seconds between two looks while there is other work."""
        self._duties = duties
        self._pause = pause
        self._next = 0.0

    @property
    def busy(self) -> bool:
        return any(duty.busy for duty in self._duties)

    def attend(self, now: datetime, moment: float, *, rested: bool) -> bool:
        """`moment`: of the monotonic clock; `rested`: there is nothing else to do."""
        if not rested and moment < self._next:
            return False
        self._next = moment + self._pause
        done = False
        for duty in self._duties:
            done = duty.attend(now) or done
        return done

    def next_due(self) -> datetime | None:
        return min((due for duty in self._duties if (due := duty.next_due()) is not None), default=None)

    async def close(self, grace: float) -> None:
        for duty in self._duties:
            await duty.close(grace)
