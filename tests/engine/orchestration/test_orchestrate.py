"""Which tasks an order gets, and what each comes after."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable
from typing import Any

import pytest

from orderloom.engine.orchestration import Plan, orchestrate
from orderloom.engine.program import Program
from orderloom.models.catalog import Action
from orderloom.models.fulfillment import Line
from orderloom.models.tasks import Reach


@pytest.fixture
def planned(kit: Any) -> Callable[[Program, Iterable[Line]], Plan]:
    return lambda program, lines: orchestrate(program, kit.order(), {line.id: line for line in lines})


def after(plan: Plan) -> dict[str, tuple[str, ...]]:
    return {task.id: task.after for task in plan.tasks}


def test_lines_get_the_plans_of_their_spec_and_of_what_it_extends(kit: Any, planned: Any) -> None:
    program = kit.program(
        [kit.spec("Base"), kit.spec("Sub", kit.attribute("x"), lineage=("Sub", "Base"))],
        [
            kit.plan("OnBase", "Base", kit.task("auto", "OnBase.a"), actions=(Action.ADD, Action.MODIFY)),
            kit.plan("OnSub", "Sub", kit.task("auto", "OnSub.a"), when=kit.equal("x", "yes")),
            kit.plan("OnDelete", "Sub", kit.task("auto", "OnDelete.a"), actions=(Action.DELETE,)),
        ],
    )
    lines = [
        kit.line("1", "Sub", attributes={"x": "yes"}),
        kit.line("2", "Sub", attributes={"x": "no"}),
        kit.line("3", "Sub"),
        kit.line("4", "Sub", action=Action.DELETE),
        kit.line("5", "Base", action=Action.MODIFY),
        kit.line("6", "Sub", action=Action.NO_CHANGE, attributes={"x": "yes"}),
        kit.line("7", "Sub", context=True, attributes={"x": "yes"}),
    ]
    assert list(after(planned(program, lines))) == [
        "1/OnSub.a",
        "1/OnBase.a",
        "2/OnBase.a",
        "3/OnBase.a",
        "4/OnDelete.a",
        "5/OnBase.a",
    ]


#: two bundles; each product makes a service, and both bundles share one resource
LINES = (
    ("1", "Root", (), "", "1"),
    ("2", "Item", (), "1", "1"),
    ("3", "Item", (), "1", "1"),
    ("4", "Root", (), "", "4"),
    ("s2", "Service", ("2",), "2", "1"),
    ("s3", "Service", ("3",), "3", "1"),
    ("s4", "Service", ("4",), "4", "4"),
    ("r", "Shared", ("s2", "s3", "s4"), "s2", "1"),
)


def reaching(kit: Any, planned: Any, spec: str, target: str, reach: Reach) -> dict[str, tuple[str, ...]]:
    """What the task of each line of `spec` comes after, by line, where it looks for the tasks of `target`."""
    names = ("Root", "Item", "Service", "Shared")
    plans = [kit.plan(name, name, kit.task("auto", f"{name}.t")) for name in names]
    plans.append(kit.plan("Ask", spec, kit.task("auto", "Ask.t", after=(kit.after(f"{target}.t", reach=reach),))))
    program = kit.program([kit.spec(name) for name in names], plans)
    lines = [kit.line(one, name, sources, parent=parent, root=root) for one, name, sources, parent, root in LINES]
    found = after(planned(program, lines))
    return {
        task.split("/")[0]: tuple(each.split("/")[0] for each in firsts)
        for task, firsts in found.items()
        if task.endswith("Ask.t")
    }


@pytest.mark.parametrize(
    ("spec", "target", "reach", "expected"),
    [
        ("Item", "Item", Reach.LINE, {"2": ("2",), "3": ("3",)}),
        ("Item", "Service", Reach.LINE, {"2": ("s2",), "3": ("s3",)}),
        ("Item", "Shared", Reach.LINE, {"2": ("r",), "3": ("r",)}),
        ("Shared", "Item", Reach.LINE, {"r": ("2", "3")}),
        ("Item", "Root", Reach.LINE, {"2": (), "3": ()}),
        ("Item", "Root", Reach.PARENT, {"2": ("1",), "3": ("1",)}),
        ("Item", "Item", Reach.PARENT, {"2": ("2", "3"), "3": ("2", "3")}),
        ("Root", "Item", Reach.PARENT, {"1": ("2", "3"), "4": ()}),
        ("Service", "Item", Reach.PARENT, {"s2": ("2",), "s3": ("3",), "s4": ()}),
        ("Root", "Service", Reach.BUNDLE, {"1": ("s2", "s3"), "4": ("s4",)}),
        ("Root", "Shared", Reach.BUNDLE, {"1": ("r",), "4": ("r",)}),
        ("Shared", "Service", Reach.BUNDLE, {"r": ("s2", "s3", "s4")}),
        ("Root", "Service", Reach.ORDER, {"1": ("s2", "s3", "s4"), "4": ("s2", "s3", "s4")}),
    ],
)
def test_reaches(kit: Any, planned: Any, spec: str, target: str, reach: Reach, expected: Any) -> None:
    assert reaching(kit, planned, spec, target, reach) == expected


def test_what_is_not_there_or_not_wanted_is_not_waited_for(kit: Any, planned: Any) -> None:
    conditions = {
        "true": kit.equal("x", "1"),
        "false": kit.equal("x", "2"),
        "unknown": kit.equal("y", "1"),
        "later": kit.equal("z", "1"),
    }
    spec = kit.spec("S", *map(kit.attribute, "xyz"), supplied_later=frozenset("z"))
    tasks = [kit.task("auto", "P.a")]
    tasks += [kit.task("auto", f"P.{name}", after=(kit.after("P.a", when=when),)) for name, when in conditions.items()]
    tasks.append(kit.task("auto", "P.missing", after=("Q.none", "P.a")))
    program = kit.program([spec], [kit.plan("P", "S", *tasks), kit.plan("Q", "Q", kit.task("auto", "Q.none"))])
    found = after(planned(program, [kit.line("1", "S", attributes={"x": "1"})]))
    waits = [task.split(".")[1] for task, firsts in found.items() if firsts]
    assert waits == ["true", "later", "missing"]
    assert found["1/P.missing"] == ("1/P.a",)


@pytest.mark.parametrize(("reach", "count"), [(Reach.LINE, 3), (Reach.PARENT, 2), (Reach.BUNDLE, 2), (Reach.ORDER, 1)])
def test_once_per_reach_one_task_stands_for_all(kit: Any, planned: Any, reach: Reach, count: int) -> None:
    program = kit.program(
        [kit.spec("S")],
        [
            kit.plan(
                "P",
                "S",
                kit.task("auto", "P.before"),
                kit.task("auto", "P.once", once=reach, after=("P.before",)),
                kit.task("auto", "P.then", after=("P.once",)),
            )
        ],
    )
    lines = [
        kit.line("2", "S", parent="1", root="1"),
        kit.line("3", "S", parent="1", root="1"),
        kit.line("5", "S", parent="4", root="4"),
    ]
    found = after(planned(program, lines))
    once = [task for task in found if task.endswith("once")]
    assert len(once) == count
    assert found["2/P.then"] == ("2/P.once",)
    assert found["3/P.then"] == (("3" if count == 3 else "2") + "/P.once",)
    if count == 1:
        assert found["2/P.once"] == ("2/P.before", "3/P.before", "5/P.before")


def test_a_whole_plan_once(kit: Any, planned: Any) -> None:
    program = kit.program(
        [kit.spec("S"), kit.spec("T")],
        [
            kit.plan("P", "S", kit.task("subplan", "P.in", plan="In"), once=Reach.ORDER),
            kit.plan("In", "S", kit.task("auto", "In.a"), kit.task("auto", "In.b", after=("In.a",)), actions=()),
            kit.plan("Q", "T", kit.task("auto", "Q.t", after=("P.in",))),
        ],
    )
    lines = [kit.line("1", "S"), kit.line("2", "S"), kit.line("t", "T", ("2",))]
    assert after(planned(program, lines)) == {
        "1/P.in": (),
        "1/P.in/In.a": (),
        "1/P.in/In.b": ("1/P.in/In.a",),
        "t/Q.t": ("1/P.in",),
    }


def test_attributes_are_needed_on_the_own_line(kit: Any, planned: Any) -> None:
    program = kit.program(
        [kit.spec("S", kit.attribute("x"))],
        [kit.plan("P", "S", kit.task("auto", "P.a", after=(kit.needs("x"), kit.needs("x"))))],
    )
    (task,) = planned(program, [kit.line("1", "S")]).tasks
    assert task.needs == ("x",)


def test_tasks_that_wait_for_each_other_are_a_problem(kit: Any, planned: Any) -> None:
    program = kit.program(
        [kit.spec("S"), kit.spec("T")],
        [
            kit.plan("P", "S", kit.task("auto", "P.a", after=(kit.after("Q.b", reach=Reach.ORDER),))),
            kit.plan("Q", "T", kit.task("subplan", "Q.b", plan="In"), kit.task("auto", "Q.free")),
            kit.plan("In", "T", kit.task("auto", "In.c", after=(kit.after("P.a", reach=Reach.ORDER),)), actions=()),
        ],
    )
    (problem,) = planned(program, [kit.line("1", "S"), kit.line("2", "T")]).problems
    assert problem.startswith("tasks wait for each other: ")
    assert {"`1/P.a`", "`2/Q.b`", "`2/Q.b/In.c`"} <= set(problem.split(";")[0].split(": ")[1].split(" after "))
    assert planned(program, [kit.line("2", "T")]).problems == ()


def test_a_plan_within_itself_is_a_problem(kit: Any, planned: Any) -> None:
    program = kit.program([kit.spec("S")], [kit.plan("P", "S", kit.task("subplan", "P.a", plan="P"))])
    assert planned(program, [kit.line("1", "S")]).problems == ("plan `P` contains itself through its subplans",)


def test_planning_a_large_order_takes_work_that_grows_with_its_lines(kit: Any, planned: Any) -> None:
    program = kit.program(
        [kit.spec("S"), kit.spec("R")],
        [
            kit.plan(
                "P",
                "S",
                kit.task("auto", "P.a"),
                kit.task("auto", "P.b", after=("P.a",)),
                kit.task("milestone", "P.c", after=("P.b", kit.after("R.x", reach=Reach.BUNDLE))),
            ),
            kit.plan("R", "R", kit.task("auto", "R.x", after=(kit.after("P.a", reach=Reach.ORDER),))),
        ],
    )

    def calls(count: int) -> int:
        lines = [kit.line(str(n), "S", root="1") for n in range(count)]
        lines.append(kit.line("r", "R", [line.id for line in lines], root="1"))
        made = 0

        def counted(_frame: object, event: str, _argument: object) -> None:
            nonlocal made
            made += event in ("call", "c_call")

        sys.setprofile(counted)
        try:
            plan = planned(program, lines)
        finally:
            sys.setprofile(None)
        assert len(plan.tasks) == 3 * count + 1
        assert len(plan.tasks[-1].after) == count
        return made

    assert calls(2_000) < 2.2 * calls(1_000)
