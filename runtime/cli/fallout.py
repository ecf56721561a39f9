"""`orderloom fallout`: the failed tasks."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields
from datetime import datetime, timedelta
from typing import Any, TypeVar

import click

from orderloom.models.conversion import Json
from orderloom.runtime.cli import bulk, screen
from orderloom.runtime.cli.choosing import fallout_filter, filter_options, moment_options, start_at
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, find_order, opened, reason_option, show_receipt
from orderloom.runtime.cli.values import set_option
from orderloom.runtime.cli.work import all_values
from orderloom.runtime.errors import NotAllowed, OrderloomError
from orderloom.runtime.store.causes import Cause, FalloutFilter, FalloutItem
from orderloom.runtime.synchronous import SyncRuntime
from orderloom.runtime.views import Correction, Receipt

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group(name="fallout")
def command() -> None:
    """List, group, correct, retry, skip and return failed tasks, one or many. ITEM is the number that `list` shows."""


command.add_command(bulk.command)


def _flat(found: FalloutItem) -> dict[str, object]:
    """As a manual task's item is listed, with what belongs to failed ones beside."""
    item = {field.name: getattr(found.item, field.name) for field in fields(found.item)}
    return {**item, "cause": found.cause, "retry_at": found.retry_at}


@command.command(name="list")
@filter_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def list_fallout(ctx: click.Context, /, limit: int, as_json: bool, **chosen: Any) -> None:
    """List failed tasks, oldest first."""
    with opened(ctx) as runtime:
        found = runtime.fallout(fallout_filter(**chosen), limit=limit)
    if as_json:
        screen.show_json([_flat(each) for each in found])
        return
    if not found:
        screen.remark("no fallout")
        return
    screen.show_table(
        (
            "item",
            "state",
            "queue",
            "title",
            "operation",
            "status",
            "code",
            "message",
            "order",
            "since",
            "retry",
        ),
        [
            (
                each.item.id,
                screen.state(each.item.state),
                each.item.queue,
                each.item.title,
                each.cause.operation,
                each.cause.status or "",
                each.item.code,
                each.item.message,
                each.item.order,
                screen.time_text(each.item.opened_at),
                screen.time_text(each.retry_at),
            )
            for each in found
        ],
    )


@command.command()
@filter_options
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def groups(ctx: click.Context, /, limit: int, as_json: bool, **chosen: Any) -> None:
    """Show failed tasks by what is wrong: like errors are one group. `--group N` of other commands takes them all."""
    with opened(ctx) as runtime:
        found = runtime.fallout_groups(fallout_filter(**chosen), limit=limit)
    if as_json:
        screen.show_json(found)
        return
    if not found:
        screen.remark("no fallout")
        return
    screen.show_table(
        ("group", "tasks", "operation", "status", "code", "message", "first seen", "last seen"),
        [
            (
                each.cause.id,
                each.count,
                each.cause.operation,
                each.cause.status or "",
                each.cause.code,
                each.cause.pattern,
                screen.time_text(each.first_seen),
                screen.time_text(each.last_seen),
            )
            for each in found
        ],
    )
    screen.remark("orderloom fallout bulk start retry --group N")


@command.command()
@click.argument("item", type=int)
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, item: int, as_json: bool) -> None:
    """Show a failed task: why it failed, what was sent, what came back, what it tried."""
    with opened(ctx) as runtime:
        try:
            found = runtime.fallout_item(item)
        except NotAllowed:
            raise Failure(f"work item {item} is no failed task", help=f"orderloom work show {item}") from None
        attempts = runtime.attempts(found.item.order, found.item.task)
        wanted = [each for each in runtime.wanted(found.item.order) if each.item == item]
    work = found.item
    if as_json:
        screen.show_json({"item": work, "cause": found.cause, "retry_at": found.retry_at, "wanted": wanted,
                          "calls": attempts})  # fmt: skip
        return
    screen.say("item", work.id, screen.state(work.state), work.title)
    screen.say("  order", work.order, " task", work.task, " queue", work.queue)
    screen.say("  error", work.code, work.message)
    screen.say("  group", found.cause.id, _cause_text(found.cause))
    if found.retry_at is not None:
        screen.say("  to be tried again at", screen.time_text(found.retry_at))
    for want in wanted:
        screen.say("  asked of the owner:", ", ".join(want.attributes), want.text)
    for each in attempts:
        screen.say(f"attempt {each.attempt}", screen.time_text(each.at), each.outcome, each.code, each.message)
        if each.exchange:
            for name, text in (("request", each.exchange.request), ("response", each.exchange.response)):
                screen.say(f"  {name}")
                for line in screen.clean_block(text).splitlines():
                    screen.say(f"    {line}")
    screen.remark(f"orderloom fallout retry {work.id} | skip {work.id} | complete {work.id} --set … | return {work.id}")


