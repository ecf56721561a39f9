"""`orderloom demo`: sample orders from end to end, on simulated systems behind real HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import shlex
import shutil
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import as_file, files
from pathlib import Path

import click

from orderloom.models.design import Design
from orderloom.models.journal import WorkKind
from orderloom.models.values import Kind
from orderloom.runtime.acceleration import AcceleratedClock
from orderloom.runtime.cli import screen
from orderloom.runtime.cli.failure import Failure
from orderloom.runtime.cli.options import json_option, place, store_options
from orderloom.runtime.demonstration import Demonstration, Ended, Sample
from orderloom.runtime.deployment import check_folder
from orderloom.runtime.errors import BundleRefused
from orderloom.runtime.home import open_home
from orderloom.runtime.runtime import Runtime
from orderloom.runtime.simulated import SCRIPT, SimulatedSystems
from orderloom.runtime.store.views import WorkItem
from orderloom.runtime.views import Deployed, PlanTask, task_definition

#: stands for a serial number and the like in the commands to try
_EXAMPLE = "EX-1"


@dataclass(frozen=True, slots=True, kw_only=True)
class _Shown:
    """What a demonstration came to."""

    bundle: Deployed
    orders: list[Ended]
    #: HTTP requests that the systems got
    calls: int
    #: real
    seconds: float
    #: left to the user
    work: list[WorkItem]
    #: events that the order of the first of them will wait for, with the field that tells whose they are
    events: list[tuple[str, str]]


@click.command(name="demo")
@click.argument("design", type=click.Choice(["fiber", "mobile"]), default="fiber")
@click.option("--hold", is_flag=True, help="Leave the manual tasks to you, and say what to try next.")
@click.option("--speed", type=click.FloatRange(1), default=60, show_default=True, help="How fast the clock runs.")
@json_option
@store_options
@click.pass_context
def command(ctx: click.Context, design: str, hold: bool, speed: float, as_json: bool) -> None:
    """Run the sample orders of a shipped DESIGN (fiber or mobile) from end to end.

    The store is a temporary one unless --home says where; the external systems are simulated behind real HTTP on
    loopback, one of them unreliable. Exit code 1 where an order does not end as designed.
    """
    home = place(ctx).home
    folder = open_home(home) if home else Path(tempfile.mkdtemp(prefix="orderloom-demo-"))
    try:
        with as_file(files("orderloom.designs") / design) as bundle:
            shown = asyncio.run(_demonstrate(bundle, folder, hold, speed, as_json))
        _show(shown, folder, speed, hold, as_json)
    finally:
        if home is None and not hold:
            shutil.rmtree(folder, ignore_errors=True)
    if not all(each.as_designed for each in shown.orders):
        raise click.exceptions.Exit(1)


async def _demonstrate(bundle: Path, home: Path, hold: bool, speed: float, as_json: bool) -> _Shown:
    began = time.monotonic()
    checked = check_folder(bundle)
    if checked.design is None:
        raise BundleRefused(bundle.name, checked.diagnostics, checked.files)
    design = checked.design
    clock = AcceleratedClock(speed)
    systems = SimulatedSystems(design, checked.files.get(SCRIPT, ""))
    await systems.start()
    try:
        async with await Runtime.open(home, clock=clock, environ={**os.environ, **systems.environ}) as runtime:

            async def receive(operation: str, message: bytes, headers: Mapping[str, str]) -> None:
                await runtime.callback(operation, message, headers)

            systems.deliver_to(receive)
            deployed = await runtime.deploy(bundle)
            samples = _samples(bundle)
            if not as_json:
                screen.say(f"deployed {deployed.name} {deployed.version}: {_size(len(design.rules), 'rule')},")
                screen.say(f"its {len(design.connectors)} systems are simulated behind HTTP on loopback")
                screen.say(f"the clock runs {speed:g} times as fast and skips time in which nothing happens")
            demonstration = Demonstration(runtime, design, clock, leave_work=hold)
            orders = await _taken_to_their_ends(runtime, demonstration, samples)
            work = await runtime.work(kind=WorkKind.MANUAL)
            events = _awaited(design, await runtime.tasks(work[0].order)) if work else []
            seconds = time.monotonic() - began
            return _Shown(
                bundle=deployed, orders=orders, calls=systems.calls, seconds=seconds, work=work, events=events
            )
    finally:
        await systems.close()


async def _taken_to_their_ends(
    runtime: Runtime, demonstration: Demonstration, samples: Sequence[Sample]
) -> list[Ended]:
    """Runs the demonstration beside the worker; both have ended when this returns or is interrupted."""
    stop = asyncio.Event()
    with screen.progress("orders", len(samples)) as bar:
        worker = asyncio.create_task(runtime.run_forever(stop))
        running = asyncio.create_task(demonstration.run(samples, bar.at))
        try:
            await asyncio.wait((running, worker), return_when=asyncio.FIRST_COMPLETED)
            if not running.done():
                # raises what ended it
                await worker
            return await running
        except TimeoutError as error:
            raise Failure(str(error), help="look into them with --home DIR and `orderloom orders show`") from None
        finally:
            running.cancel()
            stop.set()
            await asyncio.wait((running, worker))


def _awaited(design: Design, tasks: Iterable[PlanTask]) -> list[tuple[str, str]]:
    """The events that open tasks wait for, or will, by name and field."""
    open_tasks = (task for task in tasks if not task.state.final)
    definitions = (task_definition(design, task.definition) for task in open_tasks)
    events = (found.event for found in definitions if found and found.event)
    return [(event.event, event.field) for event in events if event.field]


def _samples(bundle: Path) -> list[Sample]:
    found = [
        Sample(name=path.stem, document=json.loads(path.read_bytes())) for path in (bundle / "orders").glob("*.json")
    ]
    return sorted(found, key=lambda sample: str(sample.document.get("id", sample.name)))


def _show(shown: _Shown, home: Path, speed: float, hold: bool, as_json: bool) -> None:
    if as_json:
        screen.show_json(
            {
                "bundle": shown.bundle,
                "speed": speed,
                "home": str(home),
                "seconds": round(shown.seconds, 3),
                "calls": shown.calls,
                "as_designed": all(each.as_designed for each in shown.orders),
                "orders": shown.orders,
            }
        )
        return
    screen.show_table(
        ("order", "what", "state", "lines", "tasks", "retries", "took", "result"),
        [
            (
                each.order or "–",
                each.description,
                screen.state(each.status) if each.status else "",
                each.lines or "",
                each.tasks or "",
                each.retries or "",
                screen.span_text(each.took),
                ("" if each.as_designed else "NOT AS DESIGNED: ") + each.result,
            )
            for each in shown.orders
        ],
    )
    retries = sum(each.retries for each in shown.orders)
    well = sum(each.as_designed for each in shown.orders)
    screen.say(
        f"{well} of {len(shown.orders)} orders ended as designed;",
        f"{shown.calls} calls over HTTP, {_size(retries, 'retry', 'retries')};",
        f"{shown.seconds:.1f} s, and by the clock of the orders as the table says",
    )
    if hold:
        _show_next(shown, home)


def _show_next(shown: _Shown, home: Path) -> None:
    """The very commands to go on with."""
    where = shlex.quote(str(home))
    screen.say("")
    screen.say("the store is kept; go on with")
    screen.say(f"  export ORDERLOOM_HOME={where}")
    screen.say("  orderloom orders list")
    if shown.work:
        item = shown.work[0]
        values = "".join(
            f" --set {field.name}={_EXAMPLE if field.type.kind is Kind.STRING else '…'}"
            for field in item.form
            if field.required
        )
        screen.say("  orderloom work list")
        screen.say(f"  orderloom orders show {shlex.quote(item.order)} --plan")
        screen.say(f"  orderloom work complete {item.id}{values}")
    screen.say(f"  orderloom run --simulated {shown.bundle.name} --until-idle")
    for event, field in shown.events:
        screen.say(f"  orderloom event {event} --set {field}={_EXAMPLE}")
    if shown.events:
        screen.say(f"  orderloom run --simulated {shown.bundle.name} --until-idle")


def _size(number: int, one: str, more: str = "") -> str:
    return f"{number} {one}" if number == 1 else f"{number} {more or one + 's'}"
