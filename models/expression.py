"""Checked expressions: a small typed tree that the language lowers to and the engine compiles.

Every node is immutable and carries its type. All names are resolved, all implicit defaults are spelled out, units are
converted, so that an evaluator needs no knowledge of the design beyond its tables.

Semantics (every evaluator must agree):

- a value is absent (None) or of the node's type;
- comparisons, arithmetic and functions with an absent operand are absent (for boolean results: unknown);
- `and`, `or`, `not` are Kleene's: false and unknown = false, true or unknown = true, not unknown = unknown;
- `Presence` and `Default` are two-valued in presence;
- `If` and `Case` with an unknown condition or subject are absent;
- arithmetic on decimals is exact under a context of 50 digits; division gives a decimal, and is absent for a zero
  divisor or a quotient that is not exact within 50 digits after rounding half even;
- nothing raises.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from orderloom.models.values import BOOLEAN, Type, Value


class Root(StrEnum):
    """What a reference starts from; a quantifier's variable is a `Variable`."""

    #: the source line of a mapping; the plan's line in a task
    LINE = "line"
    PARENT = "parent"
    ROOT = "root"
    ORDER = "order"
    ACCOUNT = "account"
    #: what inventory holds for the line
    ASSET = "asset"
    #: what earlier mappings of the same rule have set
    TARGET = "target"
    #: outputs of the operation that the task called
    RESPONSE = "response"
    #: payload of the event that the task waited for
    EVENT = "event"
    #: what a person entered in the task's form
    FORM = "form"


class UnaryOperator(StrEnum):
    NOT = "not"
    MINUS = "-"


class BinaryOperator(StrEnum):
    AND = "and"
    OR = "or"
    EQUAL = "=="
    UNEQUAL = "!="
    LESS = "<"
    AT_MOST = "<="
    MORE = ">"
    AT_LEAST = ">="
    PLUS = "+"
    MINUS = "-"
    TIMES = "*"
    DIVIDE = "/"


class Quantifier(StrEnum):
    ANY = "any"
    ALL = "all"
    COUNT = "count"
    SUM = "sum"
    FIRST = "first"


class Collection(StrEnum):
    """What a quantifier ranges over."""

    #: all lines of a spec in the whole order
    LINES = "lines"
    #: direct children of the line at hand (optionally of one spec)
    CHILDREN = "children"
    #: items that inventory holds for the account (optionally of one spec)
    ASSETS = "assets"


@dataclass(frozen=True, slots=True)
class Literal:
    """A constant."""

    value: Value
    type: Type


@dataclass(frozen=True, slots=True)
class Reference:
    """An attribute, or with `meta` a built-in of a line: `action`, `quantity`, `id`, `spec`."""

    root: Root
    name: str
    type: Type
    meta: bool = False


@dataclass(frozen=True, slots=True)
class Variable:
    """An attribute (or with `meta` a built-in) of the item that an enclosing quantifier's variable stands for."""

    variable: str
    name: str
    type: Type
    meta: bool = False


@dataclass(frozen=True, slots=True)
class Unary:
    operator: UnaryOperator
    operand: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Binary:
    operator: BinaryOperator
    left: Expression
    right: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Membership:
    """`operand in (a, b, c)` over constants."""

    operand: Expression
    values: tuple[Value, ...]
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Presence:
    """`operand is present` / `is absent`."""

    operand: Expression
    present: bool
    type: Type = BOOLEAN


@dataclass(frozen=True, slots=True)
class Default:
    """`operand default fallback`."""

    operand: Expression
    fallback: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class If:
    condition: Expression
    then: Expression
    otherwise: Expression
    type: Type


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of a `case`: the constants it accepts and what it gives."""

    values: tuple[Value, ...]
    result: Expression


@dataclass(frozen=True, slots=True)
class Case:
    """`case subject { … }`; `otherwise` is None where the arms are exhaustive."""

    subject: Expression
    arms: tuple[Arm, ...]
    otherwise: Expression | None
    type: Type


@dataclass(frozen=True, slots=True)
class Lookup:
    """`table(args)`; gives the named result column (a list of it for hit policy collect); absent if no row hits."""

    table: str
    arguments: tuple[Expression, ...]
    column: str
    type: Type


@dataclass(frozen=True, slots=True)
class Call:
    """A built-in function, see grammar/README.md: length, lower, upper, trim, contains, starts_with, ends_with, at,
    parse_integer, parse_decimal, text, round, min, max, days, add_months."""

    function: str
    arguments: tuple[Expression, ...]
    type: Type


@dataclass(frozen=True, slots=True)
class Quantified:
    """A bounded quantifier over a collection.

    `any`/`all` are Kleene over `where`; `count` counts items whose `where` is true (all items without one); `sum` and
    `first` give `value` of those items, in the collection's order, skipping absent values (`sum` of none is zero,
    `first` of none is absent).
    """

    quantifier: Quantifier
    collection: Collection
    #: None: any spec. Items of specs that extend it belong to it.
    spec: str | None
    variable: str
    where: Expression | None
    value: Expression | None
    type: Type


Expression = (
    Literal
    | Reference
    | Variable
    | Unary
    | Binary
    | Membership
    | Presence
    | Default
    | If
    | Case
    | Lookup
    | Call
    | Quantified
)


@dataclass(frozen=True, slots=True)
class Formula:
    """An expression with the text it was written as, for provenance and explanation."""

    expression: Expression
    #: source text, white space folded
    text: str
