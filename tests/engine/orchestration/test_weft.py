"""Weaving lines in one after the other against making the plan of all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from orderloom.engine.orchestration import orchestrate
from orderloom.engine.orchestration.definitions import definitions
from orderloom.engine.orchestration.weft import Weft
from orderloom.engine.program import Program
from orderloom.models.catalog import Level
from orderloom.models.expression import Collection, Formula, Quantified, Quantifier, Reference, Root
from orderloom.models.fulfillment import Line, LineSource
from orderloom.models.plan import Task, TaskState
from orderloom.models.tasks import PlanDefinition, Reach
from orderloom.models.values import ACTION, INTEGER
from tests.engine.conftest import Kit

SPECS = ("P", "R", "Q")
LEVELS = (Level.PRODUCT, Level.RESOURCE_SERVICE, Level.RESOURCE)
ORDER = Kit.order(related=("R1",))
NONE: Mapping[str, Sequence[str]] = {}


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Three specs with a plan each; tasks come after others of all plans, in all reaches, once per all there is."""
    names = [f"{spec}P.{task}" for spec in SPECS for task in ("a", "b", "s", "c")]
    plans: list[PlanDefinition] = [Kit.plan("In", "P", *(Kit.task("call", f"In.{task}") for task in "xy"), actions=())]
    for spec in SPECS:
        tasks = []
        for name in (each for each in names if each.startswith(spec)):
            after = [
                Kit.after(first, reach=draw(st.sampled_from(list(Reach))))
                for first in draw(st.lists(st.sampled_from((*names, "In.x")), max_size=2, unique=True))
                if first != name and not draw(st.integers(0, 2))
            ]
            if draw(st.integers(0, 3)) == 0:
                after.append(Kit.after(names[0], when=Kit.equal("v", "1")))
            once = draw(st.sampled_from((None, None, None, Reach.PARENT, Reach.BUNDLE, Reach.ORDER)))
            fields: dict[str, Any] = {"after": tuple(after), "once": once}
            inner = draw(st.sampled_from(("", "In"))) if name.endswith(".s") else ""
            tasks.append(Kit.task("subplan" if inner else "call", name, **({"plan": inner} if inner else {}), **fields))
        plan_once = draw(st.sampled_from((None, None, None, Reach.BUNDLE, Reach.ORDER)))
        plans.append(Kit.plan(f"{spec}P", spec, *tasks, once=plan_once))
    return Kit.program([Kit.spec(name, Kit.attribute("v")) for name in SPECS], plans)


@st.composite
def lines(draw: st.DrawFn) -> list[Line]:
    """Products, some under others, and technical lines made from one or several lines."""
    found: list[Line] = []
    for number in range(draw(st.integers(1, 8))):
        kind = draw(st.integers(0, 2)) if found else 0
        above = draw(st.lists(st.sampled_from(found), min_size=1, max_size=2, unique_by=id)) if found else []
        if kind:
            sources = tuple(LineSource(each.id, "r") for each in above)
            parent, root = above[0].id, above[0].root
        else:
            sources, parent = (), draw(st.sampled_from(["", *(each.id for each in found if not each.sources)]))
            root = next((each.root for each in found if each.id == parent), str(number))
        line = Kit.line(str(number), SPECS[kind], level=LEVELS[kind], parent=parent, root=root)
        found.append(replace(line, sources=sources, attributes={"v": draw(st.sampled_from("12"))}))
    return found


def made(program: Program, there: Iterable[Line]) -> tuple[dict[str, Task], tuple[str, ...]]:
    plan = orchestrate(program, ORDER, {line.id: line for line in there})
    return {task.id: task for task in plan.tasks}, plan.problems


