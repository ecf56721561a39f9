"""Decomposition by nested loops: no network, no index, one level after the other. For orders without problems."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from orderloom.engine.expressions import NOTHING, Scope
from orderloom.models.catalog import Action, Level
from orderloom.models.catalog import Scope as Sharing
from orderloom.models.design import Design
from orderloom.models.inventory import Asset, Inventory
from orderloom.models.order import ProductOrder
from orderloom.models.rules import DecompositionRule
from orderloom.models.values import Value
from tests.engine.expressions.reference import evaluate


class Contradiction(Exception):
    """two sources set one attribute differently"""


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
    sources: list[tuple[Any, DecompositionRule]] = field(default_factory=list)
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()
    relies: list[Any] = field(default_factory=list)


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
                attributes={**(held.attributes if held else {}), **given},  # type: ignore[dict-item]
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
    anchored: dict[str, list[tuple[Wanted, DecompositionRule]]] = {}
    for source in lines:
        if source.action is Action.DELETE or (source.level is not Level.PRODUCT and not source.sources):
            continue
        for rule in design.rules:
            if design.specs[rule.target].level is level and _fires(design, rule, source):
                asset = _asset(design, order, inventory, lines, source, rule)
                anchored.setdefault(asset, []).append((source, rule))
    asks: dict[str, list[tuple[Wanted, DecompositionRule]]] = {}
    for wanted, sources in anchored.items():
        asks.setdefault(_existing(design, inventory, wanted, sources), []).extend(sources)
    for id, sources in asks.items():
        line = _merged(design, inventory, id, sources)
        if line is not None:
            made.append(line)
    for held in inventory.assets.values():
        if held.level is not level:
            continue
        losing = {
            source.asset
            for source in lines
            if source.asset in held.users
            and source.action in (Action.MODIFY, Action.DELETE)
            and all(source is not each for each, _ in asks.get(held.id, ()))
        }
        if not losing:
            continue
        known = next((line for line in made if line.asset == held.id), None)
        if known is None:
            known = _held(held, Action.NO_CHANGE)
            made.append(known)
        known.removed = frozenset(losing)
        known.live = True
    for line in made:
        line.action = _action(inventory.assets.get(line.asset), line)
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
            anchor = order.id
        case Sharing.RELATION:
            product = source
            while product.level is not Level.PRODUCT:
                product = product.parent
            together = [product]
            for each in together:
                together += [
                    other for other in lines if other not in together and (other in each.relies or each in other.relies)
                ]
            relied = [each.asset for each in together if any(each in other.relies for other in together)]
            anchor = min(relied) if relied else product.asset
    return f"{target.name}@{target.scope}:{anchor}"


def _existing(
    design: Design, inventory: Inventory, wanted: str, sources: list[tuple[Wanted, DecompositionRule]]
) -> str:
    """The wanted asset if there is one, else (but for keys) one of that spec that a source uses."""
    target = design.specs[sources[0][1].target]
    if wanted in inventory.assets or target.scope is Sharing.KEY:
        return wanted
    users = {source.asset for source, _ in sources}
    used = [asset.id for asset in inventory.assets.values() if asset.spec == target.name and asset.users & users]
    return min(used, default=wanted)


def _merged(
    design: Design, inventory: Inventory, id: str, sources: list[tuple[Wanted, DecompositionRule]]
) -> Wanted | None:
    held = inventory.assets.get(id)
    live = any(source.live for source, _ in sources)
    if held is None and not live:
        return None
    under = [source for source, _ in sources if held and source.asset == held.parent]
    first = under[0] if under else min((source for source, _ in sources), key=lambda source: source.asset)
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
    users = frozenset(source.asset for source, _ in sources)
    if live:
        line.added = users - (held.users if held else frozenset())
        quantities = [
            evaluate(each.quantity.expression, _scope(source), {}) for source, each in sources if each.quantity
        ]
        line.quantity = sum(each for each in quantities if isinstance(each, int)) if quantities else 1
        for name in {mapping.attribute for _, each in sources for mapping in each.mappings}:
            found = [
                (each.priority, value)
                for source, each in sources
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


def _action(held: Asset | None, line: Wanted) -> Action:
    if held is None:
        return Action.ADD
    if not line.sources:
        return Action.NO_CHANGE if held.users - line.removed else Action.DELETE
    if not line.live:
        return Action.NO_CHANGE
    for action in (Action.SUSPEND, Action.RESUME):
        if {source.action for source, _ in line.sources} == {action} and held.users <= {
            source.asset for source, _ in line.sources
        }:
            return action
    same = line.attributes == dict(held.attributes) and line.quantity == held.quantity
    return Action.NO_CHANGE if same else Action.MODIFY
