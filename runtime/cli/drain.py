"""`orderloom drain`: the worker takes nothing new."""

from __future__ import annotations

import time

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.synchronous import SyncRuntime

_LOOK = 0.1


@click.command(name="drain")
@click.option("--undo", is_flag=True, help="Let it take up work again.")
@click.option("--exit", "ends", is_flag=True, help="Let the worker's process end when nothing is under way.")
@click.option("--no-wait", is_flag=True, help="Do not wait until nothing is under way.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, undo: bool, ends: bool, no_wait: bool, by: str, reason: str, as_json: bool) -> None:
    """Let the worker end what is under way and take nothing new. Orders and requests are kept until it works again."""
    with opened(ctx) as runtime:
        if undo:
            ended = runtime.undrain(by, reason)
            if as_json:
                screen.show_json({"undone": ended})
            else:
                screen.say("the worker takes up work again" if ended else "it was not drained")
            return
        found = runtime.drain(ends=ends, by=by, reason=reason)
        if not no_wait:
            _wait(runtime)
        found_now = runtime.drained()
    if as_json:
        screen.show_json(found_now or found)
    elif found_now is None:
        screen.say("the worker has ended" if ends else "it was told to go on meanwhile")
    elif found_now.drained_at is not None:
        screen.say("drained: nothing is under way")
    else:
        screen.say("the worker is to take nothing new")


def _wait(runtime: SyncRuntime) -> None:
    """Until nothing is under way; not at all where no worker runs."""
    screen.remark("waiting until nothing is under way; Ctrl-C ends the waiting only")
    while (found := runtime.drained()) is not None and found.drained_at is None and runtime.worker_runs():
        time.sleep(_LOOK)
