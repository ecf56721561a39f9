"""`orderloom audit`: what people did."""

from __future__ import annotations

from datetime import UTC, datetime

import click
import orjson

from orderloom.runtime.cli import screen
from orderloom.runtime.cli.options import json_option, store_options
from orderloom.runtime.cli.stores import opened
from orderloom.runtime.store.auditing import DeedView


@click.command(name="audit")
@click.option("--who", default="", metavar="USER", help="Only of this user.")
@click.option("--what", default="", metavar="OPERATION", help="Only this operation, e.g. `retry`.")
@click.option("--order", default="", metavar="ID", help="Only about this order.")
@click.option("--kind", default="", help="Only about this kind of thing, e.g. `connector`.")
@click.option("--subject", default="", help="Only about the one of this name or number.")
@click.option("--denied", is_flag=True, help="Only what was not allowed.")
@click.option("--since", type=click.DateTime(), help="Only from then on (UTC).")
@click.option("--until", type=click.DateTime(), help="Only before then (UTC).")
@click.option("--limit", default=50, show_default=True, type=click.IntRange(1, 10_000), help="At most so many.")
@json_option
@store_options
@click.pass_context
def command(
    ctx: click.Context,
    who: str,
    what: str,
    order: str,
    kind: str,
    subject: str,
    denied: bool,
    since: datetime | None,
    until: datetime | None,
    limit: int,
    as_json: bool,
) -> None:
    """Show the trail of what people did and were not let do, newest first."""
    with opened(ctx) as runtime:
        found = runtime.audit(
            who=who,
            what=what,
            kind=kind,
            subject=subject,
            order=order,
            denied=True if denied else None,
            since=since.replace(tzinfo=UTC) if since else None,
            until=until.replace(tzinfo=UTC) if until else None,
            limit=limit,
        )
    if as_json:
        screen.show_json(found)
    elif found:
        screen.show_table(
            ("number", "time", "who", "what", "about", "before", "after", "reason", ""), [*map(_row, found)]
        )
    else:
        screen.remark("nothing was done")


def _row(view: DeedView) -> tuple[object, ...]:
    deed = view.deed
    about = f"{deed.kind} {deed.subject}".strip()
    if deed.order and deed.order != deed.subject:
        about += f" of {deed.order}"
    verdict = "denied" if deed.denied else f"refused: {view.refused}" if view.refused else ""
    return (
        view.id,
        screen.time_text(deed.at),
        deed.who,
        deed.what,
        about,
        orjson.dumps(deed.before).decode() if deed.before else "",
        orjson.dumps(deed.after).decode() if deed.after else "",
        deed.reason,
        verdict,
    )
