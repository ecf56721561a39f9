"""What sources merge by: the anchor of a scope, made of inventory ids so that it is the same in every order."""

from __future__ import annotations

from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import Scope as Surroundings
from orderloom.engine.expressions.operations import text
from orderloom.engine.firing import FiringRule
from orderloom.models.catalog import Level, RelationKind, Scope
from orderloom.models.fulfillment import Line


class Anchors:
    """Finds anchors; the components of `relies on` are computed once."""

    __slots__ = ("_components", "_work")

    def __init__(self, work: Work) -> None:
        self._work = work
        self._components: dict[str, str] | None = None

    def of(self, source: Line, rule: FiringRule, surroundings: Surroundings) -> str | None:
        """The anchor of the technical line that `source` feeds by `rule`; None where the scope's key has no value."""
        work = self._work
        match rule.target.scope:
            case Scope.LINE:
                return source.asset
            case Scope.PARENT:
                parent = work.lines.get(source.parent)
                return parent.asset if parent else source.asset
            case Scope.BUNDLE:
                return work.lines[source.root].asset
            case Scope.ACCOUNT:
                return work.order.account.id
            case Scope.ORDER:
                return self._first_order(source, rule)
            case Scope.RELATION:
                return self._component(source)
            case Scope.KEY:
                key = rule.key.evaluate(surroundings) if rule.key else None
                return None if key is None else f"{work.order.account.id}/{text(key)}"

    def _first_order(self, source: Line, rule: FiringRule) -> str:
        """The order that made the item which the source already uses, else this one."""
        for asset in self._work.used_by.get(source.asset, ()):
            if asset.spec == rule.target.name and asset.anchor:
                return asset.anchor.removeprefix(f"{asset.spec} {Scope.ORDER} ")
        return self._work.order.id

    def _component(self, source: Line) -> str:
        """The smallest id among what is relied on in the source's component; its own product if nothing is."""
        work = self._work
        product = source
        while product.level is not Level.PRODUCT:
            product = work.lines[product.parent]
        if self._components is None:
            self._components = _components(work)
        return self._components.get(product.asset, product.asset)


def _components(work: Work) -> dict[str, str]:
    """For the asset of each product that relies on another or is relied on, its component's anchor."""
    neighbours: dict[str, list[str]] = {}
    relied_on: set[str] = set()
    for line in work.lines.values():
        for relation in line.relations:
            if relation.kind is RelationKind.RELIES_ON:
                other = work.lines[relation.line].asset if relation.line in work.lines else relation.line
                neighbours.setdefault(line.asset, []).append(other)
                neighbours.setdefault(other, []).append(line.asset)
                relied_on.add(other)
    anchors: dict[str, str] = {}
    for start in neighbours:
        if start in anchors:
            continue
        members, stack = {start}, [start]
        while stack:
            for other in neighbours[stack.pop()]:
                if other not in members:
                    members.add(other)
                    stack.append(other)
        anchors.update(dict.fromkeys(members, min(members & relied_on)))
    return anchors
