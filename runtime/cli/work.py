"""`orderloom work`: the manual tasks."""

from __future__ import annotations

from collections.abc import Sequence

import click
from rich.text import Text

from orderloom.models.conversion import Json
from orderloom.models.journal import WorkKind
from orderloom.models.values import Kind
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, show_receipt
from orderloom.runtime.cli.values import read_json, set_option
from orderloom.runtime.store.views import WorkItem, WorkState


@click.group(name="work")
def command() -> None:
    """List, claim and complete manual tasks. ITEM is the number that `work list` shows."""


@command.command(name="list")
@click.option("--queue", default="", help="Only of this queue.")
@click.option("--order", default="", help="Only of this order.")
@click.option(
    "--state", type=click.Choice([str(each) for each in WorkState]), help="Only in this state (default: not done)."
)
@click.option("--mine", is_flag=True, help="Only what `--by` has claimed.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@by_option
@json_option
@store_options
@click.pass_context
def list_work(
    ctx: click.Context, queue: str, order: str, state: str | None, mine: bool, limit: int, by: str, as_json: bool
) -> None:
    """List manual tasks, most urgent first."""
    with opened(ctx) as runtime:
        found = runtime.work(
            kind=WorkKind.MANUAL,
            queue=queue,
            order=order,
            state=state or "",
            claimed_by=by if mine else "",
            limit=limit,
        )
    if as_json:
        screen.show_json(found)
    elif found:
        show_items(found)
    else:
        screen.remark("no work")


def show_items(items: Sequence[WorkItem]) -> None:
    """Work items as a table."""
    screen.show_table(
        ("item", "queue", "title", "state", "order", "task", "due"),
        [
            (
                item.id,
                item.queue,
                item.title,
                _state(item),
                item.order,
                item.task,
                screen.time_text(item.due),
            )
            for item in items
        ],
    )


def _state(item: WorkItem) -> Text:
    text = screen.state(item.state)
    return text.append(f" by {screen.clean(item.claimed_by)}") if item.claimed_by else text


@command.command()
@click.argument("item", type=int)
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, item: int, as_json: bool) -> None:
    """Show a manual task, with its form."""
    with opened(ctx) as runtime:
        found = runtime.work_item(item)
        if found.kind is not WorkKind.MANUAL:
            raise Failure(f"work item {item} is no manual task", help=f"orderloom fallout show {item}")
        enums = runtime.design(runtime.order(found.order).design).enums
    if as_json:
        screen.show_json(found)
        return
    show_items([found])
    rows = []
    for field in found.form:
        expected = str(field.type.required())
        if field.type.kind is Kind.ENUM and field.type.name in enums:
            expected = " | ".join(enums[field.type.name].values)
        default = f"default {screen.value_text(field.default)}" if field.default is not None else ""
        rows.append((field.name, field.title, expected, "required" if field.required else default or "optional"))
    if rows:
        screen.show_table(("field", "title", "expected", ""), rows)
        fields = " ".join(f"--set {name}=…" for name, *_ in rows)
        screen.remark(f"orderloom work complete {found.id} {fields}")


@command.command()
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def claim(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Take a manual task."""
    with opened(ctx) as runtime:
        found = runtime.claim(item, by)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"item {item} is claimed by {by}: {found.title}")


@command.command()
@click.argument("item", type=int)
@by_option
@json_option
@store_options
@click.pass_context
def release(ctx: click.Context, item: int, by: str, as_json: bool) -> None:
    """Give a manual task back."""
    with opened(ctx) as runtime:
        found = runtime.release(item, by)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"item {item} is open again")


@command.command()
@click.argument("item", type=int)
@set_option
@click.option("--values", "file", metavar="FILE", help="A file with an object of values, `-` for standard input.")
@by_option
@json_option
@store_options
@click.pass_context
def complete(ctx: click.Context, item: int, values: dict[str, Json], file: str | None, by: str, as_json: bool) -> None:
    """Complete a manual task with the values of its form."""
    given = all_values(values, file)
    with opened(ctx) as runtime:
        receipt = runtime.complete(item, by, given)
    show_receipt(receipt, f"item {item} is completed", as_json)


def all_values(values: dict[str, Json], file: str | None) -> dict[str, Json]:
    """The values of a file, then those of `--set`."""
    if file is None:
        return values
    found = read_json(file)
    if not isinstance(found, dict):
        raise click.UsageError(f"{file} holds no JSON object")
    return {**found, **values}
