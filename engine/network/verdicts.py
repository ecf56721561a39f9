"""Why a rule fires for a line, or why not: its condition, conjunct by conjunct, with the values it looked at."""

from __future__ import annotations

from collections.abc import Sequence

from orderloom.engine.expressions import Expressions, Scope
from orderloom.engine.expressions.wording import reference_text, references, written
from orderloom.engine.network.conditions import attribute_test, conjuncts
from orderloom.engine.network.interface import Finding, NetworkRule, Verdict
from orderloom.models.expression import Expression, Formula


def verdict(
    rule: NetworkRule, scope: Scope, lineage: Sequence[str], expressions: Expressions, shadowed_by: str
) -> Verdict:
    """Judges one rule; `shadowed_by` is the rule of its exclusive group that fires for the line, "" for none."""
    parts = conjuncts(rule.when.expression) if rule.when else []
    findings = tuple(_finding(part, scope, expressions) for part in parts)
    inapplicable = _inapplicable(rule, scope, lineage)
    holds = not inapplicable and all(finding.outcome is True for finding in findings)
    return Verdict(
        rule=rule.id,
        line=scope.line.id or "",
        fires=holds and not shadowed_by,
        inapplicable=inapplicable,
        findings=findings,
        shadowed_by=shadowed_by if holds else "",
    )


def _inapplicable(rule: NetworkRule, scope: Scope, lineage: Sequence[str]) -> str:
    if rule.spec not in lineage:
        return f"it is for `{rule.spec}`, the line is a `{scope.line.spec}`"
    if rule.actions is not None and scope.line.action not in rule.actions:
        return f"it is for {' or '.join(sorted(rule.actions))}, the line's action is {scope.line.action}"
    return ""


def _finding(part: Expression, scope: Scope, expressions: Expressions) -> Finding:
    text = written(part)
    outcome = expressions.compiled(Formula(part, text)).evaluate(scope)
    test = attribute_test(part)
    return Finding(
        text=text,
        outcome=outcome if isinstance(outcome, bool) else None,
        values=tuple(
            (reference_text(found), expressions.compiled(Formula(found, reference_text(found))).evaluate(scope))
            for found in references(part)
        ),
        accepted=str(test.test) if test else "",
    )
