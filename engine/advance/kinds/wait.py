"""`wait`: until an event arrives that matches, or a condition on the order is true; for so long at most."""

from __future__ import annotations

from orderloom.engine.advance.outcomes import complete
from orderloom.engine.advance.turn import Turn
from orderloom.models.conversion import to_json
from orderloom.models.journal import AwaitEvent, StartTimer, TimerKind
from orderloom.models.plan import Task, TaskState


def start_wait(turn: Turn, task: Task) -> None:
    """Listens for the event, or looks at the condition now and whenever what it reads changes."""
    compiled = turn.compiled(task)
    scope = turn.index.scopes.of(turn.line(task))
    if compiled.until and compiled.until.is_true(scope):
        complete(turn, task, why=f"`{compiled.until.text}` is true")
        return
    event = compiled.definition.event
    task.asked = compiled.asks
    turn.move(task, TaskState.WAITING, why=f"for event `{event.event}`" if event else "for its condition")
    if event:
        key = to_json(compiled.key.evaluate(scope)) if compiled.key else None
        field = event.field if key is not None else ""
        turn.tell(AwaitEvent(task=task.id, event=event.event, field=field, key=key))
    start_limit(turn, task)
    turn.index.watch(turn.state, task)


def start_limit(turn: Turn, task: Task) -> None:
    """Starts the timer of the task's `within`, where it has one."""
    within = turn.compiled(task).definition.within
    if within:
        task.due = turn.at + within.limit
        turn.tell(StartTimer(task=task.id, kind=TimerKind.LIMIT, attempt=task.attempts, due=task.due))
