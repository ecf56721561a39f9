"""The closed type system of the design language and the Python values that stand for its values.

| type     | Python value                                   |
|----------|------------------------------------------------|
| boolean  | bool                                           |
| integer  | int                                            |
| decimal  | decimal.Decimal                                |
| string   | str                                            |
| date     | datetime.date                                  |
| datetime | datetime.datetime, always aware, in UTC        |
| duration | datetime.timedelta                             |
| period   | Period (calendar months)                       |
| enum     | str, the value's name                          |
| list     | tuple                                          |

An absent value is None. There are no binary floats.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum


@dataclass(frozen=True, slots=True, order=True)
class Period:
    """A length of time in calendar months, which has no fixed number of days."""

    months: int


#: Any value of the language; None is "absent".
Value = bool | int | Decimal | str | date | datetime | timedelta | Period | tuple["Value", ...] | None


class Kind(StrEnum):
    """The kinds of types; the set is closed."""

    BOOLEAN = "boolean"
    INTEGER = "integer"
    DECIMAL = "decimal"
    STRING = "string"
    DATE = "date"
    DATETIME = "datetime"
    DURATION = "duration"
    PERIOD = "period"
    ENUM = "enum"
    LIST = "list"


@dataclass(frozen=True, slots=True)
class Type:
    """A type, e.g. `integer unit "Mbps"`, `Speed?`, `list of string`."""

    kind: Kind
    #: the enum's name, for kind ENUM only
    name: str = ""
    #: the type of the items, for kind LIST only
    item: Type | None = None
    #: unit of an integer or decimal, e.g. `Mbps`; "" where it is a bare number
    unit: str = ""
    #: whether a value may be absent (`T?`)
    optional: bool = False

    def __str__(self) -> str:
        text = str(self.kind)
        if self.kind is Kind.ENUM:
            text = self.name
        elif self.kind is Kind.LIST:
            text = f"list of {self.item}"
        if self.unit:
            text += f' unit "{self.unit}"'
        return text + "?" if self.optional else text

    def required(self) -> Type:
        """The same type without `?`."""
        return Type(self.kind, self.name, self.item, self.unit) if self.optional else self

    def maybe(self) -> Type:
        """The same type with `?`."""
        return self if self.optional else Type(self.kind, self.name, self.item, self.unit, True)


BOOLEAN = Type(Kind.BOOLEAN)
INTEGER = Type(Kind.INTEGER)
DECIMAL = Type(Kind.DECIMAL)
STRING = Type(Kind.STRING)
DATE = Type(Kind.DATE)
DATETIME = Type(Kind.DATETIME)
DURATION = Type(Kind.DURATION)
PERIOD = Type(Kind.PERIOD)
#: the built-in enum of line actions, see `models.catalog.Action`
ACTION = Type(Kind.ENUM, "Action")

#: unit -> (dimension, exact factor to the dimension's base unit). A unit that is not here is its own dimension.
UNITS: dict[str, tuple[str, Decimal]] = {
    "bps": ("bit rate", Decimal(1)),
    "kbps": ("bit rate", Decimal(1_000)),
    "Mbps": ("bit rate", Decimal(1_000_000)),
    "Gbps": ("bit rate", Decimal(1_000_000_000)),
    "B": ("data", Decimal(1)),
    "kB": ("data", Decimal(1_000)),
    "MB": ("data", Decimal(1_000_000)),
    "GB": ("data", Decimal(1_000_000_000)),
    "TB": ("data", Decimal(1_000_000_000_000)),
    "mm": ("length", Decimal("0.001")),
    "cm": ("length", Decimal("0.01")),
    "m": ("length", Decimal(1)),
    "km": ("length", Decimal(1_000)),
    "W": ("power", Decimal(1)),
    "kW": ("power", Decimal(1_000)),
    "dBm": ("signal level", Decimal(1)),
}
