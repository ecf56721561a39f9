"""What the face of the host shows beyond the rows of the store: lines and tasks in a designer's words, and receipts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields, is_dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, cast

from orderloom.models.calendar import Calendar
from orderloom.models.catalog import Action, Level, Scope
from orderloom.models.conversion import Json, to_json
from orderloom.models.design import Design
from orderloom.models.fulfillment import Line, LineSource, Provenance
from orderloom.models.jeopardy import Jeopardy
from orderloom.models.journal import Event
from orderloom.models.order import OrderStatus
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.source import Span
from orderloom.models.tasks import TaskDefinition, TaskKind
from orderloom.models.values import Period, Type, Value
from orderloom.runtime.store.calendars import CalendarChange


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployed:
    """What a deployment made of a bundle."""

    name: str
    version: str
    #: SHA-256 over all files of the bundle, as hex
    digest: str
    #: whether this very bundle was not there before
    fresh: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """A calendar of an active bundle, as it counts now."""

    bundle: str
    calendar: Calendar
    #: whether it counts for terms that name none
    default: bool
    #: what was changed at run time, None where it is as the bundle has it
    change: CalendarChange | None


@dataclass(frozen=True, slots=True, kw_only=True)
class LimitView:
    """What a connector may have; None is without limit."""

    #: 0 highest … 4, None for calls of all priorities
    priority: int | None
    at_once: int | None
    #: like `10/s`
    pace: str | None
    #: set by an operator, else by the design
    by_operator: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class BreakerView:
    """The breaker of a connector."""

    #: `closed`, `open` or `half-open`
    state: str
    #: when it came into that state, None where it never was in another
    since: datetime | None
    #: in a row
    failures: int
    #: when an open one lets a call try
    until: datetime | None
    #: what an operator wants it to be and no worker has done yet, "" for nothing
    asked: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ConnectorView:
    """An external system of the active bundles."""

    name: str
    title: str
    kind: str
    #: whether an operator took it offline, and why
    held: bool
    reason: str
    #: names of the bundles that have it
    bundles: tuple[str, ...]
    #: calls without an answer, those under way included
    calls: int = 0
    #: pace at which those that had waited go out, "" where they do not wait
    release: str = ""
    #: None where the design gives it none
    breaker: BreakerView | None = None
    limits: tuple[LimitView, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeView:
    """One attribute of a line, and where its value came from."""

    name: str
    value: Value
    #: what inventory held before; None where it held nothing
    before: Value = None
    provenance: Provenance | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class LineView:
    """A line of any level, see `models.fulfillment.Line`."""

    id: str
    spec: str
    title: str
    level: Level
    action: Action
    quantity: int
    state: OrderStatus
    parent: str
    root: str
    asset: str
    scope: Scope
    sources: tuple[LineSource, ...] = ()
    attributes: tuple[AttributeView, ...] = ()
    #: required attributes that a task will supply
    missing: tuple[str, ...] = ()
    context: bool = False
    jeopardy: Jeopardy = Jeopardy.GREEN


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanTask:
    """A task of an order's plan, with what its definition says of it, see `models.plan.Task`."""

    id: str
    definition: str
    title: str
    kind: TaskKind
    line: str
    state: TaskState
    attempts: int = 0
    within: str = ""
    after: tuple[str, ...] = ()
    needs: tuple[str, ...] = ()
    #: what it still waits for in related orders: (order, id of a task definition)
    elsewhere: tuple[tuple[str, str], ...] = ()
    #: for calls
    operation: str = ""
    code: str = ""
    message: str = ""
    queue: str = ""
    due: datetime | None = None
    ready_at: datetime | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None
    by: str = ""
    outputs: Mapping[str, Value] = field(default_factory=dict)
    role: TaskRole = TaskRole.PLANNED
    #: the task that it takes back or was, see `models.plan.Task`
    of: str = ""
    jeopardy: Jeopardy = Jeopardy.GREEN


