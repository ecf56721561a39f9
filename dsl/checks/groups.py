"""Exclusive groups: no member stands behind one that always fires."""

from __future__ import annotations

from orderloom.dsl.context import Context
from orderloom.models.rules import DecompositionRule
from orderloom.models.source import Label


def check(context: Context) -> None:
    groups: dict[str, list[DecompositionRule]] = {}
    for rule in context.rules:
        if rule.group:
            groups.setdefault(rule.group, []).append(rule)
    for rules in groups.values():
        for place, rule in enumerate(rules):
            shadow = next((each for each in rules[:place] if _always(context, each, rule)), None)
            if shadow is not None and rule.span is not None:
                context.findings.error(
                    "LM3107",
                    f"this rule into `{rule.target}` can never fire: one before it in the group always does",
                    rule.span,
                    help="move the rule without a condition to the end of the group, or give it a condition",
                    labels=[Label(shadow.span, "this one has no condition")] if shadow.span is not None else [],
                )


def _always(context: Context, rule: DecompositionRule, other: DecompositionRule) -> bool:
    """Whether `rule` fires for every line for which `other` could."""
    same = rule.source in context.specs[other.source].lineage
    return same and (rule.when is None or rule.when == other.when)
