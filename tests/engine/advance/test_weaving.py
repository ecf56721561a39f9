"""What is found while an order runs, whether what was derived from its rows is kept from event to event or not."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orderloom.engine.advance import advance
from orderloom.engine.program import Program
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action, Level, Scope
from orderloom.models.expression import Collection, Presence, Quantified, Quantifier, Root, Variable
from orderloom.models.inventory import EMPTY, Asset, AssetState, Inventory
from orderloom.models.journal import CalloutAnswered, EntryKind, SendCallout, Step, Submitted
from orderloom.models.order import OrderItem
from orderloom.models.plan import OrderState, TaskState
from orderloom.models.tasks import Due, Reach
from orderloom.models.values import BOOLEAN, INTEGER, STRING
from tests.engine.building import DAY, attribute, equal, formula, item, lit, order, ref, rule, spec
from tests.engine.conftest import Kit

FORGETS = pytest.mark.parametrize("forgets", (False, True), ids=("kept", "forgotten"))
OPTIONAL = STRING.maybe()


def delivers(name: str) -> Any:
    """A call that delivers an attribute of its line."""
    return Kit.task("call", f"PP.{name}", sets=(Kit.sets(name, Kit.read("ref", Root.RESPONSE)),))


def present(name: str) -> Presence:
    return Presence(ref(name, OPTIONAL), True, BOOLEAN)


def product(*names: str) -> Any:
    """A product whose attributes tasks deliver."""
    return spec("P", "product", *(attribute(name, OPTIONAL) for name in names), supplied_later=names)


class Run:
    """An order of which a test answers the calls."""

    def __init__(
        self, program: Program, *items: OrderItem, forgets: bool, inventory: Inventory = EMPTY, **fields: Any
    ) -> None:
        self.program, self.forgets = program, forgets
        self.state = OrderState(order=replace(order(*items), **fields), design=program.design.digest)
        advance(program, self.state, Submitted(inventory=inventory), DAY)

    def answer(self, task: str) -> Step:
        if self.forgets:
            self.state.index = None
        attempt = self.state.tasks[task].attempts
        event = CalloutAnswered(task=task, attempt=attempt, outcome=Outcome.COMPLETED, outputs={"ref": task})
        return advance(self.program, self.state, event, DAY)


@FORGETS
@pytest.mark.parametrize("reach", (Reach.LINE, Reach.BUNDLE))
def test_what_joins_a_line_that_is_there_comes_after_its_tasks(reach: Reach, forgets: bool) -> None:
    plans = [
        Kit.plan("PP", "P", delivers("d")),
        Kit.plan("AP", "A", Kit.task("call", "AP.a", after=(Kit.after("BP.b", reach=reach),))),
        Kit.plan("BP", "B", Kit.task("call", "BP.b")),
    ]
    rules = (rule("P", "A", when=present("d")), rule("A", "B"))
    program = Kit.program([product("d"), spec("A", "cfs"), spec("B", "rfs", scope=Scope.ACCOUNT)], plans, rules=rules)
    run = Run(program, *(item(str(n), "P") for n in range(3)), forgets=forgets)
    for number in range(3):
        run.answer(f"{number}/PP.d")
    waiting = [task for task in run.state.tasks.values() if task.definition == "AP.a"]
    assert [(task.state, task.after) for task in waiting] == [(TaskState.PENDING, ("B:ACC/BP.b",))] * 3


@FORGETS
def test_a_call_that_sets_several_attributes_sees_the_lines_that_were_there(forgets: bool) -> None:
    count = Quantified(Quantifier.COUNT, Collection.LINES, None, "l", None, None, INTEGER)
    both = Kit.task("call", "PP.d", sets=(Kit.sets("d", Kit.read("ref", Root.RESPONSE)), Kit.sets("n", formula(count))))
    specs = [
        spec("P", "product", attribute("d", OPTIONAL), attribute("n", INTEGER.maybe()), supplied_later=["d", "n"]),
        spec("A", "cfs"),
    ]
    program = Kit.program(specs, [Kit.plan("PP", "P", both)], rules=(rule("P", "A", when=present("d")),))
    run = Run(program, item("0", "P"), forgets=forgets)
    run.answer("0/PP.d")
    assert set(run.state.lines) == {"0", "A:O1:0"}
    assert run.state.lines["0"].attributes["n"] == 1


@FORGETS
def test_tasks_that_wait_for_one_start_in_the_order_of_their_rows(forgets: bool) -> None:
    """`PP.u` was there before `AP.m`, which reads what it sets."""
    old = Kit.task("auto", "PP.u", after=("PP.d", Kit.after("AP.n")), sets=(Kit.sets("x", Kit.constant("u")),))
    reads = Kit.task("auto", "AP.m", after=("AP.n",), sets=(Kit.sets("y", Kit.read("x", Root.PARENT)),))
    plans = [
        Kit.plan("PP", "P", delivers("d"), old),
        Kit.plan("AP", "A", Kit.task("call", "AP.n"), reads, Kit.task("call", "AP.z")),
    ]
    specs = [product("d", "x"), spec("A", "cfs", attribute("y", OPTIONAL))]
    run = Run(Kit.program(specs, plans, rules=(rule("P", "A", when=present("d")),)), item("0", "P"), forgets=forgets)
    run.answer("0/PP.d")
    step = run.answer("A:O1:0/AP.n")
    moved = [each.subject for each in step.entries if each.kind is EntryKind.TASK_STATE]
    assert moved == ["A:O1:0/AP.n", "0/PP.u", "A:O1:0/AP.m"]
    assert run.state.lines["A:O1:0"].attributes["y"] == "u"


@FORGETS
def test_a_subplan_that_starts_late_starts_before_what_comes_after_its_tasks(forgets: bool) -> None:
    def hours(number: int) -> dict[str, Any]:
        return {"duration": Due(span=timedelta(hours=number))}

    late = Kit.task("subplan", "PP.s", plan="In", after=("PP.long",), start_late=True)
    plans = [
        Kit.plan("In", "P", Kit.task("call", "In.x", **hours(1)), actions=()),
        Kit.plan("PP", "P", delivers("d"), Kit.task("call", "PP.long"), late),
        Kit.plan("AP", "A", Kit.task("call", "AP.a", after=(Kit.after("In.x", reach=Reach.ORDER),), **hours(8))),
    ]
    program = Kit.program([product("d"), spec("A", "cfs")], plans, rules=(rule("P", "A", when=present("d")),))
    run = Run(program, item("0", "P"), forgets=forgets, requested_completion=DAY + timedelta(hours=40))
    run.answer("0/PP.d")
    run.answer("0/PP.long")
    due = run.state.tasks["0/PP.s"].due
    # 40 hours less nine of work, and a quarter of these to spare
    assert due == DAY + timedelta(hours=31) - timedelta(hours=2, minutes=15)


@FORGETS
def test_lines_are_seen_sources_first_whichever_was_found_first(forgets: bool) -> None:
    first = Quantified(
        Quantifier.FIRST, Collection.CHILDREN, None, "c", None, Variable("c", "v", OPTIONAL, False), OPTIONAL
    )
    last = Kit.task(
        "call", "PP.last", after=("PP.hold", Kit.after("ZP.z", when=formula(equal(first, lit("r", OPTIONAL)))))
    )
    specs = [
        product("a", "b", "c"),
        *(
            spec(name, level, attribute("v", OPTIONAL))
            for name, level in (("R", "rfs"), ("Q", "resource"), ("Z", "cfs"))
        ),
    ]
    rules = (
        rule("P", "Q", when=present("a"), sets={"v": lit("q", OPTIONAL)}),
        rule("P", "R", when=present("b"), sets={"v": lit("r", OPTIONAL)}),
        rule("P", "Z", when=present("c")),
        # only says that Q lies below R
        rule("R", "Q", when=equal(ref("v", OPTIONAL), lit("never", OPTIONAL)), suffix="2"),
    )
    plans = [
        Kit.plan("PP", "P", *map(delivers, "abc"), Kit.task("call", "PP.hold"), last),
        Kit.plan("ZP", "Z", Kit.task("call", "ZP.z")),
    ]
    run = Run(Kit.program(specs, plans, rules=rules), item("0", "P"), forgets=forgets)
    for name in "abc":
        run.answer(f"0/PP.{name}")
    assert run.state.tasks["0/PP.last"].after == ("0/PP.hold", "Z:O1:0/ZP.z")


@FORGETS
def test_templates_see_the_action_that_a_line_has_come_to(forgets: bool) -> None:
    def held(id: str, level: Level, users: str, **fields: Any) -> Asset:
        common: dict[str, Any] = {"account": "ACC", "state": AssetState.SUSPENDED, "attributes": {}}
        if users:
            common |= {"users": frozenset(users.split()), "parent": users.split()[0], "anchor": f"{id[0]} account ACC"}
        return Asset(id=id, spec=id[0], level=level, **{**common, **fields})

    assets = (
        held("P1", Level.PRODUCT, "", attributes={"d": "1"}),
        held("B1", Level.CUSTOMER_SERVICE, "P1"),
        held("C1", Level.RESOURCE_SERVICE, "B1 P1"),
    )
    inventory = Inventory(assets={each.id: each for each in assets})
    specs = [product("d"), spec("B", "cfs", scope=Scope.ACCOUNT), spec("C", "rfs", scope=Scope.ACCOUNT)]
    rules = (rule("P", "B", when=present("d")), rule("B", "C"), rule("P", "C"))
    after = Kit.task("call", "CP.d", after=(Kit.after("PP.d", reach=Reach.ORDER),))
    plans = [
        Kit.plan("PP", "P", delivers("d")),
        Kit.plan("CP", "C", Kit.task("call", "CP.c"), after, actions=(Action.RESUME,)),
    ]
    run = Run(Kit.program(specs, plans, rules=rules), item("0", "P"), forgets=forgets, inventory=inventory)
    step = run.answer("0/PP.d")
    calls = {each.task: each.callout.context["parent"] for each in step.commands if isinstance(each, SendCallout)}
    assert calls["C:ACC/CP.d"]["action"] == "resume"
