"""Failures, retries, fallout, corrections, holds: what becomes of a task that does not go well."""

from __future__ import annotations

import pickle
from copy import deepcopy
from datetime import timedelta
from typing import Any

import pytest

from orderloom.engine.advance import Refused, advance
from orderloom.models.callout import Outcome
from orderloom.models.expression import Root
from orderloom.models.fulfillment import Origin
from orderloom.models.journal import (
    CalloutAnswered,
    CalloutHeld,
    CalloutReleased,
    CloseWork,
    FalloutAction,
    FalloutResolved,
    LineCorrected,
    OpenWork,
    OrderHeld,
    OrderReleased,
    PriorityRaised,
    Publish,
    SendCallout,
    StartTimer,
    TimerFired,
    TimerKind,
    WorkKind,
    WriteInventory,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.rules import DecompositionRule
from orderloom.models.tasks import ErrorResponse, ErrorRoute

TASK = "1/P.a"


def one(step: Any, kind: type) -> Any:
    found = [command for command in step.commands if isinstance(command, kind)]
    assert len(found) == 1, step.commands
    return found[0]


def answer(outcome: Outcome, attempt: int = 1, code: str = "", **fields: Any) -> CalloutAnswered:
    return CalloutAnswered(task=TASK, attempt=attempt, outcome=outcome, code=code, **fields)


def calling(kit: Any, **fields: Any) -> tuple[Any, OrderState]:
    fields.setdefault("sets", (kit.sets("port", kit.read("ref", Root.RESPONSE)),))
    program = kit.program(
        [kit.spec("S", kit.attribute("port"), kit.attribute("site", required=True))],
        [kit.plan("P", "S", kit.task("call", "P.a", **fields), kit.task("milestone", "P.b", after=("P.a",)))],
    )
    state, _ = kit.begin(program, kit.line("1", "S", attributes={"site": "x"}))
    return program, state


def test_retries_follow_the_policy_until_it_is_exhausted(kit: Any) -> None:
    program, state = calling(kit, retry=kit.retry("staggered", 2, 10, 60))
    at = kit.at
    keys = set()
    for attempt, seconds in ((1, 10), (2, 60)):
        step = advance(program, state, answer(Outcome.RETRIABLE, attempt, "status_503"), at)
        timer = one(step, StartTimer)
        assert (timer.kind, timer.due - at) == (TimerKind.RETRY, timedelta(seconds=seconds))
        assert state.tasks[TASK].state is TaskState.SCHEDULED
        at = timer.due
        step = advance(program, state, TimerFired(task=TASK, kind=TimerKind.RETRY, attempt=attempt), at)
        keys.add(one(step, SendCallout).callout.key)
    assert keys == {"O-1:1/P.a#0"}
    step = advance(program, state, answer(Outcome.RETRIABLE, 3, "status_503", message="busy"), at)
    work = one(step, OpenWork)
    assert (work.kind, work.queue, work.code, work.message) == (WorkKind.FALLOUT, "fallout", "status_503", "busy")
    assert state.status is OrderStatus.PENDING

    step = advance(program, state, FalloutResolved(task=TASK, action=FalloutAction.RETRY, by="ana"), at)
    assert one(step, SendCallout).callout.attempt == 4
    assert one(step, CloseWork).task == TASK
    step = advance(program, state, answer(Outcome.RETRIABLE, 4, "status_503"), at)
    assert one(step, StartTimer).due == at + timedelta(seconds=10)


def test_a_system_may_ask_for_a_longer_pause(kit: Any) -> None:
    program, state = calling(kit, retry=kit.retry("fixed", 3, 10))
    step = advance(program, state, answer(Outcome.RETRIABLE, retry_after=90), kit.at)
    assert one(step, StartTimer).due == kit.at + timedelta(seconds=90)


@pytest.mark.parametrize(
    ("route", "expected", "queue"),
    [
        (ErrorRoute(code="E", response=ErrorResponse.FALLOUT, queue="desk"), TaskState.FALLOUT, "desk"),
        (ErrorRoute(code="E", response=ErrorResponse.COMPLETE), TaskState.COMPLETED, ""),
        (ErrorRoute(code="E", response=ErrorResponse.RETRY), TaskState.SCHEDULED, ""),
        (ErrorRoute(code="other", response=ErrorResponse.COMPLETE), TaskState.FALLOUT, "noc"),
    ],
)
def test_error_codes_are_routed(kit: Any, route: ErrorRoute, expected: TaskState, queue: str) -> None:
    program, state = calling(kit, errors=(route,), fallout="noc", retry=kit.retry("fixed", 1, 10))
    advance(program, state, answer(Outcome.FATAL, code="E"), kit.at)
    task = state.tasks[TASK]
    assert (task.state, task.queue, task.code) == (expected, queue, "E")


def test_stale_and_foreign_answers_change_nothing(kit: Any) -> None:
    program, state = calling(kit, retry=kit.retry("fixed", 1, 10))
    before = repr(state)
    for event in (
        answer(Outcome.COMPLETED, 0),
        answer(Outcome.COMPLETED, 2),
        CalloutAnswered(task="1/P.none", attempt=1, outcome=Outcome.COMPLETED),
        TimerFired(task=TASK, kind=TimerKind.RETRY, attempt=1),
        CalloutReleased(task=TASK, attempt=1),
    ):
        step = advance(program, state, event, kit.at)
        assert (step.entries, step.commands, step.tasks) == ((), (), frozenset())
    assert repr(state) == before


def test_corrected_data_make_a_new_request(kit: Any) -> None:
    program, state = calling(kit)
    advance(program, state, answer(Outcome.FATAL, code="NO_SITE"), kit.at)
    for wrong, message in (
        (LineCorrected(line="1", values={"sight": "y"}, by="ana"), "line `1` has no `sight`, only `port`, `site`"),
        (LineCorrected(line="1", values={"site": None}, by="ana"), "line `1` cannot be without `site`"),
        (LineCorrected(line="9", values={}, by="ana"), "order `O-1` has no line `9`"),
    ):
        before = repr(state)
        with pytest.raises(Refused, match=message):
            advance(program, state, wrong, kit.at)
        assert repr(state) == before
    advance(program, state, LineCorrected(line="1", values={"site": "y"}, by="ana", reason="typo"), kit.at)
    assert state.lines["1"].provenance["site"].origin is Origin.PERSON
    step = advance(program, state, FalloutResolved(task=TASK, action=FalloutAction.RETRY, by="ana"), kit.at)
    callout = one(step, SendCallout).callout
    assert (callout.key, callout.attempt, callout.context["line"]["site"]) == ("O-1:1/P.a#1", 2, "y")


def test_fallout_is_skipped_or_completed_by_hand(kit: Any) -> None:
    for action, port, expected in (
        (FalloutAction.SKIP, None, TaskState.SKIPPED),
        (FalloutAction.COMPLETE, "P-1", TaskState.COMPLETED),
    ):
        program, state = calling(kit)
        advance(program, state, answer(Outcome.FATAL), kit.at)
        outputs = {"ref": "P-1"} if action is FalloutAction.COMPLETE else {}
        resolved = FalloutResolved(task=TASK, action=action, by="ana", reason="phoned", outputs=outputs)
        advance(program, state, resolved, kit.at)
        assert (state.tasks[TASK].state, state.tasks[TASK].by) == (expected, "ana")
        assert state.lines["1"].attributes.get("port") == port
        assert state.status is OrderStatus.COMPLETED
        with pytest.raises(Refused, match="is not in fallout"):
            advance(program, state, resolved, kit.at)


def test_outputs_entered_by_hand_must_be_the_operations(kit: Any) -> None:
    program, state = calling(kit)
    advance(program, state, answer(Outcome.FATAL), kit.at)
    wrong = FalloutResolved(task=TASK, action=FalloutAction.COMPLETE, by="ana", outputs={"rev": "1"})
    with pytest.raises(Refused, match=r"the outputs of task `1/P\.a` have no `rev`, only `ref`"):
        advance(program, state, wrong, kit.at)
    assert (state.tasks[TASK].state, state.tasks[TASK].by) == (TaskState.FALLOUT, "")


def test_a_call_whose_connector_is_offline_is_held_not_failed(kit: Any) -> None:
    program, state = calling(kit)
    advance(program, state, CalloutHeld(task=TASK, attempt=1, reason="breaker is open"), kit.at)
    assert state.tasks[TASK].state is TaskState.HELD
    assert state.status == "inProgress"
    advance(program, state, CalloutReleased(task=TASK, attempt=1), kit.at)
    assert state.tasks[TASK].state is TaskState.RUNNING
    advance(program, state, CalloutHeld(task=TASK, attempt=1, reason="again"), kit.at)
    advance(program, state, answer(Outcome.COMPLETED), kit.at)
    assert state.status is OrderStatus.COMPLETED


def test_a_held_order_takes_answers_in_and_starts_nothing(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S")],
        [kit.plan("P", "S", kit.task("call", "P.a"), kit.task("call", "P.b", after=("P.a",)))],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    advance(program, state, OrderHeld(by="ana"), kit.at)
    with pytest.raises(Refused, match="is held, only one in progress or pending can be held"):
        advance(program, state, OrderHeld(by="ana"), kit.at)
    step = advance(program, state, answer(Outcome.COMPLETED), kit.at)
    assert not [command for command in step.commands if isinstance(command, SendCallout)]
    assert kit.states(state) == {"a": "completed", "b": "ready"}
    assert state.status == "held"
    state.index = None
    step = advance(program, state, OrderReleased(by="ana"), kit.at)
    assert one(step, SendCallout).task == "1/P.b"
    assert state.status is OrderStatus.IN_PROGRESS
    with pytest.raises(Refused, match="is not held"):
        advance(program, state, OrderReleased(by="ana"), kit.at)


def test_what_starts_after_the_priority_was_raised_goes_ahead(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S")],
        [kit.plan("P", "S", kit.task("call", "P.a"), kit.task("call", "P.b", after=("P.a",)))],
    )
    state, _ = kit.begin(program, kit.line("1", "S"))
    before = state.order.priority
    (entry,) = advance(program, state, PriorityRaised(by="watch:storm", reason="a storm"), kit.at).entries
    assert entry.data == {"text": f"priority {before - 1}, raised by watch:storm: a storm"}
    step = advance(program, state, answer(Outcome.COMPLETED), kit.at)
    assert one(step, SendCallout).priority == before - 1
    for _ in range(before + 3):
        advance(program, state, PriorityRaised(by="watch:storm"), kit.at)
    assert state.order.priority == 0
    version = state.version
    advance(program, state, PriorityRaised(by="watch:storm"), kit.at)
    assert state.version == version


def test_the_world_is_told_the_net_change_of_a_step(kit: Any) -> None:
    program = kit.program([kit.spec("S")], [kit.plan("P", "S", kit.task("manual", "P.m"))])
    state, _ = kit.begin(program, kit.line("1", "S"))
    step = advance(program, state, OrderHeld(by="ana"), kit.at)
    assert one(step, Publish).data == {"order": "O-1", "from": "pending", "to": "held"}
    step = advance(program, state, OrderReleased(by="ana"), kit.at)
    assert one(step, Publish).data == {"order": "O-1", "from": "held", "to": "pending"}
    (entry,) = step.entries
    assert entry.data["through"] == ["inProgress"]


def test_an_order_whose_last_task_ends_while_held_completes_on_release(kit: Any) -> None:
    program = kit.program([kit.spec("S")], [kit.plan("P", "S", kit.task("call", "P.a"))])
    state, _ = kit.begin(program, kit.line("1", "S"))
    advance(program, state, OrderHeld(by="ana"), kit.at)
    advance(program, state, answer(Outcome.COMPLETED), kit.at)
    assert state.status.value == "held"
    advance(program, state, OrderReleased(by="ana"), kit.at)
    assert state.status is OrderStatus.COMPLETED


def test_a_task_whose_attribute_nothing_supplies_is_shown_to_a_person(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("port"))],
        [kit.plan("P", "S", kit.task("call", "P.b", after=(kit.needs("port"),)), kit.task("auto", "P.c"))],
    )
    state, step = kit.begin(program, kit.line("1", "S"))
    work = one(step, OpenWork)
    assert (work.task, work.code) == ("1/P.b", "attribute_absent")
    assert "waits for `port` of line `1`" in work.message
    retry = FalloutResolved(task="1/P.b", action=FalloutAction.RETRY, by="ana")
    with pytest.raises(Refused, match="has no value for `port` yet"):
        advance(program, state, retry, kit.at)
    advance(program, state, LineCorrected(line="1", values={"port": "P-1"}, by="ana"), kit.at)
    step = advance(program, state, retry, kit.at)
    assert one(step, SendCallout).task == "1/P.b"


