"""What waits after a change: for what is amended, for what a person decides, for what takes back."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orderloom.engine.advance.agenda import ATTRIBUTE_ABSENT
from orderloom.models.callout import Outcome
from orderloom.models.expression import Root
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import (
    AmendmentRequested,
    CalloutAnswered,
    CancellationRequested,
    LineCorrected,
    WorkCompleted,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskRole, TaskState
from orderloom.models.tasks import Reach
from tests.engine.building import attribute, item, order, ref, rule, spec
from tests.engine.change.world import World
from tests.engine.conftest import Kit

_PORT = (Kit.sets("port", Kit.read("ref", Root.RESPONSE)),)


def amend(world: World, wanted: Any) -> None:
    world.apply(AmendmentRequested(order=wanted, inventory=world.inventory, by="ana"))


def answer(world: World, task: str) -> None:
    world.apply(next(each for each in world.live() if isinstance(each, CalloutAnswered) and each.task == task))


def states(world: World, *tasks: str) -> list[str]:
    return [world.state.tasks[each].state.value for each in tasks]


def test_what_needs_an_attribute_waits_until_it_is_amended() -> None:
    design = Kit.program(
        [spec("P", "product", attribute("a"), attribute("port"), attribute("label"))],
        [
            Kit.plan(
                "Go",
                "P",
                Kit.task("call", "Go.reserve", sets=_PORT, amend_plan="Alter"),
                Kit.task("auto", "Go.label", after=(Kit.needs("port"),), sets=(Kit.sets("label", Kit.read("port")),)),
                Kit.task("manual", "Go.visit", after=("Go.label",)),
            ),
            Kit.plan(
                "Alter",
                "P",
                Kit.task("call", "Alter.do", after=(Kit.needs("port"),), sets=_PORT),
                Kit.task("milestone", "Alter.done", after=("Alter.do",)),
                actions=(),
            ),
        ],
        [Kit.operation("sys.do", attribute("ref"))],
    )
    world = World(design, order(item("1", "P", a="x")), EMPTY)
    answer(world, "1/Go.reserve")
    for a in "yz":
        amend(world, order(item("1", "P", a=a)))
        # what amends needs the attribute as it is, what is made from it needs it as it will be
        assert states(world, "1/Go.reserve/Alter.do", "1/Go.label") == ["running", "pending"]
        answer(world, "1/Go.reserve/Alter.do")
        assert states(world, "1/Go.label") == ["completed"]
        assert world.state.lines["1"].attributes["label"] == f"1: {a}, None"
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_what_a_plan_within_the_amend_plan_delivers_counts_too() -> None:
    design = Kit.program(
        [spec("P", "product", attribute("a"), attribute("port"), attribute("label"))],
        [
            Kit.plan(
                "Go",
                "P",
                Kit.task("call", "Go.reserve", sets=_PORT, amend_plan="Alter"),
                Kit.task("auto", "Go.label", after=("Go.reserve",), sets=(Kit.sets("label", Kit.read("port")),)),
                Kit.task("manual", "Go.visit"),
            ),
            Kit.plan("Alter", "P", Kit.task("subplan", "Alter.do", plan="Inner"), actions=()),
            Kit.plan("Inner", "P", Kit.task("call", "Inner.do", sets=_PORT), actions=()),
        ],
        [Kit.operation("sys.do", attribute("ref"))],
    )
    world = World(design, order(item("1", "P", a="x")), EMPTY)
    answer(world, "1/Go.reserve")
    for a in "yz":
        amend(world, order(item("1", "P", a=a)))
        answer(world, "1/Go.reserve/Alter.do/Inner.do")
        assert world.state.lines["1"].attributes["label"] == f"1: {a}, None"
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_what_failed_waits_for_what_the_change_puts_before_it() -> None:
    lacking = Kit.task("auto", "Go.label", after=(Kit.needs("port"),))
    finish = Kit.task("call", "End.finish", after=(Kit.after("Go.label", reach=Reach.ORDER),))
    design = Kit.program(
        [spec("P", "product", attribute("port")), spec("S", "product")],
        [Kit.plan("Go", "P", lacking), Kit.plan("End", "S", finish)],
        [Kit.operation("sys.do", attribute("ref"))],
    )
    world = World(design, order(item("2", "S")), EMPTY)
    failed = next(each for each in world.live() if isinstance(each, CalloutAnswered))
    world.apply(replace(failed, outcome=Outcome.FATAL, code="E1"))
    assert states(world, "2/End.finish") == ["fallout"]
    amend(world, order(item("1", "P"), item("2", "S")))
    # nobody is asked about the one, so that somebody is about the other
    assert states(world, "1/Go.label", "2/End.finish") == ["fallout", "pending"]
    assert world.state.tasks["1/Go.label"].code == ATTRIBUTE_ABSENT
    assert [task for task, way in world.possible if way == "fallout"] == ["1/Go.label"]
    world.apply(LineCorrected(line="1", values={"port": "P-1"}, by="bo"))
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    assert len([call for call in world.calls if call.task == "2/End.finish"]) == 2


def disputed() -> World:
    """What `Go.measure` delivers is asked for otherwise by an amendment; `Go.fit` sees it."""
    design = Kit.program(
        [spec("P", "product", attribute("a"), attribute("width"), contains=[("P", 0, None)])],
        [
            Kit.plan(
                "Go",
                "P",
                Kit.task("call", "Go.measure", sets=(Kit.sets("width", Kit.read("ref", Root.RESPONSE)),)),
                Kit.task("auto", "Go.cut", after=("Go.measure",), when=Kit.equal("width", "1: x, None")),
                Kit.task("manual", "Go.fit", after=("Go.cut",)),
            )
        ],
        [Kit.operation("sys.do", attribute("ref"))],
    )
    world = World(design, order(item("1", "P", a="x"), item("2", "P", a="x")), EMPTY)
    answer(world, "1/Go.measure")
    return world


def asked(world: World, width: str = "", *, other: str = "x") -> None:
    wanted: dict[str, Any] = {"width": width} if width else {}
    amend(world, order(item("1", "P", a="x", **wanted), item("2", "P", a=other)))
    while world.state.change:
        answer(world, next(each.task for each in world.live() if isinstance(each, CalloutAnswered)))


def decided(world: World, conflict: str, takes: bool) -> None:
    world.apply(WorkCompleted(task=conflict, by="ana", values={"amended": takes}))


@pytest.mark.parametrize("takes", [True, False])
def test_what_sees_a_conflict_is_done_again_once_it_is_decided_either_way(takes: bool) -> None:
    world = disputed()
    asked(world, "80")
    conflict = "1/conflict width~1"
    assert world.state.tasks[conflict].state is TaskState.WAITING
    for task in ("1/Go.measure", "1/Go.cut"):
        assert (world.state.tasks[task].state, conflict in world.state.tasks[task].after) == (TaskState.PENDING, True)

    decided(world, conflict, takes)
    assert world.state.lines["1"].attributes["width"] == ("80" if takes else "1: x, None")
    # the call sees all of its line: it is asked again, and what it says then holds
    assert world.state.tasks["1/Go.measure"].state is TaskState.RUNNING
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    assert world.state.tasks["1/Go.cut"].state is TaskState.COMPLETED


def test_a_conflict_holds_back_what_sees_it_over_further_changes() -> None:
    world = disputed()
    asked(world, "80")
    asked(world, "80", other="y")
    assert [task.id for task in world.state.tasks.values() if task.role is TaskRole.CONFLICT] == ["1/conflict width~1"]
    for task in ("1/Go.measure", "1/Go.cut"):
        assert world.state.tasks[task].state is TaskState.PENDING
    decided(world, "1/conflict width~1", False)
    assert world.state.tasks["1/Go.measure"].state is TaskState.RUNNING
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_a_conflict_ends_with_what_it_was_about() -> None:
    for wanted in (order(item("1", "P", a="x"), item("2", "P", a="x")), order(item("2", "P", a="x"))):
        world = disputed()
        asked(world, "80")
        amend(world, wanted)
        while world.state.change:
            answer(world, next(each.task for each in world.live() if isinstance(each, CalloutAnswered)))
        assert world.state.tasks["1/conflict width~1"].state is TaskState.CANCELLED
        assert ("1/conflict width~1", "work") not in world.possible
        world.finish()
        assert world.state.status is OrderStatus.COMPLETED
    world = disputed()
    asked(world, "80")
    world.apply(CancellationRequested(inventory=world.inventory, by="ana"))
    world.finish()
    assert world.state.tasks["1/conflict width~1"].state is TaskState.CANCELLED
    assert world.state.status is OrderStatus.CANCELLED


@pytest.mark.parametrize("circular", [False, True])
def test_what_takes_back_a_former_version_keeps_its_order(circular: bool) -> None:
    after = ("Back.delete",) if circular else ()
    design = Kit.program(
        [spec("P", "product", attribute("a"), attribute("handle"))],
        [
            Kit.plan("Go", "P", Kit.task("call", "Go.do", undo_plan="Back"), Kit.task("manual", "Go.visit")),
            Kit.plan(
                "Back",
                "P",
                Kit.task("call", "Back.delete", after=(Kit.needs("handle"),)),
                Kit.task("call", "Back.find", after=after, sets=(Kit.sets("handle", Kit.read("ref", Root.RESPONSE)),)),
                actions=(),
            ),
        ],
        [Kit.operation("sys.do", attribute("ref"))],
    )
    world = World(design, order(item("1", "P", a="x")), EMPTY)
    answer(world, "1/Go.do")
    amend(world, order(item("1", "P", a="y")))
    tasks = {name.rpartition(".")[2]: task for name, task in world.state.tasks.items() if "/Back." in name}
    first, then = ("delete", "find") if circular else ("find", "delete")
    assert (tasks[first].state, tasks[then].state) == (TaskState.RUNNING, TaskState.PENDING)
    answer(world, tasks[first].id)
    assert tasks[then].state is TaskState.RUNNING
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


@pytest.mark.parametrize("required", [False, True])
@pytest.mark.parametrize("amends", [False, True])
def test_what_rules_derive_from_what_is_delivered_anew_is_worked_on_anew(required: bool, amends: bool) -> None:
    design = Kit.program(
        [
            spec("P", "product", attribute("a"), attribute("port", required=required), supplied_later=["port"]),
            spec("R", "rfs", attribute("port", required=required)),
        ],
        [
            Kit.plan("Go", "P", Kit.task("call", "Go.reserve", sets=_PORT, amend_plan="Alter" if amends else "")),
            Kit.plan("Alter", "P", Kit.task("call", "Alter.do", sets=_PORT), actions=()),
            Kit.plan(
                "Set", "R", Kit.task("call", "Set.up", after=(Kit.needs("port"),)), Kit.task("manual", "Set.visit")
            ),
        ],
        [Kit.operation("sys.do", attribute("ref"))],
        rules=(rule("P", "R", sets={"port": ref("port")}),),
    )
    world = World(design, order(item("1", "P", a="x")), EMPTY)
    answer(world, "1/Go.reserve")
    answer(world, "R:O1:1/Set.up")
    amend(world, order(item("1", "P", a="y")))
    world.finish()
    assert world.state.lines["R:O1:1"].attributes["port"] == "1: y, None"
    said = [call.callout.context["line"].get("port") for call in world.calls if call.task == "R:O1:1/Set.up"]
    assert said == ["1: x, None", "1: y, None"]


@pytest.mark.parametrize("takes", [True, False])
def test_what_rules_make_of_a_conflict_waits_for_its_decision(takes: bool) -> None:
    design = Kit.program(
        [spec("P", "product", attribute("a")), spec("R", "rfs", attribute("a"))],
        [Kit.plan("Set", "R", Kit.task("call", "Set.up"), Kit.task("manual", "Set.visit"))],
        [Kit.operation("sys.do", attribute("ref"))],
        rules=(rule("P", "R", sets={"a": ref("a")}),),
    )
    world = World(design, order(item("1", "P", a="x")), EMPTY)
    world.apply(LineCorrected(line="1", values={"a": "y"}, by="bo"))
    answer(world, "R:O1:1/Set.up")
    for _ in range(2):
        amend(world, order(item("1", "P", a="z")))
        assert states(world, "1/conflict a~1", "R:O1:1/Set.up") == ["waiting", "pending"]
    decided(world, "1/conflict a~1", takes)
    answer(world, "R:O1:1/Set.up")
    assert world.calls[-1].callout.context["line"]["a"] == ("z" if takes else "y")
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    assert world.assets["R@line:O1:1"].attributes["a"] == ("z" if takes else "y")
