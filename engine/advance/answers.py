"""What external systems say: answers to callouts, callbacks, and callouts that could not be sent."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta

from orderloom.engine.advance.outcomes import complete, fail
from orderloom.engine.advance.turn import Turn
from orderloom.models.callout import Outcome
from orderloom.models.journal import (
    AwaitCallback,
    CallbackReceived,
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    StartTimer,
    TimerKind,
)
from orderloom.models.plan import Task, TaskState
from orderloom.models.tasks import TaskKind
from orderloom.models.values import STRING, Value

_SENT = frozenset((TaskState.RUNNING, TaskState.HELD))
#: error code of an answer that does not fit its operation, as connectors use it too
_BAD_RESPONSE = "bad_response"


def callout_answered(turn: Turn, event: CalloutAnswered) -> None:
    """Takes in the answer of the attempt that is under way; any other is stale."""
    task = _calling(turn, event.task, event.attempt, _SENT)
    if task is None:
        return
    if task.state is TaskState.HELD:
        turn.move(task, TaskState.RUNNING, why="it was sent after all")
    if event.outcome is Outcome.ACCEPTED:
        _accepted(turn, task, event)
    elif event.outcome is Outcome.COMPLETED:
        _completed(turn, task, event.outputs)
    else:
        _take(turn, task, event.outputs)
        fail(
            turn,
            task,
            retriable=event.outcome is Outcome.RETRIABLE,
            code=event.code,
            message=event.message,
            retry_after=event.retry_after,
        )


def callback_received(turn: Turn, event: CallbackReceived) -> None:
    """Takes in the result of a call that was taken on; later ones, and those of earlier attempts, are stale."""
    task = turn.state.tasks.get(event.task)
    if task is None or task.kind is not TaskKind.CALL or task.state is not TaskState.WAITING:
        return
    if event.attempt and event.attempt != task.attempts:
        return
    if event.outcome is Outcome.COMPLETED:
        _completed(turn, task, event.outputs)
    elif event.outcome is not Outcome.ACCEPTED:
        _take(turn, task, event.outputs)
        retriable = event.outcome is Outcome.RETRIABLE
        fail(turn, task, retriable=retriable, code=event.code, message=event.message)


def callout_held(turn: Turn, event: CalloutHeld) -> None:
    """The call waits for its connector; that is no failure."""
    task = _calling(turn, event.task, event.attempt, frozenset((TaskState.RUNNING,)))
    if task:
        turn.move(task, TaskState.HELD, why=event.reason)


def callout_released(turn: Turn, event: CalloutReleased) -> None:
    """The call that was held is on its way."""
    task = _calling(turn, event.task, event.attempt, frozenset((TaskState.HELD,)))
    if task:
        turn.move(task, TaskState.RUNNING, why="its connector is back")


def _calling(turn: Turn, task_id: str, attempt: int, states: frozenset[TaskState]) -> Task | None:
    task = turn.state.tasks.get(task_id)
    if task is None or task.kind is not TaskKind.CALL or task.attempts != attempt or task.state not in states:
        return None
    return task


def _accepted(turn: Turn, task: Task, event: CalloutAnswered) -> None:
    operation = turn.compiled(task).operation
    callback = operation.callback if operation else None
    outputs = dict(event.outputs)
    if operation and callback and event.correlation and operation.outputs[callback.correlate].type == STRING:
        # what cancels the call may have to name it
        outputs.setdefault(callback.correlate, event.correlation)
    _take(turn, task, outputs)
    if operation is None or callback is None:
        message = "the call was taken on, but its operation awaits no callback"
        fail(turn, task, retriable=False, code=_BAD_RESPONSE, message=message)
        return
    task.due = turn.at + max(callback.within, timedelta(0))
    turn.move(task, TaskState.WAITING, why="taken on, the result comes by callback")
    turn.tell(
        AwaitCallback(task=task.id, operation=operation.name, correlation=event.correlation, attempt=task.attempts)
    )
    turn.tell(StartTimer(task=task.id, kind=TimerKind.LIMIT, attempt=task.attempts, due=task.due))


def _completed(turn: Turn, task: Task, outputs: Mapping[str, Value]) -> None:
    _take(turn, task, outputs)
    task.code = task.message = ""
    complete(turn, task, why="the external system has done it", response=task.outputs)


def _take(turn: Turn, task: Task, outputs: Mapping[str, Value]) -> None:
    """Keeps outputs with those of earlier messages, e.g. of the answer that took the call on."""
    if outputs:
        task.outputs = {**task.outputs, **outputs}
        turn.touch(task)
