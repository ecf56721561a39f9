"""`orderloom fallout`: the failed tasks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import click

from orderloom.models.conversion import Json
from orderloom.models.journal import WorkKind
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, find_order, opened, reason_option, show_receipt
from orderloom.runtime.cli.values import set_option
from orderloom.runtime.cli.work import all_values
from orderloom.runtime.errors import OrderloomError
from orderloom.runtime.synchronous import SyncRuntime
from orderloom.runtime.views import Receipt

Function = TypeVar("Function", bound=Callable[..., Any])


@click.group(name="fallout")
def command() -> None:
    """List, correct, retry and skip failed tasks. ITEM is the number that `fallout list` shows."""


def _filter_options(function: Function) -> Function:
    for option in (
        click.option("--order", default="", help="Only of this order."),
        click.option("--code", default="", help="Only with this error code."),
        click.option("--queue", default="", help="Only of this queue."),
    ):
        function = option(function)
    return function


@command.command(name="list")
@_filter_options
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def list_fallout(ctx: click.Context, queue: str, code: str, order: str, limit: int, as_json: bool) -> None:
    """List failed tasks, most urgent first."""
    with opened(ctx) as runtime:
        found = runtime.work(kind=WorkKind.FALLOUT, queue=queue, code=code, order=order, limit=limit)
    if as_json:
        screen.show_json(found)
        return
    if not found:
        screen.remark("no fallout")
        return
    screen.show_table(
        ("item", "queue", "title", "code", "message", "order", "task", "since"),
        [
            (
                item.id,
                item.queue,
                item.title,
                item.code,
                item.message,
                item.order,
                item.task,
                screen.time_text(item.opened_at),
            )
            for item in found
        ],
    )


@command.command()
@click.argument("item", type=int)
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, item: int, as_json: bool) -> None:
    """Show a failed task: what was sent, what came back, what it tried."""
    with opened(ctx) as runtime:
        found = runtime.work_item(item)
        if found.kind is not WorkKind.FALLOUT:
            raise Failure(f"work item {item} is no failed task", help=f"orderloom work show {item}")
        attempts = runtime.attempts(found.order, found.task)
    if as_json:
        screen.show_json({"item": found, "calls": attempts})
        return
    screen.say("item", found.id, screen.state(found.state), found.title)
    screen.say("  order", found.order, " task", found.task, " queue", found.queue)
    screen.say("  error", found.code, found.message)
    for each in attempts:
        screen.say(f"attempt {each.attempt}", screen.time_text(each.at), each.outcome, each.code, each.message)
        if each.exchange:
            for name, text in (("request", each.exchange.request), ("response", each.exchange.response)):
                screen.say(f"  {name}")
                for line in screen.clean_block(text).splitlines():
                    screen.say(f"    {line}")
    screen.remark(f"orderloom fallout retry {found.id} | skip {found.id} | complete {found.id} --set …")


@command.command()
@click.argument("items", type=int, nargs=-1, metavar="[ITEM]...")
@_filter_options
@click.option("--all", "everything", is_flag=True, help="All failed tasks that the filters leave.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def retry(
    ctx: click.Context,
    items: tuple[int, ...],
    queue: str,
    code: str,
    order: str,
    everything: bool,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Try failed tasks again."""
    with opened(ctx) as runtime:
        chosen = _chosen(runtime, items, everything, queue, code, order)
        _each(chosen, "tried again", as_json, lambda item: runtime.retry(item, by, reason))


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
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def correct(
    ctx: click.Context, order: str, line: str, values: dict[str, Json], by: str, reason: str, as_json: bool
) -> None:
    """Correct attributes of a line of an order; retry its failed task afterwards."""
    with opened(ctx) as runtime:
        receipt = runtime.correct(find_order(runtime, order).id, line, values, by, reason)
    show_receipt(receipt, f"line {line} is corrected", as_json)


def _chosen(
    runtime: SyncRuntime, items: tuple[int, ...], everything: bool, queue: str, code: str, order: str
) -> tuple[int, ...]:
    if items and (everything or (queue or code or order)):
        raise click.UsageError("name items, or filter, not both")
    if not items and not everything and not (queue or code or order):
        raise click.UsageError("name items, or filter with --queue, --code or --order, or say --all")
    if items:
        return items
    found = runtime.work(kind=WorkKind.FALLOUT, limit=10_000, queue=queue, code=code, order=order)
    return tuple(item.id for item in found)


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
