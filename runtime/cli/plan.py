"""`orderloom plan`: the tasks that an order becomes."""

from __future__ import annotations

from pathlib import Path

import click

from orderloom.runtime.cli import screen, showing
from orderloom.runtime.cli.options import json_option
from orderloom.runtime.cli.pictures import Picture, picture_options
from orderloom.runtime.cli.trial import trial


@click.command(name="plan")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False))
@click.argument("order")
@click.option("--inventory", metavar="FILE", help="What the account has, as `orderloom inventory --json` prints it.")
@click.option("--tree", "as_tree", is_flag=True, help="As a tree of lines and tasks.")
@picture_options
@json_option
def command(
    bundle: str,
    order: str,
    inventory: str | None,
    as_tree: bool,
    svg: Path | None,
    mermaid: bool,
    dot: bool,
    as_json: bool,
) -> None:
    """Show the tasks that ORDER (TMF622 v4 JSON, `-` for standard input) becomes by the plans of BUNDLE."""
    tried = trial(bundle, order, inventory)
    decomposition = tried.decomposition()
    lines = tried.line_views(decomposition)
    tasks = tried.task_views(tried.tasks(decomposition))
    picture = Picture(svg=svg, mermaid=mermaid, dot=dot)
    if picture.wanted:
        picture.draw(lines, tasks, f"plan of order {tried.order.id}")
    elif as_json:
        screen.show_json({"order": tried.order.id, "tasks": tasks})
    elif as_tree:
        showing.show_plan_tree(lines, tasks, f"plan of order {tried.order.id}")
    else:
        showing.show_plan(tasks)
