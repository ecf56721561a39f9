"""`manual`: a person does it, from a queue."""

from __future__ import annotations

from orderloom.engine.advance.outcomes import open_work
from orderloom.engine.advance.turn import Turn
from orderloom.models.journal import WorkKind
from orderloom.models.plan import Task, TaskState


def start_manual(turn: Turn, task: Task) -> None:
    """Opens the work item; `WorkCompleted` ends it."""
    compiled = turn.compiled(task)
    definition = compiled.definition
    task.queue, task.asked = definition.queue, compiled.asks
    turn.move(task, TaskState.WAITING, why=f"in queue `{definition.queue}`")
    open_work(turn, task, WorkKind.MANUAL, definition.title)
