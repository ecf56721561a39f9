"""A rule's condition taken apart: tests of the action, tests of single attributes, and the rest."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from orderloom.engine.expressions.code import operands
from orderloom.engine.masks import Between, Except, OneOf, Present, Test, intersect
from orderloom.models.catalog import Action
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Expression,
    Literal,
    Membership,
    Presence,
    Reference,
    Root,
    Unary,
    UnaryOperator,
)
from orderloom.models.values import Kind, Value

_MIRRORED = {
    BinaryOperator.EQUAL: BinaryOperator.EQUAL,
    BinaryOperator.UNEQUAL: BinaryOperator.UNEQUAL,
    BinaryOperator.LESS: BinaryOperator.MORE,
    BinaryOperator.AT_MOST: BinaryOperator.AT_LEAST,
    BinaryOperator.MORE: BinaryOperator.LESS,
    BinaryOperator.AT_LEAST: BinaryOperator.AT_MOST,
}


@dataclass(frozen=True, slots=True)
class AttributeTest:
    """A test of one attribute of the line (or of its action) against constants."""

    attribute: str
    test: Test
    #: whether it tests the line's action instead of an attribute
    action: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Condition:
    """A condition as a conjunction of three kinds of parts."""

    #: None: any
    actions: frozenset[Action] | None
    #: by attribute
    tests: Mapping[str, Test]
    residuals: tuple[Expression, ...]


def conjuncts(condition: Expression) -> list[Expression]:
    """The parts that must all be true."""
    return operands(condition, BinaryOperator.AND)


def analysed(condition: Expression | None, actions: frozenset[Action] | None) -> Condition:
    """Splits a condition; `actions` is what the rule accepts besides."""
    tests: dict[str, Test] = {}
    residuals: list[Expression] = []
    for part in conjuncts(condition) if condition else ():
        found = attribute_test(part)
        if found is None:
            residuals.append(part)
        elif found.action:
            accepted = frozenset(action for action in Action if found.test.accepts(action))
            actions = accepted if actions is None else actions & accepted
        else:
            both = intersect(tests.get(found.attribute, Present()), found.test)
            if both is None:
                residuals.append(part)
            else:
                tests[found.attribute] = both
    return Condition(actions=actions, tests=tests, residuals=tuple(residuals))


def attribute_test(part: Expression) -> AttributeTest | None:
    """The conjunct as a test of one attribute or the action; None if it is more than that."""
    match part:
        case Reference():
            return _test(part, OneOf(values=frozenset((True,))))
        case Unary(UnaryOperator.NOT, Reference() as reference):
            return _test(reference, OneOf(values=frozenset((False,))))
        case Membership(Reference() as reference, values):
            return _test(reference, OneOf(values=frozenset(values)))
        case Presence(Reference() as reference, True):
            return _test(reference, Present())
        case Binary(operator, Reference() as reference, Literal(value)) if operator in _MIRRORED:
            return _test(reference, _accepted(operator, value))
        case Binary(operator, Literal(value), Reference() as reference) if operator in _MIRRORED:
            return _test(reference, _accepted(_MIRRORED[operator], value))
    return None


def _test(reference: Reference, test: Test | None) -> AttributeTest | None:
    if test is None or reference.root is not Root.LINE or reference.type.kind is Kind.LIST:
        return None
    if reference.meta:
        return AttributeTest("action", test, True) if reference.name == "action" else None
    return AttributeTest(reference.name, test)


def _accepted(operator: BinaryOperator, value: Value) -> Test | None:
    if value is None:
        return None
    match operator:
        case BinaryOperator.EQUAL:
            return OneOf(values=frozenset((value,)))
        case BinaryOperator.UNEQUAL:
            return Except(values=frozenset((value,)))
        case BinaryOperator.LESS | BinaryOperator.AT_MOST:
            return Between(low=None, high=value, high_included=operator is BinaryOperator.AT_MOST)
        case _:
            return Between(low=value, high=None, low_included=operator is BinaryOperator.AT_LEAST)
