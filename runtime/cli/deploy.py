"""`orderloom deploy`: check a bundle and put it into the store."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.findings import show_findings
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.errors import BundleRefused


@click.command(name="deploy")
@click.argument("path", type=click.Path(exists=True, file_okay=False))
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, path: str, as_json: bool) -> None:
    """Check the bundle in the folder PATH and make it what new orders run on. All of it is deployed, or nothing."""
    with opened(ctx) as runtime:
        try:
            deployed = runtime.deploy(path)
        except BundleRefused as refused:
            show_findings(refused.diagnostics, refused.files, as_json)
            if not as_json:
                screen.remark("nothing is deployed")
            raise click.exceptions.Exit(1) from None
    if as_json:
        screen.show_json(deployed)
    else:
        what = "deployed" if deployed.fresh else "was deployed before:"
        screen.say(what, deployed.name, deployed.version, f"({deployed.digest[:12]})")
