"""`orderloom orders`: list, show, hold, resume; what changes one in flight stands in `changes`."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import click

from orderloom.models.design import Design
from orderloom.models.order import OrderStatus
from orderloom.models.plan import OrderState
from orderloom.runtime.access.permissions import Permission
from orderloom.runtime.cli import bulk, changes, planned, screen, showing
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.past import instant, show_past
from orderloom.runtime.cli.pictures import Picture, picture_options
from orderloom.runtime.cli.stores import by_option, find_order, opened, reason_option, show_receipt
from orderloom.runtime.progress import OrderProgress
from orderloom.runtime.store.views import AttemptView, OrderView
from orderloom.runtime.views import LineView, PlanTask, line_view, plan_task


@click.group(name="orders")
def command() -> None:
    """List orders, show one, hold, amend, cancel and replay it. ORDER is an id or an external id."""


for each in (changes.amend, changes.cancel, changes.start, changes.replay, bulk.of_orders):
    command.add_command(each)


@command.command(name="list")
@click.option(
    "--status",
    multiple=True,
    type=click.Choice([str(each) for each in OrderStatus]),
    help="Only these; repeat for more.",
)
@click.option("--account", default="", help="Only this account's.")
@click.option("--external-id", default="", help="Only those of this external id.")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@click.option("--before", type=int, help="Only those before this sequence number, for the next page.")
@json_option
@store_options
@click.pass_context
def list_orders(
    ctx: click.Context,
    status: tuple[str, ...],
    account: str,
    external_id: str,
    limit: int,
    before: int | None,
    as_json: bool,
) -> None:
    """List orders, newest first."""
    with opened(ctx) as runtime:
        found = runtime.orders(status=status, account=account, external_id=external_id, limit=limit, before=before)
    if as_json:
        screen.show_json(found)
        return
    if not found:
        screen.remark("no orders")
        return
    screen.show_table(
        ("order", "external id", "account", "state", "bundle", "submitted", "completed"),
        [
            (
                each.id,
                each.external_id,
                each.account,
                screen.state(each.status),
                f"{each.bundle} {each.bundle_version}",
                screen.time_text(each.submitted_at),
                screen.time_text(each.completed_at),
            )
            for each in found
        ],
    )
    if len(found) == limit:
        screen.remark(f"more with --before {found[-1].sequence}")


@command.command()
@click.argument("order")
@click.option("--lines", "only_lines", is_flag=True, help="Only the lines.")
@click.option("--plan", "only_plan", is_flag=True, help="Only the plan.")
@click.option("--journal", "only_journal", is_flag=True, help="Only the journal.")
@click.option("--calls", "only_calls", is_flag=True, help="Only the calls of external systems.")
@click.option("--schedule", "only_schedule", is_flag=True, help="Only the schedule.")
@click.option("--tmf622", is_flag=True, help="Print the order as a TMF622 ProductOrder.")
@click.option(
    "--at", type=instant, metavar="TIME", help="As it was at that time (ISO 8601), made again from its journal."
)
@picture_options
@json_option
@store_options
@click.pass_context
def show(
    ctx: click.Context,
    order: str,
    only_lines: bool,
    only_plan: bool,
    only_journal: bool,
    only_calls: bool,
    only_schedule: bool,
    tmf622: bool,
    at: datetime | None,
    svg: Path | None,
    mermaid: bool,
    dot: bool,
    as_json: bool,
) -> None:
    """Show an order: its lines with provenance, its plan, its journal, its calls; to its customer, how far it is."""
    if at is not None and (only_calls or only_schedule or tmf622):
        raise click.UsageError("with `--at` there are `--lines`, `--plan`, `--journal` and pictures")
    with opened(ctx) as runtime:
        found = find_order(runtime, order)
        title = f"order {found.external_id or found.id}"
        if tmf622:
            screen.show_json(runtime.resource(found.id))
            return
        if not runtime.principal.may(Permission.PLANS_VIEW):
            _show_progress(runtime.progress(found.id), as_json)
            return
        # read once: the state of a large order is the dearest thing here
        state = runtime.state(found.id)
        design = runtime.design(state.design)
        picture = Picture(svg=svg, mermaid=mermaid, dot=dot)
        if at is not None:
            parts = {"lines": only_lines, "tasks": only_plan, "journal": only_journal}
            show_past(runtime, found, at, picture, as_json, [part for part, only in parts.items() if only] or [*parts])
            return
        if picture.wanted:
            picture.draw(_lines(state, design), _tasks(state, design), title)
            return
        everything = not (only_lines or only_plan or only_journal or only_calls or only_schedule)
        if as_json:
            shown = {"order": found, "reasons": state.reasons}
            if everything or only_lines:
                shown["lines"] = _lines(state, design)
            if everything or only_plan:
                shown["tasks"] = _tasks(state, design)
            if everything or only_journal:
                shown["journal"] = runtime.journal(found.id)
            if only_calls or (everything and runtime.principal.may(Permission.EXCHANGES_VIEW)):
                shown["calls"] = runtime.attempts(found.id)
            if only_schedule:
                shown["schedule"] = runtime.schedule_of(state)
            screen.show_json(shown)
            return
        _show_head(found, state)
        lines = _lines(state, design)
        if everything or only_lines:
            showing.show_lines(lines, f"lines of {title}")
            planned.show_superseded({name: line_view(line, design) for name, line in state.former.items()})
        if everything or only_plan:
            tasks = _tasks(state, design)
            showing.show_plan_tree(lines, tasks, f"plan of {title}")
            showing.show_plan(tasks)
        if only_schedule or (everything and not found.status.final and found.started_at):
            planned.show_schedule(runtime.schedule_of(state))
        if everything or only_journal:
            showing.show_journal(runtime.journal(found.id))
        if only_calls:
            _show_calls(runtime.attempts(found.id))


def _lines(state: OrderState, design: Design) -> list[LineView]:
    return [line_view(line, design) for line in state.lines.values()]


def _tasks(state: OrderState, design: Design) -> list[PlanTask]:
    return [plan_task(task, design) for task in state.tasks.values()]


def _show_head(found: OrderView, state: OrderState) -> None:
    screen.say("order", found.id, screen.state(found.status))
    screen.say("  external id", found.external_id or "–", " account", found.account, found.account_name)
    screen.say("  bundle", found.bundle, found.bundle_version, " priority", found.priority)
    completed = f"  completed {screen.time_text(found.completed_at)}" if found.completed_at else ""
    screen.say("  submitted", screen.time_text(found.submitted_at) + completed)
    for reason in state.reasons:
        screen.say("  because", reason)


def _show_calls(attempts: list[AttemptView]) -> None:
    for each in attempts:
        took = f"{each.exchange.duration:.0f} ms" if each.exchange else ""
        screen.say(each.operation, f"attempt {each.attempt}", each.outcome, each.code, each.message, took)
        screen.say("  task", each.task, " key", each.key)
        if each.exchange:
            for name, text in (("request", each.exchange.request), ("response", each.exchange.response)):
                screen.say(f"  {name}")
                for line in screen.clean_block(text).splitlines():
                    screen.say(f"    {line}")


@command.command()
@click.argument("order")
@click.option("--after", default=0, type=click.IntRange(0, 2**62), help="Only from the version after this one.")
@click.option(
    "--limit", default=1000, show_default=True, type=click.IntRange(1, 100_000), help="At most so many events."
)
@json_option
@store_options
@click.pass_context
def journal(ctx: click.Context, order: str, after: int, limit: int, as_json: bool) -> None:
    """Show what happened to an order."""
    with opened(ctx) as runtime:
        records = runtime.journal(find_order(runtime, order).id, after, limit)
    if as_json:
        screen.show_json(records)
    else:
        showing.show_journal(records)


@command.command()
@click.argument("order")
@json_option
@store_options
@click.pass_context
def progress(ctx: click.Context, order: str, as_json: bool) -> None:
    """Show how far an order is, as its customer is told."""
    with opened(ctx) as runtime:
        _show_progress(runtime.progress(find_order(runtime, order).id), as_json)


def _show_progress(found: OrderProgress, as_json: bool) -> None:
    if as_json:
        screen.show_json(found)
        return
    screen.say("order", found.external_id or found.order, screen.state(found.status))
    if found.expected is not None:
        screen.say("  expected by", screen.time_text(found.expected))
    for each in found.milestones:
        screen.say(screen.state("done" if each.reached else "pending"), each.text, screen.time_text(each.at))


@command.command()
@click.argument("order")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def hold(ctx: click.Context, order: str, by: str, reason: str, as_json: bool) -> None:
    """Stop an order where it is."""
    with opened(ctx) as runtime:
        receipt = runtime.hold(find_order(runtime, order).id, by, reason)
    show_receipt(receipt, f"order {order} is held", as_json)


@command.command()
@click.argument("order")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def resume(ctx: click.Context, order: str, by: str, reason: str, as_json: bool) -> None:
    """Let a held order go on."""
    with opened(ctx) as runtime:
        receipt = runtime.resume(find_order(runtime, order).id, by, reason)
    show_receipt(receipt, f"order {order} goes on", as_json)
