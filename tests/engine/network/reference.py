"""All rules tried one after the other, with the naive evaluator."""

from __future__ import annotations

from collections.abc import Iterable

from orderloom.engine.expressions import Scope
from orderloom.engine.network import NetworkRule
from tests.engine.expressions.reference import evaluate
from tests.engine.strategies import SPECS


def firing(rules: Iterable[NetworkRule], scope: Scope) -> set[str]:
    """The ids of the rules that fire for the scope's line."""
    holding = [rule for rule in rules if _holds(rule, scope)]
    return {
        rule.id
        for rule in holding
        if not any(rule.group and other.group == rule.group and other.rank < rule.rank for other in holding)
    }


def _holds(rule: NetworkRule, scope: Scope) -> bool:
    line = scope.line
    if line.spec is None or rule.spec not in SPECS[line.spec].lineage:
        return False
    if rule.actions is not None and line.action not in rule.actions:
        return False
    return rule.when is None or evaluate(rule.when.expression, scope, {}) is True
