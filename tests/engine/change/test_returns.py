"""Points of no return, partial cancellation, conflicts, several changes: what a person meets."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orderloom.engine.advance import Refused
from orderloom.engine.change import assess, picture
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action
from orderloom.models.change import TaskVerdict
from orderloom.models.expression import Root
from orderloom.models.inventory import EMPTY
from orderloom.models.journal import (
    AmendmentRequested,
    CalloutAnswered,
    CancellationRequested,
    EntryKind,
    LineCorrected,
    MigrationRequested,
    WorkCompleted,
)
from orderloom.models.order import OrderStatus
from orderloom.models.plan import TaskRole, TaskState
from orderloom.models.tasks import NoReturn, PointOfNoReturn
from tests.engine.building import DAY, attribute, item, order, ref, rule, spec
from tests.engine.change.world import World
from tests.engine.conftest import Kit

HARD = NoReturn(kind=PointOfNoReturn.HARD)


def program(point: NoReturn | None = None, **fields: Any) -> Program:
    """A product and its service: reserved, configured behind a point of no return, then a visit."""
    specs = [
        spec("P", "product", attribute("a"), contains=[("P", 0, None)]),
        spec("R", "rfs", attribute("a"), attribute("port")),
    ]
    tasks = (
        Kit.task("call", "Go.reserve", undo="sys.undo", sets=(Kit.sets("port", Kit.read("ref", Root.RESPONSE)),)),
        Kit.task("call", "Go.configure", after=("Go.reserve",), undo="sys.undo", no_return=point),
        Kit.task("manual", "Go.visit", after=("Go.configure",)),
    )
    operations = [Kit.operation("sys.do", attribute("ref")), Kit.operation("sys.undo")]
    rules = (rule("P", "R", sets={"a": ref("a")}),)
    return Kit.program(specs, [Kit.plan("Go", "R", *tasks)], operations, rules=rules, **fields)


def two(first: str = "x", second: str = "y") -> Any:
    return order(item("1", "P", a=first), item("2", "P", a=second))


def visited(design: Program) -> World:
    """Both lines are configured and wait for the visit."""
    world = World(design, two(), EMPTY)
    while any(task.state is TaskState.RUNNING for task in world.state.tasks.values()):
        world.apply(world.live()[0])
    return world


def amend(world: World, wanted: Any, **fields: Any) -> AmendmentRequested:
    return AmendmentRequested(order=wanted, inventory=world.inventory, by="ana", **fields)


def stages(world: World) -> list[Any]:
    return [e.data["stage"] for step in world.steps for e in step.entries if e.kind is EntryKind.CHANGE]


def test_behind_a_hard_point_of_no_return_nothing_changes() -> None:
    world = visited(program(HARD))
    states = {id: task.state for id, task in world.state.tasks.items()}
    request = amend(world, two("z"))

    plan = assess(world.program, world.state, request)
    assert [(each.task, each.refused) for each in plan.refusals] == [("R:O1:1/Go.configure", "R:O1:1")]
    assert "past its point of no return: task `R:O1:1/Go.configure` was done on 2026-03-02" in plan.reasons[0]

    world.apply(request)
    assert stages(world) == ["requested", "refused"]
    assert {id: task.state for id, task in world.state.tasks.items()} == states
    assert world.state.order == two()
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_only_lines_past_theirs_are_refused() -> None:
    world = World(program(HARD), two(), EMPTY)
    while world.state.tasks["R:O1:1/Go.visit"].state is TaskState.PENDING:
        world.apply(next(e for e in world.live() if getattr(e, "task", "").startswith("R:O1:1/")))
    world.apply(amend(world, two("x", "z")))
    while world.state.change:
        world.apply(world.live()[0])
    assert stages(world) == ["requested", "applied"]
    world.finish()
    assert world.assets["R@line:O1:2"].attributes["a"] == "z"
    assert not [task for task in world.state.tasks if task.startswith("R:O1:1/") and "~" in task]


def test_a_point_of_no_return_of_the_bundle_holds_for_all_of_it() -> None:
    world = World(
        program(replace(HARD, bundle=True)), order(item("1", "P", a="x"), item("2", "P", parent="1", a="y")), EMPTY
    )
    while any(task.state is TaskState.RUNNING for task in world.state.tasks.values()):
        world.apply(world.live()[0])
    plan = assess(world.program, world.state, amend(world, order(item("1", "P", a="x"), item("2", "P", parent="1"))))
    assert {each.task for each in plan.refusals} == {"R:O1:1/Go.configure", "R:O1:2/Go.configure"}


def test_an_administrator_may_force_it() -> None:
    world = visited(program(HARD))
    world.apply(amend(world, two("z"), force=True))
    told = [e.data for step in world.steps for e in step.entries if e.kind is EntryKind.CHANGE][-1]
    assert (told["stage"], told["force"]) == ("applied", True)
    assert told["past return"]
    world.finish()
    assert world.assets["R@line:O1:1"].attributes["a"] == "z"


@pytest.mark.parametrize(
    ("accept", "roles", "applied"), [(False, (), False), (True, (), False), (True, ("manager",), True)]
)
def test_a_soft_one_has_its_price(accept: bool, roles: tuple[str, ...], applied: bool) -> None:
    point = NoReturn(kind=PointOfNoReturn.SOFT, consequence="a fee is charged", approval="manager")
    world = visited(program(point))
    request = CancellationRequested(inventory=world.inventory, by="ana", accept=accept, roles=roles)
    world.apply(request)
    assert stages(world)[-1] == ("applied" if applied else "refused")
    if not applied:
        told = [e.data for step in world.steps for e in step.entries if e.kind is EntryKind.CHANGE][-1]
        assert "a fee is charged" in str(told["reasons"])
        assert world.state.status is OrderStatus.PENDING
    world.finish()
    assert world.state.status is (OrderStatus.CANCELLED if applied else OrderStatus.COMPLETED)


def test_some_items_are_cancelled_and_the_others_go_on() -> None:
    world = visited(program())
    world.apply(CancellationRequested(inventory=world.inventory, by="ana", items=("1",)))
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    assert world.state.lines["1"].state is OrderStatus.CANCELLED
    assert world.state.lines["2"].state is OrderStatus.COMPLETED
    assert set(world.assets) == {"O1:2", "R@line:O1:2"}


def test_what_is_taken_back_is_told_what_was_there() -> None:
    world = visited(program())
    world.apply(amend(world, two("z")))
    undo = next(call for call in world.calls if call.task == "R:O1:1/Go.configure/undo~1")
    assert undo.callout.context["line"]["a"] == "x"
    assert undo.callout.context["line"]["port"]
    world.finish()
    again = [call for call in world.calls if call.task == "R:O1:1/Go.configure"][-1]
    assert again.callout.context["line"]["a"] == "z"
    assert again.callout.key.endswith("#1")


def test_a_failed_task_is_not_undone_by_guessing() -> None:
    world = World(program(), order(item("1", "P", a="x")), EMPTY)
    answer = world.live()[0]
    assert isinstance(answer, CalloutAnswered)
    world.apply(replace(answer, outcome=Outcome.FATAL, code="E1"))
    world.apply(CancellationRequested(inventory=world.inventory, by="ana"))
    resolve = world.state.tasks["R:O1:1/Go.reserve/resolve~1"]
    assert (resolve.role, resolve.state) == (TaskRole.RESOLVE, TaskState.WAITING)
    world.finish()
    assert world.state.status is OrderStatus.CANCELLED


def test_a_person_decides_a_conflict() -> None:
    for takes, value in ((True, "z"), (False, "corrected")):
        world = visited(program())
        world.apply(LineCorrected(line="1", values={"a": "corrected"}, by="bo"))
        world.apply(amend(world, two("z")))
        conflict = world.state.tasks["1/conflict a~1"]
        assert conflict.state is TaskState.WAITING
        world.apply(WorkCompleted(task=conflict.id, by="ana", values={"amended": takes}))
        assert world.state.lines["1"].attributes["a"] == value
        world.finish()
        assert world.state.status is OrderStatus.COMPLETED


def test_what_cannot_be_changed_is_refused_at_once() -> None:
    world = visited(program())
    with pytest.raises(Refused, match="has no item `9`"):
        world.apply(CancellationRequested(inventory=EMPTY, by="ana", items=("9",)))
    with pytest.raises(Refused, match="the amendment is for order `O9`"):
        world.apply(amend(world, order(item("1", "P"), id="O9")))
    world.finish()
    with pytest.raises(Refused, match="order the change instead"):
        world.apply(amend(world, two("z")))


def test_content_that_does_not_decompose_leaves_the_order_as_it_is() -> None:
    world = visited(program())
    plan = assess(world.program, world.state, amend(world, order(item("1", "Nothing"))))
    assert plan.problems == plan.reasons
    world.apply(amend(world, order(item("1", "Nothing"))))
    assert stages(world)[-1] == "refused"
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_an_order_moves_to_another_version() -> None:
    world = visited(program())
    specs = list(world.program.specs.values())
    tasks = (
        Kit.task("call", "Go.reserve", undo="sys.undo", sets=(Kit.sets("port", Kit.read("ref", Root.RESPONSE)),)),
        Kit.task("call", "Go.announce", after=("Go.reserve",)),
        Kit.task("manual", "Go.visit", after=("Go.announce",)),
    )
    newer = Kit.program(
        specs,
        [Kit.plan("Go", "R", *tasks)],
        list(world.program.design.operations.values()),
        rules=world.program.design.rules,
    )
    world.program = newer
    world.apply(MigrationRequested(inventory=world.inventory, design="d", by="ana"))
    tasks_now = world.state.tasks
    assert tasks_now["R:O1:1/Go.reserve"].state is TaskState.COMPLETED
    assert tasks_now["R:O1:1/Go.announce"].state is TaskState.RUNNING
    # the newer version does not know how to take it back
    assert tasks_now["R:O1:1/Go.configure/resolve~1"].state is TaskState.WAITING
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED


def test_the_picture_shows_before_and_after() -> None:
    world = visited(program())
    shown = picture(world.state, assess(world.program, world.state, amend(world, two("z"))))
    boxes = {box.task: box for box in shown.boxes}
    redone = boxes["R:O1:1/Go.reserve"]
    assert (redone.before, redone.after) == (TaskState.COMPLETED, TaskState.PENDING)
    assert redone.verdict is TaskVerdict.UNDO_REDO
    assert boxes["R:O1:2/Go.reserve"].verdict is TaskVerdict.KEEP
    assert ("R:O1:1/Go.reserve/undo~1", "R:O1:1/Go.reserve") in shown.arrows_after


def amendable(undo: dict[str, str]) -> World:
    """What `a` calls for is done, and an amend plan changes it with `b`; another item is not as far."""
    port = (Kit.sets("port", Kit.read("ref", Root.RESPONSE)),)
    own = {"sets": port, "amend_plan": "Alter", "when": Kit.equal("a", "x"), **undo}
    design = Kit.program(
        [spec("P", "product", attribute("a"), attribute("b"), attribute("port"))],
        [
            Kit.plan(
                "Go",
                "P",
                Kit.task("call", "Go.check"),
                Kit.task("call", "Go.do", after=("Go.check",), **own),
                Kit.task("manual", "Go.visit", after=("Go.do",)),
            ),
            Kit.plan("Alter", "P", Kit.task("call", "Alter.do", sets=port), actions=()),
        ],
        [Kit.operation("sys.do", attribute("ref")), Kit.operation("sys.undo")],
    )
    world = World(design, order(item("1", "P", a="x", b="x"), item("2", "P", a="y", b="x")), EMPTY)
    while world.state.tasks["1/Go.do"].state is not TaskState.COMPLETED:
        world.apply(answers(world, "1/")[0])
    return world


def amended(world: World, *contents: tuple[str, str]) -> None:
    for a, b in contents:
        world.apply(amend(world, order(item("1", "P", a=a, b=b), item("2", "P", a="y", b="x"))))
        while world.state.change:
            world.apply(answers(world)[0])


def answers(world: World, of: str = "") -> list[CalloutAnswered]:
    return [each for each in world.live() if isinstance(each, CalloutAnswered) and each.task.startswith(of)]


UNDOS: list[dict[str, str]] = [{}, {"undo": "sys.undo"}]


@pytest.mark.parametrize("undo", UNDOS)
def test_what_is_not_needed_any_more_is_not_amended(undo: dict[str, str]) -> None:
    world = amendable(undo)
    amended(world, ("x", "y"), ("z", "y"))
    world.finish()

    assert world.state.status is OrderStatus.COMPLETED
    assert world.state.tasks["1/Go.do"].state is TaskState.SKIPPED
    assert "port" not in world.assets["O1:1"].attributes
    undone = [task.id for task in world.state.tasks.values() if task.role is TaskRole.UNDO]
    assert len(undone) == len(undo)


@pytest.mark.parametrize("undo", UNDOS)
@pytest.mark.parametrize("steps", [0, 1])
@pytest.mark.parametrize("amended_first", [False, True])
def test_what_was_taken_back_is_done_anew_and_not_amended(
    undo: dict[str, str], steps: int, amended_first: bool
) -> None:
    world = amendable(undo)
    amended(world, ("x", "y"))
    if amended_first:
        while world.state.tasks["1/Go.do"].state is not TaskState.COMPLETED:
            world.apply(answers(world, "1/")[0])
    amended(world, ("z", "y"))
    for answer in answers(world, "1/")[:steps]:
        world.apply(answer)
    before = len(world.calls)
    amended(world, ("x", "w"))
    world.finish()

    assert world.state.status is OrderStatus.COMPLETED
    task = world.state.tasks["1/Go.do"]
    assert (task.state, task.definition, task.role) == (TaskState.COMPLETED, "Go.do", TaskRole.PLANNED)
    assert not [call.task for call in world.calls[before:] if "Alter" in call.task]
    assert world.assets["O1:1"].attributes["port"]
    undone = [task.id for task in world.state.tasks.values() if task.role is TaskRole.UNDO]
    assert len(undone) == len(undo)


def test_inventory_is_told_of_what_a_finished_line_relies_on_when_that_moves() -> None:
    design = Kit.program(
        [spec("P", "product", attribute("a"))],
        [Kit.plan("Go", "P", Kit.task("manual", "Go.visit", when=Kit.equal("a", "x")), actions=(Action.MODIFY,))],
    )
    first = World(design, order(item("1", "P"), item("2", "P", relies_on="1"), id="O1"), EMPTY)
    assert first.assets["O1:2"].relies_on == {"O1:1"}

    other = item("2", "P", Action.MODIFY, product="O1:2", a="y")
    wanted = order(item("1", "P", Action.MODIFY, product="O1:1", a="x"), other, id="O2")
    world = World(design, wanted, first.inventory)
    assert world.state.lines["2"].state is OrderStatus.COMPLETED
    world.apply(amend(world, order(item("1", "P", Action.MOVE, product="O1:1"), other, id="O2")))
    world.finish()
    assert world.state.status is OrderStatus.COMPLETED
    (there,) = world.assets["O1:2"].relies_on
    assert there != "O1:1" and world.assets[there].moved_from == "O1:1"


def test_an_order_for_later_without_tasks_leaves_no_timer_when_it_is_cancelled() -> None:
    later = replace(order(item("1", "P", a="x")), requested_start=DAY + timedelta(hours=2))
    world = World(Kit.program([spec("P", "product", attribute("a"))], []), later, EMPTY)
    assert world.due
    world.apply(CancellationRequested(inventory=EMPTY, by="ana"))
    assert (world.state.status, world.due) == (OrderStatus.CANCELLED, {})
