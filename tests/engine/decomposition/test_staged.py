"""Staged decomposition: what waited for an attribute is made when it arrives, and woven into the running plan."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from orderloom.engine.decomposition import decompose, decompose_further
from orderloom.engine.inventory import state_after
from orderloom.engine.simulation import simulate
from orderloom.models.catalog import Action, Level, RelationKind, Scope
from orderloom.models.expression import Binary, BinaryOperator, Collection, Presence, Quantified, Quantifier, Variable
from orderloom.models.inventory import EMPTY, AssetState
from orderloom.models.journal import EntryKind
from orderloom.models.order import ItemRelation, OrderStatus
from orderloom.models.plan import TaskState
from orderloom.models.tasks import Reach
from orderloom.models.values import BOOLEAN, INTEGER, STRING
from tests.engine.building import attribute, carried_out, formula, item, lit, order, program, ref, rule, spec

if TYPE_CHECKING:
    from tests.engine.conftest import Kit

PRODUCT = spec("P", "product", attribute("port"), supplied_later=("port",))
PRESENT = Presence(ref("port"), True, BOOLEAN)
RULES = (
    rule("P", "Access", sets={"port": ref("port")}),
    rule("P", "Port", when=PRESENT, sets={"port": ref("port")}),
    rule("Port", "Shared"),
)


def specs(shared: Scope) -> list[object]:
    return [
        PRODUCT,
        spec("Access", "cfs", attribute("port")),
        spec("Port", "rfs", attribute("port")),
        spec("Shared", "resource", scope=shared),
    ]


def test_new_lines_decompose_down_the_levels() -> None:
    made = program(specs(Scope.LINE), RULES)
    first = order(item("1", "P"))
    lines = decompose(made, first).lines
    assert [line.spec for line in lines.values()] == ["P", "Access"]

    lines["1"].attributes["port"] = "7"
    found = decompose_further(made, first, lines, "1", "port")
    assert [(line.spec, line.action, line.attributes) for line in found.added] == [
        ("Port", Action.ADD, {"port": "7"}),
        ("Shared", Action.ADD, {}),
    ]
    assert not found.joined
    assert [line.spec for line in lines.values()] == ["P", "Access"]


def test_what_another_product_has_is_joined() -> None:
    made = program(specs(Scope.ACCOUNT), RULES)
    before = order(item("1", "P", port="1"), id="O1")
    inventory = carried_out(before, decompose(made, before), carried_out(before, decompose(made, before), EMPTY))
    second = order(item("1", "P"), id="O2")
    lines = decompose(made, second, inventory).lines
    lines["1"].attributes["port"] = "2"
    found = decompose_further(made, second, lines, "1", "port")

    assert [line.spec for line in found.added] == ["Port"]
    (shared,) = found.joined
    assert (shared.spec, shared.action) == ("Shared", Action.NO_CHANGE)
    assert shared.users_added == {"Port@line:O2:1"}


def test_what_is_joined_by_something_in_use_is_not_suspended() -> None:
    rules = (rule("P", "Shared", when=PRESENT), rule("Q", "Shared"), rule("Shared", "Below"))
    below = spec("Below", "resource")
    made = program([PRODUCT, spec("Q", "product"), spec("Shared", "rfs", scope=Scope.ACCOUNT), below], rules)
    before = order(item("1", "Q"), id="O1")
    inventory = carried_out(before, decompose(made, before), EMPTY)
    second = order(item("s", "Q", Action.SUSPEND, product="O1:1"), item("2", "P"), id="O2")
    lines = decompose(made, second, inventory).lines
    (shared,) = [line for line in lines.values() if line.spec == "Shared"]
    assert shared.action is Action.SUSPEND

    lines["2"].attributes["port"] = "7"
    joined, under = decompose_further(made, second, lines, "2", "port").joined
    assert (joined.id, joined.action, joined.users_added) == (shared.id, Action.NO_CHANGE, frozenset({"O2:2"}))
    assert (under.spec, under.action, under.sources) == ("Below", Action.NO_CHANGE, lines[under.id].sources)


def test_what_was_added_for_something_suspended_is_joined_by_something_in_use() -> None:
    phones = Quantified(Quantifier.COUNT, Collection.CHILDREN, None, "c", None, None, INTEGER)
    none = Binary(BinaryOperator.EQUAL, phones, lit(0, INTEGER), BOOLEAN)
    rules = (rule("P", "Shared", when=PRESENT), rule("Q", "Shared", when=none), rule("Shared", "Below"))
    products = [PRODUCT, spec("Q", "product", contains=[("N", 0, None)]), spec("N", "product")]
    made = program([*products, spec("Shared", "rfs", scope=Scope.ACCOUNT), spec("Below", "resource")], rules)
    before = order(item("1", "Q"), item("2", "N", parent="1"), id="O1")
    inventory = carried_out(before, decompose(made, before), EMPTY)
    changed = (item("s", "Q", Action.SUSPEND, product="O1:1"), item("d", "N", Action.DELETE, product="O1:2"))
    second = order(*changed, item("3", "P"), id="O2")
    lines = decompose(made, second, inventory).lines
    above, below = [line for line in lines.values() if line.level is not Level.PRODUCT]
    assert state_after(above, lines) is state_after(below, lines) is AssetState.SUSPENDED

    lines["3"].attributes["port"] = "7"
    joined = {line.id: line for line in decompose_further(made, second, lines, "3", "port").joined}
    assert set(joined) == {above.id, below.id}
    assert {state_after(line, {**lines, **joined}) for line in joined.values()} == {AssetState.ACTIVE}


def test_a_key_may_come_later() -> None:
    key = formula(ref("port"), "port")
    made = program([PRODUCT, spec("Card", "cfs", scope=Scope.KEY, key=key)], [rule("P", "Card")])
    first = order(item("1", "P"))
    found = decompose(made, first)
    assert not found.problems
    found.lines["1"].attributes["port"] = "7/1"

    (card,) = decompose_further(made, first, found.lines, "1", "port").added
    assert card.asset == "Card@key:ACC/7%2F1"


def test_rules_see_the_children_that_were_there_before_theirs() -> None:
    children = Quantified(Quantifier.COUNT, Collection.CHILDREN, None, "c", None, None, INTEGER)
    rules = (
        rule("P", "Access"),
        rule("P", "Count", when=PRESENT, sets={"n": children}),
    )
    count = spec("Count", "cfs", attribute("n", INTEGER))
    product = spec("P", "product", attribute("port"), supplied_later=("port",), contains=[("P", 0, None)])
    made = program([product, spec("Access", "cfs"), count], rules)
    first = order(item("1", "P"), item("2", "P", parent="1"))
    lines = decompose(made, first).lines
    lines["1"].attributes["port"] = "7"

    (found,) = decompose_further(made, first, lines, "1", "port").added
    assert found.attributes == {"n": 1}


def test_what_arrives_at_a_child_is_told_to_the_rules_of_its_parent() -> None:
    port = Variable("c", "port", STRING)
    some = Quantified(Quantifier.ANY, Collection.CHILDREN, None, "c", Presence(port, True, BOOLEAN), None, BOOLEAN)
    product = spec("P", "product", attribute("port"), supplied_later=("port",), contains=[("P", 0, None)])
    made = program([product, spec("Switch", "cfs")], [rule("P", "Switch", when=some)])
    first = order(item("1", "P"), id="O1")
    inventory = carried_out(first, decompose(made, first), EMPTY)
    above = item("above", "P", Action.NO_CHANGE, product="O1:1")
    for second in (order(item("2", "P", parent="above"), above, id="O2"), order(item("2", "P"), id="O3")):
        lines = decompose(made, second, inventory).lines
        lines["2"].attributes["port"] = "7"
        found = decompose_further(made, second, lines, "2", "port").added
        assert [line.asset for line in found] == (["Switch@line:O1:1"] if second.id == "O2" else [])


def test_what_goes_makes_way_for_one_item_whoever_asks_for_it(kit: type[Kit]) -> None:
    """The replaced product takes its card with it; then two new ones find that they need one."""
    card = spec("Card", "resource", scope=Scope.ACCOUNT)
    find = kit.task("auto", "Sell.find", sets=(kit.sets("port", kit.constant("7")),))
    rules = (rule("P", "Card", when=PRESENT, quantity=lit(2, INTEGER)),)
    running = kit.program([PRODUCT, card], [kit.plan("Sell", "P", find)], rules=rules)
    before = simulate(running, order(item("1", "P"), id="O1"))
    tie = (ItemRelation(kind=RelationKind.REPLACES, product="O1:1"),)
    after = simulate(running, order(item("2", "P"), replace(item("3", "P"), relations=tie), id="O2"), before.inventory)
    (found,) = [each for each in after.inventory.assets.values() if each.spec == "Card"]
    assert (set(found.users), found.quantity) == ({"O2:2", "O2:3"}, 4)


def test_what_is_shared_is_found_by_what_rules_make_of_an_attribute_that_is_to_come(kit: type[Kit]) -> None:
    """The item took the place of one that went with a move, so that its id does not follow from what it merges by."""
    specs = [PRODUCT, spec("Access", "cfs", attribute("port")), spec("Card", "resource", scope=Scope.ACCOUNT)]
    rules = (rule("P", "Access", sets={"port": ref("port")}), rule("Access", "Card", when=PRESENT))
    find = kit.task("auto", "Sell.find", sets=(kit.sets("port", kit.constant("7")),))
    running = kit.program(specs, [kit.plan("Sell", "P", find)], rules=rules)
    inventory = simulate(running, order(item("1", "P"), id="O1")).inventory
    inventory = simulate(running, order(item("2", "P", Action.MOVE, product="O1:1"), id="O2"), inventory).inventory
    assert "Card@account:ACC'" in inventory.assets
    inventory = simulate(running, order(item("3", "P"), id="O3"), inventory).inventory
    (card,) = [each for each in inventory.assets.values() if each.spec == "Card"]
    assert card.users == {"Access@line:O2:2", "Access@line:O3:3"}


def test_what_was_suspended_before_something_in_use_joins_it_is_in_use_again(kit: type[Kit]) -> None:
    specs = [PRODUCT, spec("Q", "product"), spec("Shared", "rfs", scope=Scope.ACCOUNT), spec("Below", "resource")]
    rules = (rule("P", "Shared", when=PRESENT), rule("Q", "Shared"), rule("Shared", "Below"))
    find = kit.task("manual", "Sell.find", sets=(kit.sets("port", kit.constant("7")),))
    running = kit.program(specs, [kit.plan("Sell", "P", find)], rules=rules)
    before = simulate(running, order(item("1", "Q"), id="O1"))
    items = (item("s", "Q", Action.SUSPEND, product="O1:1"), item("2", "P"))
    left = simulate(running, order(*items, id="O2"), before.inventory).inventory
    states = {each.id: each.state for each in left.assets.values() if each.level is not Level.PRODUCT}
    assert states == dict.fromkeys(("Shared@account:ACC", "Below@line:Shared@account:ACC"), AssetState.ACTIVE)


def test_a_user_that_comes_back_to_what_it_has_left_is_a_user(kit: type[Kit]) -> None:
    """While its child moves there is nothing to share a switch for; what the new child is told brings it back."""
    port = Variable("c", "port", STRING)
    some = Quantified(Quantifier.ANY, Collection.CHILDREN, None, "c", Presence(port, True, BOOLEAN), None, BOOLEAN)
    specs = [
        spec("House", "product", contains=[("P", 0, None)]),
        PRODUCT,
        spec("Switch", "cfs", scope=Scope.ACCOUNT),
    ]
    find = kit.task("manual", "Sell.find", sets=(kit.sets("port", kit.constant("7")),))
    running = kit.program(specs, [kit.plan("Sell", "P", find)], rules=(rule("House", "Switch", when=some),))
    houses = [item(each, "House") for each in "ab"]
    before = simulate(running, order(*houses, *(item(f"{each.id}1", "P", parent=each.id) for each in houses), id="O1"))
    users = frozenset(("O1:a", "O1:b"))
    assert before.inventory.assets["Switch@account:ACC"].users == users

    moved = simulate(running, order(item("m", "P", Action.MOVE, product="O1:a1"), id="O2"), before.inventory)
    assert moved.inventory.assets["Switch@account:ACC"].users == users


def test_new_tasks_are_woven_into_the_running_plan(kit: type[Kit]) -> None:
    text = kit.attribute("port")
    running = kit.program(
        [
            kit.spec("P", text, supplied_later=frozenset(("port",))),
            kit.spec("Port", text, level=Level.RESOURCE_SERVICE, lineage=("Port",)),
        ],
        [
            kit.plan(
                "Sell",
                "P",
                kit.task("auto", "Sell.find", sets=(kit.sets("port", kit.constant("7")),)),
                kit.task("milestone", "Sell.ready", after=(kit.after("Wire.wire", reach=Reach.ORDER), "Sell.find")),
            ),
            kit.plan("Wire", "Port", kit.task("auto", "Wire.wire")),
        ],
        rules=(rule("P", "Port", when=PRESENT, sets={"port": ref("port")}),),
    )
    result = simulate(running, order(item("1", "P")))

    assert result.state.status is OrderStatus.COMPLETED
    assert result.state.tasks["1/Sell.ready"].after == ("1/Sell.find", "Port:O1:1/Wire.wire")
    ended = [entry.subject for _, entry in result.journal if entry.kind is EntryKind.TASK_STATE]
    assert ended == ["1/Sell.find", "Port:O1:1/Wire.wire", "1/Sell.ready"]
    assert result.inventory.assets["Port@line:O1:1"].attributes == {"port": "7"}


def test_tasks_that_would_wait_for_each_other_are_not_woven(kit: type[Kit]) -> None:
    text = kit.attribute("port")
    running = kit.program(
        [
            kit.spec("P", text, supplied_later=frozenset(("port",))),
            kit.spec("Port", text, level=Level.RESOURCE_SERVICE, lineage=("Port",)),
        ],
        [
            kit.plan(
                "Sell",
                "P",
                kit.task("auto", "Sell.find", sets=(kit.sets("port", kit.constant("7")),)),
                kit.task("milestone", "Sell.ready", after=(kit.after("Wire.wire", reach=Reach.ORDER), "Sell.find")),
            ),
            kit.plan(
                "Wire", "Port", kit.task("auto", "Wire.wire", after=(kit.after("Sell.ready", reach=Reach.ORDER),))
            ),
        ],
        rules=(rule("P", "Port", when=PRESENT, sets={"port": ref("port")}),),
    )
    result = simulate(running, order(item("1", "P")))

    assert result.state.status is OrderStatus.COMPLETED
    assert {task.state for task in result.state.tasks.values()} == {TaskState.COMPLETED}
    (note,) = [entry for _, entry in result.journal if entry.kind is EntryKind.NOTE]
    assert "tasks would wait for each other" in str(note.data["text"])
