"""Orders for later, and tasks that start as late as possible."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

from orderloom.engine.advance import advance
from orderloom.engine.scheduling import schedule
from orderloom.engine.simulation import Reply, Script, simulate
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action
from orderloom.models.inventory import EMPTY
from orderloom.models.jeopardy import Jeopardy, Thresholds
from orderloom.models.journal import (
    AmendmentRequested,
    CalloutAnswered,
    OrderHeld,
    OrderReleased,
    SendCallout,
    StartTimer,
    Step,
    Submitted,
    TimerFired,
    TimerKind,
)
from orderloom.models.order import OrderItem, OrderStatus
from orderloom.models.plan import OrderState
from orderloom.models.tasks import Due

AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ITEM = OrderItem(id="1", action=Action.ADD, spec="S")
START = TimerFired(task="", kind=TimerKind.START, attempt=0)


def calls(kit: Any, **fields: Any) -> Any:
    tasks = (
        kit.task("call", "P.a", duration=Due(span=2 * HOUR), **fields),
        kit.task("call", "P.b", after=["P.a"], duration=Due(span=2 * HOUR)),
    )
    return kit.program([kit.spec("S")], [kit.plan("P", "S", *tasks)], jeopardy=Thresholds(slack=25))


def test_an_order_for_later_waits_for_its_start(kit: Any) -> None:
    design = calls(kit)
    start = AT + 48 * HOUR
    state, step = kit.begin(design, kit.line("1", "S"), order=kit.order(requested_start=start))
    assert (state.status, kit.states(state)) == (OrderStatus.PENDING, {"a": "scheduled", "b": "pending"})
    assert state.tasks["1/P.a"].due == start
    timers = [each for each in step.commands if isinstance(each, StartTimer)]
    assert [(each.task, each.kind, each.due) for each in timers] == [("", TimerKind.START, start)]
    assert state.expected == start + 4 * HOUR
    assert not advance(design, state, START, AT + HOUR).entries
    step = advance(design, state, START, start)
    assert [each.task for each in step.commands if isinstance(each, SendCallout)] == ["1/P.a"]
    assert state.status is OrderStatus.IN_PROGRESS
    assert state.tasks["1/P.a"].started_at == start
    assert not advance(design, state, START, start).entries


def test_an_order_for_later_that_has_no_tasks_completes_at_its_start(kit: Any) -> None:
    design = kit.program([kit.spec("S")], [])
    start = AT + HOUR
    state, _ = kit.begin(design, kit.line("1", "S"), order=kit.order(requested_start=start))
    before = state.status
    advance(design, state, START, start)
    assert (before, state.status) == (OrderStatus.PENDING, OrderStatus.COMPLETED)


def test_a_start_that_comes_while_the_order_is_held_waits_for_the_release(kit: Any) -> None:
    design = calls(kit)
    start = AT + 2 * HOUR
    state, _ = kit.begin(design, kit.line("1", "S"), order=kit.order(requested_start=start))
    advance(design, state, OrderHeld(by="eva"), AT + HOUR)
    advance(design, state, START, start)
    assert kit.states(state)["a"] == "ready"
    advance(design, state, OrderReleased(by="eva"), start + HOUR)
    assert kit.states(state)["a"] == "running"


def test_a_requested_start_that_has_passed_delays_nothing(kit: Any) -> None:
    state, step = kit.begin(calls(kit), kit.line("1", "S"), order=kit.order(requested_start=AT))
    assert kit.states(state)["a"] == "running"
    assert not [each for each in step.commands if isinstance(each, StartTimer) and each.kind is TimerKind.START]


def test_a_task_starts_as_late_as_leaves_it_its_margin(kit: Any) -> None:
    # latest start 6 h from the start of the order, a quarter of the four hours that follow is its margin
    design = calls(kit, start_late=True)
    order = replace(kit.order(requested_completion=AT + 10 * HOUR), items=(ITEM,))
    result = simulate(design, order, script=Script(replies={"sys.do": (Reply(latency=2 * HOUR),)}))
    task = result.state.tasks["1/P.a"]
    assert task.started_at == AT + 5 * HOUR
    assert result.state.completed_at == AT + 9 * HOUR
    assert not [entry for _, entry in result.journal if entry.kind == "jeopardy"]
    state, _ = kit.begin(design, kit.line("1", "S"), order=order)
    found = schedule(design, state, AT)
    assert found.tasks["1/P.a"].calculated_start == AT + 5 * HOUR
    assert (found.expected, found.calculated_start) == (AT + 9 * HOUR, AT + 6 * HOUR)
    assert found.jeopardy is Jeopardy.GREEN


def test_without_a_requested_completion_it_starts_at_once(kit: Any) -> None:
    state, _ = kit.begin(calls(kit, start_late=True), kit.line("1", "S"))
    assert kit.states(state)["a"] == "running"


def test_the_condition_of_a_task_is_decided_when_it_starts(kit: Any) -> None:
    task = kit.task("call", "P.a", when=kit.present("x"))
    design = kit.program([kit.spec("S", kit.attribute("x"))], [kit.plan("P", "S", task)])
    start = AT + HOUR
    state, _ = kit.begin(design, kit.line("1", "S"), order=kit.order(requested_start=start))
    assert kit.states(state)["a"] == "scheduled"
    advance(design, state, START, start)
    assert kit.states(state)["a"] == "skipped"
    assert state.status is OrderStatus.COMPLETED


def amended(kit: Any, design: Any, at: datetime, **dates: datetime | None) -> tuple[OrderState, Step]:
    """An order for the day after, amended at an instant."""
    order = replace(kit.order(requested_start=AT + 24 * HOUR, requested_completion=AT + 40 * HOUR), items=(ITEM,))
    state = OrderState(order=order, design=design.design.digest)
    advance(design, state, Submitted(inventory=EMPTY), AT)
    change = AmendmentRequested(order=replace(order, **dates), inventory=EMPTY, by="eva")
    return state, advance(design, state, change, at)


def test_an_amendment_moves_the_start(kit: Any) -> None:
    design, start = calls(kit), AT + 30 * HOUR
    state, step = amended(kit, design, AT + HOUR, requested_start=start)
    timers = [each.due for each in step.commands if isinstance(each, StartTimer) and each.kind is TimerKind.START]
    assert timers == [start]
    assert (kit.states(state)["a"], state.tasks["1/P.a"].due, state.status) == ("scheduled", start, OrderStatus.PENDING)
    assert state.expected == start + 4 * HOUR
    assert not advance(design, state, START, AT + 24 * HOUR).entries
    advance(design, state, START, start)
    assert kit.states(state)["a"] == "running"


def test_an_amendment_lets_the_order_start_at_once(kit: Any) -> None:
    state, _ = amended(kit, calls(kit), AT + HOUR, requested_start=None)
    assert (kit.states(state)["a"], state.status) == ("running", OrderStatus.IN_PROGRESS)


def test_an_amendment_to_an_earlier_completion_changes_colours(kit: Any) -> None:
    design = calls(kit)
    state, _ = amended(kit, design, AT + HOUR, requested_start=None, requested_completion=AT + 4 * HOUR)
    assert {state.jeopardy, state.lines["1"].jeopardy, state.tasks["1/P.a"].jeopardy} == {Jeopardy.RED}
    later = replace(state.order, requested_completion=AT + 60 * HOUR)
    answer = CalloutAnswered(task="1/P.a", attempt=1, outcome=Outcome.COMPLETED)
    advance(design, state, AmendmentRequested(order=later, inventory=EMPTY, by="eva"), AT + 2 * HOUR)
    advance(design, state, answer, AT + 3 * HOUR)
    assert {state.jeopardy, state.lines["1"].jeopardy} == {Jeopardy.GREEN}
