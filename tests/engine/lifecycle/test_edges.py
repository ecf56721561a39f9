"""Every pair of states is tried: legal ones pass, all others are refused and change nothing."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from orderloom.engine.lifecycle import (
    ORDER_EDGES,
    PLAN_EDGES,
    TASK_EDGES,
    IllegalTransition,
    move,
    move_line,
    move_order,
    move_plan,
    order_path,
)
from orderloom.models.catalog import Action, Level
from orderloom.models.fulfillment import Line
from orderloom.models.order import Account, OrderStatus, ProductOrder
from orderloom.models.plan import OrderState, PlanState, Task, TaskState
from orderloom.models.tasks import TaskKind

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
ORDER = ProductOrder(id="O-1", account=Account(id="A-1"), items=(), order_date=AT)

#: domain.md's edges of TMF622 orders, written out a second time
TMF622 = {
    "acknowledged": "inProgress pending rejected",
    "inProgress": "pending held assessingCancellation completed failed partial",
    "pending": "inProgress assessingCancellation cancelled",
    "held": "inProgress assessingCancellation cancelled",
    "assessingCancellation": "inProgress pending held pendingCancellation",
    "pendingCancellation": "cancelled",
}


def task(state: TaskState) -> Task:
    return Task(id="1/P.a", definition="P.a", kind=TaskKind.CALL, line="1", state=state)


@pytest.mark.parametrize(("former", "wanted"), list(product(TaskState, TaskState)))
def test_tasks_follow_the_table(former: TaskState, wanted: TaskState) -> None:
    subject = task(former)
    if wanted in TASK_EDGES[former]:
        move(subject, wanted, AT)
        assert subject.state is wanted
        assert (subject.finished_at is not None) == wanted.final
    else:
        with pytest.raises(IllegalTransition) as refusal:
            move(subject, wanted, AT)
        assert str(refusal.value).startswith(f"task `1/P.a` cannot go from `{former}` to `{wanted}`, only to ")
        assert subject == task(former)


def test_the_table_of_tasks_has_every_state() -> None:
    assert set(TASK_EDGES) == set(TaskState)
    assert all(former not in wanted for former, wanted in TASK_EDGES.items())


def test_no_task_that_never_ran_counts_as_completed() -> None:
    ways_in = {former for former, wanted in TASK_EDGES.items() if TaskState.COMPLETED in wanted}
    assert ways_in == {TaskState.RUNNING, TaskState.WAITING, TaskState.FAILED, TaskState.FALLOUT}


REOPENED = {
    (OrderStatus.COMPLETED, OrderStatus.IN_PROGRESS),
    (OrderStatus.COMPLETED, OrderStatus.ASSESSING_CANCELLATION),
}


@pytest.mark.parametrize(("former", "wanted"), list(product(OrderStatus, OrderStatus)))
def test_orders_and_lines_follow_tmf622(former: OrderStatus, wanted: OrderStatus) -> None:
    state = OrderState(order=ORDER, design="d", status=former)
    line = Line(
        id="1",
        spec="S",
        level=Level.PRODUCT,
        action=Action.ADD,
        quantity=1,
        attributes={},
        parent="",
        root="1",
        asset="a",
        state=former,
    )
    if wanted in TMF622.get(former, "").split():
        move_order(state, wanted)
        assert state.status is wanted
    else:
        with pytest.raises(IllegalTransition, match=r"order `O-1` cannot go"):
            move_order(state, wanted)
        assert state.status is former
    # a line may be completed while its order goes on, and a change may then take it up again or take it back
    if wanted in TMF622.get(former, "").split() or (former, wanted) in REOPENED:
        move_line(line, wanted)
        assert line.state is wanted
    else:
        with pytest.raises(IllegalTransition, match=r"line `1` cannot go"):
            move_line(line, wanted)
        assert line.state is former


@pytest.mark.parametrize(("former", "wanted"), list(product(OrderStatus, OrderStatus)))
def test_paths_consist_of_legal_edges(former: OrderStatus, wanted: OrderStatus) -> None:
    try:
        path = order_path(former, wanted)
    except IllegalTransition:
        assert wanted not in ORDER_EDGES[former]
        return
    for step in path:
        assert step in ORDER_EDGES[former]
        former = step
    assert former is wanted


@pytest.mark.parametrize(("former", "wanted"), list(product(PlanState, PlanState)))
def test_plans_follow_the_table(former: PlanState, wanted: PlanState) -> None:
    state = OrderState(order=ORDER, design="d", plan=former)
    if wanted in PLAN_EDGES[former]:
        move_plan(state, wanted)
        assert state.plan is wanted
    else:
        with pytest.raises(IllegalTransition):
            move_plan(state, wanted)
        assert state.plan is former
