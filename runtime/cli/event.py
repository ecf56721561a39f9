"""`orderloom event`: publish an event that orders may wait for."""

from __future__ import annotations

import click

from orderloom.models.conversion import Json
from orderloom.runtime.cli.callback import show_delivery
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.cli.values import set_option
from orderloom.runtime.cli.work import all_values


@click.command(name="event")
@click.argument("name")
@click.argument("file", required=False)
@set_option
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, name: str, file: str | None, values: dict[str, Json], as_json: bool) -> None:
    """Publish the event NAME with the JSON object in FILE (`-` for standard input) and the values of --set."""
    if not name:
        raise click.UsageError("name the event")
    payload = all_values(values, file)
    with opened(ctx) as runtime:
        delivery = runtime.publish(name, payload)
    show_delivery(delivery.tasks, as_json)
