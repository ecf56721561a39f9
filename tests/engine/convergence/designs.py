"""Random designs whose outcome depends on what a customer has, not on how that came about.

Left out is what reads history on purpose: `order.`, `asset.`, `assets`, `lines of`, a condition that asks for the
action and for something that may change, and a narrow scope below a line that several bundles share.
"""

from __future__ import annotations

from functools import reduce

from hypothesis import strategies as st

from orderloom.engine.program import Program
from orderloom.models.catalog import Action, Level, Scope, Spec
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Collection,
    Default,
    Expression,
    Quantified,
    Quantifier,
    Root,
    Variable,
)
from orderloom.models.rules import DecompositionRule
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import attribute, equal, formula, is_action, lit, not_, program, ref, rule, spec

PRODUCTS = ("P0", "P1", "P2")
TECHNICAL = {"C0": "cfs", "C1": "cfs", "R0": "rfs", "R1": "rfs", "S0": "resource", "S1": "resource"}
_FEEDERS = {"C": ("P",), "R": ("P", "C"), "S": ("P", "C", "R")}
_ATTRIBUTES = (attribute("a", INTEGER), attribute("b", BOOLEAN), attribute("k", INTEGER, default=0))
#: scopes that look at where the source stands
_PLACED = frozenset((Scope.PARENT, Scope.BUNDLE, Scope.RELATION, Scope.ORDER))
_KEY = Default(ref("k", INTEGER), lit(0, INTEGER), INTEGER)


def _at_least(left: Expression, least: int) -> Expression:
    return Binary(BinaryOperator.AT_LEAST, left, lit(least, INTEGER), BOOLEAN)


_OWN: tuple[Expression, ...] = (
    ref("b", BOOLEAN),
    not_(ref("b", BOOLEAN)),
    equal(ref("a", INTEGER), lit(1, INTEGER)),
    _at_least(ref("a", INTEGER), 1),
)
_COUNT = Quantified(Quantifier.COUNT, Collection.CHILDREN, None, "c", None, None, INTEGER)
_SUM = Quantified(Quantifier.SUM, Collection.CHILDREN, "P1", "c", None, Variable("c", "a", INTEGER), INTEGER)
_AROUND: tuple[Expression, ...] = (
    _at_least(ref("a", INTEGER, Root.ROOT), 1),
    equal(ref("a", INTEGER), ref("a", INTEGER, Root.PARENT)),
    _at_least(_COUNT, 1),
    _at_least(_SUM, 2),
)
_ACTIONS = (not_(is_action(Action.NO_CHANGE)), is_action(Action.ADD))


@st.composite
def programs(draw: st.DrawFn) -> Program:
    """Three products that may contain each other, six technical specs, up to nine rules."""
    scopes = {name: draw(st.sampled_from(list(Scope))) for name in TECHNICAL}
    specs: list[Spec] = [
        spec(name, "product", *_ATTRIBUTES, contains=[(child, 0, None) for child in PRODUCTS]) for name in PRODUCTS
    ]
    for name, level in TECHNICAL.items():
        key = formula(_KEY) if scopes[name] is Scope.KEY else None
        specs.append(spec(name, level, *_ATTRIBUTES, scope=scopes[name], key=key))
    rules = []
    for place in range(draw(st.integers(1, 9))):
        target = draw(st.sampled_from(sorted(TECHNICAL)))
        sources = [
            each
            for each in specs
            if each.name[0] in _FEEDERS[target[0]] and (scopes[target] not in _PLACED or _fixed(each))
        ]
        rules.append(_rule(draw, draw(st.sampled_from(sources)), target, place))
    return program(specs, rules)


def _fixed(source: Spec) -> bool:
    """Whether its lines stand where they stand, whatever came first."""
    return source.level is Level.PRODUCT or (source.level is Level.CUSTOMER_SERVICE and source.scope is Scope.LINE)


def _rule(draw: st.DrawFn, source: Spec, target: str, place: int) -> DecompositionRule:
    around = _AROUND if _fixed(source) else ()
    tests = draw(st.lists(st.sampled_from((*_OWN, *around)), max_size=2))
    when = reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), tests) if tests else None
    if when is None and source.level is Level.PRODUCT:
        when = draw(st.sampled_from((None, *_ACTIONS)))
    sets: dict[str, Expression] = {"k": _KEY}
    if draw(st.booleans()):
        values: list[Expression] = [ref("a", INTEGER), lit(1, INTEGER), lit(2, INTEGER)]
        if around:
            values += [ref("a", INTEGER, Root.ROOT), _COUNT, _SUM]
        sets["a"] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        sets["b"] = ref("b", BOOLEAN)
    return rule(
        source.name,
        target,
        suffix=f"#{place}",
        when=when,
        sets=sets,
        # unequal priorities, so that few of the random orders are contradictory
        priority=place,
        group=draw(st.sampled_from(("", "", "g"))),
        rank=place,
        quantity=draw(st.sampled_from((None, lit(2, INTEGER), ref("quantity", INTEGER, meta=True)))),
    )
