"""What happens in related orders: tasks that come after tasks of theirs go on, or are handed to a person."""

from __future__ import annotations

from collections.abc import Collection

from orderloom.engine.advance.attributes import release
from orderloom.engine.advance.awaiting import await_related
from orderloom.engine.advance.index import Index
from orderloom.engine.advance.refused import Refused
from orderloom.engine.advance.turn import Turn
from orderloom.engine.orchestration.remedies import base
from orderloom.models.journal import EntryKind, RelatedOrdersWaived, RelatedTaskEnded
from orderloom.models.order import OrderStatus
from orderloom.models.plan import LIVE, OrderState, PlanState, Task, TaskState
from orderloom.models.tasks import TaskKind

#: error code of a task that comes after tasks of a related order which will never be done
RELATED_ORDER_ENDED = "related_order_ended"
_GOING = (OrderStatus.ASSESSING_CANCELLATION, OrderStatus.PENDING_CANCELLATION)


def related_verdict(state: OrderState, definition: str) -> str | None:
    """What those are told that wait for the tasks of this definition in an order: "" where they are done or not there,
    why they will never be done where the order has ended otherwise; None while that is open."""
    if state.plan is PlanState.NOT_STARTED and not state.status.final:
        return None
    tasks = [task for task in state.tasks.values() if task.role in LIVE and base(task.definition) == definition]
    if tasks and all(task.state.done for task in tasks):
        return ""
    if state.status in _GOING:
        return None
    if state.status.final and state.status is not OrderStatus.COMPLETED and (tasks or not state.tasks):
        return f"order `{state.order.id}` has ended {state.status}"
    return "" if all(task.state.final for task in tasks) else None


def awaited_by(state: OrderState, definition: str = "") -> set[tuple[str, str]]:
    """What the tasks of a definition wait for in related orders, themselves or through tasks that they come after; with
    none, what any task does. As (order, task definition)."""
    tasks = state.tasks
    open_ones = [task for task in tasks.values() if not task.state.final]
    todo = [task for task in open_ones if not definition or base(task.definition) == definition]
    seen = {task.id for task in todo}
    found: set[tuple[str, str]] = set()
    while todo:
        task = todo.pop()
        if task.state is TaskState.PENDING:
            found.update(task.elsewhere)
        for before in (*task.after, task.within):
            if before in tasks and before not in seen and not tasks[before].state.final:
                seen.add(before)
                todo.append(tasks[before])
    return found


def waits_only_for(state: OrderState) -> set[tuple[str, str]]:
    """What the order waits for in related orders where it waits for nothing else: no call, person, event or instant. As
    (order, task definition); empty where something may still happen without them."""
    index = state.index
    if isinstance(index, Index) and (index.active or not index.elsewhere):
        return set()
    if state.change or state.status is OrderStatus.HELD:
        return set()
    found: set[tuple[str, str]] = set()
    for task in state.tasks.values():
        if task.state is TaskState.PENDING:
            found.update(task.elsewhere)
        elif not task.state.final and (task.state is not TaskState.RUNNING or task.kind is not TaskKind.SUBPLAN):
            return set()
    return found


def related_task_ended(turn: Turn, event: RelatedTaskEnded) -> None:
    """What waits for these tasks waits for them no more; where they will never be done, a person decides once it is the
    turn of what waits."""
    told = (event.order, event.task)
    for id in turn.index.elsewhere.pop(told, ()):
        task = turn.state.tasks[id]
        if task.state is not TaskState.PENDING or told not in task.elsewhere:
            continue
        if event.problem:
            task.code = RELATED_ORDER_ENDED
            task.message = f"comes after `{event.task}` of a related order: {event.problem}; retry to go on without it"
        turn.note(EntryKind.NOTE, id, {"text": event.problem or f"`{event.task}` of order `{event.order}` is over"})
        _let_go(turn, task, (told,))


def related_orders_waived(turn: Turn, event: RelatedOrdersWaived) -> None:
    """All tasks go on whatever related orders they wait for."""
    state = turn.state
    pending = [task for task in state.tasks.values() if task.state is TaskState.PENDING]
    waiting = [task for task in pending if task.elsewhere or task.code == RELATED_ORDER_ENDED]
    if not waiting:
        raise Refused(f"order `{state.order.id}` does not wait, it is {state.status}")
    text = f"{event.by} lets tasks go on in spite of related orders"
    turn.note(EntryKind.NOTE, "", {"text": f"{text}: {event.reason}" if event.reason else text})
    for task in waiting:
        task.code = task.message = ""
        _let_go(turn, task, task.elsewhere)
    turn.index.elsewhere.clear()
    await_related(turn)


def _let_go(turn: Turn, task: Task, told: Collection[tuple[str, str]]) -> None:
    turn.index.count(task, -1)
    task.elsewhere = tuple(each for each in task.elsewhere if each not in told)
    turn.index.count(task, 1)
    turn.touch(task)
    for _ in told:
        release(turn, task.id)
