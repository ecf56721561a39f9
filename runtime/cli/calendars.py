"""`orderloom calendars`: when people work, and changes of that at run time."""

from __future__ import annotations

from datetime import datetime
from typing import IO

import click
import yaml

from orderloom.models.calendar import Calendar, Hours
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option

_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_DATE = click.DateTime(["%Y-%m-%d"])
_BUNDLE = click.option("--bundle", help="The bundle that has it, where several are deployed.")


@click.group(name="calendars")
def command() -> None:
    """List business calendars, and change one until its bundle does."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_calendars(ctx: click.Context, as_json: bool) -> None:
    """List the calendars of the active bundles, as they count now."""
    with opened(ctx) as runtime:
        found = runtime.calendars()
    if as_json:
        screen.show_json(
            [
                {
                    "bundle": each.bundle,
                    "name": each.calendar.name,
                    "default": each.default,
                    "time_zone": each.calendar.time_zone,
                    "hours": _hours(each.calendar),
                    "holidays": {str(day): name for day, name in each.calendar.holidays.items()},
                    "change": each.change,
                }
                for each in found
            ]
        )
    elif found:
        screen.show_table(
            ("bundle", "calendar", "time zone", "hours", "changed"),
            [
                (
                    each.bundle,
                    f"{each.calendar.name} (default)" if each.default else each.calendar.name,
                    each.calendar.time_zone,
                    "; ".join(f"{day} {hours}" for day, hours in _hours(each.calendar).items()),
                    "" if each.change is None else _changed(each.change.off, each.change.on, each.change.declared),
                )
                for each in found
            ],
        )
    else:
        screen.remark("no bundle has a calendar")


@command.command(name="set")
@click.argument("name")
@click.option("--holiday", "off", multiple=True, type=_DATE, help="A day off more; may be given several times.")
@click.option("--workday", "on", multiple=True, type=_DATE, help="A day that is not off after all.")
@click.option("--from", "file", type=click.File(encoding="utf-8"), help="YAML: the calendar as `bundle.yaml` has it.")
@_BUNDLE
@reason_option
@by_option
@store_options
@click.pass_context
def set_calendar(
    ctx: click.Context,
    name: str,
    off: tuple[datetime, ...],
    on: tuple[datetime, ...],
    file: IO[str] | None,
    bundle: str | None,
    reason: str,
    by: str,
) -> None:
    """Change a calendar, in place of earlier changes; open work is due by it."""
    declared = None
    if file is not None:
        try:
            declared = yaml.load(file, yaml.BaseLoader)
        except (yaml.YAMLError, UnicodeDecodeError) as error:
            raise Failure(f"{file.name} is no YAML: {error}") from None
        if not isinstance(declared, dict):
            raise Failure(f"{file.name} holds no calendar", help='write `hours: { mon-fri: "08:00-17:00" }`')
    if not (off or on or declared):
        raise click.UsageError("say what is to change: --holiday, --workday or --from")
    days_off, days_on = [day.date() for day in off], [day.date() for day in on]
    with opened(ctx) as runtime:
        runtime.set_calendar(name, bundle, off=days_off, on=days_on, declared=declared, by=by, reason=reason)
    screen.say(f"calendar {name} is changed: {_changed(tuple(days_off), tuple(days_on), declared)}")


@command.command(name="reset")
@click.argument("name")
@_BUNDLE
@reason_option
@by_option
@store_options
@click.pass_context
def reset_calendar(ctx: click.Context, name: str, bundle: str | None, reason: str, by: str) -> None:
    """Let a calendar count as its bundle has it."""
    with opened(ctx) as runtime:
        runtime.reset_calendar(name, bundle, by, reason)
    screen.say(f"calendar {name} is as its bundle has it")


def _changed(off: tuple[object, ...], on: tuple[object, ...], declared: object) -> str:
    parts = ["declared anew"] if declared else []
    parts += [f"off {day}" for day in off] + [f"not off {day}" for day in on]
    return ", ".join(parts)


def _hours(calendar: Calendar) -> dict[str, str]:
    """Hours by day of the week; free days are left out."""
    return {
        day: ", ".join(_span(each) for each in hours) for day, hours in zip(_DAYS, calendar.week, strict=True) if hours
    }


def _span(hours: Hours) -> str:
    return f"{hours.opens // 60:02}:{hours.opens % 60:02}-{hours.closes // 60:02}:{hours.closes % 60:02}"
