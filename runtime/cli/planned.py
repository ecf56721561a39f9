"""How a change looks before it is made: decisions with states before and after, and why."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import click
from rich.text import Text

from orderloom.engine.change.picture import picture
from orderloom.engine.scheduling import Schedule
from orderloom.models.change import ChangePlan, LineDecision, LineVerdict, TaskDecision, TaskVerdict
from orderloom.runtime import drawing
from orderloom.runtime.cli import screen, showing
from orderloom.runtime.drawing import Mark
from orderloom.runtime.store.views import OrderView
from orderloom.runtime.synchronous import SyncRuntime
from orderloom.runtime.views import LineView, line_view, plain, plan_task

_STYLES = {
    TaskVerdict.KEEP: "dim",
    TaskVerdict.UPDATE: "yellow",
    TaskVerdict.ADD: "green",
    TaskVerdict.DISCARD: "dim",
    TaskVerdict.CANCEL: "red",
    TaskVerdict.RESTART: "yellow",
    TaskVerdict.REDO: "yellow",
    TaskVerdict.AMEND: "yellow",
    TaskVerdict.UNDO: "red",
    TaskVerdict.UNDO_REDO: "red",
    TaskVerdict.RESOLVE: "red",
    TaskVerdict.FINISH_FIRST: "cyan",
    TaskVerdict.CANCEL_FIRST: "cyan",
    LineVerdict.KEEP: "dim",
    LineVerdict.CHANGE: "yellow",
    LineVerdict.ADD: "green",
    LineVerdict.REMOVE: "red",
}


def as_json(plan: ChangePlan) -> dict[str, Any]:
    """The plan without the rows that it would leave."""
    found: dict[str, Any] = {
        name: plain(getattr(plan, name))
        for name in ("order", "kind", "revision", "everything", "refused", "reasons", "problems")
    }
    for name in ("lines", "tasks", "refusals", "consequences", "conflicts", "dates", "outlook"):
        found[name] = plain(getattr(plan, name))
    return found


def show(plan: ChangePlan, title: str) -> None:
    """The plan as tables."""
    verdict = Text("would be refused", style="bold red") if plan.refused else Text("would go through", style="bold")
    screen.say(f"{plan.kind} of {title}:", verdict)
    for reason in plan.reasons:
        screen.say("  because", reason)
    for consequence in plan.consequences:
        by = f" (needs the approval of {consequence.approval})" if consequence.approval else ""
        screen.say("  consequence", f"{consequence.text}{by}", " of", showing.short_task(consequence.task))
    for conflict in plan.conflicts:
        wants = screen.value_text(conflict.amended)
        there = f"{screen.value_text(conflict.delivered)} by {conflict.by}"
        screen.say("  conflict", f"{conflict.line}.{conflict.attribute}:", f"{there}, the change wants {wants};")
        screen.say("    a person decides in", conflict.task)
    if differences := list(_of_the_order(plan)):
        screen.show_table(("of the order", "before → after"), differences)
    lines = [each for each in plan.lines if each.verdict is not LineVerdict.KEEP]
    if lines:
        screen.show_table(("decision", "line", "before → after", "why"), [_line(each) for each in lines], "lines")
    if plan.tasks:
        rows = [_task(each) for each in plan.tasks]
        screen.show_table(("decision", "task", "before → after", "why"), rows, "tasks")
    if not (plan.lines or plan.tasks or plan.everything or plan.refused):
        screen.remark("the order waits, nothing of it is done: the new content is taken up when it starts")
    if any(each.verdict in (TaskVerdict.FINISH_FIRST, TaskVerdict.CANCEL_FIRST) for each in plan.tasks):
        screen.remark("calls are under way: the rest is decided once they have answered or are cancelled")


def _of_the_order(plan: ChangePlan) -> Iterator[tuple[object, ...]]:
    for each in plan.dates:
        yield each.name, _date(each.before).append(" → ").append_text(_date(each.after))
    if plan.priority:
        yield "priority", " → ".join(map(str, plan.priority))
    if found := plan.outlook:
        before = _date(found.expected_before).append(" ").append_text(screen.state(found.jeopardy_before))
        after = _date(found.expected_after).append(" ").append_text(screen.state(found.jeopardy_after))
        yield "expected completion", before.append(" → ").append_text(after) if before != after else after


def _date(at: datetime | None) -> Text:
    return Text(screen.time_text(at) or "–")


def _line(each: LineDecision) -> tuple[object, ...]:
    changed = [
        f"{one.name} {screen.value_text(one.before)} → {screen.value_text(one.after)}" for one in each.attributes
    ]
    if each.quantity_before != each.quantity_after and each.quantity_before and each.quantity_after:
        changed.append(f"quantity {each.quantity_before} → {each.quantity_after}")
    if each.action_before != each.action_after:
        changed.append(f"{each.action_before or '–'} → {each.action_after or '–'}")
    if not changed:
        changed.append(f"{each.state_before or '–'} → {each.state_after or '–'}")
    return _verdict(each.verdict), each.line, ", ".join(changed), each.why


def _task(each: TaskDecision) -> tuple[object, ...]:
    by = f" (by {', '.join(map(showing.short_task, each.by))})" if each.by else ""
    return _verdict(each.verdict), each.task, _states(each), each.why + by


def _states(each: TaskDecision) -> str:
    return f"{each.before or '–'} → {each.after}" if each.before is not each.after else str(each.after)


def _verdict(verdict: TaskVerdict | LineVerdict) -> Text:
    return Text(str(verdict), style=_STYLES[verdict])


def show_superseded(lines: Mapping[str, LineView]) -> None:
    """What lines were before changes."""
    if lines:
        rows = [
            (
                name,
                line.action,
                screen.state(line.state),
                ", ".join(f"{each.name} {screen.value_text(each.value)}" for each in line.attributes),
            )
            for name, line in lines.items()
        ]
        screen.show_table(("line~change", "action", "state then", "attributes"), rows, "superseded by changes")


def show_schedule(found: Schedule) -> None:
    """When tasks can and must start and end, in local time."""
    wanted = "requested" if found.requested else "as things stand"
    screen.say("schedule: expected", screen.time_text(found.expected) or "–", screen.state(found.jeopardy))
    screen.say("  to be completed", screen.time_text(found.target) or "–", wanted)
    screen.show_table(
        ("task", "earliest start", "earliest finish", "latest start", "latest finish", "slack", "critical", "jeopardy"),
        [
            (
                each.task,
                screen.time_text(each.earliest_start),
                screen.time_text(each.earliest_finish),
                screen.time_text(each.latest_start),
                screen.time_text(each.latest_finish),
                _slack(each.slack),
                "●" if each.critical else "",
                screen.state(each.jeopardy),
            )
            for each in found.tasks.values()
        ],
    )


def _slack(slack: timedelta | None) -> str:
    if slack is not None and slack < timedelta(0):
        return f"−{screen.span_text(-slack)}"
    return screen.span_text(slack)


def draw(runtime: SyncRuntime, found: OrderView, plan: ChangePlan, svg: Path | None) -> None:
    """Writes the picture, where one is asked for."""
    if svg is None:
        return
    state = runtime.state(found.id)
    design = runtime.design(state.design)
    shown = picture(state, plan)
    rows = plan.rows
    lines = [line_view(line, design) for line in (rows.lines if rows else state.lines).values()]
    tasks = [plan_task(task, design) for task in (rows.tasks if rows else state.tasks).values()]
    marks = {box.task: Mark(str(box.verdict), f"{box.before or '–'} → {box.after}", box.why) for box in shown.boxes}
    title = f"{plan.kind} of order {found.external_id or found.id}"
    svg.write_text(drawing.svg(lines, tasks, title, marks), encoding="utf-8")
    click.echo(f"wrote {svg}", err=True)
