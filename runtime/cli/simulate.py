"""`orderloom simulate`: an order from end to end, offline, on a virtual clock."""

from __future__ import annotations

from pathlib import Path

import click
from rich.text import Text

from orderloom.engine.simulation.script import Script
from orderloom.engine.simulation.simulate import SimulationResult, simulate
from orderloom.engine.simulation.world import Made
from orderloom.models.journal import Entry
from orderloom.models.order import OrderStatus
from orderloom.runtime.cli import screen, showing
from orderloom.runtime.cli.options import json_option
from orderloom.runtime.cli.pictures import Picture, picture_options
from orderloom.runtime.cli.trial import Trial, trial
from orderloom.runtime.cli.values import read_bytes
from orderloom.runtime.rehearsal import Rehearsal
from orderloom.runtime.simulated import SCRIPT
from orderloom.runtime.views import line_view, plan_task


@click.command(name="simulate")
@click.argument("bundle", type=click.Path(exists=True, file_okay=False))
@click.argument("order")
@click.option("--inventory", metavar="FILE", help="What the account has, as `orderloom inventory --json` prints it.")
@click.option("--systems", metavar="FILE", help=f"How the systems answer (default: the bundle's {SCRIPT}).")
@click.option("--plausible", is_flag=True, help="All systems answer well, whatever their script says.")
@click.option("--calls", is_flag=True, help="Show the calls instead of the journal.")
@picture_options
@json_option
def command(
    bundle: str,
    order: str,
    inventory: str | None,
    systems: str | None,
    plausible: bool,
    calls: bool,
    svg: Path | None,
    mermaid: bool,
    dot: bool,
    as_json: bool,
) -> None:
    """Run ORDER (TMF622 v4 JSON, `-` for standard input) on BUNDLE: days in milliseconds, the same in every run.

    People do their work after an hour, awaited events come after a minute. Exit code 1 where the order does not end.
    """
    tried = trial(bundle, order, inventory)
    script = Path(bundle, SCRIPT)
    text = read_bytes(systems).decode() if systems else script.read_text() if script.is_file() else ""
    answer = None if plausible else Rehearsal(tried.design, text).answer
    result = simulate(tried.program, tried.order, tried.inventory, Script(answer=answer))
    state = result.state
    lines = [line_view(line, tried.design) for line in state.lines.values()]
    tasks = [plan_task(task, tried.design) for task in state.tasks.values()]
    picture = Picture(svg=svg, mermaid=mermaid, dot=dot)
    if picture.wanted:
        picture.draw(lines, tasks, f"plan of order {tried.order.id}")
    elif as_json:
        screen.show_json(
            {
                "order": state.order.id,
                "status": state.status,
                "reasons": state.reasons,
                "took": (result.ended - tried.order.order_date).total_seconds(),
                "lines": lines,
                "tasks": tasks,
                "calls": [_call(each) for each in result.callouts],
                "journal": [{"at": at, **_entry(entry)} for at, entry in result.journal],
                "inventory": list(result.inventory.assets.values()),
            }
        )
    else:
        _show(tried, result, calls)
        showing.show_plan_tree(lines, tasks, f"plan of order {tried.order.id}")
    if not state.status.final or state.status is OrderStatus.FAILED:
        raise click.exceptions.Exit(1)


def _show(tried: Trial, result: SimulationResult, calls: bool) -> None:
    state = result.state
    start = tried.order.order_date
    if calls:
        screen.show_table(
            ("after", "operation", "attempt", "task", "outcome", "code", "message"),
            [
                (
                    screen.span_text(made.at - start),
                    made.callout.operation,
                    made.callout.attempt,
                    made.task,
                    made.reply.outcome,
                    made.reply.code,
                    made.reply.message,
                )
                for made in result.callouts
            ],
        )
    else:
        screen.show_table(
            ("after", "what", "subject", "how"),
            [
                (screen.span_text(at - start), entry.kind, entry.subject, showing.entry_text(entry.data))
                for at, entry in result.journal
                if not entry.kind.endswith(".made")
            ],
        )
    screen.say("order", state.order.id, screen.state(state.status), f"after {screen.span_text(result.ended - start)}")
    for reason in state.reasons:
        screen.say(Text("  because"), reason)
    if not state.status.final:
        screen.remark("it waits: see the tasks below")


def _call(made: Made) -> dict[str, object]:
    return {
        "at": made.at,
        "task": made.task,
        "operation": made.callout.operation,
        "attempt": made.callout.attempt,
        "key": made.callout.key,
        "outcome": made.reply.outcome,
        "code": made.reply.code,
        "message": made.reply.message,
    }


def _entry(entry: Entry) -> dict[str, object]:
    return {"kind": entry.kind, "subject": entry.subject, "data": entry.data}
