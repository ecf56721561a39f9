"""The expression checker: finds the type of an expression and lowers it to `models.expression` in one walk.

A checker gives None for an expression that is wrong, after it said why; who gets None says nothing more.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Set
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

from orderloom.dsl import tree
from orderloom.dsl.absence import reason_absent
from orderloom.dsl.environment import Environment, Members
from orderloom.dsl.facts import NONE, Facts
from orderloom.dsl.findings import Findings
from orderloom.dsl.suggestions import listing
from orderloom.dsl.units import dimension
from orderloom.models.catalog import Enum
from orderloom.models.expression import Expression, Lookup
from orderloom.models.rules import Table
from orderloom.models.source import Label, Span
from orderloom.models.values import BOOLEAN, UNITS, Kind, Type

Node = TypeVar("Node")
Handler = Callable[["Checker", Any, Type | None], Expression | None]

_HANDLERS: dict[type, Handler] = {}

NUMBERS = frozenset({Kind.INTEGER, Kind.DECIMAL})


def handles(kind: type[Node]) -> Callable[[Callable[[Checker, Node, Type | None], Expression | None]], Handler]:
    """Registers the function that checks one kind of node; it may use the wanted type or leave it."""

    def register(handler: Callable[[Checker, Node, Type | None], Expression | None]) -> Handler:
        _HANDLERS[kind] = handler
        return handler

    return register


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What expressions may use of the design, whatever the place they stand in."""

    enums: Mapping[str, Enum]
    tables: Mapping[str, Table]
    #: table -> values, one for each input, for which it has no row; complete tables are not in it
    gaps: Mapping[str, tuple[str, ...]]
    #: tables that were declared but are wrong
    broken_tables: Set[str]
    #: the attributes of a spec's items: in the order, and in inventory
    members_of_lines: Callable[[str], Members | None]
    members_of_assets: Callable[[str], Members | None]
    #: names of all specs, for suggestions
    specs: Mapping[str, object]


@dataclass(frozen=True, slots=True, kw_only=True)
class Checker:
    """Checks expressions at one place."""

    known: Known
    findings: Findings
    environment: Environment
    #: references that have a value here, since a condition around says so
    present: Facts = NONE
    #: variables of the quantifiers around
    variables: Mapping[str, Members] = field(default_factory=dict)
    depth: int = 0

    def assuming(self, facts: Facts) -> Checker:
        """The same place, where these references are known to have a value."""
        return replace(self, present=self.present | facts) if facts - self.present else self

    def infer(self, node: tree.Expression) -> Expression | None:
        """The lowered expression with whatever type it has."""
        return _HANDLERS[type(node)](self, node, None)

    def check(self, node: tree.Expression, wanted: Type) -> Expression | None:
        """The lowered expression, which has the wanted type or is absent."""
        found = _HANDLERS[type(node)](self, node, wanted.required())
        if found is not None and found.type.required() != wanted.required():
            self.mismatch(found.type, wanted, node.span)
            return None
        return found

    def check_present(self, node: tree.Expression, wanted: Type, *, why: str) -> Expression | None:
        """Like `check` where the result must have a value; `why` says what needs it."""
        found = self.check(node, wanted)
        if found is None or not found.type.optional:
            return found
        reason = reason_absent(found)
        labels = []
        code = "LM2005"
        help = f"{reason}; give a value for that case with `default`"
        if isinstance(found, Lookup) and found.table in self.known.gaps:
            code = "LM3202"
            values = ", ".join(f"`{value}`" for value in self.known.gaps[found.table])
            help = f"table `{found.table}` has no row for {values}; add one, or give a value with `default`"
            span = self.known.tables[found.table].span
            labels = [Label(span, "the table")] if span is not None else []
        self.findings.error(code, f"{why} needs a value, but this may be absent", node.span, help=help, labels=labels)
        return None

    def condition(self, node: tree.Expression) -> Expression | None:
        """A condition: boolean, where unknown counts as not true."""
        return self.check(node, BOOLEAN)

    def mismatch(self, found: Type, wanted: Type, span: Span) -> None:
        """Reports that something has the wrong type."""
        found, wanted = found.required(), wanted.required()
        if found.kind is wanted.kind and found.kind in NUMBERS:
            self.units_differ(found, wanted, span)
            return
        help = ""
        if found.kind is Kind.INTEGER and wanted.kind is Kind.DECIMAL:
            help = "write `/ 1` after it to make it a decimal"
        elif found.kind is Kind.DECIMAL and wanted.kind is Kind.INTEGER:
            help = "a decimal never becomes an integer: declare the other one as `decimal`, or write `/ 1` after it"
        elif wanted.kind is Kind.BOOLEAN:
            help = "compare it with something, or test `is present`"
        elif wanted.kind is Kind.STRING and found.kind is not Kind.LIST:
            help = "write `text(…)` around it to make it a string"
        elif wanted.kind is Kind.ENUM and wanted.name in self.known.enums:
            help = f"the values of `{wanted.name}` are {listing(self.known.enums[wanted.name].values)}"
        elif found.kind is Kind.STRING and wanted.kind in NUMBERS:
            help = f"write `parse_{wanted.kind}(…) default …` to read a number from it"
        self.findings.error("LM2001", f"expected `{wanted}`, found `{found}`", span, help=help)

    def units_differ(self, found: Type, wanted: Type, span: Span) -> None:
        """Reports two numbers of one kind and different units."""
        if found.unit in UNITS and wanted.unit in UNITS and dimension(found.unit) == dimension(wanted.unit):
            help = f'write `convert(…, "{wanted.unit}")` around it'
        elif not found.unit:
            help = f'write `* 1 unit "{wanted.unit}"` after it to give it the unit'
        elif not wanted.unit:
            help = f'write `/ 1 unit "{found.unit}"` after it to make it a bare decimal'
        else:
            help = f"`{found.unit}` and `{wanted.unit}` measure different things"
        self.findings.error("LM2003", f"expected `{wanted}`, found `{found}`", span, help=help)
