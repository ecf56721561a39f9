"""What people do: complete work, decide over fallout, ask the owner, correct lines, hold and release the order.

Each function refuses what cannot be done, with a message for the one who asked, before it changes anything.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import replace

from orderloom.engine.advance.attributes import set_attribute
from orderloom.engine.advance.index import is_open
from orderloom.engine.advance.outcomes import complete, skip, skip_parts
from orderloom.engine.advance.refused import Refused
from orderloom.engine.advance.turn import Turn
from orderloom.engine.orchestration.remedies import TAKE_AMENDED
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line, Origin, Provenance
from orderloom.models.journal import (
    CloseWork,
    EntryKind,
    FalloutAction,
    FalloutResolved,
    InformationRequired,
    LineCorrected,
    OrderHeld,
    OrderReleased,
    PriorityRaised,
    Publish,
    ReturnWork,
    WorkCompleted,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import PlanState, Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind

#: the event of TMF622 v4 that tells the owner of an order
INFORMATION_REQUIRED = "ProductOrderInformationRequiredEvent"


def work_completed(turn: Turn, event: WorkCompleted) -> None:
    """A manual task is done; its form's values feed its sets."""
    task = _task(turn, event.task)
    if task.kind is not TaskKind.MANUAL:
        raise Refused(f"task `{task.id}` is not manual work but `{task.kind}`")
    if task.state is not TaskState.WAITING:
        raise Refused(f"task `{task.id}` is not open for work, it is {task.state}")
    form = {each.name: each for each in turn.compiled(task).definition.form}
    _known(form, event.values, f"the form of task `{task.id}` has")
    lacking = [name for name, each in form.items() if each.required and event.values.get(name) is None]
    if lacking:
        raise Refused(f"task `{task.id}` needs a value for {_names(lacking)}")
    task.by = event.by
    if task.role is TaskRole.CONFLICT:
        _settle_conflict(turn, task, event)
        return
    task.outputs = dict(event.values)
    complete(turn, task, why=f"done by {event.by}", form=task.outputs)


def _settle_conflict(turn: Turn, task: Task, event: WorkCompleted) -> None:
    """One of two values of an attribute holds: the one that was delivered, or the one that a change has asked for."""
    name, line = str(task.outputs["attribute"]), turn.line(task)
    taken = "the change" if event.values[TAKE_AMENDED] else "what was delivered"
    provenance = Provenance(origin=Origin.PERSON, by=event.by, text=f"decided in favour of {taken}")
    there = line.provenance.get(name)
    if event.values[TAKE_AMENDED]:
        set_attribute(turn, line, name, task.outputs["amended"], provenance)
    elif there is None or there.origin not in (Origin.TASK, Origin.PERSON):
        # what has delivered it is to do so again, and until then the line is as the change wants it
        set_attribute(turn, line, name, task.outputs["delivered"], provenance)
    complete(turn, task, why=f"{taken}: {event.by}")


def fallout_resolved(turn: Turn, event: FalloutResolved) -> None:
    """A task in fallout is tried again, skipped, or counted as done."""
    task = _task(turn, event.task)
    if task.state is not TaskState.FALLOUT:
        raise Refused(f"task `{task.id}` is not in fallout, it is {task.state}")
    why = f"{event.action} by {event.by}" + (f": {event.reason}" if event.reason else "")
    if event.action is FalloutAction.RETRY:
        _retry(turn, task, why)
        return
    if event.action is FalloutAction.SKIP:
        task.by = event.by
        skip(turn, task, why=why)
        return
    _known(turn.compiled(task).results(), event.outputs, f"the outputs of task `{task.id}` have")
    task.by = event.by
    if event.outputs:
        task.outputs = {**task.outputs, **event.outputs}
    # whoever has done what it stands for has done all of it
    skip_parts(turn, task, why=why)
    complete(turn, task, why=why, response=task.outputs, event=task.outputs, form=task.outputs)


def information_required(turn: Turn, event: InformationRequired) -> None:
    """The task stays in fallout, its item waits for the owner of the order, who is told what is wanted."""
    task = _task(turn, event.task)
    if task.state is not TaskState.FALLOUT:
        raise Refused(f"task `{task.id}` is not in fallout, it is {task.state}")
    if task.version:
        raise Refused(f"task `{task.id}` is about what line `{task.line}` was before; nobody can give that now")
    line = turn.line(task)
    _known(turn.program.specs[line.spec].attributes, event.attributes, f"line `{line.id}` has")
    if not event.attributes and not event.text:
        raise Refused("name the attributes that are wanted, or say in words what is")
    names = ", ".join(event.attributes)
    why = f"returned to the owner by {event.by}" + (f", for {names}" if names else "")
    turn.note(EntryKind.NOTE, task.id, {"text": f"{why}: {event.text}" if event.text else why})
    turn.tell(ReturnWork(task=task.id, line=line.id, attributes=event.attributes, by=event.by, text=event.text))
    turn.tell(
        Publish(
            kind="order.information_required",
            data={
                "event": INFORMATION_REQUIRED,
                "order": turn.state.order.id,
                "task": task.id,
                "line": line.id,
                "attributes": list(event.attributes),
                "text": event.text,
            },
        )
    )


