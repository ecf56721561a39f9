"""Spans of time on the command line, as the language writes them."""

from __future__ import annotations

import re
from datetime import timedelta

import click

_PART = re.compile(r"(\d{1,6})([smhdw])")
_SECONDS = {"s": 1, "m": 60, "h": 3_600, "d": 86_400, "w": 604_800}


def span(ctx: click.Context, parameter: click.Parameter, text: str | None) -> timedelta | None:
    """`45m`, `1h30m`, `2d`, as the callback of an option."""
    if text is None:
        return None
    parts = _PART.findall(text)
    if not parts or "".join(count + unit for count, unit in parts) != text:
        raise click.BadParameter(f"expected a span of time such as 45m, 1h30m or 2d, found {text!r}", ctx, parameter)
    return timedelta(seconds=sum(int(count) * _SECONDS[unit] for count, unit in parts))


def short(span: timedelta) -> str:
    """A span as the language writes it."""
    left, parts = int(span.total_seconds()), list[str]()
    for unit in "dhms":
        count, left = divmod(left, _SECONDS[unit])
        if count:
            parts.append(f"{count}{unit}")
    return "".join(parts) or "0s"
