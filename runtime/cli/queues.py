"""`orderloom queues`: what lies in queues, who works them, and how items find people."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import click

from orderloom.models.tasks import AssignMode
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.spans import short, span
from orderloom.runtime.cli.stores import by_option, opened, reason_option
from orderloom.runtime.desk.queues import QueueView
from orderloom.runtime.store.assigning import QueueRule


@click.group(name="queues")
def command() -> None:
    """List queues, show one, and set for a while how its items find people."""


@command.command(name="list")
@json_option
@store_options
@click.pass_context
def list_queues(ctx: click.Context, as_json: bool) -> None:
    """List queues with what lies in them."""
    with opened(ctx) as runtime:
        found = runtime.queues()
    if as_json:
        screen.show_json(found)
    elif found:
        show_queues(found)
    else:
        screen.remark("no queues: no bundle is deployed, or you are a member of none")


def show_queues(queues: Sequence[QueueView]) -> None:
    """Queues as a table."""
    screen.show_table(
        ("queue", "title", "kind", "open", "assigned", "claimed", "late", "oldest", "members", "assign"),
        [
            (
                queue.name,
                queue.title,
                "fallout" if queue.fallout else "manual",
                queue.count.open,
                queue.count.assigned,
                queue.count.claimed,
                queue.count.late,
                _age(queue.count.oldest),
                sum(not member.away for member in queue.members),
                _assigned(queue),
            )
            for queue in queues
        ],
    )


def _age(oldest: datetime | None) -> str:
    return "" if oldest is None else screen.span_text(max(datetime.now(UTC) - oldest, timedelta(0)))


def _assigned(queue: QueueView) -> str:
    rule = queue.rule
    if rule is not None and rule.paused:
        return "paused"
    if rule is not None and rule.assign is not None:
        return f"{_mode(rule)} (override)"
    return "; ".join(queue.assign) or str(AssignMode.PULL)


def _mode(rule: QueueRule) -> str:
    return f"{rule.assign} {', '.join(rule.skills)}".strip()


@command.command()
@click.argument("name")
@json_option
@store_options
@click.pass_context
def show(ctx: click.Context, name: str, as_json: bool) -> None:
    """Show a queue: its rules, what stands over them, and its members."""
    with opened(ctx) as runtime:
        found = runtime.queue(name)
    if as_json:
        screen.show_json(found)
        return
    show_queues([found])
    for text in found.assign:
        screen.say("assign", text)
    if found.rule is not None:
        _show_rule(found.rule)
    if found.members:
        screen.show_table(
            ("member", "skills", "items", ""),
            [
                (member.name, ", ".join(member.skills), member.load, "away" if member.away else "")
                for member in found.members
            ],
        )
    else:
        screen.remark(f"nobody is a member: orderloom users grant NAME --queue {found.name}")


def _show_rule(rule: QueueRule) -> None:
    parts = []
    if rule.assign is not None:
        parts.append(f"assign {_mode(rule)}")
    if rule.lease is not None:
        parts.append(f"lease {short(rule.lease)}")
    if rule.paused:
        parts.append("assigning paused")
    why = f": {rule.reason}" if rule.reason else ""
    screen.say("override", ", ".join(parts), f"by {rule.by} at {screen.time_text(rule.at)}{why}")


@command.command()
@click.argument("name")
@click.option(
    "--assign", "mode", type=click.Choice([str(mode) for mode in AssignMode]), help="How all of its items find people."
)
@click.option("--skill", "skills", multiple=True, metavar="NAME", help="For by_skill; repeat for more.")
@click.option("--lease", callback=span, metavar="SPAN", help="How long a claimed item is kept, e.g. 45m (usual: 30m).")
@click.option("--pause", "paused", is_flag=True, help="Assign nothing for the time being; people pull.")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def override(
    ctx: click.Context,
    name: str,
    mode: str | None,
    skills: tuple[str, ...],
    lease: timedelta | None,
    paused: bool,
    by: str,
    reason: str,
    as_json: bool,
) -> None:
    """Set how a queue's items find people, until it is reset; also for those that are open."""
    with opened(ctx) as runtime:
        found = runtime.override_queue(
            name, assign=mode, skills=skills, lease=lease, paused=paused, by=by, reason=reason
        )
    if as_json:
        screen.show_json(found)
    elif found.rule is not None:
        _show_rule(found.rule)


@command.command()
@click.argument("name")
@by_option
@reason_option
@json_option
@store_options
@click.pass_context
def reset(ctx: click.Context, name: str, by: str, reason: str, as_json: bool) -> None:
    """Let a queue's items find people as designed again."""
    with opened(ctx) as runtime:
        found = runtime.reset_queue(name, by, reason)
    if as_json:
        screen.show_json(found)
    else:
        screen.say(f"queue {name} assigns as designed: {_assigned(found)}")
