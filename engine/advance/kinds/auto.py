"""`auto`: computes, sets attributes, and is done."""

from __future__ import annotations

from orderloom.engine.advance.outcomes import complete
from orderloom.engine.advance.turn import Turn
from orderloom.models.plan import Task


def start_auto(turn: Turn, task: Task) -> None:
    """Completes the task; its sets take effect."""
    complete(turn, task, why="computed")
