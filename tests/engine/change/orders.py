"""Random orders, and random changes of what they ask for."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from datetime import timedelta
from typing import Any

from hypothesis import strategies as st

from orderloom.models.catalog import Action, Level, RelationKind
from orderloom.models.inventory import EMPTY, Asset, AssetState, Inventory
from orderloom.models.order import ItemRelation, OrderItem, ProductOrder
from tests.engine.building import DAY, item, order

_CHANGES = (Action.MODIFY, Action.MODIFY, Action.MODIFY, Action.DELETE, Action.NO_CHANGE, Action.MOVE)
_PLACES = range(3)


@st.composite
def contents(draw: st.DrawFn, inventory: Inventory = EMPTY, like: ProductOrder | None = None) -> ProductOrder:
    """What may be asked for on top of what there is; with `like`, half of it is as it was there."""
    former = {each.id: each for each in like.items} if like else {}
    found: list[OrderItem] = []
    for asset in _products(inventory):
        id = f"c{asset.id}"
        kept = draw(st.booleans()) if like else False
        each = former.get(id) if kept else draw(_changes(asset, id))
        if each is not None and _reconcilable(asset, each, found, inventory):
            found.append(each)
    staying = [each for each in found if each.action in (Action.NO_CHANGE, Action.MODIFY)]
    least = 0 if found else 1
    places = draw(st.sets(st.sampled_from(_PLACES), min_size=least))
    for place in sorted(places):
        id = f"n{place}"
        above = ["", *(each.id for each in staying)]
        same = former.get(id) if draw(st.booleans()) else None
        added = same if same and same.parent in above else draw(_additions(id, above))
        relied = {one.item for one in added.relations if one.item}
        if not relied <= {one.id for one in staying}:
            added = replace(added, relations=())
        found.append(added)
        staying.append(added)
    channel = like.channel if like and draw(st.booleans()) else draw(st.sampled_from(("", "1", "2")))
    start = draw(st.sampled_from((None, None, None, None, DAY + timedelta(hours=2))))
    completion = draw(st.sampled_from((None, None, DAY + timedelta(hours=3), DAY + timedelta(days=2))))
    made = order(*_replacing(draw, found, inventory), id="O2")
    return replace(made, channel=channel, requested_start=start, requested_completion=completion)


@st.composite
def _additions(draw: st.DrawFn, id: str, above: list[str]) -> OrderItem:
    """A new product, alone or under another one."""
    parent = draw(st.sampled_from(above))
    relies_on = draw(st.sampled_from(("", "", *above)))
    return item(id, "P", parent=parent, quantity=draw(st.integers(1, 2)), relies_on=relies_on, **draw(_values()))


@st.composite
def _changes(draw: st.DrawFn, asset: Asset, id: str) -> OrderItem | None:
    """What becomes of a product; None for nothing."""
    more = (Action.RESUME,) * 2 if asset.state is AssetState.SUSPENDED else (Action.SUSPEND,)
    action = draw(st.sampled_from((None, None, *_CHANGES, *more)))
    if action is None:
        return None
    changed = action in (Action.MODIFY, Action.MOVE)
    given = draw(_values()) if changed else {}
    quantity = draw(st.integers(1, 2)) if changed else asset.quantity
    return item(id, "P", action, product=asset.id, quantity=quantity, **given)


def _reconcilable(asset: Asset, each: OrderItem, found: Iterable[OrderItem], inventory: Inventory) -> bool:
    """Whether it can be asked for beside what is asked of products above: these stay where they are."""
    above = inventory.assets.get(asset.parent)
    asked = next((one for one in found if above and one.product == above.id), None)
    return asked is None or asked.action in (Action.MODIFY, Action.NO_CHANGE)


def _replacing(draw: st.DrawFn, found: list[OrderItem], inventory: Inventory) -> list[OrderItem]:
    """Now and then the last product that is added replaces one that nothing else is asked of."""
    named = {each.product for each in found}
    free = [each.id for each in _products(inventory) if each.id not in named and not each.parent]
    last = found[-1] if found else None
    if not free or last is None or last.action is not Action.ADD or last.parent or draw(st.integers(0, 3)):
        return found
    ties = (ItemRelation(kind=RelationKind.REPLACES, product=draw(st.sampled_from(free))),)
    return [*found[:-1], replace(last, relations=ties)]


def _products(inventory: Inventory) -> list[Asset]:
    """The products, those above before those below."""
    products = [each for each in inventory.assets.values() if each.level is Level.PRODUCT]

    def depth(each: Asset) -> int:
        return 1 + depth(inventory.assets[each.parent]) if each.parent in inventory.assets else 0

    return sorted(products, key=lambda each: (depth(each), each.id))


def _values() -> st.SearchStrategy[dict[str, Any]]:
    return st.fixed_dictionaries({"a": st.sampled_from("12"), "b": st.sampled_from("12")})
