"""What customers are told of their orders: state, the points that the design shows them, expected completion."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from graphlib import TopologicalSorter

from orderloom.models.design import Design
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, TaskRole, TaskState
from orderloom.models.visible import filled
from orderloom.runtime.access.guarding import needs
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.face import Face


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    """A point of an order that its design shows to customers (`visible "words"`)."""

    #: the design's words
    text: str
    reached: bool
    #: when it was reached
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderProgress:
    """An order as a customer sees it. Nothing here names systems, tasks or people."""

    order: str
    external_id: str
    status: OrderStatus
    submitted_at: datetime
    #: where the design or the order gives times, and it is not over
    expected: datetime | None
    completed_at: datetime | None
    #: reached ones first, in the order of their times; then those to come, each after what its task comes after
    milestones: tuple[Milestone, ...]


class Progress(Face):
    """The part of `Runtime` that is for customers and those who speak for them."""

    @needs(Permission.ORDERS_VIEW)
    async def progress(self, id: str) -> OrderProgress:
        """How far an order is, in the words of its design. Raises UnknownOrder."""
        view = self._order(id)
        state = await self._state(id)
        milestones = milestones_of(state, await self._design(state.design))
        return OrderProgress(
            order=view.id,
            external_id=view.external_id,
            status=state.status,
            submitted_at=view.submitted_at,
            expected=None if state.status.final else state.expected,
            completed_at=state.completed_at,
            milestones=milestones,
        )


def milestones_of(state: OrderState, design: Design) -> tuple[Milestone, ...]:
    """What of an order's plan the design shows: what was done, and what still may be.

    What was done and then taken back is told no more; what is done once for several lines is told once.
    """
    words = {task.id: task.visible for plan in design.plans.values() for task in plan.tasks if task.visible}
    reached: list[tuple[datetime, str]] = []
    ahead: list[str] = []
    before = {task.id: [each for each in task.after if each in state.tasks] for task in state.tasks.values()}
    for id in TopologicalSorter(before).static_order():
        task = state.tasks[id]
        # what changes an earlier run stands in the plan in its place
        text = words.get(task.definition.removesuffix("/amend"))
        if text is None or task.role not in (TaskRole.PLANNED, TaskRole.AMEND):
            continue
        line = state.lines.get(task.line)
        text = filled(text, line.attributes if line is not None else {})
        if task.state is TaskState.COMPLETED and task.finished_at is not None:
            reached.append((task.finished_at, text))
        elif not task.state.final and not state.status.final:
            ahead.append(text)
    reached.sort(key=lambda each: each[0])
    return (
        *(Milestone(text=text, reached=True, at=at) for at, text in reached),
        *(Milestone(text=text, reached=False, at=None) for text in ahead),
    )
