"""Which rule of a queue says how an item finds a person."""

from __future__ import annotations

from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.plan import OrderState, Task
from orderloom.models.tasks import AssignMode, AssignRule

_PULL = AssignRule(mode=AssignMode.PULL)


def assign_rule(program: Program, state: OrderState, scopes: Scopes, task: Task, queue: str) -> AssignRule:
    """The first rule of the queue whose condition holds for the task's line; `pull` where none does."""
    found = program.design.queues.get(queue)
    line = state.former.get(f"{task.line}~{task.version}") if task.version else state.lines.get(task.line)
    if found is None or line is None:
        return _PULL
    for rule in found.assign:
        if rule.when is None or program.expression(rule.when).evaluate(scopes.of(line)) is True:
            return rule
    return _PULL


def rule_elsewhere(program: Program, state: OrderState, task: str, queue: str) -> AssignRule:
    """The rule for an item of this task in a queue that it is handed over to, as the order is now."""
    if task not in state.tasks:
        return _PULL
    return assign_rule(program, state, Scopes(program, state.order, state.lines), state.tasks[task], queue)
