"""`milestone`: a point that others come after, and that the world is told of."""

from __future__ import annotations

from orderloom.engine.advance.outcomes import complete
from orderloom.engine.advance.turn import Turn
from orderloom.models.plan import Task


def start_milestone(turn: Turn, task: Task) -> None:
    """Completes the task, which publishes it."""
    complete(turn, task, why="reached")
