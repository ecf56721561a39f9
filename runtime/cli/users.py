"""`orderloom users`: who may use the store."""

from __future__ import annotations

import click

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.granting import GRANTS, add_grants, grants_text
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.store.identity import Holder


@click.group(name="users")
def command() -> None:
    """List and add users, give them roles, teams, queues, skills and accounts.

    A store without users is open to whoever may write its file. The first user has to be an administrator.
    """


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_users(ctx: click.Context, as_json: bool) -> None:
    """List all users, by name."""
    with opened(ctx) as runtime:
        found = runtime.users()
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("user", "title", "roles", "teams", "queues", "skills", "accounts", ""),
            [
                (
                    each.user.name,
                    each.user.title,
                    ", ".join(each.roles),
                    ", ".join(each.teams),
                    ", ".join(each.queues),
                    ", ".join(each.skills),
                    ", ".join(each.accounts),
                    "not active" if not each.user.active else "away" if each.user.away else "",
                )
                for each in found
            ],
        )
    else:
        screen.remark("there are no users: the store is open to whoever may write its file")


@command.command()
@click.argument("name")
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show a user and what the user may do."""
    with opened(ctx) as runtime:
        found = runtime.user(name)
    if as_json:
        screen.show_json(found)
        return
    screen.say(f"{found.user.name}  {screen.clean(found.user.title)}")
    for title, values in grants_text(found):
        screen.say(f"{title:<12} {values}")
    screen.say(f"{'may':<12} {', '.join(found.permissions) or 'nothing'}")


@command.command()
@click.argument("name")
@click.option("--title", default="", metavar="TEXT", help="The user's full name.")
@click.option("--email", default="", metavar="ADDRESS", help="Where to write to.")
@click.option("--role", "roles", multiple=True, metavar="ROLE", help="A role, see `orderloom roles`; repeatable.")
@click.option("--team", "teams", multiple=True, metavar="TEAM", help="A team; repeatable.")
@click.option("--queue", "queues", multiple=True, metavar="QUEUE", help="A queue the user works; repeatable.")
@click.option("--skill", "skills", multiple=True, metavar="SKILL", help="A skill; repeatable.")
@click.option("--account", "accounts", multiple=True, metavar="ID", help="An account of the user's own; repeatable.")
@by_option
@json_option
@store_options
@click.pass_context
def add(
    ctx: click.Context,
    name: str,
    title: str,
    email: str,
    roles: tuple[str, ...],
    teams: tuple[str, ...],
    queues: tuple[str, ...],
    skills: tuple[str, ...],
    accounts: tuple[str, ...],
    by: str,
    as_json: bool,
) -> None:
    """Add a user."""
    with opened(ctx) as runtime:
        found = runtime.add_user(
            name,
            title=title,
            email=email,
            roles=roles,
            teams=teams,
            queues=queues,
            skills=skills,
            accounts=accounts,
            by=by,
        )
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"user {name} is added, with {len(found.permissions)} permissions")


@command.command()
@click.argument("name")
@click.option("--title", metavar="TEXT", help="The user's full name.")
@click.option("--email", metavar="ADDRESS", help="Where to write to.")
@by_option
@reason_option
@store_options
@click.pass_context
def change(ctx: click.Context, name: str, title: str | None, email: str | None, by: str, reason: str) -> None:
    """Change a user's name or address."""
    with opened(ctx) as runtime:
        runtime.change_user(name, title=title, email=email, by=by, reason=reason)
    screen.say(f"user {name} is changed")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def disable(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Let a user do nothing any more. Users are not deleted: the trail names them."""
    with opened(ctx) as runtime:
        runtime.change_user(name, active=False, by=by, reason=reason)
    screen.say(f"user {name} may do nothing now")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def enable(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Let a disabled user act again."""
    with opened(ctx) as runtime:
        runtime.change_user(name, active=True, by=by, reason=reason)
    screen.say(f"user {name} may act again")


@command.command()
@click.argument("name", required=False, default="")
@click.option("--back", is_flag=True, help="Here again.")
@by_option
@store_options
@click.pass_context
def away(ctx: click.Context, name: str, back: bool, by: str) -> None:
    """Have no work assigned to oneself, or to NAME."""
    with opened(ctx) as runtime:
        found = runtime.set_away(not back, name, by)
    screen.say(f"user {found.user.name} is {'here' if back else 'away'}")


add_grants(command, Holder.USER, GRANTS)
