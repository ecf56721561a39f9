"""The built-in functions of the language: one table of signatures.

| function                     | gives     | meaning                                                          |
|------------------------------|-----------|------------------------------------------------------------------|
| `length(string)`             | integer   | number of characters                                             |
| `length(list of T)`          | integer   | number of items                                                  |
| `lower(string)`              | string    | in lower case, locale-independent                                |
| `upper(string)`              | string    | in upper case, locale-independent                                |
| `trim(string)`               | string    | without white space at either end                                |
| `contains(string, string)`   | boolean   | whether the first has the second in it                           |
| `contains(list of T, T)`     | boolean   | whether the list has an item equal to the second                 |
| `starts_with(string, string)`| boolean   |                                                                  |
| `ends_with(string, string)`  | boolean   |                                                                  |
| `at(list of T, integer)`     | T?        | the item at a place counted from 0; absent outside the list      |
| `parse_integer(string)`      | integer?  | digits with an optional sign; absent for anything else           |
| `parse_decimal(string)`      | decimal?  | digits with an optional sign and point; absent for anything else |
| `text(S)`                    | string    | as the language writes the value; S is any type but a list       |
| `round(D, integer)`          | D         | D decimal, to so many places, half to even; keeps the unit       |
| `min(O, O, …)`, `max(O, O…)` | O         | O a number, date, datetime, duration or period                   |
| `days(integer)`              | duration  | so many days of 24 hours                                         |
| `add_months(date, integer)`  | date      | same day so many months later, or that month's last day          |
| `add_months(datetime, integer)` | datetime | likewise                                                       |

An absent argument makes the result absent, so a result is optional wherever an argument is.

`convert(number, "unit")` is no function at run time: it becomes a product or a quotient with a constant, see `calls`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from orderloom.models.values import (
    BOOLEAN,
    DATE,
    DATETIME,
    DECIMAL,
    DURATION,
    INTEGER,
    STRING,
    Kind,
    Type,
)

#: kinds whose values have an order
ORDERED = frozenset({Kind.INTEGER, Kind.DECIMAL, Kind.DATE, Kind.DATETIME, Kind.DURATION, Kind.PERIOD})


class Any(StrEnum):
    """A type variable: it stands for one type of its class throughout a signature."""

    #: any type
    T = "any type"
    #: a list of T
    LIST = "list"
    #: T, possibly absent
    MAYBE = "any type, may be absent"
    #: any type but a list
    SCALAR = "any type but a list"
    #: decimal, with any unit
    DECIMAL = "decimal"
    #: any type with an order
    ORDERED = "a number, date, datetime, duration or period"


Pattern = Type | Any


@dataclass(frozen=True, slots=True)
class Signature:
    """One way to call a function."""

    parameters: tuple[Pattern, ...]
    result: Pattern
    #: whether the last parameter may be repeated
    repeats: bool = False


FUNCTIONS: Mapping[str, tuple[Signature, ...]] = {
    "length": (Signature((STRING,), INTEGER), Signature((Any.LIST,), INTEGER)),
    "lower": (Signature((STRING,), STRING),),
    "upper": (Signature((STRING,), STRING),),
    "trim": (Signature((STRING,), STRING),),
    "contains": (Signature((STRING, STRING), BOOLEAN), Signature((Any.LIST, Any.T), BOOLEAN)),
    "starts_with": (Signature((STRING, STRING), BOOLEAN),),
    "ends_with": (Signature((STRING, STRING), BOOLEAN),),
    "at": (Signature((Any.LIST, INTEGER), Any.MAYBE),),
    "parse_integer": (Signature((STRING,), INTEGER.maybe()),),
    "parse_decimal": (Signature((STRING,), DECIMAL.maybe()),),
    "text": (Signature((Any.SCALAR,), STRING),),
    "round": (Signature((Any.DECIMAL, INTEGER), Any.DECIMAL),),
    "min": (Signature((Any.ORDERED, Any.ORDERED), Any.ORDERED, repeats=True),),
    "max": (Signature((Any.ORDERED, Any.ORDERED), Any.ORDERED, repeats=True),),
    "days": (Signature((INTEGER,), DURATION),),
    "add_months": (Signature((DATE, INTEGER), DATE), Signature((DATETIME, INTEGER), DATETIME)),
}


def bind(pattern: Pattern, given: Type) -> Type | None:
    """What the signature's type variable stands for if `given` is an argument for `pattern`; None if it is not one.

    For a pattern without a variable the pattern itself.
    """
    plain = given.required()
    if isinstance(pattern, Type):
        return pattern if plain == pattern else None
    if pattern is Any.LIST:
        return plain.item if plain.kind is Kind.LIST else None
    if pattern is Any.SCALAR:
        return plain if plain.kind is not Kind.LIST else None
    if pattern is Any.DECIMAL:
        return plain if plain.kind is Kind.DECIMAL else None
    if pattern is Any.ORDERED:
        return plain if plain.kind in ORDERED else None
    return plain


def resolve(pattern: Pattern, bound: Type) -> Type:
    """The type that `pattern` stands for once the variable is bound."""
    if isinstance(pattern, Type):
        return pattern
    if pattern is Any.LIST:
        return Type(Kind.LIST, item=bound)
    if pattern is Any.MAYBE:
        return bound.maybe()
    return bound


def describe(signature: Signature) -> str:
    """The signature as words, e.g. `(list, any type)`."""
    words = [str(parameter) for parameter in signature.parameters]
    return f"({', '.join(words)}{', …' if signature.repeats else ''})"
