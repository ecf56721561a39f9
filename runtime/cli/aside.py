"""`orderloom aside`: events that were set aside because the software failed on them."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened


@click.group(name="aside")
def command() -> None:
    """List events that were set aside because the software failed on them, and try them again."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_aside(ctx: click.Context, as_json: bool) -> None:
    """List them, oldest first."""
    with opened(ctx) as runtime:
        found = runtime.set_aside()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("number", "order", "event", "since", "message"),
            [
                (each.id, each.order, type(each.event).__name__, screen.time_text(each.at), each.message)
                for each in found
            ],
        )
    else:
        screen.remark("nothing was set aside")


@command.command()
@click.argument("number", type=int)
@store_options
@click.pass_context
def retry(ctx: click.Context, number: int) -> None:
    """Apply one again, for instance with newer software."""
    with opened(ctx) as runtime:
        runtime.retry_set_aside(number)
    screen.say(f"event {number} is to be applied again")
