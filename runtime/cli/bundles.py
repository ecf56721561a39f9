"""`orderloom bundles`: what is deployed."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened


@click.command(name="bundles")
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the bundles deployed, latest first."""
    with opened(ctx) as runtime:
        found = runtime.bundles()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("bundle", "version", "new orders", "deployed", "digest"),
            [
                (
                    each.name,
                    each.version,
                    "yes" if each.active else "",
                    screen.time_text(each.deployed_at),
                    each.digest[:12],
                )
                for each in found
            ],
        )
    else:
        screen.remark("nothing is deployed; `orderloom deploy PATH` does")
