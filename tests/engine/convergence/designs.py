"""Random designs whose outcome depends on what a customer has, not on how that came about.

Left out is what reads history on purpose: `order.`, `asset.`, `assets`, `lines of`, a condition that asks for the
action and for something that may change, and a narrow scope below a line that several bundles share.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce

from hypothesis import strategies as st

from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action, Level, Scope, Spec
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Collection,
    Default,
    Expression,
    Presence,
    Quantified,
    Quantifier,
    Root,
    Variable,
)
from orderloom.models.rules import DecompositionRule
from orderloom.models.rules import Mapping as Sets
from orderloom.models.tasks import PlanDefinition, TaskDefinition, TaskKind
from orderloom.models.values import BOOLEAN, INTEGER
from tests.engine.building import attribute, design, equal, formula, is_action, lit, not_, ref, rule, spec

PRODUCTS = ("P0", "P1", "P2")
TECHNICAL = {"C0": "cfs", "C1": "cfs", "R0": "rfs", "R1": "rfs", "S0": "resource", "S1": "resource"}
_FEEDERS = {"C": ("P",), "R": ("P", "C"), "S": ("P", "C", "R")}
#: set by a task that depends on nothing but the line: the same in every order
_DELIVERED = attribute("d", INTEGER)
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
    delivering = sorted(draw(st.sets(st.sampled_from((*PRODUCTS, "C0", "R0")), max_size=2)))
    specs: list[Spec] = [
        spec(
            name,
            "product",
            *_ATTRIBUTES,
            _DELIVERED,
            contains=[(child, 0, None) for child in PRODUCTS],
            supplied_later=("d",) if name in delivering else (),
        )
        for name in PRODUCTS
    ]
    for name, level in TECHNICAL.items():
        key = formula(_KEY) if scopes[name] is Scope.KEY else None
        later = ("d",) if name in delivering else ()
        specs.append(spec(name, level, *_ATTRIBUTES, _DELIVERED, scope=scopes[name], key=key, supplied_later=later))
    rules = []
    for place in range(draw(st.integers(1, 9))):
        target = draw(st.sampled_from(sorted(TECHNICAL)))
        sources = [
            each
            for each in specs
            if each.name[0] in _FEEDERS[target[0]] and (scopes[target] not in _PLACED or _fixed(each))
        ]
        rules.append(_rule(draw, draw(st.sampled_from(sources)), target, place))
    plans = [_delivery(each) for each in delivering]
    return compile_design(replace(design(specs, rules), plans={each.name: each for each in plans}))


def _delivery(spec: str) -> PlanDefinition:
    """A task that gives `d` to whatever is added, the same to all."""
    value = Sets(attribute="d", value=formula(lit(1, INTEGER)))
    task = TaskDefinition(id=f"Deliver{spec}.find", name="find", title="", kind=TaskKind.AUTO, sets=(value,))
    return PlanDefinition(name=f"Deliver{spec}", title="", spec=spec, actions=(Action.ADD,), tasks=(task,))


def _fixed(source: Spec) -> bool:
    """Whether its lines stand where they stand, whatever came first."""
    return source.level is Level.PRODUCT or (source.level is Level.CUSTOMER_SERVICE and source.scope is Scope.LINE)


def _rule(draw: st.DrawFn, source: Spec, target: str, place: int) -> DecompositionRule:
    around = _AROUND if _fixed(source) else ()
    late = (Presence(ref("d", INTEGER), True, BOOLEAN),) * 3 if source.supplied_later else ()
    tests = draw(st.lists(st.sampled_from((*_OWN, *around, *late)), max_size=2))
    when = reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), tests) if tests else None
    if when is None and source.level is Level.PRODUCT:
        when = draw(st.sampled_from((None, *_ACTIONS)))
    sets: dict[str, Expression] = {"k": _KEY}
    if draw(st.booleans()):
        values: list[Expression] = [ref("a", INTEGER), lit(1, INTEGER), lit(2, INTEGER)]
        if around:
            values += [ref("a", INTEGER, Root.ROOT), _COUNT, _SUM]
        sets["a"] = draw(st.sampled_from(values))
    if late and draw(st.booleans()):
        sets["d"] = ref("d", INTEGER)
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
