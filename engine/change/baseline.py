"""Inventory as it would be without the order: what the order itself has written is taken back.

Decomposed against it, changed content gives the same lines and items, under the same ids, as it would have at first.
"""

from __future__ import annotations

from dataclasses import replace

from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState


def baseline(state: OrderState, inventory: Inventory) -> Inventory:
    """`inventory` without the effects of this order; what other orders did meanwhile stays."""
    assets = dict(inventory.assets)
    for asset, versions in _effective(state).items():
        restored = _without(versions, assets.get(asset), state.order.id)
        if restored is None:
            assets.pop(asset, None)
        else:
            assets[asset] = restored
    return Inventory(assets=assets, at=inventory.at)


def _effective(state: OrderState) -> dict[str, list[Line]]:
    """By asset, all versions of the lines whose effects inventory holds."""
    found: dict[str, list[Line]] = {}
    current: set[str] = set()
    for line in (*state.former.values(), *state.lines.values()):
        if line.written:
            found.setdefault(line.asset, []).append(line)
    for line in state.lines.values():
        # one that has not written anything yet keeps what others wrote of its item until it ends
        if not line.context and line.state is not OrderStatus.CANCELLED:
            current.add(line.asset)
    for line in state.former.values():
        # a line that works on another item now has left this one behind
        if line.written and state.lines[line.id].asset != line.asset:
            current.add(line.asset)
    return {asset: versions for asset, versions in found.items() if asset in current}


def _without(versions: list[Line], found: Asset | None, order: str) -> Asset | None:
    held = versions[0].held
    added = frozenset(user for each in versions for user in each.users_added)
    removed = frozenset(user for each in versions for user in each.users_removed)
    if held is None:
        others = found.users - added if found else frozenset()
        return replace(found, users=others) if found and others else None
    if found is None:
        return held
    users = (found.users - (added - held.users)) | removed
    return replace(held if found.order == order else found, users=users)
