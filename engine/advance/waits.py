"""What waiting tasks hear: events and timers."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.engine.advance.outcomes import complete, fail, fall_out, skip
from orderloom.engine.advance.timekeeping import jeopardy_timer_fired, start_timer_fired
from orderloom.engine.advance.turn import Turn
from orderloom.engine.orchestration.definitions import CompiledTask
from orderloom.engine.orchestration.reads import reads
from orderloom.models.catalog import Enum
from orderloom.models.conversion import Json, from_json
from orderloom.models.expression import Root
from orderloom.models.journal import EventArrived, TimerFired, TimerKind
from orderloom.models.plan import Task, TaskState
from orderloom.models.tasks import TaskKind
from orderloom.models.values import Value

#: error code of a wait or a callback that took too long, as connectors use it too
TIMEOUT = "timeout"


def event_arrived(turn: Turn, event: EventArrived) -> None:
    """Completes a wait whose event this is and whose condition it satisfies; others listen on."""
    task = turn.state.tasks.get(event.task)
    if task is None or task.state is not TaskState.WAITING:
        return
    compiled = turn.compiled(task)
    listened = compiled.definition.event
    if listened is None or listened.event != event.event:
        return
    payload = _typed(compiled, event.payload, turn.program.design.enums)
    scope = turn.index.scopes.of(turn.line(task), event=payload)
    if compiled.matching is None or compiled.matching.is_true(scope):
        complete(turn, task, why=f"event `{event.event}` has arrived", event=payload)


def timer_fired(turn: Turn, event: TimerFired) -> None:
    """Goes on with a task whose time has come; a timer of an older attempt, or one replaced, is stale."""
    if event.kind is TimerKind.JEOPARDY:
        jeopardy_timer_fired(turn)
        return
    if event.kind is TimerKind.START:
        start_timer_fired(turn, event)
        return
    task = turn.state.tasks.get(event.task)
    if task is None or task.attempts != event.attempt:
        return
    match event.kind:
        case TimerKind.RETRY if task.state is TaskState.SCHEDULED:
            turn.agenda.append(task)
        case TimerKind.PAUSE if task.state is TaskState.WAITING and task.kind is TaskKind.PAUSE:
            complete(turn, task, why="the time has come")
        case TimerKind.LIMIT if task.state is TaskState.WAITING:
            _too_late(turn, task)
        case _:
            pass


def _too_late(turn: Turn, task: Task) -> None:
    within = turn.compiled(task).definition.within
    if task.kind is TaskKind.CALL:
        fail(turn, task, retriable=False, code=TIMEOUT, message="no callback within the time limit")
    elif within is None:
        return
    elif within.otherwise == "skip":
        skip(turn, task, why="its time limit has passed")
    elif within.otherwise == "continue":
        complete(turn, task, why="its time limit has passed")
    else:
        task.code, task.message = TIMEOUT, "its time limit has passed"
        fall_out(turn, task, TaskState.FAILED, why=task.message, queue=within.queue)


def _typed(compiled: CompiledTask, payload: Mapping[str, Json], enums: Mapping[str, Enum]) -> Mapping[str, Value]:
    """The fields that the task reads, as values of the types it reads them as; absent where they are not."""
    formulas = [each.value.formula for each in compiled.sets]
    if compiled.matching:
        formulas.append(compiled.matching.formula)
    values: dict[str, Value] = {}
    for formula in formulas:
        for read in reads(formula):
            if read.root is Root.EVENT and payload.get(read.name) is not None:
                try:
                    values[read.name] = from_json(payload[read.name], read.type.maybe(), enums)
                except ValueError:
                    values[read.name] = None
    return values
