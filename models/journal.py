"""What goes into the core and what comes out: events in; journal entries and commands out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.callout import Callout, Outcome
from orderloom.models.catalog import Attribute
from orderloom.models.conversion import Json
from orderloom.models.inventory import AssetChange, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.tasks import AssignMode
from orderloom.models.values import Value

# --- events ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The order is to be decomposed against what inventory held, and started."""

    inventory: Inventory
    #: who let it start although it waited for other orders, "" for nobody
    by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderDeferred:
    """The order cannot be taken up yet, because of other orders; `Submitted` follows once it can."""

    #: in words, each naming an order
    reasons: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedTaskEnded:
    """Tasks of this definition are done in a related order, or there are none in it (any more); see `AwaitRelated`."""

    #: as the order that waits calls it
    order: str
    #: id of the task definition
    task: str
    #: why they will never be done, in words; "" where they are done or not there
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RelatedOrdersWaived:
    """A person lets tasks go on although they wait for tasks of related orders."""

    by: str
    reason: str = ""


class TimerKind(StrEnum):
    RETRY = "retry"
    #: a pause has passed, or the instant that it waited for
    PAUSE = "pause"
    #: the time limit of a wait or of a callback
    LIMIT = "limit"
    #: the requested start of the order (with no task), the calculated start of a task
    START = "start"
    #: a colour of the order changes, with no task
    JEOPARDY = "jeopardy"


