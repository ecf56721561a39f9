"""The compiled form and the naive evaluator agree on every well-typed expression, and neither raises."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from orderloom.engine.expressions import CompiledExpression, Expressions, Scope
from orderloom.engine.expressions.wording import written
from orderloom.models.expression import Expression, Formula
from orderloom.models.rules import Table
from orderloom.models.values import BOOLEAN
from tests.engine.expressions.reference import evaluate
from tests.engine.strategies import TYPES, expressions, scopes, tables


def compiled(expression: Expression, known: dict[str, Table]) -> CompiledExpression:
    return Expressions(known).compiled(Formula(expression, written(expression)))


@given(expression=st.sampled_from(TYPES).flatmap(expressions), known=tables(), scope=scopes())
def test_values_agree(expression: Expression, known: dict[str, Table], scope: Scope) -> None:
    found = compiled(expression, known)._first_value(scope)
    wanted = evaluate(expression, scope, known)

    assert found == wanted
    assert (found is None) == (wanted is None)


@given(condition=expressions(BOOLEAN), known=tables(), scope=scopes())
def test_truth_is_the_value_being_true(condition: Expression, known: dict[str, Table], scope: Scope) -> None:
    found = compiled(condition, known)

    assert found._first_truth(scope) is (evaluate(condition, scope, known) is True)
    assert found.is_true(scope) is (found.evaluate(scope) is True)