@command.command()
@click.argument("items", type=int, nargs=-1, metavar="[ITEM]...")
@filter_options
@click.option("--all", "everything", is_flag=True, help="All failed tasks that the filters leave.")
@moment_options
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def retry(
    ctx: click.Context,
    /,
    items: tuple[int, ...],
    everything: bool,
    at: datetime | None,
    within: timedelta | None,
    by: str,
    reason: str,
    as_json: bool,
    **chosen: Any,
) -> None:
    """Try failed tasks again, now or (`--at`, `--in`) later. For many at a pace: `fallout bulk start retry`."""
    moment, where = start_at(at, within), fallout_filter(**chosen)
    with opened(ctx) as runtime:
        if moment is not None and items:
            scheduled = [runtime.schedule_retry(item, moment, by, reason) for item in items]
            bulk.say_started(scheduled, as_json)
            return
        numbers = _chosen(runtime, items, everything, where)
        if moment is not None:
            started = runtime.start_bulk("retry", items=numbers, at=moment, by=by, reason=reason)
            bulk.say_started([started], as_json)
            return
        _each(numbers, "tried again", as_json, lambda item: runtime.retry(item, by, reason))


@command.command()
@click.argument("items", type=int, nargs=-1, required=True, metavar="ITEM...")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def skip(ctx: click.Context, items: tuple[int, ...], by: str, reason: str, as_json: bool) -> None:
    """Go on without failed tasks."""
    with opened(ctx) as runtime:
        _each(items, "skipped", as_json, lambda item: runtime.skip(item, by, reason))


@command.command()
@click.argument("item", type=int)
@set_option
@click.option("--values", "file", metavar="FILE", help="A file with an object of values, `-` for standard input.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def complete(
    ctx: click.Context, item: int, values: dict[str, Json], file: str | None, by: str, reason: str, as_json: bool
) -> None:
    """Count a failed task as done by hand, with what its operation would have put out."""
    with opened(ctx) as runtime:
        receipt = runtime.complete_by_hand(item, by, all_values(values, file), reason)
    show_receipt(receipt, f"item {item} counts as done", as_json)


