"""`orderloom connectors`: the external systems."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened


@click.group(name="connectors")
def command() -> None:
    """List external systems; take one offline and let it go on."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_connectors(ctx: click.Context, as_json: bool) -> None:
    """List the external systems of the active bundles."""
    with opened(ctx) as runtime:
        found = runtime.connectors()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("connector", "kind", "title", "bundles", "held"),
            [
                (each.name, each.kind, each.title, ", ".join(each.bundles), (each.reason or "yes") if each.held else "")
                for each in found
            ],
        )
    else:
        screen.remark("no connectors")


@command.command()
@click.argument("name")
@click.option("--reason", default="", metavar="TEXT", help="Why; shown at the tasks that wait.")
@store_options
@click.pass_context
def hold(ctx: click.Context, name: str, reason: str) -> None:
    """Take a system offline: tasks that call it wait, and none fails."""
    with opened(ctx) as runtime:
        runtime.hold_connector(name, reason)
    screen.say(f"connector {name} is held")


@command.command()
@click.argument("name")
@store_options
@click.pass_context
def release(ctx: click.Context, name: str) -> None:
    """Let a system go on: the calls that waited are made."""
    with opened(ctx) as runtime:
        runtime.release_connector(name)
    screen.say(f"connector {name} goes on")
