"""Values of the language as bytes and back, exactly, whatever their type; read without knowing the design.

What JSON holds stands for itself; the rest is an object of one member, whose name is the type:

| member | value                                  |
|--------|----------------------------------------|
| `d`    | decimal, as written                    |
| `D`    | date, ISO 8601                         |
| `T`    | datetime, ISO 8601, UTC                |
| `s`    | duration: days, seconds, microseconds  |
| `p`    | period: months                         |
| `n`    | integer outside 64 bits, as digits     |
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import orjson

from orderloom.models.conversion import Json
from orderloom.models.values import Period, Value

_LEAST, _MOST = -(2**63), 2**63 - 1
_PLAIN = frozenset((str, bool, type(None)))


#: leads what the standard library wrote: orjson would read its long integers as floats
_SLOW = b" "


def dumps(data: object) -> bytes:
    """JSON text. What orjson refuses (integers over 64 bits, lone surrogates) is written by the standard library."""
    try:
        return orjson.dumps(data)
    except TypeError:
        return _SLOW + json.dumps(data, separators=(",", ":")).encode()


def loads(data: bytes) -> Any:
    """Reads what `dumps` wrote."""
    return json.loads(data) if data.startswith(_SLOW) else orjson.loads(data)


def _date(value: date) -> Json:
    return {"D": value.isoformat()}


def _datetime(value: datetime) -> Json:
    return {"T": value.isoformat()}


def _duration(value: timedelta) -> Json:
    return {"s": [value.days, value.seconds, value.microseconds]}


def _integer(value: int) -> Json:
    return value if _LEAST <= value <= _MOST else {"n": str(value)}


def _list(value: tuple[Value, ...]) -> Json:
    return [pack(item) for item in value]


_PACKERS: dict[type, Callable[[Any], Json]] = {
    int: _integer,
    Decimal: lambda value: {"d": str(value)},
    date: _date,
    datetime: _datetime,
    timedelta: _duration,
    Period: lambda value: {"p": value.months},
    tuple: _list,
}


def pack(value: Value) -> Json:
    """A value as what JSON can hold."""
    kind = type(value)
    if kind in _PLAIN:
        return value  # type: ignore[return-value]  # by the set of types above
    packer = _PACKERS.get(kind)
    if packer is None:
        return _pack_subclass(value)
    return packer(value)


def _pack_subclass(value: Value) -> Json:
    if isinstance(value, str):
        return str.__str__(value)
    raise TypeError(f"cannot store {value!r}: `{type(value).__name__}` is no type of the language")


def _unpack_integer(found: str) -> int:
    # int() refuses more than 4,300 digits; decimals have no such limit
    return int(Decimal(found)) if len(found) > 4000 else int(found)


_UNPACKERS: dict[str, Callable[[Any], Value]] = {
    "d": Decimal,
    "D": date.fromisoformat,
    "T": datetime.fromisoformat,
    "s": lambda found: timedelta(*found),
    "p": Period,
    "n": _unpack_integer,
}


def unpack(found: Any) -> Value:
    """The value that `pack` wrote."""
    kind = type(found)
    if kind is dict:
        ((name, content),) = found.items()
        return _UNPACKERS[name](content)
    if kind is list:
        return tuple(unpack(item) for item in found)
    return found  # type: ignore[no-any-return]  # str, bool, int or None


def pack_values(values: Mapping[str, Value]) -> dict[str, Json]:
    return {name: value if type(value) in _PLAIN else pack(value) for name, value in values.items()}  # type: ignore[misc]


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
