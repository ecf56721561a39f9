"""`orderloom submit`: take orders."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.failure import failure
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.cli.values import read_bytes
from orderloom.runtime.errors import OrderloomError
from orderloom.runtime.store.views import OrderView


@click.command(name="submit")
@click.argument("files", nargs=-1, required=True, metavar="FILE...")
@click.option("--bundle", help="The bundle to run on, where several are deployed.")
@click.option("--idempotency-key", metavar="KEY", help="The same order under the same key is taken once.")
@json_option
@store_options
@click.pass_context
def command(
    ctx: click.Context, files: tuple[str, ...], bundle: str | None, idempotency_key: str | None, as_json: bool
) -> None:
    """Submit orders (TMF622 v4 JSON; `-` for standard input). They are safe when the command ends."""
    if idempotency_key and len(files) > 1:
        raise click.UsageError("an idempotency key belongs to one order")
    taken: list[OrderView] = []
    refused = 0
    with opened(ctx) as runtime, screen.progress("submit", len(files)) as bar:
        for count, file in enumerate(files, 1):
            try:
                order = runtime.submit(read_bytes(file), bundle=bundle, idempotency_key=idempotency_key)
            except OrderloomError as error:
                if len(files) == 1:
                    raise
                refused += 1
                screen.remark(file)
                failure(error).show()
                continue
            taken.append(order)
            bar.at(count, file)
    if as_json:
        screen.show_json(taken if len(files) > 1 else taken[0])
    else:
        for order in taken:
            screen.say("order", order.id, screen.state(order.status), order.external_id)
    if refused:
        raise click.exceptions.Exit(1)
