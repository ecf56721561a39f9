"""Constants: numbers that take the unit that is wanted, quantities that are converted to it, lists."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from decimal import Decimal

from orderloom.dsl import tree
from orderloom.dsl.checker import NUMBERS, Checker, handles
from orderloom.dsl.units import convert, number_of
from orderloom.models.expression import Expression, Literal
from orderloom.models.values import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    PERIOD,
    STRING,
    UNITS,
    Kind,
    Period,
    Type,
    Value,
)

#: in this order: a boolean is an integer to Python, a datetime is a date
_TYPES: tuple[tuple[type, Type], ...] = (
    (bool, BOOLEAN),
    (int, INTEGER),
    (Decimal, DECIMAL),
    (str, STRING),
    (datetime, DATETIME),
    (date, DATE),
    (timedelta, DURATION),
    (Period, PERIOD),
)


@handles(tree.Literal)
def literal(checker: Checker, node: tree.Literal, wanted: Type | None) -> Expression | None:
    value = node.value
    if type(value) is int and wanted is not None and wanted.kind in NUMBERS:
        return Literal(value if wanted.kind is Kind.INTEGER else Decimal(value), wanted)
    if isinstance(value, Decimal) and wanted is not None and wanted.kind is Kind.DECIMAL:
        return Literal(value, wanted)
    return Literal(value, next(type_ for python, type_ in _TYPES if isinstance(value, python)))


@handles(tree.QuantityLiteral)
def quantity(checker: Checker, node: tree.QuantityLiteral, wanted: Type | None) -> Expression | None:
    unit = node.unit.value
    if wanted is None or wanted.kind not in NUMBERS or not wanted.unit:
        return Literal(node.value, Type(Kind.INTEGER if isinstance(node.value, int) else Kind.DECIMAL, unit=unit))
    converted = convert(Decimal(node.value), unit, wanted.unit)
    if converted is None:
        alike = unit in UNITS and wanted.unit in UNITS and UNITS[unit][0] == UNITS[wanted.unit][0]
        why = "has no exact value in" if alike else "does not measure the same as"
        checker.findings.error(
            "LM2004",
            f"`{node.value} {unit}` {why} `{wanted.unit}`",
            node.span,
            help=f"write the number in `{wanted.unit}`",
        )
        return None
    number = number_of(converted, wanted)
    if number is None:
        checker.findings.error(
            "LM2004",
            f"`{node.value} {unit}` is not a whole number of `{wanted.unit}`, and an integer is expected",
            node.span,
            help=f"it is {converted:f} {wanted.unit}; round it, or declare the attribute as a decimal",
        )
        return None
    return Literal(number, wanted)


@handles(tree.ListLiteral)
def list_literal(checker: Checker, node: tree.ListLiteral, wanted: Type | None) -> Expression | None:
    item = wanted.item if wanted is not None and wanted.kind is Kind.LIST else None
    if item is None:
        if not node.items:
            checker.findings.error(
                "LM2010", "nothing says what an empty list holds here", node.span, help="compare `length(…)` with 0"
            )
            return None
        first = checker.infer(node.items[0])
        if first is None:
            return None
        item = first.type.required()
    values = [constant(checker, each, item) for each in node.items]
    if any(value is None for value in values):
        return None
    return Literal(tuple(value.value for value in values if value is not None), Type(Kind.LIST, item=item))


def constant(checker: Checker, node: tree.Expression, wanted: Type) -> Literal | None:
    """The constant that `node` must be."""
    found = checker.check(node, wanted)
    if found is None or isinstance(found, Literal):
        return found
    checker.findings.error(
        "LM2013", f"expected a constant `{wanted.required()}`, found an expression", node.span, help="write the value"
    )
    return None


def constants(checker: Checker, nodes: tuple[tree.Expression, ...], wanted: Type) -> tuple[Value, ...] | None:
    """The constants that `nodes` must be; None if one is wrong."""
    found = [constant(checker, node, wanted) for node in nodes]
    values = tuple(each.value for each in found if each is not None)
    return values if len(values) == len(nodes) else None