@dataclass(frozen=True, slots=True, kw_only=True)
class TimerFired:
    task: str
    kind: TimerKind
    #: attempt that it was set in; a timer of an older one is stale and changes nothing
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutAnswered:
    """The answer of an external system. One for an older attempt is stale and changes nothing."""

    task: str
    attempt: int
    outcome: Outcome
    outputs: Mapping[str, Value] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    correlation: str = ""
    #: seconds, see `Answer.retry_after`
    retry_after: float = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutHeld:
    """A call could not be sent: its connector is offline or its breaker is open."""

    task: str
    attempt: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CalloutReleased:
    """A call that was held is being sent after all."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class CallbackReceived:
    """The result of a call that was taken on."""

    task: str
    outcome: Outcome
    outputs: Mapping[str, Value] = field(default_factory=dict)
    code: str = ""
    message: str = ""
    #: the attempt that awaited it when it came, 0 if that is not known
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class EventArrived:
    """An event that a wait listens for; the core decides whether it matches."""

    task: str
    event: str
    payload: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkCompleted:
    """A person has done a manual task. Values are typed; wrong ones are refused before they become an event."""

    task: str
    by: str
    values: Mapping[str, Value] = field(default_factory=dict)


class FalloutAction(StrEnum):
    RETRY = "retry"
    SKIP = "skip"
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class FalloutResolved:
    """A person decides over a task in fallout: retry it, skip it, or count it as done with these outputs."""

    task: str
    action: FalloutAction
    by: str
    reason: str = ""
    outputs: Mapping[str, Value] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class InformationRequired:
    """A person returns a task in fallout to the owner of the order, who is to give these attributes of its line.

    The task stays in fallout; what the owner says comes as `LineCorrected` and `FalloutResolved`, or as an amendment.
    """

    task: str
    attributes: tuple[str, ...]
    by: str
    #: what is wanted, in words for the owner
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LineCorrected:
    """A person corrects attributes of a line, so that a failed task can be tried again with other data."""

    line: str
    values: Mapping[str, Value]
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderHeld:
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderReleased:
    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityRaised:
    """What is left of the order goes one step before others; nothing changes where it is highest or the order over."""

    by: str
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendmentRequested:
    """The order is to have this content instead. It is weighed once no callout is under way, then applied or refused.

    Of several requests that wait, the latest counts.
    """

    #: the full wanted content, under the same id
    order: ProductOrder
    #: what inventory holds for the account now; what the order itself wrote is taken back by the core
    inventory: Inventory
    by: str
    reason: str = ""
    #: whether the consequences of soft points of no return are accepted
    accept: bool = False
    #: roles of the one who asks, or of those who approved
    roles: tuple[str, ...] = ()
    #: goes behind hard points of no return; the host lets only an administrator do so
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CancellationRequested:
    """The order, or some of its items with what stands under them, is to be taken back."""

    inventory: Inventory
    by: str
    #: ids of items; empty for the whole order
    items: tuple[str, ...] = ()
    reason: str = ""
    accept: bool = False
    roles: tuple[str, ...] = ()
    force: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class MigrationRequested:
    """The order is to go on with another version of its design: the one that the event is applied with.

    Refused while a callout is under way, since its answer belongs to the former version.
    """

    inventory: Inventory
    #: digest of the wanted design
    design: str
    by: str
    reason: str = ""
    accept: bool = False
    roles: tuple[str, ...] = ()
    force: bool = False


ChangeRequest = AmendmentRequested | CancellationRequested | MigrationRequested

Event = (
    Submitted
    | OrderDeferred
    | RelatedTaskEnded
    | RelatedOrdersWaived
    | TimerFired
    | CalloutAnswered
    | CalloutHeld
    | CalloutReleased
    | CallbackReceived
    | EventArrived
    | WorkCompleted
    | FalloutResolved
    | InformationRequired
    | LineCorrected
    | OrderHeld
    | OrderReleased
    | PriorityRaised
    | AmendmentRequested
    | CancellationRequested
    | MigrationRequested
)

# --- commands --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True, kw_only=True)
class SendCallout:
    """Call an external system, after commit and at least once; the answer comes back as `CalloutAnswered`."""

    task: str
    connector: str
    callout: Callout
    #: 0 highest … 4
    priority: int = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class RecallCallout:
    """Do not send the call of this attempt, if it is still held for its connector."""

    task: str
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class StartTimer:
    """Raise `TimerFired` at `due`. A timer of the same task and kind replaces an earlier one."""

    task: str
    kind: TimerKind
    attempt: int
    due: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelTimer:
    task: str
    kind: TimerKind


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitCallback:
    """Route the message of this operation whose correlation equals the value, also one that came earlier."""

    task: str
    operation: str
    correlation: str
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitEvent:
    """Route events of this name to the task, also ones that came earlier; with `field`, only those whose payload
    holds `key` there."""

    task: str
    event: str
    field: str = ""
    key: Json = None


@dataclass(frozen=True, slots=True, kw_only=True)
class StopWaiting:
    """The task listens no more."""

    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AwaitRelated:
    """Raise `RelatedTaskEnded` for each of these, at once where it is so already; what was awaited before and does not
    stand here is awaited no more."""

    #: (order by id or external id, id of a task definition)
    tasks: tuple[tuple[str, str], ...]


class WorkKind(StrEnum):
    MANUAL = "manual"
    FALLOUT = "fallout"


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenWork:
    """Put a work item into a queue. One task has at most one open item."""

    task: str
    kind: WorkKind
    queue: str
    title: str
    form: tuple[Attribute, ...] = ()
    due: datetime | None = None
    priority: int = 4
    #: how it finds a person, by the queue's rules, and for BY_SKILL what they must know
    assign: AssignMode = AssignMode.PULL
    skills: tuple[str, ...] = ()
    #: for FALLOUT: error code and message
    code: str = ""
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CloseWork:
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ReturnWork:
    """The task's item waits for the owner of the order and not for those of its queue."""

    task: str
    line: str
    attributes: tuple[str, ...]
    by: str
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class WriteInventory:
    changes: tuple[AssetChange, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Publish:
    """Tell the world, e.g. `order.state` with the new state, `milestone` with the words a customer sees."""

    kind: str
    data: Mapping[str, Json]


Command = (
    SendCallout
    | RecallCallout
    | StartTimer
    | CancelTimer
    | AwaitCallback
    | AwaitEvent
    | AwaitRelated
    | StopWaiting
    | OpenWork
    | CloseWork
    | ReturnWork
    | WriteInventory
    | Publish
)

# --- journal ---------------------------------------------------------------------------------------------------------


class EntryKind(StrEnum):
    """What a journal entry tells."""

    ORDER_STATE = "order.state"
    PLAN_STATE = "plan.state"
    LINE_STATE = "line.state"
    LINE_MADE = "line.made"
    TASK_MADE = "task.made"
    TASK_STATE = "task.state"
    ATTRIBUTE_SET = "attribute.set"
    #: a task, a line or the order turned green, yellow or red
    JEOPARDY = "jeopardy"
    #: expected completion of the order has moved
    EXPECTED = "order.expected"
    #: an amendment, cancellation or migration: `{"change": …, "stage": requested | superseded | refused | applied, …}`
    CHANGE = "change"
    #: what a change did to a line or a task, see `LineDecision` and `TaskDecision`; what it kept is not told
    LINE_CHANGED = "line.changed"
    TASK_CHANGED = "task.changed"
    NOTE = "note"


@dataclass(frozen=True, slots=True)
class Entry:
    """One thing that happened to one subject, with its reason; the entries of an order are its history."""

    kind: EntryKind
    #: id of the task or line, "" for the order
    subject: str
    #: JSON-able details; for states `{"from": …, "to": …, "why": …}`
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """What one event did. State, journal and commands are to be made durable together or not at all."""

    entries: tuple[Entry, ...]
    commands: tuple[Command, ...]
    #: ids of the lines and tasks that changed, so that a host writes only those
    lines: frozenset[str]
    tasks: frozenset[str]
