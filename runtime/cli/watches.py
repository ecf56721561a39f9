"""`orderloom watches`: the watch rules, how far each has counted and when it fired."""

from __future__ import annotations

import click
from rich.text import Text

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.store.watches import WatchView, why


@click.command(name="watches")
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """List the watch rules of the active bundles."""
    with opened(ctx) as runtime:
        found = runtime.watches()
    if as_json:
        screen.show_json(
            [
                {
                    "bundle": each.bundle,
                    "watch": each.rule.name,
                    "title": each.rule.title,
                    "when": why(each.rule),
                    "count": each.count,
                    "threshold": each.rule.count,
                    "key": each.key,
                    "fired": each.fired,
                    "last_fired": each.last_fired,
                    "done": each.done,
                }
                for each in found
            ]
        )
    elif found:
        screen.show_table(
            ("watch", "bundle", "when", "count", "fired", "last", "did"),
            [
                (
                    each.rule.name,
                    each.bundle,
                    why(each.rule),
                    _count(each),
                    each.fired,
                    screen.time_text(each.last_fired),
                    ", ".join(each.done),
                )
                for each in found
            ],
        )
    else:
        screen.remark("no active bundle has watch rules")


def _count(watch: WatchView) -> Text:
    style = "red" if watch.count >= watch.rule.count else "yellow" if watch.count else "green"
    key = f" ({screen.clean(watch.key)})" if watch.key else ""
    return Text(f"{watch.count} of {watch.rule.count}{key}", style=style)
