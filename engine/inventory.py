"""What a line does to inventory: the change it asks for, and a change applied to an asset. Pure functions."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.models.catalog import RelationKind
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset, AssetChange, AssetState
from orderloom.models.order import ProductOrder


def change_for(line: Line, lines: Mapping[str, Line], order: ProductOrder, state: AssetState) -> AssetChange:
    """The change that `line` makes to its asset when it reaches `state`. `lines` are all lines of the order, by id."""
    parent = lines.get(line.parent)
    relied = (relation.line for relation in line.relations if relation.kind is RelationKind.RELIES_ON)
    return AssetChange(
        id=line.asset,
        spec=line.spec,
        level=line.level,
        account=order.account.id,
        order=order.id,
        state=state,
        attributes=dict(line.attributes),
        quantity=line.quantity,
        parent=parent.asset if parent else "",
        users_added=line.users_added,
        users_removed=line.users_removed,
        relies_on=frozenset(lines[each].asset if each in lines else each for each in relied),
        anchor=line.anchor,
    )


def apply_change(asset: Asset | None, change: AssetChange) -> Asset:
    """The asset after the change; made from the change where there was none, or a terminated one.

    An attribute that the change gives as None is dropped, others it does not name stay. A reservation does not take an
    asset out of use, and a termination does not reach an asset that still has users.
    """
    if asset is None or asset.state is AssetState.TERMINATED:
        asset = None
    before = asset.attributes if asset else {}
    users = ((asset.users if asset else frozenset()) | change.users_added) - change.users_removed
    attributes = {name: value for name, value in {**before, **change.attributes}.items() if value is not None}
    return Asset(
        id=change.id,
        spec=change.spec,
        level=change.level,
        account=change.account,
        state=_state(asset, change, users),
        attributes=attributes,
        quantity=change.quantity,
        parent=change.parent or (asset.parent if asset else ""),
        users=users,
        relies_on=change.relies_on,
        anchor=change.anchor or (asset.anchor if asset else ""),
        order=change.order,
    )


def _state(asset: Asset | None, change: AssetChange, users: frozenset[str]) -> AssetState:
    if asset is None:
        return change.state
    shared = change.state is AssetState.TERMINATED and bool(users)
    return asset.state if shared or change.state is AssetState.RESERVED else change.state
