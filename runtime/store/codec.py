"""Values of the language as bytes and back, exactly, whatever their type; read without knowing the design.

What JSON holds stands for itself; the rest is an object of one member, whose name is the type:

| member | value                                  |
|--------|----------------------------------------|
| `d`    | decimal, as written                    |
| `D`    | date, ISO 8601                         |
| `T`    | datetime, ISO 8601, UTC                |
| `s`    | duration: days, seconds, microseconds  |
| `p`    | period: months                         |
"""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from orderloom.models.conversion import Json
from orderloom.models.values import Period, Value

#: leads what the standard library wrote: orjson would read its long integers as floats
_SLOW = b" "
_OPTIONS = orjson.OPT_PASSTHROUGH_DATETIME | orjson.OPT_PASSTHROUGH_DATACLASS


def dumps(data: object) -> bytes:
    """JSON text of what JSON can hold and of values of the language, at any depth; lists and tuples are one.

    What orjson refuses (integers over 64 bits, lone surrogates) is written by the standard library. Raises TypeError
    for anything else.
    """
    try:
        return orjson.dumps(data, _marked, _OPTIONS)
    except TypeError:
        return _SLOW + json.dumps(data, separators=(",", ":"), default=_marked).encode()


def loads(data: bytes) -> Any:
    """Reads what `dumps` wrote, marked values still marked, see `unpack`."""
    return json.loads(data) if data.startswith(_SLOW) else orjson.loads(data)


_MARKS: dict[type, Callable[[Any], Json]] = {
    Decimal: lambda value: {"d": str(value)},
    date: lambda value: {"D": value.isoformat()},
    datetime: lambda value: {"T": value.isoformat()},
    timedelta: lambda value: {"s": [value.days, value.seconds, value.microseconds]},
    Period: lambda value: {"p": value.months},
}


def _marked(value: object) -> Json:
    mark = _MARKS.get(type(value))
    if mark is None:
        raise TypeError(f"cannot store {value!r}: `{type(value).__name__}` is no type of the language")
    return mark(value)


_READERS: dict[str, Callable[[Any], Value]] = {
    "d": Decimal,
    "D": date.fromisoformat,
    "T": datetime.fromisoformat,
    "s": lambda found: timedelta(*found),
    "p": Period,
}


def unpack(found: Any) -> Value:
    """The value that `dumps` wrote."""
    kind = type(found)
    if kind is dict:
        ((name, content),) = found.items()
        return _READERS[name](content)
    if kind is list:
        return tuple(unpack(item) for item in found)
    return found  # type: ignore[no-any-return]  # str, bool, int or None


def unpack_values(found: dict[str, Any]) -> dict[str, Value]:
    return {name: unpack(value) if type(value) in _COMPOUND else value for name, value in found.items()}


_COMPOUND = frozenset((dict, list))


def micros(instant: datetime | None) -> int | None:
    """Microseconds since 1970 in UTC, as columns hold instants."""
    if instant is None:
        return None
    span = instant - _EPOCH
    return (span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds


def instant(found: int) -> datetime:
    return _EPOCH + timedelta(microseconds=found)


def maybe_instant(found: int | None) -> datetime | None:
    return None if found is None else _EPOCH + timedelta(microseconds=found)


_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
