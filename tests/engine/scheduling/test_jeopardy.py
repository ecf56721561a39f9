"""Colours change at exact instants of the virtual clock."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from orderloom.engine.advance import advance, replay
from orderloom.engine.scheduling import schedule
from orderloom.engine.scheduling.turnings import OPEN
from orderloom.engine.simulation import Person, Reply, Script, SimulationResult, simulate
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action
from orderloom.models.jeopardy import Jeopardy, Thresholds
from orderloom.models.journal import (
    CalloutAnswered,
    EntryKind,
    FalloutAction,
    FalloutResolved,
    Publish,
    StartTimer,
    TimerFired,
    TimerKind,
    WorkCompleted,
)
from orderloom.models.order import OrderItem, OrderStatus
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.tasks import Due, Queue

#: a Monday
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
HOUR = timedelta(hours=1)
ITEM = OrderItem(id="1", action=Action.ADD, spec="S")


def order(kit: Any, **fields: Any) -> Any:
    from dataclasses import replace

    return replace(kit.order(**fields), items=(ITEM,))


def two_calls(kit: Any, **fields: Any) -> Any:
    """Two hours, then two hours."""
    term = Due(span=2 * HOUR)
    tasks = (kit.task("call", "P.a", duration=term), kit.task("call", "P.b", after=["P.a"], duration=term))
    return kit.program([kit.spec("S")], [kit.plan("P", "S", *tasks)], **fields)


def colours(result: SimulationResult, subject: str) -> list[tuple[timedelta, str]]:
    return [
        (at - AT, str(entry.data["to"]))
        for at, entry in result.journal
        if entry.kind is EntryKind.JEOPARDY and entry.subject == subject
    ]


def test_a_call_that_takes_too_long_turns_yellow_then_red_and_the_next_one_is_late(kit: Any) -> None:
    # latest: a 3h..5h, b 5h..7h after the start; margins of 25 %: a 1h, b 30 min
    script = Script(replies={"sys.do": (Reply(latency=6 * HOUR), Reply(latency=HOUR))})
    wanted = order(kit, requested_completion=AT + 7 * HOUR)
    result = simulate(two_calls(kit), wanted, script=script)
    assert colours(result, "1/P.a") == [(4 * HOUR, "yellow"), (5 * HOUR, "red"), (6 * HOUR, "green")]
    assert colours(result, "1/P.b") == [(6 * HOUR, "red"), (7 * HOUR, "green")]
    assert colours(result, "") == [(4 * HOUR, "yellow"), (5 * HOUR, "red"), (7 * HOUR, "green")]
    assert colours(result, "1") == colours(result, "")
    told = [
        command.data for _, command in result.commands if isinstance(command, Publish) and command.kind == "jeopardy"
    ]
    assert {"order": "O-1", "from": "green", "to": "yellow", "why": "the worst of its open tasks"} in told
    assert result.state.jeopardy_at is None


def test_what_goes_well_stays_green_and_needs_one_timer(kit: Any) -> None:
    result = simulate(two_calls(kit), order(kit, requested_completion=AT + 7 * HOUR))
    assert not [entry for _, entry in result.journal if entry.kind is EntryKind.JEOPARDY]
    timers = [each for _, each in result.commands if isinstance(each, StartTimer)]
    assert [(each.kind, each.due) for each in timers] == [(TimerKind.JEOPARDY, AT + 4 * HOUR)]


def test_the_threshold_is_a_setting(kit: Any) -> None:
    script = Script(replies={"sys.do": (Reply(latency=6 * HOUR),)})
    wanted = order(kit, requested_completion=AT + 8 * HOUR)
    result = simulate(two_calls(kit, jeopardy=Thresholds(slack=0)), wanted, script=script)
    assert colours(result, "1/P.a") == []
    result = simulate(two_calls(kit, jeopardy=Thresholds(slack=50)), wanted, script=script)
    assert colours(result, "1/P.a") == [(4 * HOUR, "yellow"), (6 * HOUR, "green")]


def test_without_a_requested_completion_a_task_is_yellow_once_it_takes_longer_than_usual(kit: Any) -> None:
    result = simulate(two_calls(kit), order(kit), script=Script(replies={"sys.do": (Reply(latency=3 * HOUR),)}))
    assert colours(result, "1/P.a") == [(2 * HOUR, "yellow"), (3 * HOUR, "green")]


def test_work_turns_yellow_before_it_is_due_and_red_when_it_is(kit: Any) -> None:
    plan = kit.plan("P", "S", kit.task("manual", "P.m", due=Due(span=8 * HOUR)))
    design = kit.program([kit.spec("S")], [plan])
    result = simulate(design, order(kit), script=Script(people={"m": Person(after=9 * HOUR)}))
    assert colours(result, "1/P.m") == [(6 * HOUR, "yellow"), (8 * HOUR, "red"), (9 * HOUR, "green")]


def test_business_days_until_work_is_due_are_weighed_in_elapsed_time(kit: Any) -> None:
    plan = kit.plan("P", "S", kit.task("manual", "P.m", due=Due(business_days=4)))
    design = kit.program([kit.spec("S")], [plan])
    result = simulate(design, order(kit), script=Script(people={"m": Person(after=120 * HOUR)}))
    assert colours(result, "1/P.m")[:2] == [(72 * HOUR, "yellow"), (96 * HOUR, "red")]


def test_fallout_is_due_by_the_term_of_its_queue(kit: Any) -> None:
    queues = (Queue(name="fallout", title="", fallout=True, sla=Due(span=4 * HOUR)),)
    design = kit.program([kit.spec("S")], [kit.plan("P", "S", kit.task("call", "P.a"))], queues=queues)
    script = Script(replies={"sys.do": (Reply(outcome=Outcome.FATAL, latency=HOUR),)})
    result = simulate(design, order(kit), script=script)
    assert colours(result, "1/P.a") == [(4 * HOUR, "yellow"), (5 * HOUR, "red")]
    assert colours(result, "") == colours(result, "1/P.a")


def test_the_expected_completion_moves_as_things_happen(kit: Any) -> None:
    script = Script(replies={"sys.do": (Reply(latency=6 * HOUR), Reply(latency=2 * HOUR))})
    result = simulate(two_calls(kit), order(kit, requested_completion=AT + 7 * HOUR), script=script)
    moves = [(at - AT, entry.data["to"]) for at, entry in result.journal if entry.kind is EntryKind.EXPECTED]
    assert moves == [
        (timedelta(0), "2026-03-02T13:00:00Z"),
        (4 * HOUR, "2026-03-02T15:00:00Z"),
        (5 * HOUR, "2026-03-02T16:00:00Z"),
        (6 * HOUR, "2026-03-02T17:00:00Z"),
    ]


def test_a_design_without_times_costs_nothing(kit: Any) -> None:
    design = kit.program([kit.spec("S")], [kit.plan("P", "S", kit.task("call", "P.a"))])
    state, step = kit.begin(design, kit.line("1", "S"))
    assert state.index.timeline is None
    assert not [each for each in step.commands if isinstance(each, StartTimer)]
    assert state.expected is None


terms = st.none() | st.integers(1, 9).map(lambda n: Due(span=n * HOUR)) | st.just(Due(business_days=1))


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@given(data=st.data())
def test_kept_colours_are_those_of_a_fresh_look_at_every_instant(data: st.DataObject, kit: Any) -> None:
    """Events at random instants, timers exact: colours, timer and bytes are as if all were reckoned anew each time."""
    kinds = data.draw(st.lists(st.sampled_from(("call", "manual", "milestone")), min_size=1, max_size=6))
    tasks = []
    for n, kind in enumerate(kinds):
        after = sorted(data.draw(st.sets(st.integers(0, n - 1), max_size=2))) if n else []
        fields: dict[str, Any] = {"duration": data.draw(terms), "after": [f"P.t{each}" for each in after]}
        if kind == "manual":
            fields["due"] = data.draw(terms)
        tasks.append(kit.task(kind, f"P.t{n}", start_late=data.draw(st.booleans()), **fields))
    queues = (Queue(name="fallout", title="", fallout=True, sla=data.draw(terms)),)
    design = kit.program([kit.spec("S")], [kit.plan("P", "S", *tasks)], queues=queues)
    wanted = data.draw(st.none() | st.integers(1, 60).map(lambda n: AT + n * HOUR))
    begun = data.draw(st.none() | st.integers(1, 30).map(lambda n: AT + n * HOUR))
    given = order(kit, requested_completion=wanted, requested_start=begun)
    state, step = kit.begin(design, kit.line("1", "S"), order=given)
    other = _copy(state)
    timers: dict[tuple[str, TimerKind], StartTimer] = {}
    at = AT
    for _ in range(40):
        for command in step.commands:
            if isinstance(command, StartTimer):
                timers[command.task, command.kind] = command
        _check(design, state, at)
        todo = _possible(state)
        due = min(timers.values(), key=lambda each: (each.due, each.kind, each.task), default=None)
        if not todo and due is None:
            break
        then = at + data.draw(st.integers(0, 12)) * HOUR
        if due is not None and (not todo or due.due <= then):
            del timers[due.task, due.kind]
            at = max(at, due.due)
            event: Any = TimerFired(task=due.task, kind=due.kind, attempt=due.attempt)
        else:
            at = then
            event = data.draw(st.sampled_from(todo))
        step = advance(design, state, event, at)
        other.index = None
        assert advance(design, other, event, at) == step
        assert other == state
    if state.status is OrderStatus.COMPLETED:
        assert state.jeopardy is Jeopardy.GREEN


def _copy(state: OrderState) -> OrderState:
    from copy import deepcopy

    return deepcopy(state)


def _possible(state: OrderState) -> list[Any]:
    found: list[Any] = []
    for task in state.tasks.values():
        if task.state is TaskState.RUNNING:
            found += [
                CalloutAnswered(task=task.id, attempt=task.attempts, outcome=outcome)
                for outcome in (Outcome.COMPLETED, Outcome.FATAL)
            ]
        elif task.state is TaskState.WAITING:
            found.append(WorkCompleted(task=task.id, by="eva"))
        elif task.state is TaskState.FALLOUT:
            found.append(FalloutResolved(task=task.id, action=FalloutAction.RETRY, by="eva"))
    return found


def _check(design: Any, state: OrderState, at: datetime) -> None:
    found = schedule(design, state, at)
    opened = [task for task in state.tasks.values() if task.state in OPEN]
    for task in opened:
        assert task.jeopardy is found.tasks[task.id].jeopardy, (task.id, task.state)
    worst = max((task.jeopardy for task in opened), key=lambda each: each.rank, default=Jeopardy.GREEN)
    assert state.jeopardy is worst
    assert state.lines["1"].jeopardy is worst
    for task in state.tasks.values():
        if task.state not in OPEN:
            assert task.jeopardy is Jeopardy.GREEN
        start = state.order.requested_start
        assert task.started_at is None or start is None or task.started_at >= start


@pytest.mark.parametrize("latency", [HOUR, 6 * HOUR])
def test_a_replay_has_the_same_colours(kit: Any, latency: timedelta) -> None:
    design = two_calls(kit)
    script = Script(replies={"sys.do": (Reply(latency=latency),)})
    wanted = order(kit, requested_completion=AT + 7 * HOUR)
    result = simulate(design, wanted, script=script)
    assert replay(design, wanted, result.events) == result.state
