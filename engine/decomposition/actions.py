"""From wanted state and inventory to a technical line and its action."""

from __future__ import annotations

from orderloom.engine.decomposition.merging import Group, merge_quantity, merge_values
from orderloom.engine.decomposition.work import Work
from orderloom.models.catalog import Action, Scope, Spec
from orderloom.models.fulfillment import Line, LineSource, Origin, ProblemKind, Provenance
from orderloom.models.inventory import Asset
from orderloom.models.values import Value

_FROM_DEFAULT = Provenance(origin=Origin.DEFAULT)
_FROM_INVENTORY = Provenance(origin=Origin.INVENTORY)


def existing(work: Work, group: Group) -> Asset | None:
    """What inventory holds for the group: the item of its anchor, else (but for keys) one that a source uses."""
    target = group.rule.target
    found = work.by_anchor.get(_anchor(target, group.anchor))
    if found is not None or target.scope is Scope.KEY:
        return found
    used = (
        asset
        for contribution in group.contributions
        for asset in work.used_by.get(contribution.source.asset, ())
        if asset.spec == target.name
    )
    return min(used, key=lambda asset: asset.id, default=None)


def wanted_line(work: Work, group: Group, asset: Asset | None) -> Line | None:
    """The line that the sources of a group ask for; None where only untouched products ask and there is nothing yet."""
    contributions = group.contributions
    if len(contributions) > 1:
        contributions.sort(key=lambda each: _precedence(each.source, asset))
    active = any(each.source.id in work.active for each in contributions)
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
        asset=asset.id if asset else f"{target.name}@{target.scope}:{group.anchor}",
        scope=target.scope,
        anchor=asset.anchor if asset and asset.anchor else _anchor(target, group.anchor),
        sources=tuple(LineSource(each.source.id, each.rule.id) for each in contributions),
    )
    if asset is None:
        line.users_added = users
        _default(line, target)
    else:
        _hold(line, asset)
        line.users_added = users - asset.users if active else frozenset()
    if active:
        values, provenance = merge_values(work, line.id, contributions)
        line.attributes |= values
        line.provenance |= provenance
        line.quantity = merge_quantity(contributions)
        work.active.add(line.id)
    work.add(line)
    return line


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
    line.action = _action(work, line)
    if line.action is not Action.DELETE and line.sources and line.id in work.active:
        _stage(work, line)


def _action(work: Work, line: Line) -> Action:
    asset = work.assets.get(line.asset)
    if asset is None:
        return Action.ADD
    if not line.sources:
        return Action.NO_CHANGE if asset.users - line.users_removed else Action.DELETE
    if line.id not in work.active:
        return Action.NO_CHANGE
    sources = [work.lines[each.line] for each in line.sources]
    for action in (Action.SUSPEND, Action.RESUME):
        if all(each.action is action for each in sources) and asset.users <= {each.asset for each in sources}:
            return action
    changed = line.attributes != line.before or line.quantity != asset.quantity
    return Action.MODIFY if changed else Action.NO_CHANGE


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


def _default(line: Line, spec: Spec) -> None:
    values: dict[str, Value] = {
        name: attribute.default for name, attribute in spec.attributes.items() if attribute.default is not None
    }
    line.attributes = values
    line.provenance = dict.fromkeys(values, _FROM_DEFAULT)
