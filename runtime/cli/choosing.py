"""Options that choose failed tasks, and when something is to be done."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar

import click

from orderloom.runtime.pace import Pace
from orderloom.runtime.store.causes import FalloutFilter

Function = TypeVar("Function", bound=Callable[..., Any])

_SPAN = re.compile(r"(\d+(?:\.\d+)?)\s*([smhd])\Z")
_UNITS = {"s": 1, "m": 60, "h": 3600, "d": 86_400}


class SpanType(click.ParamType[timedelta]):
    """A span of time: `30s`, `10m`, `4h`, `2d`."""

    name = "span"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        found = _SPAN.match(str(value).strip())
        if found is None:
            self.fail(f"expected a span like `30s`, `10m`, `4h` or `2d`, found `{value}`", param, ctx)
        try:
            return timedelta(seconds=float(found[1]) * _UNITS[found[2]])
        except OverflowError:
            self.fail(f"`{value}` is too long", param, ctx)


class PaceType(click.ParamType[Pace]):
    """So many a second, minute or hour."""

    name = "pace"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Pace:
        try:
            return Pace.read(str(value))
        except ValueError as error:
            self.fail(str(error), param, ctx)


SPAN, PACE = SpanType(), PaceType()


def filter_options(function: Function) -> Function:
    """Options by which failed tasks are chosen; read them with `fallout_filter`."""
    for option in (
        click.option("--newer", type=SPAN, metavar="SPAN", help="Only those that fell out since, e.g. `4h`."),
        click.option("--older", type=SPAN, metavar="SPAN", help="Only those that fell out before, e.g. `2d` ago."),
        click.option("--bundle", default="", help="Only of orders on this bundle."),
        click.option("--account", default="", help="Only of orders of this account."),
        click.option("--product", default="", metavar="SPEC", help="Only of orders that have such a line."),
        click.option("--task", default="", metavar="PLAN.TASK", help="Only of this task definition."),
        click.option("--order", default="", help="Only of this order."),
        click.option("--code", default="", help="Only with this error code."),
        click.option("--status", default=0, type=int, help="Only with this protocol status."),
        click.option("--operation", default="", help="Only of this operation."),
        click.option("--connector", default="", help="Only of this external system."),
        click.option("--queue", default="", help="Only of this queue."),
        click.option("--group", default=0, type=int, metavar="N", help="Only of this group of `fallout groups`."),
    ):
        function = option(function)
    return function


def fallout_filter(*, older: timedelta | None, newer: timedelta | None, **chosen: Any) -> FalloutFilter:
    """What those options say."""
    now = datetime.now(UTC)
    return FalloutFilter(
        before=None if older is None else now - older, since=None if newer is None else now - newer, **chosen
    )


def moment_options(function: Function) -> Function:
    """`--at` and `--in`; read them with `start_at`."""
    at = click.option(
        "--at",
        type=click.DateTime(("%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M", "%Y-%m-%dT%H:%M:%S%z")),
        help="When, in local time or with an offset.",
    )
    within = click.option("--in", "within", type=SPAN, metavar="SPAN", help="After a span, e.g. `30m`.")
    return at(within(function))


def start_at(at: datetime | None, within: timedelta | None) -> datetime | None:
    """The instant that those options name, None for now."""
    if at is not None and within is not None:
        raise click.UsageError("say --at or --in, not both")
    if within is not None:
        return datetime.now(UTC) + within
    return None if at is None else at.astimezone(UTC)
