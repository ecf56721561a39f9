"""A newer version of a design meets an order that is being amended."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from orderloom.engine.change import assess
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Attribute
from orderloom.models.expression import Root
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import AmendmentRequested, CalloutAnswered, MigrationRequested
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskRole, TaskState
from orderloom.models.tasks import PlanDefinition
from orderloom.models.values import INTEGER, STRING, Type
from tests.engine.building import attribute, item, order, spec
from tests.engine.change.world import World
from tests.engine.conftest import Kit

_PORT = (Kit.sets("port", Kit.read("ref", Root.RESPONSE)),)
_CHECK, _TELL = Kit.task("manual", "Alter.check"), Kit.task("call", "Alter.tell", after=("Alter.check",), sets=_PORT)


def program(*alter: Any, undo: str = "", more: tuple[PlanDefinition, ...] = ()) -> Program:
    """What `Go.do` has done is amended by a plan of these tasks; without any it is not."""
    plans = [Kit.plan("Alter", "P", *alter, actions=())] if alter else []
    own = {"amend_plan": "Alter"} if alter else {}
    do = Kit.task("call", "Go.do", sets=_PORT, undo=undo, **own)
    return Kit.program(
        [spec("P", "product", attribute("a"), attribute("port"))],
        [Kit.plan("Go", "P", do, Kit.task("manual", "Go.visit", after=("Go.do",))), *plans, *more],
        [Kit.operation("sys.do", attribute("ref")), Kit.operation("sys.undo")],
    )


def amending(undo: str = "") -> World:
    """An order whose `Go.do` is being amended, and waits for a person within that."""
    world = World(program(_CHECK, _TELL, undo=undo), order(item("1", "P", a="x")), EMPTY)
    world.apply(next(each for each in world.live() if isinstance(each, CalloutAnswered)))
    world.apply(AmendmentRequested(order=order(item("1", "P", a="y")), inventory=world.inventory, by="ana"))
    assert world.state.tasks["1/Go.do/Alter.check"].state is TaskState.WAITING
    return world


def migrated(world: World, newer: Program) -> None:
    world.program = newer
    world.apply(MigrationRequested(inventory=world.inventory, design="d", by="ana"))
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


@pytest.mark.parametrize("undo", ["", "sys.undo"])
def test_without_its_amend_plan_it_is_done_again_as_designed(undo: str) -> None:
    world = amending(undo)
    migrated(world, program(undo=undo))
    tasks = world.state.tasks
    assert (tasks["1/Go.do"].state, tasks["1/Go.do"].role) == (TaskState.COMPLETED, TaskRole.PLANNED)
    assert tasks["1/Go.do/Alter.check"].state is TaskState.CANCELLED
    assert [each.callout.operation for each in world.calls] == ["sys.do", *([undo] if undo else []), "sys.do"]
    assert world.assets["O1:1"].attributes["port"] == "1: y, None"


def test_what_the_amend_plan_has_in_place_of_its_tasks_is_done() -> None:
    world = amending()
    migrated(world, program(Kit.task("call", "Alter.other", sets=_PORT)))
    states = {name.rpartition(".")[2]: task.state.value for name, task in world.state.tasks.items() if "/Alter" in name}
    assert states == {"check": "cancelled", "tell": "discarded", "other": "completed"}
    assert world.assets["O1:1"].attributes["port"] == "1: y, None"


def test_what_the_amend_plan_has_more_is_done_too() -> None:
    world = amending()
    migrated(world, program(_CHECK, _TELL, Kit.task("call", "Alter.more")))
    assert world.state.tasks["1/Go.do/Alter.more"].state is TaskState.COMPLETED


def test_an_amend_plan_of_which_nothing_is_left_to_do_is_done() -> None:
    world = amending()
    world.apply(next(each for each in world.live() if getattr(each, "task", "") == "1/Go.do/Alter.check"))
    while world.state.tasks["1/Go.do/Alter.tell"].state is not TaskState.FALLOUT:
        answer = next(each for each in world.live() if isinstance(each, CalloutAnswered))
        world.apply(replace(answer, outcome=Outcome.FATAL))
    calls = len(world.calls)
    migrated(world, program(_CHECK))
    assert (world.state.tasks["1/Go.do"].state, len(world.calls)) == (TaskState.COMPLETED, calls)


def test_what_amends_is_amended_while_it_amends() -> None:
    alter = (Kit.task("call", "Alter.tell", sets=_PORT, amend_plan="Again"), Kit.task("manual", "Alter.check"))
    again = Kit.plan("Again", "P", Kit.task("manual", "Again.look"), Kit.task("call", "Again.tell"), actions=())
    design = program(*alter, more=(again,))
    world = World(design, order(item("1", "P", a="x")), EMPTY)
    for a in "yzw":
        while answers := [each for each in world.live() if isinstance(each, CalloutAnswered)]:
            world.apply(answers[0])
        world.apply(AmendmentRequested(order=order(item("1", "P", a=a)), inventory=world.inventory, by="ana"))
    assert world.state.tasks["1/Go.do/Alter.tell/Again.look"].state is TaskState.WAITING
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    assert world.state.tasks["1/Go.do/Alter.tell/Again.tell"].state is TaskState.COMPLETED


@pytest.mark.parametrize("kind", [None, INTEGER, STRING])
def test_what_was_delivered_is_of_the_type_that_the_other_version_has(kind: Type | None) -> None:
    """One that the other version does not have is left behind; one of another type keeps the order from moving."""

    def version(*attributes: Attribute, **fields: Any) -> Program:
        do = Kit.task("call", "Go.do", **fields)
        plan = Kit.plan("Go", "P", do, Kit.task("manual", "Go.visit", after=("Go.do",)))
        return Kit.program([spec("P", "product", *attributes)], [plan], [Kit.operation("sys.do", attribute("ref"))])

    world = World(version(attribute("port"), sets=_PORT), order(item("1", "P")), EMPTY)
    world.apply(CalloutAnswered(task="1/Go.do", attempt=1, outcome=Outcome.COMPLETED, outputs={"ref": "A-1"}))
    world.program = version(*((attribute("port", kind),) if kind else ()))
    plan = assess(world.program, world.state, MigrationRequested(inventory=world.inventory, design="d", by="ana"))
    if kind is INTEGER:
        (problem,) = plan.problems
        assert problem.startswith("line `1`: `port`, set by `1/Go.do`, has another type in that version: expected")
        return
    migrated(world, world.program)
    (left,) = world.left().values()
    assert left.attributes == ({"port": "A-1"} if kind else {})
