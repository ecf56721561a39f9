"""Values a designer can work out by hand, and values that Python alone would get wrong or refuse."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

import pytest

from orderloom.engine.expressions import Expressions, Scope
from orderloom.engine.expressions.wording import written
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Call,
    Expression,
    Formula,
    If,
    Literal,
    Lookup,
    Presence,
    Reference,
    Root,
    Unary,
    UnaryOperator,
)
from orderloom.models.rules import AnyCell, Column, HitPolicy, RangeCell, Row, Table, ValueCell
from orderloom.models.values import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    PERIOD,
    STRING,
    Period,
    Type,
    Value,
)


def value(expression: Expression, **tables: Table) -> Value:
    return Expressions(tables).compiled(Formula(expression, "")).evaluate(Scope())


def call(function: str, *arguments: tuple[Value, Type]) -> Value:
    return value(Call(function, tuple(Literal(*each) for each in arguments), STRING))


def binary(operator: BinaryOperator, left: tuple[Value, Type], right: tuple[Value, Type]) -> Value:
    return value(Binary(operator, Literal(*left), Literal(*right), left[1]))


UNKNOWN = Reference(Root.LINE, "unknown", BOOLEAN)
TRUE, FALSE = Literal(True, BOOLEAN), Literal(False, BOOLEAN)


@pytest.mark.parametrize(
    ("operator", "left", "right", "expected"),
    [
        (BinaryOperator.AND, UNKNOWN, FALSE, False),
        (BinaryOperator.AND, FALSE, UNKNOWN, False),
        (BinaryOperator.AND, UNKNOWN, TRUE, None),
        (BinaryOperator.OR, UNKNOWN, TRUE, True),
        (BinaryOperator.OR, UNKNOWN, FALSE, None),
    ],
)
def test_logic_is_kleenes(operator: BinaryOperator, left: Expression, right: Expression, expected: bool | None) -> None:
    assert value(Binary(operator, left, right, BOOLEAN)) is expected
    assert value(Binary(operator, right, left, BOOLEAN)) is expected


def test_not_unknown_is_unknown_and_presence_is_known() -> None:
    assert value(Unary(UnaryOperator.NOT, UNKNOWN, BOOLEAN)) is None
    assert value(Presence(UNKNOWN, True)) is False
    assert value(If(UNKNOWN, TRUE, FALSE, BOOLEAN)) is None


@pytest.mark.parametrize(
    ("function", "arguments", "expected"),
    [
        ("round", ((Decimal("2.5"), DECIMAL), (0, INTEGER)), Decimal(2)),
        ("round", ((Decimal("1250"), DECIMAL), (-2, INTEGER)), Decimal(1200)),
        ("add_months", ((date(2024, 1, 31), DATE), (1, INTEGER)), date(2024, 2, 29)),
        ("add_months", ((date(9999, 12, 1), DATE), (1, INTEGER)), None),
        ("days", ((10**30, INTEGER),), None),
        ("at", (((1, 2), STRING), (-1, INTEGER)), None),
        ("parse_integer", (("٣", STRING),), None),
        ("parse_integer", (("-07", STRING),), -7),
        ("parse_decimal", (("1e5", STRING),), None),
        ("text", ((True, BOOLEAN),), "true"),
        ("text", ((10**5000, INTEGER),), "1" + "0" * 5000),
        ("text", ((datetime(2026, 3, 2, tzinfo=UTC), DATETIME),), "2026-03-02T00:00:00Z"),
    ],
)
def test_functions(function: str, arguments: tuple[tuple[Value, Type], ...], expected: Value) -> None:
    assert call(function, *arguments) == expected


@pytest.mark.parametrize("present", [True, False])
def test_presence_of_what_is_constant(present: bool) -> None:
    zero = Literal(0, INTEGER)
    for operand in (zero, Binary(BinaryOperator.PLUS, zero, zero, INTEGER)):
        assert value(Presence(operand, present)) is present


def test_arithmetic_is_exact_and_total() -> None:
    plus, divide, times = BinaryOperator.PLUS, BinaryOperator.DIVIDE, BinaryOperator.TIMES
    assert binary(plus, (Decimal("0.1"), DECIMAL), (Decimal("0.2"), DECIMAL)) == Decimal("0.3")
    assert binary(divide, (1, INTEGER), (3, INTEGER)) == Decimal("0." + "3" * 50)
    assert binary(divide, (1, INTEGER), (0, INTEGER)) is None
    assert binary(times, (Decimal("9E+999999"), DECIMAL), (Decimal(10), DECIMAL)) is None
    assert binary(plus, (date.max, DATE), (timedelta(days=1), DURATION)) is None
    assert binary(plus, (timedelta.max, DURATION), (timedelta.max, DURATION)) is None
    assert binary(plus, (date(2026, 1, 31), DATE), (Period(1), PERIOD)) == date(2026, 2, 28)


def test_a_value_of_the_wrong_type_is_absent_not_an_error() -> None:
    compared = Binary(BinaryOperator.LESS, Reference(Root.EVENT, "n", INTEGER), Literal(1, INTEGER), BOOLEAN)
    expression = Expressions({}).compiled(Formula(compared, ""))

    assert expression.evaluate(Scope(event={"n": "many"})) is None
    assert not expression.is_true(Scope(event={"n": "many"}))


def table(policy: HitPolicy) -> Table:
    rows = (
        Row(cells=(ValueCell(("a", "b")), RangeCell(0, 10, True, False)), results=(1,)),
        Row(cells=(AnyCell(), RangeCell(10, None)), results=(2,)),
        Row(cells=(ValueCell(("a",)), AnyCell()), results=(3,)),
    )
    columns = (Column(name="s", type=STRING), Column(name="n", type=INTEGER))
    return Table(
        name="t", title="", inputs=columns, results=(Column(name="r", type=INTEGER),), policy=policy, rows=rows
    )


@pytest.mark.parametrize(
    ("text", "number", "first", "collected"),
    [("a", 0, 1, (1, 3)), ("b", 9, 1, (1,)), ("b", 10, 2, (2,)), ("c", 5, None, None), ("a", 10, 2, (2, 3))],
)
def test_tables(text: str, number: int, first: int | None, collected: tuple[int, ...] | None) -> None:
    lookup = Lookup("t", (Literal(text, STRING), Literal(number, INTEGER)), "r", INTEGER)
    assert value(lookup, t=table(HitPolicy.FIRST)) == first
    assert value(lookup, t=table(HitPolicy.COLLECT)) == collected
    absent = Lookup("t", (Reference(Root.LINE, "gone", STRING), Literal(number, INTEGER)), "r", INTEGER)
    assert value(absent, t=table(HitPolicy.FIRST)) is None


def test_wording_keeps_the_structure() -> None:
    a, b, c = (Reference(Root.LINE, name, BOOLEAN) for name in "abc")
    either = Binary(BinaryOperator.OR, a, b, BOOLEAN)
    both = Binary(BinaryOperator.AND, either, Unary(UnaryOperator.NOT, c, BOOLEAN), BOOLEAN)

    assert written(both) == "(a or b) and not c"
    assert written(Reference(Root.ROOT, "a", BOOLEAN)) == "root.a"
    assert written(Literal('say "x"', STRING)) == '"say \\"x\\""'
