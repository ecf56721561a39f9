"""A plan at work: tasks with their dependencies and states, and the state of an order as a whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.fulfillment import Line
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.journal import ChangeRequest
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.tasks import TaskKind
from orderloom.models.values import Value


class TaskState(StrEnum):
    """See the table in engine/lifecycle for the legal edges."""

    PENDING = "pending"
    SCHEDULED = "scheduled"
    READY = "ready"
    RUNNING = "running"
    WAITING = "waiting"
    COMPLETED = "completed"
    FAILED = "failed"
    FALLOUT = "fallout"
    SKIPPED = "skipped"
    HELD = "held"
    FROZEN = "frozen"
    CANCELLED = "cancelled"
    DISCARDED = "discarded"
    AMENDED = "amended"

    @property
    def done(self) -> bool:
        """Whether what depends on the task may go on."""
        return self is TaskState.COMPLETED or self is TaskState.SKIPPED or self is TaskState.AMENDED

    @property
    def final(self) -> bool:
        return self.done or self is TaskState.CANCELLED or self is TaskState.DISCARDED


class TaskRole(StrEnum):
    """What a task is for."""

    #: part of the order's plan
    PLANNED = "planned"
    #: an earlier run of a task that a change has done again or brought back; history
    FORMER = "former"
    #: takes back what another task has done
    UNDO = "undo"
    #: cancels a call that is under way, so that a change need not wait for it
    CANCEL = "cancel"
    #: changes what an earlier run has done; stands in the plan in its place
    AMEND = "amend"
    #: a person looks after what another task may have left behind
    RESOLVE = "resolve"
    #: a person decides which value of an attribute holds
    CONFLICT = "conflict"


#: what the plan asks for, and not what takes others back, is left of them, or is for a person to decide
LIVE = frozenset((TaskRole.PLANNED, TaskRole.AMEND))


class PlanState(StrEnum):
    NOT_STARTED = "notStarted"
    IN_PROGRESS = "inProgress"
    FREEZING = "freezing"
    FROZEN = "frozen"
    COMPLETED = "completed"
    CANCELLED = "cancelled"
    FAILED = "failed"


@dataclass(slots=True, kw_only=True)
class Task:
    """One task of a running plan.

    Its id is `line/Plan.task`, for a task of a subplan `line/Plan.subplan/Plan.task`, so it is the same in every run.
    Changes add `TASK~1` (what TASK was before change 1), `TASK/undo~1`, `TASK/resolve~1`, `line/conflict ATTRIBUTE~1`,
    and `TASK/cancel~2`, which cancels the second attempt of TASK.
    """

    id: str
    #: id of the task definition, `Plan.task`; a change adds `Plan.task/undo`, `/cancel`, `/amend`, `/resolve` and
    #: `/conflict`
    definition: str
    kind: TaskKind
    #: id of the line it works on
    line: str
    #: id of the SUBPLAN task whose part it is, "" for none
    within: str = ""
    #: tasks that must be done first, conditions on them already decided; in the order of their ids
    after: tuple[str, ...] = ()
    #: attributes of its line that must be present first
    needs: tuple[str, ...] = ()
    #: what must be done first in related orders, and is not yet: (order, id of a task definition), sorted
    elsewhere: tuple[tuple[str, str], ...] = ()
    state: TaskState = TaskState.PENDING
    #: attempts made so far; it only grows, so that whatever belongs to an older attempt is told apart
    attempts: int = 0
    #: retries by policy since the task first started or a person last retried it
    retries: int = 0
    #: raised when the request's content changes deliberately (a correction, an amendment); part of the key
    generation: int = 0
    outputs: dict[str, Value] = field(default_factory=dict)
    #: last error
    code: str = ""
    message: str = ""
    #: queue where its work item or fallout item lies, "" for none
    queue: str = ""
    #: mark of what is asked of a person or awaited, `CompiledTask.asks`, while it is; another version may ask otherwise
    asked: str = ""
    #: when it must be done, or when it goes on by itself (retry, pause, time limit)
    due: datetime | None = None
    ready_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    #: who completed or skipped it by hand
    by: str = ""
    role: TaskRole = TaskRole.PLANNED
    #: UNDO, RESOLVE, CANCEL: id of the task that it takes back; FORMER: id of the task that it was an earlier run of,
    #: however often that has been done again since; "" for others
    of: str = ""
    #: 0: works on the line as it is; else on the version that this change has superseded, `OrderState.former`
    version: int = 0
    #: of a task that is open and could be under way; the schedule has those of tasks that cannot start yet
    jeopardy: Jeopardy = Jeopardy.GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingChange:
    """A change that waits for callouts to answer before it is weighed."""

    request: ChangeRequest
    at: datetime
    #: status to go back to if it is refused, or goes on
    status: OrderStatus


@dataclass(slots=True, kw_only=True)
class OrderState:
    """Everything the core knows of one order between two events.

    `advance` owns it: it changes it in place and returns it. A host that must keep the former state keeps a copy.
    """

    order: ProductOrder
    #: digest of the design it runs on
    design: str
    #: number of events applied so far
    version: int = 0
    status: OrderStatus = OrderStatus.ACKNOWLEDGED
    plan: PlanState = PlanState.NOT_STARTED
    #: by id, sources before what they feed
    lines: dict[str, Line] = field(default_factory=dict)
    #: by id, in plan order
    tasks: dict[str, Task] = field(default_factory=dict)
    #: reasons for a rejection or a failure, in words
    reasons: tuple[str, ...] = ()
    #: status to go back to when a hold ends
    held_from: OrderStatus | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    #: the worst of its open tasks
    jeopardy: Jeopardy = Jeopardy.GREEN
    #: when a colour changes next if nothing else happens; its timer runs
    jeopardy_at: datetime | None = None
    #: expected completion, as last calculated; None where the design and the order give no times
    expected: datetime | None = None
    #: number of changes applied so far
    revision: int = 0
    #: versions of lines that changes have superseded, as `line~change`; their states are those of that moment
    former: dict[str, Line] = field(default_factory=dict)
    #: the change that is being weighed
    change: WaitingChange | None = None
    #: what `advance` derives from the rows above and keeps between events; never stored, made anew where it is None
    index: object | None = field(default=None, compare=False, repr=False)
