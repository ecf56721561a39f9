"""Products that move, are replaced, change in part, and are suspended."""

from __future__ import annotations

from dataclasses import replace

from orderloom.engine.decomposition import decompose
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, RelationKind, Scope
from orderloom.models.expression import Binary, BinaryOperator, Collection, Expression, Quantified, Quantifier, Root
from orderloom.models.fulfillment import Decomposition, LineRelation
from orderloom.models.inventory import EMPTY, AssetState, Inventory
from orderloom.models.order import ItemRelation, OrderItem
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import (
    attribute,
    carried_out,
    formula,
    is_action,
    item,
    lit,
    not_,
    order,
    program,
    ref,
    rule,
    spec,
)

_SITE = attribute("site")
HOME = program(
    [
        spec("Home", "product", _SITE, contains=[("Phone", 0, None)]),
        spec("Phone", "product", attribute("number"), relations=()),
        spec("Option", "product", relations=[(RelationKind.RELIES_ON, "Home")]),
        spec("Access", "cfs", _SITE),
        spec("Voice", "cfs", attribute("number")),
        spec("Customer", "cfs", scope=Scope.ACCOUNT),
        spec("Paper", "cfs", scope=Scope.ORDER),
    ],
    [
        rule("Home", "Access", sets={"site": ref("site")}),
        rule("Home", "Customer"),
        rule("Home", "Paper"),
        rule("Phone", "Voice", sets={"number": ref("number")}),
    ],
)
BEFORE = (
    item("1", "Home", site="here"),
    item("2", "Phone", parent="1", number="7"),
    item("3", "Option"),
)


def after(made: Program, *items: OrderItem, inventory: Inventory = EMPTY, id: str = "O1") -> Inventory:
    placed = order(*items, id=id)
    found = decompose(made, placed, inventory)
    assert not found.problems
    return carried_out(placed, found, inventory)


def actions(found: Decomposition) -> dict[str, str]:
    return {line.asset: line.action.value for line in found.lines.values() if not line.context}


def messages(found: Decomposition) -> list[str]:
    return [problem.message for problem in found.problems]


def test_a_move_deletes_and_adds_what_is_bound_to_the_site() -> None:
    inventory = after(HOME, *BEFORE)
    found = decompose(HOME, order(item("m", "Home", Action.MOVE, product="O1:1", site="there"), id="O2"), inventory)

    assert not found.problems
    assert actions(found) == {
        "O1:1": "delete",
        "O2:m": "add",
        "O1:2": "delete",
        "O2:moved O1:2": "add",
        "O1:3": "noChange",
        "Access@line:O1:1": "delete",
        "Access@line:O2:m": "add",
        "Voice@line:O1:2": "delete",
        "Voice@line:O2:moved O1:2": "add",
        "Customer@account:ACC": "noChange",
        "Paper@order:O1": "noChange",
    }
    assert found.lines["m"].relations == (LineRelation(RelationKind.MOVED_FROM, "O1:1"),)
    assert found.lines["O1:1"].relations == (LineRelation(RelationKind.MOVED_TO, "m"),)
    assert found.lines["moved O1:2"].parent == "m"
    left = carried_out(order(id="O2"), found, inventory).assets
    assert (left["O2:m"].moved_from, left["O2:m"].attributes) == ("O1:1", {"site": "there"})
    assert left["O2:moved O1:2"].parent == "O2:m"
    assert left["O1:3"].relies_on == {"O2:m"}
    assert left["Customer@account:ACC"].users == {"O2:m"}


def test_a_child_may_change_or_go_while_its_product_moves() -> None:
    inventory = after(HOME, *BEFORE, item("4", "Phone", parent="1", number="8"))
    found = decompose(
        HOME,
        order(
            item("m", "Home", Action.MOVE, product="O1:1", site="there"),
            item("a", "Phone", Action.MODIFY, product="O1:2", parent="m", number="9"),
            item("b", "Phone", Action.DELETE, product="O1:4"),
            id="O2",
        ),
        inventory,
    )
    assert not found.problems
    left = carried_out(order(id="O2"), found, inventory).assets
    assert {id: dict(each.attributes) for id, each in left.items() if each.spec == "Phone"} == {"O2:a": {"number": "9"}}
    assert (left["O2:a"].moved_from, left["O2:a"].parent) == ("O1:2", "O2:m")


def test_what_is_suspended_does_not_move() -> None:
    inventory = after(HOME, *BEFORE)
    inventory = after(HOME, item("s", "Home", Action.SUSPEND, product="O1:1"), inventory=inventory, id="O2")
    assert inventory.assets["Access@line:O1:1"].state is AssetState.SUSPENDED
    found = decompose(HOME, order(item("m", "Home", Action.MOVE, product="O1:1"), id="O3"), inventory)
    assert messages(found) == ["the product `O1:1` is suspended; resume it before it moves"]


