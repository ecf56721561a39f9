"""Asks for what is done in related orders."""

from __future__ import annotations

from orderloom.engine.advance.turn import Turn
from orderloom.models.journal import AwaitRelated
from orderloom.models.plan import TaskState


def await_related(turn: Turn) -> None:
    """To be called when tasks are new, or wait for other tasks of related orders than before."""
    if not turn.state.order.related:
        return
    pending = (task for task in turn.state.tasks.values() if task.state is TaskState.PENDING)
    awaited = tuple(sorted({each for task in pending for each in task.elsewhere}))
    if awaited or turn.state.version:
        turn.tell(AwaitRelated(tasks=awaited))
