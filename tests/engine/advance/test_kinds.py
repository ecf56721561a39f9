"""What a task of each kind does, from start to end, on orders with one or two lines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest

from orderloom.engine.advance import Refused, advance
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action, Level
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Origin
from orderloom.models.journal import (
    AwaitCallback,
    AwaitEvent,
    CallbackReceived,
    CalloutAnswered,
    EventArrived,
    OpenWork,
    Publish,
    SendCallout,
    StartTimer,
    TimerFired,
    TimerKind,
    WorkCompleted,
    WorkKind,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, PlanState, TaskState
from orderloom.models.tasks import Due, EventMatch, Within
from orderloom.models.values import DATETIME


def only(step: Any, kind: type) -> Any:
    found = [command for command in step.commands if isinstance(command, kind)]
    assert len(found) == 1, step.commands
    return found[0]


def answered(task: str, attempt: int = 1, **outputs: Any) -> CalloutAnswered:
    return CalloutAnswered(task=task, attempt=attempt, outcome=Outcome.COMPLETED, outputs=outputs)


def test_call_manual_and_milestone_follow_each_other_to_a_completed_order(kit: Any, told: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("port"), kit.attribute("serial"))],
        [
            kit.plan(
                "P",
                "S",
                kit.task("call", "P.reserve", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),)),
                kit.task(
                    "manual",
                    "P.visit",
                    after=("P.reserve",),
                    form=(kit.attribute("serial", required=True),),
                    sets=(kit.sets("serial", kit.read("serial", Root.FORM)),),
                ),
                kit.task("milestone", "P.done", after=("P.visit",), visible="it works"),
            )
        ],
    )
    state, step = kit.begin(program, kit.line("1", "S", attributes={"port": None}))
    assert told(step) == ["SendCallout", "WriteInventory", "Publish"]
    sent = only(step, SendCallout)
    assert sent.callout.key == "O-1:1/P.reserve#0"
    assert sent.callout.context["line"] == {
        "port": None,
        "serial": None,
        "id": "1",
        "action": "add",
        "spec": "S",
        "quantity": 1,
    }
    assert sent.callout.context["task"]["attempt"] == 1
    assert (state.status, state.plan) == (OrderStatus.IN_PROGRESS, PlanState.IN_PROGRESS)

    step = advance(program, state, answered("1/P.reserve", ref="P-17"), kit.at)
    assert state.lines["1"].attributes["port"] == "P-17"
    provenance = state.lines["1"].provenance["port"]
    assert (provenance.origin, provenance.by, provenance.text) == (Origin.TASK, "1/P.reserve", "response.ref")
    work = only(step, OpenWork)
    assert (work.kind, work.queue, [each.name for each in work.form]) == (WorkKind.MANUAL, "desk", ["serial"])
    assert state.status is OrderStatus.PENDING
    assert step.tasks == {"1/P.reserve", "1/P.visit"}
    assert step.lines == {"1"}

    with pytest.raises(Refused, match="needs a value for `serial`"):
        advance(program, state, WorkCompleted(task="1/P.visit", by="ana"), kit.at)
    done = WorkCompleted(task="1/P.visit", by="ana", values={"serial": "HW1"})
    step = advance(program, state, done, kit.at)
    assert state.lines["1"].attributes["serial"] == "HW1"
    assert state.tasks["1/P.visit"].by == "ana"
    published = [command.data for command in step.commands if isinstance(command, Publish)]
    assert [each.get("text") or each.get("to") for each in published] == ["it works", "completed"]
    assert (state.status, state.plan, state.completed_at) == (OrderStatus.COMPLETED, PlanState.COMPLETED, kit.at)
    assert state.version == 3
    with pytest.raises(Refused, match="is not open for work, it is completed"):
        advance(program, state, done, kit.at)


def test_a_callback_completes_a_call_that_was_taken_on(kit: Any, told: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("port"))],
        [kit.plan("P", "S", kit.task("call", "P.a", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),)))],
        [kit.operation("sys.do", kit.attribute("ref"), callback_within=timedelta(hours=4))],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    taken = CalloutAnswered(task="1/P.a", attempt=1, outcome=Outcome.ACCEPTED, correlation="R-9")
    step = advance(program, state, taken, kit.at)
    awaited = AwaitCallback(task="1/P.a", operation="sys.do", correlation="R-9", attempt=1)
    assert only(step, AwaitCallback) == awaited
    assert only(step, StartTimer).due == kit.at + timedelta(hours=4)
    assert state.status is OrderStatus.IN_PROGRESS
    assert advance(program, state, taken, kit.at).entries == ()

    stale = CallbackReceived(task="1/P.a", outcome=Outcome.COMPLETED, outputs={"ref": "P-0"}, attempt=2)
    assert advance(program, state, stale, kit.at).tasks == frozenset()
    assert state.tasks["1/P.a"].state is TaskState.WAITING

    done = CallbackReceived(task="1/P.a", outcome=Outcome.COMPLETED, outputs={"ref": "P-1"}, attempt=1)
    step = advance(program, state, done, kit.at)
    assert told(step)[:2] == ["StopWaiting", "CancelTimer"]
    assert (state.status, state.lines["1"].attributes["port"]) == (OrderStatus.COMPLETED, "P-1")
    version = state.version
    assert advance(program, state, done, kit.at).commands == ()
    assert state.version == version


def test_no_callback_in_time_is_fallout(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S")],
        [kit.plan("P", "S", kit.task("call", "P.a", fallout="noc"))],
        [kit.operation("sys.do", callback_within=timedelta(hours=4))],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    advance(program, state, CalloutAnswered(task="1/P.a", attempt=1, outcome=Outcome.ACCEPTED), kit.at)
    step = advance(program, state, TimerFired(task="1/P.a", kind=TimerKind.LIMIT, attempt=1), kit.at)
    work = only(step, OpenWork)
    assert (work.kind, work.queue, work.code) == (WorkKind.FALLOUT, "noc", "timeout")
    assert state.tasks["1/P.a"].state is TaskState.FALLOUT


def waiting(kit: Any, **fields: Any) -> tuple[Any, OrderState, Any]:
    match = EventMatch(
        event="ont.online",
        matching=kit.same((Root.EVENT, "serial"), (Root.LINE, "serial")),
        field="serial",
        key=kit.read("serial"),
    )
    fields.setdefault("event", match)
    program = kit.program(
        [kit.spec("S", kit.attribute("serial"), kit.attribute("seen"))],
        [kit.plan("P", "S", kit.task("wait", "P.online", **fields))],
    )
    return program, *kit.begin(program, kit.line("1", "S", attributes={"serial": "HW1"}))


def test_a_wait_ends_with_the_event_that_matches(kit: Any) -> None:
    program, state, step = waiting(kit, sets=(kit.sets("seen", kit.read("where", Root.EVENT)),))
    assert only(step, AwaitEvent) == AwaitEvent(task="1/P.online", event="ont.online", field="serial", key="HW1")
    assert state.status == "pending"
    for wrong in ({"serial": "HW2"}, {"serial": 7}, {}, {"serial": None}):
        arrived = EventArrived(task="1/P.online", event="ont.online", payload=wrong)
        assert advance(program, state, arrived, kit.at).entries == ()
    advance(
        program,
        state,
        EventArrived(task="1/P.online", event="ont.online", payload={"serial": "HW1", "where": "x"}),
        kit.at,
    )
    assert state.status is OrderStatus.COMPLETED
    assert state.lines["1"].attributes["seen"] == "x"


@pytest.mark.parametrize(
    ("otherwise", "expected"),
    [("fallout", TaskState.FALLOUT), ("skip", TaskState.SKIPPED), ("continue", TaskState.COMPLETED)],
)
def test_a_wait_that_takes_too_long(kit: Any, otherwise: str, expected: TaskState) -> None:
    limit = Within(limit=timedelta(hours=4), otherwise=otherwise, queue="noc" if otherwise == "fallout" else "")
    program, state, step = waiting(kit, within=limit)
    timer = only(step, StartTimer)
    assert (timer.kind, timer.due) == (TimerKind.LIMIT, kit.at + timedelta(hours=4))
    advance(program, state, TimerFired(task="1/P.online", kind=TimerKind.LIMIT, attempt=1), timer.due)
    task = state.tasks["1/P.online"]
    assert task.state is expected
    assert task.queue == ("noc" if expected is TaskState.FALLOUT else "")


def test_a_wait_for_a_condition_goes_on_when_what_it_reads_changes(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("port")), kit.spec("T", kit.attribute("x"))],
        [
            kit.plan("P", "S", kit.task("call", "P.a", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),))),
            kit.plan("Q", "T", kit.task("wait", "Q.w", until=kit.equal("port", "P-1", Root.PARENT))),
        ],
    )
    state, _ = kit.begin(program, kit.line("1", "S"), kit.line("2", "T", parent="1", root="1"))
    assert state.tasks["2/Q.w"].state is TaskState.WAITING
    advance(program, state, answered("1/P.a", ref="P-1"), kit.at)
    assert state.status is OrderStatus.COMPLETED


@pytest.mark.parametrize(
    ("instant", "waits"),
    [(None, False), (datetime(2026, 3, 1, tzinfo=UTC), False), (datetime(2026, 3, 9, tzinfo=UTC), True)],
)
def test_a_pause_until_an_instant(kit: Any, instant: datetime | None, waits: bool) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("start", DATETIME))],
        [kit.plan("P", "S", kit.task("pause", "P.p", until_instant=kit.read("start", kind=DATETIME)))],
    )
    state, step = kit.begin(program, kit.line("1", "S", attributes={"start": instant}))
    assert (state.tasks["1/P.p"].state is TaskState.WAITING) == waits
    if waits:
        assert only(step, StartTimer).due == instant
        stale = TimerFired(task="1/P.p", kind=TimerKind.PAUSE, attempt=0)
        assert advance(program, state, stale, kit.at).entries == ()
        advance(program, state, TimerFired(task="1/P.p", kind=TimerKind.PAUSE, attempt=1), instant)
    assert state.status is OrderStatus.COMPLETED


def test_a_pause_for_a_span(kit: Any) -> None:
    program = kit.program([kit.spec("S")], [kit.plan("P", "S", kit.task("pause", "P.p", pause=timedelta(days=2)))])
    state, step = kit.begin(program, kit.line("1", "S"))
    assert only(step, StartTimer).due == kit.at + timedelta(days=2) == state.tasks["1/P.p"].due


def test_auto_tasks_compute_in_a_row_without_recursion(kit: Any) -> None:
    names = [f"P.t{i}" for i in range(10_000)]
    tasks = [kit.task("auto", names[0], sets=(kit.sets("x", kit.constant("seen")),))]
    tasks += [kit.task("milestone", name, after=(before,)) for before, name in pairwise(names)]
    program = kit.program([kit.spec("S", kit.attribute("x"))], [kit.plan("P", "S", *tasks)])
    state, _ = kit.begin(program, kit.line("1", "S"))
    assert state.status is OrderStatus.COMPLETED
    assert state.lines["1"].attributes["x"] == "seen"


def test_a_false_condition_skips_a_task_and_what_comes_after_goes_on(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("x"))],
        [
            kit.plan(
                "P",
                "S",
                kit.task("auto", "P.a", sets=(kit.sets("x", kit.constant("yes")),)),
                kit.task("auto", "P.never", when=kit.equal("x", "no"), after=("P.a",)),
                kit.task("auto", "P.decided_late", when=kit.equal("x", "yes"), after=("P.never",)),
            )
        ],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    assert kit.states(state) == {"a": "completed", "never": "skipped", "decided_late": "completed"}


def test_a_subplan_stands_for_its_tasks(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S")],
        [
            kit.plan(
                "P",
                "S",
                kit.task("call", "P.first"),
                kit.task("subplan", "P.inner", plan="Q", after=("P.first",)),
                kit.task("milestone", "P.last", after=("P.inner",)),
            ),
            kit.plan(
                "Q",
                "S",
                kit.task("call", "Q.a"),
                kit.task("subplan", "Q.deep", plan="R", after=("Q.a",)),
                actions=(),
            ),
            kit.plan("R", "S", kit.task("auto", "R.x"), kit.task("call", "R.y", after=("R.x",)), actions=()),
        ],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    assert list(state.tasks) == [
        "1/P.first",
        "1/P.inner",
        "1/P.inner/Q.a",
        "1/P.inner/Q.deep",
        "1/P.inner/Q.deep/R.x",
        "1/P.inner/Q.deep/R.y",
        "1/P.last",
    ]
    assert kit.states(state)["a"] == "pending"
    advance(program, state, answered("1/P.first"), kit.at)
    assert kit.states(state)["a"] == "running"
    advance(program, state, answered("1/P.inner/Q.a"), kit.at)
    assert kit.states(state) == {
        "first": "completed",
        "inner": "running",
        "a": "completed",
        "deep": "running",
        "x": "completed",
        "y": "running",
        "last": "pending",
    }
    advance(program, state, answered("1/P.inner/Q.deep/R.y"), kit.at)
    assert state.status is OrderStatus.COMPLETED


def test_a_subplan_whose_condition_is_false_is_skipped_with_all_its_tasks(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("x"))],
        [
            kit.plan("P", "S", kit.task("subplan", "P.inner", plan="Q", when=kit.present("x"))),
            kit.plan("Q", "S", kit.task("call", "Q.a"), kit.task("call", "Q.b", after=("Q.a",)), actions=()),
        ],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    assert set(kit.states(state).values()) == {"skipped"}
    assert state.status is OrderStatus.COMPLETED


def test_work_is_due_on_business_days_of_the_designs_time_zone(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S")],
        [kit.plan("P", "S", kit.task("manual", "P.m", due=Due(business_days=2)))],
        time_zone="Europe/Berlin",
    )
    friday = datetime(2026, 3, 27, 12, tzinfo=UTC)
    state, step = kit.begin(program, kit.line("1", "S"), at=friday)
    assert only(step, OpenWork).due == datetime(2026, 3, 31, 11, tzinfo=UTC)
    assert state.status is OrderStatus.PENDING


def test_an_order_with_nothing_to_do_completes_at_once(kit: Any) -> None:
    program = kit.program([kit.spec("S")], [])
    state, step = kit.begin(program, kit.line("1", "S"))
    assert state.status is OrderStatus.COMPLETED
    assert state.lines["1"].state is OrderStatus.COMPLETED
    order = next(entry for entry in step.entries if entry.kind == "order.state")
    assert order.data["through"] == ["inProgress"]


def test_a_product_waits_for_the_removal_of_what_it_no_longer_asks_for(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S"), kit.spec("T", level=Level.RESOURCE)],
        [kit.plan("P", "T", kit.task("call", "P.a"), actions=(Action.DELETE,))],
    )
    removed = kit.line("t", "T", level=Level.RESOURCE, action=Action.DELETE, parent="1", root="1")
    state, _ = kit.begin(program, kit.line("1", "S", action=Action.MODIFY), removed)
    assert state.lines["1"].state == "inProgress"
    advance(program, state, answered("t/P.a"), kit.at)
    assert state.lines["1"].state is OrderStatus.COMPLETED
