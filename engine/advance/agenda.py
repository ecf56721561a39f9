"""Starts the tasks whose turn has come, one after another, until nothing goes on by itself."""

from __future__ import annotations

from orderloom.engine.advance.changing import weigh
from orderloom.engine.advance.kinds import STARTERS
from orderloom.engine.advance.outcomes import complete, fall_out, skip
from orderloom.engine.advance.related import RELATED_ORDER_ENDED
from orderloom.engine.advance.rollup import roll_up, task_started, write_inventory
from orderloom.engine.advance.timekeeping import hold_until, keep_time, start_of
from orderloom.engine.advance.turn import Turn
from orderloom.engine.scheduling.turnings import is_held
from orderloom.models.plan import Task, TaskRole, TaskState
from orderloom.models.tasks import TaskKind

#: error code of a task that waits for an attribute which nothing is left to supply
ATTRIBUTE_ABSENT = "attribute_absent"


def settle(turn: Turn) -> None:
    """Runs the step to its end: all that can start has started, states are rolled up, inventory is told."""
    _run(turn)
    while True:
        if turn.freezing:
            if not weigh(turn):
                break
        elif _stuck(turn):
            _free(turn)
        else:
            break
        _run(turn)
    roll_up(turn)
    write_inventory(turn)
    keep_time(turn)


def _run(turn: Turn) -> None:
    while turn.agenda or turn.recheck:
        while turn.recheck:
            _look_again(turn, turn.state.tasks[turn.recheck.popleft()])
        if turn.agenda:
            _begin(turn, turn.agenda.popleft())


def _begin(turn: Turn, task: Task) -> None:
    cancels = task.role is TaskRole.CANCEL
    if turn.freezing and not cancels:
        if task.state in (TaskState.PENDING, TaskState.SCHEDULED, TaskState.FALLOUT):
            turn.index.remaining.pop(task.id, None)
            turn.move(task, TaskState.FROZEN, why="a change is being weighed")
        return
    compiled = turn.compiled(task)
    held = is_held(task)
    if task.state is TaskState.PENDING or held:
        turn.index.remaining.pop(task.id, None)
        if task.code == RELATED_ORDER_ENDED and not held and _wanted(turn, task):
            fall_out(turn, task, why=task.message)
            return
        start = None if cancels else start_of(turn, task)
        if start is not None:
            hold_until(turn, task, start)
            return
        if held:
            task.due = None
            turn.move(task, TaskState.READY, why="its start has come")
        if compiled.when and not _wanted(turn, task):
            skip(turn, task, why=f"`{compiled.when.text}` is not true")
            return
    elif task.state not in (TaskState.READY, TaskState.SCHEDULED, TaskState.FALLOUT):
        return
    ready = () if task.state is TaskState.READY else (TaskState.READY,)
    if turn.held and not cancels:
        if ready:
            turn.move(task, *ready, why="its order is held")
        return
    task.due = None
    task.attempts += 1
    turn.move(task, *ready, TaskState.RUNNING, why=f"attempt {task.attempts}" if task.kind is TaskKind.CALL else "")
    task_started(turn, task)
    STARTERS[task.kind](turn, task)


def _wanted(turn: Turn, task: Task) -> bool:
    when = turn.compiled(task).when
    return when is None or when.is_true(turn.index.scopes.of(turn.line(task)))


def _look_again(turn: Turn, task: Task) -> None:
    until = turn.compiled(task).until
    if task.state is TaskState.WAITING and until and until.is_true(turn.index.scopes.of(turn.line(task))):
        complete(turn, task, why=f"`{until.text}` is true")


def _stuck(turn: Turn) -> bool:
    index = turn.index
    return bool(index.open) and not index.active and not index.waiting and not turn.held and not turn.freezing


def _free(turn: Turn) -> None:
    """Nothing goes on and nobody is asked: hands the tasks that wait for an attribute to a person."""
    tasks = turn.state.tasks
    pending = [task for task in tasks.values() if task.state is TaskState.PENDING]
    lacking = [task for task in pending if _lacks(turn, task) and _may_start(turn, task)]
    for task in lacking or pending:
        names = ", ".join(f"`{name}`" for name in _lacks(turn, task)) or "what it comes after"
        turn.index.remaining.pop(task.id, None)
        task.code = ATTRIBUTE_ABSENT
        task.message = f"waits for {names} of line `{task.line}`, which nothing supplies; correct the line, then retry"
        fall_out(turn, task, why=task.message)


def _may_start(turn: Turn, task: Task) -> bool:
    """Whether everything but attributes is there."""
    tasks = turn.state.tasks
    if task.within and tasks[task.within].state is not TaskState.RUNNING:
        return False
    return all(first not in tasks or tasks[first].state.done for first in task.after)


def _lacks(turn: Turn, task: Task) -> list[str]:
    attributes = turn.line(task).attributes
    return [name for name in task.needs if attributes.get(name) is None]
