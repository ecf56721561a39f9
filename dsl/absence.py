"""Why an expression may have no value, in words."""

from __future__ import annotations

from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Call,
    Case,
    Default,
    Expression,
    If,
    Lookup,
    Quantified,
    Reference,
    Unary,
    Variable,
)


def reason_absent(expression: Expression) -> str:
    """The innermost reason why `expression`, whose type is optional, may be absent."""
    match expression:
        case Reference():
            return f"`{expression.root}.{expression.name}` may be absent"
        case Variable():
            return f"`{expression.variable}.{expression.name}` may be absent"
        case Unary(operand=operand):
            return reason_absent(operand)
        case Binary(left=left, right=right):
            found = _first(left, right)
            if found:
                return found
            if expression.operator is BinaryOperator.DIVIDE:
                return "a division has no value where the divisor is zero"
            return "the result may be out of range"
        case Default(fallback=fallback):
            return reason_absent(fallback)
        case If(condition=condition, then=then, otherwise=otherwise):
            return _first(condition, then, otherwise)
        case Case(subject=subject, arms=arms, otherwise=otherwise):
            others = () if otherwise is None else (otherwise,)
            return _first(subject, *(arm.result for arm in arms), *others)
        case Call(function=function, arguments=arguments):
            return _first(*arguments) or f"`{function}` may find nothing"
        case Lookup(table=table, arguments=arguments):
            return _first(*arguments) or f"table `{table}` may have no row for it"
        case Quantified():
            return f"`{expression.quantifier} {expression.collection}` may find nothing"
        case _:
            return "it may be absent"


def _first(*parts: Expression) -> str:
    for part in parts:
        if part.type.optional:
            return reason_absent(part)
    return ""
