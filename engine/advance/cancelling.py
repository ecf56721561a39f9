"""Calls under way are cancelled where the design names an operation for that, so that a change need not wait for them.

What comes first counts: the answer of the call, which then is over as ever, or that of the operation that cancels it.
Where that fails for good, the call is allowed to finish.
"""

from __future__ import annotations

from orderloom.engine.advance.index import Index
from orderloom.engine.advance.rollup import task_ended
from orderloom.engine.advance.telling import task_data
from orderloom.engine.advance.turn import Turn
from orderloom.engine.orchestration.remedies import CANCEL, cancel_task
from orderloom.models.change import ChangePlan, TaskVerdict
from orderloom.models.journal import CancelTimer, EntryKind, RecallCallout, StopWaiting, TimerKind
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind


def cancel_calls(turn: Turn, plan: ChangePlan) -> bool:
    """Starts to cancel the calls that stand in the way of a change; returns whether there are any new ones.

    One attempt is cancelled once, whatever becomes of that.
    """
    state = turn.state
    made: list[Task] = []
    for each in plan.tasks:
        task = state.tasks.get(each.task)
        if each.verdict is not TaskVerdict.CANCEL_FIRST or task is None or cancel_task(task) in state.tasks:
            continue
        made.append(
            Task(
                id=cancel_task(task),
                definition=task.definition + CANCEL,
                kind=TaskKind.CALL,
                line=task.line,
                role=TaskRole.CANCEL,
                of=task.id,
                version=task.version,
            )
        )
    for row in made:
        state.tasks[row.id] = row
        turn.tasks.add(row.id)
        turn.note(EntryKind.TASK_MADE, row.id, task_data(row))
    if made:
        turn.index = state.index = Index(turn.program, state)
        turn.agenda.extend(made)
    return bool(made)


def call_cancelled(turn: Turn, cancel: Task) -> None:
    """The other system has cancelled the call: its answer is stale from now on, the change decides what follows."""
    task = turn.state.tasks.get(cancel.of)
    if task is None or task.state not in (TaskState.RUNNING, TaskState.WAITING, TaskState.HELD):
        return
    if task.state is TaskState.WAITING:
        turn.tell(StopWaiting(task=task.id))
        turn.tell(CancelTimer(task=task.id, kind=TimerKind.LIMIT))
    else:
        turn.tell(RecallCallout(task=task.id, attempt=task.attempts))
    task.due = None
    turn.move(task, TaskState.FROZEN, why=f"`{cancel.id}` has cancelled its call")


def call_ended(turn: Turn, task: Task) -> None:
    """The call has ended by itself: cancelling it comes too late."""
    cancel = turn.state.tasks.get(cancel_task(task)) if turn.index.cancelling else None
    if cancel is None or cancel.state.final:
        return
    match cancel.state:
        case TaskState.RUNNING | TaskState.HELD:
            turn.tell(RecallCallout(task=cancel.id, attempt=cancel.attempts))
        case TaskState.SCHEDULED:
            turn.tell(CancelTimer(task=cancel.id, kind=TimerKind.RETRY))
        case TaskState.WAITING:
            turn.tell(StopWaiting(task=cancel.id))
            turn.tell(CancelTimer(task=cancel.id, kind=TimerKind.LIMIT))
    _end(turn, cancel, why=f"too late: the call of `{task.id}` has ended")


def could_not_cancel(turn: Turn, cancel: Task, why: str) -> None:
    """The other system does not cancel the call: it is allowed to finish."""
    _end(turn, cancel, why=f"{why}; the call of `{cancel.of}` is allowed to finish" if why else "")


def _end(turn: Turn, cancel: Task, why: str) -> None:
    cancel.queue, cancel.due = "", None
    turn.move(cancel, TaskState.CANCELLED, why=why)
    task_ended(turn, cancel)
