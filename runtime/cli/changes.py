"""`orderloom orders amend|cancel|start|replay` and `orderloom migrate`: change of orders in flight, dry runs first."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from orderloom.models.change import ChangePlan
from orderloom.runtime.cli import planned, screen
from orderloom.runtime.cli.failure import failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, find_order, opened, reason_option, show_receipt
from orderloom.runtime.cli.values import read_bytes
from orderloom.runtime.errors import OrderloomError, UnknownBundle
from orderloom.runtime.store.views import OrderView
from orderloom.runtime.synchronous import SyncRuntime

Function = TypeVar("Function", bound=Callable[..., Any])


def change_options(function: Function) -> Function:
    """What every change in flight can be asked with."""
    for option in (
        click.option("--dry-run", is_flag=True, help="Only show what it would do; exit code 1 if it would be refused."),
        click.option("--accept", is_flag=True, help="Accept the consequences of soft points of no return."),
        click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role that approves; repeat for more."),
        click.option(
            "--force",
            is_flag=True,
            help="Go behind hard points of no return and past orders in the way; kept in the journal.",
        ),
        click.option(
            "--svg",
            type=click.Path(dir_okay=False, writable=True, path_type=Path),
            metavar="FILE",
            help="With --dry-run: write a picture of the plan, before and after.",
        ),
    ):
        function = option(function)
    return reason_option(by_option(function))


@click.command()
@click.argument("order")
@click.argument("file")
@change_options
@json_option
@store_options
@click.pass_context
def amend(
    ctx: click.Context,
    order: str,
    file: str,
    dry_run: bool,
    accept: bool,
    roles: tuple[str, ...],
    force: bool,
    svg: Path | None,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Give an order in flight the content of FILE (TMF622 v4 JSON, all that is wanted; `-` for standard input)."""
    _drawn_dry(svg, dry_run)
    document = read_bytes(file)
    with opened(ctx) as runtime:
        found = find_order(runtime, order)
        if dry_run:
            plan = runtime.preview_amend(found.id, document, accept=accept, roles=roles, force=force)
            _show_plan(runtime, found, plan, svg, as_json)
            return
        receipt = runtime.amend(found.id, document, by, reason, accept=accept, roles=roles, force=force)
    show_receipt(receipt, f"order {order} is amended", as_json)


