"""Which references must have a value, given that a condition came out true or false."""

from __future__ import annotations

from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Call,
    Default,
    Expression,
    Literal,
    Membership,
    Presence,
    Reference,
    Unary,
    UnaryOperator,
    Variable,
)

#: a reference as (root or variable, name)
Fact = tuple[str, str]
Facts = frozenset[Fact]

NONE: Facts = frozenset()
_LOGICAL = (BinaryOperator.AND, BinaryOperator.OR)


def if_present(expression: Expression) -> Facts:
    """References that must have a value wherever `expression` has one."""
    match expression:
        case Reference():
            return frozenset([(expression.root.value, expression.name)])
        case Variable():
            return frozenset([(expression.variable, expression.name)])
        case Unary(operand=operand) | Membership(operand=operand):
            return if_present(operand)
        case Binary(operator=operator, left=left, right=right) if operator not in _LOGICAL:
            return if_present(left) | if_present(right)
        case Call(arguments=arguments):
            return NONE.union(*map(if_present, arguments))
        case _:
            return NONE


def if_true(condition: Expression) -> Facts:
    """References that must have a value where `condition` is true."""
    match condition:
        case Binary(operator=BinaryOperator.AND, left=left, right=right):
            return if_true(left) | if_true(right)
        case Binary(operator=BinaryOperator.OR, left=left, right=right):
            return if_true(left) & if_true(right)
        case Unary(operator=UnaryOperator.NOT, operand=operand):
            return if_false(operand)
        case Presence(operand=operand, present=True):
            return if_present(operand)
        case Default(operand=operand, fallback=Literal(value=False)):
            return if_true(operand)
        case _:
            return if_present(condition)


def if_false(condition: Expression) -> Facts:
    """References that must have a value where `condition` is false."""
    match condition:
        case Binary(operator=BinaryOperator.OR, left=left, right=right):
            return if_false(left) | if_false(right)
        case Binary(operator=BinaryOperator.AND, left=left, right=right):
            return if_false(left) & if_false(right)
        case Unary(operator=UnaryOperator.NOT, operand=operand):
            return if_true(operand)
        case Presence(operand=operand, present=False):
            return if_present(operand)
        case Default(operand=operand, fallback=Literal(value=True)):
            return if_false(operand)
        case _:
            return if_present(condition)