def test_what_is_suspended_stays_so_when_it_is_modified() -> None:
    inventory = after(HOME, *BEFORE)
    inventory = after(HOME, item("s", "Home", Action.SUSPEND, product="O1:1"), inventory=inventory, id="O2")
    inventory = after(HOME, item("c", "Home", Action.MODIFY, product="O1:1", site="x"), inventory=inventory, id="O3")
    held = inventory.assets["Access@line:O1:1"]
    assert (held.state, held.attributes) == (AssetState.SUSPENDED, {"site": "x"})
    inventory = after(HOME, item("r", "Home", Action.RESUME, product="O1:1"), inventory=inventory, id="O4")
    assert {each.state for each in inventory.assets.values()} == {AssetState.ACTIVE}


def test_a_product_replaces_another() -> None:
    inventory = after(HOME, *BEFORE)
    new = replace(item("n", "Home", site="new"), relations=(ItemRelation(kind=RelationKind.REPLACES, product="O1:1"),))
    found = decompose(HOME, order(new, id="O2"), inventory)

    assert not found.problems
    assert {id: action for id, action in actions(found).items() if id.startswith("O")} == {
        "O2:n": "add",
        "O1:1": "delete",
        "O1:2": "delete",
        "O1:3": "noChange",
    }
    left = carried_out(order(id="O2"), found, inventory).assets
    assert left["O2:n"].replaces == "O1:1"
    assert left["O1:3"].relies_on == {"O2:n"}


def test_one_product_takes_the_place_of_another() -> None:
    inventory = after(HOME, *BEFORE)
    tied = (ItemRelation(kind=RelationKind.REPLACES, product="O1:1"),)
    both = [replace(item(id, "Home", site="new"), relations=tied) for id in "ab"]
    found = decompose(HOME, order(*both, id="O2"), inventory)
    assert messages(found) == ["one product takes the place of another: `a` takes that of `O1:1` already"]


def test_only_what_is_added_can_replace() -> None:
    inventory = after(HOME, *BEFORE)
    tied = (ItemRelation(kind=RelationKind.REPLACES, product="O1:3"),)
    item_ = replace(item("n", "Home", Action.NO_CHANGE, product="O1:1"), relations=tied)
    found = decompose(HOME, order(item_, id="O2"), inventory)
    assert messages(found)[0].startswith("only an added item can replace")


def counting() -> Program:
    """A site whose switch has as many ports as there are phones, and is there while there are two."""
    phones: Expression = Quantified(Quantifier.COUNT, Collection.CHILDREN, "Phone", "c", None, None, INTEGER)
    several = Binary(BinaryOperator.AT_LEAST, phones, lit(2, INTEGER), BOOLEAN)
    return program(
        [
            spec("Home", "product", contains=[("Phone", 0, None)]),
            spec("Phone", "product"),
            spec("Switch", "cfs", attribute("ports", INTEGER)),
            spec("Line", "cfs"),
        ],
        [
            rule("Home", "Switch", when=several, sets={"ports": phones}),
            rule("Home", "Line", when=is_action(Action.ADD)),
        ],
    )


def test_a_parent_that_does_not_change_follows_its_children() -> None:
    made = counting()
    inventory = after(made, item("1", "Home"), item("2", "Phone", parent="1"))
    assert set(inventory.assets) == {"O1:1", "O1:2", "Line@line:O1:1"}

    home = item("h", "Home", Action.NO_CHANGE, product="O1:1")
    inventory = after(made, home, item("3", "Phone", parent="h"), inventory=inventory, id="O2")
    assert inventory.assets["Switch@line:O1:1"].attributes == {"ports": 2}
    inventory = after(made, home, item("4", "Phone", parent="h"), inventory=inventory, id="O3")
    assert inventory.assets["Switch@line:O1:1"].attributes == {"ports": 3}
    gone = [item(each, "Phone", Action.DELETE, product=each) for each in ("O1:2", "O2:3")]
    inventory = after(made, *gone, inventory=inventory, id="O4")
    assert set(inventory.assets) == {"O1:1", "O3:4", "Line@line:O1:1"}


def test_tests_of_the_action_decide_what_is_made_not_what_is_kept() -> None:
    made = program(
        [spec("Home", "product", _SITE), spec("Access", "cfs", _SITE), spec("Visit", "cfs")],
        [
            rule("Home", "Access", when=is_action(Action.ADD), sets={"site": ref("site")}),
            rule("Home", "Visit", when=is_action(Action.MODIFY)),
        ],
    )
    inventory = after(made, item("1", "Home", site="here"))
    changed = after(made, item("c", "Home", Action.MODIFY, product="O1:1", site="there"), inventory=inventory, id="O2")
    assert changed.assets["Access@line:O1:1"].attributes == {"site": "there"}
    assert "Visit@line:O1:1" in changed.assets


