"""`orderloom connectors`: the external systems, and what they may be sent."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.choosing import PACE
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.pace import Pace
from orderloom.runtime.views import ConnectorView, LimitView


@click.group(name="connectors")
def command() -> None:
    """List external systems; take one offline and let it go on, limit it, turn its breaker."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_connectors(ctx: click.Context, as_json: bool) -> None:
    """List the external systems of the active bundles."""
    with opened(ctx) as runtime:
        found = runtime.connectors()
        shared = runtime.shared_limits()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("connector", "kind", "title", "bundles", "held", "breaker", "calls", "limits"),
            [
                (
                    each.name,
                    each.kind,
                    each.title,
                    ", ".join(each.bundles),
                    _held(each),
                    _breaker(each),
                    each.calls or "",
                    "; ".join(map(_limit, each.limits)),
                )
                for each in found
            ],
        )
        for limit in shared:
            screen.say("all connectors together:", _limit(limit))
    else:
        screen.remark("no connectors")


@command.command()
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why; shown at the tasks that wait.")
@by_option
@store_options
@click.pass_context
def hold(ctx: click.Context, name: str, reason: str, by: str) -> None:
    """Take a system offline: tasks that call it wait, and none fails."""
    with opened(ctx) as runtime:
        runtime.hold_connector(name, reason, by)
    screen.say(f"connector {name} is held")


@command.command()
@click.argument("name")
@click.option("--rate", type=PACE, help="So fast, until the calls that waited are out, e.g. `10/s`.")
@by_option
@reason_option
@store_options
@click.pass_context
def release(ctx: click.Context, name: str, rate: Pace | None, by: str, reason: str) -> None:
    """Let a system go on: the calls that waited are made."""
    with opened(ctx) as runtime:
        runtime.release_connector(name, by, rate, reason)
    screen.say(f"connector {name} goes on" + (f", at {rate}" if rate else ""))


@command.command()
@click.argument("name", default="")
@click.option("--priority", type=click.IntRange(0, 4), help="Only for calls of this priority.")
@click.option("--at-once", type=click.IntRange(1), metavar="N", help="At most so many at once.")
@click.option(
    "--per-second", type=click.FloatRange(min=0, min_open=True), metavar="N", help="At most so many a second."
)
@click.option("--reset", is_flag=True, help="As the design says.")
@by_option
@reason_option
@store_options
@click.pass_context
def limit(
    ctx: click.Context,
    name: str,
    priority: int | None,
    at_once: int | None,
    per_second: float | None,
    reset: bool,
    by: str,
    reason: str,
) -> None:
    """Limit a system, or without NAME all of them together; a running worker takes it up at once.

    What the design says stays the upper bound.
    """
    if reset == bool(at_once or per_second):
        raise click.UsageError("say --at-once or --per-second, or --reset")
    pace = Pace.of(per_second) if per_second else None
    with opened(ctx) as runtime:
        runtime.limit_connector(name, priority=priority, at_once=at_once, pace=pace, by=by, reason=reason)
    what = f"connector {name}" if name else "all connectors together"
    level = "" if priority is None else f", priority {priority}"
    screen.say(f"{what}{level}:", "as the design says" if reset else _limit_text(at_once, str(pace) if pace else None))


@command.command()
@click.argument("name")
@click.argument("state", type=click.Choice(["open", "close"]))
@by_option
@reason_option
@store_options
@click.pass_context
def breaker(ctx: click.Context, name: str, state: str, by: str, reason: str) -> None:
    """Open a system's breaker for its pause, or close it at once."""
    with opened(ctx) as runtime:
        if state == "open":
            runtime.open_breaker(name, by, reason)
        else:
            runtime.close_breaker(name, by, reason)
    screen.say(f"the breaker of {name} is to be", "open" if state == "open" else "closed")


def _held(found: ConnectorView) -> str:
    if found.held:
        return found.reason or "yes"
    return f"released at {found.release}" if found.release else ""


def _breaker(found: ConnectorView) -> str:
    breaker = found.breaker
    if breaker is None:
        return ""
    parts = [breaker.state]
    if breaker.failures:
        parts.append(f"{breaker.failures} failures")
    if breaker.state != "closed" and breaker.since is not None:
        parts.append(f"since {screen.time_text(breaker.since)}")
    if breaker.asked:
        parts.append(f"to be {breaker.asked}")
    return ", ".join(parts)


def _limit(found: LimitView) -> str:
    level = "" if found.priority is None else f"priority {found.priority}: "
    return f"{level}{_limit_text(found.at_once, found.pace)}" + ("" if found.by_operator else " (design)")


def _limit_text(at_once: int | None, pace: str | None) -> str:
    parts = [f"{at_once} at once"] if at_once else []
    return ", ".join(parts + ([pace] if pace else []))
