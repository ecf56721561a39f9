"""`orderloom roles`: jobs, as what they permit."""

from __future__ import annotations

import click

from orderloom.runtime.access.permissions import ROLES
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option


@click.group(name="roles")
def command() -> None:
    """List the roles of the field, and make others of permissions and roles."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_roles(ctx: click.Context, as_json: bool) -> None:
    """List all roles and what they permit."""
    with opened(ctx) as runtime:
        found = runtime.roles()
    if as_json:
        screen.show_json(found)
        return
    screen.show_table(
        ("role", "title", "sees", "permits"),
        [
            (
                each.name + ("" if each.name in ROLES else " *"),
                each.title,
                "own accounts" if each.own_accounts else "own queues" if each.own_queues else "all",
                ", ".join(sorted(each.permissions)),
            )
            for each in found
        ],
    )


@command.command()
@click.argument("name")
@click.option("--title", default="", metavar="TEXT", help="What it is called.")
@click.option("--permit", "permissions", multiple=True, metavar="PERMISSION", help="A permission; repeatable.")
@click.option("--include", "includes", multiple=True, metavar="ROLE", help="All that another role permits; repeatable.")
@click.option("--own-accounts", is_flag=True, help="Sees only orders of accounts that are granted.")
@click.option("--own-queues", is_flag=True, help="Sees only work of queues that are granted.")
@by_option
@reason_option
@store_options
@click.pass_context
def add(
    ctx: click.Context,
    name: str,
    title: str,
    permissions: tuple[str, ...],
    includes: tuple[str, ...],
    own_accounts: bool,
    own_queues: bool,
    by: str,
    reason: str,
) -> None:
    """Make a role, or change one that was made so."""
    with opened(ctx) as runtime:
        found = runtime.put_role(
            name,
            title=title,
            permissions=permissions,
            includes=includes,
            own_accounts=own_accounts,
            own_queues=own_queues,
            by=by,
            reason=reason,
        )
    screen.say(f"role {name} permits: {', '.join(sorted(found.permissions)) or 'nothing'}")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def remove(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Remove a role that was made so; whoever has it loses it."""
    with opened(ctx) as runtime:
        runtime.drop_role(name, by, reason)
    screen.say(f"there is no role {name} any more")
