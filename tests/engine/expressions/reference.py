"""A second evaluator: one plain recursive function a node, written for being obviously right."""

from __future__ import annotations

import calendar
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from decimal import ROUND_HALF_EVEN, Decimal, InvalidOperation, Overflow, localcontext
from fractions import Fraction
from typing import Any

from orderloom.engine.expressions import Scope
from orderloom.models.conversion import to_json
from orderloom.models.expression import (
    Binary,
    Call,
    Case,
    Default,
    Expression,
    If,
    Literal,
    Lookup,
    Membership,
    Presence,
    Quantified,
    Reference,
    Unary,
    Variable,
)
from orderloom.models.rules import AnyCell, Cell, HitPolicy, RangeCell, Table, ValueCell
from orderloom.models.values import Kind, Period

Items = Mapping[str, Any]


def evaluate(node: Expression, scope: Scope, tables: Mapping[str, Table], items: Items | None = None) -> Any:
    """The value of an expression, None for absent and unknown; `items` are what quantifiers' variables stand for."""
    items = items or {}

    def of(part: Expression) -> Any:
        return evaluate(part, scope, tables, items)

    match node:
        case Literal(value):
            return value
        case Reference(root, name, _, meta):
            holder = getattr(scope, str(root))
            return _read(holder, name, meta) if hasattr(holder, "attributes") else holder.get(name)
        case Variable(variable, name, _, meta):
            return _read(items[variable], name, meta)
        case Unary(operator, operand):
            return _unary(operator, of(operand))
        case Binary("and" | "or" as operator, left, right):
            return _kleene(operator, [of(left), of(right)])
        case Binary(operator, left, right):
            values = of(left), of(right)
            return None if None in values else _binary(operator, *values)
        case Membership(operand, values):
            found = of(operand)
            return None if found is None else any(found == value for value in values)
        case Presence(operand, present):
            return (of(operand) is not None) == present
        case Default(operand, fallback):
            found = of(operand)
            return of(fallback) if found is None else found
        case If(condition, then, otherwise):
            truth = of(condition)
            if truth is None:
                return None
            return of(then) if truth else of(otherwise)
        case Case(subject, arms, otherwise):
            found = of(subject)
            if found is None:
                return None
            for arm in arms:
                if any(found == value for value in arm.values):
                    return of(arm.result)
            return of(otherwise) if otherwise else None
        case Lookup(name, arguments, column):
            return _look_up(tables[name], [of(argument) for argument in arguments], column)
        case Call(function, arguments):
            given = [of(argument) for argument in arguments]
            return None if None in given else _FUNCTIONS[function](*given)
        case Quantified():
            return _quantified(node, scope, tables, items)


def _read(holder: Any, name: str, meta: bool) -> Any:
    return getattr(holder, name, None) if meta else holder.attributes.get(name)


def _unary(operator: str, value: Any) -> Any:
    if value is None:
        return None
    if operator == "not":
        return not value
    return _binary("*", value, -1) if not isinstance(value, Decimal) else _decimal(lambda: +(-value))


def _kleene(operator: str, values: Sequence[bool | None]) -> bool | None:
    deciding = operator == "or"
    if deciding in values:
        return deciding
    return None if None in values else not deciding


def _binary(operator: str, left: Any, right: Any) -> Any:
    match operator:
        case "==":
            return left == right
        case "!=":
            return left != right
        case "<":
            return left < right
        case "<=":
            return not left > right
        case ">":
            return left > right
        case ">=":
            return not left < right
    return _arithmetic(operator, left, right)


def _arithmetic(operator: str, left: Any, right: Any) -> Any:
    if isinstance(left, timedelta) and operator == "/" and isinstance(right, timedelta):
        return _arithmetic("/", _microseconds(left), _microseconds(right))
    if operator in "*/" and isinstance(left, timedelta):
        scaled = _arithmetic(operator, Decimal(_microseconds(left)), right)
        return None if scaled is None else _duration(scaled)
    if operator == "*" and isinstance(right, timedelta):
        return _arithmetic("*", right, left)
    if isinstance(left, Period) and isinstance(right, int):
        return Period(left.months * right)
    if isinstance(right, Period) and isinstance(left, int):
        return Period(left * right.months)
    if isinstance(left, Period) and isinstance(right, Period):
        return Period(left.months + (right.months if operator == "+" else -right.months))
    if isinstance(right, Period):
        return _add_months(left, right.months if operator == "+" else -right.months)
    if isinstance(left, Period):
        return _add_months(right, left.months)
    if operator == "/":
        return _decimal(lambda: Decimal(left) / Decimal(right)) if right else None
    if isinstance(left, Decimal) or isinstance(right, Decimal):
        return _decimal(lambda: _plain(operator, left, right))
    try:
        return _plain(operator, left, right)
    except OverflowError:
        return None


