"""`subplan`: stands for the tasks of another plan; done when all of them are."""

from __future__ import annotations

from orderloom.engine.advance.attributes import release
from orderloom.engine.advance.outcomes import complete
from orderloom.engine.advance.turn import Turn
from orderloom.models.plan import Task


def start_subplan(turn: Turn, task: Task) -> None:
    """Lets the tasks of the subplan start; without any (still open) the task is done."""
    for part in turn.index.parts.get(task.id, ()):
        release(turn, part)
    if not turn.index.parts_open.get(task.id):
        complete(turn, task, why="it has no tasks")
