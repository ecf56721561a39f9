"""`orderloom orders show --at`: an order as it was."""

from __future__ import annotations

from collections.abc import Collection
from datetime import UTC, datetime

import click

from orderloom.runtime.cli import screen, showing
from orderloom.runtime.cli.pictures import Picture
from orderloom.runtime.store.views import OrderView
from orderloom.runtime.synchronous import SyncRuntime
from orderloom.runtime.views import line_view, plan_task


def instant(text: str) -> datetime:
    """An instant in ISO 8601; local time where no zone is given."""
    try:
        return datetime.fromisoformat(text).astimezone(UTC)
    except (ValueError, OverflowError):
        raise click.BadParameter(f"expected a date and time like `2026-01-31T08:00:00`, found `{text}`") from None


def show_past(
    runtime: SyncRuntime, found: OrderView, at: datetime, picture: Picture, as_json: bool, parts: Collection[str]
) -> None:
    """What it was at that instant: of `lines`, `tasks` and `journal` those that are asked for."""
    state = runtime.order_at(found.id, at)
    design = runtime.design(state.design)
    lines = [line_view(line, design) for line in state.lines.values()]
    tasks = [plan_task(task, design) for task in state.tasks.values()]
    title = f"order {found.external_id or found.id} at {screen.time_text(at)}"
    records = runtime.journal(found.id, limit=state.version) if state.version else []
    if picture.wanted:
        picture.draw(lines, tasks, title)
    elif as_json:
        shown = {"order": found.id, "at": at, "version": state.version, "status": state.status, "plan": state.plan}
        asked = {"lines": lines, "tasks": tasks, "journal": records}
        screen.show_json({**shown, "reasons": state.reasons, **{part: asked[part] for part in parts}})
    else:
        screen.say(title, screen.state(state.status), f"after {state.version} events")
        for reason in state.reasons:
            screen.say("  because", reason)
        if "lines" in parts:
            showing.show_lines(lines, f"lines of {title}")
        if "tasks" in parts:
            showing.show_plan_tree(lines, tasks, f"plan of {title}")
            showing.show_plan(tasks)
        if "journal" in parts:
            showing.show_journal(records)
