"""Which rows of decision tables an order used: the look-ups of its mappings, asked again for the row they hit."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import fields, is_dataclass, replace

from orderloom.engine.expressions import Scope
from orderloom.engine.expressions.tables import compile_lookup
from orderloom.engine.orchestration.scopes import Scopes
from orderloom.engine.program import Program
from orderloom.models.expression import Formula, Lookup
from orderloom.models.fulfillment import Origin
from orderloom.models.plan import OrderState
from orderloom.models.rules import Column, Table
from orderloom.models.values import INTEGER, Type

_ROW = Column(name="row of the table", type=INTEGER)


def row_name(table: str, place: int) -> str:
    """Name of a row in a coverage: `table#1` is the first."""
    return f"{table}#{place + 1}"


def rows_used(program: Program, state: OrderState) -> Iterator[str]:
    """Names of the rows that gave values to attributes of the order's technical lines.

    Look-ups in conditions and under quantifiers are not counted; the arguments are taken as they are now.
    """
    rules = {rule.id: rule for rule in program.design.rules}
    scopes = Scopes(program, state.order, state.lines)
    numbered = {name: _numbered(table) for name, table in program.design.tables.items()}
    for line in state.lines.values():
        for attribute, provenance in line.provenance.items():
            source = state.lines.get(provenance.source)
            rule = rules.get(provenance.by)
            if provenance.origin is not Origin.RULE or source is None or rule is None:
                continue
            scope = scopes.of(source)
            scope.target = line.attributes
            for mapping in rule.mappings:
                if mapping.attribute == attribute:
                    for lookup in _lookups(mapping.value):
                        yield from _hits(program, numbered[lookup.table], lookup, scope)


def _hits(program: Program, table: Table, lookup: Lookup, scope: Scope) -> Iterable[str]:
    arguments = [program.expression(Formula(each, "")).evaluate(scope) for each in lookup.arguments]
    hit = compile_lookup(table, _ROW.name)(*arguments)
    places = hit if isinstance(hit, tuple) else () if hit is None else (hit,)
    return [row_name(table.name, place) for place in places if isinstance(place, int)]


def _numbered(table: Table) -> Table:
    """The table with the place of each row as one more result."""
    rows = tuple(replace(row, results=(*row.results, place)) for place, row in enumerate(table.rows))
    return replace(table, results=(*table.results, _ROW), rows=rows)


def _lookups(formula: Formula) -> list[Lookup]:
    found: list[Lookup] = []
    todo: list[object] = [formula.expression]
    while todo:
        node = todo.pop()
        if isinstance(node, Lookup):
            found.append(node)
        if isinstance(node, tuple):
            todo.extend(node)
        elif is_dataclass(node) and not isinstance(node, Type):
            todo.extend(getattr(node, each.name) for each in fields(node))
    return found
