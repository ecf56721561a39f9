"""The rules for lines of one spec with one action, cut into cells by the values of their most telling attributes.

A rule that accepts only some values of such an attribute lies in the cells of these values, so that a line meets few
rules however many there are; the others lie in one cell for all lines. Inside a cell, sets of rules are bit masks.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from orderloom.engine.expressions import CompiledExpression, Expressions, Scope
from orderloom.engine.expressions.wording import written
from orderloom.engine.masks import OneOf, Selector, bits, selector
from orderloom.engine.network.conditions import Condition
from orderloom.engine.network.interface import NetworkRule
from orderloom.models.expression import Expression, Formula
from orderloom.models.values import Value

#: a cell forgets its answers by mask when it knows more than this many
_ANSWERS = 1024
#: as many rules share a cell before it is worth cutting
_CROWD = 8

#: outcomes of residual predicates for the line at hand
Decided = dict[CompiledExpression, bool]


class Node:
    """Matches lines against the rules at some places of a network."""

    __slots__ = ("_cells", "_groups", "_rest")

    def __init__(
        self,
        places: Sequence[int],
        rules: Sequence[NetworkRule],
        conditions: Sequence[Condition],
        expressions: Expressions,
    ) -> None:
        rest = list(places)
        self._cells: list[tuple[str, dict[Value, _Cell]]] = []
        while len(rest) > _CROWD:
            name = _telling(rest, conditions)
            if name is None:
                break
            crowds = _crowds(rest, conditions, name)
            self._cells.append(
                (name, {value: _Cell(found, conditions, expressions, name) for value, found in crowds.items()})
            )
            cut = {place for found in crowds.values() for place in found}
            rest = [place for place in rest if not (place in cut or _accepted(conditions[place], name) == frozenset())]
        self._rest = _Cell(rest, conditions, expressions, "") if rest else None
        self._groups = _groups(places, rules)

    def match(self, scope: Scope) -> tuple[int, ...]:
        """The places of the rules that fire, ascending."""
        decided: Decided = {}
        found = self._rest.match(scope, decided) if self._rest else ()
        if self._cells:
            attribute = scope.line.attributes.get
            whole = len(found)
            for name, cells in self._cells:
                cell = cells.get(attribute(name))
                if cell is not None:
                    found += cell.match(scope, decided)
            if len(found) > whole > 0 or len(self._cells) > 1:
                found = tuple(sorted(found))
        return self._unshadowed(found) if self._groups and len(found) > 1 else found

    def _unshadowed(self, found: tuple[int, ...]) -> tuple[int, ...]:
        """Without the rules whose exclusive group has one of a lower rank among them."""
        winners: dict[str, tuple[int, int]] = {}
        for place in found:
            group = self._groups.get(place)
            if group is not None:
                name, rank = group
                winners[name] = min(winners.get(name, (rank, place)), (rank, place))
        return tuple(
            place for place in found if (group := self._groups.get(place)) is None or winners[group[0]][1] == place
        )


class _Cell:
    """Some rules, matched by bit masks: bit `i` stands for the cell's rule `i`. Built when a line first comes here."""

    __slots__ = (
        "_answers",
        "_built",
        "_conditions",
        "_every",
        "_expressions",
        "_known",
        "_places",
        "_predicates",
        "_tests",
    )

    def __init__(
        self, places: Sequence[int], conditions: Sequence[Condition], expressions: Expressions, known: str
    ) -> None:
        self._places = tuple(places)
        self._conditions = conditions
        self._expressions = expressions
        #: an attribute whose tests are already passed
        self._known = known
        self._every = (1 << len(places)) - 1
        self._built = False
        self._tests: tuple[tuple[str, Selector, int], ...] = ()
        self._predicates: tuple[_Predicate, ...] = ()
        self._answers: dict[int, tuple[int, ...]] = {}

    def match(self, scope: Scope, decided: Decided) -> tuple[int, ...]:
        if not self._built:
            self._build()
        mask = self._every
        attribute = scope.line.attributes.get
        for name, select, untested in self._tests:
            value = attribute(name)
            mask &= untested if value is None else select(value)
            if not mask:
                return ()
        for predicate in self._predicates:
            if mask & predicate.needed_by:
                holds = decided.get(predicate.expression)
                if holds is None:
                    holds = decided[predicate.expression] = predicate.expression.is_true(scope)
                if not holds:
                    mask &= ~predicate.needed_by
        answer = self._answers.get(mask)
        return self._answer(mask) if answer is None else answer

    def _build(self) -> None:
        here = [self._conditions[place] for place in self._places]
        names = sorted({name for condition in here for name in condition.tests} - {self._known})
        self._tests = tuple(_attribute(name, here) for name in names)
        self._predicates = _predicates(here, self._expressions)
        self._built = True

    def _answer(self, mask: int) -> tuple[int, ...]:
        answer = tuple(self._places[bit] for bit in bits(mask))
        if len(self._answers) >= _ANSWERS:
            self._answers.clear()
        self._answers[mask] = answer
        return answer


@dataclass(frozen=True, slots=True)
class _Predicate:
    """A shared residual predicate, and the rules of the cell that need it."""

    expression: CompiledExpression
    needed_by: int


def _accepted(condition: Condition, name: str) -> frozenset[Value] | None:
    """The values of an attribute that a rule accepts; None if it is not tested for single values."""
    test = condition.tests.get(name)
    return test.values if isinstance(test, OneOf) else None


def _telling(places: Sequence[int], conditions: Sequence[Condition]) -> str | None:
    """The attribute that the most rules test for single values, and that cuts them into at least four parts."""
    users: dict[str, int] = {}
    values: dict[str, set[Value]] = {}
    for place in places:
        for name, test in conditions[place].tests.items():
            if isinstance(test, OneOf):
                users[name] = users.get(name, 0) + 1
                values.setdefault(name, set()).update(test.values)
    able = sorted((-count, name) for name, count in users.items() if count > _CROWD // 2 and len(values[name]) >= 4)
    return able[0][1] if able else None


def _crowds(places: Sequence[int], conditions: Sequence[Condition], name: str) -> dict[Value, list[int]]:
    """The rules that test the attribute for single values, by each value that they accept."""
    found: dict[Value, list[int]] = {}
    for place in places:
        for value in _accepted(conditions[place], name) or ():
            found.setdefault(value, []).append(place)
    return found


def _attribute(name: str, conditions: Sequence[Condition]) -> tuple[str, Selector, int]:
    """The attribute, the mask by its value, and the mask of the rules that do not test it."""
    tests = [condition.tests.get(name) for condition in conditions]
    untested = sum(1 << place for place, test in enumerate(tests) if test is None)
    return name, selector(tests), untested


def _predicates(conditions: Sequence[Condition], expressions: Expressions) -> tuple[_Predicate, ...]:
    """Each distinct residual once, in the order in which the rules need them."""
    needed: dict[Expression, int] = {}
    for place, condition in enumerate(conditions):
        for residual in condition.residuals:
            needed[residual] = needed.get(residual, 0) | 1 << place
    return tuple(
        _Predicate(expressions.compiled(Formula(residual, written(residual))), mask)
        for residual, mask in needed.items()
    )


def _groups(places: Sequence[int], rules: Sequence[NetworkRule]) -> Mapping[int, tuple[str, int]]:
    """Exclusive group and rank of each rule that has rivals here."""
    sizes: dict[str, int] = {}
    for place in places:
        sizes[rules[place].group] = sizes.get(rules[place].group, 0) + 1
    return {
        place: (rules[place].group, rules[place].rank)
        for place in places
        if rules[place].group and sizes[rules[place].group] > 1
    }
