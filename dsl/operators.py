"""Operators: logic, comparison and arithmetic."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal

from orderloom.dsl import tree
from orderloom.dsl.checker import NUMBERS, Checker, handles
from orderloom.dsl.facts import if_false, if_true
from orderloom.dsl.functions import ORDERED
from orderloom.dsl.literals import constants
from orderloom.dsl.paths import resolvable
from orderloom.dsl.units import dimension
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Expression,
    Literal,
    Membership,
    Presence,
    Root,
    Unary,
    UnaryOperator,
)
from orderloom.models.source import Span
from orderloom.models.values import BOOLEAN, DECIMAL, DURATION, INTEGER, Kind, Period, Type

_LOGICAL = frozenset({BinaryOperator.AND, BinaryOperator.OR})
_EQUALITY = frozenset({BinaryOperator.EQUAL, BinaryOperator.UNEQUAL})
_COMPARISON = _EQUALITY | {BinaryOperator.LESS, BinaryOperator.AT_MOST, BinaryOperator.MORE, BinaryOperator.AT_LEAST}
_SUMMABLE = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DURATION, Kind.PERIOD, Kind.STRING})
_SUBTRACTABLE = _SUMMABLE - {Kind.STRING}
_INSTANTS = frozenset({Kind.DATE, Kind.DATETIME})
_SPANS = frozenset({Kind.DURATION, Kind.PERIOD})


def maybe(type_: Type, *operands: Expression) -> Type:
    """The type, optional if an operand is."""
    return type_.maybe() if any(operand.type.optional for operand in operands) else type_


def flexible(checker: Checker, node: tree.Expression) -> bool:
    """Whether the node takes its type from what stands beside it: bare numbers, quantities, enum values, events."""
    match node:
        case tree.Literal(value=value):
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case tree.QuantityLiteral() | tree.ListLiteral():
            return True
        case tree.Unary(operator=UnaryOperator.MINUS, operand=operand):
            return flexible(checker, operand)
        case tree.Path(parts=(name,)):
            return not resolvable(checker, name.text)
        case tree.Path(parts=(first, *_)):
            return first.text == Root.EVENT and Root.EVENT in checker.environment.roots
        case tree.Binary(operator=operator, left=left, right=right) if operator not in _LOGICAL | _COMPARISON:
            return flexible(checker, left) and flexible(checker, right)
        case tree.If(then=then, otherwise=otherwise):
            return flexible(checker, then) and flexible(checker, otherwise)
        case tree.Default(operand=operand, fallback=fallback):
            return flexible(checker, operand) and flexible(checker, fallback)
        case tree.Case(arms=arms):
            return all(flexible(checker, arm.result) for arm in arms)
        case _:
            return False


def alike(
    first: tuple[Checker, tree.Expression], second: tuple[Checker, tree.Expression], wanted: Type | None
) -> tuple[Expression, Expression] | None:
    """Two expressions that must have one type, each with the checker of its place; None if one is wrong."""
    found = all_alike((first, second), wanted)
    return None if found is None else (found[0], found[1])


def all_alike(parts: tuple[tuple[Checker, tree.Expression], ...], wanted: Type | None) -> tuple[Expression, ...] | None:
    """Expressions that must have one type: the wanted one, else that of the first that has one of its own."""
    lead = next((place for place, (checker, node) in enumerate(parts) if not flexible(checker, node)), 0)
    leader: Expression | None = None
    if wanted is None:
        checker, node = parts[lead]
        leader = checker.infer(node)
        if leader is None:
            for place, (other, each) in enumerate(parts):
                if place != lead and not flexible(other, each):
                    other.infer(each)
            return None
        wanted = leader.type
    found = [
        leader if place == lead and leader is not None else checker.check(node, wanted)
        for place, (checker, node) in enumerate(parts)
    ]
    kept = tuple(each for each in found if each is not None)
    return kept if len(kept) == len(parts) else None


@handles(tree.Unary)
def unary(checker: Checker, node: tree.Unary, wanted: Type | None) -> Expression | None:
    if node.operator is UnaryOperator.NOT:
        operand = checker.check(node.operand, BOOLEAN)
        if operand is None:
            return None
        _warn_of_absence(checker, operand, "`not`", node.span)
        return Unary(UnaryOperator.NOT, operand, operand.type)
    operand = checker.check(node.operand, wanted) if wanted is not None else checker.infer(node.operand)
    if operand is None:
        return None
    if operand.type.kind not in NUMBERS | _SPANS:
        _does_not_apply(checker, "-", operand.type, node.span)
        return None
    if isinstance(operand, Literal):
        value = operand.value
        if isinstance(value, Period):
            return replace(operand, value=Period(-value.months))
        if value is not None and not isinstance(value, str | tuple) and hasattr(value, "__neg__"):
            return replace(operand, value=-value)
    return Unary(UnaryOperator.MINUS, operand, operand.type)


@handles(tree.Binary)
def binary(checker: Checker, node: tree.Binary, wanted: Type | None) -> Expression | None:
    if node.operator in _LOGICAL:
        return _logical(checker, node)
    if node.operator in _COMPARISON:
        return _comparison(checker, node)
    if node.operator in (BinaryOperator.PLUS, BinaryOperator.MINUS):
        return _sum(checker, node, wanted)
    if node.operator is BinaryOperator.TIMES:
        return _product(checker, node, wanted)
    return _quotient(checker, node, wanted)


def _logical(checker: Checker, node: tree.Binary) -> Expression | None:
    left = checker.check(node.left, BOOLEAN)
    facts = if_true if node.operator is BinaryOperator.AND else if_false
    right = (checker if left is None else checker.assuming(facts(left))).check(node.right, BOOLEAN)
    if left is None or right is None:
        return None
    return Binary(node.operator, left, right, maybe(BOOLEAN, left, right))


def _comparison(checker: Checker, node: tree.Binary) -> Expression | None:
    operands = alike((checker, node.left), (checker, node.right), None)
    if operands is None:
        return None
    left, right = operands
    if node.operator not in _EQUALITY and left.type.kind not in ORDERED:
        checker.findings.error(
            "LM2002",
            f"`{node.operator}` does not apply to `{left.type.required()}`",
            node.operator_span,
            help="only numbers, dates, datetimes, durations and periods have an order",
        )
        return None
    if node.operator is BinaryOperator.UNEQUAL:
        for operand in operands:
            _warn_of_absence(checker, operand, "`!=`", node.span)
    return Binary(node.operator, left, right, maybe(BOOLEAN, left, right))


def _warn_of_absence(checker: Checker, operand: Expression, operator: str, span: Span) -> None:
    if operand.type.optional:
        checker.findings.warning(
            "LM2006",
            f"{operator} is not true where its operand is absent, and this one may be",
            span,
            help="say what absence means: `default` a value, or test `is present` or `is absent` first",
        )


def _sum(checker: Checker, node: tree.Binary, wanted: Type | None) -> Expression | None:
    if wanted is not None and wanted.kind in NUMBERS | {Kind.STRING, Kind.PERIOD}:
        operands = alike((checker, node.left), (checker, node.right), wanted)
    elif flexible(checker, node.left) or flexible(checker, node.right):
        operands = alike((checker, node.left), (checker, node.right), None)
    else:
        left = checker.infer(node.left)
        instant = left is None or left.type.kind in _INSTANTS
        right = checker.infer(node.right) if left is None or instant else checker.check(node.right, left.type)
        if left is None or right is None:
            return None
        if instant:
            return _shift(checker, node, left, right)
        operands = (left, right)
    if operands is None:
        return None
    left, right = operands
    allowed = _SUMMABLE if node.operator is BinaryOperator.PLUS else _SUBTRACTABLE
    if left.type.kind not in allowed:
        _does_not_apply(checker, node.operator, left.type, node.operator_span)
        return None
    return Binary(node.operator, left, right, maybe(left.type.required(), left, right))


def _shift(checker: Checker, node: tree.Binary, left: Expression, right: Expression) -> Expression | None:
    """An instant and a duration give an instant; two instants have a duration between them."""
    if right.type.kind is Kind.DURATION:
        return Binary(node.operator, left, right, maybe(left.type.required(), left, right))
    if node.operator is BinaryOperator.MINUS and right.type.kind is left.type.kind:
        return Binary(node.operator, left, right, maybe(DURATION, left, right))
    help = "add months with `add_months(…)`" if right.type.kind is Kind.PERIOD else "add or subtract a duration"
    checker.findings.error(
        "LM2002",
        f"`{node.operator}` does not apply to `{left.type.required()}` and `{right.type.required()}`",
        node.operator_span,
        help=help,
    )
    return None


def _factors(checker: Checker, node: tree.Binary, wanted: Type | None) -> tuple[Expression, Expression] | None:
    """The operands of `*` and `/`, where bare numbers take the kind of the other side and no unit."""
    bare = [_is_bare(operand) for operand in (node.left, node.right)]
    if all(bare):
        decimal = (wanted is not None and wanted.kind is Kind.DECIMAL) or _has_point(node)
        kind = DECIMAL if decimal else INTEGER
        left, right = checker.check(node.left, kind), checker.check(node.right, kind)
    elif bare[0]:
        right = _factor(checker, node.right, wanted)
        left = None if right is None else _bare_number(checker, node.left, right.type)
    else:
        left = _factor(checker, node.left, wanted)
        if bare[1]:
            right = None if left is None else _bare_number(checker, node.right, left.type)
        else:
            right = _factor(checker, node.right, wanted if node.operator is BinaryOperator.TIMES else None)
    return None if left is None or right is None else (left, right)


def _factor(checker: Checker, node: tree.Expression, wanted: Type | None) -> Expression | None:
    """An operand of `*` or `/`; a quantity is converted to the unit that is wanted of the result."""
    if (
        isinstance(node, tree.QuantityLiteral)
        and wanted is not None
        and dimension(wanted.unit) == dimension(node.unit.value)
    ):
        return checker.check(node, wanted)
    return checker.infer(node)


def _is_bare(node: tree.Expression) -> bool:
    """Whether the node is made of numbers without units alone."""
    match node:
        case tree.Literal(value=value):
            return isinstance(value, int | Decimal) and not isinstance(value, bool)
        case tree.Unary(operator=UnaryOperator.MINUS, operand=operand):
            return _is_bare(operand)
        case tree.Binary(operator=operator, left=left, right=right) if operator not in _LOGICAL | _COMPARISON:
            return _is_bare(left) and _is_bare(right)
        case _:
            return False


def _has_point(node: tree.Expression) -> bool:
    """Whether a number of a bare expression is a decimal."""
    match node:
        case tree.Binary(left=left, right=right):
            return _has_point(left) or _has_point(right)
        case tree.Unary(operand=operand):
            return _has_point(operand)
        case tree.Literal(value=value):
            return isinstance(value, Decimal)
        case _:
            return False


def _bare_number(checker: Checker, node: tree.Expression, beside: Type) -> Expression | None:
    decimal = beside.kind is Kind.DECIMAL or (beside.kind is not Kind.INTEGER and _has_point(node))
    return checker.check(node, DECIMAL if decimal else INTEGER)


def _product(checker: Checker, node: tree.Binary, wanted: Type | None) -> Expression | None:
    factors = _factors(checker, node, wanted)
    if factors is None:
        return None
    left, right = factors
    kinds = {left.type.kind, right.type.kind}
    result: Type | None = None
    if left.type.kind in _SPANS and right.type.required() == INTEGER:
        result = left.type
    elif right.type.kind in _SPANS and left.type.required() == INTEGER:
        result = right.type
    elif kinds <= NUMBERS and len(kinds) == 2:
        decimal, whole = (left, right) if left.type.kind is Kind.DECIMAL else (right, left)
        place = node.right if decimal is left else node.left
        checker.mismatch(whole.type, replace(decimal.type, unit=whole.type.unit), place.span)
        return None
    elif kinds <= NUMBERS and not (left.type.unit and right.type.unit):
        result = left.type if left.type.unit else right.type
    if result is None:
        _does_not_apply_to_both(checker, node, left, right)
        return None
    return Binary(node.operator, left, right, maybe(result.required(), left, right))


def _quotient(checker: Checker, node: tree.Binary, wanted: Type | None) -> Expression | None:
    factors = _factors(checker, node, wanted)
    if factors is None:
        return None
    left, right = factors
    if isinstance(node.right, tree.QuantityLiteral) and left.type.unit and left.type.unit != right.type.unit:
        converted = checker.check(node.right, left.type)
        if converted is None:
            return None
        right = converted
    same_kind = left.type.kind is right.type.kind and left.type.kind in NUMBERS
    if not same_kind or (right.type.unit and right.type.unit != left.type.unit):
        _does_not_apply_to_both(checker, node, left, right)
        return None
    result = Type(Kind.DECIMAL, unit="" if right.type.unit else left.type.unit)
    if isinstance(right, Literal):
        if right.value == 0:
            checker.findings.error(
                "LM2002", "a division by zero never has a value", node.span, help="divide by something else"
            )
            return None
        return Binary(node.operator, left, right, maybe(result, left))
    return Binary(node.operator, left, right, result.maybe())


def _does_not_apply(checker: Checker, operator: str, type_: Type, span: Span) -> None:
    checker.findings.error(
        "LM2002",
        f"`{operator}` does not apply to `{type_.required()}`",
        span,
        help="it applies to numbers and lengths of time",
    )


def _does_not_apply_to_both(checker: Checker, node: tree.Binary, left: Expression, right: Expression) -> None:
    help = "write `/ 1` after the integer to make it a decimal"
    if left.type.kind is right.type.kind:
        help = "only one factor may have a unit" if node.operator is BinaryOperator.TIMES else "use numbers of one unit"
    checker.findings.error(
        "LM2002",
        f"`{node.operator}` does not apply to `{left.type.required()}` and `{right.type.required()}`",
        node.operator_span,
        help=help,
    )


@handles(tree.Membership)
def membership(checker: Checker, node: tree.Membership, wanted: Type | None) -> Expression | None:
    operand = checker.infer(node.operand)
    if operand is None:
        return None
    values = constants(checker, node.items, operand.type)
    if values is None:
        return None
    found = Membership(operand, values, maybe(BOOLEAN, operand))
    if not node.negated:
        return found
    _warn_of_absence(checker, operand, "`not in`", node.span)
    return Unary(UnaryOperator.NOT, found, found.type)


@handles(tree.Presence)
def presence(checker: Checker, node: tree.Presence, wanted: Type | None) -> Expression | None:
    operand = checker.infer(node.operand)
    return None if operand is None else Presence(operand, node.present)
