"""Random orders of a customer: what is added, and what becomes of the products that are there."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import event
from hypothesis import strategies as st

from orderloom.models.catalog import Action, RelationKind
from orderloom.models.inventory import Asset, AssetState
from orderloom.models.order import ItemRelation, OrderItem
from tests.engine.building import item
from tests.engine.convergence.designs import PRODUCTS
from tests.engine.convergence.world import Change, World

_CHANGES = (Action.MODIFY, Action.MODIFY, Action.DELETE, Action.NO_CHANGE, Action.SUSPEND, Action.MOVE)


def characteristics() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries(
        {"k": st.integers(0, 1)}, optional={"a": st.none() | st.integers(0, 2), "b": st.none() | st.booleans()}
    )


@st.composite
def additions(draw: st.DrawFn, number: int, above: tuple[OrderItem, ...] = ()) -> list[OrderItem]:
    """New products, alone, under each other or under one of `above`."""
    items: list[OrderItem] = []
    for place in range(draw(st.integers(1, 4))):
        under = [each.id for each in (*above, *items)]
        reliable = ["", "", *under]
        items.append(
            item(
                f"n{number}.{place}",
                draw(st.sampled_from(PRODUCTS)),
                parent=draw(st.sampled_from(["", *under])),
                relies_on=draw(st.sampled_from(reliable)),
                quantity=draw(st.integers(1, 2)),
                **draw(characteristics()),
            )
        )
    return items


@st.composite
def changes(draw: st.DrawFn, world: World, number: int) -> list[OrderItem]:
    """Changes some of the products, perhaps with new ones beside and below."""
    items = []
    for place, asset in enumerate(world.products):
        actions = [*_CHANGES, Action.RESUME] if asset.state is AssetState.SUSPENDED else list(_CHANGES)
        action = draw(st.sampled_from([None, None, *actions]))
        if action is not None:
            items.append(_about(draw, asset, action, f"c{number}.{place}"))
    staying = tuple(each for each in items if each.action in (Action.NO_CHANGE, Action.MODIFY))
    if not items or draw(st.booleans()):
        items += draw(additions(number, staying))
        replaced = draw(st.sampled_from(("", "", *(each.id for each in world.products))))
        if replaced and all(each.product != replaced for each in items):
            ties = (ItemRelation(kind=RelationKind.REPLACES, product=replaced),)
            items[-1] = replace(items[-1], relations=(*items[-1].relations, *ties))
            event("item: replaces")
    return items


def _about(draw: st.DrawFn, asset: Asset, action: Action, id: str) -> OrderItem:
    changed = action in (Action.MODIFY, Action.MOVE)
    given = draw(characteristics()) if changed else {}
    quantity = draw(st.integers(1, 2)) if changed else asset.quantity
    return OrderItem(id=id, action=action, spec=asset.spec, quantity=quantity, attributes=given, product=asset.id)


@st.composite
def requests(draw: st.DrawFn, world: World, items: list[OrderItem], number: int) -> list[Change]:
    """Changes in flight: after minutes the items that are wanted, or ids of those that are cancelled, none for all."""
    found: list[Change] = []
    for change in range(draw(st.sampled_from((0, 1, 1, 2, 3)))):
        after = draw(st.integers(0, 150))
        if draw(st.integers(0, 3)):
            items = draw(amended(world, items, 10 * number + change))
            found.append((after, items))
        else:
            names = sorted({each.id for each in items})
            some = st.lists(st.sampled_from(names), min_size=1, max_size=2, unique=True)
            found.append((after, tuple(draw(st.one_of(some, some, st.just([]))))))
    return sorted(found, key=lambda each: each[0])


@st.composite
def amended(draw: st.DrawFn, world: World, items: list[OrderItem], number: int) -> list[OrderItem]:
    """The content of an order with some items dropped, some changed, some added, also for products that are there."""
    kept: list[OrderItem] = []
    for each in items:
        fate = draw(st.sampled_from(("keep", "keep", "change", "drop")))
        gone = {one.id for one in items} - {one.id for one in kept}
        if fate == "drop" or each.parent in gone:
            continue
        ties = tuple(tie for tie in each.relations if tie.item not in gone)
        if fate == "change" and each.action in (Action.ADD, Action.MODIFY, Action.MOVE):
            given = draw(characteristics())
            each = replace(each, attributes=given, quantity=draw(st.integers(1, 2)))
        kept.append(replace(each, relations=ties))
    named = {each.product for each in items}
    other = draw(st.sampled_from((None, *(each for each in world.products if each.id not in named))))
    if other is not None:
        kept.append(_about(draw, other, draw(st.sampled_from(_CHANGES)), f"c{number}"))
    if not kept or draw(st.booleans()):
        above = tuple(each for each in kept if each.action in (Action.ADD, Action.NO_CHANGE, Action.MODIFY))
        kept += draw(additions(number, above))
    return kept
