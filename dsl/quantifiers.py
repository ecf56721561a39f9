"""Quantifiers: `any`, `all`, `count`, `sum` and `first` over lines, children and assets."""

from __future__ import annotations

from dataclasses import replace

from orderloom.dsl import tree
from orderloom.dsl.checker import NUMBERS, Checker, handles
from orderloom.dsl.environment import ASSET_BUILT_INS, LINE_BUILT_INS, Members
from orderloom.dsl.facts import NONE, if_true
from orderloom.dsl.paths import ROOTS
from orderloom.dsl.suggestions import suggestion
from orderloom.models.expression import Collection, Expression, Quantified, Quantifier
from orderloom.models.values import BOOLEAN, INTEGER, Kind, Type

#: quantifiers inside quantifiers, counted from 1
DEEPEST = 2

_ANY_LINE = Members(owner="a line of any spec", built_ins=LINE_BUILT_INS)
_ANY_ASSET = Members(owner="an inventory item of any spec", built_ins=ASSET_BUILT_INS)


@handles(tree.Quantified)
def quantified(checker: Checker, node: tree.Quantified, wanted: Type | None) -> Expression | None:
    if checker.depth == DEEPEST:
        checker.findings.error(
            "LM2011",
            f"quantifiers go at most {DEEPEST} deep",
            node.span,
            help="split the rule, or set an attribute first",
        )
        return None
    members = _members(checker, node)
    inner = _inside(checker, node, members)
    if members is None or inner is None:
        return None
    where = inner.check(node.where, BOOLEAN) if node.where is not None else None
    if node.where is not None and where is None:
        return None
    if where is not None:
        inner = inner.assuming(if_true(where))
    value = inner.infer(node.value) if node.value is not None else None
    if node.value is not None and value is None:
        return None
    result = _result(checker, node, where, value)
    if result is None:
        return None
    return Quantified(
        node.quantifier,
        node.collection,
        node.spec.text if node.spec is not None else None,
        node.variable.text if node.variable is not None else "",
        where,
        value,
        result,
    )


def _members(checker: Checker, node: tree.Quantified) -> Members | None:
    in_inventory = node.collection is Collection.ASSETS
    if node.spec is None:
        return _ANY_ASSET if in_inventory else _ANY_LINE
    find = checker.known.members_of_assets if in_inventory else checker.known.members_of_lines
    found = find(node.spec.text)
    if found is None and node.spec.text not in checker.known.specs:
        checker.findings.error(
            "LM1003",
            f"there is no product, service or resource `{node.spec.text}`",
            node.spec.span,
            help=suggestion(node.spec.text, checker.known.specs, what="spec"),
        )
    return found


def _inside(checker: Checker, node: tree.Quantified, members: Members | None) -> Checker | None:
    """The checker for `where` and the value, where the variable stands for an item."""
    if node.variable is None:
        return replace(checker, depth=checker.depth + 1)
    name = node.variable.text
    if name in ROOTS or name in checker.variables:
        checker.findings.error(
            "LM1015", f"`{name}` already means something here", node.variable.span, help="choose another name"
        )
        return None
    if members is None:
        return None
    facts = frozenset(fact for fact in checker.present if fact[0] != name) or NONE
    return replace(checker, depth=checker.depth + 1, variables={**checker.variables, name: members}, present=facts)


def _result(checker: Checker, node: tree.Quantified, where: Expression | None, value: Expression | None) -> Type | None:
    if node.quantifier is Quantifier.COUNT:
        return INTEGER
    if node.quantifier in (Quantifier.ANY, Quantifier.ALL):
        if node.quantifier is Quantifier.ALL and where is None:
            checker.findings.error(
                "LM2010", "`all` does not say what is to be true of all", node.span, help="add `where` and a condition"
            )
            return None
        return BOOLEAN.maybe() if where is not None and where.type.optional else BOOLEAN
    if value is None:
        return None
    if node.quantifier is Quantifier.FIRST:
        return value.type.maybe()
    if value.type.kind not in NUMBERS | {Kind.DURATION}:
        span = node.value.span if node.value is not None else node.span
        checker.findings.error(
            "LM2002", f"`sum` does not apply to `{value.type.required()}`", span, help="it adds numbers and durations"
        )
        return None
    return value.type.required()
