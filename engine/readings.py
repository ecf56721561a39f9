"""What a rule looks at beyond its own line: decides which untouched lines a change elsewhere reaches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields, is_dataclass

from orderloom.models.catalog import Scope, Spec
from orderloom.models.expression import Collection, Formula, Quantified, Reference, Root, Variable
from orderloom.models.rules import DecompositionRule
from orderloom.models.values import Type

#: stands for the quantity of a line among names of attributes
QUANTITY = "@quantity"


@dataclass(frozen=True, slots=True, kw_only=True)
class Readings:
    """What one decomposition rule looks at."""

    parent: bool
    root: bool
    children: bool
    #: any line of the order
    lines: bool
    #: what the source's product relies on, or is relied on by
    relations: bool
    #: whether its condition tests an action
    action: bool
    #: names of attributes that decide whether the rule asks for its target, for how many units, and for which
    asks: frozenset[str]
    #: names of attributes that its mappings and its quantity look at
    gives: frozenset[str]

    @property
    def beyond(self) -> bool:
        """Whether it looks at anything but the line itself."""
        return self.parent or self.root or self.children or self.lines or self.relations


def readings(rule: DecompositionRule, target: Spec) -> Readings:
    """What the rule's condition, mappings, quantity and its target's anchor look at."""
    formulas = [rule.when, rule.quantity, target.scope_key, *(each.value for each in rule.mappings)]
    deciding = [node for formula in formulas[:3] if formula for node in _nodes(formula)]
    nodes = [node for formula in formulas if formula for node in _nodes(formula)]
    roots = {node.root for node in nodes if isinstance(node, Reference)}
    ranges = {node.collection for node in nodes if isinstance(node, Quantified)}
    asked = _nodes(rule.when) if rule.when else ()
    giving = (rule.quantity, *(each.value for each in rule.mappings))
    return Readings(
        parent=Root.PARENT in roots or target.scope is Scope.PARENT,
        root=Root.ROOT in roots or target.scope is Scope.BUNDLE,
        children=Collection.CHILDREN in ranges,
        lines=Collection.LINES in ranges,
        relations=target.scope is Scope.RELATION,
        action=any(isinstance(node, Reference) and node.meta and node.name == "action" for node in asked),
        asks=_names(deciding),
        gives=frozenset(name for each in giving if each for name in looked_at(each)),
    )


def together(found: Sequence[Readings]) -> Readings:
    """What the rules of an exclusive group look at: whether one of them fires depends on the others."""
    return Readings(
        parent=any(each.parent for each in found),
        root=any(each.root for each in found),
        children=any(each.children for each in found),
        lines=any(each.lines for each in found),
        relations=any(each.relations for each in found),
        action=any(each.action for each in found),
        asks=frozenset(name for each in found for name in each.asks),
        gives=frozenset(name for each in found for name in each.gives),
    )


def looked_at(formula: Formula) -> frozenset[str]:
    """The names of the attributes that a formula looks at, whosever they are; QUANTITY for the quantity of a line."""
    return _names(_nodes(formula))


def _names(nodes: Iterable[object]) -> frozenset[str]:
    return frozenset(
        QUANTITY if node.meta else node.name
        for node in nodes
        if isinstance(node, Reference | Variable) and (not node.meta or node.name == "quantity")
    )


def _nodes(formula: Formula) -> Iterator[object]:
    todo: list[object] = [formula.expression]
    while todo:
        node = todo.pop()
        yield node
        if isinstance(node, tuple):
            todo.extend(node)
        elif is_dataclass(node) and not isinstance(node, Type):
            todo.extend(getattr(node, each.name) for each in fields(node))
