"""Expressions as written."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal

from orderloom.dsl.tree.words import Name, Text
from orderloom.models.expression import BinaryOperator, Collection, Quantifier, UnaryOperator
from orderloom.models.source import Span
from orderloom.models.values import Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Literal:
    """A constant: `true`, `12`, `1.5`, `"text"`, `2026-01-31`, `2026-01-31T12:00Z`, `4h`, `3 months`.

    The Python type of `value` says which; datetimes are in UTC.
    """

    value: bool | int | Decimal | str | date | datetime | timedelta | Period
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class QuantityLiteral:
    """`500 Mbps` (units of `models.values.UNITS`) or `5 unit "seats"` (any unit); the value is not converted."""

    value: int | Decimal
    unit: Text
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class ListLiteral:
    """`[a, b, c]`."""

    items: tuple[Expression, ...]
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Path:
    """`speed`, `root.install`, `r.model`: an attribute, a built-in, an enum value or a variable."""

    parts: tuple[Name, ...]
    span: Span

    @property
    def text(self) -> str:
        return ".".join(part.text for part in self.parts)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unary:
    """`not a`, `-a`."""

    operator: UnaryOperator
    operand: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Binary:
    """`a and b`, `a == b`, `a + b`, …"""

    operator: BinaryOperator
    left: Expression
    right: Expression
    operator_span: Span
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Membership:
    """`a in (x, y)` and `a not in (x, y)`."""

    operand: Expression
    items: tuple[Expression, ...]
    negated: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Presence:
    """`a is present`, `a is absent`."""

    operand: Expression
    present: bool
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Default:
    """`a default b`."""

    operand: Expression
    fallback: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class If:
    """`if a then b else c`."""

    condition: Expression
    then: Expression
    otherwise: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One arm of a `case`: `a, b: result`; a value is a `Literal`, a `QuantityLiteral` or a `Path` of one part."""

    values: tuple[Expression, ...]
    result: Expression
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """`case subject { a, b: x … else: y }`."""

    subject: Expression
    arms: tuple[Arm, ...]
    otherwise: Expression | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """`name(a, b)` of a function or a table; `name(a, b).column` picks one result column of a table."""

    name: Name
    arguments: tuple[Expression, ...]
    column: Name | None
    span: Span


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantified:
    """`any lines of Router as r where …`, `count children`, `sum r.watts for lines of Router as r where …`."""

    quantifier: Quantifier
    collection: Collection
    #: None: any spec (`children` and `assets` only)
    spec: Name | None
    variable: Name | None
    where: Expression | None
    #: `sum` and `first` only
    value: Expression | None
    span: Span


Expression = (
    Literal
    | QuantityLiteral
    | ListLiteral
    | Path
    | Unary
    | Binary
    | Membership
    | Presence
    | Default
    | If
    | Case
    | Call
    | Quantified
)
