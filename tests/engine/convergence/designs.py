"""Random designs whose outcome depends on what a customer has, not on how that came about.

Left out is what reads history on purpose: `order.`, `asset.`, `assets`, `lines of`, a condition that asks for the
action and for something that may change, and a narrow scope below a line that several bundles share. Besides, what is
delivered after decomposition makes conditions true, never false: nothing is taken away before the next order.
"""

from __future__ import annotations

from dataclasses import replace
from functools import reduce
from typing import Any

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
from orderloom.models.integration import Operation
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
#: what rules make of it
_DERIVED = attribute("s", INTEGER)
_ATTRIBUTES = (attribute("a", INTEGER), attribute("b", BOOLEAN), attribute("k", INTEGER, default=0))
#: what several products may share is drawn more often
_SCOPES = (*Scope, *(3 * (Scope.KEY, Scope.ACCOUNT)))
#: scopes that look at where the source stands
_PLACED = frozenset((Scope.PARENT, Scope.BUNDLE, Scope.RELATION, Scope.ORDER))
_KEY = Default(ref("k", INTEGER), lit(0, INTEGER), INTEGER)


def _at_least(left: Expression, least: int) -> Expression:
    return Binary(BinaryOperator.AT_LEAST, left, lit(least, INTEGER), BOOLEAN)


def _present(left: Expression) -> Expression:
    return Presence(left, True, BOOLEAN)


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
#: what arrives after decomposition only ever makes these true
_LATE_CHILD = _present(Variable("c", "d", INTEGER))
_LATE_SUM = Quantified(Quantifier.SUM, Collection.CHILDREN, None, "c", None, Variable("c", "d", INTEGER), INTEGER)
_LATE_OWN: tuple[Expression, ...] = (_present(ref("d", INTEGER)), _at_least(ref("s", INTEGER), 1))
_LATE_AROUND: tuple[Expression, ...] = (
    _present(ref("d", INTEGER, Root.PARENT)),
    _present(ref("d", INTEGER, Root.ROOT)),
    Quantified(Quantifier.ANY, Collection.CHILDREN, None, "c", _LATE_CHILD, None, BOOLEAN),
    _at_least(_LATE_SUM, 2),
)
_LATE_VALUES = (ref("d", INTEGER), ref("d", INTEGER, Root.PARENT), ref("d", INTEGER, Root.ROOT), _LATE_SUM)


@st.composite
def programs(draw: st.DrawFn, *, working: bool = True) -> Program:
    """Three products that may contain each other, six technical specs, two to nine rules; tasks that take time where
    `working`."""
    scopes = {name: draw(st.sampled_from(_SCOPES)) for name in TECHNICAL}
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
        attributes = (*_ATTRIBUTES, _DELIVERED, _DERIVED)
        specs.append(spec(name, level, *attributes, scope=scopes[name], key=key, supplied_later=later))
    rules = []
    for place in range(draw(st.integers(2, 9))):
        target = draw(st.sampled_from(sorted(TECHNICAL)))
        sources = [
            each
            for each in specs
            if each.name[0] in _FEEDERS[target[0]] and (scopes[target] not in _PLACED or _fixed(each))
        ]
        rules.append(_rule(draw, draw(st.sampled_from(sources)), target, scopes[target], place, bool(delivering)))
    plans = [_delivery(draw, each) for each in delivering]
    if working:
        busy = draw(st.sets(st.sampled_from((*PRODUCTS, *PRODUCTS, *TECHNICAL)), min_size=2, max_size=5))
        plans += [_work(draw, each) for each in sorted(busy)]
    made = replace(design(specs, rules), plans={each.name: each for each in plans}, operations=_CALLS)
    return compile_design(made)


_CALLS = {
    name: Operation(name=name, title="", connector="sys", request=None, response=None, outputs={})
    for name in ("sys.do", "sys.undo")
}
_KINDS = (TaskKind.AUTO, TaskKind.MANUAL, TaskKind.CALL)


