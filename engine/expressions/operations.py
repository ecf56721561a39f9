"""Operations of expressions that are too rich to inline. All are total: what has no value is None."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Iterable, Mapping
from datetime import date, datetime, timedelta
from decimal import ROUND_HALF_EVEN, Context, Decimal
from typing import Any, TypeVar

from orderloom.models.conversion import to_json
from orderloom.models.expression import BinaryOperator
from orderloom.models.values import Kind, Period, Value

#: exact to 50 digits, half to even; a result past the range is infinite or NaN, never an exception
CONTEXT = Context(prec=50, rounding=ROUND_HALF_EVEN, Emin=-999_999, Emax=999_999, traps=[])

_MICROSECOND = timedelta(microseconds=1)
_INTEGER = re.compile(r"[+-]?[0-9]{1,4000}")
_DECIMAL = re.compile(r"[+-]?[0-9]+(\.[0-9]+)?")

Moment = TypeVar("Moment", date, datetime)


def finite(value: Decimal) -> Decimal | None:
    return value if value.is_finite() else None


def decimal_plus(left: Decimal | int, right: Decimal | int) -> Decimal | None:
    return finite(CONTEXT.add(left, right))


def decimal_minus(left: Decimal | int, right: Decimal | int) -> Decimal | None:
    return finite(CONTEXT.subtract(left, right))


def decimal_times(left: Decimal | int, right: Decimal | int) -> Decimal | None:
    return finite(CONTEXT.multiply(left, right))


def divide(left: Decimal | int, right: Decimal | int) -> Decimal | None:
    """The quotient rounded half to even to 50 digits; None for a zero divisor."""
    return finite(CONTEXT.divide(left, right)) if right else None


def duration_divide(left: timedelta, right: timedelta | Decimal | int) -> Decimal | timedelta | None:
    """Duration by duration is a decimal; duration by number is a duration, rounded half to even to microseconds."""
    if isinstance(right, timedelta):
        return divide(left // _MICROSECOND, right // _MICROSECOND)
    quotient = divide(left // _MICROSECOND, right)
    return None if quotient is None else _microseconds(quotient)


def duration_times(left: timedelta | Decimal | int, right: timedelta | Decimal | int) -> timedelta | None:
    """A duration and a number, in either order; rounded half to even to microseconds."""
    if isinstance(right, timedelta):
        left, right = right, left
    if isinstance(left, timedelta) and not isinstance(right, timedelta):
        product = decimal_times(left // _MICROSECOND, right)
        return None if product is None else _microseconds(product)
    return None


def _microseconds(count: Decimal) -> timedelta | None:
    whole = round_decimal(count, 0)
    if whole is None or whole.adjusted() > 20:
        return None
    try:
        return timedelta(microseconds=int(whole))
    except OverflowError:
        return None


def add_months(moment: Moment, months: int) -> Moment | None:
    """The same day so many months later, or that month's last day; None outside the calendar."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        return None
    return moment.replace(year=year, month=month + 1, day=min(moment.day, calendar.monthrange(year, month + 1)[1]))


def moment_plus(left: Any, right: Any) -> Value:
    """A date or datetime and a duration or period, in either order."""
    moment, span = (left, right) if isinstance(left, date) else (right, left)
    if isinstance(span, Period):
        return add_months(moment, span.months)
    try:
        return moment + span  # type: ignore[no-any-return]  # of checked types
    except OverflowError:
        return None


def moment_minus(left: Any, right: Any) -> Value:
    """A date or datetime less a duration or period; or the duration between two of them."""
    if isinstance(right, Period):
        return add_months(left, -right.months)
    try:
        return left - right  # type: ignore[no-any-return]  # of checked types
    except OverflowError:
        return None


def duration_plus(left: timedelta, right: timedelta) -> timedelta | None:
    try:
        return left + right
    except OverflowError:
        return None


def duration_minus(left: timedelta, right: timedelta) -> timedelta | None:
    try:
        return left - right
    except OverflowError:
        return None


def period_plus(left: Period, right: Period) -> Period:
    return Period(left.months + right.months)


def period_minus(left: Period, right: Period) -> Period:
    return Period(left.months - right.months)


def period_times(left: Period | int, right: Period | int) -> Period | None:
    if isinstance(left, Period) and isinstance(right, int):
        return Period(left.months * right)
    if isinstance(right, Period) and isinstance(left, int):
        return Period(left * right.months)
    return None


