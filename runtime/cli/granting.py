"""What users and teams are granted, for commands about both."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import click

from orderloom.runtime.access.standing import TeamView, UserView
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.store.identity import Grant, Holder

#: kinds of grants, as they are written
GRANTS = tuple(str(each) for each in Grant)
#: those that a team can hold
TEAM_GRANTS = tuple(each for each in GRANTS if each != Grant.TEAM)


def grants_text(view: UserView | TeamView) -> Iterator[tuple[str, str]]:
    """What is held, kind by kind; nothing for kinds of which nothing is."""
    for title in ("roles", "teams", "members", "queues", "skills", "accounts"):
        values = getattr(view, title, ())
        if values:
            yield title, ", ".join(values)


def add_grants(command: click.Group, holder: Holder, kinds: Sequence[str]) -> None:
    """Adds `grant` and `revoke`, for the kinds that such a holder can have."""

    @command.command(help=f"Give a {holder} {_listed(kinds)}.")
    @click.argument("name")
    @click.argument("kind", type=click.Choice(kinds))
    @click.argument("value")
    @by_option
    @reason_option
    @store_options
    @click.pass_context
    def grant(ctx: click.Context, name: str, kind: str, value: str, by: str, reason: str) -> None:
        with opened(ctx) as runtime:
            runtime.grant(holder, name, kind, value, by, reason)
        screen.say(f"{holder} {name} has {kind} {value}")

    @command.command(help="Take it back.")
    @click.argument("name")
    @click.argument("kind", type=click.Choice(kinds))
    @click.argument("value")
    @by_option
    @reason_option
    @store_options
    @click.pass_context
    def revoke(ctx: click.Context, name: str, kind: str, value: str, by: str, reason: str) -> None:
        with opened(ctx) as runtime:
            runtime.revoke(holder, name, kind, value, by, reason)
        screen.say(f"{holder} {name} has {kind} {value} no more")


def _listed(kinds: Sequence[str]) -> str:
    words = [f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}" for kind in kinds]
    return f"{', '.join(words[:-1])} or {words[-1]}"
