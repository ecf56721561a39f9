"""The native network against trying every rule, on random rules and lines; and what it says of single rules."""

from __future__ import annotations

from functools import reduce

from hypothesis import given
from hypothesis import strategies as st

from orderloom.engine.expressions import Expressions, Scope
from orderloom.engine.expressions.wording import written
from orderloom.engine.masks import Between, Except, OneOf, Present, Test, bits, intersect, selector
from orderloom.engine.network import NativeNetwork, NetworkRule
from orderloom.models.catalog import Action
from orderloom.models.expression import (
    Binary,
    BinaryOperator,
    Expression,
    Formula,
    Literal,
    Membership,
    Presence,
    Reference,
    Root,
    Unary,
    UnaryOperator,
)
from orderloom.models.values import ACTION, BOOLEAN, INTEGER
from tests.engine.building import equal, is_action, lit, ref
from tests.engine.network.reference import firing
from tests.engine.strategies import ATTRIBUTES, COLOUR, ORDERED, SPECS, expressions, scopes, values

_EQUALITY = [BinaryOperator.EQUAL, BinaryOperator.UNEQUAL]
_ORDER = [BinaryOperator.LESS, BinaryOperator.AT_MOST, BinaryOperator.MORE, BinaryOperator.AT_LEAST]


def network(rules: list[NetworkRule]) -> NativeNetwork:
    return NativeNetwork(rules, lambda spec: SPECS[spec].lineage, Expressions({}))


def formula(expression: Expression) -> Formula:
    return Formula(expression, written(expression))


@st.composite
def simple_tests(draw: st.DrawFn) -> Expression:
    """A conjunct that the network can index."""
    name = draw(st.sampled_from(sorted(ATTRIBUTES)))
    type = ATTRIBUTES[name]
    reference = Reference(Root.LINE, name, type)
    if type == BOOLEAN and draw(st.booleans()):
        return reference if draw(st.booleans()) else Unary(UnaryOperator.NOT, reference, BOOLEAN)
    kind = draw(st.integers(0, 4))
    if kind == 0:
        return Membership(reference, tuple(draw(st.lists(values(type), min_size=1, max_size=3))))
    if kind == 1:
        return Presence(reference, draw(st.booleans()))
    if kind == 2:
        return Membership(Reference(Root.LINE, "action", ACTION, True), ("add", draw(values(ACTION))))
    operator = draw(st.sampled_from(_EQUALITY + (_ORDER if type in ORDERED else [])))
    literal = Literal(draw(values(type)), type)
    if draw(st.booleans()):
        return Binary(operator, reference, literal, BOOLEAN)
    return Binary(operator, literal, reference, BOOLEAN)


@st.composite
def network_rules(draw: st.DrawFn) -> list[NetworkRule]:
    residual = expressions(BOOLEAN, 2).filter(
        lambda found: "pick(" not in written(found) and "collect(" not in written(found)
    )
    shared = draw(st.lists(residual, min_size=1, max_size=2))
    part = simple_tests() | simple_tests() | st.sampled_from(shared)
    rules = []
    for place in range(draw(st.integers(1, 8))):
        parts = draw(st.lists(part, max_size=3))
        condition = (
            reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), parts) if parts else None
        )
        rules.append(
            NetworkRule(
                id=f"r{place}",
                spec=draw(st.sampled_from(sorted(SPECS))),
                actions=draw(st.none() | st.frozensets(st.sampled_from(list(Action)), min_size=3)),
                when=formula(condition) if condition else None,
                priority=draw(st.integers(0, 1)),
                group=draw(st.sampled_from(("", "g", "h"))),
                rank=place,
            )
        )
    return rules


@given(rules=network_rules(), found=st.lists(scopes(), min_size=1, max_size=3))
def test_fires_what_trying_every_rule_fires(rules: list[NetworkRule], found: list[Scope]) -> None:
    native = network(rules)

    for scope, places in zip(found, native.match_all(found), strict=True):
        fired = [native.rules[place].id for place in places]
        assert set(fired) == firing(rules, scope)
        assert list(places) == sorted(places)
        for rule in rules:
            verdict = native.verdict(rule.id, scope)
            assert verdict.fires == (rule.id in fired)
            assert verdict.fires or verdict.inapplicable or verdict.failing or verdict.shadowed_by


@given(rules=network_rules(), scope=scopes(), data=st.data())
def test_order_of_definition_does_not_matter(rules: list[NetworkRule], scope: Scope, data: st.DataObject) -> None:
    shuffled = data.draw(st.permutations(rules))
    one, other = network(rules), network(shuffled)

    assert one.rules == other.rules
    assert one.match(scope) == other.match(scope)


@st.composite
def crowds(draw: st.DrawFn) -> list[NetworkRule]:
    """So many rules over so few attributes that the network cuts them into cells."""
    rules = []
    for place in range(draw(st.integers(12, 40))):
        parts: list[Expression] = []
        for name in draw(st.lists(st.sampled_from(("m", "n")), unique=True, max_size=2)):
            number = lit(draw(st.integers(0, 6)), INTEGER)
            operator = draw(st.sampled_from((BinaryOperator.EQUAL, BinaryOperator.EQUAL, BinaryOperator.AT_MOST)))
            parts.append(Binary(operator, ref(name, INTEGER), number, BOOLEAN))
        if draw(st.integers(0, 3)) == 0:
            parts.append(Membership(ref("n", INTEGER), (1, 2, draw(st.integers(3, 9)))))
        if draw(st.integers(0, 3)) == 0:
            parts.append(Binary(BinaryOperator.LESS, ref("m", INTEGER), ref("n", INTEGER), BOOLEAN))
        condition = (
            reduce(lambda left, right: Binary(BinaryOperator.AND, left, right, BOOLEAN), parts) if parts else None
        )
        group = draw(st.sampled_from(("", "", "g", "h")))
        when = formula(condition) if condition else None
        rules.append(NetworkRule(id=f"r{place:02}", spec="A", when=when, group=group, rank=place))
    return rules


