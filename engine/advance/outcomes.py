"""How tasks end: completed with their sets, skipped, failed and retried, or fallen out to a person."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.engine.advance.attributes import release, set_attribute
from orderloom.engine.advance.cancelling import call_cancelled, call_ended, could_not_cancel
from orderloom.engine.advance.retry import pause
from orderloom.engine.advance.rollup import task_ended
from orderloom.engine.advance.turn import Turn
from orderloom.engine.expressions import NOTHING
from orderloom.engine.orchestration.assigning import assign_rule
from orderloom.engine.scheduling.terms import terms_of
from orderloom.models.conversion import Json
from orderloom.models.design import DEFAULT_FALLOUT_QUEUE
from orderloom.models.fulfillment import Origin, Provenance
from orderloom.models.journal import (
    CancelTimer,
    CloseWork,
    OpenWork,
    Publish,
    StartTimer,
    StopWaiting,
    TimerKind,
    WorkKind,
)
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.tasks import ErrorResponse, TaskKind
from orderloom.models.values import Value
from orderloom.models.visible import filled

_ABSENT = NOTHING.attributes


def complete(
    turn: Turn,
    task: Task,
    *path: TaskState,
    why: str,
    response: Mapping[str, Value] = _ABSENT,
    event: Mapping[str, Value] = _ABSENT,
    form: Mapping[str, Value] = _ABSENT,
) -> None:
    """The task is done: its sets take effect, what comes after it may start.

    `path` are states to pass through first. A set whose value is absent leaves its attribute as it was.
    """
    compiled = turn.compiled(task)
    leave_waiting(turn, task)
    # a former version of a line is history: nothing of it is set any more
    if compiled.sets and not task.version:
        line = turn.line(task)
        scope = turn.index.scopes.of(line, response=response, event=event, form=form)
        for each in compiled.sets:
            value = each.value.evaluate(scope)
            if value is not None:
                provenance = Provenance(origin=Origin.TASK, by=task.id, text=each.text)
                set_attribute(turn, line, each.attribute, value, provenance)
    task.queue, task.due = "", None
    turn.move(task, *path, TaskState.COMPLETED, why=why)
    _earlier_runs(turn, task)
    definition = compiled.definition
    if definition.kind is TaskKind.MILESTONE or definition.visible:
        words = definition.visible or definition.title or definition.name
        told: dict[str, Json] = {
            "order": turn.state.order.id,
            "line": task.line,
            "task": task.id,
            "text": filled(words, turn.line(task).attributes) if definition.visible else words,
            "visible": bool(definition.visible),
        }
        turn.tell(Publish(kind="milestone", data=told))
    _done(turn, task)


def _earlier_runs(turn: Turn, task: Task) -> None:
    """What the task took back is cancelled; what it did again is amended."""
    tasks = turn.state.tasks
    if task.role is TaskRole.CANCEL:
        call_cancelled(turn, task)
    if task.role is TaskRole.UNDO and task.of:
        undone = tasks[task.of]
        if undone.state in (TaskState.COMPLETED, TaskState.AMENDED):
            turn.move(undone, TaskState.CANCELLED, why=f"taken back by `{task.id}`")
    for former in turn.index.former.get(task.id, ()):
        if tasks[former].state is TaskState.COMPLETED:
            turn.move(tasks[former], TaskState.AMENDED, why="done again")


def skip(turn: Turn, task: Task, why: str) -> None:
    """The task is not needed, and neither are the tasks of a subplan that it stands for."""
    _skip(turn, [task], why)


def skip_parts(turn: Turn, task: Task, why: str) -> None:
    """What is left of the subplan that the task stands for is not needed."""
    _skip(turn, _parts(turn, task), why)


def _skip(turn: Turn, todo: list[Task], why: str) -> None:
    while todo:
        each = todo.pop()
        if each.state.final:
            continue
        leave_waiting(turn, each)
        each.queue, each.due = "", None
        turn.move(each, TaskState.SKIPPED, why=why)
        _done(turn, each)
        todo.extend(_parts(turn, each))


def _parts(turn: Turn, task: Task) -> list[Task]:
    """The tasks of the subplan that a task stands for, the first one last."""
    return [turn.state.tasks[part] for part in reversed(turn.index.parts.get(task.id, ()))]


def _done(turn: Turn, task: Task) -> None:
    index = turn.index
    for dependant in index.dependants.get(task.id, ()):
        release(turn, dependant)
    task_ended(turn, task)
    if task.within:
        index.parts_open[task.within] -= 1
        whole = turn.state.tasks[task.within]
        if not index.parts_open[task.within] and whole.state is TaskState.RUNNING:
            complete(turn, whole, why="all of its tasks are done")


def fail(turn: Turn, task: Task, *, retriable: bool, code: str, message: str, retry_after: float = 0) -> None:
    """The task's attempt failed: by error code and policy it is tried again, counts as done, or falls out.

    A retriable failure follows the policy first and its code's route when that is exhausted; a fatal one follows the
    route at once.
    """
    compiled = turn.compiled(task)
    task.code, task.message = code, message
    turn.touch(task)
    route = next((each for each in compiled.definition.errors if each.code == code), None)
    if route and route.response is ErrorResponse.COMPLETE:
        complete(turn, task, why=f"`{code}` counts as done", response=task.outputs)
        return
    if retriable or (route and route.response is ErrorResponse.RETRY):
        wait = pause(compiled.retry, task.retries, callout_key(turn, task), retry_after)
        if wait is not None:
            leave_waiting(turn, task)
            task.retries += 1
            task.due = turn.at + wait
            turn.move(task, TaskState.FAILED, TaskState.SCHEDULED, why=_failure(code, message))
            timer = StartTimer(task=task.id, kind=TimerKind.RETRY, attempt=task.attempts, due=task.due)
            turn.tell(timer)
            return
    fall_out(turn, task, TaskState.FAILED, why=_failure(code, message), queue=route.queue if route else "")


def fall_out(turn: Turn, task: Task, *path: TaskState, why: str, queue: str = "") -> None:
    """Hands the task to a person, through `path`. The queue: the one given, the task's, its limit's, the design's."""
    leave_waiting(turn, task)
    if task.role is TaskRole.CANCEL:
        could_not_cancel(turn, task, why)
        return
    definition = turn.compiled(task).definition
    limit = definition.within.queue if definition.within else ""
    task.queue = queue or definition.fallout or limit or DEFAULT_FALLOUT_QUEUE
    turn.move(task, *path, TaskState.FALLOUT, why=why)
    open_work(turn, task, WorkKind.FALLOUT, "")


