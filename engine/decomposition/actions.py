"""From wanted state and inventory to a technical line and its action."""

from __future__ import annotations

from collections.abc import Sequence

from orderloom.engine.decomposition.merging import Group, merge_quantity, merge_values
from orderloom.engine.decomposition.work import Work
from orderloom.models.catalog import Action, Scope, Spec
from orderloom.models.fulfillment import Line, LineSource, Origin, ProblemKind, Provenance
from orderloom.models.inventory import Asset, AssetState
from orderloom.models.values import Value

_FROM_DEFAULT = Provenance(origin=Origin.DEFAULT)
_FROM_INVENTORY = Provenance(origin=Origin.INVENTORY)
_NONE: frozenset[str] = frozenset()


def held_by(work: Work, groups: Sequence[Group]) -> list[Asset | None]:
    """What inventory holds for each group: the item of its anchor, else (but for keys) one that a source uses.

    No two groups get the same item.
    """
    found = [work.by_anchor.get(_anchor(group.rule.target, group.anchor)) for group in groups]
    taken = {asset.id for asset in found if asset}
    for place, group in enumerate(groups):
        target = group.rule.target
        if found[place] is not None or target.scope is Scope.KEY:
            continue
        used = (
            asset
            for contribution in group.contributions
            for asset in work.used_by.get(contribution.source.asset, ())
            if asset.spec == target.name and asset.id not in taken
        )
        asset = found[place] = min(used, key=lambda asset: asset.id, default=None)
        if asset:
            taken.add(asset.id)
    return found


def wanted_line(work: Work, group: Group, asset: Asset | None, reconsidered: Sequence[Line] = ()) -> Line | None:
    """The line that the sources of a group ask for; None where only untouched products ask and there is nothing yet.

    `reconsidered` are users of the asset that may ask for something else than before, or no longer for anything: rules
    that fired for them may not fire any more, also where others that nothing has touched still do.
    """
    contributions = group.contributions
    if len(contributions) > 1:
        contributions.sort(key=lambda each: _precedence(each.source, asset))
    active = bool(reconsidered) or any(each.live for each in contributions)
    if not active and asset is None:
        return None
    target, first = group.rule.target, contributions[0].source
    users = frozenset(each.source.asset for each in contributions)
    line = Line(
        id=_unused(work, f"{target.name}:{group.anchor}"),
        spec=target.name,
        level=target.level,
        action=Action.NO_CHANGE,
        quantity=asset.quantity if asset else 1,
        attributes={},
        parent=first.id,
        root=first.root,
        asset=asset.id if asset else unheld(work, item_of(group)),
        scope=target.scope,
        anchor=_anchor(target, group.anchor),
        sources=tuple(LineSource(each.source.id, each.rule.id) for each in contributions),
    )
    if asset is None:
        line.users_added = users
        _default(line, target)
    else:
        _hold(line, asset)
        if active:
            line.users_added = users - asset.users
            line.users_removed = _lost(group, reconsidered)
            _forget(line, target, work.program.derived.get(target.name, _NONE))
    if active:
        values, provenance = merge_values(work, line.id, contributions)
        line.attributes |= values
        line.provenance |= provenance
        line.quantity = merge_quantity(contributions)
        work.active.add(line.id)
    work.add(line)
    return line


def _lost(group: Group, reconsidered: Sequence[Line]) -> frozenset[str]:
    """The users that no longer ask for the group's item."""
    asking = {each.source.id for each in group.contributions}
    return frozenset(source.asset for source in reconsidered if source.id not in asking)


def _precedence(source: Line, asset: Asset | None) -> tuple[bool, str]:
    """The source that the item stands under already comes first, then by id: whatever the order of the items."""
    return asset is None or source.asset != asset.parent, source.asset


def released_line(work: Work, asset: Asset, source: Line) -> Line:
    """A line for an item that nothing of the order asks for any more, or that is not known to."""
    spec = work.program.specs.get(asset.spec)
    scope = spec.scope if spec else Scope.LINE
    readable = asset.anchor.split(" ", 2)[-1] or asset.id
    line = Line(
        id=_unused(work, f"{asset.spec}:{readable}"),
        spec=asset.spec,
        level=asset.level,
        action=Action.NO_CHANGE,
        quantity=asset.quantity,
        attributes={},
        parent=source.id,
        root=source.root,
        asset=asset.id,
        scope=scope,
        anchor=asset.anchor,
    )
    _hold(line, asset)
    work.add(line)
    return line


def settle(work: Work, line: Line) -> None:
    """Derives the action, and finds required attributes that are still absent."""
    line.action = action_of(work, line)
    if line.action is not Action.DELETE and line.sources and line.id in work.active:
        _stage(work, line)