def test_an_untouched_product_keeps_its_part_of_a_quantity() -> None:
    made = program(
        [spec("Phone", "product"), spec("Licence", "cfs", scope=Scope.ACCOUNT)],
        [
            rule(
                "Phone",
                "Licence",
                when=not_(is_action(Action.NO_CHANGE)),
                quantity=ref("quantity", INTEGER, meta=True),
            )
        ],
    )
    inventory = after(made, item("1", "Phone", quantity=2), item("2", "Phone", quantity=3))
    assert inventory.assets["Licence@account:ACC"].quantity == 5
    changed = item("c", "Phone", Action.MODIFY, product="O1:1", quantity=4)
    inventory = after(made, changed, inventory=inventory, id="O2")
    assert inventory.assets["Licence@account:ACC"].quantity == 7
    inventory = after(made, item("d", "Phone", Action.DELETE, product="O1:2"), inventory=inventory, id="O3")
    assert inventory.assets["Licence@account:ACC"].quantity == 4


def test_a_value_that_no_rule_gives_any_more_goes() -> None:
    made = program(
        [spec("Home", "product", _SITE), spec("Access", "cfs", _SITE)],
        [rule("Home", "Access", sets={"site": ref("site")})],
    )
    inventory = after(made, item("1", "Home", site="here"))
    left = after(made, item("c", "Home", Action.MODIFY, product="O1:1", site=None), inventory=inventory, id="O2")
    assert {dict(each.attributes).get("site") for each in left.assets.values()} == {None}


def test_a_rule_that_no_longer_fires_leaves_what_the_others_give() -> None:
    """The product below is not named in the order, but one of its two rules looks at the product above."""
    same = Binary(BinaryOperator.EQUAL, ref("site"), ref("site", root=Root.PARENT), BOOLEAN)
    made = program(
        [
            spec("Home", "product", _SITE, contains=[("Home", 0, None)]),
            spec("Access", "cfs", _SITE),
        ],
        [
            rule("Home", "Access", suffix="#1", sets={"site": lit("away")}),
            rule("Home", "Access", suffix="#2", when=same, sets={"site": ref("site")}, priority=1),
        ],
    )
    inventory = after(made, item("1", "Home", site="here"), item("2", "Home", parent="1", site="here"))
    below = "Access@line:O1:2"
    assert inventory.assets[below].attributes == {"site": "here"}
    moved = item("c", "Home", Action.MODIFY, product="O1:1", site="there")
    inventory = after(made, moved, inventory=inventory, id="O2")
    assert inventory.assets[below].attributes == {"site": "away"}


def _few() -> Program:
    """A site has a card for each phone, and one of its own while there are none; each with a licence for its number."""
    phones = Quantified(Quantifier.COUNT, Collection.CHILDREN, "Phone", "c", None, None, INTEGER)
    none = Binary(BinaryOperator.EQUAL, phones, lit(0, INTEGER), BOOLEAN)
    number = attribute("number")
    return program(
        [
            spec("Home", "product", number, contains=[("Phone", 0, None)]),
            spec("Phone", "product", number),
            spec("Card", "cfs", number, scope=Scope.PARENT),
            spec("Licence", "rfs", number, scope=Scope.KEY, key=formula(ref("number"), "number")),
        ],
        [
            rule("Home", "Card", when=none, sets={"number": ref("number")}),
            rule("Phone", "Card", sets={"number": ref("number")}),
            rule("Card", "Licence", sets={"number": ref("number")}),
        ],
    )


def test_what_is_suspended_gives_up_what_it_no_longer_asks_for() -> None:
    made = _few()
    inventory = after(made, item("1", "Home", number="1"), item("2", "Phone", parent="1", number="2"))
    changed = (item("s", "Home", Action.SUSPEND, product="O1:1"), item("d", "Phone", Action.DELETE, product="O1:2"))
    inventory = after(made, *changed, inventory=inventory, id="O2")
    left = {each.id: (each.state, each.attributes["number"]) for each in inventory.assets.values()}
    idle = (AssetState.SUSPENDED, "1")
    assert left == {"O1:1": idle, "Card@parent:O1:1": idle, "Licence@key:ACC/1": idle}


def test_what_is_added_for_something_suspended_is_suspended() -> None:
    """Though the order does not name the suspended product."""
    made = _few()
    inventory = after(made, item("1", "Home", number="1"), item("2", "Phone", parent="1", number="2"))
    inventory = after(made, item("s", "Home", Action.SUSPEND, product="O1:1"), inventory=inventory, id="O2")
    inventory = after(made, item("d", "Phone", Action.DELETE, product="O1:2"), inventory=inventory, id="O3")
    assert {each.id: each.state for each in inventory.assets.values()} == dict.fromkeys(
        ("O1:1", "Card@parent:O1:1", "Licence@key:ACC/1"), AssetState.SUSPENDED
    )
