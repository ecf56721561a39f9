"""A design made ready to run: its expressions, its rule networks and its structure, each computed once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cached_property

from orderloom.engine.expressions import CompiledExpression, Expressions
from orderloom.engine.expressions.wording import references
from orderloom.engine.firing import Asking, FiringMapping, FiringRule, asking, strata
from orderloom.engine.network import NativeNetwork, NetworkRule
from orderloom.engine.readings import Readings, looked_at, readings, together
from orderloom.models.catalog import Spec
from orderloom.models.design import Design
from orderloom.models.expression import Formula, Root
from orderloom.models.rules import DecompositionRule


class Program:
    """A compiled design. It does not change; what is expensive is computed when first asked for and kept."""

    def __init__(self, design: Design) -> None:
        self.design = design
        self._expressions = Expressions(design.tables)
        self._required: dict[str, tuple[str, ...]] = {}

    def expression(self, formula: Formula) -> CompiledExpression:
        """The compiled form of a formula of this design."""
        return self._expressions.compiled(formula)

    def lineage(self, spec: str) -> tuple[str, ...]:
        """The spec itself first, then what it extends; just the name for an unknown spec."""
        known = self.design.specs.get(spec)
        return known.lineage or (spec,) if known else (spec,)

    @property
    def specs(self) -> Mapping[str, Spec]:
        return self.design.specs

    @cached_property
    def decompositions(self) -> NativeNetwork:
        """Decomposition rules, by rule id."""
        return self._network(
            NetworkRule(
                id=rule.id,
                spec=rule.source,
                when=rule.when,
                priority=rule.priority,
                group=rule.group,
                rank=rule.rank,
            )
            for rule in self.design.rules
        )

    @cached_property
    def scenarios(self) -> NativeNetwork:
        """Plans by the lines that call for them; the id of a rule is the plan's name."""
        return self._network(
            NetworkRule(id=plan.name, spec=plan.spec, actions=frozenset(plan.actions), when=plan.when)
            for plan in self.design.plans.values()
            if plan.actions
        )

    @cached_property
    def rejections(self) -> NativeNetwork:
        """Reasons to reject an order, by rejection id."""
        return self._network(
            NetworkRule(id=rejection.id, spec=rejection.spec, when=rejection.when)
            for rejection in self.design.rejections
        )

    @cached_property
    def strata(self) -> Mapping[str, int]:
        """The order in which specs are decomposed, see `firing.strata`."""
        return strata(self.design.specs, self.design.rules)

    @cached_property
    def firing(self) -> tuple[FiringRule, ...]:
        """The rules of `decompositions`, place by place, ready to fire."""
        rules = {rule.id: rule for rule in self.design.rules}
        groups: dict[str, list[Readings]] = {}
        for rule in self.design.rules:
            if rule.group:
                groups.setdefault(rule.group, []).append(readings(rule, self.design.specs[rule.target]))
        return tuple(self._firing(rules[each.id], groups) for each in self.decompositions.rules)

    @cached_property
    def firing_by_source(self) -> Mapping[str, tuple[FiringRule, ...]]:
        """The rules for lines of each spec, those of the specs that it extends included."""
        return {
            name: tuple(rule for rule in self.firing if rule.rule.source in (spec.lineage or (name,)))
            for name, spec in self.design.specs.items()
        }

    @cached_property
    def asking(self) -> Mapping[str, Asking]:
        """By the name of an attribute, the rules that ask for it."""
        return self._looking(lambda rule: rule.readings.asks)

    @cached_property
    def giving(self) -> Mapping[str, Asking]:
        """By the name of an attribute, the rules that give what they derive from it."""
        return self._looking(lambda rule: rule.readings.gives)

    @cached_property
    def firing_by_id(self) -> Mapping[str, FiringRule]:
        return {rule.id: rule for rule in self.firing}

    @cached_property
    def made_of(self) -> Mapping[str, frozenset[str]]:
        """By attribute name, the names of what rules make of it, directly or not."""
        next_ones: dict[str, set[str]] = {}
        for rule in self.firing:
            for mapping in rule.mappings:
                for name in mapping.reads:
                    next_ones.setdefault(name, set()).add(mapping.attribute)
        found: dict[str, frozenset[str]] = {}
        for start, first in next_ones.items():
            seen, todo = set(first), list(first)
            while todo:
                fresh = next_ones.get(todo.pop(), set()) - seen
                seen |= fresh
                todo += fresh
            found[start] = frozenset(seen)
        return found

    @cached_property
    def derived(self) -> Mapping[str, frozenset[str]]:
        """The attributes of each spec that rules alone set: no task does, so they are as the rules say or absent."""
        found: dict[str, set[str]] = {}
        for rule in self.design.rules:
            found.setdefault(rule.target, set()).update(each.attribute for each in rule.mappings)
        return {name: frozenset(names - self.design.specs[name].supplied_later) for name, names in found.items()}

    @cached_property
    def asks_for_action(self) -> bool:
        """Whether the condition of some decomposition rule tests an action."""
        return any(rule.readings.action for rule in self.firing)

    def required(self, spec: str) -> tuple[str, ...]:
        """The names of a known spec's required attributes."""
        found = self._required.get(spec)
        if found is None:
            attributes = self.design.specs[spec].attributes
            found = tuple(name for name, attribute in attributes.items() if attribute.required)
            self._required[spec] = found
        return found

    def _looking(self, names: Callable[[FiringRule], frozenset[str]]) -> Mapping[str, Asking]:
        found: dict[str, dict[str, list[FiringRule]]] = {}
        for spec, rules in self.firing_by_source.items():
            for rule in rules:
                for name in names(rule):
                    found.setdefault(name, {}).setdefault(spec, []).append(rule)
        return {name: asking(by_spec) for name, by_spec in found.items()}

    def _firing(self, rule: DecompositionRule, groups: Mapping[str, Sequence[Readings]]) -> FiringRule:
        target = self.design.specs[rule.target]
        return FiringRule(
            rule=rule,
            id=rule.id,
            target=target,
            mappings=tuple(
                FiringMapping(each.attribute, self.expression(each.value), looked_at(each.value))
                for each in rule.mappings
            ),
            quantity=self.expression(rule.quantity) if rule.quantity else None,
            counts=looked_at(rule.quantity) if rule.quantity else frozenset(),
            reads_asset=any(
                reference.root is Root.ASSET
                for formula in (*(each.value for each in rule.mappings), *([rule.quantity] if rule.quantity else ()))
                for reference in references(formula.expression)
            ),
            key=self.expression(target.scope_key) if target.scope_key else None,
            readings=together(groups[rule.group]) if rule.group else readings(rule, target),
        )

    def _network(self, rules: Iterable[NetworkRule]) -> NativeNetwork:
        return NativeNetwork(rules, self.lineage, self._expressions)


def compile_design(design: Design) -> Program:
    """Makes a checked design ready to run."""
    return Program(design)