def action_of(work: Work, line: Line) -> Action:
    """The action that follows from what the line's sources want and what inventory holds."""
    asset = work.assets.get(line.asset)
    if asset is None:
        return Action.ADD
    if not line.sources:
        return Action.NO_CHANGE if asset.users - line.users_removed else Action.DELETE
    if line.id not in work.active:
        return Action.NO_CHANGE
    sources = [work.lines[each.line] for each in line.sources]
    known = asset.users - line.users_removed <= {each.asset for each in sources}
    if known and all(each.action is Action.SUSPEND for each in sources):
        return Action.SUSPEND
    if known and all(each.action is Action.RESUME for each in sources):
        return Action.RESUME
    idle = known and all(_suspended(work, each) for each in sources)
    if idle and asset.state is AssetState.ACTIVE:
        return Action.SUSPEND
    if not idle and asset.state is AssetState.SUSPENDED:
        return Action.RESUME
    return Action.MODIFY if differs(line, asset) else Action.NO_CHANGE


def differs(line: Line, asset: Asset) -> bool:
    """Whether the line asks for other values or another quantity than inventory holds."""
    return line.attributes != line.before or line.quantity != asset.quantity


def _suspended(work: Work, line: Line) -> bool:
    """Whether the line's item is suspended once the order is carried out."""
    if line.action in (Action.SUSPEND, Action.RESUME):
        return line.action is Action.SUSPEND
    asset = work.assets.get(line.asset)
    if asset is None:
        return bool(line.sources) and all(_suspended(work, work.lines[each.line]) for each in line.sources)
    return asset.state is AssetState.SUSPENDED


def _stage(work: Work, line: Line) -> None:
    """A missing attribute is staged if a task supplies it, or if a source is itself staged; else it is a problem."""
    spec = work.program.specs[line.spec]
    absent = [name for name in work.program.required(line.spec) if name not in line.attributes]
    if not absent:
        return
    waits = any(work.lines[each.line].missing for each in line.sources)
    line.missing = tuple(name for name in absent if waits or name in spec.supplied_later)
    for name in absent:
        if name not in line.missing:
            work.problem(
                ProblemKind.MISSING_VALUE,
                line.id,
                f"`{line.spec}` needs a value for `{name}`, {_why_absent(work, line, name)}",
            )


def _why_absent(work: Work, line: Line, attribute: str) -> str:
    fired = {each.rule: each.line for each in line.sources}
    for rule in work.program.firing:
        for mapping in rule.mappings:
            if rule.id in fired and mapping.attribute == attribute:
                return f"but rule `{rule.id}` gives none for line `{fired[rule.id]}`: `{mapping.value.text}` is absent"
    able = [
        f"`{rule.id}`"
        for rule in work.program.firing
        if rule.target.name == line.spec and any(mapping.attribute == attribute for mapping in rule.mappings)
    ]
    return f"and none of the rules that can set it fired: {', '.join(able)}" if able else "and no rule or task sets it"


def _anchor(target: Spec, anchor: str) -> str:
    return f"{target.name} {target.scope} {anchor}"


def _unused(work: Work, id: str) -> str:
    while id in work.lines:
        id += "'"
    return id


def _hold(line: Line, asset: Asset) -> None:
    line.attributes = dict(asset.attributes)
    line.before = dict(asset.attributes)
    line.held = asset
    line.provenance = dict.fromkeys(asset.attributes, _FROM_INVENTORY)


def item_of(group: Group) -> str:
    """The id that an item has by what it merges by."""
    target = group.rule.target
    return f"{target.name}@{target.scope}:{group.anchor}"


def unheld(work: Work, id: str) -> str:
    """The id of a new item: that of one which inventory holds is not taken again."""
    while id in work.assets:
        id += "'"
    return id


def _forget(line: Line, spec: Spec, derived: frozenset[str]) -> None:
    """What rules alone set is as they say now: what they set before goes back to the default, or is absent."""
    for name in sorted(derived & line.attributes.keys()):
        default = spec.attributes[name].default if name in spec.attributes else None
        if default is None:
            del line.attributes[name], line.provenance[name]
        else:
            line.attributes[name] = default
            line.provenance[name] = _FROM_DEFAULT


def _default(line: Line, spec: Spec) -> None:
    values: dict[str, Value] = {
        name: attribute.default for name, attribute in spec.attributes.items() if attribute.default is not None
    }
    line.attributes = values
    line.provenance = dict.fromkeys(values, _FROM_DEFAULT)
