"""`pause`: until an instant, for a span, or until a condition is true."""

from __future__ import annotations

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

from orderloom.engine.advance.kinds.wait import start_limit
from orderloom.engine.advance.outcomes import complete
from orderloom.engine.advance.turn import Turn
from orderloom.models.journal import StartTimer, TimerKind
from orderloom.models.plan import Task, TaskState


def start_pause(turn: Turn, task: Task) -> None:
    """Waits, unless the condition is true already or the instant has passed. An absent instant is no reason to wait."""
    compiled = turn.compiled(task)
    if compiled.until:
        if compiled.until.is_true(turn.index.scopes.of(turn.line(task))):
            complete(turn, task, why=f"`{compiled.until.text}` is true")
            return
        turn.move(task, TaskState.WAITING, why="for its condition")
        start_limit(turn, task)
        turn.index.watch(turn.state, task)
        return
    instant = _instant(turn, task)
    if instant is None or instant <= turn.at:
        complete(turn, task, why="no instant to wait for" if instant is None else "the instant has passed")
        return
    task.due = instant
    turn.move(task, TaskState.WAITING, why=f"until {instant.isoformat()}")
    turn.tell(StartTimer(task=task.id, kind=TimerKind.PAUSE, attempt=task.attempts, due=instant))


def _instant(turn: Turn, task: Task) -> datetime | None:
    """The end of the pause in UTC; a date stands for its start in the design's time zone."""
    compiled = turn.compiled(task)
    if compiled.definition.pause is not None:
        return turn.at + compiled.definition.pause
    value = compiled.until_instant.evaluate(turn.index.scopes.of(turn.line(task))) if compiled.until_instant else None
    if isinstance(value, datetime):
        return value
    if isinstance(value, date):
        return datetime.combine(value, time(), ZoneInfo(turn.program.design.time_zone)).astimezone(UTC)
    return None
