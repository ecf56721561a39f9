"""Lines of one spec that merge into one line and give it each their own value.

Where a spec may stand several times under one parent, a rule from it into a spec that merges them must not copy an
attribute: two lines with different values make an order fail.
"""

from __future__ import annotations

from orderloom.dsl.context import Context
from orderloom.models.catalog import Scope
from orderloom.models.expression import Reference, Root
from orderloom.models.rules import DecompositionRule

#: scopes that merge all lines under one parent
_MERGING = frozenset((Scope.PARENT, Scope.BUNDLE, Scope.ORDER, Scope.ACCOUNT))


def check(context: Context) -> None:
    """Warns of what is copied; constants and values from further up are the same for all."""
    many = {
        name
        for spec in context.specs.values()
        for child in spec.contains
        if child.most is None or child.most > 1
        for name in context.structure.family.get(child.spec, ())
    }
    for rule in context.rules:
        if rule.source in many and context.specs[rule.target].scope in _MERGING:
            _check_rule(context, rule)


def _check_rule(context: Context, rule: DecompositionRule) -> None:
    target = context.specs[rule.target]
    for mapping in rule.mappings:
        value = mapping.value.expression
        if isinstance(value, Reference) and value.root is Root.LINE and not value.meta and mapping.span is not None:
            context.findings.warning(
                "LM3111",
                f"each `{rule.source}` sets `{mapping.attribute}` of one `{target.name}`, and there may be several",
                mapping.span,
                help="an order whose values differ fails: make it from the parent with `sum`, `first` or `count`, or "
                f"make `{target.name}` one per line",
            )
