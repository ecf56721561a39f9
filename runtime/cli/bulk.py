"""`orderloom fallout bulk`: one intervention on many failed tasks or orders."""

from __future__ import annotations

import time
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any

import click

from orderloom.models.conversion import Json
from orderloom.models.order import OrderStatus
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.choosing import PACE, fallout_filter, filter_options, moment_options, start_at
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, find_order, opened, reason_option
from orderloom.runtime.cli.values import set_option
from orderloom.runtime.pace import Pace
from orderloom.runtime.store.bulk_records import BulkState, BulkView, TargetState
from orderloom.runtime.store.causes import FalloutFilter
from orderloom.runtime.synchronous import SyncRuntime

#: seconds between two looks while following
_LOOK = 0.2
_ACTIONS = {"retry": "retry", "skip": "skip", "complete": "complete", "hand-over": "handOver", "correct": "correct"}


@click.group(name="bulk")
def command() -> None:
    """Do one thing to many failed tasks: at a pace, watched, and stopped when it goes wrong. The worker does it."""


@command.command()
@click.argument("action", type=click.Choice(list(_ACTIONS)))
@click.argument("items", type=int, nargs=-1, metavar="[ITEM]...")
@filter_options
@click.option("--all", "everything", is_flag=True, help="All failed tasks that the filters leave.")
@set_option
@click.option("--to", "queue", default="", metavar="QUEUE", help="For hand-over.")
@moment_options
@click.option("--pace", type=PACE, help="So fast, e.g. `10/s`, `30/m`.")
@click.option("--at-once", type=click.IntRange(1), help="At most so many under way.")
@click.option("--most-failed", type=click.IntRange(0), help="Stop when more than so many fall out again.")
@click.option("--most-percent", type=click.IntRange(0, 100), help="Stop when more than such a share falls out again.")
@click.option("--follow", is_flag=True, help="Show how far it comes, until it ends; Ctrl-C ends the showing only.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def start(
    ctx: click.Context,
    /,
    action: str,
    items: tuple[int, ...],
    everything: bool,
    values: dict[str, Json],
    queue: str,
    at: datetime | None,
    within: timedelta | None,
    pace: Pace | None,
    at_once: int | None,
    most_failed: int | None,
    most_percent: int | None,
    follow: bool,
    by: str,
    reason: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Start one: retry, skip, complete and correct (with `--set`), hand-over (with `--to`).

    What it is about is decided now: failed tasks that come later are not touched.
    """
    where = fallout_filter(**chosen)
    if items and (everything or where != FalloutFilter()):
        raise click.UsageError("name items, or filter, not both")
    if not items and not everything and where == FalloutFilter():
        raise click.UsageError("name items, or filter with --group, --queue, --code or others, or say --all")
    with opened(ctx) as runtime:
        started = runtime.start_bulk(
            _ACTIONS[action],
            where,
            items=items or None,
            values=values if action == "correct" else None,
            outputs=values if action == "complete" else None,
            queue=queue,
            at=start_at(at, within),
            pace=pace,
            at_once=at_once,
            most_failed=most_failed,
            most_percent=most_percent,
            by=by,
            reason=reason,
        )
        if follow:
            _show(_followed(runtime, started), as_json)
        else:
            say_started([started], as_json)


@command.command(name="list")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def list_bulks(ctx: click.Context, limit: int, as_json: bool) -> None:
    """List them, newest first."""
    with opened(ctx) as runtime:
        found = runtime.bulks(limit)
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("bulk", "action", "state", "total", "waiting", "under way", "done", "failed", "refused", "by", "start"),
            [
                (
                    each.id,
                    each.action,
                    screen.state(each.state),
                    each.total,
                    each.waiting,
                    each.under_way,
                    each.done,
                    each.failed,
                    each.refused,
                    each.who,
                    screen.time_text(each.start_at),
                )
                for each in found
            ],
        )
    else:
        screen.remark("none yet")


@command.command()
@click.argument("number", type=int)
@click.option("--state", type=click.Choice([str(each) for each in TargetState]), help="List those in this state.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="List at most so many.")
@click.option("--follow", is_flag=True, help="Show how far it comes, until it ends.")
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, number: int, state: str | None, limit: int, follow: bool, as_json: bool) -> None:
    """Show how far one came, and what became of its failed tasks."""
    with opened(ctx) as runtime:
        found = runtime.bulk(number)
        if follow:
            found = _followed(runtime, found)
        targets = runtime.bulk_targets(number, state or "", limit)
    if as_json:
        screen.show_json({"bulk": found, "targets": targets})
        return
    _show(found, as_json)
    screen.show_table(
        ("place", "item", "order", "task", "state", "message", "at"),
        [
            (each.place, each.work or "", each.order, each.task, screen.state(each.state), each.message,
             screen.time_text(each.at))
            for each in targets
        ],
    )  # fmt: skip


@command.command()
@click.argument("number", type=int)
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def stop(ctx: click.Context, number: int, by: str, reason: str, as_json: bool) -> None:
    """Send nothing more of one; what is under way goes on."""
    with opened(ctx) as runtime:
        _show(runtime.stop_bulk(number, by, reason), as_json)


@command.command()
@click.argument("number", type=int)
@click.option("--follow", is_flag=True, help="Show how far it comes, until it ends.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def resume(ctx: click.Context, number: int, follow: bool, by: str, reason: str, as_json: bool) -> None:
    """Let one go on where it stopped."""
    with opened(ctx) as runtime:
        found = runtime.resume_bulk(number, by, reason)
        _show(_followed(runtime, found) if follow else found, as_json)


@click.command(name="bulk")
@click.argument("action", type=click.Choice(["hold", "resume"]))
@click.argument("orders", nargs=-1, metavar="[ORDER]...")
@click.option("--status", type=click.Choice([str(each) for each in OrderStatus]), help="Only orders of this status.")
@click.option("--account", default="", help="Only orders of this account.")
@click.option("--bundle", default="", help="Only orders on the active version of this bundle.")
@click.option("--all", "everything", is_flag=True, help="All orders that the filters leave.")
@click.option("--pace", type=PACE, help="So fast, e.g. `10/s`, `30/m`.")
@click.option("--follow", is_flag=True, help="Show how far it comes, until it ends.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def of_orders(
    ctx: click.Context,
    action: str,
    orders: tuple[str, ...],
    status: str | None,
    account: str,
    bundle: str,
    everything: bool,
    pace: Pace | None,
    follow: bool,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Hold or resume many orders. What it is about is decided now; the worker does it."""
    if bool(orders) == bool(everything or status or account or bundle):
        raise click.UsageError("name orders, or filter with --status, --account or --bundle, or say --all")
    with opened(ctx) as runtime:
        started = runtime.hold_many(
            action,
            orders=[find_order(runtime, each).id for each in orders] or None,
            status=status or "",
            account=account,
            bundle=bundle,
            pace=pace,
            by=by,
            reason=reason,
        )
        if follow:
            _show(_followed(runtime, started), as_json)
        else:
            say_started([started], as_json)


def say_started(started: Sequence[BulkView], as_json: bool) -> None:
    """Says what was begun."""
    if as_json:
        screen.show_json(list(started))
        return
    for each in started:
        when = "" if each.start_at <= each.created_at else f", at {screen.time_text(each.start_at)}"
        screen.say(f"bulk {each.id}: {each.action} of {each.total}{when}")
        screen.remark(f"orderloom fallout bulk show {each.id} --follow")


def _followed(runtime: SyncRuntime, found: BulkView) -> BulkView:
    """Waits for its end, with a progress bar."""
    with screen.progress(f"bulk {found.id}", found.total) as bar:
        while found.state in (BulkState.RUNNING, BulkState.STOPPING):
            bar.at(found.done + found.failed + found.refused, f"{found.failed} failed, {found.refused} refused")
            time.sleep(_LOOK)
            found = runtime.bulk(found.id)
    return found


def _show(found: BulkView, as_json: bool) -> None:
    if as_json:
        screen.show_json(found)
        return
    screen.say(f"bulk {found.id}", found.action, screen.state(found.state), found.message)
    screen.say(
        f"  {found.total} in all: {found.done} done, {found.failed} failed, {found.refused} refused, "
        f"{found.under_way} under way, {found.waiting} to be sent"
    )
    if found.pace:
        screen.say("  pace", Pace(found.pace))
