"""`Submitted`: the order becomes lines, the lines a plan, and its first tasks start; or it is rejected with reasons."""

from __future__ import annotations

from orderloom.engine.advance.awaiting import await_related
from orderloom.engine.advance.index import Index
from orderloom.engine.advance.rollup import lines_ended
from orderloom.engine.advance.telling import line_data, task_data
from orderloom.engine.advance.timekeeping import wait_for_start
from orderloom.engine.advance.turn import Turn
from orderloom.engine.decomposition import decompose
from orderloom.engine.orchestration import orchestrate
from orderloom.models.fulfillment import Decomposition
from orderloom.models.inventory import Inventory
from orderloom.models.journal import EntryKind, OrderDeferred, Submitted
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, PlanState


def order_deferred(turn: Turn, event: OrderDeferred) -> None:
    """The order waits for other orders."""
    state = turn.state
    if _started(state) or state.reasons == event.reasons:
        return
    state.reasons = event.reasons
    why = "; ".join(event.reasons)
    if state.status is OrderStatus.PENDING:
        turn.note(EntryKind.NOTE, "", {"text": why})
    else:
        turn.move_order(OrderStatus.PENDING, why=why)


def submitted(turn: Turn, event: Submitted) -> None:
    """Decomposes and starts an order that was not started before."""
    state = turn.state
    if _started(state):
        return
    state.reasons = ()
    if event.by:
        text = f"started by {event.by} in spite of other orders"
        turn.note(EntryKind.NOTE, "", {"text": f"{text}: {event.reason}" if event.reason else text})
    start(turn, decompose(turn.program, state.order, event.inventory), event.inventory)


def _started(state: OrderState) -> bool:
    return state.plan is not PlanState.NOT_STARTED or state.status not in (
        OrderStatus.ACKNOWLEDGED,
        OrderStatus.PENDING,
    )


def start(turn: Turn, decomposition: Decomposition, inventory: Inventory) -> None:
    """Starts the order with these lines."""
    state = turn.state
    problems = tuple(
        f"line `{problem.line}`: {problem.message}" if problem.line else problem.message
        for problem in decomposition.problems
    )
    if not problems:
        plan = orchestrate(turn.program, state.order, decomposition.lines, inventory)
        problems = plan.problems
    if problems:
        state.reasons = problems
        # an order that was pending can no longer be rejected (TMF622), it fails
        refused = OrderStatus.REJECTED if state.status is OrderStatus.ACKNOWLEDGED else OrderStatus.FAILED
        turn.move_order(refused, why="; ".join(problems))
        return
    state.lines = decomposition.lines
    state.tasks = {task.id: task for task in plan.tasks}
    state.started_at = turn.at
    turn.index = state.index = Index(turn.program, state)
    _tell(turn)
    await_related(turn)
    turn.move_plan(PlanState.IN_PROGRESS, why="the order has started")
    turn.rescheduled = True
    wait_for_start(turn)
    if not turn.early:
        lines_ended(turn, reversed(state.lines.values()))
    turn.agenda.extend(state.tasks[task] for task, count in turn.index.remaining.items() if not count)


def _tell(turn: Turn) -> None:
    for line in turn.state.lines.values():
        turn.lines.add(line.id)
        turn.note(EntryKind.LINE_MADE, line.id, line_data(line))
    for task in turn.state.tasks.values():
        turn.tasks.add(task.id)
        turn.note(EntryKind.TASK_MADE, task.id, task_data(task))
