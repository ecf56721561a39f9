"""What sources merge by: the anchor of a scope, made of inventory ids so that it is the same in every order."""

from __future__ import annotations

from orderloom.engine.decomposition.work import Work
from orderloom.engine.expressions import Scope as Surroundings
from orderloom.engine.expressions.operations import text
from orderloom.engine.firing import FiringRule
from orderloom.models.catalog import Action, Level, RelationKind, Scope
from orderloom.models.fulfillment import Line


class Anchors:
    """Finds anchors; the components of `relies on` are computed once."""

    __slots__ = ("_components", "_touched", "_work")

    def __init__(self, work: Work) -> None:
        self._work = work
        self._components: dict[str, str] | None = None
        self._touched: frozenset[str] | None = None

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
                written = None if key is None else text(key)
                return None if written is None else f"{_part(work.order.account.id)}/{_part(written)}"

    def regrouped(self, source: Line) -> bool:
        """Whether the order touches what the source's product relies on, directly or not, or is relied on by."""
        work = self._work
        if self._touched is None:
            active = {line.asset for line in work.lines.values() if line.id in work.active}
            self._touched = frozenset(
                asset for members, _ in _components(work, gone=True) if members & active for asset in members
            )
        return self._product(source).asset in self._touched

    def _first_order(self, source: Line, rule: FiringRule) -> str:
        """The order of the item which the source already uses, else the order that its product came with."""
        for asset in self._work.used_by.get(source.asset, ()):
            if asset.spec == rule.target.name and asset.anchor:
                return asset.anchor.removeprefix(f"{asset.spec} {Scope.ORDER} ")
        return self._product(source).ordered or self._work.order.id

    def _component(self, source: Line) -> str:
        """The smallest id among what is relied on in the source's component; its own product if nothing is."""
        if self._components is None:
            self._components = {
                asset: min(members & relied_on)
                for members, relied_on in _components(self._work, gone=False)
                for asset in members
            }
        asset = self._product(source).asset
        return self._components.get(asset, asset)

    def _product(self, source: Line) -> Line:
        while source.level is not Level.PRODUCT:
            source = self._work.lines[source.parent]
        return source


def _part(text: str) -> str:
    """One part of an anchor of several parts: the mark between the parts does not occur in it."""
    return text.replace("%", "%25").replace("/", "%2F")


def _components(work: Work, *, gone: bool) -> list[tuple[set[str], set[str]]]:
    """The assets of products tied by `relies on`, and all that is relied on; with `gone` by what is deleted as well."""
    neighbours: dict[str, list[str]] = {}
    relied_on: set[str] = set()
    for line in work.lines.values():
        if line.action is Action.DELETE and not gone:
            continue
        for relation in line.relations:
            if relation.kind is RelationKind.RELIES_ON:
                other = work.lines[relation.line].asset if relation.line in work.lines else relation.line
                neighbours.setdefault(line.asset, []).append(other)
                neighbours.setdefault(other, []).append(line.asset)
                relied_on.add(other)
    found: list[tuple[set[str], set[str]]] = []
    seen: set[str] = set()
    for start in neighbours:
        if start in seen:
            continue
        members, stack = {start}, [start]
        while stack:
            for other in neighbours[stack.pop()]:
                if other not in members:
                    members.add(other)
                    stack.append(other)
        seen |= members
        found.append((members, relied_on))
    return found