def test_an_attribute_that_arrives_starts_what_waits_for_it(kit: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("port"))],
        [
            kit.plan(
                "P",
                "S",
                kit.task("call", "P.a", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),)),
                kit.task("call", "P.b", after=(kit.needs("port"),)),
            )
        ],
    )
    line = kit.line("1", "S", missing=("port",))
    state, _ = kit.begin(program, line)
    assert kit.states(state)["b"] == "pending"
    step = advance(program, state, answer(Outcome.COMPLETED, outputs={"ref": "P-1"}), kit.at)
    assert one(step, SendCallout).callout.context["line"]["port"] == "P-1"
    assert line.missing == ()


def test_a_value_that_comes_after_its_line_was_completed_reaches_lines_made_from_it_and_inventory(kit: Any) -> None:
    copy = DecompositionRule(
        id="1->T", title="", source="S", target="T", mappings=(kit.sets("port", kit.read("port")),)
    )
    late = DecompositionRule(id="1->U", title="", source="S", target="T", when=kit.present("port"))
    program = kit.program(
        [kit.spec("S", kit.attribute("port")), kit.spec("T", kit.attribute("port", required=True))],
        [kit.plan("P", "S", kit.task("call", "P.a", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),)))],
        rules=(copy, late),
    )
    made = kit.line("t", "T", ("1",), root="1", missing=("port",))
    made.asset = "T@line:asset-1"
    state, _ = kit.begin(program, kit.line("1", "S", missing=("port",)), made)
    step = advance(program, state, answer(Outcome.COMPLETED, outputs={"ref": "P-1"}), kit.at)
    assert (made.attributes, made.missing) == ({"port": "P-1"}, ())
    assert (made.provenance["port"].origin, made.provenance["port"].by) == (Origin.RULE, "1->T")
    assert [source.rule for source in made.sources] == ["1->T", "1->U"]
    assert not [entry for entry in step.entries if entry.kind == "note"]
    changes = {change.id: change.attributes for change in one(step, WriteInventory).changes}
    assert changes == {"asset-1": {"port": "P-1"}, made.asset: {"port": "P-1"}}


