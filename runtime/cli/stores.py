"""The store that a command works on."""

from __future__ import annotations

import getpass
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import place
from orderloom.runtime.errors import UnknownOrder
from orderloom.runtime.store.views import OrderView
from orderloom.runtime.synchronous import SyncRuntime
from orderloom.runtime.views import Receipt, Verdict

Function = TypeVar("Function", bound=Callable[..., Any])


@contextmanager
def opened(ctx: click.Context) -> Iterator[SyncRuntime]:
    """The host on the store named on the command line, as the person who asks may use it."""
    where = place(ctx)
    with SyncRuntime(where.home, database_url=where.database_url, environment=where.environment) as runtime:
        name = ctx.params.get("by") or person()
        yield runtime.acting_as(name) if runtime.has_users() else runtime


def find_order(runtime: SyncRuntime, name: str) -> OrderView:
    """The order of that id, or the latest of that external id. Raises UnknownOrder."""
    try:
        return runtime.order(name)
    except UnknownOrder:
        found = runtime.orders(external_id=name, limit=1) if name else []
        if not found:
            raise
        return found[0]


def person() -> str:
    """Who asks, where `--by` is not given."""
    if name := os.environ.get("ORDERLOOM_USER"):
        return name
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "operator"


def by_option(function: Function) -> Function:
    """`--by NAME`, the person who acts."""
    return click.option(
        "--by", metavar="NAME", default=person, help="Who does it [env: ORDERLOOM_USER; default: the login name]."
    )(function)


def reason_option(function: Function) -> Function:
    """`--reason TEXT`, kept in the journal."""
    return click.option("--reason", default="", metavar="TEXT", help="Why; kept in the journal.")(function)


def show_receipt(receipt: Receipt, done: str, as_json: bool) -> None:
    """Says what became of a request."""
    if as_json:
        screen.show_json(receipt)
        return
    if receipt.verdict is Verdict.APPLIED:
        screen.say(done)
    elif receipt.verdict is Verdict.WAITING:
        screen.say(f"taken up: {done} once the calls under way have answered")
    else:
        screen.say(f"noted: {done} once a worker takes it up")
        screen.remark("no worker answered; `orderloom run` starts one")
