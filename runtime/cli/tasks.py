"""`orderloom tasks`: task definitions that are not to start."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option


@click.group(name="tasks")
def command() -> None:
    """Pause a task definition, `Plan.task`: its calls and manual tasks that become ready wait until it is resumed."""


@command.command()
@click.argument("definition")
@click.option("--bundle", default="", help="Only in orders on this bundle.")
@by_option
@reason_option
@store_options
@click.pass_context
def pause(ctx: click.Context, definition: str, bundle: str, by: str, reason: str) -> None:
    """Let no task of it start; what is under way goes on."""
    with opened(ctx) as runtime:
        runtime.pause_tasks(definition, bundle, by, reason)
    screen.say(f"tasks {definition} are paused")


@command.command()
@click.argument("definition")
@click.option("--bundle", default="", help="As it was paused.")
@by_option
@reason_option
@store_options
@click.pass_context
def resume(ctx: click.Context, definition: str, bundle: str, by: str, reason: str) -> None:
    """Let its tasks start."""
    with opened(ctx) as runtime:
        freed = runtime.resume_tasks(definition, bundle, by, reason)
    screen.say(f"tasks {definition} go on; {freed} work items are open again")


@command.command()
@json_option
@store_options
@click.pass_context
def paused(ctx: click.Context, as_json: bool) -> None:
    """List what is paused."""
    with opened(ctx) as runtime:
        found = runtime.paused_tasks()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("definition", "bundle", "since", "by", "reason", "work items held"),
            [
                (each.definition, each.bundle, screen.time_text(each.at), each.by, each.reason, each.held)
                for each in found
            ],
        )
    else:
        screen.remark("no task definition is paused")