def test_a_copy_of_the_state_goes_its_own_way(kit: Any) -> None:
    program, state = calling(kit)
    for kept in (deepcopy(state), pickle.loads(pickle.dumps(state))):
        assert (kept, kept.index) == (state, None)
        advance(program, kept, answer(Outcome.COMPLETED, outputs={"ref": "P-1"}), kit.at)
        assert kept.status is OrderStatus.COMPLETED
        assert state.status.value == "inProgress"
    advance(program, state, answer(Outcome.FATAL), kit.at)
    assert state.tasks[TASK].state is TaskState.FALLOUT


def test_a_subplan_done_by_hand_is_done_as_a_whole(kit: Any) -> None:
    """It waits for what nothing supplies; whoever has done it has done all of its tasks."""
    lookup = kit.task("call", "P.a", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),))
    whole = kit.task("subplan", "P.s", plan="Q", after=(kit.needs("port"),))
    program = kit.program(
        [kit.spec("S", kit.attribute("port"))],
        [
            kit.plan("P", "S", lookup, whole, kit.task("milestone", "P.z", after=("P.s",))),
            kit.plan("Q", "S", kit.task("call", "Q.x"), kit.task("manual", "Q.y", after=("Q.x",)), actions=()),
        ],
    )
    for action, expected in ((FalloutAction.COMPLETE, "completed"), (FalloutAction.SKIP, "skipped")):
        state, _ = kit.begin(program, kit.line("1", "S"))
        step = advance(program, state, answer(Outcome.COMPLETED), kit.at)
        assert one(step, OpenWork).task == "1/P.s"
        step = advance(program, state, FalloutResolved(task="1/P.s", action=action, by="ana"), kit.at)
        assert one(step, CloseWork).task == "1/P.s"
        assert kit.states(state) == {"a": "completed", "s": expected, "x": "skipped", "y": "skipped", "z": "completed"}
        assert state.status is OrderStatus.COMPLETED