def _task(draw: st.DrawFn, id: str, sets: tuple[Sets, ...], *kinds: TaskKind) -> TaskDefinition:
    kind = draw(st.sampled_from(kinds))
    fields: dict[str, Any] = {TaskKind.MANUAL: {"queue": "desk"}, TaskKind.CALL: {"operation": "sys.do"}}.get(kind, {})
    if kind is TaskKind.CALL and draw(st.booleans()):
        fields["undo"] = "sys.undo"
    return TaskDefinition(id=id, name=id.partition(".")[2], title="", kind=kind, sets=sets, **fields)


def _delivery(draw: st.DrawFn, spec: str) -> PlanDefinition:
    """A task that gives `d` to whatever is added, the same to all."""
    value = Sets(attribute="d", value=formula(lit(1, INTEGER)))
    task = _task(draw, f"Deliver{spec}.find", (value,), *_KINDS)
    return PlanDefinition(name=f"Deliver{spec}", title="", spec=spec, actions=(Action.ADD,), tasks=(task,))


def _work(draw: st.DrawFn, spec: str) -> PlanDefinition:
    """A task that takes its time."""
    task = _task(draw, f"Work{spec}.do", (), TaskKind.MANUAL, TaskKind.CALL)
    actions = (Action.ADD, Action.MODIFY, Action.DELETE, Action.SUSPEND, Action.RESUME)
    return PlanDefinition(name=f"Work{spec}", title="", spec=spec, actions=actions, tasks=(task,))


def _fixed(source: Spec) -> bool:
    """Whether its lines stand where they stand, whatever came first."""
    return source.level is Level.PRODUCT or (source.level is Level.CUSTOMER_SERVICE and source.scope is Scope.LINE)


def _rule(draw: st.DrawFn, source: Spec, target: str, scope: Scope, place: int, delivered: bool) -> DecompositionRule:
    around = _AROUND if _fixed(source) else ()
    group = draw(st.sampled_from(("", "", "g")))
    late: tuple[Expression, ...] = ()
    if delivered and not group:
        # the choice of an exclusive group, once made, stays until the next order
        late = (_LATE_OWN[0], *_LATE_AROUND) if source.level is Level.PRODUCT else _LATE_OWN
    tests = draw(st.lists(st.sampled_from((*_OWN, *around, *late, *late)), max_size=2))
    when = reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), tests) if tests else None
    if when is None and source.level is Level.PRODUCT and not group:
        # in a group the rule would ask for the action and for what the rules before it ask for
        when = draw(st.sampled_from((None, *_ACTIONS)))
    sets: dict[str, Expression] = {"k": _KEY}
    if draw(st.booleans()):
        values: list[Expression] = [ref("a", INTEGER), lit(1, INTEGER), lit(2, INTEGER)]
        if around:
            values += [ref("a", INTEGER, Root.ROOT), _COUNT, _SUM]
        sets["a"] = draw(st.sampled_from(values))
    if draw(st.booleans()):
        sets["b"] = ref("b", BOOLEAN)
    if any(each in late for each in tests):
        # what it joined would change: conditions of other rules that held before might no longer hold
        sets = {}
    if delivered and draw(st.booleans()):
        # several sources would contradict each other only then, and the first keep its say
        alone = source.level is Level.PRODUCT and scope is Scope.LINE
        values = list(_LATE_VALUES if alone else _LATE_VALUES[:1])
        sets["d"] = draw(st.sampled_from(values[:1]))
        sets["s"] = draw(st.sampled_from(values))
    units: list[Expression | None] = [None, lit(2, INTEGER), ref("quantity", INTEGER, meta=True)]
    if delivered and source.level is Level.PRODUCT:
        units.append(Default(ref("d", INTEGER), lit(2, INTEGER), INTEGER))
    return rule(
        source.name,
        target,
        suffix=f"#{place}",
        when=when,
        sets=sets,
        # unequal priorities, so that few of the random orders are contradictory
        priority=place,
        group=group,
        rank=place,
        quantity=draw(st.sampled_from(units)),
    )
