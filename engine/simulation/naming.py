"""Lines and tasks of an order by the short names that people use for them."""

from __future__ import annotations

from orderloom.models.fulfillment import Line
from orderloom.models.plan import OrderState, Task, TaskRole


def names_of(task: str, definition: str = "") -> tuple[str, ...]:
    """The names of a task: its id, `Plan.task` and plain name; earlier runs only the id."""
    tail = task.rpartition("/")[2]
    names = (task, definition, definition.rpartition(".")[2])
    return names if "~" in tail else (*names, tail, tail.rpartition(".")[2])


def tasks_named(state: OrderState, name: str) -> list[Task]:
    """Tasks by id, by definition (`Plan.task`) or by plain name, in plan order; earlier runs only by id."""
    if name in state.tasks:
        return [state.tasks[name]]
    return [
        task
        for task in state.tasks.values()
        if task.role is not TaskRole.FORMER and name in names_of(task.id, task.definition)
    ]


def lines_named(state: OrderState, name: str) -> list[Line]:
    """Lines by id or by spec."""
    if name in state.lines:
        return [state.lines[name]]
    return [line for line in state.lines.values() if line.spec == name]