def open_work(turn: Turn, task: Task, kind: WorkKind, title: str) -> None:
    """Puts the task's work item into its queue, due by the task's own term or the queue's."""
    definition = turn.compiled(task).definition
    design = turn.program.design
    queue = design.queues.get(task.queue)
    manual = kind is WorkKind.MANUAL
    due = (definition.due if manual else None) or (queue.sla if queue else None)
    task.due = terms_of(turn.program).after(turn.at, due) if due is not None else None
    turn.touch(task)
    rule = assign_rule(turn.program, turn.state, turn.index.scopes, task, task.queue)
    turn.tell(
        OpenWork(
            task=task.id,
            kind=kind,
            queue=task.queue,
            title=title or definition.title or definition.name,
            form=definition.form if manual else (),
            due=task.due,
            priority=turn.state.order.priority,
            assign=rule.mode,
            skills=rule.skills,
            code="" if manual else task.code,
            message="" if manual else task.message,
        )
    )


def leave_waiting(turn: Turn, task: Task) -> None:
    """Takes back what the task had asked for while it waited: timers, messages, work; and what was to cancel it."""
    call_ended(turn, task)
    if task.state is TaskState.FALLOUT:
        turn.tell(CloseWork(task=task.id))
    if task.state is not TaskState.WAITING:
        return
    compiled = turn.compiled(task)
    definition = compiled.definition
    match task.kind:
        case TaskKind.MANUAL:
            turn.tell(CloseWork(task=task.id))
        case TaskKind.CALL:
            turn.tell(StopWaiting(task=task.id))
            turn.tell(CancelTimer(task=task.id, kind=TimerKind.LIMIT))
        case _:
            if definition.event:
                turn.tell(StopWaiting(task=task.id))
            if definition.within:
                turn.tell(CancelTimer(task=task.id, kind=TimerKind.LIMIT))
            if definition.kind is TaskKind.PAUSE and task.due is not None:
                turn.tell(CancelTimer(task=task.id, kind=TimerKind.PAUSE))
            turn.index.unwatch(turn.state, task)


def callout_key(turn: Turn, task: Task) -> str:
    """The idempotency key: the same for all attempts of one request."""
    return f"{turn.state.order.id}:{task.id}#{task.generation}"


def _failure(code: str, message: str) -> str:
    return f"{code}: {message}" if code and message else code or message or "failed"
