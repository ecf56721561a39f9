"""`orderloom teams`: who works together."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.granting import TEAM_GRANTS, add_grants
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.store.identity import Holder


@click.group(name="teams")
def command() -> None:
    """List and make teams. What a team is granted, each of its members has; `orderloom users grant` makes members."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_teams(ctx: click.Context, as_json: bool) -> None:
    """List all teams, by name."""
    with opened(ctx) as runtime:
        found = runtime.teams()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("team", "title", "members", "roles", "queues", "skills", "accounts"),
            [
                (
                    each.team.name,
                    each.team.title,
                    ", ".join(each.members),
                    ", ".join(each.roles),
                    ", ".join(each.queues),
                    ", ".join(each.skills),
                    ", ".join(each.accounts),
                )
                for each in found
            ],
        )
    else:
        screen.remark("there are no teams")


@command.command()
@click.argument("name")
@click.option("--title", default="", metavar="TEXT", help="What it is called.")
@by_option
@store_options
@click.pass_context
def add(ctx: click.Context, name: str, title: str, by: str) -> None:
    """Make a team, or give it another title."""
    with opened(ctx) as runtime:
        runtime.put_team(name, title, by)
    screen.say(f"there is a team {name}")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def remove(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Dissolve a team; its members lose what it gave them."""
    with opened(ctx) as runtime:
        runtime.drop_team(name, by, reason)
    screen.say(f"there is no team {name} any more")


add_grants(command, Holder.TEAM, TEAM_GRANTS)
