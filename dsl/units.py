"""Exact conversion between units of one dimension."""

from __future__ import annotations

from decimal import Context, Decimal, Inexact, Overflow

from orderloom.models.values import UNITS, Kind, Type

#: conversions that need more digits than this are refused rather than rounded
EXACT = Context(prec=50, traps=[Inexact, Overflow])


def dimension(unit: str) -> str:
    """What a unit measures; a unit that is not known is its own dimension."""
    return UNITS[unit][0] if unit in UNITS else unit


def convert(number: Decimal, unit: str, wanted: str) -> Decimal | None:
    """`number` of `unit` in `wanted`, or None if the dimensions differ or the result is not exact."""
    if unit == wanted:
        return number
    if unit not in UNITS or wanted not in UNITS or UNITS[unit][0] != UNITS[wanted][0]:
        return None
    try:
        return EXACT.divide(EXACT.multiply(number, UNITS[unit][1]), UNITS[wanted][1])
    except (Inexact, Overflow):
        return None


def factor(unit: str, wanted: str) -> str:
    """How a designer converts between two units by hand: `* 1000` or `/ 1000`."""
    ratio = UNITS[unit][1] / UNITS[wanted][1]
    if ratio >= 1:
        return f"* {ratio:f}"
    return f"/ {UNITS[wanted][1] / UNITS[unit][1]:f}"


def number_of(value: Decimal, type_: Type) -> int | Decimal | None:
    """`value` as the Python value of a number type, or None where an integer is wanted and it is none."""
    if type_.kind is Kind.DECIMAL:
        return value
    whole = value.to_integral_value()
    return int(whole) if whole == value else None
