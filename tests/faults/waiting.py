"""Orders that wait for each other, and tasks that wait for tasks of other orders, while their processes are killed:
`python -m tests.faults.waiting FOLDER ORDERS KILLS SEED`.
"""

from __future__ import annotations

import asyncio
import contextlib
import random
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path

from orderloom.engine.program import Program, compile_design
from orderloom.models.catalog import Action
from orderloom.models.design import Design
from orderloom.models.order import ProductOrder
from orderloom.models.tasks import Dependency, Reach, TaskKind
from orderloom.runtime.store.errors import Conflict
from orderloom.runtime.store.opening import prepare
from orderloom.runtime.store.sqlite import SqliteStore, open_store
from orderloom.runtime.store.views import NewOrder, OrderFilter
from orderloom.runtime.worker.worker import Worker
from tests.faults.lives import killed, lived
from tests.faults.load import Log, System
from tests.runtime.worker.making import NOW, QUICK, call, design, order, task

#: orders of one account share its shelf, so they go one after the other
ACCOUNTS = 12


def waiting_design() -> Design:
    """A call, one that comes after those of related orders, a milestone."""
    elsewhere = Dependency(tasks=("Deliver.build",), reach=Reach.RELATED_ORDER, text="Box.build within related order")
    build = call("build", "reserve", retry=QUICK)
    tasks = (
        call("reserve", retry=QUICK),
        replace(build, after=(*build.after, elsewhere)),
        task("over", TaskKind.MILESTONE, "build"),
    )
    made = design(tasks)
    plan = replace(made.plans["Deliver"], actions=(Action.ADD, Action.MODIFY))
    return replace(made, plans={"Deliver": plan})


def waiting_order(number: int) -> ProductOrder:
    """A third depends on the one before it, a third has a task that waits for one of it, named by either id; some have
    one that waits for a task of an order that comes later."""
    found = order(number, account=f"A-{number % ACCOUNTS}")
    found = replace(found, external_id=f"X-{number}")
    if number % 3 == 1:
        return replace(found, depends_on=(f"ORD-{number - 1:06d}",))
    if number % 3 == 2:
        named = f"X-{number - 1}" if number % 2 else f"ORD-{number - 1:06d}"
        return replace(found, related=(named,))
    return replace(found, related=(f"X-{number + 3}",)) if number % 6 == 0 else found


async def submit_up_to(store: SqliteStore, digest: str, log: Log, number: int) -> None:
    acknowledged = {line["order"] for line in log.lines()}
    for each in map(waiting_order, range(number)):
        if each.id not in acknowledged:
            # a Conflict means: kept before the last end, only not acknowledged
            with contextlib.suppress(Conflict):
                store.submit([NewOrder(order=each, design=digest)], NOW)
            log.write({"order": each.id})
            await asyncio.sleep(0)


async def live(folder: Path, program: Program, goal: int, *, forever: bool) -> None:
    store = open_store(str(folder / "orders.db"))
    made = program.design
    store.deploy(made.name, made.version, made.digest, {}, NOW)
    system = System(store, Log(folder / "calls.log"))
    worker = Worker(store, lambda _digest: program, lambda _digest, _name: system)  # type: ignore[arg-type, return-value]
    stop = asyncio.Event()
    running = asyncio.create_task(worker.run_forever(stop))
    await submit_up_to(store, made.digest, Log(folder / "acknowledged.log"), goal)
    while forever or store.count_orders(OrderFilter()) != {"completed": goal}:
        await asyncio.sleep(0.02)
        if running.done():
            running.result()
    stop.set()
    await running
    worker.close()
    store.close()


def main() -> None:
    folder, orders, kills, seed = Path(sys.argv[1]), int(sys.argv[2]), int(sys.argv[3]), int(sys.argv[4])
    chance = random.Random(seed)
    program = compile_design(waiting_design())
    prepare(folder / "orders.db")
    for life in range(kills):
        goal = orders * (life + 1) // (kills + 1)
        killed(partial(live, folder, program, goal, forever=True), life, chance, 0.02, 0.2)
    sys.exit(lived(partial(live, folder, program, orders, forever=False)))


if __name__ == "__main__":
    main()
