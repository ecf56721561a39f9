"""`orderloom sla`: what is to be done by when; and the clocks of work items, stopped and let go on."""

from __future__ import annotations

from datetime import timedelta

import click
from rich.text import Text

from orderloom.models.journal import WorkKind
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.spans import short
from orderloom.runtime.cli.stores import by_option, opened
from orderloom.runtime.store.timing import ClockView

_STYLES = {"running": "green", "warned": "yellow", "breached": "red"}


@click.command(name="sla")
@click.option("--queue", default="", help="Only of this queue.")
@click.option("--kind", type=click.Choice([str(each) for each in WorkKind]), help="Only manual or failed tasks.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, queue: str, kind: str | None, limit: int, as_json: bool) -> None:
    """List work with a time in which it is to be done, what is due first first.

    `left` is working time where a queue's `sla` is one of business days or hours.
    """
    with opened(ctx) as runtime:
        found = runtime.sla(queue, kind or "", limit)
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("item", "queue", "title", "order", "state", "with", "left", "due"),
            [
                (
                    each.item,
                    each.queue,
                    each.title,
                    each.order,
                    screen.state(each.state),
                    each.claimed_by,
                    _left(each),
                    screen.time_text(each.due) if each.paused_at is None else f"stands: {each.reason}",
                )
                for each in found
            ],
        )
    else:
        screen.remark("no work has a time in which it is to be done")


def _left(clock: ClockView) -> Text:
    late = clock.left < timedelta(0)
    text = f"{'-' if late else ''}{short(abs(clock.left))}"
    icon = {"running": "●", "warned": "▲", "breached": "✖"}[clock.stage]
    style = "blue" if clock.paused_at is not None else _STYLES["breached" if late else clock.stage]
    return Text(f"{icon} {text}", style=style)


@click.command(name="pause")
@click.argument("item", type=int)
@click.option("--reason", required=True, metavar="REASON", help="One of `pause_reasons` of the bundle, if it has any.")
@by_option
@json_option
@store_options
@click.pass_context
def pause(ctx: click.Context, item: int, reason: str, by: str, as_json: bool) -> None:
    """Stop the clock of a work item."""
    with opened(ctx) as runtime:
        found = runtime.pause_work(item, reason, by)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"the clock of item {item} stands: {reason}")


@click.command(name="resume")
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def resume(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Let the clock of a work item go on."""
    with opened(ctx) as runtime:
        found = runtime.resume_work(item, by)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"item {item} is due {screen.time_text(found.due)}")


@click.command(name="pauses")
@click.argument("item", type=int)
@json_option
@store_options
@click.pass_context
def pauses(ctx: click.Context, item: int, as_json: bool) -> None:
    """Show when and why the clock of a work item stood."""
    with opened(ctx) as runtime:
        found = runtime.work_pauses(item)
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("from", "until", "reason", "by"),
            [
                (screen.time_text(each.began_at), screen.time_text(each.ended_at), each.reason, each.by)
                for each in found
            ],
        )
    else:
        screen.remark("its clock never stood")
