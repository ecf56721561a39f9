"""Rules of equal priority that set one attribute of a merged line to different constants, and circular rules."""

from __future__ import annotations

from itertools import pairwise

from orderloom.dsl.context import Context
from orderloom.dsl.cycles import cycles
from orderloom.dsl.wording import shown
from orderloom.models.catalog import Scope
from orderloom.models.expression import Literal
from orderloom.models.rules import DecompositionRule, Mapping
from orderloom.models.source import Label


def check(context: Context) -> None:
    _check_conflicts(context)
    _check_cycles(context)


def _check_conflicts(context: Context) -> None:
    seen: dict[tuple[str, str, int], list[tuple[DecompositionRule, Mapping]]] = {}
    for rule in context.rules:
        if context.specs[rule.target].scope is Scope.LINE:
            continue
        for mapping in rule.mappings:
            if not isinstance(mapping.value.expression, Literal):
                continue
            others = seen.setdefault((rule.target, mapping.attribute, rule.priority), [])
            for other, earlier in others:
                if not _together(rule, other) or earlier.value.expression == mapping.value.expression:
                    continue
                _report(context, rule, mapping, other, earlier)
                break
            others.append((rule, mapping))


def _together(rule: DecompositionRule, other: DecompositionRule) -> bool:
    """Whether two rules may feed one line: not if they exclude each other for one source."""
    return not (rule.group and rule.group == other.group and rule.source == other.source)


def _report(
    context: Context, rule: DecompositionRule, mapping: Mapping, other: DecompositionRule, earlier: Mapping
) -> None:
    if mapping.span is None:
        return
    values = [
        shown(each.value.expression.value, each.value.expression.type)
        for each in (mapping, earlier)
        if isinstance(each.value.expression, Literal)
    ]
    context.findings.warning(
        "LM3105",
        f"`{mapping.attribute}` of `{rule.target}` is set to `{values[0]}` from `{rule.source}` and to "
        f"`{values[1]}` from `{other.source}`",
        mapping.span,
        help="an order with both fails; say with `priority` which of the rules decides",
        labels=[Label(earlier.span, "set here as well")] if earlier.span is not None else [],
    )


def _check_cycles(context: Context) -> None:
    """A line must not be decomposed into itself in the end; rules for a spec hold for what extends it."""
    graph: dict[str, list[str]] = {name: [] for name in context.specs}
    for rule in context.rules:
        for name in context.structure.family[rule.source]:
            graph[name].append(rule.target)
    for cycle in cycles(graph):
        steps = set(pairwise(cycle))
        rule = next(
            each
            for each in context.rules
            if any(each.target == lower and each.source in context.specs[upper].lineage for upper, lower in steps)
        )
        if rule.span is not None:
            context.findings.error(
                "LM3106",
                f"decomposition goes in a circle: {' → '.join(f'`{each}`' for each in cycle)}",
                rule.span,
                help="remove one of these rules",
            )