def parts(tasks: dict[str, Task]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for task in tasks.values():
        if task.within:
            found.setdefault(task.within, []).append(task.id)
    return found


def weave(
    weft: Weft, tasks: dict[str, Task], added: Sequence[Line], joined: Mapping[str, Sequence[str]] = NONE
) -> bool:
    """Weaves lines in; whether that goes without tasks that wait for each other."""
    woven = weft.weave(added, (), joined, parts(tasks))
    if woven.ring:
        return False
    tasks.update(woven.tasks)
    for id, firsts in woven.waiting.items():
        assert not set(firsts) & set(tasks[id].after)
        tasks[id].after = tuple(sorted((*tasks[id].after, *firsts)))
    for id, others in woven.elsewhere.items():
        tasks[id].elsewhere = tuple(sorted((*tasks[id].elsewhere, *others)))
    return True


@given(program=programs(), there=lines(), data=st.data())
def test_one_after_the_other_is_as_at_once(program: Program, there: list[Line], data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.sets(st.integers(0, len(there)), min_size=1)))
    tasks, problems = made(program, there[: cuts[0]])
    wanted, ring = made(program, there)
    if problems:
        assert ring
        return
    weft = Weft(program, ORDER, {line.id: line for line in there[: cuts[0]]}, tasks, ())
    for start, end in zip(cuts, (*cuts[1:], len(there)), strict=True):
        if data.draw(st.booleans(), "forget"):
            # what was kept is as what is found anew in the rows
            weft = Weft(program, ORDER, {line.id: line for line in there[:start]}, tasks, ())
        if not weave(weft, tasks, there[start:end]):
            event("ring")
            assert ring
            return
    assert not ring
    event(f"{len(tasks)} tasks")
    assert set(tasks) == set(wanted)
    for id, task in wanted.items():
        for name in ("after", "needs", "elsewhere", "within"):
            assert getattr(tasks[id], name) == getattr(task, name), (id, name)


@given(program=programs(), there=lines(), data=st.data())
def test_a_line_that_gains_a_source_is_found_through_it(
    program: Program, there: list[Line], data: st.DataObject
) -> None:
    """What is new comes before and after the tasks that it would if all were made at once."""
    plans = [
        replace(plan, once=None, tasks=tuple(replace(task, once=None) for task in plan.tasks))
        for plan in program.design.plans.values()
    ]
    program = Kit.program(program.design.specs.values(), plans)
    first = LineSource(there[0].id, "r")
    late = replace(Kit.line("late", "R", level=LEVELS[1], parent=first.line, root=first.line), sources=(first,))
    latest = replace(Kit.line("latest", "Q", level=LEVELS[2], parent="late", root=first.line))
    latest = replace(latest, sources=(LineSource("late", "r"),))
    feeding = {each.line for line in there for each in line.sources}
    ends = [line for line in there if line.sources and line.id not in feeding]
    joined = data.draw(st.sampled_from(ends)) if ends else None
    tasks, problems = made(program, there)
    weft = Weft(program, ORDER, {line.id: line for line in there}, tasks, ())
    if problems:
        return
    if joined:
        joined.sources = (*joined.sources, LineSource("late", "r"))
    if data.draw(st.booleans(), "forget"):
        weft = Weft(program, ORDER, {line.id: line for line in there}, tasks, ())
    if not weave(weft, tasks, [late], {joined.id: ["late"]} if joined else NONE) or not weave(weft, tasks, [latest]):
        return
    wanted, ring = made(
        program, [*(line for line in there if line is not joined), late, *filter(None, [joined]), latest]
    )
    if ring:
        return
    event("joined" if joined else "not joined")
    for id, task in wanted.items():
        new = {each for each in task.after if {"late", "latest"} & {task.line, wanted[each].line}}
        assert new <= set(tasks[id].after) <= set(task.after), id


def test_what_runs_once_runs_once_for_a_line_that_is_found_later(kit: Any) -> None:
    plan = kit.plan("QP", "Q", kit.task("call", "QP.a", once=Reach.ORDER), kit.task("call", "QP.b", after=("QP.a",)))
    program = kit.program([kit.spec("P"), kit.spec("Q")], [plan])
    first = kit.line("q1", "Q", parent="p", root="p", level=Level.RESOURCE)
    there = {"p": kit.line("p", "P"), "q1": replace(first, sources=(LineSource("p", "r"),))}
    tasks, _ = made(program, there.values())
    assert set(tasks) == {"q1/QP.a", "q1/QP.b"}
    tasks["q1/QP.a"].state = TaskState.COMPLETED
    for number in (2, 3):
        weft = Weft(program, ORDER, there, tasks, ())
        line = replace(there["q1"], id=f"q{number}")
        assert weave(weft, tasks, [line])
        there[line.id] = line
    assert set(tasks) == {"q1/QP.a", "q1/QP.b", "q2/QP.b", "q3/QP.b"}
    assert tasks["q3/QP.b"].after == ("q1/QP.a",)