def _plain(operator: str, left: Any, right: Any) -> Any:
    return left + right if operator == "+" else left - right if operator == "-" else left * right


def _decimal(compute: Callable[[], Decimal]) -> Decimal | None:
    with localcontext() as context:
        context.prec, context.rounding, context.Emax, context.Emin = 50, ROUND_HALF_EVEN, 999_999, -999_999
        try:
            return compute()
        except (Overflow, InvalidOperation):
            return None


def _microseconds(span: timedelta) -> int:
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def _duration(microseconds: Decimal) -> timedelta | None:
    if abs(microseconds) > Decimal(10) ** 21:
        return None
    try:
        return timedelta(microseconds=round(Fraction(microseconds)))
    except OverflowError:
        return None


def _add_months(moment: Any, months: int) -> Any:
    month = moment.month - 1 + months
    year = moment.year + month // 12
    if not 1 <= year <= 9999:
        return None
    last = calendar.monthrange(year, month % 12 + 1)[1]
    return moment.replace(year=year, month=month % 12 + 1, day=min(last, moment.day))


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return str(to_json(value))


def _round(value: Decimal, places: int) -> Decimal | None:
    if places > 200:
        return value
    if places < -1_100_000:
        return Decimal(0)
    factor = Fraction(10) ** places
    rounded = Fraction(round(Fraction(value) * factor)) / factor
    with localcontext() as context:
        context.prec = 10_000
        exact = Decimal(rounded.numerator) / Decimal(rounded.denominator)
    return exact if len(str(exact).strip("-").replace(".", "").strip("0")) <= 50 else None


def _days(count: int) -> timedelta | None:
    return timedelta(days=count) if -999_999_999 <= count <= 999_999_999 else None


_FUNCTIONS: Mapping[str, Callable[..., Any]] = {
    "length": lambda value: sum(1 for _ in value),
    "lower": lambda value: value.lower(),
    "upper": lambda value: value.upper(),
    "trim": lambda value: value.lstrip().rstrip(),
    "contains": lambda whole, part: whole.find(part) >= 0 if isinstance(whole, str) else whole.count(part) > 0,
    "starts_with": lambda whole, part: whole[: len(part)] == part,
    "ends_with": lambda whole, part: whole[len(whole) - len(part) :] == part if len(part) <= len(whole) else False,
    "at": lambda values, place: dict(enumerate(values)).get(place),
    "parse_integer": lambda value: int(value) if re.fullmatch("[-+]?[0-9]+", value) else None,
    "parse_decimal": lambda value: Decimal(value) if re.fullmatch(r"[-+]?[0-9]+(\.[0-9]+)?", value) else None,
    "text": _text,
    "round": _round,
    "min": lambda *values: sorted(values)[0],
    "max": lambda *values: sorted(values)[-1],
    "days": _days,
    "add_months": _add_months,
}


def _look_up(table: Table, arguments: Sequence[Any], column: str) -> Any:
    if None in arguments:
        return None
    place = [result.name for result in table.results].index(column)
    hits = [
        row.results[place]
        for row in table.rows
        if all(_accepts(cell, argument) for cell, argument in zip(row.cells, arguments, strict=True))
    ]
    if not hits:
        return None
    return tuple(hits) if table.policy is HitPolicy.COLLECT else hits[0]


def _accepts(cell: Cell, value: Any) -> bool:
    match cell:
        case AnyCell():
            return True
        case ValueCell(values):
            return any(value == each for each in values)
        case RangeCell(low, high, low_included, high_included):
            if low is not None and (value < low or (value == low and not low_included)):
                return False
            return high is None or value < high or (value == high and high_included)


def _quantified(node: Quantified, scope: Scope, tables: Mapping[str, Table], items: Items) -> Any:
    collections = scope.collections
    match node.collection:
        case "lines":
            found: Sequence[Any] = collections.lines(node.spec)
        case "children":
            found = collections.children(scope.line, node.spec)
        case _:
            found = collections.assets(node.spec)
    inner = [{**items, node.variable: each} for each in found]
    truths: list[Any] = [evaluate(node.where, scope, tables, each) if node.where else True for each in inner]
    if node.quantifier in ("any", "all"):
        result: bool | None = node.quantifier == "all"
        for truth in truths:
            result = _kleene("or" if node.quantifier == "any" else "and", [result, truth])
        return result
    held = [each for each, truth in zip(inner, truths, strict=True) if truth is True]
    if node.quantifier == "count":
        return len(held)
    values = [evaluate(node.value, scope, tables, each) for each in held if node.value]
    present = [value for value in values if value is not None]
    if node.quantifier == "first":
        return present[0] if present else None
    total: Any = {Kind.INTEGER: 0, Kind.DECIMAL: Decimal(0), Kind.DURATION: timedelta(0)}.get(node.type.kind, Period(0))
    for value in present:
        total = None if total is None else _arithmetic("+", total, value)
    return total
