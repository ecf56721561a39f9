"""`orderloom callback`: the answer of an external system, by hand."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.cli.values import read_bytes


@click.command(name="callback")
@click.argument("operation")
@click.argument("file")
@click.option("--header", "headers", multiple=True, metavar="NAME:VALUE", help="A header of the message.")
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, operation: str, file: str, headers: tuple[str, ...], as_json: bool) -> None:
    """Deliver the answer of an external system: the message in FILE (`-` for standard input) for OPERATION."""
    named = {}
    for header in headers:
        name, colon, value = header.partition(":")
        if not colon:
            raise click.BadParameter(f"expected NAME:VALUE, found {header!r}", param_hint="--header")
        named[name.strip()] = value.strip()
    with opened(ctx) as runtime:
        delivery = runtime.callback(operation, read_bytes(file), named)
    show_delivery(delivery.tasks, as_json)


def show_delivery(tasks: int, as_json: bool) -> None:
    """Says whom a message reached."""
    if as_json:
        screen.show_json({"tasks": tasks})
    elif tasks:
        screen.say(f"delivered to {tasks} {'task' if tasks == 1 else 'tasks'}")
    else:
        screen.say("kept: no task awaits it yet")