@click.command()
@click.argument("order")
@click.option("--item", "items", multiple=True, metavar="ID", help="Only this item, with what stands under it.")
@change_options
@json_option
@store_options
@click.pass_context
def cancel(
    ctx: click.Context,
    order: str,
    items: tuple[str, ...],
    dry_run: bool,
    accept: bool,
    roles: tuple[str, ...],
    force: bool,
    svg: Path | None,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Take back an order in flight, or some of its items: what was done is undone."""
    _drawn_dry(svg, dry_run)
    with opened(ctx) as runtime:
        found = find_order(runtime, order)
        if dry_run:
            plan = runtime.preview_cancel(found.id, items=items, accept=accept, roles=roles, force=force)
            _show_plan(runtime, found, plan, svg, as_json)
            return
        receipt = runtime.cancel(found.id, by, reason, items=items, accept=accept, roles=roles, force=force)
    what = f"items {', '.join(items)} of order {order} are" if items else f"order {order} is"
    show_receipt(receipt, f"{what} being taken back", as_json)


@click.command()
@click.argument("order")
@click.option("--force", is_flag=True, help="Also past orders that work on the same; kept in the journal.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def start(ctx: click.Context, order: str, force: bool, by: str, reason: str, as_json: bool) -> None:
    """Take up an order although it waits for other orders, or let its tasks go on that wait for tasks of others."""
    with opened(ctx) as runtime:
        receipt = runtime.start(find_order(runtime, order).id, by, reason, force=force)
    show_receipt(receipt, f"order {order} has started", as_json)


@click.command()
@click.argument("order")
@json_option
@store_options
@click.pass_context
def replay(ctx: click.Context, order: str, as_json: bool) -> None:
    """Make an order again from its journal and compare, byte for byte. Exit code 1 where anything differs."""
    with opened(ctx) as runtime:
        found = runtime.replay(find_order(runtime, order).id)
    if as_json:
        screen.show_json(found)
    elif found.differences:
        screen.say("order", found.order, f"differs from its journal in {len(found.differences)} places")
        screen.show_table(
            ("after event", "where", "stored", "replayed"),
            [(each.version, each.where, *_where_they_part(each.stored, each.replayed)) for each in found.differences],
        )
    else:
        screen.say("order", found.order, f"is what its {found.events} events make of it")
        screen.say("  sha256", found.digest)
    if found.differences:
        raise click.exceptions.Exit(1)


@click.command()
@click.option("--to", "version", required=True, metavar="VERSION", help="Version or digest of the bundle.")
@click.option("--order", "orders", multiple=True, metavar="ORDER", help="This order; repeat for more.")
@click.option("--all-open", metavar="BUNDLE", help="All orders of this bundle that are not final.")
@change_options
@json_option
@store_options
@click.pass_context
def migrate(
    ctx: click.Context,
    version: str,
    orders: tuple[str, ...],
    all_open: str | None,
    dry_run: bool,
    accept: bool,
    roles: tuple[str, ...],
    force: bool,
    svg: Path | None,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Let orders in flight go on with another version of their bundle. Exit code 1 where one could not."""
    if bool(orders) == bool(all_open):
        raise click.UsageError("name the orders: `--order ORDER`, or `--all-open BUNDLE`")
    if svg and (not dry_run or len(orders) != 1):
        raise click.UsageError("a picture is drawn of one order, with `--dry-run`")
    results: list[object] = []
    failed = 0
    with opened(ctx) as runtime:
        chosen = [find_order(runtime, each) for each in orders] if orders else _open(runtime, all_open or "", version)
        for found in chosen:
            try:
                if dry_run:
                    plan = runtime.preview_migrate(found.id, version, accept=accept, roles=roles, force=force)
                    failed += plan.refused
                    results.append(planned.as_json(plan))
                    if not as_json:
                        planned.show(plan, f"order {found.external_id or found.id} to {version}")
                    planned.draw(runtime, found, plan, svg)
                else:
                    receipt = runtime.migrate(found.id, version, by, reason, accept=accept, roles=roles, force=force)
                    results.append(receipt)
                    if not as_json:
                        show_receipt(receipt, f"order {found.id} goes on with {version}", as_json=False)
            except OrderloomError as error:
                failed += 1
                results.append({"order": found.id, "code": error.code, "message": str(error)})
                if not as_json:
                    failure(error).show()
    if as_json:
        screen.show_json(results)
    elif not chosen:
        screen.remark("no open orders on another version")
    if failed:
        raise click.exceptions.Exit(1)


def _drawn_dry(svg: Path | None, dry_run: bool) -> None:
    """A picture is drawn of what would be; whoever asks for one does not mean it to happen. Raises UsageError."""
    if svg and not dry_run:
        raise click.UsageError("a picture is drawn of one order, with `--dry-run`")


def _where_they_part(stored: str, replayed: str) -> tuple[str, str]:
    """Both texts from shortly before their first difference on, cut to what a column bears."""
    pairs = enumerate(zip(stored, replayed, strict=False))
    shared = next((at for at, (one, other) in pairs if one != other), min(len(stored), len(replayed)))
    start = max(shared - 20, 0)
    lead = "…" if start else ""
    return lead + stored[start : start + 80], lead + replayed[start : start + 80]


def _open(runtime: SyncRuntime, bundle: str, version: str) -> list[OrderView]:
    """Orders of a bundle that are not final and on another version, oldest first. Raises UnknownBundle."""
    if all(each.name != bundle for each in runtime.bundles()):
        raise UnknownBundle(name=bundle)
    found: list[OrderView] = []
    before: int | None = None
    statuses = ("acknowledged", "pending", "held", "inProgress", "assessingCancellation", "pendingCancellation")
    while page := runtime.orders(status=statuses, limit=1000, before=before):
        found += [each for each in page if each.bundle == bundle and each.bundle_version != version]
        before = page[-1].sequence
    return found[::-1]


def _show_plan(runtime: SyncRuntime, found: OrderView, plan: ChangePlan, svg: Path | None, as_json: bool) -> None:
    planned.draw(runtime, found, plan, svg)
    if as_json:
        screen.show_json(planned.as_json(plan))
    else:
        planned.show(plan, f"order {found.external_id or found.id}")
    if plan.refused:
        raise click.exceptions.Exit(1)
