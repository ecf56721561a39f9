"""Plan definitions and task definitions in their checked form."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orderloom.models.catalog import Action, Attribute
from orderloom.models.expression import Formula
from orderloom.models.rules import Mapping
from orderloom.models.source import Span
from orderloom.models.values import Value


class TaskKind(StrEnum):
    CALL = "call"
    MANUAL = "manual"
    AUTO = "auto"
    WAIT = "wait"
    MILESTONE = "milestone"
    PAUSE = "pause"
    SUBPLAN = "subplan"


class Reach(StrEnum):
    """How far a dependency looks for the task it names, and once per what a task or plan runs."""

    LINE = "line"
    PARENT = "parent"
    BUNDLE = "bundle"
    ORDER = "order"
    #: the orders that the order names as related; for dependencies only
    RELATED_ORDER = "related order"


class RetryKind(StrEnum):
    NONE = "none"
    FIXED = "fixed"
    EXPONENTIAL = "exponential"
    STAGGERED = "staggered"
    FOREVER = "forever"


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryPolicy:
    """When to try again after a retriable failure; what is exhausted goes to fallout."""

    kind: RetryKind
    #: how many retries after the first attempt; None for FOREVER
    retries: int | None = 0
    #: STAGGERED: one interval for each retry; FIXED and FOREVER: the one interval; EXPONENTIAL: the base
    intervals: tuple[timedelta, ...] = ()
    #: EXPONENTIAL: no interval is longer
    cap: timedelta | None = None
    #: EXPONENTIAL: spread each interval by up to this share, in percent; derived from the task's key, so it replays
    jitter: int = 0


class ErrorResponse(StrEnum):
    """What becomes of a task whose call reported an error code."""

    FALLOUT = "fallout"
    RETRY = "retry"
    #: not an error: the task counts as done
    COMPLETE = "complete"


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorRoute:
    """`on error "CODE" fallout queue`."""

    code: str
    response: ErrorResponse
    queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Dependency:
    """One thing that a task comes after: other tasks, or an attribute getting a value (exactly one is set).

    A dependency on tasks that do not exist in the order is satisfied; so is one whose condition is not true.
    """

    #: ids of task definitions, any line in reach; all of their instances must be done
    tasks: tuple[str, ...] = ()
    #: attribute of the plan's line that must be present
    attribute: str = ""
    reach: Reach = Reach.LINE
    when: Formula | None = None
    #: as written, e.g. `GponAccess.in_service within bundle`
    text: str = ""
    span: Span | None = None


class PointOfNoReturn(StrEnum):
    HARD = "hard"
    SOFT = "soft"


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReturn:
    """`no return hard|soft "consequence" [approval role]`."""

    kind: PointOfNoReturn
    consequence: str = ""
    approval: str = ""
    #: whether it holds for the whole bundle and not just the task's line
    bundle: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """`2 business days in office`, `4 business hours`, or an exact span of time: until when, or how long.

    One of the three is more than zero.
    """

    business_days: int = 0
    span: timedelta = timedelta(0)
    #: working time
    business_time: timedelta = timedelta(0)
    #: name of the calendar; "" for the design's default
    calendar: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EventMatch:
    """What a wait listens for: a named event whose payload satisfies `matching`.

    Where `matching` has a conjunct `event.field == expression` over the line, `field` and `key` hold it, so that a host
    can find the waiting tasks by index.
    """

    event: str
    matching: Formula | None = None
    field: str = ""
    key: Formula | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Within:
    """`within 4h else fallout noc`, `else skip`, `else continue`."""

    limit: timedelta
    #: "fallout", "skip" or "continue"
    otherwise: str = "fallout"
    queue: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDefinition:
    """One task of a plan definition. Which fields are used follows from `kind`."""

    #: `Plan.task`
    id: str
    name: str
    title: str
    kind: TaskKind
    when: Formula | None = None
    after: tuple[Dependency, ...] = ()
    once: Reach | None = None
    #: how long it usually takes; the time limits of operations are no durations
    duration: Due | None = None
    #: does not start before its calculated start, where the order has a requested completion
    start_late: bool = False
    #: attributes of the plan's line that it sets when it completes
    sets: tuple[Mapping, ...] = ()

    #: CALL: the operation's name
    operation: str = ""
    #: CALL: overrides the operation's own policy
    retry: RetryPolicy | None = None
    errors: tuple[ErrorRoute, ...] = ()
    #: CALL: queue for fallout that no route names; "" for the design's default
    fallout: str = ""

    #: MANUAL
    queue: str = ""
    form: tuple[Attribute, ...] = ()
    due: Due | None = None

    #: WAIT: an event, or a condition on the order
    event: EventMatch | None = None
    #: WAIT, PAUSE: goes on once this is true
    until: Formula | None = None
    #: PAUSE: goes on at this date or instant
    until_instant: Formula | None = None
    #: PAUSE: goes on after this span
    pause: timedelta | None = None
    #: WAIT: how long at most; CALL with a callback has it on the operation
    within: Within | None = None

    #: SUBPLAN: the plan definition whose tasks run in its place
    plan: str = ""

    #: in-flight change
    #: CALL: the operation that cancels the call while it is under way; "" for none
    cancel: str = ""
    undo: str = ""
    undo_plan: str = ""
    amend_plan: str = ""
    no_return: NoReturn | None = None

    #: shown to customers as progress, in these words, see `models.visible`; "" for not shown
    visible: str = ""
    doc: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDefinition:
    """A swimlane of tasks for the lines of one spec, with the scenario that calls for it.

    A plan with no actions is reached only as a subplan, an undo plan or an amend plan.
    """

    name: str
    title: str
    spec: str
    actions: tuple[Action, ...]
    tasks: tuple[TaskDefinition, ...]
    when: Formula | None = None
    once: Reach | None = None
    doc: str = ""
    span: Span | None = None


class AssignMode(StrEnum):
    """How an item of a queue finds a person."""

    #: people take what they want
    PULL = "pull"
    #: members in turn
    ROUND_ROBIN = "round_robin"
    #: the member who has the fewest items
    LEAST_LOADED = "least_loaded"
    #: the member who has the fewest items, of those with all the skills that are asked for
    BY_SKILL = "by_skill"


@dataclass(frozen=True, slots=True, kw_only=True)
class AssignRule:
    """`assign by_skill fibre, splicing when order.priority == 0`."""

    mode: AssignMode
    #: BY_SKILL: at least one
    skills: tuple[str, ...] = ()
    when: Formula | None = None
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Escalation:
    """`escalate to field_leads after 4h`."""

    queue: str
    #: after the breach; no time at all for at once
    after: Due


@dataclass(frozen=True, slots=True, kw_only=True)
class Queue:
    """A queue of manual tasks or (with `fallout`) of failed ones."""

    name: str
    title: str
    fallout: bool = False
    #: the first one whose condition holds when an item is opened counts; people pull where there is none
    assign: tuple[AssignRule, ...] = ()
    #: due time of items whose task names none
    sla: Due | None = None
    #: people are warned after so much of the time, in percent; 0 for never
    warn_at: int = 0
    #: where late items go
    escalations: tuple[Escalation, ...] = ()
    doc: str = ""
    span: Span | None = None


#: Values that a person entered or a system delivered, by name.
Values = dict[str, Value]
