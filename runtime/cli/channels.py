"""`orderloom channels`: who outside is told what."""

from __future__ import annotations

from pathlib import Path

import click

from orderloom.models.conversion import Json
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.store.deliveries import Delivery, Wanted


@click.group(name="channels")
def command() -> None:
    """Tell the outside what orders publish: by webhook, e-mail or into a file."""


def _listed(_ctx: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(part.strip() for each in value for part in each.split(",") if part.strip())


def _wordings(_ctx: click.Context, _parameter: click.Parameter, value: tuple[str, ...]) -> dict[str, str]:
    found: dict[str, str] = {}
    for each in value:
        kind, equals, path = each.partition("=")
        if not equals or not kind:
            raise click.BadParameter(f"`{each}`: expected KIND=FILE")
        try:
            found[kind] = Path(path).read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as error:
            raise click.BadParameter(f"cannot read `{path}`: {error}") from None
    return found


@command.command()
@click.argument("name")
@click.argument("kind", type=click.Choice(("webhook", "smtp", "file")))
@click.option("--url", help="webhook: where to POST.")
@click.option("--secret-name", "secret", metavar="NAME", help="Secret: to sign with, or of --user.")
@click.option("--host", help="smtp: the server.")
@click.option("--port", type=int, help="smtp: its port [default: by --security].")
@click.option("--security", type=click.Choice(("starttls", "tls", "none")), help="smtp [default: starttls].")
@click.option("--user", help="smtp: name to log in with.")
@click.option("--to", multiple=True, metavar="ADDRESS", help="smtp: recipient; repeat for more.")
@click.option("--from", "sender", metavar="ADDRESS", help="smtp: sender.")
@click.option("--path", metavar="FILE", help="file: absolute path; a line of JSON is appended for each event.")
@click.option("--authority", metavar="FILE", help="PEM file of a private certificate authority.")
@click.option("--timeout", type=float, metavar="SECONDS", help="For one attempt [default: 30].")
@click.option("--tries", type=int, help="Attempts before it is given up [default: 15].")
@click.option("--hours", type=float, help="Hours before it is given up [default: 24].")
@click.option("--events", multiple=True, callback=_listed, metavar="KINDS", help="Kinds, as order.state,work.*")
@click.option("--account", "accounts", multiple=True, callback=_listed, help="Only orders of these accounts.")
@click.option("--product", "products", multiple=True, callback=_listed, help="Only orders of these products.")
@click.option("--queue", "queues", multiple=True, callback=_listed, help="Only events of these queues.")
@click.option("--order-visible-only", "visible_only", is_flag=True, help="Only what customers are told.")
@click.option(
    "--template", "templates", multiple=True, callback=_wordings, metavar="KIND=FILE", help="Jinja template of a kind."
)
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def add(
    ctx: click.Context,
    name: str,
    kind: str,
    url: str | None,
    secret: str | None,
    host: str | None,
    port: int | None,
    security: str | None,
    user: str | None,
    to: tuple[str, ...],
    sender: str | None,
    path: str | None,
    authority: str | None,
    timeout: float | None,
    tries: int | None,
    hours: float | None,
    events: tuple[str, ...],
    accounts: tuple[str, ...],
    products: tuple[str, ...],
    queues: tuple[str, ...],
    visible_only: bool,
    templates: dict[str, str],
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Add a channel; it is told what is published from now on."""
    settings: dict[str, Json] = {
        "url": url,
        "secret": secret,
        "host": host,
        "port": port,
        "security": security,
        "user": user,
        "to": list(to),
        "from": sender,
        "path": path,
        "authority": authority,
        "timeout": timeout,
        "tries": tries,
        "hours": hours,
    }
    with opened(ctx) as runtime:
        channel = runtime.add_channel(
            name,
            kind,
            settings,
            events=events,
            accounts=accounts,
            products=products,
            queues=queues,
            visible_only=visible_only,
            templates=templates,
            by=by,
            reason=reason,
        )
    if as_json:
        screen.show_json(channel)
    else:
        screen.say(f"channel {name} is told from now on")
        screen.remark(f"`orderloom channels test {name}` tries it")


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_channels(ctx: click.Context, as_json: bool) -> None:
    """List channels, and what waits for each."""
    with opened(ctx) as runtime:
        found = runtime.channels()
    if as_json:
        screen.show_json(found)
        return
    if not found:
        screen.remark("no channels")
        return
    screen.show_table(
        ("channel", "kind", "to", "told", "state", "waiting", "given up", "oldest"),
        [
            (
                each.channel.name,
                each.channel.kind,
                _address(each.channel.settings),
                _told(each.channel.wanted),
                screen.state("held" if each.channel.paused else "active"),
                each.backlog.waiting,
                each.backlog.dead,
                screen.time_text(each.backlog.oldest),
            )
            for each in found
        ],
    )


def _address(settings: object) -> str:
    found = settings if isinstance(settings, dict) else {}
    to = found.get("to")
    mail = ", ".join(to) if isinstance(to, list) else ""
    return str(found.get("url") or found.get("path") or mail)


def _told(wanted: Wanted) -> str:
    parts = [", ".join(wanted.kinds) or "everything"]
    for word, names in (("account", wanted.accounts), ("product", wanted.products), ("queue", wanted.queues)):
        if names:
            parts.append(f"{word} {', '.join(names)}")
    if wanted.visible_only:
        parts.append("for customers")
    return "; ".join(parts)


@command.command(name="test")
@click.argument("name")
@store_options
@click.pass_context
def try_channel(ctx: click.Context, name: str) -> None:
    """Send an event `channel.test` over a channel now, once."""
    with opened(ctx) as runtime:
        runtime.try_channel(name)
    screen.say(f"channel {name} has taken it")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def pause(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Send nothing over a channel for now; what is published meanwhile waits."""
    with opened(ctx) as runtime:
        runtime.pause_channel(name, by, reason)
    screen.say(f"channel {name} is paused")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def resume(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Send again, beginning with what waited."""
    with opened(ctx) as runtime:
        runtime.resume_channel(name, by, reason)
    screen.say(f"channel {name} goes on")


@command.command()
@click.argument("name")
@by_option
@reason_option
@store_options
@click.pass_context
def remove(ctx: click.Context, name: str, by: str, reason: str) -> None:
    """Remove a channel with all that waits for it."""
    with opened(ctx) as runtime:
        runtime.remove_channel(name, by, reason)
    screen.say(f"channel {name} is gone")


@command.command()
@click.argument("name", default="")
@click.option("--order", default="", help="Only of this order.")
@click.option("--limit", default=100, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def failed(ctx: click.Context, name: str, order: str, limit: int, as_json: bool) -> None:
    """List deliveries that were given up, newest first."""
    with opened(ctx) as runtime:
        found = runtime.deliveries(name, "dead", order, limit)
    if as_json:
        screen.show_json([_shown(each) for each in found])
    elif found:
        screen.show_table(
            ("delivery", "channel", "event", "order", "tries", "given up", "because"),
            [
                (
                    each.id,
                    each.channel,
                    each.kind,
                    each.order,
                    each.tries,
                    screen.time_text(each.settled_at),
                    each.error,
                )
                for each in found
            ],
        )
    else:
        screen.remark("no deliveries were given up")


def _shown(delivery: Delivery) -> dict[str, object]:
    names = ("id", "channel", "key", "sequence", "order", "kind", "at", "state", "tries", "error", "settled_at")
    return {**{name: getattr(delivery, name) for name in names}, "body": delivery.body.decode()}


@command.command()
@click.argument("name")
@click.argument("delivery", nargs=-1, type=int)
@by_option
@reason_option
@store_options
@click.pass_context
def resend(ctx: click.Context, name: str, delivery: tuple[int, ...], by: str, reason: str) -> None:
    """Try given-up deliveries of a channel again: those named, or all."""
    with opened(ctx) as runtime:
        number = runtime.resend(name, delivery, by, reason)
    screen.say(f"{number} to be tried again")
