"""`orderloom check`: the findings of a bundle."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.findings import show_findings
from orderloom.runtime.cli.options import json_option
from orderloom.runtime.deployment import check_folder


@click.command(name="check")
@click.argument("path", type=click.Path(exists=True, file_okay=False))
@json_option
def command(path: str, as_json: bool) -> None:
    """Check the design bundle in the folder PATH. Exit code 1 where there is an error."""
    checked = check_folder(path)
    show_findings(checked.diagnostics, checked.files, as_json)
    design = checked.design
    if design is None:
        raise click.exceptions.Exit(1)
    if not as_json:
        tasks = sum(len(plan.tasks) for plan in design.plans.values())
        screen.say(
            f"{design.name} {design.version} is sound:",
            f"{len(design.specs)} specs, {len(design.rules)} rules, {len(design.tables)} tables,",
            f"{len(design.plans)} plans, {tasks} tasks, {len(design.operations)} operations",
        )