@given(rules=crowds(), numbers=st.lists(st.tuples(st.integers(0, 7), st.integers(0, 7)), min_size=1, max_size=6))
def test_cells_lose_and_add_no_rule(rules: list[NetworkRule], numbers: list[tuple[int, int]]) -> None:
    native = network(rules)
    found = [Scope(line=Line(m=m, n=n)) for m, n in numbers] + [Scope(line=Line(m=1)), Scope(line=Line())]

    for scope, places in zip(found, native.match_all(found), strict=True):
        assert {native.rules[place].id for place in places} == firing(rules, scope)
        assert list(places) == sorted(set(places))


_SMALL = st.integers(-4, 4)
_TESTS: st.SearchStrategy[Test] = (
    st.builds(OneOf, values=st.frozensets(_SMALL, max_size=3))
    | st.builds(Except, values=st.frozensets(_SMALL, max_size=3))
    | st.just(Present())
    | st.builds(
        Between,
        low=st.none() | _SMALL,
        high=st.none() | _SMALL,
        low_included=st.booleans(),
        high_included=st.booleans(),
    )
)


@given(tests=st.lists(st.none() | _TESTS, max_size=8), value=st.integers(-6, 6))
def test_selector_finds_what_accepts(tests: list[Test | None], value: int) -> None:
    found = set(bits(selector(tests)(value)))

    assert found == {place for place, test in enumerate(tests) if test is None or test.accepts(value)}


@given(left=_TESTS, right=_TESTS, value=st.integers(-6, 6))
def test_intersection_accepts_what_both_accept(left: Test, right: Test, value: int) -> None:
    both = intersect(left, right)

    assert both is None or both.accepts(value) == (left.accepts(value) and right.accepts(value))


class Line:
    id, spec, quantity, action, parent, context = "7", "B", 1, Action.ADD, "", False

    def __init__(self, **attributes: bool | int | str) -> None:
        self.attributes = attributes


COLOUR_IS_RED = equal(ref("colour", COLOUR), lit("red", COLOUR))
BIG = Binary(BinaryOperator.AT_LEAST, ref("size", INTEGER), lit(10, INTEGER), BOOLEAN)
BOTH = Binary(BinaryOperator.AND, COLOUR_IS_RED, BIG, BOOLEAN)


def test_a_verdict_shows_values_and_what_was_accepted() -> None:
    native = network([NetworkRule(id="r", spec="A", when=formula(BOTH))])
    verdict = native.verdict("r", Scope(line=Line(colour="red", size=7)))

    assert not verdict.fires
    assert verdict.near_miss
    (failing,) = verdict.failing
    assert failing.text == "size >= 10"
    assert failing.values == (("size", 7),)
    assert failing.accepted == "at least 10"
    assert failing.outcome is False
    assert native.verdict("r", Scope(line=Line(colour="red"))).failing[0].outcome is None
    assert native.verdict("r", Scope(line=Line(colour="red", size=10))).fires


def test_a_verdict_names_the_rule_that_shadows() -> None:
    native = network(
        [
            NetworkRule(id="first", spec="A", when=formula(COLOUR_IS_RED), group="g", rank=0),
            NetworkRule(id="second", spec="A", group="g", rank=1),
        ]
    )
    verdict = native.verdict("second", Scope(line=Line(colour="red")))

    assert verdict.shadowed_by == "first"
    assert verdict.near_miss
    assert native.verdict("second", Scope(line=Line(colour="blue"))).fires


def test_a_verdict_names_spec_and_action_that_rule_out() -> None:
    native = network(
        [
            NetworkRule(id="c", spec="C"),
            NetworkRule(id="d", spec="B", actions=frozenset((Action.DELETE,))),
            NetworkRule(id="e", spec="B", when=formula(is_action(Action.MODIFY))),
        ]
    )
    scope = Scope(line=Line())

    assert native.verdict("c", scope).inapplicable == "it is for `C`, the line is a `B`"
    assert native.verdict("d", scope).inapplicable == "it is for delete, the line's action is add"
    assert native.verdict("e", scope).failing[0].values == (("action", Action.ADD),)
    assert native.match(scope) == ()


def test_fires_by_priority_then_specificity_then_id() -> None:
    native = network(
        [
            NetworkRule(id="plain", spec="A"),
            NetworkRule(id="also", spec="A"),
            NetworkRule(id="derived", spec="B"),
            NetworkRule(id="tested", spec="A", when=formula(COLOUR_IS_RED)),
            NetworkRule(id="first", spec="A", priority=1),
        ]
    )
    fired = native.match(Scope(line=Line(colour="red")))

    assert [native.rules[place].id for place in fired] == ["first", "derived", "tested", "also", "plain"]
