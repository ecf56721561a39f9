"""In-flight change: what an amendment, a cancellation or a migration would do to an order, as a value.

`engine/change` computes it without touching the order; a dry run shows it, and applying it takes the very same value.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.order import OrderStatus, ProductOrder
from orderloom.models.plan import Task, TaskState
from orderloom.models.values import Value


class ChangeKind(StrEnum):
    AMEND = "amend"
    CANCEL = "cancel"
    MIGRATE = "migrate"


class LineVerdict(StrEnum):
    """What becomes of a line."""

    KEEP = "keep"
    CHANGE = "change"
    ADD = "add"
    REMOVE = "remove"


class TaskVerdict(StrEnum):
    """What becomes of a task."""

    #: goes on as it is, whatever its state
    KEEP = "keep"
    #: not started, or open for a person: goes on with the new content
    UPDATE = "update"
    ADD = "add"
    #: never started, no longer needed
    DISCARD = "discard"
    #: started but not done, or done with nothing to take back: ends here
    CANCEL = "cancel"
    #: started but not done: starts anew with the new content
    RESTART = "restart"
    #: done with the former content: done again
    REDO = "redo"
    #: done with the former content: changed by its amend plan
    AMEND = "amend"
    #: taken back
    UNDO = "undo"
    #: taken back, then done again
    UNDO_REDO = "undo and redo"
    #: failed in a way that leaves open what was done: a person looks
    RESOLVE = "resolve"
    #: its callout is under way: decided once it has answered
    FINISH_FIRST = "finish first"
    #: its callout is under way, and another call cancels it: decided once that has answered
    CANCEL_FIRST = "cancel first"


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """An attribute's value before and after; None is absent."""

    name: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class LineDecision:
    line: str
    spec: str
    verdict: LineVerdict
    #: None for a line that is added, or removed
    action_before: Action | None = None
    action_after: Action | None = None
    quantity_before: int = 0
    quantity_after: int = 0
    attributes: tuple[AttributeChange, ...] = ()
    state_before: OrderStatus | None = None
    state_after: OrderStatus | None = None
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskDecision:
    task: str
    line: str
    #: id of its definition
    definition: str
    verdict: TaskVerdict
    #: None for a task that is added
    before: TaskState | None
    #: right after the change is applied, before anything starts
    after: TaskState
    why: str
    #: ids of the tasks that take it back, change it or look after it
    by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Refusal:
    """A hard point of no return that the change would go behind."""

    task: str
    #: line of the task, and the line that cannot change any more because of it
    line: str
    refused: str
    #: when the task was done
    at: datetime | None
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Consequence:
    """A soft point of no return: the change is possible, at this price."""

    task: str
    line: str
    at: datetime | None
    text: str
    #: role that must approve, "" for none
    approval: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Conflict:
    """A task or a person set an attribute that the change sets to something else; a person decides which holds."""

    line: str
    attribute: str
    #: what is there, who set it, and what the change wants
    delivered: Value
    by: str
    amended: Value
    #: id of the manual task in which it is decided
    task: str


@dataclass(frozen=True, slots=True, kw_only=True)
class DateChange:
    """A date that the order asks for: `requested start` or `requested completion`. None where it asks for none."""

    name: str
    before: datetime | None
    after: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Outlook:
    """When the order is expected to be completed, and how that stands to what is asked for: as it is, and changed."""

    at: datetime
    #: None where nothing is left to do
    expected_before: datetime | None
    expected_after: datetime | None
    jeopardy_before: Jeopardy
    jeopardy_after: Jeopardy


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """The rows of the order as they are once the change is applied."""

    order: ProductOrder
    lines: Mapping[str, Line]
    #: see `OrderState.former`; only what the change adds
    former: Mapping[str, Line]
    #: all tasks, in plan order
    tasks: Mapping[str, Task]
    #: tasks by their new id, where a task of another id was kept as an earlier run: new id -> id it had
    renamed: Mapping[str, str]


@dataclass(frozen=True, slots=True, kw_only=True)
class ChangePlan:
    """What a change would do, and why; nothing of it has happened."""

    order: str
    kind: ChangeKind
    #: number that the change gets, see `OrderState.revision`
    revision: int
    #: whether the whole order goes
    everything: bool
    lines: tuple[LineDecision, ...] = ()
    tasks: tuple[TaskDecision, ...] = ()
    refusals: tuple[Refusal, ...] = ()
    consequences: tuple[Consequence, ...] = ()
    conflicts: tuple[Conflict, ...] = ()
    #: requested dates that differ
    dates: tuple[DateChange, ...] = ()
    #: its priority before and after, where that differs
    priority: tuple[int, int] | None = None
    #: None where it was not asked for, or cannot be told yet
    outlook: Outlook | None = None
    #: why the wanted content cannot be carried out, in words
    problems: tuple[str, ...] = ()
    #: why the change is refused, in words; empty if it goes through
    reasons: tuple[str, ...] = ()
    #: None where the change is refused
    rows: Rows | None = field(default=None, repr=False)

    @property
    def refused(self) -> bool:
        return bool(self.reasons)
