"""`orderloom decompose`: the lines that an order becomes."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen, showing
from orderloom.runtime.cli.options import json_option
from orderloom.runtime.cli.trial import trial


@click.command(name="decompose")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False))
@click.argument("order")
@click.option("--inventory", metavar="FILE", help="What the account has, as `orderloom inventory --json` prints it.")
@json_option
def command(bundle: str, order: str, inventory: str | None, as_json: bool) -> None:
    """Show the technical lines that ORDER (TMF622 v4 JSON, `-` for standard input) becomes by the rules of BUNDLE."""
    tried = trial(bundle, order, inventory)
    lines = tried.line_views(tried.decomposition())
    if as_json:
        screen.show_json({"order": tried.order.id, "lines": lines})
    else:
        showing.show_lines(lines, f"order {tried.order.id}")
