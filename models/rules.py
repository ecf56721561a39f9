"""Decomposition rules, decision tables and rejections in their checked form."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orderloom.models.expression import Formula
from orderloom.models.source import Span
from orderloom.models.values import Type, Value


@dataclass(frozen=True, slots=True, kw_only=True)
class Mapping:
    """`attribute = expression`: sets one attribute of the target (of the plan's line, in a task)."""

    attribute: str
    value: Formula
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class DecompositionRule:
    """`decompose Source into Target { … }`."""

    #: unique and stable, `Source->Target`, with `#2` … for further rules between the same two
    id: str
    title: str
    source: str
    target: str
    when: Formula | None = None
    mappings: tuple[Mapping, ...] = ()
    #: how many units of the target one source line asks for; None means 1
    quantity: Formula | None = None
    #: higher wins where two sources set one attribute of a merged line
    priority: int = 0
    #: exclusive group that the rule belongs to, "" for none; the first of a group that fires wins
    group: str = ""
    #: place in the group, from 0
    rank: int = 0
    doc: str = ""
    span: Span | None = None


class HitPolicy(StrEnum):
    UNIQUE = "unique"
    FIRST = "first"
    COLLECT = "collect"


@dataclass(frozen=True, slots=True)
class AnyCell:
    """Matches every present value."""


@dataclass(frozen=True, slots=True)
class ValueCell:
    """Matches any of these values."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class RangeCell:
    """Matches an interval of integers, decimals, dates or durations; None is unbounded."""

    low: Value
    high: Value
    low_included: bool = True
    high_included: bool = True


Cell = AnyCell | ValueCell | RangeCell


@dataclass(frozen=True, slots=True, kw_only=True)
class Column:
    name: str
    type: Type


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    cells: tuple[Cell, ...]
    results: tuple[Value, ...]
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """A decision table; a lookup with any absent argument is absent."""

    name: str
    title: str
    inputs: tuple[Column, ...]
    results: tuple[Column, ...]
    policy: HitPolicy
    rows: tuple[Row, ...]
    doc: str = ""
    span: Span | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejection:
    """`reject "message" on Spec when condition`: an order with such a line is rejected, with the message."""

    id: str
    message: str
    spec: str
    when: Formula
    span: Span | None = None