_MOMENTS = frozenset((Kind.DATE, Kind.DATETIME))
_NUMBERS = frozenset((Kind.INTEGER, Kind.DECIMAL))
_ARITHMETIC: Mapping[tuple[BinaryOperator, Kind], Callable[..., Value]] = {
    (BinaryOperator.PLUS, Kind.DECIMAL): decimal_plus,
    (BinaryOperator.MINUS, Kind.DECIMAL): decimal_minus,
    (BinaryOperator.TIMES, Kind.DECIMAL): decimal_times,
    (BinaryOperator.PLUS, Kind.DURATION): duration_plus,
    (BinaryOperator.MINUS, Kind.DURATION): duration_minus,
    (BinaryOperator.TIMES, Kind.DURATION): duration_times,
    (BinaryOperator.PLUS, Kind.PERIOD): period_plus,
    (BinaryOperator.MINUS, Kind.PERIOD): period_minus,
    (BinaryOperator.TIMES, Kind.PERIOD): period_times,
}


def arithmetic(operator: BinaryOperator, left: Kind, right: Kind) -> Callable[..., Value] | None:
    """The function for an operator over two kinds; None where Python's own operator does it exactly and totally."""
    kinds = {left, right}
    if kinds & _MOMENTS:
        return moment_plus if operator is BinaryOperator.PLUS else moment_minus
    if operator is BinaryOperator.DIVIDE:
        return duration_divide if left is Kind.DURATION else divide
    kind = next((each for each in (Kind.DURATION, Kind.PERIOD, Kind.DECIMAL) if each in kinds), left)
    return _ARITHMETIC.get((operator, kind))


def minus(value: Any) -> Value:
    """The negative of a number, duration or period."""
    match value:
        case Decimal():
            return finite(CONTEXT.minus(value))
        case Period():
            return Period(-value.months)
    try:
        return -value  # type: ignore[no-any-return]  # of a checked type
    except OverflowError:
        return None


def round_decimal(value: Decimal, places: int) -> Decimal | None:
    """To so many places, half to even; a value with no more places stays as it is."""
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or -exponent <= places:
        return value
    if value.adjusted() + 1 < -places:
        return Decimal(0)
    return finite(value.quantize(Decimal((0, (1,), -places)), context=CONTEXT))


def text(value: Value) -> str | None:
    """As the language writes the value."""
    match value:
        case bool():
            return "true" if value else "false"
        case int():
            return str(value) if -(10**4000) < value < 10**4000 else format(Decimal(value), "f")
        case str():
            return str(value)
    written = to_json(value)
    return written if isinstance(written, str) else None


def item_at(items: tuple[Value, ...], place: int) -> Value:
    return items[place] if 0 <= place < len(items) else None


def parse_integer(written: str) -> int | None:
    return int(written) if _INTEGER.fullmatch(written) else None


def parse_decimal(written: str) -> Decimal | None:
    return finite(Decimal(written)) if _DECIMAL.fullmatch(written) else None


def days(count: int) -> timedelta | None:
    try:
        return timedelta(days=count)
    except OverflowError:
        return None


FUNCTIONS: Mapping[str, Callable[..., Value]] = {
    "length": len,
    "lower": str.lower,
    "upper": str.upper,
    "trim": str.strip,
    "contains": lambda whole, part: part in whole,
    "starts_with": str.startswith,
    "ends_with": str.endswith,
    "at": item_at,
    "parse_integer": parse_integer,
    "parse_decimal": parse_decimal,
    "text": text,
    "round": round_decimal,
    "min": min,
    "max": max,
    "days": days,
    "add_months": add_months,
}

_ZEROS: Mapping[Kind, Value] = {
    Kind.INTEGER: 0,
    Kind.DECIMAL: Decimal(0),
    Kind.DURATION: timedelta(0),
    Kind.PERIOD: Period(0),
}


def total(kind: Kind, values: Iterable[Any]) -> Value:
    """The sum of the present values; zero for none."""
    result: Any = _ZEROS[kind]
    add = arithmetic(BinaryOperator.PLUS, kind, kind) or int.__add__
    for value in values:
        if value is not None:
            result = add(result, value)
            if result is None:
                return None
    return result  # type: ignore[no-any-return]  # sums of values are values


def any_of(outcomes: Iterable[bool | None]) -> bool | None:
    unknown: bool | None = False
    for outcome in outcomes:
        if outcome:
            return True
        if outcome is None:
            unknown = None
    return unknown


def all_of(outcomes: Iterable[bool | None]) -> bool | None:
    unknown: bool | None = True
    for outcome in outcomes:
        if outcome is False:
            return False
        if outcome is None:
            unknown = None
    return unknown
