"""Values that could be real, the same in every run."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta
from decimal import Decimal

from orderloom.models.catalog import Attribute, Enum
from orderloom.models.values import Kind, Period, Type, Value


def plausible_values(
    attributes: Iterable[Attribute], enums: Mapping[str, Enum], at: datetime, number: int
) -> dict[str, Value]:
    """A value for each attribute; `number` tells those of one call or form from those of another."""
    return {each.name: plausible(each.name, each.type, enums, at, number) for each in attributes}


def plausible(name: str, kind: Type, enums: Mapping[str, Enum], at: datetime, number: int) -> Value:
    """One value of the type, e.g. `port_id-3` for a string."""
    match kind.kind:
        case Kind.ENUM:
            return enums[kind.name].values[0] if kind.name in enums else None
        case Kind.LIST:
            return () if kind.item is None else (plausible(name, kind.item, enums, at, number),)
        case Kind.STRING:
            return f"{name}-{number}"
        case Kind.DATE:
            return at.date()
        case Kind.DATETIME:
            return at
        case other:
            return _CONSTANTS[other]


_CONSTANTS: Mapping[Kind, Value] = {
    Kind.BOOLEAN: True,
    Kind.INTEGER: 1,
    Kind.DECIMAL: Decimal(1),
    Kind.DURATION: timedelta(hours=1),
    Kind.PERIOD: Period(1),
}
