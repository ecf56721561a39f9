"""Values and types as a designer writes them."""

from __future__ import annotations

import json
from datetime import timedelta
from decimal import Decimal

from orderloom.models.values import Kind, Period, Type, Value

_STEPS = (("d", timedelta(days=1)), ("h", timedelta(hours=1)), ("m", timedelta(minutes=1)), ("s", timedelta(seconds=1)))


def shown(value: Value, type_: Type) -> str:
    """A value in the language's own spelling."""
    if value is None:
        return "absent"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        item = type_.item or type_
        return f"[{', '.join(shown(each, item) for each in value)}]"
    if isinstance(value, timedelta):
        return _span(value)
    if isinstance(value, Period):
        return f"{value.months} months"
    if isinstance(value, Decimal):
        return f"{value:f}"
    if isinstance(value, str) and type_.kind is Kind.STRING:
        return json.dumps(value, ensure_ascii=False)
    return str(value)


def _span(span: timedelta) -> str:
    for unit, step in _STEPS:
        if span % step == timedelta(0):
            return f"{span // step}{unit}"
    return f"{span // timedelta(milliseconds=1)}ms"


def one_of(words: list[str]) -> str:
    """`a`, `a or b`, `a, b or c`."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"