def test_what_was_given_up_stands_for_nobody(kit: Any) -> None:
    program = kit.program([kit.spec("Q")], [kit.plan("QP", "Q", kit.task("call", "QP.a", once=Reach.ORDER))])
    there = {"q1": kit.line("q1", "Q")}
    for state, remedied in ((TaskState.DISCARDED, ()), (TaskState.COMPLETED, ("q1/QP.a",))):
        tasks, _ = made(program, there.values())
        tasks["q1/QP.a"].state = state
        weft = Weft(program, ORDER, there, tasks, remedied)
        assert weave(weft, tasks, [kit.line("q2", "Q")])
        assert "q2/QP.a" in tasks


@pytest.mark.parametrize("forgets", (False, True), ids=("kept", "forgotten"))
def test_a_plan_that_runs_once_has_what_runs_once_more_widely(kit: Any, forgets: bool) -> None:
    """`2` and `3` are one bundle, whose plan comes without `PP.t`: that runs at `1` for the whole order."""
    plans = [
        kit.plan("PP", "P", kit.task("call", "PP.a"), kit.task("call", "PP.t", once=Reach.ORDER), once=Reach.BUNDLE),
        kit.plan("QP", "Q", kit.task("call", "QP.q", after=("PP.t",))),
    ]
    program = kit.program([kit.spec("P"), kit.spec("Q")], plans)
    under = kit.line("q", "Q", level=Level.RESOURCE, parent="3", root="2")
    late = (
        kit.line("2", "P"),
        kit.line("3", "P", parent="2", root="2"),
        replace(under, sources=(LineSource("3", "r"),)),
    )
    there = {"1": kit.line("1", "P")}
    tasks, _ = made(program, there.values())
    weft = Weft(program, ORDER, there, tasks, ())
    for line in late:
        if forgets:
            weft = Weft(program, ORDER, there, tasks, ())
        assert weave(weft, tasks, [line])
        there = {**there, line.id: line}
    assert set(tasks) == {"1/PP.a", "1/PP.t", "2/PP.a", "q/QP.q"}
    assert tasks["q/QP.q"].after == ("1/PP.t",)


def test_what_runs_once_waits_for_related_orders_for_lines_that_are_found_later(kit: Any) -> None:
    first = kit.after("X.x", reach=Reach.RELATED_ORDER, when=kit.equal("v", "1"))
    plan = kit.plan("PP", "P", kit.task("call", "PP.t", once=Reach.ORDER, after=(first,)))
    program = kit.program(
        [kit.spec("P", kit.attribute("v")), kit.spec("X")], [plan, kit.plan("X", "X", kit.task("call", "X.x"))]
    )
    there = {"1": kit.line("1", "P", attributes={"v": "2"})}
    tasks, _ = made(program, there.values())
    assert not tasks["1/PP.t"].elsewhere
    assert weave(Weft(program, ORDER, there, tasks, ()), tasks, [kit.line("2", "P", attributes={"v": "1"})])
    assert tasks["1/PP.t"].elsewhere == (("R1", "X.x"),)


def test_conditions_that_look_at_lines_at_large_are_told(kit: Any) -> None:
    action = Formula(Reference(Root.PARENT, "action", ACTION, True), "parent.action")
    count = Formula(Quantified(Quantifier.COUNT, Collection.LINES, "P", "l", None, None, INTEGER), "count of P")
    for when, wide in ((kit.equal("v", "1"), False), (action, True), (count, True)):
        plan = kit.plan("PP", "P", kit.task("call", "PP.t", once=Reach.ORDER), when=when)
        found = definitions(kit.program([kit.spec("P", kit.attribute("v"))], [plan]))
        assert (found.once, found.once_wide) == (True, wide)
        assert found.once_reads == (set() if wide else {"v"})
