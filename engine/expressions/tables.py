"""Decision tables, compiled so that a lookup costs one hash or bisection a column however many rows there are."""

from __future__ import annotations

from collections.abc import Callable

from orderloom.engine.masks import Between, OneOf, Selector, Test, bits, selector
from orderloom.models.rules import AnyCell, Cell, HitPolicy, RangeCell, Table, ValueCell
from orderloom.models.values import Value


def compile_lookup(table: Table, column: str) -> Callable[..., Value]:
    """A function of one argument per input column that gives the result column of the row (of the rows) hit.

    An absent argument, or no row, gives None. Of several rows under policy `unique` or `first` the first counts.
    """
    place = next(index for index, result in enumerate(table.results) if result.name == column)
    results = tuple(row.results[place] for row in table.rows)
    selectors = tuple(_selector(table, index) for index in range(len(table.inputs)))
    every = (1 << len(results)) - 1
    collect = table.policy is HitPolicy.COLLECT

    def lookup(*arguments: Value) -> Value:
        hit = every
        for select, argument in zip(selectors, arguments, strict=True):
            if argument is None:
                return None
            hit &= select(argument)
        if not hit:
            return None
        if collect:
            return tuple(results[index] for index in bits(hit))
        return results[(hit & -hit).bit_length() - 1]

    return lookup


def _selector(table: Table, column: int) -> Selector:
    return selector([_test(row.cells[column]) for row in table.rows])


def _test(cell: Cell) -> Test | None:
    match cell:
        case ValueCell(values):
            return OneOf(values=frozenset(values))
        case RangeCell(low, high, low_included, high_included):
            return Between(low=low, high=high, low_included=low_included, high_included=high_included)
        case AnyCell():
            return None
