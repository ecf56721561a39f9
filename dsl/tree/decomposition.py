"""Decomposition rules, decision tables and rejections."""

from __future__ import annotations

from dataclasses import dataclass

from orderloom.dsl.tree.attributes import TypeExpression
from orderloom.dsl.tree.expressions import Expression
from orderloom.dsl.tree.words import Name, Number, Text
from orderloom.models.rules import HitPolicy
from orderloom.models.source import Span


@dataclass(frozen=True, slots=True, kw_only=True)
class When:
    """`when condition`, in a rule or a task."""

    condition: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityStatement:
    """`quantity expression`."""

    value: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class PriorityStatement:
    """`priority 10`."""

    value: Number
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class MappingStatement:
    """`attribute = expression`."""

    attribute: Name
    value: Expression
    doc: str
    span: Span


RuleStatement = When | QuantityStatement | PriorityStatement | MappingStatement


@dataclass(frozen=True, slots=True, kw_only=True)
class DecomposeDeclaration:
    """`decompose Source into Target "title" { statements }`, alone or in a group."""

    source: Name
    target: Name
    title: Text | None
    statements: tuple[RuleStatement, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class DecomposeGroup:
    """`decompose first of "title" { Source into Target { … } … }`."""

    title: Text | None
    rules: tuple[DecomposeDeclaration, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ColumnDeclaration:
    """`speed Speed`, an input or result column of a table."""

    name: Name
    title: Text | None
    type: TypeExpression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class AnyCell:
    """`any`."""

    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ValueCell:
    """`a` or `a | b`."""

    values: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RangeCell:
    """`100..500` (both included), `>= 100`, `< 5`; None is unbounded."""

    low: Expression | None
    high: Expression | None
    low_included: bool
    high_included: bool
    span: Span


Cell = AnyCell | ValueCell | RangeCell


@dataclass(frozen=True, slots=True, kw_only=True)
class RowDeclaration:
    """`mbps_100, gold: 120000`."""

    cells: tuple[Cell, ...]
    results: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class TableDeclaration:
    """`table name (inputs) -> (results) policy { rows }` or `… policy from "tables/x.csv"`."""

    name: Name
    title: Text | None
    inputs: tuple[ColumnDeclaration, ...]
    results: tuple[ColumnDeclaration, ...]
    #: UNIQUE where none is written
    policy: HitPolicy
    #: path of the CSV file; None: the rows stand here
    source: Text | None
    rows: tuple[RowDeclaration, ...]
    doc: str
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class RejectDeclaration:
    """`reject "message" on Spec when condition`."""

    message: Text
    spec: Name
    condition: Expression
    doc: str
    span: Span
