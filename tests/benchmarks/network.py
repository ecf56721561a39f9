"""The rule network: facts a second by number of rules, beside evaluating every rule.

A fact is one line with eight attributes, matched against all rules of its design. Rules are spread over ten specs in
small designs and over two hundred in the largest, as in real ones; each tests two or three attributes (equality,
membership, intervals), one in ten also compares two attributes. No two lines have the same attributes.
"""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from functools import partial, reduce
from time import perf_counter

from orderloom.engine.expressions import CompiledExpression, Expressions, Scope
from orderloom.engine.network import NativeNetwork, NetworkRule
from orderloom.models.catalog import Action, Level
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Expression,
    Formula,
    Literal,
    Membership,
    Reference,
    Root,
)
from orderloom.models.fulfillment import Line
from orderloom.models.values import ACTION, BOOLEAN, INTEGER, STRING

SIZES = (10, 100, 1_000, 10_000)
TARGET = 300_000
ROUNDS = 5
_ACTIONS = (Action.ADD, Action.MODIFY)


def run(quick: bool) -> Iterator[tuple[str, str, str, str]]:
    """Rows of the benchmark table. Sizes are measured in turn, several rounds; the median round counts."""
    facts = 300 if quick else 6_000
    cases = {
        (size, one_spec): (_network(size, specs := 1 if one_spec else max(1, size // 50)), _lines(facts, specs))
        for size in SIZES
        for one_spec in (False, True)
    }
    for network, scopes in cases.values():
        network.match_all(scopes)
    rates: dict[tuple[int, bool], list[float]] = {case: [] for case in cases}
    for _ in range(2 if quick else ROUNDS):
        for case, (network, scopes) in cases.items():
            rates[case].append(len(scopes) / _seconds(partial(network.match_all, scopes)))
    for (size, one_spec), found in rates.items():
        rate = sorted(found)[len(found) // 2]
        times = rate / _naive(*cases[size, one_spec])
        note = f"{'one spec' if one_spec else '50 rules a spec'}; {times:,.0f} × every rule"
        yield f"network, {size:,} rules", f"{rate:,.0f} facts/s", f"{TARGET:,}" if size == 10_000 else "", note


def _seconds(work: Callable[[], object]) -> float:
    gc.collect()
    start = perf_counter()
    work()
    return perf_counter() - start


def _naive(network: NativeNetwork, scopes: list[Scope]) -> float:
    """Facts a second when every rule is evaluated for every line, with the same compiled expressions."""
    expressions = Expressions({})
    rules = [(rule.spec, expressions.compiled(rule.when)) for rule in network.rules if rule.when]
    few = scopes[: max(3, 20_000 // len(rules))]
    for scope in few[:1]:
        _every(rules, scope)
    return len(few) / _seconds(lambda: [_every(rules, scope) for scope in few])


def _every(rules: list[tuple[str, CompiledExpression]], scope: Scope) -> list[int]:
    line = scope.line
    return [place for place, (spec, when) in enumerate(rules) if spec == line.spec and when.is_true(scope)]


def _network(size: int, specs: int) -> NativeNetwork:
    rules = [
        NetworkRule(id=f"rule {place:05}", spec=f"Spec{place % specs}", when=_condition(place // specs, place))
        for place in range(size)
    ]
    return NativeNetwork(rules, lambda spec: (spec,), Expressions({}))


def _condition(place: int, salt: int) -> Formula:
    parts: list[Expression] = [
        _test(BinaryOperator.EQUAL, f"text_{place % 3}", f"value {place * 7 % 199}"),
        _test(BinaryOperator.AT_LEAST, f"number_{place % 4}", place * 31 % 997),
    ]
    if place % 3 == 0:
        parts.append(
            Membership(Reference(Root.LINE, "action", ACTION, True), ("add", "modify", "delete")[: place % 2 + 1])
        )
    if place % 10 == 0:
        numbers = [Reference(Root.LINE, f"number_{(salt + step) % 4}", INTEGER) for step in (0, 1)]
        parts.append(Binary(BinaryOperator.LESS, numbers[0], numbers[1], BOOLEAN))
    condition = reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), parts)
    return Formula(condition, "")


def _test(operator: BinaryOperator, name: str, value: int | str) -> Expression:
    type = STRING if isinstance(value, str) else INTEGER
    return Binary(operator, Reference(Root.LINE, name, type), Literal(value, type), BOOLEAN)


def _lines(count: int, specs: int) -> list[Scope]:
    return [
        Scope(
            line=Line(
                id=str(place),
                spec=f"Spec{place * 13 % specs}",
                level=Level.PRODUCT,
                action=_ACTIONS[place % 2],
                quantity=1,
                attributes={
                    "text_0": f"value {place * 11 % 199}",
                    "text_1": f"value {place * 17 % 199}",
                    "text_2": f"value {place * 29 % 199}",
                    "number_0": place * 13 % 1009,
                    "number_1": place * 19 % 1013,
                    "number_2": place * 23 % 1019,
                    "number_3": place * 37 % 1021,
                    "site": f"site {place}",
                },
                parent="",
                root=str(place),
                asset=str(place),
            )
        )
        for place in range(count)
    ]
