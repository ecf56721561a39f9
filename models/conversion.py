"""Between values of the language and JSON: one reading and one writing for orders, forms, answers and stores."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal, InvalidOperation

from orderloom.models.catalog import Enum
from orderloom.models.values import Kind, Period, Type, Value

#: What JSON can hold.
Json = bool | int | float | str | list["Json"] | dict[str, "Json"] | None

_DURATION = re.compile(r"(-?)P(?:(\d+)W)?(?:(\d+)D)?(?:T(?:(\d+)H)?(?:(\d+)M)?(?:(\d+)(?:\.(\d{1,6}))?S)?)?")
_PERIOD = re.compile(r"(-?)P(?:(\d+)Y)?(?:(\d+)M)?")
#: digits that a number may have on each side of its point, written out
DIGITS = 400
_INTEGER = re.compile(rf"[+-]?\d{{1,{DIGITS}}}")
_HUGE = 10**DIGITS
#: how values are written that no one guesses, ISO 8601
_WRITTEN = {
    Kind.DATE: "2026-01-31",
    Kind.DATETIME: "2026-01-31T12:00:00Z",
    Kind.DURATION: "P2DT4H",
    Kind.PERIOD: "P3M",
}


class _TooLong(ValueError):
    """A number of more than `DIGITS` digits before or after its point."""


def from_json(found: object, wanted: Type, enums: Mapping[str, Enum]) -> Value:
    """Reads a JSON value as a value of the wanted type.

    Numbers may also stand as strings, since TMF characteristics often carry them so; they have at most `DIGITS` digits
    before and after the point. Raises ValueError with a message that says what was found and what was expected.
    """
    if found is None:
        if wanted.optional:
            return None
        raise ValueError(f"expected {wanted}, found nothing")
    try:
        value = _READERS[wanted.kind](found, wanted, enums)
    except _TooLong:
        raise ValueError(f"expected {wanted.required()} of at most {DIGITS} digits, found {_shown(found)}") from None
    except (ValueError, OverflowError, InvalidOperation):
        value = None
    if value is None:
        raise ValueError(f"expected {_expectation(wanted, enums)}, found {_shown(found)}")
    return value


def to_json(value: Value) -> Json:
    """Writes a value so that `from_json` reads it back: decimals as strings, times in ISO 8601."""
    match value:
        case None | bool() | int() | str():
            return value
        case Decimal():
            return format(value, "f")
        case datetime():
            return value.astimezone(UTC).isoformat().replace("+00:00", "Z")
        case date():
            return value.isoformat()
        case timedelta():
            return duration_text(value)
        case Period():
            return f"-P{-value.months}M" if value.months < 0 else f"P{value.months}M"
        case tuple():
            return [to_json(item) for item in value]


def duration_text(value: timedelta) -> str:
    """ISO 8601, e.g. `PT4H30M`."""
    sign, value = ("-", -value) if value < timedelta(0) else ("", value)
    hours, rest = divmod(value.seconds, 3600)
    minutes, seconds = divmod(rest, 60)
    fraction = f".{value.microseconds:06d}".rstrip("0") if value.microseconds else ""
    days = f"{value.days}D" if value.days else ""
    clock = "".join(
        (
            f"{hours}H" if hours else "",
            f"{minutes}M" if minutes else "",
            f"{seconds}{fraction}S" if seconds or fraction else "",
        )
    )
    if not days and not clock:
        return "PT0S"
    return f"{sign}P{days}{'T' if clock else ''}{clock}"


def _expectation(wanted: Type, enums: Mapping[str, Enum]) -> str:
    if wanted.kind is Kind.ENUM and wanted.name in enums:
        return f"one of {', '.join(enums[wanted.name].values)}"
    example = _WRITTEN.get(wanted.kind)
    return f"{wanted.required()} such as `{example}`" if example else str(wanted.required())


def _shown(found: object) -> str:
    if isinstance(found, int) and not -_HUGE < found < _HUGE:
        return f"a number of more than {DIGITS} digits"
    text = repr(found)
    return text if len(text) <= 60 else text[:57] + "…"


def _boolean(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    if isinstance(found, bool):
        return found
    return {"true": True, "false": False}.get(found) if isinstance(found, str) else None


def _integer(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    if isinstance(found, bool):
        return None
    if isinstance(found, int):
        if not -_HUGE < found < _HUGE:
            raise _TooLong
        return found
    if isinstance(found, float):
        return int(found) if found.is_integer() else None
    return int(found) if isinstance(found, str) and _INTEGER.fullmatch(found) else None


def _decimal(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    if isinstance(found, bool) or not isinstance(found, (int, float, str, Decimal)):
        return None
    value = Decimal(repr(found) if isinstance(found, float) else found)
    if not value.is_finite():
        return None
    # `1E+999999999` has few letters and, written out, a billion digits
    exponent = value.as_tuple().exponent
    if not isinstance(exponent, int) or exponent < -DIGITS or (value and value.adjusted() >= DIGITS):
        raise _TooLong
    return value


def _string(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    return found if isinstance(found, str) else None


def _date(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    return date.fromisoformat(found) if isinstance(found, str) else None


def _datetime(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    if not isinstance(found, str) or len(found) <= len("2026-01-31"):
        return None
    instant = datetime.fromisoformat(found)
    return instant.astimezone(UTC) if instant.tzinfo else instant.replace(tzinfo=UTC)


def _duration(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    parsed = _DURATION.fullmatch(found) if isinstance(found, str) else None
    if parsed is None or not any(parsed.groups()[1:]):
        return None
    sign, weeks, days, hours, minutes, seconds, fraction = parsed.groups()
    value = timedelta(
        weeks=int(weeks or 0),
        days=int(days or 0),
        hours=int(hours or 0),
        minutes=int(minutes or 0),
        seconds=int(seconds or 0),
        microseconds=int((fraction or "").ljust(6, "0")),
    )
    return -value if sign else value


def _period(found: object, _wanted: Type, _enums: Mapping[str, Enum]) -> Value:
    parsed = _PERIOD.fullmatch(found) if isinstance(found, str) else None
    if parsed is None or not any(parsed.groups()[1:]):
        return None
    months = int(parsed[2] or 0) * 12 + int(parsed[3] or 0)
    return Period(-months if parsed[1] else months)


def _enum(found: object, wanted: Type, enums: Mapping[str, Enum]) -> Value:
    return found if isinstance(found, str) and found in enums[wanted.name].values else None


def _list(found: object, wanted: Type, enums: Mapping[str, Enum]) -> Value:
    if not isinstance(found, (list, tuple)) or wanted.item is None:
        return None
    return tuple(from_json(item, wanted.item, enums) for item in found)


_READERS = {
    Kind.BOOLEAN: _boolean,
    Kind.INTEGER: _integer,
    Kind.DECIMAL: _decimal,
    Kind.STRING: _string,
    Kind.DATE: _date,
    Kind.DATETIME: _datetime,
    Kind.DURATION: _duration,
    Kind.PERIOD: _period,
    Kind.ENUM: _enum,
    Kind.LIST: _list,
}
