"""Values that rules derive from what tasks deliver: they follow while the order runs, and stay through its changes."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from orderloom.engine.simulation import Script, SimulationResult, simulate
from orderloom.engine.simulation.acts import Change
from orderloom.models.catalog import Action, Level
from orderloom.models.expression import (
    Collection,
    Default,
    Expression,
    Presence,
    Quantified,
    Quantifier,
    Root,
    Variable,
)
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.journal import AmendmentRequested
from orderloom.models.order import OrderItem, OrderStatus, ProductOrder
from orderloom.models.rules import DecompositionRule
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import attribute, formula, item, lit, order, ref, rule, spec

if TYPE_CHECKING:
    from orderloom.engine.program import Program
    from tests.engine.conftest import Kit

PORTS = Quantified(Quantifier.SUM, Collection.CHILDREN, None, "c", None, Variable("c", "port", INTEGER), INTEGER)


def running(kit: type[Kit], *rules: DecompositionRule, kind: str = "auto") -> Program:
    """A task finds out the port of every product, a person wires what is made of it."""
    text = attribute("port", INTEGER)
    product = spec("P", "product", text, attribute("site"), contains=[("P", 0, None)], supplied_later=("port",))
    finds = kit.sets("port", formula(lit(7, INTEGER)))
    find = kit.task(kind, "Sell.find", undo="sys.do" if kind == "call" else "", sets=(finds,))
    plans = [
        kit.plan("Sell", "P", find),
        kit.plan("Wire", "Access", kit.task("manual", "Wire.wire"), actions=(Action.ADD, Action.MODIFY)),
    ]
    access = kit.spec("Access", text, level=Level.CUSTOMER_SERVICE)
    return kit.program([product, access, spec("Card", "rfs", text)], plans, rules=rules)


def sets(value: Expression, **fields: object) -> DecompositionRule:
    return rule("P", "Access", sets={"port": value}, **fields)  # type: ignore[arg-type]  # as a test gives them


def amend(wanted: ProductOrder) -> Change:
    return Change(AmendmentRequested(order=wanted, inventory=EMPTY, by="somebody"))


def carried_out(program: Program, *items: OrderItem, id: str = "O1", inventory: Inventory = EMPTY) -> SimulationResult:
    result = simulate(program, order(*items, id=id), inventory)
    assert result.state.status is OrderStatus.COMPLETED
    return result


def test_what_a_rule_takes_from_the_parent_follows(kit: type[Kit]) -> None:
    program = running(kit, sets(ref("port", INTEGER, Root.PARENT)))
    found = carried_out(program, item("1", "P"), item("2", "P", parent="1")).inventory.assets
    assert found["Access@line:O1:1"].attributes == {}
    assert found["Access@line:O1:2"].attributes == {"port": 7}


def test_what_a_rule_sums_over_children_follows_each_of_them(kit: type[Kit]) -> None:
    program = running(kit, sets(PORTS))
    items = item("1", "P"), item("2", "P", parent="1"), item("3", "P", parent="1")
    found = carried_out(program, *items).inventory.assets
    assert found["Access@line:O1:1"].attributes == {"port": 14}


def test_a_default_gives_way_and_a_higher_priority_does_not(kit: type[Kit]) -> None:
    found = carried_out(running(kit, sets(Default(ref("port", INTEGER), lit(0, INTEGER), INTEGER))), item("1", "P"))
    assert found.inventory.assets["Access@line:O1:1"].attributes == {"port": 7}

    low, high = sets(ref("port", INTEGER)), sets(lit(1, INTEGER), priority=1, suffix="#high")
    found = carried_out(running(kit, low, high), item("1", "P"))
    assert found.inventory.assets["Access@line:O1:1"].attributes == {"port": 1}


def test_of_what_one_arrival_gives_the_higher_priority_holds(kit: type[Kit]) -> None:
    late = rule("P", "Access", suffix="#late", when=Presence(ref("port", INTEGER), True, BOOLEAN), sets={"port": PORTS})
    found = carried_out(running(kit, late, sets(ref("port", INTEGER), priority=1)), item("1", "P"))
    assert found.inventory.assets["Access@line:O1:1"].attributes == {"port": 7}


def test_units_follow_down_the_levels(kit: type[Kit]) -> None:
    units = Default(ref("port", INTEGER), lit(1, INTEGER), INTEGER)
    wired = rule("Access", "Card", quantity=ref("quantity", INTEGER, meta=True))
    found = carried_out(running(kit, rule("P", "Access", quantity=units), wired), item("1", "P")).inventory.assets
    assert found["Access@line:O1:1"].quantity == 7
    assert found["Card@line:Access@line:O1:1"].quantity == 7


def test_units_of_what_joins_add_to_those_that_have_changed(kit: type[Kit]) -> None:
    units = Default(ref("port", INTEGER), lit(2, INTEGER), INTEGER)
    port = Presence(ref("port", INTEGER), True, BOOLEAN)
    late = rule("P", "Access", suffix="#late", when=port, quantity=lit(1, INTEGER))
    found = carried_out(running(kit, rule("P", "Access", quantity=units), late), item("1", "P")).inventory.assets
    assert found["Access@line:O1:1"].quantity == 7 + 1


def test_a_line_that_was_to_stay_as_it_is_is_modified(kit: type[Kit]) -> None:
    program = running(kit, sets(PORTS))
    first = carried_out(program, item("1", "P"))
    assert first.inventory.assets["Access@line:O1:1"].attributes == {"port": 0}

    above = item("above", "P", Action.NO_CHANGE, product="O1:1")
    second = carried_out(program, above, item("2", "P", parent="above"), id="O2", inventory=first.inventory)
    assert second.state.lines["Access:O1:1"].action is Action.MODIFY
    assert "Access:O1:1/Wire.wire" in second.state.tasks
    assert second.inventory.assets["Access@line:O1:1"].attributes == {"port": 7}


def test_an_amendment_keeps_what_was_derived(kit: type[Kit]) -> None:
    program = running(kit, sets(ref("port", INTEGER)))
    wanted = order(item("1", "P"), item("2", "P"))
    script = Script(interventions=((timedelta(minutes=5), amend(wanted)),))
    result = simulate(program, order(item("1", "P")), EMPTY, script)

    assert result.state.status is OrderStatus.COMPLETED
    (change,) = result.changes
    assert [each.verdict for each in change.predicted.lines if each.line == "Access:O1:1"] == ["keep"]
    for asset in ("Access@line:O1:1", "Access@line:O1:2"):
        assert result.inventory.assets[asset].attributes == {"port": 7}


def test_what_a_change_gave_up_is_done_once_it_is_wanted_again(kit: type[Kit]) -> None:
    program = running(kit, sets(PORTS), kind="call")
    first = carried_out(program, item("1", "P"))
    above = item("above", "P", Action.NO_CHANGE, product="O1:1")
    # the port is found at once, while wiring takes an hour, and is to be found again for another site
    second = order(above, item("2", "P", parent="above", site="here"), id="O2")
    amended = order(above, item("2", "P", parent="above", site="there"), id="O2")
    script = Script(interventions=((timedelta(minutes=30), amend(amended)),))
    result = simulate(program, second, first.inventory, script)

    assert result.state.status is OrderStatus.COMPLETED
    states = {id: task.state.value for id, task in result.state.tasks.items()}
    assert states["2/Sell.find~1"] == states["Access:O1:1/Wire.wire~1"] == "cancelled"
    assert states["Access:O1:1/Wire.wire"] == "completed"
    assert result.inventory.assets["Access@line:O1:1"].attributes == {"port": 7}


def test_a_product_that_an_amendment_lets_go_counts_as_it_is(kit: type[Kit]) -> None:
    program = running(kit, sets(PORTS), kind="manual")
    first = carried_out(program, item("1", "P"), item("2", "P", parent="1"))
    above = item("above", "P", Action.NO_CHANGE, product="O1:1")
    added = item("3", "P", parent="above")
    second = order(above, added, item("gone", "P", Action.DELETE, product="O1:2"), id="O2")
    script = Script(interventions=((timedelta(minutes=5), amend(order(above, added, id="O2"))),))
    result = simulate(program, second, first.inventory, script)

    assert result.state.status is OrderStatus.COMPLETED
    assert result.inventory.assets["Access@line:O1:1"].attributes == {"port": 14}
