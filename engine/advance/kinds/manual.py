"""`manual`: a person does it, from a queue."""

from __future__ import annotations

from orderloom.engine.advance.outcomes import open_work
from orderloom.engine.advance.turn import Turn
from orderloom.models.journal import WorkKind
from orderloom.models.plan import Task, TaskState


def start_manual(turn: Turn, task: Task) -> None:
    """Opens the work item; `WorkCompleted` ends it."""
    definition = turn.compiled(task).definition
    task.queue = definition.queue
    task.asked = turn.compiled(task).asks
    turn.move(task, TaskState.WAITING, why=f"in queue `{definition.queue}`")
    open_work(turn, task, WorkKind.MANUAL, definition.title)
