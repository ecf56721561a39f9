"""Conditions that can never be true, found by what they say about single references."""

from __future__ import annotations

from collections.abc import Mapping

from orderloom.dsl.facts import Fact
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Expression,
    Literal,
    Membership,
    Reference,
    Unary,
    UnaryOperator,
)
from orderloom.models.values import Value

#: the values that a reference may have where a conjunction is true
Domains = Mapping[Fact, frozenset[Value]]


def never_true(condition: Expression, domains: Domains | None = None) -> bool:
    """Whether no values make `condition` true, given the values that some references have at most.

    Sound and not complete: it sees constants, and equalities that exclude each other.
    """
    return _allowed(condition, dict(domains or {})) is None


def _allowed(condition: Expression, domains: dict[Fact, frozenset[Value]]) -> dict[Fact, frozenset[Value]] | None:
    """The domains where `condition` is true as well; None if there is no such place."""
    match condition:
        case Literal(value=value):
            return domains if value is True else None
        case Binary(operator=BinaryOperator.AND, left=left, right=right):
            narrowed = _allowed(left, domains)
            return None if narrowed is None else _allowed(right, narrowed)
        case Binary(operator=BinaryOperator.OR, left=left, right=right):
            return None if _allowed(left, domains) is None and _allowed(right, domains) is None else domains
        case Binary(operator=BinaryOperator.EQUAL, left=Reference() as reference, right=Literal(value=value)):
            return _narrow(domains, reference, frozenset([value]))
        case Binary(operator=BinaryOperator.EQUAL, left=Literal(value=value), right=Reference() as reference):
            return _narrow(domains, reference, frozenset([value]))
        case Binary(operator=BinaryOperator.UNEQUAL, left=Reference() as reference, right=Literal(value=value)):
            return _exclude(domains, reference, value)
        case Membership(operand=Reference() as reference, values=values):
            return _narrow(domains, reference, frozenset(values))
        case Reference():
            return _narrow(domains, condition, frozenset([True]))
        case Unary(operator=UnaryOperator.NOT, operand=Reference() as reference):
            return _narrow(domains, reference, frozenset([False]))
        case Unary(operator=UnaryOperator.NOT, operand=Literal(value=True)):
            return None
        case _:
            return domains


def _narrow(
    domains: dict[Fact, frozenset[Value]], reference: Reference, values: frozenset[Value]
) -> dict[Fact, frozenset[Value]] | None:
    key = (reference.root.value, reference.name)
    left = values & domains[key] if key in domains else values
    return {**domains, key: left} if left else None


def _exclude(
    domains: dict[Fact, frozenset[Value]], reference: Reference, value: Value
) -> dict[Fact, frozenset[Value]] | None:
    key = (reference.root.value, reference.name)
    if key not in domains:
        return domains
    left = domains[key] - {value}
    return {**domains, key: left} if left else None
