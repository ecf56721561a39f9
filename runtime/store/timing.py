"""The store as it keeps clocks of work, calendars and watch rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from orderloom.models.journal import WorkKind
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.calendars import CalendarChange, Standing
from orderloom.runtime.store.clock_rows import Reckoning
from orderloom.runtime.store.views import WorkState


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockView:
    """The clock of an item that is not done."""

    item: int
    order: str
    task: str
    title: str
    kind: WorkKind
    queue: str
    priority: int
    state: WorkState
    claimed_by: str
    #: since when its time runs
    started_at: datetime
    #: None for no warning, and while the clock stands
    warn_at: datetime | None
    #: None while the clock stands
    due: datetime | None
    #: how much time there is still, negative once it is late; working time where its term is one of business days or
    #: hours
    left: timedelta
    #: running, warned or breached
    stage: str
    breached_at: datetime | None
    #: since when the clock stands, None where it runs
    paused_at: datetime | None
    #: why it stands, "" where it runs
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ClockFilter:
    """Conditions that hold together; empty ones are left out."""

    kinds: tuple[WorkKind, ...] = ()
    queue: str = ""
    #: only of these; None for all
    queues: frozenset[str] | None = None
    #: only of orders of these accounts; None for all
    accounts: frozenset[str] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseView:
    """A time in which the clock of an item stood."""

    work: int
    order: str
    reason: str
    began_at: datetime
    by: str
    #: None: it still does
    ended_at: datetime | None
    ended_by: str


class Clocks(Protocol):
    """The clocks of work items."""

    def tend_clocks(self, reckoning: Reckoning, now: datetime) -> int:
        """Makes clocks for new items, ends those of items that are over, and tells what is due by now, some at a time;
        returns how much there was to do."""

    def next_clock(self) -> datetime | None:
        """When there is something to tell, None for nothing."""

    def clocks(self, where: ClockFilter, limit: int, at: datetime, reckoning: Reckoning) -> list[ClockView]:
        """Of items that are not done, those that are due first first; those that stand come last."""

    def pause_clock(self, work: int, reason: str, at: datetime, reckoning: Reckoning, deed: Deed) -> None:
        """Raises NotFound, and Conflict where the item is done, has no clock or stands already."""

    def resume_clock(self, work: int, at: datetime, reckoning: Reckoning, deed: Deed) -> None:
        """Raises NotFound, Conflict."""

    def clock_pauses(self, work: int) -> list[PauseView]:
        """Oldest first."""


class Calendars(Protocol):
    """Calendars as they were changed at run time."""

    def put_calendar(self, change: CalendarChange, deed: Deed) -> None:
        """In place of an earlier change of that calendar. Clocks of the bundle's open items are reckoned anew."""

    def drop_calendar(self, bundle: str, name: str, deed: Deed) -> None:
        """The bundle's own calendar counts again. Raises NotFound where it does."""

    def calendar_standing(self) -> Standing:
        """Which calendars count now."""


def marks(values: Sequence[object] | frozenset[str]) -> str:
    """So many places for values in a statement."""
    return ", ".join("?" * len(values))
