"""Words for what happened in a simulation."""

from __future__ import annotations

from datetime import datetime, timedelta

from orderloom.models.conversion import Json
from orderloom.models.journal import Entry


def entry_text(entry: Entry) -> str:
    """One entry of a journal on one line, e.g. `task.state 1/Ship.pack: pending → ready (nothing to wait for)`."""
    data = dict(entry.data)
    if "from" in data and "to" in data:
        words = f"{_text(data.pop('from'))} → {_text(data.pop('to'))}"
        if why := data.pop("why", ""):
            words += f" ({_text(why)})"
        data.pop("through", None)
    elif "text" in data:
        words = _text(data.pop("text"))
    else:
        words = ""
    rest = ", ".join(f"{name} {_text(value)}" for name, value in data.items() if value not in (None, "", [], {}))
    head = f"{entry.kind} {entry.subject}".rstrip()
    return f"{head}: {'; '.join(part for part in (words, rest) if part)}"


def instant_text(at: datetime, start: datetime) -> str:
    """An instant by the time since the start, e.g. `+1h30m`, to the second."""
    return "+" + span_text(at - start)


def span_text(span: timedelta) -> str:
    """A span of time to the second, as the language writes it, e.g. `1d2h` or `0s`."""
    left, text = round(span.total_seconds()), ""
    for unit, seconds in (("d", 86400), ("h", 3600), ("m", 60), ("s", 1)):
        count, left = divmod(left, seconds)
        if count:
            text += f"{count}{unit}"
    return text or "0s"


def to_second(span: timedelta) -> timedelta:
    return timedelta(seconds=round(span.total_seconds()))


def _text(value: Json) -> str:
    if isinstance(value, dict):
        return "{" + ", ".join(f"{name} {_text(each)}" for name, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(_text(each) for each in value) + "]"
    if isinstance(value, bool):
        return str(value).lower()
    return "absent" if value is None else str(value)
