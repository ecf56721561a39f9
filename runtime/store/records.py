"""What the worker writes and takes: batches of commits, events that wait, calls to make, timers to fire."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.callout import Callout, Exchange
from orderloom.models.fulfillment import Line
from orderloom.models.journal import Event, Step, TimerKind
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState


@dataclass(frozen=True, slots=True, kw_only=True)
class Submission:
    """Stands in the inbox for an order that was just submitted, or that may no longer have to wait for others; the
    worker makes `Submitted` of it, with what inventory holds at that moment, or `OrderDeferred`."""

    #: who lets it start whatever it waits for, "" for nobody
    by: str = ""
    reason: str = ""
    #: also past orders that change the same products, or have to do with the same technical items
    force: bool = False


class GateKind(StrEnum):
    """Why an order waits for another."""

    #: it names the other as one that must be completed first
    RELATED = "related"
    #: its design wants orders of one account in sequence
    SEQUENCE = "sequence"
    #: both change one product, or products under one root
    PRODUCT = "product"
    #: both have to do with a technical item that products of several orders share
    SHARED = "shared"
    #: the related order has ended without being completed: a person decides
    ENDED = "ended"


#: what an order is started past by force only: both would work on the same
IN_THE_WAY = (GateKind.PRODUCT, GateKind.SHARED)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """One order that another waits for."""

    waits_for: str
    kind: GateKind
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class InboxEvent:
    """A durable event from outside: a submission, a callback, completed work, an intervention."""

    #: rises with the order of arrival
    id: int
    order: str
    event: Event | Submission
    #: of the order: 0 highest … 4
    priority: int = 4
    received_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingCall:
    """A callout that has no recorded answer."""

    order: str
    task: str
    connector: str
    callout: Callout
    priority: int = 4
    #: why it is not sent, "" where it may be
    held: str = ""
    #: digest of the design the order runs on
    design: str
    #: when the core asked for it
    since: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Timer:
    order: str
    task: str
    kind: TimerKind
    attempt: int
    due: datetime
    #: of the order: 0 highest … 4
    priority: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class AnsweredCall:
    """Which call an answer settles, and what went over the wire."""

    task: str
    attempt: int
    key: str
    connector: str
    operation: str
    #: outcome, code and message as answered
    outcome: str
    code: str = ""
    message: str = ""
    exchange: Exchange | None = None


#: where an event was durable before it was applied, so that it goes when its effect comes; None: nowhere
Origin = InboxEvent | AnsweredCall | Timer | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Applied:
    """One event and what it did."""

    event: Event
    at: datetime
    step: Step
    origin: Origin = None


@dataclass(slots=True, kw_only=True)
class OrderCommit:
    """Events that were applied to one order, one after the other; `state` is what they left.

    Its version is the number of the last one; the store must hold `state.version - len(applied)`.
    """

    state: OrderState
    #: numbers of lines and tasks before
    sizes: tuple[int, int]
    #: the lines before, by id: others, or others in order, are another mapping; None where it is not known
    lines: Mapping[str, Line] | None = None
    #: before; None where it is not known
    status: OrderStatus | None = None
    applied: list[Applied] = field(default_factory=list)
    #: what the order waits for from now on; None: as before
    gates: tuple[Gate, ...] | None = None
    #: its revision, the number of its superseded lines, and its design before
    revision: int = 0
    former: int = 0
    design: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """An event that the core refused, with the reason for whoever asked."""

    order: str
    origin: Origin
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Stale:
    """An event that changed nothing, such as an answer to an older attempt; what was durable of it goes."""

    order: str
    origin: Origin
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Poisoned:
    """An event that the core could not digest; it is set aside so that nothing else waits for it."""

    order: str
    event: Event | Submission
    at: datetime
    message: str
    traceback: str
    origin: Origin = None


@dataclass(slots=True, kw_only=True)
class Batch:
    """What becomes durable together or not at all. An order stands in it at most once."""

    commits: list[OrderCommit] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    stale: list[Stale] = field(default_factory=list)
    poisoned: list[Poisoned] = field(default_factory=list)


class RequestState(StrEnum):
    """What became of an event put into the inbox."""

    PENDING = "pending"
    APPLIED = "applied"
    REFUSED = "refused"
