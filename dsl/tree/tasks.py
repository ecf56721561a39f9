"""Plans, tasks and their statements."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum

from orderloom.dsl.tree.attributes import AttributeDeclaration
from orderloom.dsl.tree.decomposition import When
from orderloom.dsl.tree.expressions import Expression
from orderloom.dsl.tree.words import DottedName, Name, Number, Text, TimeSpan
from orderloom.models.source import Span
from orderloom.models.tasks import ErrorResponse, PointOfNoReturn, Reach, RetryKind, TaskKind


@dataclass(frozen=True, slots=True, kw_only=True)
class OncePer:
    """`once per bundle`, of a plan or a task."""

    reach: Reach
    span: Span


class DependencyReach(StrEnum):
    """How far `after Spec.task within …` looks."""

    LINE = "line"
    PARENT = "parent"
    BUNDLE = "bundle"
    ORDER = "order"
    RELATED_ORDER = "related order"


@dataclass(frozen=True, slots=True, kw_only=True)
class DependencyItem:
    """`reserve_port`, `port_id`, `GponAccess.in_service within bundle`, each optionally with `if condition`.

    One part: a task of the same plan or an attribute of its line. Two parts: a task of another spec's plan; only then
    there is a reach.
    """

    target: DottedName
    reach: DependencyReach | None
    condition: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AfterStatement:
    """`after a, b if condition`."""

    items: tuple[DependencyItem, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class OperationStatement:
    """`operation inventory.reserve_port`, in a call."""

    operation: DottedName
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class SetStatement:
    """`set port_id = response.port_id`."""

    attribute: Name
    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RetryStatement:
    """`retry none`, `retry fixed 3 times every 10s`, `retry exponential 5 times from 1s up to 10m jitter 20%`,
    `retry staggered 10s, 1m, 10m`, `retry forever every 1m`, in a call or an operation.
    """

    kind: RetryKind
    #: FIXED and EXPONENTIAL only
    times: Number | None
    #: FIXED, FOREVER: one; EXPONENTIAL: the first interval; STAGGERED: all of them
    intervals: tuple[TimeSpan, ...]
    #: EXPONENTIAL only
    cap: TimeSpan | None
    #: EXPONENTIAL only, in percent; 0 for none
    jitter: Number | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrorStatement:
    """`on error "CODE" fallout queue`, `… retry`, `… complete`."""

    code: Text
    response: ErrorResponse
    #: FALLOUT only
    queue: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class FalloutStatement:
    """`fallout noc`: the queue for failures that no route names."""

    queue: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QueueStatement:
    """`queue field_ops`, in a manual task."""

    queue: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTime:
    """`2 business days in office`, `4 business hours` or `4h`; exactly one is set."""

    business_days: int | None
    business_hours: int | None
    exact: timedelta | None
    #: of business days and hours
    calendar: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DueStatement:
    """`due 2 business days`, in a manual task."""

    due: DueTime
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CollectStatement:
    """`collect { ont_serial string required }`, in a manual task."""

    fields: tuple[AttributeDeclaration, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class EventStatement:
    """`for event "ont.online" matching event.serial == ont_serial`, in a wait."""

    event: Text
    matching: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PauseForStatement:
    """`for 2h`, in a pause."""

    length: TimeSpan
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UntilStatement:
    """`until expression`: a condition in a wait; a condition, a date or an instant in a pause."""

    value: Expression
    span: Span


class TimeoutResponse(StrEnum):
    """What happens when a wait takes too long."""

    FALLOUT = "fallout"
    SKIP = "skip"
    CONTINUE = "continue"


@dataclass(frozen=True, slots=True, kw_only=True)
class WithinStatement:
    """`within 4h else fallout noc`, `within 4h else skip`, `within 4h` (fallout in the default queue)."""

    limit: TimeSpan
    otherwise: TimeoutResponse
    #: FALLOUT only; None: the default queue
    queue: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanStatement:
    """`plan ActivateGpon`, in a subplan."""

    plan: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelStatement:
    """`cancel inventory.cancel_request`."""

    operation: DottedName
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoOperationStatement:
    """`undo inventory.release_port`."""

    operation: DottedName
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class UndoPlanStatement:
    """`undo with ReleaseAll`."""

    plan: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AmendPlanStatement:
    """`amend with ChangeProfile`."""

    plan: Name
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class NoReturnStatement:
    """`no return soft "first month is charged" approval manager per bundle`."""

    kind: PointOfNoReturn
    consequence: Text | None
    approval: Name | None
    bundle: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DurationStatement:
    """`duration 5m`: how long the task usually takes."""

    length: DueTime
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class StartLateStatement:
    """`start as late as possible`: at the calculated start."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class VisibleStatement:
    """`visible "Your technician is booked"`: shown to customers as progress."""

    text: Text
    span: Span


TaskStatement = (
    When
    | AfterStatement
    | OncePer
    | OperationStatement
    | SetStatement
    | RetryStatement
    | ErrorStatement
    | FalloutStatement
    | QueueStatement
    | DueStatement
    | CollectStatement
    | EventStatement
    | PauseForStatement
    | UntilStatement
    | WithinStatement
    | PlanStatement
    | CancelStatement
    | UndoOperationStatement
    | UndoPlanStatement
    | AmendPlanStatement
    | NoReturnStatement
    | DurationStatement
    | StartLateStatement
    | VisibleStatement
)


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDeclaration:
    """`call reserve_port "title" { statements }`. Any statement parses in any kind; the checks say what belongs."""

    kind: TaskKind
    name: Name
    title: Text | None
    statements: tuple[TaskStatement, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanDeclaration:
    """`plan Name "title" for Spec on add, modify when condition once per bundle { tasks }`."""

    name: Name
    title: Text | None
    spec: Name
    #: as written, e.g. `add`, `noChange`; empty: only reached as a subplan, an undo plan or an amend plan
    actions: tuple[Name, ...]
    when: When | None
    once: OncePer | None
    tasks: tuple[TaskDeclaration, ...]
    doc: str
    span: Span
