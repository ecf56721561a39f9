"""Decomposition by nested loops: no network, no index, one level after the other. For orders without problems."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from orderloom.engine.expressions import NOTHING, Scope
from orderloom.models.catalog import Action, Level
from orderloom.models.catalog import Scope as Sharing
from orderloom.models.design import Design
from orderloom.models.inventory import Asset, AssetState, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.rules import DecompositionRule
from orderloom.models.values import Value
from tests.engine.expressions.reference import evaluate


class Contradiction(Exception):
    """two sources set one attribute differently"""


class Asks(NamedTuple):
    """What one rule asks for on behalf of one source."""

    source: Any
    rule: DecompositionRule
    live: bool


@dataclass
class Wanted:
    """One line, of any level."""

    id: str
    spec: str
    level: Level
    action: Action
    quantity: int
    attributes: dict[str, Value]
    parent: Any
    root: Any
    asset: str
    context: bool
    live: bool
    #: (source, rule) for technical lines
    sources: list[Asks] = field(default_factory=list)
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    relies: list[Any] = field(default_factory=list)


def concerned(line: Wanted) -> bool:
    """Whether the line is of the order, is made from one that is, or is changed. What is only looked at is not."""
    if line.level is Level.PRODUCT:
        return not line.context
    changed = line.action is not Action.NO_CHANGE or bool(line.added or line.removed)
    return changed or any(concerned(each.source) for each in line.sources)


def decompose(design: Design, order: ProductOrder, inventory: Inventory) -> dict[str, Wanted]:
    """All lines by asset id, those that only concern untouched products included."""
    lines = _products(order, inventory)
    for level in (Level.CUSTOMER_SERVICE, Level.RESOURCE_SERVICE, Level.RESOURCE):
        lines += _technical(design, order, inventory, lines, level)
    return {line.asset: line for line in lines}


def _products(order: ProductOrder, inventory: Inventory) -> list[Wanted]:
    lines: list[Wanted] = []
    for item in order.items:
        held = inventory.assets.get(item.product)
        given = dict(item.attributes) if item.action in (Action.ADD, Action.MODIFY) else {}
        lines.append(
            Wanted(
                id=item.id,
                spec=item.spec,
                level=Level.PRODUCT,
                action=item.action,
                quantity=item.quantity if not held or item.action is Action.MODIFY else held.quantity,
                attributes={**(held.attributes if held else {}), **given},  # type: ignore[dict-item]  # JSON of plain values is values
                parent=item.parent,
                root=None,
                asset=item.product or f"{order.id}:{item.id}",
                context=False,
                live=item.action is not Action.NO_CHANGE,
            )
        )
    products = [asset for _, asset in sorted(inventory.assets.items()) if asset.level is Level.PRODUCT]
    grew = True
    while grew:
        grew = False
        for asset in products:
            gone = [line.asset for line in lines if line.action is Action.DELETE]
            if asset.parent in gone and all(line.asset != asset.id for line in lines):
                lines.append(_held(asset, Action.DELETE))
                grew = True
    lines += [_held(asset, Action.NO_CHANGE) for asset in products if all(line.asset != asset.id for line in lines)]
    for line in lines:
        held = inventory.assets.get(line.asset)
        above = [
            other
            for other in lines
            if (line.parent and other.id == line.parent) or (not line.parent and held and other.asset == held.parent)
        ]
        line.parent = above[0] if above else None
        for item in order.items:
            if item.id == line.id and not line.context:
                line.relies += [other for other in lines for tie in item.relations if other.id == tie.item]
        if held:
            line.relies += [other for other in lines if other.asset in held.relies_on]
    for line in lines:
        line.root = line
        while line.root.parent:
            line.root = line.root.parent
    return lines


def _held(asset: Asset, action: Action) -> Wanted:
    quiet = action is Action.NO_CHANGE
    return Wanted(
        id=asset.id,
        spec=asset.spec,
        level=asset.level,
        action=action,
        quantity=asset.quantity,
        attributes=dict(asset.attributes),
        parent=None,
        root=None,
        asset=asset.id,
        context=quiet,
        live=not quiet,
    )


def _technical(
    design: Design, order: ProductOrder, inventory: Inventory, lines: list[Wanted], level: Level
) -> list[Wanted]:
    made: list[Wanted] = []
    anchored: dict[str, list[Asks]] = {}
    for source in lines:
        if source.action is Action.DELETE or (source.level is not Level.PRODUCT and not source.sources):
            continue
        for rule in design.rules:
            if design.specs[rule.target].level is not level:
                continue
            if (_fires(design, rule, source) and not _displaced(design, inventory, rule, source)) or _kept(
                design, inventory, rule, source
            ):
                asset = _asset(design, order, inventory, lines, source, rule)
                live = source.live or _reached(design, lines, source, rule)
                anchored.setdefault(asset, []).append(Asks(source, rule, live))
    asks = _taken(design, inventory, anchored)
    losses = {
        held.id: {
            source.asset
            for source in lines
            if source.asset in held.users
            and (
                source.action in (Action.MODIFY, Action.DELETE)
                or any(
                    rule.source == source.spec and rule.target == held.spec and _reached(design, lines, source, rule)
                    for rule in design.rules
                )
            )
            and all(source is not each.source for each in asks.get(held.id, ()))
        }
        for held in inventory.assets.values()
    }
    for id, sources in asks.items():
        line = _merged(design, inventory, id, sources, bool(losses.get(id)))
        if line is not None:
            made.append(line)
    for held in inventory.assets.values():
        if held.level is not level:
            continue
        losing = losses[held.id]
        if not losing:
            continue
        known = next((line for line in made if line.asset == held.id), None)
        if known is None:
            known = _held(held, Action.NO_CHANGE)
            made.append(known)
        known.removed = frozenset(losing)
        known.live = True
    for line in made:
        line.action = _action(inventory, line)
        if line.root is None:
            user = next(each for each in lines if each.asset in line.removed)
            line.parent, line.root = user, user.root
    return made


def _fires(design: Design, rule: DecompositionRule, source: Wanted) -> bool:
    def holds(each: DecompositionRule) -> bool:
        if each.source != source.spec:
            return False
        return each.when is None or evaluate(each.when.expression, _scope(source), {}) is True

    rivals = [each for each in design.rules if rule.group and each.group == rule.group and each.rank < rule.rank]
    return holds(rule) and not any(holds(each) for each in rivals)


def _kept(design: Design, inventory: Inventory, rule: DecompositionRule, source: Wanted) -> bool:
    """Whether the rule would fire if the source were new, and the source has what it asks for."""
    uses = any(each.spec == rule.target and source.asset in each.users for each in inventory.assets.values())
    return source.action is not Action.ADD and uses and _fires(design, rule, replace(source, action=Action.ADD))


def _displaced(design: Design, inventory: Inventory, rule: DecompositionRule, source: Wanted) -> bool:
    """Whether another rule of its group made what the source has."""
    return any(
        each.group == rule.group and each is not rule and _kept(design, inventory, each, source)
        for each in design.rules
        if rule.group
    )


def _scope(line: Wanted) -> Scope:
    return Scope(line=line, parent=line.parent or NOTHING, root=line.root or NOTHING)


def _asset(
    design: Design,
    order: ProductOrder,
    inventory: Inventory,
    lines: list[Wanted],
    source: Wanted,
    rule: DecompositionRule,
) -> str:
    """The id of the asset that the rule asks for."""
    target = design.specs[rule.target]
    used = sorted(
        asset.id for asset in inventory.assets.values() if asset.spec == target.name and source.asset in asset.users
    )
    match target.scope:
        case Sharing.LINE:
            anchor = source.asset
        case Sharing.PARENT:
            anchor = source.parent.asset if source.parent else source.asset
        case Sharing.BUNDLE:
            anchor = source.root.asset
        case Sharing.ACCOUNT:
            anchor = order.account.id
        case Sharing.KEY:
            key = source.attributes.get("k")
            anchor = f"{order.account.id}/{key}"
        case Sharing.ORDER:
            if used:
                return used[0]
            anchor = _product(source).asset.partition(":")[0]
        case Sharing.RELATION:
            product = _product(source)
            together = _together(lines, product, gone=False)
            relied = [each.asset for each in together if any(each in other.relies for other in together)]
            anchor = min(relied) if relied else product.asset
    return f"{target.name}@{target.scope}:{anchor}"


def _reached(design: Design, lines: list[Wanted], source: Wanted, rule: DecompositionRule) -> bool:
    """Whether the order touches what the rule looks at: the designs of these tests look at parents and roots only."""
    rivals = [each for each in design.rules if each is rule or (rule.group and each.group == rule.group)]
    seen = repr([(each.when, each.quantity, each.mappings) for each in rivals])
    scopes = {design.specs[each.target].scope for each in rivals}
    if Sharing.RELATION in scopes:
        together = _together(lines, _product(source), gone=True)
        if any(each.live for each in together):
            return True
    if ("Root.PARENT" in seen or Sharing.PARENT in scopes) and source.parent is not None and source.parent.live:
        return True
    return bool(("Root.ROOT" in seen or Sharing.BUNDLE in scopes) and source.root.live)


def _product(line: Wanted) -> Wanted:
    while line.level is not Level.PRODUCT:
        line = line.parent
    return line


def _together(lines: list[Wanted], product: Wanted, *, gone: bool) -> list[Wanted]:
    """The products that are tied to this one, itself first."""
    there = [line for line in lines if gone or line.action is not Action.DELETE]
    found = [product]
    for each in found:
        if each in there:
            found += [other for other in there if other not in found and (other in each.relies or each in other.relies)]
    return found


def _taken(design: Design, inventory: Inventory, anchored: dict[str, list[Asks]]) -> dict[str, list[Asks]]:
    """By asset what asks for it: of its anchor, else (but for keys) one that a source uses and nothing else takes."""
    taken = {wanted for wanted in anchored if wanted in inventory.assets}
    asks = {}
    for wanted, sources in anchored.items():
        spec = design.specs[sources[0].rule.target]
        users = {each.source.asset for each in sources}
        used = [each.id for each in inventory.assets.values() if each.spec == spec.name and each.users & users]
        free = [id for id in used if id not in taken]
        chosen = wanted
        if wanted not in inventory.assets and spec.scope is not Sharing.KEY and free:
            chosen = min(free)
            taken.add(chosen)
        asks[chosen] = sources
    return asks


def _merged(design: Design, inventory: Inventory, id: str, sources: list[Asks], lost: bool) -> Wanted | None:
    held = inventory.assets.get(id)
    live = lost or any(each.live for each in sources)
    if held is None and not live:
        return None
    under = [each.source for each in sources if held and each.source.asset == held.parent]
    first = under[0] if under else min((each.source for each in sources), key=lambda source: source.asset)
    rule = sources[0][1]
    line = Wanted(
        id=id,
        spec=rule.target,
        level=design.specs[rule.target].level,
        action=Action.NO_CHANGE,
        quantity=held.quantity if held else 1,
        attributes=dict(held.attributes) if held else {},
        parent=first,
        root=first.root,
        asset=id,
        context=False,
        live=live,
        sources=sources,
    )
    users = frozenset(each.source.asset for each in sources)
    if live:
        line.added = users - (held.users if held else frozenset())
        quantities = [
            evaluate(each.quantity.expression, _scope(source), {}) for source, each, _ in sources if each.quantity
        ]
        line.quantity = sum(each for each in quantities if isinstance(each, int)) if quantities else 1
        mapped = {mapping.attribute for each in design.rules if each.target == rule.target for mapping in each.mappings}
        line.attributes = {name: value for name, value in line.attributes.items() if name not in mapped}
        for name in {mapping.attribute for each in sources for mapping in each.rule.mappings}:
            found = [
                (each.priority, value)
                for source, each, _ in sources
                for mapping in each.mappings
                if mapping.attribute == name
                and (value := evaluate(mapping.value.expression, _scope(source), {})) is not None
            ]
            best = [value for priority, value in found if priority == max(each for each, _ in found)]
            if len(set(best)) > 1:
                raise Contradiction
            if best:
                line.attributes[name] = best[0]
    return line


def _action(inventory: Inventory, line: Wanted) -> Action:
    held = inventory.assets.get(line.asset)
    if held is None:
        return Action.ADD
    if not line.sources:
        return Action.NO_CHANGE if held.users - line.removed else Action.DELETE
    if not line.live:
        return Action.NO_CHANGE
    known = held.users - line.removed <= {each.source.asset for each in line.sources}
    for action in (Action.SUSPEND, Action.RESUME):
        if known and {each.source.action for each in line.sources} == {action}:
            return action
    idle = known and all(_idle(inventory, each.source) for each in line.sources)
    if idle and held.state is AssetState.ACTIVE:
        return Action.SUSPEND
    if not idle and held.state is AssetState.SUSPENDED:
        return Action.RESUME
    same = line.attributes == dict(held.attributes) and line.quantity == held.quantity
    return Action.NO_CHANGE if same else Action.MODIFY


def _idle(inventory: Inventory, line: Wanted) -> bool:
    if line.action in (Action.SUSPEND, Action.RESUME):
        return line.action is Action.SUSPEND
    held = inventory.assets.get(line.asset)
    if held is None:
        return bool(line.sources) and all(_idle(inventory, each.source) for each in line.sources)
    return held.state is AssetState.SUSPENDED
