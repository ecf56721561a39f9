"""The parts of the store's contract for those who look after the running system, see `interface`."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime, timedelta
from typing import Protocol

from orderloom.models.journal import Event
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.bulk_records import BulkView, NewBulk, Sending, Target, TargetState
from orderloom.runtime.store.causes import CauseGroup, FalloutFilter, FalloutItem
from orderloom.runtime.store.controls import BreakerRow, Controls, Drain, Pause, Restraint
from orderloom.runtime.store.wanted import Wanted


class Fallouts(Protocol):
    """Failed tasks by their causes, and what owners of orders are asked for."""

    def classify(self, limit: int = 500) -> int:
        """Looks up causes that are not known yet, oldest first; returns how many there were."""

    def cause_groups(self, where: FalloutFilter, limit: int = 100) -> list[CauseGroup]:
        """Most items first."""

    def fallout(self, where: FalloutFilter, limit: int = 100, after: int = 0) -> list[FalloutItem]:
        """By the items' numbers; `after` is that of the last one seen."""

    def fallout_item(self, work: int) -> FalloutItem:
        """One of them, also one that is done. Raises NotFound."""

    def wanted(self, order: str = "", accounts: Collection[str] | None = None, limit: int = 100) -> list[Wanted]:
        """Oldest first; of one order, or of orders of these accounts, None for all."""

    def take_back(self, work: int, at: datetime, deed: Deed | None = None) -> None:
        """Waits no more for the owner of the order. Raises NotFound, Conflict where it does not wait for them."""

    def post_answer(self, work: int, events: Sequence[Event], at: datetime, deed: Deed | None = None) -> int:
        """Puts what the owner of an order answers into the inbox, all or none; returns the number of the last. Raises
        NotFound, Conflict where they are not waited for any more."""


class Bulks(Protocol):
    """Interventions on many failed tasks or orders."""

    def start_bulk(self, new: NewBulk, at: datetime, deed: Deed | None = None) -> BulkView:
        """Freezes its targets. Raises Conflict where there are none."""

    def bulks(self, limit: int = 100, *, who: str = "", open_only: bool = False) -> list[BulkView]:
        """Newest first."""

    def bulk(self, bulk: int) -> BulkView:
        """Raises NotFound."""

    def bulk_targets(
        self, bulk: int, state: TargetState | None = None, limit: int = 100, after: int = 0
    ) -> list[Target]:
        """In the order in which they are sent, from the place after `after`."""

    def stop_bulk(self, bulk: int, message: str, at: datetime, deed: Deed | None = None) -> BulkView:
        """Nothing more is sent. Raises NotFound, Conflict where it is not running."""

    def resume_bulk(self, bulk: int, at: datetime, deed: Deed | None = None) -> BulkView:
        """Goes on where it stopped; failures so far count no more. Raises NotFound, Conflict where it did not stop."""

    def has_open_bulks(self) -> bool:
        """Whether any is running or stopping; cheap."""

    def send_bulk(self, bulk: int, sendings: Sequence[Sending], next_at: datetime, at: datetime) -> int:
        """Sends what comes next, in one transaction, unless the bulk was stopped; returns how many were sent."""

    def settle_bulk(self, bulk: int, after: int, at: datetime) -> tuple[int, int, int]:
        """Looks at what became of those under way, and at some of those that await a message, from a place on.

        Returns how many were settled, how many are still under way without awaiting a message, and where to go on.
        """


class Controlling(Protocol):
    """What operators want of connectors, task definitions and the worker."""

    def controls_version(self) -> int:
        """Rises with each change; cheap."""

    def controls(self) -> Controls:
        """All of it, of one moment."""

    def hold_connector(self, connector: str, reason: str, deed: Deed | None = None) -> None:
        """Its calls wait from now on, also in a worker that runs."""

    def release_connector(
        self, connector: str, deed: Deed | None = None, pace: timedelta | None = None, at: datetime | None = None
    ) -> None:
        """Its calls go out again; those that waited at that instant at this pace, and what comes meanwhile behind."""

    def end_release(self, connector: str, at: datetime) -> None:
        """None of the calls that waited at that instant is left."""

    def held_connectors(self) -> dict[str, str]:
        """Name -> reason."""

    def calls_waiting(self) -> dict[str, int]:
        """Calls without an answer, those under way included, by connector."""

    def calls_before(self, connector: str, at: datetime) -> bool:
        """Whether a call from before or at that instant has no answer yet."""

    def limit(self, connector: str, priority: int, limit: Restraint | None, deed: Deed | None = None) -> None:
        """Sets what it may have, None for what the design says."""

    def ask_breaker(self, connector: str, asked: str, at: datetime, deed: Deed | None = None) -> None:
        """What it is to be: `open` or `closed`; the worker does it."""

    def save_breakers(self, rows: Sequence[BreakerRow]) -> None:
        """As the worker has them; what was `asked` of these is done."""

    def pause_tasks(self, pause: Pause, deed: Deed | None = None) -> None:
        """Tasks of the definition that become ready wait from now on."""

    def unpause_tasks(self, bundle: str, definition: str, deed: Deed | None = None) -> int:
        """They go on; returns how many work items were held. Raises NotFound."""

    def pauses(self) -> list[Pause]:
        """Oldest first."""

    def drain(self) -> Drain | None:
        """Whether the worker is to take nothing new."""

    def start_drain(self, drain: Drain, deed: Deed | None = None) -> None:
        """The worker ends what is under way, then takes nothing new."""

    def end_drain(self, deed: Deed | None = None) -> bool:
        """The worker takes up work again; returns whether it was told not to."""

    def note_drained(self, at: datetime) -> None:
        """Nothing is under way any more."""
