"""The plan of an order before and after a change, as data for a drawing."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.models.change import ChangePlan, TaskVerdict
from orderloom.models.plan import OrderState, TaskState


@dataclass(frozen=True, slots=True, kw_only=True)
class Box:
    """One task."""

    task: str
    line: str
    definition: str
    #: None where it is not there
    before: TaskState | None
    after: TaskState
    verdict: TaskVerdict
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Picture:
    boxes: tuple[Box, ...]
    #: (task, task that comes after it), before and after the change
    arrows_before: frozenset[tuple[str, str]]
    arrows_after: frozenset[tuple[str, str]]


def picture(state: OrderState, plan: ChangePlan) -> Picture:
    """All tasks of the order and those that the change adds. A plan without rows leaves the arrows as they are."""
    before = frozenset((first, task.id) for task in state.tasks.values() for first in task.after)
    after = before
    if plan.rows:
        after = frozenset(
            (first, task.id) for task in plan.rows.tasks.values() for first in task.after if first in plan.rows.tasks
        )
    boxes = tuple(
        Box(
            task=each.task,
            line=each.line,
            definition=each.definition,
            before=each.before,
            after=each.after,
            verdict=each.verdict,
            why=each.why,
        )
        for each in plan.tasks
    )
    return Picture(boxes=boxes, arrows_before=before, arrows_after=after)
