"""The native back end: hash on spec and action, attribute tests as bit masks, shared predicates, exclusive groups."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from orderloom.engine.expressions import CompiledExpression, Expressions, Scope
from orderloom.engine.expressions.wording import written
from orderloom.engine.masks import Selector, bits, selector
from orderloom.engine.network.conditions import Condition, analysed, conjuncts
from orderloom.engine.network.interface import NetworkRule, Verdict
from orderloom.engine.network.verdicts import verdict
from orderloom.models.catalog import Action
from orderloom.models.expression import Expression, Formula

#: a node forgets its answers by mask when it knows more than this many
_ANSWERS = 4096

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
        self._nodes: dict[tuple[str | None, Action | None], _Node] = {}

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

    def _build(self, spec: str | None, action: Action | None) -> _Node:
        places = [place for place in self.candidates(spec) if _admits(self._conditions[place], action)]
        node = _Node(places, self.rules, self._conditions, self._expressions)
        self._nodes[spec, action] = node
        return node


def _firing_order(rule: NetworkRule, lineage: Lineage) -> tuple[int, int, int, str]:
    """Higher priority first, then the more derived spec, then the longer condition, then the id."""
    length = len(conjuncts(rule.when.expression)) if rule.when else 0
    return -rule.priority, -len(lineage(rule.spec)), -length - (rule.actions is not None), rule.id


def _admits(condition: Condition, action: Action | None) -> bool:
    return condition.actions is None or action in condition.actions


@dataclass(frozen=True, slots=True)
class _Predicate:
    """A shared residual predicate, and the rules of the node that need it."""

    expression: CompiledExpression
    needed_by: int


class _Node:
    """The rules for lines of one spec with one action. Bit `i` of a mask stands for the node's rule `i`."""

    __slots__ = ("_answers", "_every", "_groups", "_places", "_predicates", "_tests")

    def __init__(
        self,
        places: Sequence[int],
        rules: Sequence[NetworkRule],
        conditions: Sequence[Condition],
        expressions: Expressions,
    ) -> None:
        self._places = tuple(places)
        self._every = (1 << len(places)) - 1
        here = [conditions[place] for place in places]
        names = sorted({name for condition in here for name in condition.tests})
        self._tests = tuple(_attribute(name, here) for name in names)
        self._predicates = _predicates(here, expressions)
        self._groups = _groups([rules[place] for place in places])
        self._answers: dict[int, tuple[int, ...]] = {}

    def match(self, scope: Scope) -> tuple[int, ...]:
        mask = self._every
        attribute = scope.line.attributes.get
        for name, select, untested in self._tests:
            value = attribute(name)
            mask &= untested if value is None else select(value)
            if not mask:
                return ()
        for predicate in self._predicates:
            if mask & predicate.needed_by and not predicate.expression.is_true(scope):
                mask &= ~predicate.needed_by
        answer = self._answers.get(mask)
        return self._answer(mask) if answer is None else answer

    def _answer(self, mask: int) -> tuple[int, ...]:
        left = mask
        for members in self._groups:
            holding = [member for member in members if mask & member]
            for shadowed in holding[1:]:
                left &= ~shadowed
        answer = tuple(self._places[bit] for bit in bits(left))
        if len(self._answers) >= _ANSWERS:
            self._answers.clear()
        self._answers[mask] = answer
        return answer


def _attribute(name: str, conditions: Sequence[Condition]) -> tuple[str, Selector, int]:
    """The attribute, the mask by its value, and the mask of the rules that do not test it."""
    tests = [condition.tests.get(name) for condition in conditions]
    untested = sum(1 << place for place, test in enumerate(tests) if test is None)
    return name, selector(tests), untested


def _predicates(conditions: Sequence[Condition], expressions: Expressions) -> tuple[_Predicate, ...]:
    """Each distinct residual once, in the order in which the rules need them."""
    needed: dict[Expression, int] = {}
    for place, condition in enumerate(conditions):
        for residual in condition.residuals:
            needed[residual] = needed.get(residual, 0) | 1 << place
    return tuple(
        _Predicate(expressions.compiled(Formula(residual, written(residual))), mask)
        for residual, mask in needed.items()
    )


def _groups(rules: Sequence[NetworkRule]) -> tuple[tuple[int, ...], ...]:
    """The bits of each exclusive group with several rules here, by rank."""
    members: dict[str, list[tuple[int, int]]] = {}
    for place, rule in enumerate(rules):
        if rule.group:
            members.setdefault(rule.group, []).append((rule.rank, 1 << place))
    return tuple(tuple(bit for _, bit in sorted(found)) for found in members.values() if len(found) > 1)
