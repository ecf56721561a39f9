"""Weaving lines in one after the other against making the plan of all of them at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from hypothesis import event, given
from hypothesis import strategies as st

from orderloom.engine.orchestration import orchestrate
from orderloom.engine.orchestration.weft import Weft
from orderloom.engine.program import Program
from orderloom.models.catalog import Level
from orderloom.models.fulfillment import Line, LineSource
from orderloom.models.plan import Task, TaskState
from orderloom.models.tasks import PlanDefinition, Reach
from tests.engine.conftest import Kit

SPECS = ("P", "R", "Q")
LEVELS = (Level.PRODUCT, Level.RESOURCE_SERVICE, Level.RESOURCE)
ORDER = Kit.order()


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


def weave(weft: Weft, tasks: dict[str, Task], added: Sequence[Line]) -> bool:
    """Weaves lines in; whether that goes without tasks that wait for each other."""
    woven = weft.weave(added, (), parts(tasks))
    if woven.ring:
        return False
    tasks.update(woven.tasks)
    for id, after in woven.waiting.items():
        tasks[id].after = after
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
        assert (tasks[id].after, tasks[id].needs, tasks[id].within) == (task.after, task.needs, task.within), id


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
    if problems or not weave(weft, tasks, [late]):
        return
    if joined:
        joined.sources = (*joined.sources, LineSource("late", "r"))
        weft.join(joined, ("late",))
    if not weave(weft, tasks, [latest]):
        return
    wanted, ring = made(
        program, [*(line for line in there if line is not joined), late, *filter(None, [joined]), latest]
    )
    if ring:
        return
    event("joined" if joined else "not joined")
    for id, task in wanted.items():
        new = {each for each in task.after if "latest" in (task.line, wanted[each].line)}
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