class Verdict(StrEnum):
    """What the worker made of a request; one that it refuses is an error."""

    #: it took effect
    APPLIED = "applied"
    #: a change that was taken up and is weighed once the callouts under way have answered
    WAITING = "waiting"
    #: it is safe in the inbox, and no worker has taken it yet
    QUEUED = "queued"


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What became of a request that changes an order."""

    verdict: Verdict
    #: of the request, for asking again
    number: int
    order: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AttributeChange:
    """An attribute as it is, and as it would be."""

    name: str
    before: Value
    after: Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Correction:
    """What correcting a line would change."""

    order: str
    line: str
    changes: tuple[AttributeChange, ...]
    #: failed tasks that make a new request when they are tried again
    tasks: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Delivery:
    """What became of a message: how many tasks awaited it. One that none awaits yet is kept for a while."""

    tasks: int


def line_view(line: Line, design: Design) -> LineView:
    spec = design.specs.get(line.spec)
    names = dict.fromkeys((*line.attributes, *line.before))
    return LineView(
        id=line.id,
        spec=line.spec,
        title=(spec and spec.title) or line.spec,
        level=line.level,
        action=line.action,
        quantity=line.quantity,
        state=line.state,
        parent=line.parent,
        root=line.root,
        asset=line.asset,
        scope=line.scope,
        sources=line.sources,
        attributes=tuple(
            AttributeView(
                name=name,
                value=line.attributes.get(name),
                before=line.before.get(name),
                provenance=line.provenance.get(name),
            )
            for name in names
        ),
        missing=line.missing,
        context=line.context,
        jeopardy=line.jeopardy,
    )


def plan_task(task: Task, design: Design) -> PlanTask:
    definition = task_definition(design, task.definition)
    return PlanTask(
        id=task.id,
        definition=task.definition,
        title=_title(task, definition),
        kind=task.kind,
        line=task.line,
        state=task.state,
        attempts=task.attempts,
        within=task.within,
        after=task.after,
        needs=task.needs,
        elsewhere=task.elsewhere,
        operation=_operation(task, definition),
        code=task.code,
        message=task.message,
        queue=task.queue,
        due=task.due,
        ready_at=task.ready_at,
        started_at=task.started_at,
        finished_at=task.finished_at,
        by=task.by,
        outputs=dict(task.outputs),
        role=task.role,
        of=task.of,
        jeopardy=task.jeopardy,
    )


#: what a task that a change has added is to the one that its title names
_ROLES = {
    TaskRole.FORMER: "earlier run: ",
    TaskRole.UNDO: "undo: ",
    TaskRole.CANCEL: "cancel: ",
    TaskRole.AMEND: "amend: ",
    TaskRole.RESOLVE: "look after: ",
    TaskRole.CONFLICT: "decide: ",
}


def _title(task: Task, definition: TaskDefinition | None) -> str:
    named = (definition and (definition.title or definition.name)) or task.definition
    return _ROLES.get(task.role, "") + named


def _operation(task: Task, definition: TaskDefinition | None) -> str:
    if definition is None or task.role in (TaskRole.RESOLVE, TaskRole.CONFLICT):
        return ""
    if task.role is TaskRole.CANCEL:
        return definition.cancel
    return definition.undo if task.role is TaskRole.UNDO else definition.operation


def task_definition(design: Design, id: str) -> TaskDefinition | None:
    """The definition `Plan.task` of a design, None where there is none; that of the task itself for what a change has
    added to take it back or to look after it."""
    id = id.partition("/")[0]
    plan = design.plans.get(id.partition(".")[0])
    return next((task for task in plan.tasks if task.id == id), None) if plan else None


#: types whose values JSON has too; what derives from them may stand for something else
_AS_THEY_ARE = frozenset({str, int, bool, float, type(None)})


#: names of the fields of a dataclass, which are asked for again and again
_FIELDS: dict[type, tuple[str, ...]] = {}


def _fields(view: Any) -> dict[str, Json]:
    names = _FIELDS.get(type(view))
    if names is None:
        names = _FIELDS[type(view)] = tuple(each.name for each in fields(view))
    return {name: plain(getattr(view, name)) for name in names}


def plain(view: Any) -> Json:
    """A view, or anything made of views and values, as JSON values. Names stay as they are."""
    kind = type(view)
    if kind in _AS_THEY_ARE:
        return cast("Json", view)
    if kind is dict:
        return {str(name): plain(value) for name, value in view.items()}
    if kind is tuple or kind is list:
        return [plain(each) for each in view]
    if isinstance(view, Period):
        return to_json(view)
    if isinstance(view, (Type, Span)):
        return str(view)
    if isinstance(view, Event):
        return {"type": kind.__name__} | _fields(view)
    if is_dataclass(view) and not isinstance(view, type):
        return _fields(view)
    if isinstance(view, Mapping):
        return {str(name): plain(value) for name, value in view.items()}
    if isinstance(view, (list, tuple)):
        return [plain(each) for each in view]
    if isinstance(view, (set, frozenset)):
        return [plain(each) for each in sorted(view)]
    if isinstance(view, StrEnum):
        return str(view)
    return view if isinstance(view, float) else to_json(view)