@command.command()
@click.argument("order")
@click.argument("line")
@set_option
@click.option("--dry-run", is_flag=True, help="Only show what would change.")
@click.option("--retry", "then_retry", is_flag=True, help="Try the failed tasks again that the correction is for.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def correct(
    ctx: click.Context,
    order: str,
    line: str,
    values: dict[str, Json],
    dry_run: bool,
    then_retry: bool,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Correct attributes of a line of an order, each checked against its type, and show what changes."""
    with opened(ctx) as runtime:
        id = find_order(runtime, order).id
        preview = runtime.preview_correction(id, line, values)
        if dry_run:
            _show_correction(preview, as_json)
            return
        receipt = runtime.correct(id, line, values, by, reason)
        if not as_json:
            _show_correction(preview, as_json)
        if then_retry:
            failed = {each.item.task: each.item.id for each in runtime.fallout(FalloutFilter(order=id), limit=10_000)}
            numbers = tuple(failed[task] for task in preview.tasks if task in failed)
            _each(numbers, "tried again", as_json, lambda item: runtime.retry(item, by, reason))
            return
    show_receipt(receipt, f"line {line} is corrected", as_json)


@command.command(name="return")
@click.argument("item", type=int)
@click.option("--attribute", "attributes", multiple=True, metavar="NAME", help="Wanted of the line; repeat for more.")
@click.option("--text", default="", metavar="TEXT", help="What is wanted, in words for the owner.")
@by_option
@json_option
@store_options
@click.pass_context
def return_(ctx: click.Context, item: int, attributes: tuple[str, ...], text: str, by: str, as_json: bool) -> None:
    """Ask the owner of the order for what is missing or wrong; the item waits until they answer."""
    with opened(ctx) as runtime:
        receipt = runtime.return_to_owner(item, attributes, text, by)
    show_receipt(receipt, f"item {item} waits for the owner of its order", as_json)


@command.command(name="take-back")
@click.argument("item", type=int)
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def take_back(ctx: click.Context, item: int, by: str, reason: str, as_json: bool) -> None:
    """Wait no more for the owner of the order."""
    with opened(ctx) as runtime:
        found = runtime.take_back(item, by, reason)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"item {item} is open again")


@command.command()
@click.option("--order", default="", help="Only of this order.")
@json_option
@store_options
@click.pass_context
def wanted(ctx: click.Context, order: str, as_json: bool) -> None:
    """List what owners of orders are asked for."""
    with opened(ctx) as runtime:
        found = runtime.wanted(find_order(runtime, order).id if order else "")
    if as_json:
        screen.show_json(found)
        return
    if not found:
        screen.remark("nothing is wanted")
        return
    screen.show_table(
        ("item", "order", "account", "title", "line", "attributes", "text", "asked by", "since"),
        [
            (
                each.item,
                each.order,
                each.account,
                each.title,
                each.line,
                ", ".join(each.attributes),
                each.text,
                each.by,
                screen.time_text(each.at),
            )
            for each in found
        ],
    )


@command.command()
@click.argument("item", type=int)
@set_option
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def answer(ctx: click.Context, item: int, values: dict[str, Json], by: str, reason: str, as_json: bool) -> None:
    """Give what was wanted of the owner of an order: its line is corrected and the task tried again.

    A question that names no attributes is answered in words, by `--reason`; those who asked then look again.
    """
    with opened(ctx) as runtime:
        receipt = runtime.answer(item, values, by, reason)
    show_receipt(receipt, f"item {item} is answered" + (" and tried again" if values else ""), as_json)


def _cause_text(cause: Cause) -> str:
    parts = (cause.operation, str(cause.status or ""), cause.code, cause.pattern)
    return " · ".join(part for part in parts if part)


def _show_correction(found: Correction, as_json: bool) -> None:
    if as_json:
        screen.show_json(found)
        return
    for each in found.changes:
        screen.say(f"{found.line}.{each.name}:", screen.value_text(each.before), "→", screen.value_text(each.after))
    if not found.changes:
        screen.say("nothing changes")
    for task in found.tasks:
        screen.say("  new request:", task)


def _chosen(runtime: SyncRuntime, items: tuple[int, ...], everything: bool, where: FalloutFilter) -> tuple[int, ...]:
    filtered = where != FalloutFilter()
    if items and (everything or filtered):
        raise click.UsageError("name items, or filter, not both")
    if not items and not everything and not filtered:
        raise click.UsageError("name items, or filter with --queue, --code, --group or others, or say --all")
    return items or tuple(each.item.id for each in runtime.fallout(where, limit=10_000))


def _each(items: tuple[int, ...], done: str, as_json: bool, act: Callable[[int], Receipt]) -> None:
    """Acts on each item; what one refuses does not keep the others."""
    results: list[dict[str, Any]] = []
    with screen.progress("fallout", len(items)) as bar:
        for count, item in enumerate(items, 1):
            try:
                receipt = act(item)
                results.append({"item": item, "verdict": receipt.verdict, "error": ""})
            except OrderloomError as error:
                results.append({"item": item, "verdict": "refused", "error": str(error)})
            bar.at(count)
    failed = [each for each in results if each["error"]]
    if as_json:
        screen.show_json(results)
    else:
        for each in results:
            said = each["error"] or (
                done if each["verdict"] == "applied" else f"to be {done} once a worker takes it up"
            )
            screen.say(f"item {each['item']}:", said)
    if failed:
        raise click.exceptions.Exit(1)
