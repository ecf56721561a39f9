"""Inventory as it would be without the order: what the order itself has written is taken back.

Decomposed against it, changed content gives the same lines and items, under the same ids, as it would have at first.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState


def baseline(state: OrderState, inventory: Inventory) -> Inventory:
    """`inventory` without the effects of this order; what other orders did meanwhile stays."""
    assets = dict(inventory.assets)
    for line in _effective(state):
        found = assets.get(line.asset)
        restored = _without(line, found, state.order.id)
        if restored is None:
            assets.pop(line.asset, None)
        else:
            assets[line.asset] = restored
    return Inventory(assets=assets, at=inventory.at)


def _effective(state: OrderState) -> Iterator[Line]:
    """The lines whose effects inventory holds; of several versions of a line, the first knows what was there before."""
    seen: set[str] = set()
    for line in (*state.former.values(), *state.lines.values()):
        if line.written and line.asset not in seen and line.state is not OrderStatus.CANCELLED:
            seen.add(line.asset)
            yield line


def _without(line: Line, found: Asset | None, order: str) -> Asset | None:
    if line.held is None:
        others = found.users - line.users_added if found else frozenset()
        return replace(found, users=others) if found and others else None
    if found is None or found.order == order:
        users = line.held.users if found is None else (found.users - line.users_added) | line.users_removed
        return replace(line.held, users=users)
    return replace(found, users=(found.users - line.users_added) | line.users_removed)
