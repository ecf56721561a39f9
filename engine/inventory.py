"""What a line does to inventory: the change it asks for, and a change applied to an asset. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace

from orderloom.models.catalog import Action, RelationKind
from orderloom.models.fulfillment import Line
from orderloom.models.inventory import Asset, AssetChange, AssetState
from orderloom.models.order import TAKEN_BACK, ProductOrder

#: relations of products that stay in inventory as attributes of the items
_TIES = {
    RelationKind.MOVED_FROM: "moved_from",
    RelationKind.MOVED_TO: "moved_to",
    RelationKind.REPLACES: "replaces",
    RelationKind.REPLACED_BY: "replaced_by",
}


def change_for(line: Line, lines: Mapping[str, Line], order: ProductOrder, state: AssetState) -> AssetChange:
    """The change that `line` makes to its asset when it reaches `state`. `lines` are all lines of the order, by id."""
    parent = lines.get(line.parent)
    ties = {each.kind: lines[each.line].asset if each.line in lines else each.line for each in line.relations}
    return AssetChange(
        id=line.asset,
        spec=line.spec,
        level=line.level,
        account=order.account.id,
        order=order.id,
        state=state,
        attributes={**dict.fromkeys(line.before), **line.attributes},
        quantity=line.quantity,
        parent=parent.asset if parent else "",
        users_added=line.users_added,
        users_removed=line.users_removed,
        relies_on=_relied(line, lines),
        anchor=line.anchor,
        ordered=line.ordered,
        moved_from=ties.get(RelationKind.MOVED_FROM, ""),
        moved_to=ties.get(RelationKind.MOVED_TO, ""),
        replaces=ties.get(RelationKind.REPLACES, ""),
        replaced_by=ties.get(RelationKind.REPLACED_BY, ""),
    )


def writes(line: Line, lines: Mapping[str, Line]) -> bool:
    """Whether the line, once it is completed, has changed anything in inventory."""
    if line.action is not Action.NO_CHANGE or line.users_added or line.users_removed:
        return True
    held = line.held
    return held is not None and (line.anchor != held.anchor or _relied(line, lines) != held.relies_on)


def state_after(line: Line, lines: Mapping[str, Line]) -> AssetState:
    """The state of the line's item once the line is completed: what is suspended stays so until it is resumed.

    What is added for suspended items alone is suspended. A line that is taken back leaves its item as it was.
    """
    if line.state in TAKEN_BACK and line.held is not None:
        return line.held.state
    match line.action:
        case Action.DELETE:
            return AssetState.TERMINATED
        case Action.SUSPEND:
            return AssetState.SUSPENDED
        case Action.RESUME:
            return AssetState.ACTIVE
        case Action.ADD:
            sources = [lines[each.line] for each in line.sources if each.line in lines]
            idle = bool(sources) and all(state_after(each, lines) is AssetState.SUSPENDED for each in sources)
            return AssetState.SUSPENDED if idle else AssetState.ACTIVE
    idle = line.held is not None and line.held.state is AssetState.SUSPENDED
    return AssetState.SUSPENDED if idle else AssetState.ACTIVE


def over(line: Line, change: AssetChange | None, former: Iterable[Line]) -> AssetChange | None:
    """The change of a line of which inventory may have been told other things before.

    It leaves the item as `change` would have made it of what the order found; None there leaves it as it was found.
    """
    versions = tuple(former)
    wanted = apply_change(line.held, change) if change else line.held
    if wanted is None or change is None:
        return taken_back(line, versions, line.held.account) if line.held else None
    added = frozenset(user for each in versions for user in each.users_added)
    removed = frozenset(user for each in versions for user in each.users_removed)
    return replace(
        change,
        users_added=change.users_added | (removed - change.users_removed),
        users_removed=change.users_removed | (added - change.users_added),
        restored=wanted,
    )


def taken_back(line: Line, former: Iterable[Line], account: str) -> AssetChange:
    """The change that leaves the line's item as the order found it; what was added goes."""
    versions = (*former, line)
    added = frozenset(user for each in versions for user in each.users_added)
    removed = frozenset(user for each in versions for user in each.users_removed)
    return AssetChange(
        id=line.asset,
        spec=line.spec,
        level=line.level,
        account=line.held.account if line.held else account,
        order=line.held.order if line.held else "",
        state=line.held.state if line.held else AssetState.TERMINATED,
        users_added=removed,
        users_removed=added,
        restored=line.held,
    )


def _relied(line: Line, lines: Mapping[str, Line]) -> frozenset[str]:
    relied = (relation.line for relation in line.relations if relation.kind is RelationKind.RELIES_ON)
    return frozenset(lines[each].asset if each in lines else each for each in relied)


def apply_change(asset: Asset | None, change: AssetChange) -> Asset:
    """The asset after the change; made from the change where there was none, or a terminated one.

    An attribute that the change gives as None is dropped, others it does not name stay. A reservation does not take an
    asset out of use, and a termination does not reach an asset that still has users.
    """
    if asset is None or asset.state is AssetState.TERMINATED:
        asset = None
    if change.restored:
        held = change.restored
        users = ((asset or held).users | change.users_added) - change.users_removed
        shared = held.state is AssetState.TERMINATED and bool(users)
        return replace(held, users=users, state=asset.state if shared and asset else held.state)
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
        **{name: getattr(change, name) or getattr(asset, name, "") for name in ("ordered", *_TIES.values())},
    )


def _state(asset: Asset | None, change: AssetChange, users: frozenset[str]) -> AssetState:
    if asset is None:
        return change.state
    shared = change.state is AssetState.TERMINATED and bool(users)
    return asset.state if shared or change.state is AssetState.RESERVED else change.state
