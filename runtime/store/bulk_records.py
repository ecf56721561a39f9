"""What a bulk intervention is: what is to be done to what, how fast, and how far it came."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from orderloom.models.conversion import Json
from orderloom.models.journal import Event
from orderloom.models.tasks import AssignRule
from orderloom.runtime.store.auditing import Deed
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.store.views import OrderFilter


class BulkAction(StrEnum):
    RETRY = "retry"
    SKIP = "skip"
    COMPLETE = "complete"
    HAND_OVER = "handOver"
    #: correct attributes of the line, then retry
    CORRECT = "correct"
    #: of orders
    HOLD = "hold"
    RESUME = "resume"


#: those that try something again, which may fail again
TRYING = frozenset((BulkAction.RETRY, BulkAction.CORRECT))


class BulkState(StrEnum):
    RUNNING = "running"
    #: nothing more is sent, some are under way
    STOPPING = "stopping"
    STOPPED = "stopped"
    DONE = "done"


class TargetState(StrEnum):
    WAITING = "waiting"
    UNDER_WAY = "underWay"
    #: its task waits for a message of an external system
    AWAITING = "awaiting"
    DONE = "done"
    #: its task fell out again
    FAILED = "failed"
    #: it could not be done
    REFUSED = "refused"


@dataclass(frozen=True, slots=True, kw_only=True)
class NewBulk:
    """What is to be done, to what, and how fast."""

    action: BulkAction
    #: what the action needs: `values`, `outputs`, `queue`
    arguments: Mapping[str, Json] = field(default_factory=dict)
    #: numbers of work items, or ids of orders; None for those that the filter finds
    targets: Sequence[int | str] | None = None
    where: FalloutFilter | OrderFilter
    #: the same in words, for those who look at it
    chosen: Mapping[str, Json] = field(default_factory=dict)
    who: str
    reason: str = ""
    start_at: datetime
    #: between two; none for as fast as it goes
    pace: timedelta = timedelta(0)
    at_once: int
    #: it stops when more than so many, or so many in a hundred, fail
    most_failed: int | None = None
    most_percent: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkView:
    """A bulk intervention, and how far it came."""

    id: int
    action: BulkAction
    arguments: Mapping[str, Json]
    chosen: Mapping[str, Json]
    state: BulkState
    who: str
    reason: str
    created_at: datetime
    start_at: datetime
    #: between two; none for as fast as it goes
    pace: timedelta
    at_once: int
    most_failed: int | None
    most_percent: int | None
    next_at: datetime
    #: place of the next one, from 1
    next: int
    total: int
    #: those awaiting a message included
    under_way: int
    done: int
    failed: int
    refused: int
    #: why it stopped
    message: str
    finished_at: datetime | None

    @property
    def waiting(self) -> int:
        """How many are still to be sent."""
        return self.total - self.next + 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One of the things it is about."""

    place: int
    #: work item, 0 for an order as a whole
    work: int
    order: str
    task: str
    state: TargetState
    message: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sending:
    """What is asked for one target: events, or another queue; or why nothing is."""

    place: int
    work: int
    order: str
    events: tuple[Event, ...] = ()
    #: and how the item finds a person there
    queue: str = ""
    rule: AssignRule | None = None
    refused: str = ""
    deed: Deed
