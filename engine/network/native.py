"""The native back end: hash on spec and action, attribute tests as bit masks, shared predicates, exclusive groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from orderloom.engine.expressions import Expressions, Scope
from orderloom.engine.network.conditions import Condition, analysed, conjuncts
from orderloom.engine.network.interface import NetworkRule, Verdict
from orderloom.engine.network.node import Node
from orderloom.engine.network.verdicts import verdict
from orderloom.models.catalog import Action

Lineage = Callable[[str], tuple[str, ...]]


class NativeNetwork:
    """See `RuleNetwork`. Nodes are built when a spec is first met with an action."""

    def __init__(self, rules: Iterable[NetworkRule], lineage: Lineage, expressions: Expressions) -> None:
        found = [(rule, analysed(rule.when.expression if rule.when else None, rule.actions)) for rule in rules]
        found.sort(key=lambda pair: _firing_order(pair[0], lineage))
        self.rules: Sequence[NetworkRule] = tuple(rule for rule, _ in found)
        self._conditions = tuple(condition for _, condition in found)
        self._places = {rule.id: place for place, rule in enumerate(self.rules)}
        self._lineage = lineage
        self._expressions = expressions
        self._by_spec: dict[str, list[int]] = {}
        for place, rule in enumerate(self.rules):
            self._by_spec.setdefault(rule.spec, []).append(place)
        self._nodes: dict[tuple[str | None, Action | None], Node] = {}

    def match(self, scope: Scope) -> tuple[int, ...]:
        line = scope.line
        node = self._nodes.get((line.spec, line.action))
        if node is None:
            node = self._build(line.spec, line.action)
        return node.match(scope)

    def match_all(self, scopes: Iterable[Scope]) -> list[tuple[int, ...]]:
        match = self.match
        return [match(scope) for scope in scopes]

    def candidates(self, spec: str | None) -> tuple[int, ...]:
        """The places of the rules for lines of a spec, whatever their conditions."""
        return tuple(sorted(place for each in self._specs(spec) for place in self._by_spec.get(each, ())))

    def verdict(self, rule: str, scope: Scope) -> Verdict:
        place = self._places[rule]
        found = self.rules[place]
        shadowing = ""
        fires = place in self.match(scope)
        if found.group and not fires:
            rivals = (self.rules[each] for each in self.match(scope))
            shadowing = next((each.id for each in rivals if each.group == found.group and each.rank < found.rank), "")
        return verdict(found, scope, self._specs(scope.line.spec), self._expressions, shadowing)

    def _specs(self, spec: str | None) -> tuple[str, ...]:
        return self._lineage(spec) if spec is not None else ()

    def _build(self, spec: str | None, action: Action | None) -> Node:
        places = [place for place in self.candidates(spec) if _admits(self._conditions[place], action)]
        node = Node(places, self.rules, self._conditions, self._expressions)
        self._nodes[spec, action] = node
        return node


def _firing_order(rule: NetworkRule, lineage: Lineage) -> tuple[int, int, int, str]:
    """Higher priority first, then the more derived spec, then the longer condition, then the id."""
    length = len(conjuncts(rule.when.expression)) if rule.when else 0
    return -rule.priority, -len(lineage(rule.spec)), -length - (rule.actions is not None), rule.id


def _admits(condition: Condition, action: Action | None) -> bool:
    return condition.actions is None or action in condition.actions
