"""Random designs and orders: against nested loops, and what must hold whatever the design."""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

from hypothesis import assume, given
from hypothesis import strategies as st

from orderloom.engine.decomposition import decompose
from orderloom.engine.program import Program
from orderloom.models.catalog import Action, Level, Scope, Spec
from orderloom.models.expression import Binary, BinaryOperator, Default, Expression, Root
from orderloom.models.fulfillment import Decomposition, ProblemKind
from orderloom.models.inventory import EMPTY, Inventory
from orderloom.models.order import OrderItem, ProductOrder
from orderloom.models.rules import DecompositionRule
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import (
    attribute,
    carried_out,
    equal,
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
from tests.engine.decomposition import reference

PRODUCTS = ("P0", "P1", "P2")
TECHNICAL = {"C0": "cfs", "C1": "cfs", "R0": "rfs", "R1": "rfs", "S0": "resource", "S1": "resource"}
#: from which specs a spec may be fed
FEEDERS = {"C": ("P",), "R": ("P", "C"), "S": ("P", "C", "R")}
_ATTRIBUTES = (attribute("a", INTEGER), attribute("b", BOOLEAN), attribute("k", INTEGER))


@st.composite
def conditions(draw: st.DrawFn) -> Expression:
    parts: list[Expression] = draw(
        st.lists(
            st.sampled_from(
                (
                    ref("b", BOOLEAN),
                    not_(ref("b", BOOLEAN)),
                    equal(ref("a", INTEGER), lit(1, INTEGER)),
                    Binary(BinaryOperator.AT_LEAST, ref("a", INTEGER), lit(1, INTEGER), BOOLEAN),
                    Binary(BinaryOperator.AT_LEAST, ref("a", INTEGER, Root.ROOT), lit(1, INTEGER), BOOLEAN),
                    equal(ref("a", INTEGER), ref("a", INTEGER, Root.PARENT)),
                    not_(is_action(Action.NO_CHANGE)),
                )
            ),
            min_size=1,
            max_size=2,
        )
    )
    return reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), parts)


_VALUES: st.SearchStrategy[Expression] = st.sampled_from(
    (ref("a", INTEGER), lit(1, INTEGER), lit(2, INTEGER), ref("a", INTEGER, Root.ROOT))
)


@st.composite
def programs(draw: st.DrawFn) -> Program:
    specs: list[Spec] = [
        spec(name, "product", *_ATTRIBUTES, contains=[(child, 0, None) for child in PRODUCTS]) for name in PRODUCTS
    ]
    for name, level in TECHNICAL.items():
        scope = draw(st.sampled_from(list(Scope)))
        key = Default(ref("k", INTEGER), lit(0, INTEGER), INTEGER) if scope is Scope.KEY else None
        specs.append(spec(name, level, *_ATTRIBUTES, scope=scope, key=formula(key) if key else None))
    rules: list[DecompositionRule] = []
    for place in range(draw(st.integers(1, 9))):
        target = draw(st.sampled_from(sorted(TECHNICAL)))
        source = draw(st.sampled_from([each.name for each in specs if each.name[0] in FEEDERS[target[0]]]))
        sets: dict[str, Expression] = {"k": Default(ref("k", INTEGER), lit(0, INTEGER), INTEGER)}
        if draw(st.booleans()):
            sets["a"] = draw(_VALUES)
        if draw(st.booleans()):
            sets["b"] = ref("b", BOOLEAN)
        rules.append(
            rule(
                source,
                target,
                suffix=f"#{place}",
                when=draw(st.none() | conditions()),
                sets=sets,
                # unequal priorities, so that few of the random orders are contradictory
                priority=draw(st.sampled_from((0, place))),
                group=draw(st.sampled_from(("", "", "g"))),
                rank=place,
                quantity=draw(st.sampled_from((None, lit(2, INTEGER), ref("quantity", INTEGER, meta=True)))),
            )
        )
    return program(specs, rules)


@st.composite
def first_orders(draw: st.DrawFn) -> ProductOrder:
    return order(*draw(_adds("")), id="O1")


@st.composite
def _adds(draw: st.DrawFn, prefix: str) -> list[OrderItem]:
    items: list[OrderItem] = []
    for place in range(draw(st.integers(1, 4))):
        ids = [each.id for each in items]
        items.append(
            item(
                f"{prefix}{place}",
                draw(st.sampled_from(PRODUCTS)),
                parent=draw(st.sampled_from(["", *ids])),
                relies_on=draw(st.sampled_from(["", "", *ids])),
                quantity=draw(st.integers(1, 2)),
                **draw(_characteristics()),
            )
        )
    return items