def uncorrectable(line: Line) -> str:
    """Why a line cannot be corrected, in words; "" where it can: what an order leaves as it is, it does not write."""
    if line.context or line.action is Action.NO_CHANGE:
        return f"line `{line.id}` stays as it is in this order, nothing of it would be kept; order the change instead"
    return ""


def line_corrected(turn: Turn, event: LineCorrected) -> None:
    """Attributes of a line change by hand; failed tasks of the line then make a new request when they are retried."""
    state = turn.state
    if not is_open(state.status):
        raise Refused(f"order `{state.order.id}` is {state.status}, its lines can no longer be corrected")
    line = state.lines.get(event.line)
    if line is None:
        raise Refused(f"order `{state.order.id}` has no line `{event.line}`")
    if why := uncorrectable(line):
        raise Refused(why)
    spec = turn.program.specs[line.spec]
    _known(spec.attributes, event.values, f"line `{line.id}` has")
    lacking = [name for name, value in event.values.items() if value is None and spec.attributes[name].required]
    if lacking:
        raise Refused(f"line `{line.id}` cannot be without {_names(lacking)}")
    changed = {name: value for name, value in event.values.items() if line.attributes.get(name) != value}
    provenance = Provenance(origin=Origin.PERSON, by=event.by, text=event.reason)
    for name, value in changed.items():
        set_attribute(turn, line, name, value, provenance)
    for task in state.tasks.values() if changed else ():
        if task.state is TaskState.FALLOUT and _speaks_of(turn.line(task), line):
            task.generation += 1
            turn.touch(task)


def order_held(turn: Turn, event: OrderHeld) -> None:
    """Nothing new starts until the order is released; what runs is finished and taken in."""
    state = turn.state
    if state.status not in (OrderStatus.IN_PROGRESS, OrderStatus.PENDING):
        raise Refused(f"order `{state.order.id}` is {state.status}, only one in progress or pending can be held")
    if state.plan is PlanState.NOT_STARTED:
        raise Refused(f"order `{state.order.id}` has not started, it waits: {'; '.join(state.reasons)}")
    state.held_from = state.status
    turn.move_order(OrderStatus.HELD, why=_why("held", event.by, event.reason))


def order_released(turn: Turn, event: OrderReleased) -> None:
    """What became ready meanwhile starts."""
    state = turn.state
    if state.status is not OrderStatus.HELD:
        raise Refused(f"order `{state.order.id}` is not held, it is {state.status}")
    state.held_from = None
    turn.move_order(OrderStatus.IN_PROGRESS, why=_why("released", event.by, event.reason))
    turn.agenda.extend(task for task in state.tasks.values() if task.state is TaskState.READY)


def priority_raised(turn: Turn, event: PriorityRaised) -> None:
    """What starts from now on does so with the new priority."""
    state = turn.state
    if state.status.final or state.order.priority == 0:
        return
    state.order = replace(state.order, priority=state.order.priority - 1)
    why = _why("raised", event.by, event.reason)
    turn.note(EntryKind.NOTE, "", {"text": f"priority {state.order.priority}, {why}"})


def _speaks_of(caller: Line, line: Line) -> bool:
    """Whether requests for one line may hold attributes of the other."""
    return line.id in (caller.id, caller.parent, caller.root)


def _retry(turn: Turn, task: Task, why: str) -> None:
    line = turn.line(task)
    lacking = [name for name in task.needs if line.attributes.get(name) is None]
    if lacking:
        raise Refused(f"line `{line.id}` has no value for {_names(lacking)} yet; correct the line first")
    tasks = turn.state.tasks
    before = [first for first in task.after if first in tasks and not tasks[first].state.done]
    if before:
        raise Refused(f"task `{task.id}` comes after {_names(before)}, which is not done yet")
    turn.tell(CloseWork(task=task.id))
    task.retries = 0
    task.queue, task.due = "", None
    turn.note(EntryKind.NOTE, task.id, {"text": why})
    turn.agenda.append(task)


def _task(turn: Turn, task_id: str) -> Task:
    task = turn.state.tasks.get(task_id)
    if task is None:
        raise Refused(f"order `{turn.state.order.id}` has no task `{task_id}`")
    return task


def _known(attributes: Collection[str], values: Iterable[str], where: str) -> None:
    unknown = [name for name in values if name not in attributes]
    if unknown:
        raise Refused(f"{where} no {_names(unknown)}, only {_names(attributes) or 'nothing'}")


def _names(names: Iterable[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


def _why(what: str, by: str, reason: str) -> str:
    return f"{what} by {by}: {reason}" if reason else f"{what} by {by}"
