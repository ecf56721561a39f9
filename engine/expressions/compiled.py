"""Formulas ready to evaluate, compiled when first needed and shared where they are the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from orderloom.engine.expressions.code import truth_function, value_function
from orderloom.engine.expressions.scope import Scope
from orderloom.models.expression import Formula
from orderloom.models.rules import Table
from orderloom.models.values import Value

#: what Python raises over a value that is not of its declared type, e.g. in a message from outside
_ILL_TYPED = (TypeError, AttributeError, ValueError, ArithmeticError)


class CompiledExpression:
    """One formula. Evaluation never raises: what a value of the wrong type makes impossible is absent."""

    __slots__ = ("_tables", "_truth", "_value", "formula")

    def __init__(self, formula: Formula, tables: Mapping[str, Table]) -> None:
        self.formula = formula
        self._tables = tables
        self._value: Callable[[Any], Value] = self._first_value
        self._truth: Callable[[Any], bool] = self._first_truth

    @property
    def text(self) -> str:
        """The expression as written."""
        return self.formula.text

    def evaluate(self, scope: Scope) -> Value:
        """The value, None where it is absent or unknown."""
        try:
            return self._value(scope)
        except _ILL_TYPED:
            return None

    def is_true(self, scope: Scope) -> bool:
        """Whether the condition is true: neither false nor unknown."""
        try:
            return self._truth(scope)
        except _ILL_TYPED:
            return False

    def _first_value(self, scope: Scope) -> Value:
        self._value = value_function(self.formula.expression, self._tables)
        return self._value(scope)

    def _first_truth(self, scope: Scope) -> bool:
        self._truth = truth_function(self.formula.expression, self._tables)
        return self._truth(scope)


class Expressions:
    """The compiled expressions of a design: equal expressions are one object."""

    __slots__ = ("_known", "_tables")

    def __init__(self, tables: Mapping[str, Table]) -> None:
        self._tables = tables
        self._known: dict[Formula, CompiledExpression] = {}

    def compiled(self, formula: Formula) -> CompiledExpression:
        known = self._known.get(formula)
        if known is None:
            known = self._known[formula] = CompiledExpression(formula, self._tables)
        return known
