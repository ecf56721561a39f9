"""Orders on a virtual clock: what goes well by itself, what a script makes of it, and that it replays."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from orderloom.engine.advance import replay
from orderloom.engine.program import Program
from orderloom.engine.simulation import (
    Coverage,
    Decision,
    Delivery,
    Person,
    Reply,
    Script,
    SimulationResult,
    everything,
    simulate,
)
from orderloom.models.callout import Outcome
from orderloom.models.catalog import Action, Level
from orderloom.models.expression import Default, Formula, Literal, Lookup, Reference, Root
from orderloom.models.inventory import AssetState
from orderloom.models.journal import FalloutAction, LineCorrected, OrderHeld, OrderReleased, WorkCompleted
from orderloom.models.order import OrderItem, OrderStatus, ProductOrder
from orderloom.models.rules import Column, DecompositionRule, HitPolicy, Row, Table, ValueCell
from orderloom.models.tasks import EventMatch, Within
from orderloom.models.values import STRING

HOUR = timedelta(hours=1)


def order(kit: Any, **attributes: Any) -> ProductOrder:
    plain: ProductOrder = kit.order()
    return replace(plain, items=(OrderItem(id="1", action=Action.ADD, spec="S", attributes=attributes),))


@pytest.fixture
def program(kit: Any) -> Program:
    """Reserves a port, sends somebody, waits until the port is online, and tells the customer."""
    match = EventMatch(
        event="online",
        matching=kit.same((Root.EVENT, "serial"), (Root.LINE, "serial")),
        field="serial",
        key=kit.read("serial"),
    )
    plan = kit.plan(
        "P",
        "S",
        kit.task(
            "call", "P.reserve", operation="sys.reserve", sets=(kit.sets("port", kit.read("ref", Root.RESPONSE)),)
        ),
        kit.task(
            "manual",
            "P.visit",
            after=("P.reserve",),
            form=(kit.attribute("serial", required=True),),
            sets=(kit.sets("serial", kit.read("serial", Root.FORM)),),
        ),
        kit.task("call", "P.configure", operation="sys.configure", after=("P.visit",), retry=kit.retry("fixed", 1, 60)),
        kit.task("wait", "P.online", event=match, after=("P.configure",), within=Within(limit=4 * HOUR, queue="noc")),
        kit.task("milestone", "P.done", after=("P.online",), visible="it works"),
    )
    spec = kit.spec(
        "S",
        *(kit.attribute(name) for name in ("port", "serial", "site")),
    )
    ref = kit.attribute("ref", required=True)
    operations = [kit.operation("sys.reserve", ref, callback_within=HOUR), kit.operation("sys.configure")]
    found: Program = kit.program([spec], [plan], operations)
    return found


def task(result: SimulationResult, name: str) -> Any:
    return result.state.tasks[f"1/P.{name}"]


def test_with_the_empty_script_all_goes_well(kit: Any, program: Program) -> None:
    result = simulate(program, order(kit))
    assert result.state.status is OrderStatus.COMPLETED
    assert [each.callout.operation for each in result.callouts] == ["sys.reserve", "sys.configure"]
    assert result.state.lines["1"].attributes["port"] == "ref-1"
    assert HOUR < result.ended - kit.at < 2 * HOUR
    (asset,) = result.inventory.assets.values()
    assert (asset.state, asset.attributes["serial"]) == (AssetState.ACTIVE, "serial-2")
    assert result.coverage.tasks == everything(program.design).tasks


def test_the_same_in_gives_the_same_out(kit: Any, program: Program) -> None:
    first, second = simulate(program, order(kit)), simulate(program, order(kit))
    assert (first.state, first.journal, first.commands) == (second.state, second.journal, second.commands)
    assert repr(replay(program, order(kit), first.events)) == repr(first.state)


def test_replies_are_used_one_after_the_other_and_the_last_repeats(kit: Any, program: Program) -> None:
    busy = Reply(outcome=Outcome.RETRIABLE, code="status_503", latency=timedelta(seconds=1))
    script = Script(replies={"sys.configure": (busy, Reply())})
    result = simulate(program, order(kit), script=script)
    assert (result.state.status, task(result, "configure").attempts) == (OrderStatus.COMPLETED, 2)
    calls = [each.at for each in result.callouts if each.callout.operation == "sys.configure"]
    assert calls[1] - calls[0] == timedelta(seconds=61)

    result = simulate(program, order(kit), script=Script(replies={"sys.configure": (busy,)}))
    assert (task(result, "configure").state.value, task(result, "configure").attempts) == ("fallout", 2)
    assert result.state.status is OrderStatus.PENDING


def test_an_answering_function_is_asked_first(kit: Any, program: Program) -> None:
    seen = []

    def answer(command: Any, number: int) -> Reply | None:
        seen.append((command.callout.operation, number))
        return Reply(outcome=Outcome.FATAL, code="E") if command.callout.operation == "sys.configure" else None

    result = simulate(program, order(kit), script=Script(answer=answer))
    assert seen == [("sys.reserve", 0), ("sys.configure", 0)]
    assert task(result, "configure").code == "E"


def test_people_decide_over_fallout(kit: Any, program: Program) -> None:
    broken = Reply(outcome=Outcome.FATAL, code="NO_SITE")
    script = Script(
        replies={"sys.configure": (broken, Reply())},
        decisions={"configure": (Decision(action=FalloutAction.RETRY, correct={"site": "here"}),)},
    )
    result = simulate(program, order(kit), script=script)
    assert result.state.status is OrderStatus.COMPLETED
    assert [each.callout.key[-2:] for each in result.callouts] == ["#0", "#0", "#1"]
    assert result.callouts[2].callout.context["line"]["site"] == "here"


def test_people_and_events_come_when_the_script_says(kit: Any, program: Program) -> None:
    script = Script(
        people={"visit": Person(after=26 * HOUR, values={"serial": "HW1"}, by="ana")},
        events=(
            Delivery(event="online", payload={"serial": "HW9"}, after=2 * HOUR),
            Delivery(event="online", payload={"serial": "HW1"}, after=27 * HOUR),
        ),
    )
    result = simulate(program, order(kit), script=script)
    assert (result.state.status, result.ended) == (OrderStatus.COMPLETED, kit.at + 27 * HOUR)
    assert task(result, "visit").by == "ana"


def test_an_event_that_came_early_still_counts(kit: Any, program: Program) -> None:
    script = Script(
        people={"visit": Person(values={"serial": "HW1"})},
        events=(Delivery(event="online", payload={"serial": "HW1"}),),
    )
    assert simulate(program, order(kit), script=script).state.status is OrderStatus.COMPLETED


def test_nobody_and_nothing_comes(kit: Any, program: Program) -> None:
    result = simulate(program, order(kit), script=Script(anyone=None))
    assert (task(result, "visit").state.value, result.state.status) == ("waiting", OrderStatus.PENDING)
    result = simulate(program, order(kit), script=Script(spontaneous=None))
    assert (task(result, "online").state.value, task(result, "online").queue) == ("fallout", "noc")


def test_a_callback_that_never_comes(kit: Any, program: Program) -> None:
    script = Script(replies={"sys.reserve": (Reply(outcome=Outcome.ACCEPTED),)})
    result = simulate(program, order(kit), script=script)
    assert (task(result, "reserve").code, task(result, "reserve").state.value) == ("timeout", "fallout")
    assert result.ended == kit.at + HOUR + timedelta(milliseconds=100)


def test_interventions_and_refusals(kit: Any, program: Program) -> None:
    script = Script(
        interventions=(
            (timedelta(minutes=30), OrderHeld(by="ana")),
            (timedelta(minutes=31), OrderHeld(by="bob")),
            (5 * HOUR, OrderReleased(by="ana")),
            (5 * HOUR, LineCorrected(line="1", values={"site": "there"}, by="ana")),
            (6 * HOUR, WorkCompleted(task="1/P.visit", by="bob")),
        )
    )
    result = simulate(program, order(kit), script=script)
    assert result.state.status is OrderStatus.COMPLETED
    assert [entry.data["text"] for _, entry in result.journal if str(entry.data.get("text", "")).startswith("ref")] == [
        "refused: order `O-1` is held, only one in progress or pending can be held",
        "refused: task `1/P.visit` is not open for work, it is completed",
    ]
    assert replay(program, order(kit), result.events) == result.state


def test_an_endless_retry_stops_at_the_horizon(kit: Any) -> None:
    plan = kit.plan("P", "S", kit.task("call", "P.a", retry=kit.retry("forever", None, 60)))
    program = kit.program([kit.spec("S")], [plan])
    script = Script(replies={"sys.do": (Reply(outcome=Outcome.RETRIABLE),)})
    result = simulate(program, order(kit), script=script, horizon=HOUR)
    assert 55 <= len(result.callouts) <= 60
    assert result.state.status is OrderStatus.IN_PROGRESS


def test_coverages_add_up() -> None:
    first = Coverage(rules=frozenset("a"), tasks=frozenset("x"))
    second = Coverage(rules=frozenset("b"), plans=frozenset("p"))
    both = first | second
    assert both == Coverage(rules=frozenset("ab"), plans=frozenset("p"), tasks=frozenset("x"))
    assert both.without(second) == first


def test_an_order_that_is_rejected_ends_at_once(kit: Any, program: Program) -> None:
    result = simulate(program, order(kit, nonsense="1"))
    assert result.state.status is OrderStatus.REJECTED
    assert "nonsense" in result.state.reasons[0]
    assert (result.callouts, result.inventory.assets) == ((), {})


def test_coverage_names_rules_mappings_and_rows_that_gave_values(kit: Any) -> None:
    levels = Table(
        name="levels",
        title="",
        inputs=(Column(name="site", type=STRING),),
        results=(Column(name="level", type=STRING),),
        policy=HitPolicy.FIRST,
        rows=tuple(Row(cells=(ValueCell((site,)),), results=(level,)) for site, level in (("a", "low"), ("b", "high"))),
    )
    site = Reference(Root.LINE, "site", STRING.maybe())
    level = Formula(Default(Lookup("levels", (site,), "level", STRING.maybe()), Literal("none", STRING), STRING), "…")
    fires = DecompositionRule(id="S->T", title="", source="S", target="T", mappings=(kit.sets("level", level),))
    never = DecompositionRule(id="S->T#2", title="", source="S", target="T", when=kit.equal("site", "z"))
    program = kit.program(
        [kit.spec("S", kit.attribute("site")), kit.spec("T", kit.attribute("level"), level=Level.RESOURCE)],
        [kit.plan("P", "T", kit.task("milestone", "P.m"), kit.task("call", "P.c", when=kit.equal("level", "low")))],
        rules=(fires, never),
        tables=(levels,),
    )
    result = simulate(program, order(kit, site="b"))
    assert result.state.status is OrderStatus.COMPLETED
    assert result.coverage == Coverage(
        rules=frozenset({"S->T"}),
        mappings=frozenset({"S->T.level"}),
        rows=frozenset({"levels#2"}),
        plans=frozenset({"P"}),
        tasks=frozenset({"P.m"}),
    )
    left = everything(program.design).without(result.coverage)
    assert [*left.rules, *left.rows, *left.tasks] == ["S->T#2", "levels#1", "P.c"]