def _characteristics() -> st.SearchStrategy[dict[str, Any]]:
    # `k` always: a key must not be absent
    return st.fixed_dictionaries({"k": st.integers(0, 1)}, optional={"a": st.integers(0, 2), "b": st.booleans()})


@st.composite
def later_orders(draw: st.DrawFn, inventory: Inventory) -> ProductOrder:
    """Changes some of the products, perhaps with new ones beside."""
    items = draw(_adds("n")) if draw(st.booleans()) else []
    for place, asset in enumerate(each for each in inventory.assets.values() if each.level is Level.PRODUCT):
        action = draw(st.sampled_from((None, Action.MODIFY, Action.DELETE, Action.NO_CHANGE, Action.SUSPEND)))
        if action is not None:
            given = draw(_characteristics()) if action is Action.MODIFY else {}
            items.append(item(f"c{place}", asset.spec, action, product=asset.id, quantity=asset.quantity, **given))
    assume(items)
    return order(*items, id="O2")


def content(found: Decomposition) -> dict[str, Any]:
    """What matters of the technical lines, by asset."""
    return {
        line.asset: (line.action, line.attributes, line.quantity, line.users_added, line.users_removed)
        for line in found.lines.values()
        if line.level is not Level.PRODUCT
    }


def agrees(program: Program, order: ProductOrder, inventory: Inventory) -> Decomposition | None:
    """Compares with the reference; None where the order cannot be decomposed."""
    found = decompose(program, order, inventory)
    if any(problem.kind is not ProblemKind.CONFLICT for problem in found.problems):
        return None
    try:
        wanted = reference.decompose(program.design, order, inventory)
    except reference.Contradiction:
        assert found.problems
        return None
    assert not found.problems
    mine = content(found)
    theirs = {
        asset: (line.action, line.attributes, line.quantity, line.added, line.removed)
        for asset, line in wanted.items()
        if line.level is not Level.PRODUCT
    }
    # lines that only untouched products have, and that stay as they are, are dropped, or kept where something refers to
    # them: also those that were looked at since a rule for them sees what the order touches
    assert mine == {asset: line for asset, line in theirs.items() if asset in mine}
    assert not any(reference.concerned(wanted[asset]) for asset in theirs if asset not in mine)
    return found


def invariants(found: Decomposition) -> None:
    places = {id: place for place, id in enumerate(found.lines)}
    for line in found.lines.values():
        assert line.root in found.lines
        assert not line.parent or line.parent in found.lines
        assert all(places[each.line] < places[line.id] for each in line.sources)
        assert line.level is Level.PRODUCT or line.sources or line.users_removed
        assert set(line.provenance) == set(line.attributes)
        assert not line.users_added & line.users_removed
        if line.action is Action.ADD:
            assert not line.before


@given(program=programs(), first=first_orders(), data=st.data())
def test_like_nested_loops_through_two_orders(program: Program, first: ProductOrder, data: st.DataObject) -> None:
    found = agrees(program, first, EMPTY)
    if found is None:
        return
    invariants(found)
    inventory = carried_out(first, found, EMPTY)
    second = data.draw(later_orders(inventory))
    found = agrees(program, second, inventory)
    if found is None:
        return
    invariants(found)
    left = carried_out(second, found, inventory)
    for asset in left.assets.values():
        assert asset.users <= set(left.assets)
        assert asset.level is Level.PRODUCT or asset.users


@given(program=programs(), first=first_orders())
def test_nothing_changes_when_an_order_is_repeated_as_no_change(program: Program, first: ProductOrder) -> None:
    found = decompose(program, first)
    assume(not found.problems)
    inventory = carried_out(first, found, EMPTY)
    again = order(
        *(
            item(f"again {asset.id}", asset.spec, Action.NO_CHANGE, product=asset.id)
            for asset in inventory.assets.values()
            if asset.level is Level.PRODUCT
        ),
        id="O2",
    )
    repeated = decompose(program, again, inventory)

    assert not repeated.problems
    assert {line.action for line in repeated.lines.values()} == {Action.NO_CHANGE}
    assert carried_out(again, repeated, inventory) == inventory


@given(program=programs(), first=first_orders(), data=st.data())
def test_the_order_of_items_does_not_matter(program: Program, first: ProductOrder, data: st.DataObject) -> None:
    shuffled = replace(first, items=tuple(data.draw(st.permutations(first.items))))
    one, other = decompose(program, first), decompose(program, shuffled)

    assert bool(one.problems) == bool(other.problems)
    if not one.problems:
        assert content(one) == content(other)
